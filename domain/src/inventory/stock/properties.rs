//! Quantities over random histories: nothing is created, lost or promised twice.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::{event::Fill, *};
use crate::{
    fixtures::{answer, day},
    kernel::{OrderId, Quantity, ShipmentId},
};

const PRODUCT: ProductId = ProductId(Uuid::from_u128(1));

fn warehouse(number: u8) -> WarehouseId {
    WarehouseId(Uuid::from_u128(0xA0 + u128::from(number)))
}

fn order(number: u8) -> OrderId {
    OrderId(Uuid::from_u128(0x0D00 + u128::from(number)))
}

fn quantity() -> impl Strategy<Value = Quantity> {
    // Thousandths and wholes.
    prop_oneof![1_i64..=12_000, (1_i64..=12).prop_map(|whole| whole * 1_000)]
        .prop_map(|units| Quantity::new(Decimal::new(units, 3)).unwrap())
}

fn lot() -> impl Strategy<Value = Option<Lot>> {
    proptest::option::of((0_u8..3).prop_map(|number| Lot {
        code: format!("L{number}").parse().unwrap(),
        best_before: Some(day(&format!("2026-0{}-01", 4 + number))),
    }))
}

fn command() -> impl Strategy<Value = Command> {
    let place = || (0_u8..3).prop_map(warehouse);
    let line = || (0_u8..8, 1_u32..=2).prop_map(|(number, line)| (order(number), line));
    let (product, reference, note) = (PRODUCT, None, None);
    prop_oneof![
        4 => (place(), quantity(), lot()).prop_map(move |(warehouse, quantity, lot)| {
            let (receipt, reference) = (None, None);
            Command::Receive { product, warehouse, quantity, lot, receipt, reference }
        }),
        2 => (place(), quantity(), any::<bool>(), lot()).prop_map(
            move |(warehouse, quantity, is_more, lot)| {
                let units = if is_more { quantity.units() } else { -quantity.units() };
                let (change, reason) = (Balance::new(units).unwrap(), AdjustmentReason::Correction);
                let (reference, note) = (reference.clone(), note.clone());
                Command::Adjust { product, warehouse, change, lot, reason, note, reference }
            }
        ),
        2 => (place(), proptest::option::of(quantity()), lot()).prop_map(
            move |(warehouse, counted, lot)| {
                let (counted, reference) = (Available(counted), None);
                Command::Count { product, warehouse, counted, lot, reference }
            }
        ),
        2 => (place(), place(), quantity()).prop_map(move |(from, to, quantity)| {
            let (lot, reference) = (None, None);
            Command::Transfer { product, from, to, quantity, lot, reference }
        }),
        1 => (place(), quantity()).prop_map(move |(warehouse, quantity)| {
            let (lot, reference) = (None, None);
            Command::Withdraw { product, warehouse, quantity, lot, reference }
        }),
        1 => (place(), quantity(), lot(), 0_u8..3).prop_map(
            move |(warehouse, quantity, lot, disposition)| {
                let disposition = match disposition {
                    0 => Disposition::Restock,
                    1 => Disposition::SecondChoice,
                    _ => Disposition::Scrap,
                };
                let (order, reference) = (None, None);
                Command::TakeBack {
                    product,
                    warehouse,
                    quantity,
                    lot,
                    disposition,
                    order,
                    reference,
                }
            }
        ),
        6 => (line(), quantity(), 1_u8..=9, 0_i64..5, proptest::option::of(place())).prop_map(
            move |((order, line), quantity, priority, at, preferred)| {
                let priority = priority.try_into().unwrap();
                let placed_at = Timestamp::from_second(at).unwrap();
                Command::Reserve { product, order, line, quantity, priority, placed_at, preferred }
            }
        ),
        3 => (line(), proptest::option::of(quantity())).prop_map(
            move |((order, line), quantity)| Command::Release { product, order, line, quantity }
        ),
        4 => (line(), quantity(), proptest::option::of(place())).prop_map(
            move |((order, line), quantity, warehouse)| {
                let (shipment, on) = (ShipmentId(Uuid::nil()), day("2026-05-01"));
                Command::Ship { product, order, line, shipment, quantity, warehouse, on }
            }
        ),
        1 => any::<bool>().prop_map(move |negative_allowed| {
            let settings = Settings { negative_allowed, lots_required: false };
            Command::Configure { product, settings }
        }),
    ]
}

/// What a warehouse should have by its movements alone.
#[derive(Debug, Default)]
struct Ledger {
    on_hand: BTreeMap<WarehouseId, Decimal>,
    /// By order line: reserved, allocated, waiting, shipped, released.
    lines: BTreeMap<(OrderId, u32), [Decimal; 5]>,
}

impl Ledger {
    fn change(&mut self, warehouse: WarehouseId, by: Decimal) {
        *self.on_hand.entry(warehouse).or_default() += by;
    }

    fn follow(&mut self, event: &Event) {
        let sum =
            |parts: &[Allocated]| -> Decimal { parts.iter().map(|one| one.quantity.units()).sum() };
        match event {
            Event::Received { warehouse, quantity, .. } => {
                self.change(*warehouse, quantity.units());
            }
            Event::Adjusted { warehouse, change, .. } => self.change(*warehouse, change.units()),
            Event::Counted { warehouse, expected, counted, lot, .. } => {
                let before = *self.on_hand.entry(*warehouse).or_default();
                assert!(lot.is_some() || before == expected.units());
                self.change(*warehouse, counted.units() - expected.units());
            }
            Event::Transferred { from, to, quantity, .. } => {
                self.change(*from, -quantity.units());
                self.change(*to, quantity.units());
            }
            Event::Withdrawn { warehouse, quantity, .. } => {
                self.change(*warehouse, -quantity.units());
            }
            Event::Returned { warehouse, quantity, disposition, .. } => {
                if *disposition == Disposition::Restock {
                    self.change(*warehouse, quantity.units());
                }
            }
            Event::Reserved { order, line, quantity, allocated, waiting, .. } => {
                let [reserved, has, waits, ..] = self.lines.entry((*order, *line)).or_default();
                *reserved += quantity.units();
                *has += sum(allocated);
                *waits += waiting.units();
            }
            Event::Allocated { fills, .. } => self.fill(fills, Decimal::ONE),
            Event::Deallocated { fills, .. } => self.fill(fills, -Decimal::ONE),
            Event::Released { order, line, quantity, allocated, .. } => {
                let [_, has, waits, _, released] = self.lines.entry((*order, *line)).or_default();
                *has -= sum(allocated);
                *waits -= quantity.units() - sum(allocated);
                *released += quantity.units();
            }
            Event::Shipped { order, line, quantity, taken, .. } => {
                let all: Decimal = taken.iter().map(|one| one.quantity.units()).sum();
                assert_eq!(all, quantity.units());
                for one in taken {
                    self.change(one.warehouse, -one.quantity.units());
                }
                let [_, has, _, shipped, _] = self.lines.entry((*order, *line)).or_default();
                *has -= quantity.units();
                *shipped += quantity.units();
            }
            Event::Reported { .. }
            | Event::Configured { .. }
            | Event::ReceiptExpected { .. }
            | Event::ReceiptRescheduled { .. }
            | Event::ReceiptCancelled { .. }
            | Event::BundleReserved { .. }
            | Event::BundleReleased { .. }
            | Event::BundleShipped { .. }
            | Event::RanOut { .. }
            | Event::Replenished { .. } => {}
        }
    }

    fn fill(&mut self, fills: &[Fill], sign: Decimal) {
        for Fill { order, line, quantity, .. } in fills {
            let [_, has, waits, ..] = self.lines.entry((*order, *line)).or_default();
            *has += sign * quantity.units();
            *waits -= sign * quantity.units();
        }
    }
}

fn check(state: &Stock, ledger: &Ledger) {
    let negative = state.settings().negative_allowed;
    let mut allocated: BTreeMap<WarehouseId, Decimal> = BTreeMap::new();
    for reservation in state.reservations().iter() {
        for (warehouse, quantity) in &reservation.allocated {
            *allocated.entry(*warehouse).or_default() += quantity.units();
        }
    }
    for (warehouse, holding) in state.holdings() {
        let on_hand = ledger.on_hand.get(warehouse).copied().unwrap_or_default();
        assert_eq!(holding.on_hand(), on_hand, "receipts - shipped +/- the rest");
        let held = allocated.get(warehouse).copied().unwrap_or_default();
        assert_eq!(holding.allocated(), held, "reservations and holdings agree");
        assert!(
            negative || holding.allocated() <= holding.on_hand().max(Decimal::ZERO),
            "reserved <= on hand"
        );
    }
    for (key, [reserved, has, waits, shipped, released]) in &ledger.lines {
        assert_eq!(*reserved, has + waits + shipped + released, "ordered = where it is");
        let reservation = state.reservations().get(key.0, key.1);
        let held = reservation
            .map_or((Decimal::ZERO, Decimal::ZERO), |one| (one.allocated(), one.waiting()));
        assert_eq!(held, (*has, *waits));
    }
    let waits = state.reservations().iter().any(|one| one.waiting.is_some());
    let is_free = state.holdings().values().any(|holding| !holding.free().is_zero());
    assert!(!(waits && (is_free || negative)), "nothing waits while something is free");
    assert_eq!(
        state.reservations().waiting().count(),
        state.reservations().iter().filter(|one| one.waiting.is_some()).count(),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_created_lost_or_promised_twice(
        commands in proptest::collection::vec(command(), 1..60)
    ) {
        let (mut state, mut ledger) = (Stock::default(), Ledger::default());
        let mut sold = state.is_in_stock();
        for command in commands {
            let Ok(events) = state.decide(command) else { continue };
            for event in events {
                ledger.follow(&event);
                match event {
                    Event::RanOut { .. } => { assert!(sold); sold = false; }
                    Event::Replenished { .. } => { assert!(!sold); sold = true; }
                    _ => {}
                }
                state = state.evolve(event);
            }
            prop_assert_eq!(sold, state.is_in_stock());
            check(&state, &ledger);
        }
        let stored = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<Stock>(&stored).unwrap(), state);
    }
}

/// A snapshot holds what thousands of reservations are, and in which order they are filled.
#[test]
fn a_snapshot_keeps_the_order() {
    let mut events = Vec::new();
    let warehouse = warehouse(0);
    let count = |counted: &str| Command::Count {
        product: PRODUCT,
        warehouse,
        counted: counted.parse().unwrap(),
        lot: None,
        reference: None,
    };
    events.extend(answer::<Stock>(&events, count("0")).unwrap());
    for number in (1..=5_u8).rev() {
        let reserve = Command::Reserve {
            product: PRODUCT,
            order: order(number),
            line: 1,
            quantity: Quantity::ONE,
            priority: Priority::default(),
            placed_at: Timestamp::UNIX_EPOCH,
            preferred: None,
        };
        events.extend(answer::<Stock>(&events, reserve).unwrap());
    }
    let filled = answer::<Stock>(&events, count("2")).unwrap();
    let Event::Allocated { fills, .. } = &filled[1] else { panic!("{filled:?}") };
    let orders: Vec<OrderId> = fills.iter().map(|fill| fill.order).collect();
    assert_eq!(orders, [order(5), order(4)], "in the order in which they were reserved");
}
