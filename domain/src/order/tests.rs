//! Every transition and refusal of an order, and its sums however it is split.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::fixtures::{TERM, answer, company, day, lines};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Order>(given, when), then);
}

fn terms() -> Terms {
    Terms {
        company: company(),
        currency: Currency::Pln,
        lines: lines(),
        payment_term: TERM,
        source: Source::Direct,
        reference: None,
    }
}

fn placed() -> Event {
    Event::Placed { terms: terms(), on: day("2026-03-01") }
}

fn place() -> Command {
    Command::Place { terms: terms(), on: day("2026-03-01") }
}

fn cancel() -> Command {
    Command::Cancel { reason: None }
}

fn cancelled() -> Event {
    Event::Cancelled { reason: None }
}

fn shipment() -> ShipmentId {
    ShipmentId(Uuid::from_u128(0x5))
}

fn item(line: u32, quantity: &str) -> Item {
    Item { line, quantity: quantity.parse().unwrap() }
}

fn ship(items: &[Item]) -> Command {
    Command::Ship { shipment: shipment(), items: Some(items.to_vec()) }
}

fn part_shipped(items: &[Item]) -> Event {
    Event::PartShipped { shipment: shipment(), items: items.to_vec() }
}

fn shipped(items: &[Item]) -> Event {
    Event::Shipped { shipment: shipment(), items: items.to_vec() }
}

const CONFIRMED: Event = Event::Confirmed {};

#[test]
fn is_placed_confirmed_and_cancelled() {
    check(&[], place(), Ok(vec![placed()]));
    check(&[placed()], place(), Err(Error::AlreadyPlaced));
    check(&[], Command::Confirm, Err(Error::Unplaced));
    check(&[placed()], Command::Confirm, Ok(vec![CONFIRMED]));
    check(&[placed(), CONFIRMED], Command::Confirm, Ok(vec![]));
    check(&[placed(), cancelled()], Command::Confirm, Err(Error::Cancelled));
    check(&[], cancel(), Err(Error::Unplaced));
    check(&[placed()], cancel(), Ok(vec![cancelled()]));
    check(&[placed(), CONFIRMED], cancel(), Ok(vec![cancelled()]));
    check(&[placed(), cancelled()], cancel(), Ok(vec![]));
}

#[test]
fn is_placed_on_a_day_of_trade() {
    let place = Command::Place { terms: terms(), on: day("-009999-01-01") };
    check(&[], place, Err(Error::Day(DayError)));
}

#[test]
fn ships_no_more_than_was_ordered() {
    let all = [item(1, "10"), item(2, "5")];
    let confirmed = [placed(), CONFIRMED];
    check(&[placed()], ship(&all), Err(Error::NotConfirmed));
    check(&[], ship(&all), Err(Error::Unplaced));
    check(&confirmed, ship(&all), Ok(vec![shipped(&all)]));
    check(&confirmed, ship(&[]), Err(Error::NoItems));
    check(&confirmed, ship(&[item(3, "1")]), Err(Error::NothingOutstanding { line: 3 }));
    check(&confirmed, ship(&[item(0, "1")]), Err(Error::NothingOutstanding { line: 0 }));
    let outstanding = "10".parse().unwrap();
    check(&confirmed, ship(&[item(1, "10.5")]), Err(Error::TooMuch { line: 1, outstanding }));
    let outstanding = "4".parse().unwrap();
    let twice = [item(1, "6"), item(1, "6")];
    check(&confirmed, ship(&twice), Err(Error::TooMuch { line: 1, outstanding }));
}

#[test]
fn ships_what_is_outstanding_when_nothing_is_named() {
    let rest = Command::Ship { shipment: shipment(), items: None };
    let some = [item(1, "4"), item(2, "5")];
    let given = [placed(), CONFIRMED, part_shipped(&some)];
    check(&[placed(), CONFIRMED], ship(&some), Ok(vec![part_shipped(&some)]));
    check(&given, rest.clone(), Ok(vec![shipped(&[item(1, "6")])]));
    check(&given, ship(&[item(2, "1")]), Err(Error::NothingOutstanding { line: 2 }));
    check(&given, cancel(), Err(Error::GoodsLeft));
    let done = [placed(), CONFIRMED, part_shipped(&some), shipped(&[item(1, "6")])];
    check(&done, rest, Err(Error::AlreadyShipped));
    check(&done, cancel(), Err(Error::AlreadyShipped));
    check(&done, Command::Confirm, Ok(vec![]));
}

proptest! {
    /// Whatever leaves in which order, no line ships more than was ordered, and the order is
    /// shipped exactly when nothing is outstanding.
    #[test]
    fn adds_up_however_it_is_split(parts in prop::collection::vec((1_u32..=2, 1_u32..=7), 1..12)) {
        let mut order = Order::default().evolve(placed()).evolve(CONFIRMED);
        let mut left = BTreeMap::from([(1, 10_u32), (2, 5)]);
        for (line, units) in parts {
            let quantity = Quantity::new(units.into()).unwrap();
            let command = ship(&[Item { line, quantity }]);
            let fits = left.get(&line).is_some_and(|outstanding| *outstanding >= units);
            match order.decide(command) {
                Ok(events) => {
                    prop_assert!(fits);
                    left.entry(line).and_modify(|outstanding| *outstanding -= units);
                    left.retain(|_, outstanding| *outstanding > 0);
                    let last = matches!(events[..], [Event::Shipped { .. }]);
                    prop_assert_eq!(last, left.is_empty());
                    order = events.into_iter().fold(order, Order::evolve);
                }
                Err(_) => prop_assert!(!fits),
            }
        }
    }
}
