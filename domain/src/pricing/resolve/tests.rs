//! Worked cases of pricing, as data, and what holds for any rules.

use std::fmt::Write;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    fixtures::day,
    kernel::{CompanyId, Currency, Percent},
    pricing::{
        price::{Break, Days},
        price_agreement,
    },
};

/// The company, the company above it, its group, everyone: `c`, `p`, `g`, `e`.
fn audiences() -> [Audience; 4] {
    let company = |number| Audience::Company { company: CompanyId(Uuid::from_u128(number)) };
    let group = Audience::Group { group: "hotels".parse().unwrap() };
    [company(1), company(2), group, Audience::Everyone]
}

struct Case {
    agreement: PriceAgreement,
    rule: Rule,
    breadth: usize,
    distance: usize,
}

/// `c0 2.00`: the company's rule of the product is 2.00. After the audience stands the distance (9
/// is everything), then perhaps `?` for a draft, `!` for an agreement that yields, and `@2027` for a
/// rule of that year alone, `+` for a promotion, `%` where what is earned comes off; then the breaks: `2.00`, `10:1.80` from ten on, `-5%`, `-0.50`.
fn case(number: u128, text: &str) -> Case {
    let mut words = text.split_whitespace();
    let head = words.next().unwrap();
    let breadth = ["c", "p", "g", "e"].iter().position(|name| head.starts_with(name)).unwrap();
    let distance = head[1..2].parse().unwrap();
    let year = head.split_once('@').map(|(_, year)| &year[..4]);
    let date = |tail: &str| year.map(|year| day(&format!("{year}-{tail}")));
    let header = price_agreement::Header {
        name: "A".parse().unwrap(),
        audience: audiences()[breadth].clone(),
        currency: Currency::Pln,
        from: None,
        until: None,
        yields: head.contains('!'),
        promotion: head.contains('+'),
        discounts: head.contains('%'),
    };
    let breaks = words.map(|word| {
        let (at_least, value) = word.split_once(':').unwrap_or(("", word));
        let value = if let Some(percent) = value.strip_suffix('%') {
            Value::PercentOff { percent: percent[1..].parse::<Percent>().unwrap() }
        } else if let Some(amount) = value.strip_prefix('-') {
            Value::AmountOff { amount: amount.parse().unwrap() }
        } else {
            Value::Fixed { price: value.parse().unwrap() }
        };
        Break { at_least: at_least.parse().ok(), value }
    });
    let agreement = if head.contains('?') {
        PriceAgreement::Drafted(header)
    } else {
        PriceAgreement::Active(header)
    };
    let rule = Rule {
        agreement: AgreementId(Uuid::from_u128(number)),
        days: Days { from: date("01-01"), until: date("12-31") },
        breaks: breaks.collect(),
    };
    Case { agreement, rule, breadth, distance }
}

fn cases(rules: &[&str]) -> Vec<Case> {
    (1..).zip(rules).map(|(number, text)| case(number, text)).collect()
}

fn answer(base: Option<&str>, cases: &[Case], quantity: &str, on: &str) -> Resolution {
    resolve(&question(&audiences(), base, cases, quantity, on))
}

fn question<'a>(
    audiences: &'a [Audience],
    base: Option<&str>,
    cases: &'a [Case],
    quantity: &str,
    on: &str,
) -> Question<'a> {
    let category = |distance: usize| Selection::Category {
        category: CategoryId(Uuid::from_u128(distance as u128)),
    };
    let candidates = cases.iter().map(|case| Candidate {
        audience: &audiences[case.breadth],
        breadth: case.breadth,
        selection: match case.distance {
            0 => Selection::Product { product: ProductId(Uuid::from_u128(9)) },
            9 => Selection::Everything,
            distance => category(distance),
        },
        distance: case.distance,
        rule: &case.rule,
        agreement: &case.agreement,
    });
    Question {
        on: day(on),
        quantity: quantity.parse().unwrap(),
        base: base.map(|base| base.parse().unwrap()),
        earned: None,
        floor: None,
        candidates: candidates.collect(),
    }
}

#[test]
fn worked_cases() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str], &str, &str)] = &[
        // base, rules, quantity, price
        ("10", &[], "1", "10.00"),
        ("", &[], "1", "none"),
        ("", &["c0 9"], "1", "9.00"),
        ("10", &["e0 9"], "1", "9.00"),
        ("10", &["e0 11"], "1", "11.00"),
        ("10", &["g0 11", "e0 9"], "1", "11.00"),
        ("10", &["g0 8", "e0 9"], "1", "8.00"),
        ("10", &["c0 12", "g0 8", "e0 9"], "1", "12.00"),
        ("10", &["c0 7", "g0 8", "e0 9"], "1", "7.00"),
        ("10", &["p0 7.5", "g0 7"], "1", "7.50"),
        ("10", &["c0 8", "p0 7.5"], "1", "8.00"),
        ("10", &["c9 8", "p0 7.5"], "1", "8.00"),
        ("10", &["e9 8", "g9 7"], "1", "7.00"),
        // Within an audience, the nearest.
        ("10", &["c0 8", "c1 7"], "1", "8.00"),
        ("10", &["c1 8", "c2 7"], "1", "8.00"),
        ("10", &["c2 8", "c9 7"], "1", "8.00"),
        ("10", &["c1 8", "c1 7"], "1", "7.00"),
        ("10", &["g1 8", "g2 7", "g0 9"], "1", "9.00"),
        // Quantity breaks.
        ("10", &["c0 9 10:8 100:7"], "1", "9.00"),
        ("10", &["c0 9 10:8 100:7"], "9.999", "9.00"),
        ("10", &["c0 9 10:8 100:7"], "10", "8.00"),
        ("10", &["c0 9 10:8 100:7"], "99", "8.00"),
        ("10", &["c0 9 10:8 100:7"], "100", "7.00"),
        ("10", &["c0 10:8"], "9", "10.00"),
        ("10", &["c0 10:8", "g0 9"], "9", "9.00"),
        ("10", &["c0 10:8", "g0 5"], "10", "8.00"),
        ("10", &["c0 10:8", "c1 9"], "9", "9.00"),
        ("10", &["c0 9 10:9.5"], "10", "9.50"),
        // What is off is off the base.
        ("10", &["c0 -10%"], "1", "9.00"),
        ("10", &["c9 -10%"], "1", "9.00"),
        ("10", &["c0 -100%"], "1", "0.00"),
        ("10", &["c0 -0.5%"], "1", "9.95"),
        ("0.0125", &["c0 -10%"], "1", "0.0113"),
        ("0.0125", &["c0 -50%"], "1", "0.0063"),
        ("9.99", &["c0 -33.33%"], "1", "6.6603"),
        ("10", &["c0 -2.50"], "1", "7.50"),
        ("10", &["c0 -12"], "1", "0.00"),
        ("10", &["c0 -10%", "e0 8"], "1", "7.20"),
        ("10", &["c0 -10%", "e1 8", "e0 6"], "1", "5.40"),
        ("10", &["c0 -10%", "g0 8"], "1", "9.00"),
        ("10", &["c0 -10%", "p0 8"], "1", "9.00"),
        ("10", &["c0 -10%", "e0 -20%"], "1", "9.00"),
        ("10", &["e0 -20%"], "1", "8.00"),
        ("", &["c0 -10%"], "1", "none"),
        ("", &["c0 -10%", "g0 8"], "1", "8.00"),
        ("", &["c0 -10%", "e0 8"], "1", "7.20"),
        ("10", &["c0 -10%", "e0 10:8"], "9", "9.00"),
        ("10", &["c0 -10%", "e0 10:8"], "10", "7.20"),
        ("10", &["c0 -5% 10:-10%"], "10", "9.00"),
        // What does not hold is passed over.
        ("10", &["c0? 5"], "1", "10.00"),
        ("10", &["c0? 5", "g0 8"], "1", "8.00"),
        ("10", &["c0@2026 5"], "1", "5.00"),
        ("10", &["c0@2027 5"], "1", "10.00"),
        ("10", &["c0@2025 5", "e0 9"], "1", "9.00"),
        ("10", &["c0@2025 5", "c0@2026 6", "c0@2027 7"], "1", "6.00"),
        ("10", &["c0 -10%", "e0@2027 8"], "1", "9.00"),
        ("10", &["c0 -10%", "e0? 8"], "1", "9.00"),
        // A contract gives way only when it says so.
        ("10", &["c0 9", "g0 8"], "1", "9.00"),
        ("10", &["c0! 9", "g0 8"], "1", "8.00"),
        ("10", &["c0! 9", "g0 9.5"], "1", "9.00"),
        ("10", &["c0! 9", "g0 9"], "1", "9.00"),
        ("10", &["c0! 9", "e0 8"], "1", "8.00"),
        ("10", &["c0! 9", "g0 8.5", "e0 8"], "1", "8.50"),
        ("10", &["c0! 9", "g0! 8.5", "e0 8"], "1", "8.00"),
        ("10", &["c0! 9", "c1 8"], "1", "8.00"),
        ("8", &["c0! 9"], "1", "8.00"),
        ("8", &["c0! 9", "g0 8.5"], "1", "8.50"),
        ("2", &["c0! 9", "e0 8.5"], "1", "8.50"),
        ("2", &["c0! 9", "e0 9.5"], "1", "9.00"),
        ("10", &["c0! 9", "g0? 5"], "1", "9.00"),
        ("10", &["c0! 9", "g0 100:5"], "10", "9.00"),
        ("10", &["c0! 9", "g0 100:5"], "100", "5.00"),
        ("10", &["g0! 9", "e0 8"], "1", "8.00"),
    ];
    assert!(table.len() >= 60);
    for (base, rules, quantity, price) in table {
        let base = (!base.is_empty()).then_some(*base);
        let answered = answer(base, &cases(rules), quantity, "2026-11-24");
        let answered = answered.price.map_or_else(|| "none".to_owned(), |price| price.to_string());
        assert_eq!(&answered, price, "{base:?} {rules:?} {quantity}");
    }
}

#[test]
fn promotions_earnings_and_floors() {
    #[rustfmt::skip]
    let table: &[([&str; 3], &[&str], &str, &str)] = &[
        // [base, earned, floor], rules, quantity, price
        // A promotion beats whatever else is for the same audience, and nothing of a narrower one.
        (["10", "", ""], &["e0 9", "e0+@2026 8"], "1", "8.00"),
        (["10", "", ""], &["e0 9", "e2+@2026 -20%"], "1", "7.20"),
        (["10", "", ""], &["e0 9", "e0+@2026 9.5"], "1", "9.50"),
        (["10", "", ""], &["e0 9", "e0+@2027 8"], "1", "9.00"),
        (["10", "", ""], &["c0 9", "e0+@2026 8"], "1", "9.00"),
        (["10", "", ""], &["c0! 9", "e0+@2026 8"], "1", "8.00"),
        (["10", "", ""], &["c0 -10%", "e0 9", "e0+@2026 1"], "1", "8.10"),
        (["10", "", ""], &["g0 9", "g0+@2026 10:8"], "9", "9.00"),
        (["10", "", ""], &["g0 9", "g0+@2026 10:8"], "10", "8.00"),
        (["10", "", ""], &["e0! 7", "e0+@2026 8"], "1", "8.00"),
        (["10", "", ""], &["e0! 7", "e0+!@2026 8"], "1", "7.00"),
        // What is earned comes off base prices and off those of agreements that allow it.
        (["10", "3", ""], &[], "1", "9.70"),
        (["10", "3", ""], &["c0 9"], "1", "9.00"),
        (["10", "3", ""], &["c0% 9"], "1", "8.73"),
        (["10", "2.5", ""], &["e0% -10%"], "1", "8.775"),
        (["0.0125", "50", ""], &[], "1", "0.0063"),
        (["10", "100", ""], &[], "1", "0.00"),
        (["", "3", ""], &[], "1", "none"),
        // Whoever yields, yields to what would really be paid.
        (["10", "20", ""], &["c0! 9", "e0% 10"], "1", "8.00"),
        (["10", "5", ""], &["c0! 9", "e0% 10"], "1", "9.00"),
        (["10", "20", ""], &["c0! 9"], "1", "8.00"),
        // What is off is off what is stated, whatever the company has earned.
        (["10", "20", ""], &["c0 -10%", "e0% 8"], "1", "7.20"),
        // Nothing is below the floor.
        (["10", "", "9.5"], &[], "1", "10.00"),
        (["10", "10", "9.5"], &[], "1", "9.50"),
        (["10", "", "9.5"], &["c0 9"], "1", "9.50"),
        (["10", "", "9.5"], &["c0 9 10:8"], "10", "9.50"),
        (["10", "", "9.5"], &["e0+@2026 1"], "1", "9.50"),
        (["10", "", "12"], &[], "1", "12.00"),
        (["", "", "12"], &[], "1", "none"),
    ];
    for ([base, earned, floor], rules, quantity, price) in table {
        let (audiences, cases) = (audiences(), cases(rules));
        let base = (!base.is_empty()).then_some(*base);
        let question = Question {
            earned: earned.parse().ok(),
            floor: floor.parse().ok(),
            ..question(&audiences, base, &cases, quantity, "2026-11-24")
        };
        let answered = resolve(&question);
        let shown = answered.price.map_or_else(|| "none".to_owned(), |price| price.to_string());
        assert_eq!(&shown, price, "{base:?} {earned} {floor} {rules:?} {quantity}");
        let first = steps(&question).first().map(|step| step.price);
        assert_eq!(first, answered.price);
        // The answer says what came off, and to what it was raised.
        if let Some(PricedBy::Base { earned, floor } | PricedBy::Rule { earned, floor, .. }) =
            answered.made_by
        {
            assert!(earned.is_none() || earned == question.earned);
            assert!(floor.is_none() || floor == answered.price);
        }
    }
}

#[test]
fn the_answer_says_what_became_of_every_rule() {
    let rules = cases(&["e0 9", "c1 8", "c0 20:5", "c9 7", "c0? 1", "g0@2027 2", "p0 3", "c1 8.5"]);
    let answered = answer(Some("10"), &rules, "10", "2026-11-24");
    let verdicts: Vec<(u128, Verdict)> =
        answered.considered.iter().map(|one| (one.agreement.0.as_u128(), one.verdict)).collect();
    assert_eq!(
        verdicts,
        [
            (3, Verdict::TooFew),
            (5, Verdict::NotActive),
            (2, Verdict::Won),
            (8, Verdict::NotTheLowest),
            (4, Verdict::LessSpecificSelection),
            (7, Verdict::LessSpecificAudience),
            (6, Verdict::OtherDays),
            (1, Verdict::LessSpecificAudience),
        ]
    );
    assert_eq!(answered.base.map(|base| base.to_string()).as_deref(), Some("9.00"));
    let made_by = PricedBy::Rule {
        agreement: AgreementId(Uuid::from_u128(2)),
        selection: Selection::Category { category: CategoryId(Uuid::from_u128(1)) },
        at_least: None,
        earned: None,
        floor: None,
    };
    assert_eq!(answered.made_by, Some(made_by));
    let yielded = answer(Some("8"), &cases(&["c0! 9"]), "1", "2026-11-24");
    assert_eq!(yielded.made_by, Some(PricedBy::Base { earned: None, floor: None }));
    assert_eq!(yielded.considered[0].verdict, Verdict::Yielded);
}

#[test]
fn rules_are_found_at_every_place() {
    let [one, two, three] = [1, 2, 3].map(|number| CategoryId(Uuid::from_u128(number)));
    let product = ProductId(Uuid::from_u128(9));
    let paths = [vec![one, three], vec![two, one]];
    let places = places(&audiences(), product, &paths, Currency::Pln);
    assert_eq!(places.len(), 4 * 5);
    let distances: Vec<(Selection, usize)> =
        places[..5].iter().map(|place| (place.subject.selection, place.distance)).collect();
    let category = |category| Selection::Category { category };
    assert_eq!(
        distances,
        [
            (Selection::Product { product }, 0),
            (category(one), 1),
            (category(two), 1),
            (category(three), 2),
            (Selection::Everything, usize::MAX),
        ]
    );
    assert_eq!(places[5].breadth, 1);
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    let breaks = "([0-9]{1,2}\\.[0-9]{2}|-[1-9][0-9]%|-0\\.[0-9]{2})( 10:[0-9]\\.[0-9]{2})?";
    let rule = format!("[cpge][0129][?!%]?(\\+@2026|@2026|@2027)? {breaks}");
    proptest::collection::vec(proptest::string::string_regex(&rule).unwrap(), 0..8)
}

proptest! {
    /// The order in which rules were made never matters.
    #[test]
    fn the_order_of_rules_does_not_matter(rules in rules(), rotation in 0_usize..8) {
        let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
        let mut turned = cases(&texts);
        let by = rotation % turned.len().max(1);
        turned.rotate_left(by);
        let straight = answer(Some("10"), &cases(&texts), "10", "2026-11-24");
        prop_assert_eq!(answer(Some("10"), &turned, "10", "2026-11-24"), straight);
    }

    /// One rule wins at most, it made the price, and a price is never below nothing.
    #[test]
    fn the_winner_made_the_price(rules in rules(), quantity in 1_u32..30) {
        let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
        let answered = answer(Some("10"), &cases(&texts), &quantity.to_string(), "2026-11-24");
        let won: Vec<&Considered> =
            answered.considered.iter().filter(|one| one.verdict == Verdict::Won).collect();
        prop_assert!(won.len() <= 1);
        prop_assert_eq!(answered.considered.len(), texts.len());
        match won.first() {
            Some(won) => prop_assert_eq!(answered.price, won.price),
            None => prop_assert_eq!(answered.made_by, Some(PricedBy::Base { earned: None, floor: None })),
        }
        prop_assert!(answered.price.is_some_and(|price| !price.amount().is_sign_negative()));
    }

    /// No price is below the floor, and where nothing yields, what is earned never makes one higher:
    /// whoever yields, yields to the nearest lower price and not to the lowest.
    #[test]
    fn no_price_is_below_the_floor(
        rules in rules(), quantity in 1_u32..30, floor in 1_u32..12, earned in 1_u32..100,
    ) {
        let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
        let (audiences, cases, quantity) = (audiences(), cases(&texts), quantity.to_string());
        let plain = question(&audiences, Some("10"), &cases, &quantity, "2026-11-24");
        let floor: UnitPrice = floor.to_string().parse().unwrap();
        let floored = Question { floor: Some(floor), ..plain.clone() };
        prop_assert!(resolve(&floored).price >= Some(floor));
        prop_assert!(steps(&floored).iter().all(|step| step.price >= floor));
        let earning = Question { earned: earned.to_string().parse().ok(), ..plain.clone() };
        let yielding = texts.iter().any(|rule| rule.contains('!'));
        prop_assert!(yielding || resolve(&earning).price <= resolve(&plain).price);
    }

    /// Where breaks only ever lower a price, more never costs more.
    #[test]
    fn prices_fall_where_all_breaks_fall(
        firsts in proptest::collection::btree_map("[cpge][0129]", 1_u32..20, 0..6),
    ) {
        let texts: Vec<String> = firsts
            .iter()
            .map(|(place, price)| format!("{place} {price} 5:{} 9:{}", price * 3 / 4, price / 2))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (audiences, cases) = (audiences(), cases(&texts));
        let steps = steps(&question(&audiences, Some("10"), &cases, "1", "2026-11-24"));
        prop_assert!(steps.windows(2).all(|two| two[0].price > two[1].price));
    }

    /// The steps say what every quantity costs.
    #[test]
    fn steps_say_what_every_quantity_costs(rules in rules(), least in 1_u32..5) {
        let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
        let cases = cases(&texts);
        let at = |quantity: u32| answer(Some("10"), &cases, &quantity.to_string(), "2026-11-24");
        let (audiences, first) = (audiences(), least.to_string());
        let steps = steps(&question(&audiences, Some("10"), &cases, &first, "2026-11-24"));
        for quantity in least..40 {
            let reached = |step: &&Step| step.at_least <= quantity.to_string().parse().unwrap();
            let step = steps.iter().rfind(reached);
            prop_assert_eq!(step.map(|step| step.price), at(quantity).price, "{}", quantity);
        }
        prop_assert!(steps.windows(2).all(|two| two[0].price != two[1].price));
    }

    /// What is less specific than the winner changes nothing, unless the winner yields or it is
    /// the base of what is off.
    #[test]
    fn a_less_specific_rule_changes_nothing(rules in rules(), price in "[0-9]\\.[0-9]{2}") {
        let mut texts = vec!["c0 7.77"];
        // A promotion for the company itself would win, and may yield.
        let wins = |rule: &&str| rule.starts_with("c0") || rule.starts_with('c') && rule.contains('+');
        texts.extend(rules.iter().map(String::as_str).filter(|rule| !wins(rule)));
        let before = answer(Some("10"), &cases(&texts), "10", "2026-11-24").price;
        let added = format!("g0 {price}");
        texts.push(&added);
        prop_assert_eq!(answer(Some("10"), &cases(&texts), "10", "2026-11-24").price, before);
    }

    /// Where the breaks of a list go down, so do the prices as quantities go up.
    #[test]
    fn prices_fall_where_the_list_does(steps in proptest::collection::vec(1_u32..50, 1..6)) {
        let mut price = Decimal::from(1_000);
        let mut text = "e0 1000.00".to_owned();
        for (step, off) in (1..).zip(&steps) {
            price -= Decimal::from(*off);
            write!(text, " {}:{price}", step * 10).unwrap();
        }
        let rule = cases(&[&text]);
        let at = |quantity: usize| {
            answer(None, &rule, &quantity.to_string(), "2026-11-24").price.unwrap()
        };
        prop_assert!((1..70).all(|quantity| at(quantity + 1) <= at(quantity)));
    }
}
