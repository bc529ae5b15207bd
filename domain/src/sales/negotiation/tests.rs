//! Every transition and refusal of a negotiation.

use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{self, TERM, answer, buyer, company, day, line, person, pln},
    kernel::{EmployeeId, PaymentTerm, VatRate},
    parties::{Role, employee::Person},
    sales::approval::{Escalation, Speaker, Step},
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Negotiation>(given, when), then);
}

fn item(quantity: &str, price: &str) -> OfferedLine {
    OfferedLine::plain(line(quantity, price, VatRate::Basic))
}

fn conditions() -> Conditions {
    Conditions { payment_term: TERM, delivery_terms: None }
}

/// Ten at 2.00, and five at 1.00.
fn proposal() -> Proposal {
    fixtures::proposal(vec![item("10", "2.00"), item("5", "1.00")])
}

fn offer() -> OfferId {
    OfferId(Uuid::from_u128(0x0F))
}

fn seller() -> ActorId {
    ActorId(Uuid::from_u128(0x5E))
}

fn open(side: Side) -> Command {
    let proposal = Box::new(proposal());
    Command::Open { offer: offer(), revision: 1, proposal, side, by: actor(side) }
}

fn actor(side: Side) -> ActorId {
    match side {
        Side::Seller => seller(),
        Side::Buyer => buyer(),
    }
}

/// The company opens the negotiation.
fn opened() -> Event {
    Event::Opened {
        company: company(),
        offer: offer(),
        revision: 1,
        currency: Currency::Pln,
        side: Side::Buyer,
        by: buyer(),
        lines: proposal().lines,
        conditions: conditions(),
    }
}

fn wants(quantity: &str, price: &str) -> Move<Item> {
    Move::Propose { proposed: Item::Line { line: Box::new(item(quantity, price)) } }
}

fn moves<const N: usize>(lines: [(u32, Move<Item>); N]) -> Moves {
    Moves { lines: lines.into(), conditions: None }
}

fn round(side: Side, moves: Moves) -> Round {
    Round { by: actor(side), moves, message: None, answer_by: None }
}

fn propose(side: Side, number: u32, moves: Moves) -> Command {
    let (round, today, approval) = (round(side, moves), day("2026-03-02"), None);
    Command::Propose { side, number, round, today, approval }
}

fn proposed(side: Side, number: u32, moves: Moves) -> Event {
    Event::Proposed { number, side, round: round(side, moves) }
}

/// The company wants line 1 at 1.50.
fn cheaper() -> Moves {
    moves([(1, wants("10", "1.50"))])
}

/// The seller agrees to that.
fn agreed_on_line_1() -> [Event; 3] {
    let yes = moves([(1, Move::Agree {})]);
    [opened(), proposed(Side::Buyer, 1, cheaper()), proposed(Side::Seller, 2, yes)]
}

fn topic(line: u32) -> BTreeSet<Topic> {
    [Topic::Line { line }].into()
}

fn reopen(side: Side) -> Command {
    Command::Reopen { side, by: actor(side), topics: topic(1) }
}

fn break_off(side: Side) -> Command {
    Command::BreakOff { side, by: actor(side), reason: None }
}

fn broken_off(side: Side) -> Event {
    Event::BrokenOff { side, by: actor(side), reason: None }
}

#[test]
fn is_opened_once() {
    check(&[], open(Side::Buyer), Ok(vec![opened()]));
    check(&[opened()], open(Side::Seller), Err(Error::AlreadyOpened));
    check(&[opened(), broken_off(Side::Buyer)], open(Side::Buyer), Err(Error::AlreadyOpened));
    check(&[], propose(Side::Buyer, 1, cheaper()), Err(Error::Unopened));
    check(&[], break_off(Side::Buyer), Err(Error::Unopened));
    check(&[], Command::Resume { side: Side::Buyer, by: buyer() }, Err(Error::Unopened));
    check(&[], Command::Close, Err(Error::Unopened));
    check(&[], reopen(Side::Buyer), Err(Error::Unopened));
}

#[test]
fn one_speaks_after_the_other() {
    let first = proposed(Side::Buyer, 1, cheaper());
    check(&[opened()], propose(Side::Buyer, 1, cheaper()), Ok(vec![first.clone()]));
    check(&[opened()], propose(Side::Seller, 1, cheaper()), Err(Error::NotYourTurn));
    check(&[opened()], propose(Side::Buyer, 2, cheaper()), Err(Error::OtherRound { next: 1 }));
    let given = [opened(), first];
    check(&given, propose(Side::Buyer, 2, cheaper()), Err(Error::NotYourTurn));
    let dearer = moves([(1, wants("10", "1.80"))]);
    check(
        &given,
        propose(Side::Seller, 2, dearer.clone()),
        Ok(vec![proposed(Side::Seller, 2, dearer.clone())]),
    );
    check(&given, propose(Side::Seller, 1, dearer), Err(Error::OtherRound { next: 2 }));
}

#[test]
fn a_round_says_something() {
    let buyers = |moves| propose(Side::Buyer, 1, moves);
    check(&[opened()], buyers(Moves::default()), Err(Error::NothingSaid));
    let gone = || Move::Propose { proposed: Item::Dropped {} };
    check(&[opened()], buyers(moves([(1, gone()), (2, gone())])), Err(Error::NothingLeft));
    check(&[opened()], buyers(moves([(3, gone())])), Err(Error::NoSuchLine { line: 3 }));
    check(&[opened()], buyers(moves([(0, gone())])), Err(Error::NoSuchLine { line: 0 }));
    let mut late = item("10", "1.50");
    late.line.deliver_on = Some(day("9999-01-01"));
    let late = Move::Propose { proposed: Item::Line { line: Box::new(late) } };
    check(&[opened()], buyers(moves([(1, late)])), Err(Error::Day(DayError)));
    // Nobody agrees with themselves; to repeat one's own proposal says nothing.
    let given = [opened(), proposed(Side::Buyer, 1, cheaper())];
    let counter = moves([(2, wants("5", "1.10"))]);
    let given = [&given[..], &[proposed(Side::Seller, 2, counter)]].concat();
    let topic = Topic::Line { line: 1 };
    let own = propose(Side::Buyer, 3, moves([(1, Move::Agree {})]));
    check(&given, own, Err(Error::OwnProposal { topic }));
    check(&given, propose(Side::Buyer, 3, cheaper()), Err(Error::NothingSaid));
}

#[test]
fn to_propose_what_the_other_wants_is_to_agree() {
    let given = [opened(), proposed(Side::Buyer, 1, cheaper())];
    let mut negotiation = Negotiation::default();
    for event in [&given[..], &[proposed(Side::Seller, 2, cheaper())]].concat() {
        cqrs_es::Aggregate::apply(&mut negotiation, event);
    }
    assert!(negotiation.open().unwrap().table.lines[&1].agreed);
    assert!(!negotiation.open().unwrap().table.lines[&2].agreed);
}

#[test]
fn what_both_agreed_on_stays() {
    let given = agreed_on_line_1();
    let topic = Topic::Line { line: 1 };
    let even_cheaper = propose(Side::Buyer, 3, moves([(1, wants("10", "1.40"))]));
    check(&given, even_cheaper, Err(Error::Agreed { topic }));
    // To say again what was agreed on says nothing, beside something else it does no harm.
    check(&given, propose(Side::Buyer, 3, cheaper()), Err(Error::NothingSaid));
    let more = moves([(1, wants("10", "1.50")), (2, Move::Agree {})]);
    let said = Ok(vec![proposed(Side::Buyer, 3, more.clone())]);
    check(&given, propose(Side::Buyer, 3, more), said);
}

#[test]
fn reopening_needs_both_sides() {
    let asked = |side| Event::ReopeningAsked { side, by: actor(side), topics: topic(1) };
    let reopened = |side| Event::Reopened { side, by: actor(side), topics: topic(1) };
    let given = agreed_on_line_1();
    check(&given, reopen(Side::Seller), Ok(vec![asked(Side::Seller)]));
    let given = [&given[..], &[asked(Side::Seller)]].concat();
    check(&given, reopen(Side::Seller), Ok(vec![]));
    let again = propose(Side::Buyer, 3, moves([(1, wants("10", "1.60"))]));
    check(&given, again.clone(), Err(Error::Agreed { topic: Topic::Line { line: 1 } }));
    check(&given, reopen(Side::Buyer), Ok(vec![reopened(Side::Buyer)]));
    let given = [&given[..], &[reopened(Side::Buyer)]].concat();
    assert_eq!(answer::<Negotiation>(&given, again).unwrap().len(), 1);
    check(&given, reopen(Side::Buyer), Err(Error::NotAgreed { topic: Topic::Line { line: 1 } }));
    let nothing = Command::Reopen { side: Side::Buyer, by: buyer(), topics: topic(9) };
    check(&given, nothing, Err(Error::NoSuchLine { line: 9 }));
    let unnamed = Command::Reopen { side: Side::Buyer, by: buyer(), topics: BTreeSet::new() };
    check(&given, unnamed, Err(Error::NothingToReopen));
}

#[test]
fn ends_when_all_is_agreed_on() {
    let given = agreed_on_line_1();
    let all = Moves { lines: [(2, Move::Agree {})].into(), conditions: Some(Move::Agree {}) };
    let kept = Lines::try_from(vec![item("10", "1.50"), item("5", "1.00")]).unwrap();
    let agreed = Event::Agreed { lines: kept, conditions: conditions() };
    check(
        &given,
        propose(Side::Buyer, 3, all.clone()),
        Ok(vec![proposed(Side::Buyer, 3, all.clone()), agreed.clone()]),
    );
    let given = [&given[..], &[proposed(Side::Buyer, 3, all.clone()), agreed]].concat();
    check(&given, propose(Side::Seller, 4, all), Err(Error::Concluded));
    check(&given, break_off(Side::Seller), Err(Error::Concluded));
    check(&given, reopen(Side::Seller), Err(Error::Concluded));
    check(&given, Command::Resume { side: Side::Buyer, by: buyer() }, Err(Error::Concluded));
    check(&given, Command::Close, Ok(vec![]));
}

#[test]
fn conditions_are_agreed_on_like_lines() {
    let cash = Conditions { payment_term: PaymentTerm::Immediate, delivery_terms: None };
    let said = Move::Propose { proposed: cash.clone() };
    let first = Moves { conditions: Some(said), ..Moves::default() };
    let yes = Moves { conditions: Some(Move::Agree {}), ..Moves::default() };
    let given = [opened(), proposed(Side::Buyer, 1, first)];
    check(
        &given,
        propose(Side::Seller, 2, yes.clone()),
        Ok(vec![proposed(Side::Seller, 2, yes.clone())]),
    );
    let given = [&given[..], &[proposed(Side::Seller, 2, yes)]].concat();
    let other =
        Moves { conditions: Some(Move::Propose { proposed: conditions() }), ..Moves::default() };
    let agreed = Err(Error::Agreed { topic: Topic::Conditions {} });
    check(&given, propose(Side::Buyer, 3, other), agreed);
}

#[test]
fn a_line_is_replaced_or_dropped() {
    let mut substitute = item("10", "1.70");
    substitute.line.sku = "HK-2".parse().unwrap();
    let other = Move::Propose { proposed: Item::Line { line: Box::new(substitute.clone()) } };
    let gone = Move::Propose { proposed: Item::Dropped {} };
    let first = moves([(1, other), (2, gone)]);
    let yes = Moves { lines: [(1, Move::Agree {}), (2, Move::Agree {})].into(), conditions: None };
    let given = [opened(), proposed(Side::Buyer, 1, first), proposed(Side::Seller, 2, yes)];
    let last = Moves { conditions: Some(Move::Agree {}), ..Moves::default() };
    let kept = Lines::try_from(vec![substitute]).unwrap();
    check(
        &given,
        propose(Side::Buyer, 3, last.clone()),
        Ok(vec![
            proposed(Side::Buyer, 3, last),
            Event::Agreed { lines: kept, conditions: conditions() },
        ]),
    );
}

#[test]
fn either_breaks_off_and_either_goes_on() {
    let given = agreed_on_line_1();
    check(&given, break_off(Side::Seller), Ok(vec![broken_off(Side::Seller)]));
    let stopped = [&given[..], &[broken_off(Side::Seller)]].concat();
    check(&stopped, break_off(Side::Seller), Ok(vec![]));
    check(&stopped, break_off(Side::Buyer), Err(Error::Stopped));
    check(&stopped, propose(Side::Buyer, 3, cheaper()), Err(Error::Stopped));
    let resume = |side| Command::Resume { side, by: actor(side) };
    let resumed = |side| Event::Resumed { side, by: actor(side) };
    check(&stopped, resume(Side::Buyer), Ok(vec![resumed(Side::Buyer)]));
    check(&given, resume(Side::Buyer), Err(Error::NotStopped));
    // They go on where they were: what was agreed on is, and it is the same side's turn.
    let on = [&stopped[..], &[resumed(Side::Buyer)]].concat();
    let even_cheaper = propose(Side::Buyer, 3, moves([(1, wants("10", "1.40"))]));
    check(&on, even_cheaper, Err(Error::Agreed { topic: Topic::Line { line: 1 } }));
    check(&on, propose(Side::Seller, 3, cheaper()), Err(Error::NotYourTurn));
}

fn by(side: Side, answer_by: &str) -> Event {
    let answer_by = Some(day(answer_by));
    Event::Proposed { number: 1, side, round: Round { answer_by, ..round(side, cheaper()) } }
}

#[test]
fn whose_turn_it_is_has_until_then() {
    let given = [opened(), by(Side::Buyer, "2026-03-10")];
    let (remind, expire) =
        (|on| Command::Remind { today: day(on) }, |on| Command::Expire { today: day(on) });
    let reminded = Event::Reminded { side: Side::Seller, on: day("2026-03-09") };
    let expired = Event::Expired { side: Side::Seller, on: day("2026-03-11") };
    check(&given, remind("2026-03-08"), Err(Error::NotOverdue));
    check(&given, remind("2026-03-09"), Ok(vec![reminded.clone()]));
    check(&given, expire("2026-03-10"), Err(Error::NotOverdue));
    check(&given, expire("2026-03-11"), Ok(vec![expired.clone()]));
    check(&[opened()], remind("2026-03-09"), Err(Error::NotOverdue));
    check(&[opened()], expire("2026-03-09"), Err(Error::NotOverdue));
    let after_reminder = [&given[..], &[reminded]].concat();
    check(&after_reminder, remind("2026-03-10"), Ok(vec![]));
    let over = [&after_reminder[..], &[expired]].concat();
    check(&over, expire("2026-03-12"), Err(Error::Stopped));
    check(&over, propose(Side::Seller, 2, cheaper()), Err(Error::Stopped));
    let resumed = Event::Resumed { side: Side::Buyer, by: buyer() };
    check(&over, Command::Resume { side: Side::Buyer, by: buyer() }, Ok(vec![resumed]));
    let past = Round { answer_by: Some(day("2026-03-01")), ..round(Side::Buyer, cheaper()) };
    let past = Command::Propose {
        side: Side::Buyer,
        number: 1,
        round: past,
        today: day("2026-03-02"),
        approval: None,
    };
    check(&[opened()], past, Err(Error::AnswerInThePast { answer_by: day("2026-03-01") }));
}

#[test]
fn is_closed_with_its_offer() {
    check(&[opened()], Command::Close, Ok(vec![Event::Closed {}]));
    let stopped = [opened(), broken_off(Side::Buyer)];
    check(&stopped, Command::Close, Ok(vec![Event::Closed {}]));
    for given in [&[opened(), Event::Closed {}][..], &[&stopped[..], &[Event::Closed {}]].concat()]
    {
        check(given, Command::Close, Ok(vec![]));
        check(given, propose(Side::Buyer, 1, cheaper()), Err(Error::Closed));
        check(given, Command::Resume { side: Side::Buyer, by: buyer() }, Err(Error::Closed));
        check(given, Command::Remind { today: day("2026-03-02") }, Err(Error::Closed));
    }
}

fn moment() -> Timestamp {
    day("2026-03-01").in_tz("UTC").unwrap().timestamp()
}

fn request() -> Request {
    let steps = vec![Step { by: Who::Role { role: Role::Approver }, escalation: None }];
    let by = Some(EmployeeId(Uuid::from_u128(1)));
    Request { by, at: moment(), net: pln("20.00"), discount: None, reasons: vec![], steps }
}

fn superior() -> Person {
    let mut superior = person(2);
    superior.role = Role::Approver;
    superior
}

fn verdict(by: Person) -> Verdict {
    let speaker = Box::new(Speaker { by, absent: vec![], gone: vec![], today: day("2026-03-01") });
    Verdict {
        step: 1,
        asked_at: Some(moment()),
        speaker,
        companies: vec![company()],
        at: moment(),
        note: None,
    }
}

fn decision() -> Decision {
    Decision { step: 1, by: superior().id, standing_in_for: None, at: moment(), note: None }
}

#[test]
fn a_superior_agrees_before_it_is_said() {
    let side = Side::Buyer;
    let ask = Command::Propose {
        side,
        number: 1,
        round: round(side, cheaper()),
        today: day("2026-03-02"),
        approval: Some(Box::new(request())),
    };
    let requested =
        Event::ApprovalRequested { side, round: round(side, cheaper()), request: request() };
    check(&[opened()], ask.clone(), Ok(vec![requested.clone()]));
    let asked = [opened(), requested];
    check(&asked, ask, Err(Error::AwaitingApproval));
    check(&asked, propose(Side::Seller, 1, cheaper()), Err(Error::NotYourTurn));
    let approve = |side| Command::Approve { side, verdict: verdict(superior()) };
    let step = Event::StepApproved { side, decision: decision() };
    check(
        &asked,
        approve(side),
        Ok(vec![step, Event::Approved { side }, proposed(side, 1, cheaper())]),
    );
    // The other side cannot answer for it, nor anybody for themselves.
    check(&asked, approve(Side::Seller), Err(Error::NotAwaitingApproval));
    let own = Command::Approve { side, verdict: verdict(person(1)) };
    check(&asked, own, Err(approvals::Error::OwnRequest.into()));
    check(&[opened()], approve(side), Err(Error::NotAwaitingApproval));
    check(&[], approve(side), Err(Error::Unopened));

    let no = Event::Disapproved { side, decision: decision() };
    let disapprove = || Command::Disapprove { side, verdict: verdict(superior()) };
    check(&asked, disapprove(), Ok(vec![no.clone()]));
    let back = [&asked[..], &[no]].concat();
    check(&back, disapprove(), Err(Error::NotAwaitingApproval));
    check(&back, propose(side, 1, cheaper()), Ok(vec![proposed(side, 1, cheaper())]));
    check(&asked, Command::Escalate { at: moment() }, Err(approvals::Error::NotOverdue.into()));
    check(&[opened()], Command::Escalate { at: moment() }, Err(Error::NotAwaitingApproval));
    // Whoever breaks off does not wait for it.
    check(&asked, break_off(Side::Seller), Ok(vec![broken_off(Side::Seller)]));
}

#[test]
fn the_other_side_learns_of_no_approval() {
    let side = Side::Buyer;
    let requested =
        Event::ApprovalRequested { side, round: round(side, cheaper()), request: request() };
    assert_eq!(requested.known_to(), Some(side));
    assert_eq!(Event::Approved { side }.known_to(), Some(side));
    assert_eq!(proposed(side, 1, cheaper()).known_to(), None);
    let mut negotiation = Negotiation::default();
    for event in [opened(), requested] {
        cqrs_es::Aggregate::apply(&mut negotiation, event);
    }
    let negotiation = negotiation.open().unwrap().clone();
    assert!(negotiation.clone().seen_by(Side::Seller).asking.is_none());
    assert!(negotiation.seen_by(side).asking.is_some());
}

#[test]
fn somebody_else_is_asked_too_when_it_takes_too_long() {
    let (side, to) = (Side::Buyer, Who::Role { role: Role::CompanyAdmin });
    let mut request = request();
    request.steps[0].escalation = Some(Escalation { after_minutes: 30, to });
    let asked =
        [opened(), Event::ApprovalRequested { side, round: round(side, cheaper()), request }];
    let after = |minutes: i64| moment() + jiff::SignedDuration::from_mins(minutes);
    let escalate = |minutes| Command::Escalate { at: after(minutes) };
    check(&asked, escalate(29), Err(approvals::Error::NotOverdue.into()));
    let escalated = Event::StepEscalated { side, step: 1, to, at: after(30) };
    assert_eq!(escalated.known_to(), Some(side));
    check(&asked, escalate(30), Ok(vec![escalated.clone()]));
    let escalated = [&asked[..], &[escalated]].concat();
    check(&escalated, escalate(90), Err(approvals::Error::NotOverdue.into()));
    let mut admin = superior();
    admin.role = Role::CompanyAdmin;
    let approve = Command::Approve { side, verdict: verdict(admin) };
    let said = answer::<Negotiation>(&escalated, approve).unwrap();
    assert_eq!(said.last(), Some(&proposed(side, 1, cheaper())));
}

#[test]
fn rounds_come_to_an_end() {
    let mut given = vec![opened()];
    let turn = |number| if number % 2 == 1 { Side::Buyer } else { Side::Seller };
    let price =
        |number: u32| moves([(1, wants("10", if number % 2 == 1 { "1.50" } else { "1.90" }))]);
    for number in 1..=Negotiation::MOST_ROUNDS {
        given.push(proposed(turn(number), number, price(number)));
    }
    let last = Negotiation::MOST_ROUNDS;
    check(&given, propose(turn(last + 1), last + 1, price(last + 1)), Err(Error::TooManyRounds));
    given.pop();
    let said = vec![proposed(turn(last), last, price(last))];
    check(&given, propose(turn(last), last, price(last)), Ok(said));
}
