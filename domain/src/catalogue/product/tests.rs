//! Every transition and refusal of a product.

use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{answer, day},
    kernel::PricedBy,
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Product>(given, when), then);
}

fn id() -> ProductId {
    ProductId(Uuid::from_u128(0x9))
}

fn description() -> Description {
    Description {
        sku: "HK-1".parse().unwrap(),
        name: "Kawa".parse().unwrap(),
        gtin: None,
        unit: Unit::Piece,
        vat_rate: VatRate::Basic,
    }
}

fn drafted() -> Event {
    Event::Drafted { id: id(), description: description() }
}

fn price(price: &str) -> Command {
    Command::Price { currency: Currency::Pln, price: price.parse().unwrap() }
}

fn priced(price: &str) -> Event {
    Event::Priced { currency: Currency::Pln, price: price.parse().unwrap() }
}

const PUBLISHED: Event = Event::Published {};
const WITHDRAWN: Event = Event::Withdrawn { successor: None };
const WITHDRAW: Command = Command::Withdraw { successor: None };

#[test]
fn is_published_with_a_price() {
    let draft = Command::Draft { id: id(), description: description() };
    check(&[], draft.clone(), Ok(vec![drafted()]));
    check(&[drafted()], draft, Err(Error::AlreadyDrafted));
    check(&[drafted()], Command::Publish, Err(Error::NoPrice));
    check(&[drafted(), priced("2.00")], Command::Publish, Ok(vec![PUBLISHED]));
    check(&[drafted(), priced("2.00"), PUBLISHED], Command::Publish, Ok(vec![]));
    check(&[drafted(), priced("2.00")], price("2.00"), Ok(vec![]));
    check(&[drafted(), priced("2.00")], price("2.10"), Ok(vec![priced("2.10")]));
    for command in [price("2.00"), Command::Publish, WITHDRAW] {
        check(&[], command, Err(Error::Undrafted));
    }
}

#[test]
fn stays_withdrawn() {
    let given = [drafted(), priced("2.00"), PUBLISHED, WITHDRAWN];
    check(&given[..3], WITHDRAW, Ok(vec![WITHDRAWN]));
    check(&given, WITHDRAW, Ok(vec![]));
    check(&given, Command::Publish, Err(Error::Withdrawn));
    check(&given, price("3.00"), Err(Error::Withdrawn));
}

#[test]
fn is_sold_at_the_agreed_or_the_base_price() {
    let sell = |given: &[Event], quantity: &str, agreed: Option<&str>| {
        let product = given.iter().cloned().fold(Product::default(), Product::evolve);
        let quantity = quantity.parse().unwrap();
        let base = || {
            Some((
                product.item().ok()?.base_price(Currency::Pln)?,
                PricedBy::Base { earned: None, floor: None },
            ))
        };
        let agreed =
            agreed.map(|price| (price.parse().unwrap(), PricedBy::Agreed {})).or_else(base);
        product
            .on_sale()
            .and_then(|item| item.line(quantity, Currency::Pln, agreed, day("2026-11-24")))
            .map(|line| line.unit_price.to_string())
    };
    let sku = || "HK-1".parse::<Sku>().unwrap();
    let published = [drafted(), priced("2.00"), PUBLISHED];
    assert_eq!(sell(&published, "3", None), Ok("2.00".to_owned()));
    assert_eq!(sell(&published, "3", Some("1.5")), Ok("1.50".to_owned()));
    assert_eq!(sell(&published, "0.5", None), Err(Error::Indivisible { sku: sku() }));
    assert_eq!(sell(&published[..2], "3", None), Err(Error::NotPublished { sku: sku() }));
    assert_eq!(sell(&[], "3", None), Err(Error::Undrafted));
    let product = published.into_iter().fold(Product::default(), Product::evolve);
    let missing = Error::NoPriceIn { sku: sku(), currency: Currency::Eur };
    let sold = product.item().unwrap().line(quantity("1"), Currency::Eur, None, day("2026-11-24"));
    assert_eq!(sold.map(|line| line.unit_price), Err(missing));
}

fn another(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(number))
}

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

/// It happens, once.
#[track_caller]
fn happens(given: &[Event], when: Command, event: Event) {
    check(given, when.clone(), Ok(vec![event.clone()]));
    check(&[given, &[event]].concat(), when, Ok(vec![]));
}

#[test]
fn its_details_change_at_any_time() {
    let english: Language = "en".parse().unwrap();
    let naming = Naming {
        name: "Kawa ziarnista".parse().unwrap(),
        translations: [(english.clone(), "Coffee beans".parse().unwrap())].into(),
    };
    let texts: BTreeMap<Language, Text> = [(english, "Beans.\nRoasted.".parse().unwrap())].into();
    let character = Character { brand: Some("Tomasz".parse().unwrap()), ..Character::default() };
    let classification = Classification {
        pkwiu: Some("10.83.11.0".parse().unwrap()),
        cn: Some("09012100".parse().unwrap()),
        annex_15: true,
    };
    let images: Vec<ImageUrl> = vec!["https://img.example/1.jpg".parse().unwrap()];
    let categories = vec![CategoryId(Uuid::from_u128(1)), CategoryId(Uuid::from_u128(2))];
    let packing = Packing { minimum: Some(quantity("6")), ..Packing::default() };
    let parts = vec![Part { product: another(1), quantity: quantity("2") }];
    let from = day("2027-01-01");
    let changes = [
        (Command::Rename(naming.clone()), Event::Renamed(naming)),
        (Command::Describe { texts: texts.clone() }, Event::Described { texts }),
        (Command::Characterize(character.clone()), Event::Characterized(character)),
        (Command::Categorize { categories: categories.clone() }, Event::Categorized { categories }),
        (Command::Pack(packing.clone()), Event::Packed(packing)),
        (
            Command::ChangeVatRate { from, vat_rate: VatRate::Reduced },
            Event::VatRateChanged { from, vat_rate: VatRate::Reduced },
        ),
        (Command::Classify(classification.clone()), Event::Classified(classification)),
        (Command::Picture { images: images.clone() }, Event::Pictured { images }),
        (
            Command::Substitute { substitutes: vec![another(1)] },
            Event::Substituted { substitutes: vec![another(1)] },
        ),
        (Command::Bundle { parts: parts.clone() }, Event::Bundled { parts }),
    ];
    for (command, event) in changes {
        for given in [vec![drafted()], vec![drafted(), priced("2.00"), PUBLISHED, WITHDRAWN]] {
            happens(&given, command.clone(), event.clone());
        }
        check(&[], command, Err(Error::Undrafted));
    }
}

#[test]
fn is_replaced_by_another() {
    let given = [drafted(), priced("2.00"), PUBLISHED];
    let withdraw = |number| Command::Withdraw { successor: Some(another(number)) };
    let event = |number| Event::Withdrawn { successor: Some(another(number)) };
    happens(&given, withdraw(1), event(1));
    let withdrawn = [&given[..], &[WITHDRAWN]].concat();
    check(&withdrawn, withdraw(1), Ok(vec![event(1)]));
    check(&given, withdraw(9), Err(Error::Itself));
    let itself = vec![id()];
    check(&given, Command::Substitute { substitutes: itself }, Err(Error::Itself));
    let part = Part { product: id(), quantity: quantity("1") };
    check(&given, Command::Bundle { parts: vec![part] }, Err(Error::Itself));
    let twice = vec![another(1), another(1)];
    let refused = Err(Error::Twice { what: "substitutes" });
    check(&given, Command::Substitute { substitutes: twice }, refused);
    let images = (0..31).map(|number| format!("https://i.example/{number}").parse().unwrap());
    let refused = Err(Error::TooMany { what: "images", most: 30 });
    check(&given, Command::Picture { images: images.collect() }, refused);
}

fn packed(minimum: Option<&str>, multiple: Option<&str>) -> Packing {
    Packing {
        packagings: vec![details::Packaging {
            name: PackagingName::Carton,
            holds: quantity("12"),
            gtin: None,
        }],
        minimum: minimum.map(quantity),
        multiple: multiple.map(quantity),
    }
}

/// Which quantities are ordered, and what is nearest when this one is not.
#[test]
fn is_ordered_from_a_minimum_in_multiples() {
    for (minimum, multiple, wanted, then) in [
        (None, None, "1", Ok(())),
        (Some("6"), None, "6", Ok(())),
        (Some("6"), None, "7", Ok(())),
        (Some("6"), None, "5", Err((None, "6"))),
        (None, Some("12"), "24", Ok(())),
        (None, Some("12"), "5", Err((None, "12"))),
        (None, Some("12"), "25", Err((Some("24"), "36"))),
        (Some("24"), Some("12"), "12", Err((None, "24"))),
        (Some("24"), Some("12"), "30", Err((Some("24"), "36"))),
        (Some("24"), Some("12"), "36", Ok(())),
    ] {
        let given = [drafted(), Event::Packed(packed(minimum, multiple))];
        let product = given.into_iter().fold(Product::default(), Product::evolve);
        let then = then.map_err(|(below, above): (Option<&str>, _)| Error::QuantityNotOrdered {
            sku: "HK-1".parse().unwrap(),
            below: below.map(quantity),
            above: quantity(above),
        });
        let answer = product.item().unwrap().can_be_ordered(quantity(wanted));
        assert_eq!(answer, then, "{minimum:?} {multiple:?} {wanted}");
    }
    let wrong = packed(Some("13"), Some("12"));
    check(&[drafted()], Command::Pack(wrong), Err(Error::MinimumIsNoMultiple));
    let mut twice = packed(None, None);
    twice.packagings.push(twice.packagings[0].clone());
    check(&[drafted()], Command::Pack(twice), Err(Error::PackagingTwice));
}

#[test]
fn is_unpacked_exactly() {
    let given = [drafted(), Event::Packed(packed(None, None))];
    let product = given.into_iter().fold(Product::default(), Product::evolve);
    let item = product.item().unwrap();
    assert_eq!(item.unpacked(quantity("2.5"), PackagingName::Carton), Ok(quantity("30")));
    let refused = Error::NotPackedSo { sku: item.sku().clone(), packaging: PackagingName::Pallet };
    assert_eq!(item.unpacked(quantity("1"), PackagingName::Pallet), Err(refused));
    assert!(item.unpacked(quantity("1000000000"), PackagingName::Carton).is_err());
}

#[test]
fn is_taxed_at_the_rate_of_the_day() {
    let changed = |on: &str, vat_rate| Event::VatRateChanged { from: day(on), vat_rate };
    let given = [
        drafted(),
        changed("2027-01-01", VatRate::Reduced),
        changed("2028-01-01", VatRate::SuperReduced),
    ];
    let product = given.into_iter().fold(Product::default(), Product::evolve);
    for (on, rate) in [
        ("2026-12-31", VatRate::Basic),
        ("2027-01-01", VatRate::Reduced),
        ("2027-12-31", VatRate::Reduced),
        ("2028-01-01", VatRate::SuperReduced),
    ] {
        assert_eq!(product.item().unwrap().vat_rate(day(on)), rate, "{on}");
    }
}

#[test]
fn codes_are_spelled_like_codes() {
    for (text, is_right) in [
        ("10.83.11.0", true),
        ("10", true),
        ("01.1", true),
        ("1.83", false),
        ("10.", false),
        ("10.83.11.0.1", false),
        ("10.83.11.00", false),
    ] {
        assert_eq!(text.parse::<details::Pkwiu>().is_ok(), is_right, "{text}");
    }
    assert!("0901210".parse::<details::CnCode>().is_err());
    for text in ["http://img.example/1.jpg", "https://", "https://a b", "javascript:alert(1)"] {
        assert!(text.parse::<ImageUrl>().is_err(), "{text}");
    }
    for text in ["1.5", "-20", "0.000001"] {
        assert!(details::Measure::try_from(text.to_owned()).is_ok(), "{text}");
    }
    for text in ["1e3", "0.0000001", "1000000000000", ""] {
        assert!(details::Measure::try_from(text.to_owned()).is_err(), "{text}");
    }
}
