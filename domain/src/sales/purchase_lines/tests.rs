//! Quantities of lines over any history.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn wanted(product: u128, quantity: &str, note: Option<&str>) -> Wanted {
    Wanted {
        product: ProductId(Uuid::from_u128(product)),
        sku: format!("P-{product}").parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        packaging: None,
        note: note.map(|note| note.parse().unwrap()),
        packing: Packing::default(),
        prices: vec![],
    }
}

fn by_six(product: u128, quantity: &str) -> Wanted {
    let packing = Packing {
        packagings: vec![],
        minimum: Some("12".parse().unwrap()),
        multiple: Some("6".parse().unwrap()),
    };
    Wanted { packing, ..wanted(product, quantity, None) }
}

fn apply(lines: &mut PurchaseLines, changes: Changes) {
    lines.put(changes.added);
    lines.put(changes.changed);
}

fn added(lines: &mut PurchaseLines, wanted: Vec<Wanted>) {
    let changes = lines.add(wanted, Mode::Add).unwrap();
    apply(lines, changes);
}

/// Lines as `number product quantity`.
fn shown(lines: &PurchaseLines) -> Vec<String> {
    let shown = |line: &PurchaseLine| {
        format!("{} {} {}", line.line, line.product.0.as_u128(), line.quantity)
    };
    lines.iter().map(shown).collect()
}

#[test]
fn one_product_with_one_note_is_one_line() {
    let mut lines = PurchaseLines::default();
    added(&mut lines, vec![wanted(1, "2", None), wanted(2, "1", None), wanted(1, "3", None)]);
    assert_eq!(shown(&lines), ["1 1 5", "2 2 1"]);
    added(&mut lines, vec![wanted(1, "1", None), wanted(1, "1", Some("Kuchnia"))]);
    assert_eq!(shown(&lines), ["1 1 6", "2 2 1", "3 1 1"]);
    let changes = lines.add(vec![wanted(1, "4", None)], Mode::Replace).unwrap();
    apply(&mut lines, changes);
    assert_eq!(shown(&lines), ["1 1 4", "2 2 1", "3 1 1"]);
}

#[test]
fn a_sum_is_rounded_up_once() {
    let mut lines = PurchaseLines::default();
    added(&mut lines, vec![by_six(1, "3"), by_six(1, "3")]);
    assert_eq!(shown(&lines), ["1 1 12"]);
    added(&mut lines, vec![by_six(1, "1"), by_six(1, "5")]);
    assert_eq!(shown(&lines), ["1 1 18"]);
    added(&mut lines, vec![by_six(1, "1")]);
    assert_eq!(shown(&lines), ["1 1 24"]);
}

#[test]
fn a_line_keeps_the_price_that_was_seen() {
    let step = |at_least: &str, price: &str| Step {
        at_least: at_least.parse().unwrap(),
        price: price.parse().unwrap(),
    };
    let prices = vec![step("1", "10"), step("10", "9")];
    let mut lines = PurchaseLines::default();
    added(&mut lines, vec![Wanted { prices: prices.clone(), ..wanted(1, "9", None) }]);
    assert_eq!(lines.line(1).unwrap().unit_price.unwrap().to_string(), "10.00");
    added(&mut lines, vec![Wanted { prices, ..wanted(1, "1", None) }]);
    assert_eq!(lines.line(1).unwrap().unit_price.unwrap().to_string(), "9.00");
}

#[test]
fn numbers_are_never_used_again() {
    let mut lines = PurchaseLines::default();
    added(&mut lines, vec![wanted(1, "1", None), wanted(2, "1", None)]);
    assert_eq!(lines.present(&[2, 2, 7]), [2]);
    lines.take_out(&[2]);
    added(&mut lines, vec![wanted(2, "1", None)]);
    assert_eq!(shown(&lines), ["1 1 1", "3 2 1"]);
    lines.clear();
    added(&mut lines, vec![wanted(2, "1", None)]);
    assert_eq!(shown(&lines), ["4 2 1"]);
}

#[test]
fn lines_are_changed_by_their_numbers() {
    let mut lines = PurchaseLines::default();
    added(&mut lines, vec![wanted(1, "1", None), wanted(2, "1", None)]);
    let change = |changes: Vec<(u32, Wanted)>| lines.change(changes);
    assert_eq!(change(vec![(1, wanted(1, "1", None))]), Ok(vec![]));
    let changed = change(vec![(1, wanted(1, "5", None))]).unwrap();
    assert_eq!(changed[0].quantity.to_string(), "5");
    assert_eq!(change(vec![(3, wanted(1, "5", None))]), Err(Error::NoSuchLine { line: 3 }));
    assert_eq!(change(vec![(2, wanted(1, "5", None))]), Err(Error::OtherProduct { line: 2 }));
    let twice = vec![(1, wanted(1, "5", None)), (1, wanted(1, "6", None))];
    assert_eq!(change(twice), Err(Error::LineTwice { line: 1 }));
}

#[test]
fn there_are_five_thousand_lines_at_most() {
    let many = |count: u128| (0..count).map(|product| wanted(product, "1", None)).collect();
    let mut lines = PurchaseLines::default();
    assert_eq!(lines.add(many(5_001), Mode::Add), Err(Error::TooManyLines));
    added(&mut lines, many(5_000));
    assert_eq!(lines.add(vec![wanted(9_999, "1", None)], Mode::Add), Err(Error::TooManyLines));
    added(&mut lines, many(5_000));
    assert!(lines.iter().all(|line| line.quantity.to_string() == "2"));
    let parts = PurchaseLines::parts(lines.iter().cloned().collect());
    assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 5_000);
    assert!(parts.iter().all(|part| part.len() == PurchaseLines::MOST_OF_AN_EVENT));
}

#[test]
fn a_sum_has_a_limit() {
    let mut lines = PurchaseLines::default();
    added(&mut lines, vec![wanted(1, "1000000000", None)]);
    let refused = lines.add(vec![wanted(1, "1", None)], Mode::Add);
    assert_eq!(refused, Err(Error::Quantity(QuantityError::Range)));
}

proptest! {
    /// However it is spread over commands and rows, of each product there is what was added.
    #[test]
    fn nothing_that_is_added_is_lost(
        commands in prop::collection::vec(
            prop::collection::vec((0_u128..5, 1_u32..1_000), 0..20), 0..10),
    ) {
        let mut lines = PurchaseLines::default();
        let mut sums: BTreeMap<u128, Decimal> = BTreeMap::new();
        for command in commands {
            for (product, quantity) in &command {
                *sums.entry(*product).or_default() += Decimal::from(*quantity);
            }
            let rows = command.iter();
            let rows = rows.map(|(product, quantity)| wanted(*product, &quantity.to_string(), None));
            added(&mut lines, rows.collect());
        }
        let found: BTreeMap<u128, Decimal> = lines
            .iter()
            .map(|line| (line.product.0.as_u128(), line.quantity.units()))
            .collect();
        prop_assert_eq!(found.len(), lines.len(), "each product has one line");
        prop_assert_eq!(found, sums);
    }

    /// What stands in a line is always a quantity that is ordered, and never less than was asked.
    #[test]
    fn lines_have_quantities_that_are_ordered(
        rows in prop::collection::vec((0_u128..3, 1_u32..100), 1..40),
    ) {
        let mut lines = PurchaseLines::default();
        let mut asked: BTreeMap<u128, Decimal> = BTreeMap::new();
        for (product, quantity) in rows {
            *asked.entry(product).or_default() += Decimal::from(quantity);
            added(&mut lines, vec![by_six(product, &quantity.to_string())]);
        }
        for line in lines.iter() {
            prop_assert!((line.quantity.units() % Decimal::from(6)).is_zero());
            prop_assert!(line.quantity.units() >= asked[&line.product.0.as_u128()]);
            prop_assert!(line.quantity.units() >= Decimal::from(12));
        }
    }
}
