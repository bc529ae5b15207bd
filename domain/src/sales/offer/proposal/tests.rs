//! What can be ordered of a proposal, at which prices.

use proptest::prelude::*;

use super::*;
use crate::{
    fixtures::{line, pln, proposal as with},
    kernel::VatRate,
};

fn offered(quantity: &str, price: &str) -> OfferedLine {
    OfferedLine::plain(line(quantity, price, VatRate::Basic))
}

/// Ten coffees needed, another kind instead, rice optional, with prices for larger quantities.
fn proposal() -> Proposal {
    let instead = OfferedLine { choice: Choice::Alternative { to: 1 }, ..offered("10", "3.00") };
    let at_least = |quantity: &str, price: &str| Break {
        at_least: quantity.parse().unwrap(),
        unit_price: price.parse().unwrap(),
    };
    let optional = OfferedLine {
        choice: Choice::Optional,
        breaks: vec![at_least("5", "1.20"), at_least("50", "0.80")],
        at_most: Some("5000".parse().unwrap()),
        ..offered("20", "1.00")
    };
    with(vec![offered("10", "2.00"), instead, optional])
}

fn chosen(line: u32, quantity: Option<&str>) -> Chosen {
    Chosen { line, quantity: quantity.map(|quantity| quantity.parse().unwrap()) }
}

#[track_caller]
fn check(proposal: &Proposal, chosen: &[Chosen], then: Result<&[(&str, &str)], Error>) {
    let lines = proposal.choose(Some(chosen)).map(|lines| {
        let shown = |line: &Line| (line.quantity.to_string(), line.unit_price.to_string());
        lines.iter().map(shown).collect::<Vec<_>>()
    });
    let then = then.map(|lines| {
        lines.iter().map(|(of, at)| ((*of).to_owned(), (*at).to_owned())).collect::<Vec<_>>()
    });
    assert_eq!(lines, then);
}

#[test]
fn is_taken_as_it_stands_or_by_lines() {
    let whole = proposal().choose(None).unwrap();
    assert_eq!(whole.len(), 1, "what is optional, or instead of something, is left");
    check(&proposal(), &[chosen(1, None)], Ok(&[("10", "2.00")]));
    check(&proposal(), &[chosen(2, None)], Ok(&[("10", "3.00")]));
    check(&proposal(), &[chosen(2, None), chosen(3, None)], Ok(&[("10", "3.00"), ("20", "1.00")]));
    check(&proposal(), &[chosen(1, None), chosen(2, None)], Err(Error::ChosenTwice { line: 1 }));
    check(&proposal(), &[chosen(3, None)], Err(Error::LineNeeded { line: 1 }));
    check(&proposal(), &[chosen(9, None)], Err(Error::NoSuchLine { line: 9 }));
    check(&proposal(), &[chosen(0, None)], Err(Error::NoSuchLine { line: 0 }));
    let divisible = Proposal { divisible: true, ..proposal() };
    check(&divisible, &[chosen(3, None)], Ok(&[("20", "1.00")]));
    check(&divisible, &[], Err(Error::NothingChosen));
    let nothing_needed =
        with(vec![OfferedLine { choice: Choice::Optional, ..offered("1", "1.00") }]);
    assert_eq!(nothing_needed.choose(None), Err(Error::NothingChosen));
}

#[test]
fn what_was_ordered_is_traced_to_its_lines() {
    let divisible = Proposal { divisible: true, ..proposal() };
    for (taken, numbers, in_part) in [
        (vec![chosen(1, None)], vec![1], false),
        (vec![chosen(3, Some("50")), chosen(2, None)], vec![2, 3], false),
        (vec![chosen(3, Some("5"))], vec![3], true),
    ] {
        let ordered = divisible.choose(Some(&taken)).unwrap();
        let traced: Vec<u32> =
            divisible.traced(&ordered).into_iter().map(|(number, _)| number).collect();
        assert_eq!(divisible.is_left_in_part(traced.iter().copied()), in_part, "{taken:?}");
        assert_eq!(traced, numbers);
    }
    // Two lines alike are each ordered once.
    let twice = with(vec![offered("10", "2.00"), offered("10", "2.00")]);
    let ordered = twice.choose(None).unwrap();
    assert_eq!(twice.traced(&ordered).len(), 2);
}

#[test]
fn other_quantities_have_prices_of_their_own() {
    let divisible = Proposal { divisible: true, ..proposal() };
    for (quantity, then) in [
        ("4", Err(Error::QuantityNotOffered { line: 3 })),
        ("5", Ok("1.20")),
        ("19", Ok("1.20")),
        ("20", Ok("1.00")),
        ("49", Ok("1.00")),
        ("50", Ok("0.80")),
        ("5000", Ok("0.80")),
        ("5001", Err(Error::QuantityNotOffered { line: 3 })),
    ] {
        let then = then.map(|price| [(quantity, price)]);
        let then = then.as_ref().map(<[_; 1]>::as_slice).map_err(Clone::clone);
        check(&divisible, &[chosen(3, Some(quantity))], then);
    }
    let more = Err(Error::QuantityNotOffered { line: 1 });
    check(&proposal(), &[chosen(1, Some("11"))], more);
    check(&proposal(), &[chosen(1, Some("10"))], Ok(&[("10", "2.00")]));
}

#[test]
fn says_what_it_comes_to() {
    assert_eq!(proposal().net(), Ok(pln("20.00")));
    // Ten at 3.00 instead, and five thousand at 0.80 if wanted.
    assert_eq!(proposal().most_net(), Ok(pln("4030.00")));
}

#[test]
fn the_most_may_be_less_than_the_largest_quantity() {
    let most = |breaks: &[(&str, &str)], at_most: Option<&str>| {
        let breaks = breaks.iter().map(|(at_least, price)| Break {
            at_least: at_least.parse().unwrap(),
            unit_price: price.parse().unwrap(),
        });
        let at_most = at_most.map(|most| most.parse().unwrap());
        let line = OfferedLine { breaks: breaks.collect(), at_most, ..offered("10", "2.00") };
        with(vec![line]).most_net().unwrap()
    };
    assert_eq!(most(&[], None), pln("20.00"));
    assert_eq!(most(&[], Some("30")), pln("60.00"));
    // A hair less than a hundred at 2.00 is more than a hundred at 1.50.
    assert_eq!(most(&[("100", "1.50")], Some("100")), pln("200.00"));
    assert_eq!(most(&[("100", "1.50")], Some("200")), pln("300.00"));
    assert_eq!(most(&[("5", "3.00")], Some("10")), pln("30.00"));
}

#[test]
fn nothing_stands_in_for_nothing() {
    let to = |to| OfferedLine { choice: Choice::Alternative { to }, ..offered("1", "1.00") };
    assert_eq!(proposal().checked(), Ok(()));
    for wrong in [0, 2, 3, 9] {
        let proposal = with(vec![offered("1", "1.00"), to(wrong), to(1)]);
        assert_eq!(proposal.checked(), Err(Error::AlternativeToNothing { line: 2 }), "{wrong}");
    }
}

#[test]
fn breaks_go_up() {
    let sku = || "HK-1".parse().unwrap();
    let at = |quantities: &[&str]| {
        let breaks = quantities
            .iter()
            .map(|q| Break { at_least: q.parse().unwrap(), unit_price: "1".parse().unwrap() })
            .collect();
        let at_most = Some("1000".parse().unwrap());
        with(vec![OfferedLine { breaks, at_most, ..offered("10", "2.00") }]).checked()
    };
    assert_eq!(at(&["5", "20"]), Ok(()));
    for wrong in [&["20", "5"][..], &["20", "20"], &["5", "10"]] {
        assert_eq!(at(wrong), Err(Error::BreaksNotInOrder { sku: sku() }), "{wrong:?}");
    }
    let many: Vec<String> = (11..40).map(|quantity| quantity.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(at(&many), Err(Error::TooManyBreaks { sku: sku() }));
    let up_to = |breaks: &[&str], at_most: Option<&str>| {
        let breaks = breaks
            .iter()
            .map(|q| Break { at_least: q.parse().unwrap(), unit_price: "1".parse().unwrap() })
            .collect();
        let at_most = at_most.map(|most| most.parse().unwrap());
        with(vec![OfferedLine { breaks, at_most, ..offered("10", "2.00") }]).checked()
    };
    assert_eq!(up_to(&[], Some("10")), Ok(()));
    assert_eq!(up_to(&["20"], Some("20")), Ok(()));
    let needed = || Err(Error::LargestQuantityNeeded { sku: sku() });
    assert_eq!(up_to(&["20"], Some("19")), needed());
    assert_eq!(up_to(&["5"], Some("9")), needed());
    assert_eq!(up_to(&["20"], None), needed());
}

#[test]
fn discounts_come_off_one_another_and_are_rounded_once() {
    let off = |price: &str, discounts: &[&str]| {
        let discounts = discounts.iter().map(|percent| percent.parse().unwrap());
        discounted(price.parse().unwrap(), discounts).to_string()
    };
    assert_eq!(off("10.00", &[]), "10.00");
    assert_eq!(off("10.00", &["10"]), "9.00");
    assert_eq!(off("10.00", &["10", "10"]), "8.10");
    // 0.0125 × 0.9 = 0.01125; rounded after each step it would be 0.0102.
    assert_eq!(off("0.0125", &["10"]), "0.0113");
    assert_eq!(off("0.0125", &["10", "10"]), "0.0101");
    assert_eq!(off("10.00", &["100", "5"]), "0.00");
}

#[test]
fn says_what_is_saved() {
    let listed = |price: &str, line: OfferedLine| OfferedLine {
        listed: Some(price.parse().unwrap()),
        ..line
    };
    // 3 × 0.335 is 1.01, 3 × 0.30 is 0.90; dearer than the list, optional, without a list.
    let optional = OfferedLine { choice: Choice::Optional, ..offered("10", "1.00") };
    let proposal = with(vec![
        listed("0.335", offered("3", "0.30")),
        listed("2.00", offered("10", "1.50")),
        listed("1.00", offered("10", "1.20")),
        listed("9.00", optional),
        offered("1", "5.00"),
    ]);
    assert_eq!(proposal.saved(), Ok(pln("5.11")));
    assert_eq!(proposal.totals().map(|totals| totals.gross), Ok(pln("40.47")));
}

#[test]
fn discounts_are_said_where_they_made_the_price() {
    let percent = |text: &str| text.parse::<Percent>().unwrap();
    let line = OfferedLine {
        listed: Some("10.00".parse().unwrap()),
        discount: Some(percent("10")),
        ..offered("1", "9.00")
    };
    assert_eq!(line.discounts(None), [percent("10")]);
    assert_eq!(line.discounts(Some(percent("5"))), [], "9.00 is no longer what they make");
    let both = OfferedLine { line: offered("1", "8.55").line, ..line.clone() };
    assert_eq!(both.discounts(Some(percent("5"))), [percent("10"), percent("5")]);
    let unlisted = OfferedLine { listed: None, ..line };
    assert_eq!(unlisted.discounts(None), []);
}

proptest! {
    /// Whatever is chosen, nothing is ordered but lines of the offer, at prices of the offer.
    #[test]
    fn only_what_is_offered_is_ordered(
        picks in proptest::collection::vec((0_u32..5, proptest::option::of(1_u32..80)), 0..5),
        divisible in any::<bool>(),
    ) {
        let proposal = Proposal { divisible, ..proposal() };
        let picks: Vec<Chosen> = picks
            .into_iter()
            .map(|(line, of)| chosen(line, of.map(|of| of.to_string()).as_deref()))
            .collect();
        if let Ok(lines) = proposal.choose(Some(&picks)) {
            prop_assert_eq!(lines.len(), picks.len());
            for (line, pick) in lines.iter().zip(&picks) {
                let offered = proposal.lines.line(pick.line).unwrap();
                let prices: Vec<UnitPrice> = offered.breaks.iter().map(|b| b.unit_price)
                    .chain([offered.line.unit_price]).collect();
                prop_assert!(prices.contains(&line.unit_price));
                prop_assert_eq!(line.product, offered.line.product);
            }
        }
    }
}
