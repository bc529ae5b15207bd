//! Every transition and refusal of an offer.

use uuid::Uuid;

use super::*;
use crate::{
    Role,
    approval::{Speaker, Step},
    employee::{DiscountLimit, Person},
    fixtures::{TERM, answer, buyer, company, day, lines, person, pln},
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Offer>(given, when), then);
}

fn proposal() -> Proposal {
    Proposal {
        company: company(),
        currency: Currency::Pln,
        lines: lines(),
        payment_term: TERM,
        valid_until: day("2026-03-31"),
    }
}

fn drafted() -> Event {
    Event::Drafted { proposal: proposal(), discount: None }
}

fn sent() -> Event {
    Event::Sent { on: day("2026-03-01") }
}

fn accepted() -> Event {
    Event::Accepted {
        by: buyer(),
        on: day("2026-03-31"),
        proposal: proposal(),
        destination: Destination::default(),
    }
}

fn rejected() -> Event {
    Event::Rejected { by: buyer(), reason: None }
}

fn draft() -> Command {
    Command::Draft { proposal: proposal(), discount: None }
}

fn send(on: &str) -> Command {
    Command::Send { today: day(on), approval: None }
}

fn accept(on: &str) -> Command {
    Command::Accept { by: buyer(), today: day(on), destination: Destination::default() }
}

fn reject() -> Command {
    Command::Reject { by: buyer(), reason: None }
}

fn expire(on: &str) -> Command {
    Command::Expire { today: day(on) }
}

const LAPSED: &str = "2026-04-01";

#[test]
fn is_written_until_it_is_sent() {
    let other = Proposal { payment_term: PaymentTerm::Immediate, ..proposal() };
    let redraft = Command::Draft { proposal: other.clone(), discount: None };
    let foreign = Proposal { company: CompanyId(Uuid::nil()), ..proposal() };
    check(&[], draft(), Ok(vec![drafted()]));
    check(&[drafted()], draft(), Ok(vec![]));
    check(
        &[drafted()],
        redraft.clone(),
        Ok(vec![Event::Drafted { proposal: other, discount: None }]),
    );
    check(
        &[drafted()],
        Command::Draft { proposal: foreign, discount: None },
        Err(Error::OtherCompany),
    );
    let endless = Proposal { valid_until: day("9999-12-31"), ..proposal() };
    let draft_endless = Command::Draft { proposal: endless, discount: None };
    check(&[], draft_endless.clone(), Err(Error::Day(DayError)));
    check(&[drafted()], draft_endless, Err(Error::Day(DayError)));
    check(&[drafted(), sent()], redraft, Err(Error::AlreadySent));
    check(&[drafted(), sent(), accepted()], draft(), Err(Error::AlreadyAccepted));
    check(&[drafted(), sent(), rejected()], draft(), Err(Error::Closed));
}

#[test]
fn is_sent_while_it_is_valid() {
    check(&[], send("2026-03-01"), Err(Error::Undrafted));
    check(&[drafted()], send("2026-03-01"), Ok(vec![sent()]));
    check(&[drafted(), sent()], send("2026-03-02"), Ok(vec![]));
    let valid_until = day("2026-03-31");
    check(&[drafted()], send(LAPSED), Err(Error::Lapsed { valid_until }));
    check(&[drafted(), sent(), accepted()], send("2026-03-01"), Err(Error::AlreadyAccepted));
    check(&[drafted(), Event::Withdrawn {}], send("2026-03-01"), Err(Error::Closed));
}

#[test]
fn stays_open_through_its_last_day() {
    let valid_until = day("2026-03-31");
    check(&[drafted(), sent()], accept("2026-03-31"), Ok(vec![accepted()]));
    check(&[drafted(), sent()], accept(LAPSED), Err(Error::Lapsed { valid_until }));
    check(&[drafted(), sent(), accepted()], accept(LAPSED), Ok(vec![]));
    check(&[drafted(), sent()], expire("2026-03-31"), Err(Error::StillValid { valid_until }));
    check(&[drafted(), sent()], expire(LAPSED), Ok(vec![Event::Expired { on: day(LAPSED) }]));
}

#[test]
fn is_accepted_once() {
    let other = Command::Accept {
        by: ActorId(Uuid::nil()),
        today: day("2026-03-02"),
        destination: Destination::default(),
    };
    check(&[], accept("2026-03-02"), Err(Error::Undrafted));
    check(&[drafted()], accept("2026-03-02"), Err(Error::NotSent));
    check(&[drafted(), sent(), accepted()], other, Err(Error::AlreadyAccepted));
    for closed in [rejected(), Event::Withdrawn {}, Event::Expired { on: day(LAPSED) }] {
        check(&[drafted(), sent(), closed], accept("2026-03-02"), Err(Error::Closed));
    }
}

#[test]
fn ends_one_way_only() {
    let open = [drafted(), sent()];
    check(&open, reject(), Ok(vec![rejected()]));
    check(&open, Command::Withdraw, Ok(vec![Event::Withdrawn {}]));
    check(&[drafted()], Command::Withdraw, Ok(vec![Event::Withdrawn {}]));
    check(&[drafted()], reject(), Err(Error::NotSent));
    check(&[], Command::Withdraw, Err(Error::Undrafted));
    check(&[drafted(), sent(), rejected()], reject(), Ok(vec![]));
    check(&[drafted(), sent(), rejected()], Command::Withdraw, Err(Error::Closed));
    check(&[drafted(), sent(), accepted()], reject(), Err(Error::AlreadyAccepted));
    check(&[drafted(), sent(), accepted()], Command::Withdraw, Err(Error::AlreadyAccepted));
    check(&[drafted(), sent(), accepted()], expire(LAPSED), Err(Error::AlreadyAccepted));
}

fn moment() -> Timestamp {
    day("2026-03-01").in_tz("UTC").unwrap().timestamp()
}

fn request() -> Request {
    let steps = vec![Step { by: Who::Role { role: Role::SalesManager }, escalation: None }];
    let discount = Some("12.5".parse().unwrap());
    Request { by: None, at: moment(), net: pln("25.00"), discount, reasons: vec![], steps }
}

fn manager(limit: DiscountLimit) -> Person {
    let mut manager = person(2);
    (manager.company, manager.role, manager.discount) = (None, Role::SalesManager, limit);
    manager
}

fn verdict(by: Person) -> Verdict {
    let speaker = Box::new(Speaker { by, absent: vec![], today: day("2026-03-01") });
    Verdict { step: 1, speaker, firms: vec![], at: moment(), note: None }
}

#[test]
fn a_large_discount_is_sent_once_a_superior_agrees() {
    let ask = Command::Send { today: day("2026-03-01"), approval: Some(Box::new(request())) };
    let requested = Event::ApprovalRequested { request: request() };
    check(&[drafted()], ask.clone(), Ok(vec![requested.clone()]));
    let asked = vec![drafted(), requested];
    check(&asked, ask.clone(), Err(Error::AwaitingApproval));
    check(&asked, accept("2026-03-02"), Err(Error::NotSent));
    check(&asked, Command::Withdraw, Ok(vec![Event::Withdrawn {}]));
    let approve = |limit| Command::Approve(verdict(manager(limit)));
    let decision = Decision {
        step: 1,
        by: manager(DiscountLimit::Free).id,
        standing_in_for: None,
        at: moment(),
        note: None,
    };
    let step = Event::StepApproved { decision: decision.clone() };
    check(&asked, approve(DiscountLimit::Free), Ok(vec![step.clone(), Event::Approved {}]));
    let beyond = Err(asking::Error::BeyondTheirLimit.into());
    check(&asked, approve(DiscountLimit::UpTo { percent: "12".parse().unwrap() }), beyond);
    let approved = [asked.clone(), vec![step, Event::Approved {}]].concat();
    check(&approved, ask.clone(), Ok(vec![sent()]));
    check(&approved, approve(DiscountLimit::Free), Err(Error::NotAwaitingApproval));
    check(&approved, reject(), Err(Error::NotSent));
    // Written anew, it must be asked about anew.
    let other = Proposal { payment_term: PaymentTerm::Immediate, ..proposal() };
    let redrafted = Event::Drafted { proposal: other.clone(), discount: None };
    let redraft = Command::Draft { proposal: other, discount: None };
    for given in [&asked, &approved] {
        check(given, redraft.clone(), Ok(vec![redrafted.clone()]));
        check(given, draft(), Ok(vec![]));
        let anew = [given.clone(), vec![redrafted.clone()]].concat();
        check(&anew, ask.clone(), Ok(vec![Event::ApprovalRequested { request: request() }]));
    }
    let disapprove = Command::Disapprove(verdict(manager(DiscountLimit::Free)));
    let no = Event::Disapproved { decision };
    check(&asked, disapprove.clone(), Ok(vec![no.clone()]));
    let back = [asked, vec![no]].concat();
    check(&back, disapprove, Err(Error::NotAwaitingApproval));
    check(&back, ask, Ok(vec![Event::ApprovalRequested { request: request() }]));
}
