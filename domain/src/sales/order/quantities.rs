//! Over random histories: what was ordered is what was shipped, is outstanding, or was cancelled.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::fixtures::{TERM, company, day, lines};

fn terms() -> Terms {
    Terms {
        company: company(),
        currency: Currency::Pln,
        lines: lines(),
        payment_term: TERM,
        source: Source::Direct,
        reference: None,
        placed_by: None,
        destination: Destination::default(),
        delivery_terms: None,
        wished_on: None,
        note: None,
    }
}

/// What became of each line.
#[derive(Default)]
struct Counted {
    shipped: BTreeMap<u32, Decimal>,
    cancelled: BTreeMap<u32, Decimal>,
}

impl Counted {
    fn count(&mut self, event: &Event) {
        let (sums, items) = match event {
            Event::PartShipped { items, .. } | Event::Shipped { items, .. } => {
                (&mut self.shipped, items.clone())
            }
            Event::RestCancelled { items, .. } => (&mut self.cancelled, items.clone()),
            Event::Cancelled { .. } => {
                let all = |(line, ordered): (u32, &Line)| Item { line, quantity: ordered.quantity };
                (&mut self.cancelled, terms().lines.numbered().map(all).collect())
            }
            _ => return,
        };
        for Item { line, quantity } in items {
            *sums.entry(line).or_default() += quantity.units();
        }
    }
}

fn item() -> impl Strategy<Value = Item> {
    (1_u32..4, 1_i64..8).prop_map(|(line, units)| Item {
        line,
        quantity: Quantity::new(Decimal::from(units)).unwrap(),
    })
}

fn command() -> impl Strategy<Value = Command> {
    let ship = prop::option::weighted(0.9, prop::collection::vec(item(), 0..3));
    let ship = ship.prop_map(|items| Command::Ship {
        shipment: ShipmentId(Uuid::from_u128(1)),
        items,
        on: day("2026-03-20"),
    });
    let promise = Command::PromiseDelivery { on: day("2026-03-25"), today: day("2026-03-20") };
    prop_oneof![
        2 => Just(Command::Confirm),
        8 => ship,
        1 => Just(promise),
        1 => Just(Command::Cancel { reason: None }),
    ]
}

proptest! {
    #[test]
    fn ordered_is_shipped_outstanding_or_cancelled(
        commands in prop::collection::vec(command(), 0..12),
    ) {
        let place = Command::Place { terms: terms(), on: day("2026-03-01"), approval: None };
        let (mut order, mut counted) = (Order::default(), Counted::default());
        for command in std::iter::once(place).chain(commands) {
            for event in order.decide(command).unwrap_or_default() {
                counted.count(&event);
                order = order.evolve(event);
            }
            let is_confirmed = matches!(order, Order::Confirmed { .. });
            let outstanding = order.outstanding();
            for (number, line) in terms().lines.numbered() {
                let of = |sums: &BTreeMap<u32, Decimal>| sums.get(&number).copied();
                let (shipped, cancelled) = (of(&counted.shipped), of(&counted.cancelled));
                let rest = outstanding.iter().find(|item| item.line == number);
                let rest = rest.map(|item| item.quantity.units());
                let gone = shipped.unwrap_or_default() + cancelled.unwrap_or_default();
                if is_confirmed {
                    prop_assert_eq!(gone + rest.unwrap_or_default(), line.quantity.units());
                } else {
                    let ended = matches!(order, Order::Shipped { .. } | Order::Cancelled { .. });
                    let expected = if ended { line.quantity.units() } else { Decimal::ZERO };
                    prop_assert_eq!(gone, expected);
                }
            }
        }
    }
}

#[test]
fn delivery_of_a_confirmed_order_is_promised_and_promised_anew() {
    let placed = Event::Placed { terms: terms(), on: day("2026-03-01"), gross: None };
    let promise = |on: &str| Command::PromiseDelivery { on: day(on), today: day("2026-03-10") };
    let promised = |on: &str| Event::DeliveryPromised { on: day(on) };
    let answer = crate::fixtures::answer::<Order>;
    let given = [placed, Event::Confirmed {}];
    assert_eq!(answer(&given[..1], promise("2026-03-12")), Err(Error::NotConfirmed));
    assert_eq!(answer(&given, promise("2026-03-12")), Ok(vec![promised("2026-03-12")]));
    let past = Error::PromisedInPast { today: day("2026-03-10") };
    assert_eq!(answer(&given, promise("2026-03-09")), Err(past));
    let given = [&given[..], &[promised("2026-03-12")]].concat();
    assert_eq!(answer(&given, promise("2026-03-12")), Ok(vec![]));
    assert_eq!(answer(&given, promise("2026-03-16")), Ok(vec![promised("2026-03-16")]));
}
