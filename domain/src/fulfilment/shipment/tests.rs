//! The life of a shipment.

use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{TERM, answer, company, day, line, lines},
    kernel::{Quantity, VatRate, day::DayError},
};

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn dispatch(number: u128) -> Dispatch {
    Dispatch {
        company: company(),
        order: order(number),
        currency: Currency::Pln,
        lines: lines(),
        payment_term: TERM,
        courier: None,
        tracking: None,
        on: day("2026-03-20"),
    }
}

/// All of an order of [`lines`].
fn part(number: u128) -> OrderPart {
    let items =
        vec![Item { line: 1, quantity: quantity("10") }, Item { line: 2, quantity: quantity("5") }];
    OrderPart { order: order(number), items }
}

fn candidate(number: u128) -> Candidate {
    Candidate { company: company(), address: None, part: part(number) }
}

fn prepare(candidates: Vec<Candidate>) -> Command {
    Command::Prepare { candidates, courier: None, on: day("2026-03-19") }
}

/// Of one or several orders.
fn prepared(numbers: &[u128]) -> Event {
    let orders = numbers.iter().map(|number| part(*number)).collect();
    let preparation = Preparation {
        company: company(),
        orders,
        address: None,
        courier: None,
        on: day("2026-03-19"),
    };
    Event::Prepared { preparation }
}

fn content(number: u128, line: u32, units: &str) -> Content {
    Content { order: order(number), line, quantity: quantity(units) }
}

fn parcel(contents: Vec<Content>) -> Parcel {
    Parcel { weight_grams: 1_200, dimensions: None, contents, tracking: None }
}

fn proof() -> Proof {
    let at = time("2026-03-21T10:00:00Z");
    Proof { received_by: "Jan Kowalski".parse().unwrap(), at, document: None }
}

fn failure(at: &str) -> Failure {
    Failure { reason: FailureReason::Absent, at: time(at), note: None }
}

fn returned(at: &str) -> Return {
    Return { at: time(at), note: None }
}

fn dispatched() -> Event {
    Event::Dispatched { dispatch: dispatch(1) }
}

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Shipment>(given, when), then);
}

#[test]
fn goods_of_one_order_leave_at_once_and_once() {
    let command = Command::Dispatch(dispatch(1));
    check(&[], command.clone(), Ok(vec![dispatched()]));
    check(&[dispatched()], command.clone(), Err(Error::AlreadyDispatched));
    check(&[prepared(&[1])], command, Err(Error::AlreadyPrepared));
    let command = Command::Dispatch(Dispatch { on: day("-000001-01-01"), ..dispatch(1) });
    check(&[], command, Err(Error::Day(DayError)));
}

#[test]
fn orders_of_one_company_and_one_address_leave_together() {
    check(&[], prepare(vec![candidate(1), candidate(2)]), Ok(vec![prepared(&[1, 2])]));
    check(&[], prepare(vec![]), Err(Error::NoOrders));
    let twice = prepare(vec![candidate(1), candidate(1)]);
    check(&[], twice, Err(Error::OrderNamedTwice { index: 1 }));
    let other = Candidate { company: CompanyId(Uuid::nil()), ..candidate(2) };
    check(&[], prepare(vec![candidate(1), other]), Err(Error::OtherCompany { index: 1 }));
    let other = Candidate { address: Some(AddressId(Uuid::nil())), ..candidate(2) };
    check(&[], prepare(vec![candidate(1), other]), Err(Error::OtherAddress { index: 1 }));
    let empty = Candidate { part: OrderPart { items: vec![], ..part(2) }, ..candidate(2) };
    check(&[], prepare(vec![candidate(1), empty]), Err(Error::NoItems { index: 1 }));
    let many = (1..=51).map(candidate).collect();
    check(&[], prepare(many), Err(Error::TooManyOrders));
    check(&[prepared(&[1])], prepare(vec![candidate(1)]), Err(Error::AlreadyPrepared));
    check(&[dispatched()], prepare(vec![candidate(1)]), Err(Error::AlreadyDispatched));
}

#[test]
fn parcels_contain_exactly_what_leaves() {
    let pack = |parcels: Vec<Parcel>| Command::Pack { parcels };
    let given = [prepared(&[1, 2])];
    let fitting = vec![
        parcel(vec![content(1, 1, "10"), content(1, 2, "5"), content(2, 1, "4")]),
        parcel(vec![content(2, 1, "6"), content(2, 2, "5")]),
    ];
    let packed = Event::Packed { parcels: fitting.clone() };
    check(&given, pack(fitting.clone()), Ok(vec![packed.clone()]));
    check(&[given[0].clone(), packed], pack(fitting.clone()), Ok(vec![]));
    check(&[], pack(fitting.clone()), Err(Error::Unprepared));
    check(&[dispatched()], pack(fitting.clone()), Err(Error::AlreadyDispatched));
    check(&given, pack(vec![]), Err(Error::NoParcels));
    let changed = |change: fn(&mut Vec<Parcel>)| {
        let mut parcels = fitting.clone();
        change(&mut parcels);
        pack(parcels)
    };
    check(
        &given,
        changed(|parcels| parcels[1].contents[0].quantity = "7".parse().unwrap()),
        Err(Error::TooMuchPacked { parcel: 1, content: 0 }),
    );
    check(
        &given,
        changed(|parcels| parcels[1].contents[0].quantity = "5".parse().unwrap()),
        Err(Error::NotAllPacked { order: order(2), line: 1, missing: quantity("1") }),
    );
    check(
        &given,
        changed(|parcels| parcels[0].contents.push(content(1, 1, "1"))),
        Err(Error::ContentNamedTwice { parcel: 0, content: 3 }),
    );
    check(
        &given,
        changed(|parcels| parcels[1].contents.push(content(1, 1, "1"))),
        Err(Error::TooMuchPacked { parcel: 1, content: 2 }),
    );
    check(
        &given,
        changed(|parcels| parcels[1].contents.push(content(2, 3, "1"))),
        Err(Error::NotInShipment { parcel: 1, content: 2 }),
    );
    check(
        &given,
        changed(|parcels| parcels.push(parcel(vec![]))),
        Err(Error::EmptyParcel { parcel: 2 }),
    );
    check(&given, changed(|parcels| parcels[0].weight_grams = 0), Err(Error::Weight { parcel: 0 }));
    check(
        &given,
        changed(|parcels| parcels[1].weight_grams = Parcel::MAX_GRAMS + 1),
        Err(Error::Weight { parcel: 1 }),
    );
    let flat = |parcels: &mut Vec<Parcel>| {
        let sides = Dimensions { length_mm: 100, width_mm: 100, height_mm: 0 };
        parcels[0].dimensions = Some(sides);
    };
    check(&given, changed(flat), Err(Error::Dimensions { parcel: 0 }));
}

#[test]
fn what_was_prepared_leaves_and_nothing_else() {
    let given = [prepared(&[1, 2])];
    let leave = |dispatches: Vec<Dispatch>| Command::DispatchPrepared { dispatches };
    let further = Event::FurtherOrderDispatched { dispatch: dispatch(2) };
    let left = vec![dispatched(), further];
    check(&given, leave(vec![dispatch(1), dispatch(2)]), Ok(left.clone()));
    let less = Dispatch {
        lines: Lines::try_from(vec![line("10", "2.00", VatRate::Basic)]).unwrap(),
        ..dispatch(2)
    };
    let later = Dispatch { on: day("2026-03-21"), ..dispatch(2) };
    for other in [
        vec![dispatch(1)],
        vec![dispatch(2), dispatch(1)],
        vec![dispatch(1), less],
        vec![dispatch(1), later],
        vec![],
    ] {
        check(&given, leave(other), Err(Error::OtherContents));
    }
    let after: Vec<Event> = given.iter().cloned().chain(left).collect();
    check(&after, leave(vec![]), Ok(vec![]));
    check(&[], leave(vec![]), Err(Error::Unprepared));
}

#[test]
fn a_preparation_is_cancelled_while_nothing_has_left() {
    let cancelled = Event::Cancelled {};
    check(&[prepared(&[1])], Command::Cancel, Ok(vec![cancelled.clone()]));
    let given = [prepared(&[1]), cancelled];
    check(&given, Command::Cancel, Ok(vec![]));
    let leave = Command::DispatchPrepared { dispatches: vec![dispatch(1)] };
    check(&given, leave, Err(Error::Cancelled));
    check(&given, Command::Deliver(proof()), Err(Error::Cancelled));
    check(&[dispatched()], Command::Cancel, Err(Error::AlreadyDispatched));
    check(&[], Command::Cancel, Err(Error::Unprepared));
}

#[test]
fn is_delivered_once_after_any_number_of_failures() {
    let delivered = Event::Delivered { proof: proof() };
    let deliver = Command::Deliver(proof());
    check(&[dispatched()], deliver.clone(), Ok(vec![delivered.clone()]));
    let fail = |at: &str| Command::FailDelivery(failure(at));
    let failed = |at: &str| Event::DeliveryFailed { failure: failure(at) };
    let (first, second) = ("2026-03-20T15:00:00Z", "2026-03-21T08:00:00Z");
    check(&[dispatched()], fail(first), Ok(vec![failed(first)]));
    let given = [dispatched(), failed(first)];
    check(&given, fail(first), Ok(vec![]));
    check(&given, fail(second), Ok(vec![failed(second)]));
    check(&given, deliver.clone(), Ok(vec![delivered.clone()]));
    let given = [dispatched(), failed(first), delivered];
    check(&given, deliver.clone(), Ok(vec![]));
    let other = Proof { received_by: "Ewa Nowak".parse().unwrap(), ..proof() };
    check(&given, Command::Deliver(other), Err(Error::AlreadyDelivered));
    check(&given, fail(second), Err(Error::AlreadyDelivered));
    let back = Command::ReturnToSender(returned(second));
    check(&given, back, Err(Error::AlreadyDelivered));
    check(&[prepared(&[1])], deliver.clone(), Err(Error::NotDispatched));
    check(&[], deliver, Err(Error::Unprepared));
}

#[test]
fn comes_back_once() {
    let back = || Command::ReturnToSender(returned("2026-03-25T08:00:00Z"));
    let came = Event::ReturnedToSender { returned: returned("2026-03-25T08:00:00Z") };
    check(&[dispatched()], back(), Ok(vec![came.clone()]));
    let given = [dispatched(), came];
    check(&given, back(), Ok(vec![]));
    check(&given, Command::Deliver(proof()), Err(Error::Returned));
}

#[test]
fn nothing_arrives_before_it_left() {
    let before = Error::BeforeDispatch { on: day("2026-03-20") };
    let arrived = |at: &str| Command::Deliver(Proof { at: time(at), ..proof() });
    check(&[dispatched()], arrived("2026-03-18T23:59:59Z"), Err(before));
    // Half past midnight in Warsaw.
    assert!(answer::<Shipment>(&[dispatched()], arrived("2026-03-19T23:30:00Z")).is_ok());
    check(&[dispatched()], arrived("9999-12-30T22:00:00Z"), Err(Error::Day(DayError)));
}

proptest! {
    /// However lines are divided among parcels, accepted parcels add up to what leaves; when a unit
    /// is missing or too many, they are refused.
    #[test]
    fn accepted_parcels_add_up(
        cuts in prop::collection::vec((0_i64..10, 0_i64..5), 1..6),
        off in -1_i64..=1,
    ) {
        let (mut rest, mut packed) = ([10_i64, 5], [0_i64; 2]);
        let mut parcels = Vec::new();
        for (index, cut) in cuts.iter().enumerate() {
            let is_last = index + 1 == cuts.len();
            let taken = [cut.0.min(rest[0]), cut.1.min(rest[1])];
            let taken = if is_last { [rest[0] + off, rest[1]] } else { taken };
            let contents: Vec<Content> = (1..)
                .zip(taken)
                .filter(|(_, units)| *units > 0)
                .map(|(line, units)| Content {
                    order: order(1),
                    line,
                    quantity: Quantity::new(Decimal::from(units)).unwrap(),
                })
                .collect();
            rest = [rest[0] - taken[0], rest[1] - taken[1]];
            packed = [packed[0] + taken[0].max(0), packed[1] + taken[1]];
            if !contents.is_empty() {
                parcels.push(parcel(contents));
            }
        }
        let result = answer::<Shipment>(&[prepared(&[1])], Command::Pack { parcels: parcels.clone() });
        if packed == [10, 5] {
            prop_assert_eq!(result, Ok(vec![Event::Packed { parcels }]));
        } else {
            prop_assert!(result.is_err());
        }
    }
}
