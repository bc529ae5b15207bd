//! Every decision of stock, and what is allocated to whom.

use jiff::Timestamp;
use uuid::Uuid;

use super::{event::Fill, *};
use crate::{
    fixtures::{answer, day},
    kernel::{OrderId, Quantity, ShipmentId},
};

const PRODUCT: ProductId = ProductId(Uuid::from_u128(1));
const WAW: WarehouseId = WarehouseId(Uuid::from_u128(0xA));
const KRK: WarehouseId = WarehouseId(Uuid::from_u128(0xB));

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(0x0D_00 + number))
}

fn some(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn lot(code: &str, best_before: &str) -> Lot {
    Lot { code: code.parse().unwrap(), best_before: Some(day(best_before)) }
}

fn receive(warehouse: WarehouseId, quantity: &str, lot: Option<Lot>) -> Command {
    let (quantity, receipt, reference) = (some(quantity), None, None);
    Command::Receive { product: PRODUCT, warehouse, quantity, lot, receipt, reference }
}

fn reserve_as(number: u128, quantity: &str, priority: u8, at: i64) -> Command {
    Command::Reserve {
        product: PRODUCT,
        order: order(number),
        line: 1,
        quantity: some(quantity),
        priority: priority.try_into().unwrap(),
        placed_at: Timestamp::from_second(at).unwrap(),
        preferred: None,
    }
}

fn reserve(number: u128, quantity: &str) -> Command {
    reserve_as(number, quantity, 5, 0)
}

fn ship(number: u128, quantity: &str) -> Command {
    Command::Ship {
        product: PRODUCT,
        order: order(number),
        line: 1,
        shipment: ShipmentId(Uuid::from_u128(5)),
        quantity: some(quantity),
        warehouse: None,
        on: day("2026-03-20"),
    }
}

fn adjust(warehouse: WarehouseId, change: &str) -> Command {
    Command::Adjust {
        product: PRODUCT,
        warehouse,
        change: change.parse().unwrap(),
        lot: None,
        reason: AdjustmentReason::Damage,
        note: None,
        reference: None,
    }
}

fn count(warehouse: WarehouseId, counted: &str) -> Command {
    let counted = counted.parse().unwrap();
    Command::Count { product: PRODUCT, warehouse, counted, lot: None, reference: None }
}

fn configure(negative_allowed: bool, lots_required: bool) -> Command {
    let settings = Settings { negative_allowed, lots_required };
    Command::Configure { product: PRODUCT, settings }
}

/// What these commands lead to.
#[track_caller]
fn history(commands: impl IntoIterator<Item = Command>) -> Vec<Event> {
    let mut events = Vec::new();
    for command in commands {
        events.extend(answer::<Stock>(&events, command).unwrap());
    }
    events
}

fn state(events: &[Event]) -> Stock {
    events.iter().cloned().fold(Stock::default(), Stock::evolve)
}

/// What an order has in the first and in the second warehouse, and what it waits for.
fn held(events: &[Event], number: u128) -> (i64, i64, i64) {
    let state = state(events);
    let Some(reservation) = state.reservations().get(order(number), 1) else { return (0, 0, 0) };
    let units = |number: Decimal| i64::try_from(number).unwrap();
    let of = |warehouse| reservation.allocated.get(&warehouse).map_or(0, |q| units(q.units()));
    (of(WAW), of(KRK), units(reservation.waiting()))
}

#[test]
fn reports_a_level_once() {
    let level = |available: &str, expected: Option<&str>| Level {
        available: available.parse().unwrap(),
        expected: expected.map(day),
    };
    let report = |level| Command::Report { product: PRODUCT, level };
    let reported =
        |Level { available, expected }| Event::Reported { product: PRODUCT, available, expected };
    let (some, none) = (level("12.5", None), level("0", Some("2026-12-01")));
    for (given, when, then) in [
        (vec![], some, vec![reported(some)]),
        (vec![reported(some)], some, vec![]),
        (vec![reported(some)], none, vec![reported(none)]),
        (vec![reported(some), reported(none)], some, vec![reported(some)]),
    ] {
        assert_eq!(answer::<Stock>(&given, report(when)), Ok(then));
    }
    let far = level("1", Some("9998-01-01"));
    assert!(answer::<Stock>(&[], report(far)).is_err());
    let tracked = history([receive(WAW, "1", None)]);
    assert_eq!(answer::<Stock>(&tracked, report(some)), Err(Error::Tracked));
}

#[test]
fn what_is_not_tracked_is_not_reserved() {
    assert_eq!(answer::<Stock>(&[], reserve(1, "5")), Ok(vec![]));
}

#[test]
fn fills_a_line_from_one_warehouse_if_one_has_all() {
    let both = [receive(WAW, "10", None), receive(KRK, "4", None)];
    let with = |more: Command| history(both.clone().into_iter().chain([more]));
    // The one that has all and the least beyond it.
    assert_eq!(held(&with(reserve(1, "3")), 1), (0, 3, 0));
    assert_eq!(held(&with(reserve(1, "5")), 1), (5, 0, 0));
    let preferred = |quantity, warehouse| match reserve(1, quantity) {
        Command::Reserve { product, order, line, quantity, priority, placed_at, .. } => {
            let preferred = Some(warehouse);
            Command::Reserve { product, order, line, quantity, priority, placed_at, preferred }
        }
        other => other,
    };
    assert_eq!(held(&with(preferred("3", WAW)), 1), (3, 0, 0));
    assert_eq!(held(&with(preferred("5", KRK)), 1), (5, 0, 0));
    // No warehouse has all: the preferred one first.
    assert_eq!(held(&with(preferred("12", KRK)), 1), (8, 4, 0));
    assert_eq!(held(&with(reserve(1, "12")), 1), (10, 2, 0));
    assert_eq!(held(&with(reserve(1, "20")), 1), (10, 4, 6));
}

#[test]
fn a_repeated_reservation_changes_nothing() {
    let given = history([receive(WAW, "10", None), reserve(1, "4")]);
    assert_eq!(answer::<Stock>(&given, reserve(1, "4")), Ok(vec![]));
}

#[test]
fn goods_that_arrive_go_to_those_that_wait() {
    let given = history([
        receive(WAW, "1", None),
        reserve_as(1, "5", 5, 20),
        reserve_as(2, "5", 5, 10),
        reserve_as(3, "5", 1, 30),
    ]);
    assert_eq!(held(&given, 1), (1, 0, 4));
    let events = answer::<Stock>(&given, receive(KRK, "7", None)).unwrap();
    let fill = |number, quantity: &str| Fill {
        order: order(number),
        line: 1,
        warehouse: KRK,
        quantity: some(quantity),
    };
    // By priority, then by placement.
    let fills = vec![fill(3, "5"), fill(2, "2")];
    assert_eq!(events[1..], [Event::Allocated { product: PRODUCT, fills }]);
}

#[test]
fn release_fills_those_that_wait() {
    let given = history([receive(WAW, "5", None), reserve(1, "5"), reserve(2, "3")]);
    let release = |quantity: Option<&str>| Command::Release {
        product: PRODUCT,
        order: order(1),
        line: 1,
        quantity: quantity.map(some),
    };
    let all = [given.clone(), answer::<Stock>(&given, release(None)).unwrap()].concat();
    assert_eq!((held(&all, 1), held(&all, 2)), ((0, 0, 0), (3, 0, 0)));
    let part = [given.clone(), answer::<Stock>(&given, release(Some("2"))).unwrap()].concat();
    assert_eq!((held(&part, 1), held(&part, 2)), ((3, 0, 0), (2, 0, 1)));
    assert_eq!(answer::<Stock>(&all, release(None)), Ok(vec![]));
}

#[test]
fn no_more_is_shipped_than_is_allocated() {
    let given = history([receive(WAW, "5", None), reserve(1, "4"), reserve(2, "3")]);
    let shipped = [given.clone(), answer::<Stock>(&given, ship(1, "3")).unwrap()].concat();
    assert_eq!(held(&shipped, 1), (1, 0, 0));
    assert_eq!(state(&shipped).on_hand(WAW).to_string(), "2");
    let allocated = "1".parse().unwrap();
    for command in [ship(1, "2"), ship(2, "2")] {
        assert_eq!(answer::<Stock>(&shipped, command), Err(Error::NotAllocated { allocated }));
    }
    let allocated = Balance::ZERO;
    assert_eq!(answer::<Stock>(&shipped, ship(3, "1")), Err(Error::NotAllocated { allocated }));
}

#[test]
fn what_expires_first_leaves_first() {
    let (old, new) = (lot("L1", "2026-04-01"), lot("L2", "2026-06-01"));
    let given = history([
        receive(WAW, "1", None),
        receive(WAW, "5", Some(new.clone())),
        receive(WAW, "3", Some(old.clone())),
        reserve(1, "6"),
    ]);
    let events = answer::<Stock>(&given, ship(1, "6")).unwrap();
    let Event::Shipped { taken, .. } = &events[0] else { panic!("{events:?}") };
    let taken: Vec<_> =
        taken.iter().map(|one| (one.lot.clone(), one.quantity.to_string())).collect();
    assert_eq!(taken, [(Some(old), "3".to_owned()), (Some(new), "3".to_owned())]);
}

#[test]
fn lots_past_their_day_stay() {
    let past = lot("L1", "2026-03-19");
    let given = history([
        receive(WAW, "5", Some(past)),
        receive(WAW, "1", Some(lot("L2", "2026-06-01"))),
        reserve(1, "4"),
    ]);
    let on_hand = "1".parse().unwrap();
    assert_eq!(answer::<Stock>(&given, ship(1, "4")), Err(Error::Expired { on_hand }));
    assert!(answer::<Stock>(&given, ship(1, "1")).is_ok());
}

#[test]
fn lots_are_named_where_that_is_required() {
    let given = history([configure(false, true)]);
    assert_eq!(answer::<Stock>(&given, receive(WAW, "1", None)), Err(Error::LotRequired));
    let given = history([configure(false, true), receive(WAW, "1", Some(lot("L", "2026-06-01")))]);
    let other = receive(WAW, "1", Some(lot("L", "2026-06-02")));
    let code = "L".parse().unwrap();
    assert_eq!(answer::<Stock>(&given, other), Err(Error::LotDiffers { code }));
    assert_eq!(answer::<Stock>(&given, count(WAW, "3")), Err(Error::LotRequired));
    assert_eq!(answer::<Stock>(&given, configure(true, true)), Err(Error::NegativeLots));
}

#[test]
fn a_loss_takes_from_the_last_in_line() {
    let given = history([receive(WAW, "10", None), reserve(1, "4"), reserve_as(2, "4", 9, 0)]);
    let events = [given.clone(), answer::<Stock>(&given, adjust(WAW, "-5")).unwrap()].concat();
    assert_eq!((held(&events, 1), held(&events, 2)), ((4, 0, 0), (1, 0, 3)));
    // What is elsewhere makes up for it.
    let given = history([receive(WAW, "4", None), receive(KRK, "9", None), reserve(1, "4")]);
    let events = [given.clone(), answer::<Stock>(&given, count(WAW, "0")).unwrap()].concat();
    assert_eq!(held(&events, 1), (0, 4, 0));
    let on_hand = "4".parse().unwrap();
    assert_eq!(answer::<Stock>(&given, adjust(WAW, "-5")), Err(Error::NotOnHand { on_hand }));
    assert_eq!(answer::<Stock>(&given, adjust(WAW, "0")), Err(Error::NoChange));
}

#[test]
fn a_count_records_the_difference() {
    let given = history([receive(WAW, "4", None)]);
    let counted = |counted: &str, lots| Event::Counted {
        product: PRODUCT,
        warehouse: WAW,
        expected: "4".parse().unwrap(),
        counted: counted.parse().unwrap(),
        lot: None,
        lots,
        reference: None,
    };
    let change = |change: &str| LotChange { lot: None, change: change.parse().unwrap() };
    let same = counted("4", vec![]);
    assert_eq!(answer::<Stock>(&given, count(WAW, "4")), Ok(vec![same]));
    let more = counted("6.5", vec![change("2.5")]);
    assert_eq!(answer::<Stock>(&given, count(WAW, "6.5")), Ok(vec![more]));
    let none = vec![counted("0", vec![change("-4")]), Event::RanOut { product: PRODUCT }];
    assert_eq!(answer::<Stock>(&given, count(WAW, "0")), Ok(none));
}

#[test]
fn says_when_it_runs_out_and_is_there_again() {
    let ran_out = Event::RanOut { product: PRODUCT };
    let replenished = Event::Replenished { product: PRODUCT };
    let events = history([receive(WAW, "4", None), reserve(1, "3"), reserve(2, "1")]);
    assert_eq!(events.last(), Some(&ran_out));
    assert_eq!(events.iter().filter(|event| **event == ran_out).count(), 1);
    assert_eq!(events[1], replenished);
    // All of it goes to those that wait.
    let more = history([receive(WAW, "4", None), reserve(1, "9"), receive(WAW, "5", None)]);
    assert!(!more[3..].contains(&replenished), "{more:?}");
}

#[test]
fn transfers_keep_lots() {
    let of = lot("L1", "2026-04-01");
    let given = history([receive(WAW, "5", Some(of.clone())), reserve(1, "5")]);
    let transfer = |from, to, quantity: &str| Command::Transfer {
        product: PRODUCT,
        from,
        to,
        quantity: some(quantity),
        lot: None,
        reference: None,
    };
    let events = [given.clone(), answer::<Stock>(&given, transfer(WAW, KRK, "2")).unwrap()];
    let events = events.concat();
    assert_eq!(state(&events).on_hand_of(KRK, &of.code).to_string(), "2");
    assert_eq!(held(&events, 1), (3, 2, 0));
    let on_hand = "5".parse().unwrap();
    let refused = answer::<Stock>(&given, transfer(WAW, KRK, "6"));
    assert_eq!(refused, Err(Error::NotOnHand { on_hand }));
    assert_eq!(answer::<Stock>(&given, transfer(WAW, WAW, "1")), Err(Error::SameWarehouse));
}

#[test]
fn may_be_below_zero_where_that_is_allowed() {
    let given = history([configure(true, false), receive(WAW, "2", None), reserve(1, "5")]);
    assert_eq!(held(&given, 1), (5, 0, 0));
    let events = [given.clone(), answer::<Stock>(&given, ship(1, "5")).unwrap()].concat();
    assert_eq!(state(&events).on_hand(WAW).to_string(), "-3");
    // Without it, nobody has what is not there.
    let given = [given.clone(), answer::<Stock>(&given, configure(false, false)).unwrap()].concat();
    assert_eq!(held(&given, 1), (2, 0, 3));
}

#[test]
fn what_arrives_is_expected_no_more() {
    let expected = |quantity: &str, on: &str| Expected {
        warehouse: WAW,
        quantity: some(quantity),
        on: day(on),
    };
    let expect = |quantity, on| Command::Expect {
        product: PRODUCT,
        receipt: "PO/7".parse().unwrap(),
        expected: expected(quantity, on),
    };
    let arrive = |quantity: &str| Command::Receive {
        product: PRODUCT,
        warehouse: WAW,
        quantity: some(quantity),
        lot: None,
        receipt: Some("PO/7".parse().unwrap()),
        reference: None,
    };
    let given = history([expect("10", "2026-04-01")]);
    assert!(!state(&given).is_tracked());
    assert_eq!(answer::<Stock>(&given, expect("10", "2026-04-01")), Ok(vec![]));
    let later = history([expect("10", "2026-04-01"), expect("10", "2026-04-09"), arrive("4")]);
    assert_eq!(state(&later).available_to_promise(day("2026-04-08")).to_string(), "4");
    assert_eq!(state(&later).available_to_promise(day("2026-04-09")).to_string(), "10");
    let all = history([expect("10", "2026-04-01"), arrive("11")]);
    assert!(state(&all).expected().is_empty());
    assert_eq!(answer::<Stock>(&all, arrive("1")), Err(Error::NotExpected));
    let cancel = Command::CancelExpected { product: PRODUCT, receipt: "PO/7".parse().unwrap() };
    assert_eq!(answer::<Stock>(&given, cancel.clone()).unwrap().len(), 1);
    assert_eq!(answer::<Stock>(&all, cancel), Ok(vec![]));
}

#[test]
fn only_what_can_be_sold_again_comes_back() {
    let back = |disposition| Command::TakeBack {
        product: PRODUCT,
        warehouse: WAW,
        quantity: some("2"),
        lot: None,
        disposition,
        order: Some(order(1)),
        reference: None,
    };
    let events = |disposition| history([receive(WAW, "1", None), back(disposition)]);
    for (disposition, then) in
        [(Disposition::Restock, "3"), (Disposition::SecondChoice, "1"), (Disposition::Scrap, "1")]
    {
        assert_eq!(state(&events(disposition)).on_hand(WAW).to_string(), then);
    }
}

#[test]
fn bundles_remember_their_parts() {
    let parts = vec![Part { product: ProductId(Uuid::from_u128(2)), quantity: some("3") }];
    let reserve = Command::ReserveBundle {
        product: PRODUCT,
        order: order(1),
        line: 1,
        quantity: some("4"),
        parts,
    };
    let given = history([reserve.clone()]);
    assert_eq!(answer::<Stock>(&given, reserve), Ok(vec![]));
    let outstanding = |events: &[Event]| {
        state(events).bundles().get(order(1), 1).map(|one| one.quantity.to_string())
    };
    let part = [given.clone(), answer::<Stock>(&given, ship(1, "1")).unwrap()].concat();
    assert_eq!(outstanding(&part).as_deref(), Some("3"));
    let release =
        |quantity| Command::Release { product: PRODUCT, order: order(1), line: 1, quantity };
    let all = [part.clone(), answer::<Stock>(&part, release(None)).unwrap()].concat();
    assert_eq!(outstanding(&all), None);
}

#[test]
fn balances_are_bounded() {
    let given = history([receive(WAW, "1000000000", None)]);
    assert_eq!(answer::<Stock>(&given, receive(WAW, "0.001", None)), Err(Error::TooMuch));
    assert!(answer::<Stock>(&given, receive(KRK, "1000000000", None)).is_ok());
}
