//! Transitions and refusals of an order, and the sums of its shipments.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{TERM, answer, company, day, lines, person, pln},
    parties::{Role, employee::Person},
    sales::approval::{Escalation, Speaker, Step},
};

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
        placed_by: None,
        destination: Destination::default(),
        delivery_terms: None,
        wished_on: None,
        note: None,
    }
}

fn placed() -> Event {
    Event::Placed { terms: terms(), on: day("2026-03-01"), gross: Some(pln("29.85")) }
}

fn place() -> Command {
    Command::Place { terms: terms(), on: day("2026-03-01"), approval: None }
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
    Command::Ship { shipment: shipment(), items: Some(items.to_vec()), on: day("2026-03-01") }
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
    let place = Command::Place { terms: terms(), on: day("-009999-01-01"), approval: None };
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
    let twice = [item(2, "1"), item(1, "1"), item(1, "1")];
    check(&confirmed, ship(&twice), Err(Error::NamedTwice { line: 1 }));
}

#[test]
fn ships_nothing_before_the_day_on_which_it_was_placed() {
    let on = |on| Command::Ship { shipment: shipment(), items: None, on: day(on) };
    let placed_on = day("2026-03-01");
    let given = [placed(), CONFIRMED];
    check(&given, on("2026-02-28"), Err(Error::BeforePlaced { placed_on }));
    check(&given, on("2026-03-01"), Ok(vec![shipped(&[item(1, "10"), item(2, "5")])]));
    let part = [placed(), CONFIRMED, part_shipped(&[item(1, "4")])];
    check(&part, on("2026-02-28"), Err(Error::BeforePlaced { placed_on }));
}

#[test]
fn ships_what_is_outstanding_when_nothing_is_named() {
    let rest = Command::Ship { shipment: shipment(), items: None, on: day("2026-03-02") };
    let some = [item(1, "4"), item(2, "5")];
    let given = [placed(), CONFIRMED, part_shipped(&some)];
    check(&[placed(), CONFIRMED], ship(&some), Ok(vec![part_shipped(&some)]));
    check(&given, rest.clone(), Ok(vec![shipped(&[item(1, "6")])]));
    check(&given, ship(&[item(2, "1")]), Err(Error::NothingOutstanding { line: 2 }));
    let done = [placed(), CONFIRMED, part_shipped(&some), shipped(&[item(1, "6")])];
    check(&done, rest, Err(Error::AlreadyShipped));
    check(&done, cancel(), Err(Error::AlreadyShipped));
    check(&done, Command::Confirm, Ok(vec![]));
}

#[test]
fn what_has_not_left_can_be_let_go() {
    let some = [item(1, "4"), item(2, "5")];
    let given = [placed(), CONFIRMED, part_shipped(&some)];
    let rest = Event::RestCancelled { items: vec![item(1, "6")], reason: None };
    check(&given, cancel(), Ok(vec![rest.clone()]));
    let closed = [given.to_vec(), vec![rest]].concat();
    check(&closed, cancel(), Ok(vec![]));
    check(&closed, ship(&[item(1, "6")]), Err(Error::AlreadyShipped));
    check(&closed, Command::Confirm, Ok(vec![]));
    // 4 at 2.00 and 5 at 1.00.
    let order = given.into_iter().fold(Order::default(), Order::evolve);
    assert_eq!(order.net_of_shipped(), Some(pln("13.00")));
    let order = Order::default().evolve(placed()).evolve(CONFIRMED);
    assert_eq!(order.net_of_shipped(), None);
}

/// In every reachable state a command can close the order.
#[test]
fn every_state_that_is_not_the_last_has_a_way_out() {
    let some = [item(1, "4")];
    let histories = [
        vec![placed()],
        asked(),
        vec![placed(), CONFIRMED],
        vec![placed(), CONFIRMED, part_shipped(&some)],
        vec![placed(), CONFIRMED, part_shipped(&some), part_shipped(&[item(2, "5")])],
    ];
    for history in histories {
        let order = history.iter().cloned().fold(Order::default(), Order::evolve);
        let ended = order.decide(cancel()).unwrap();
        assert!(!ended.is_empty(), "{history:?}");
        let order = ended.into_iter().fold(order, Order::evolve);
        // Exhaustive: decide for each new state whether it is final.
        match order {
            Order::Refused { .. } | Order::Shipped { .. } | Order::Cancelled { .. } => {}
            Order::Unplaced
            | Order::AwaitingApproval { .. }
            | Order::Placed { .. }
            | Order::Confirmed { .. } => panic!("{history:?} did not end"),
        }
    }
}

#[test]
fn history_may_name_a_line_twice() {
    let twice = part_shipped(&[item(1, "2"), item(1, "3")]);
    let rest = Command::Ship { shipment: shipment(), items: None, on: day("2026-03-02") };
    let left = [item(1, "5"), item(2, "5")];
    check(&[placed(), CONFIRMED, twice], rest, Ok(vec![shipped(&left)]));
}

proptest! {
    /// For any sequence of shipments, no line ships more than was ordered, and the order is
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

fn decider(number: u128, role: Role) -> Person {
    let mut person = person(number);
    person.role = role;
    person
}

fn moment(minute: i8) -> Timestamp {
    day("2026-03-01").at(12, minute, 0, 0).in_tz("UTC").unwrap().timestamp()
}

/// Two steps: an approver, and after an hour the company's admin too; then the admin.
fn request() -> Request {
    let to = Who::Role { role: Role::CompanyAdmin };
    let escalation = Some(Escalation { after_minutes: 30, to });
    let steps = vec![
        Step { by: Who::Role { role: Role::Approver }, escalation },
        Step { by: to, escalation: None },
    ];
    let (by, at) = (Some(EmployeeId(Uuid::from_u128(1))), moment(0));
    Request { by, at, net: pln("25.00"), discount: None, reasons: vec![], steps }
}

fn asked() -> Vec<Event> {
    vec![placed(), Event::ApprovalRequested { request: request() }]
}

fn verdict(step: u32, by: Person) -> Verdict {
    let speaker = Box::new(Speaker { by, absent: vec![], gone: vec![], today: day("2026-03-01") });
    Verdict { step, asked_at: None, speaker, companies: vec![company()], at: moment(1), note: None }
}

fn decision(step: u32, by: u128) -> Decision {
    let by = EmployeeId(Uuid::from_u128(by));
    Decision { step, by, standing_in_for: None, at: moment(1), note: None }
}

#[test]
fn is_approved_when_all_steps_approve() {
    let ask = Command::Place {
        terms: terms(),
        on: day("2026-03-01"),
        approval: Some(Box::new(request())),
    };
    check(&[], ask, Ok(asked()));
    let (approver, admin) = (decider(2, Role::Approver), decider(3, Role::CompanyAdmin));
    let approve = |step, by: &Person| Command::Approve(verdict(step, by.clone()));
    let first = Event::StepApproved { decision: decision(1, 2) };
    let second = Event::StepApproved { decision: decision(2, 3) };
    check(&asked(), approve(1, &approver), Ok(vec![first.clone()]));
    let half = [asked(), vec![first]].concat();
    check(&half, approve(1, &approver), Ok(vec![]));
    check(&half, approve(1, &admin), Err(approvals::Error::StepDecided { step: 1 }.into()));
    check(&half, approve(2, &approver), Err(approvals::Error::NotAsked { step: 2 }.into()));
    check(
        &half,
        approve(3, &admin),
        Err(approvals::Error::StepNotReached { step: 3, at: 2 }.into()),
    );
    check(&half, approve(2, &admin), Ok(vec![second.clone(), Event::Approved {}]));
    check(&half, Command::Confirm, Err(Error::AwaitingApproval));
    check(&half, ship(&[item(1, "1")]), Err(Error::AwaitingApproval));
    check(&half, place(), Err(Error::AlreadyPlaced));
    check(&half, cancel(), Ok(vec![cancelled()]));
    let whole = [half.clone(), vec![second, Event::Approved {}]].concat();
    check(&whole, Command::Confirm, Ok(vec![CONFIRMED]));
    check(&whole, approve(2, &admin), Ok(vec![]));
    check(&whole, approve(1, &approver), Err(Error::NotAwaitingApproval));
    check(&[], approve(1, &admin), Err(Error::Unplaced));
    let gone = [half, vec![cancelled()]].concat();
    check(&gone, approve(2, &admin), Err(Error::Cancelled));
}

#[test]
fn is_refused_when_one_step_refuses() {
    let refuse = |step, by| Command::Refuse(verdict(step, by));
    let no = Event::Refused { decision: decision(1, 2) };
    check(&asked(), refuse(1, decider(2, Role::Approver)), Ok(vec![no.clone()]));
    check(
        &asked(),
        refuse(1, decider(1, Role::CompanyAdmin)),
        Err(approvals::Error::OwnRequest.into()),
    );
    let half = [asked(), vec![Event::StepApproved { decision: decision(1, 2) }]].concat();
    let decided = Err(approvals::Error::StepDecided { step: 1 }.into());
    check(&half, refuse(1, decider(2, Role::Approver)), decided);
    let refused = [asked(), vec![no]].concat();
    check(&refused, refuse(1, decider(2, Role::Approver)), Ok(vec![]));
    check(&refused, refuse(1, decider(3, Role::Approver)), Err(Error::Refused));
    check(&refused, Command::Confirm, Err(Error::Refused));
    check(&refused, cancel(), Err(Error::Refused));
    check(&refused, ship(&[item(1, "1")]), Err(Error::Refused));
}

#[test]
fn asks_somebody_else_too_when_it_takes_too_long() {
    let escalate = |minute| Command::Escalate { at: moment(minute) };
    let to = Who::Role { role: Role::CompanyAdmin };
    let escalated = Event::StepEscalated { step: 1, to, at: moment(30) };
    check(&asked(), escalate(29), Err(approvals::Error::NotOverdue.into()));
    check(&asked(), escalate(30), Ok(vec![escalated.clone()]));
    let late = [asked(), vec![escalated]].concat();
    check(&late, escalate(31), Err(approvals::Error::NotOverdue.into()));
    check(&[placed()], escalate(31), Err(Error::NotAwaitingApproval));
    let by_admin = Command::Approve(verdict(1, decider(3, Role::CompanyAdmin)));
    let step = Event::StepApproved { decision: decision(1, 3) };
    check(&late, by_admin, Ok(vec![step]));
}

#[test]
fn is_confirmed_once_it_is_released_from_its_credit_hold() {
    let reasons = vec![HoldReason::OverLimit];
    let held = Event::CreditHeld { reasons: reasons.clone() };
    let hold = Command::HoldForCredit { reasons };
    let reason: Note = "Zaległości".parse().unwrap();
    let refuse = Command::RefuseCreditHold { reason: reason.clone() };
    let released = Event::CreditReleased {};
    check(&[], hold.clone(), Err(Error::Unplaced));
    check(&[placed()], hold.clone(), Ok(vec![held.clone()]));
    check(&[placed()], Command::ReleaseCreditHold, Err(Error::NotOnCreditHold));
    check(&[placed()], refuse.clone(), Err(Error::NotOnCreditHold));
    let given = [placed(), held.clone()];
    check(&given, hold, Ok(vec![]));
    check(&given, Command::Confirm, Err(Error::OnCreditHold));
    check(&given, cancel(), Ok(vec![cancelled()]));
    let cancelled = Event::Cancelled { reason: Some(reason) };
    check(&given, refuse.clone(), Ok(vec![cancelled.clone()]));
    check(&given, Command::ReleaseCreditHold, Ok(vec![released.clone()]));
    check(&[placed(), held.clone(), cancelled.clone()], refuse.clone(), Ok(vec![]));
    let release = Command::ReleaseCreditHold;
    check(&[placed(), held.clone(), cancelled], release.clone(), Err(Error::Cancelled));
    let given = [placed(), held, released];
    check(&given, release, Ok(vec![]));
    check(&given, refuse, Err(Error::NotOnCreditHold));
    check(&given, Command::Confirm, Ok(vec![CONFIRMED]));
}
