//! Every transition and refusal of an offer.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{self, answer, buyer, day, line, lines, person, pln},
    kernel::{PaymentTerm, VatRate},
    parties::{
        Role,
        employee::{DiscountLimit, Person},
    },
    sales::approval::{Escalation, Speaker, Step},
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Offer>(given, when), then);
}

/// Two lines, ten coffees and five rice, as they are.
fn proposal() -> Proposal {
    let lines: Vec<OfferedLine> = lines().iter().cloned().map(OfferedLine::plain).collect();
    fixtures::proposal(lines)
}

/// The next one, cheaper in words only.
fn another() -> Proposal {
    Proposal { payment_term: PaymentTerm::Immediate, ..proposal() }
}

fn writing(proposal: Proposal) -> Writing {
    let (discount, representative, origin, inside) = (None, None, None, Inside::default());
    Writing { proposal, discount, representative, origin, inside }
}

fn wrote(proposal: Proposal) -> Event {
    let Writing { proposal, discount, representative, origin, inside } = writing(proposal);
    Event::Drafted { proposal, discount, representative, origin, inside }
}

fn drafted() -> Event {
    wrote(proposal())
}

fn first() -> Stamp {
    Stamp::of(1, &proposal())
}

fn second() -> Stamp {
    Stamp::of(2, &another())
}

fn sent() -> Event {
    Event::Sent { on: day("2026-03-01"), revision: Some(first()) }
}

fn sent_again() -> Event {
    Event::Sent { on: day("2026-03-01"), revision: Some(second()) }
}

/// All that it says was accepted.
fn accepted() -> Event {
    Event::Accepted {
        by: buyer(),
        on: day("2026-03-31"),
        proposal: proposal(),
        destination: Destination::default(),
        revision: Some(first()),
        ordered: None,
    }
}

fn rejected() -> Event {
    Event::Rejected { by: buyer(), reason: None }
}

fn withdrawn() -> Event {
    Event::Withdrawn { reason: None }
}

fn expired() -> Event {
    Event::Expired { on: day(LAPSED) }
}

fn draft(proposal: Proposal) -> Command {
    Command::Draft(Box::new(writing(proposal)))
}

fn send(on: &str) -> Command {
    Command::Send { today: day(on), approval: None }
}

fn acceptance(on: &str) -> Acceptance {
    Acceptance {
        by: buyer(),
        today: day(on),
        stamp: first(),
        chosen: None,
        destination: Destination::default(),
    }
}

fn accept(on: &str) -> Command {
    Command::Accept(Box::new(acceptance(on)))
}

fn reject() -> Command {
    Command::Reject { by: buyer(), reason: None }
}

fn withdraw() -> Command {
    Command::Withdraw { reason: None }
}

fn expire(on: &str) -> Command {
    Command::Expire { today: day(on) }
}

fn negotiation_id() -> NegotiationId {
    NegotiationId(Uuid::from_u128(0x7A))
}

fn opened() -> Event {
    Event::NegotiationOpened { negotiation: negotiation_id() }
}

fn negotiate() -> Command {
    Command::Negotiate { negotiation: negotiation_id(), revision: 1, today: day("2026-03-02") }
}

const LAPSED: &str = "2026-04-01";

#[test]
fn is_written_until_it_is_sent() {
    let foreign = Proposal { company: CompanyId(Uuid::nil()), ..proposal() };
    check(&[], draft(proposal()), Ok(vec![drafted()]));
    check(&[drafted()], draft(proposal()), Ok(vec![]));
    check(&[drafted()], draft(another()), Ok(vec![wrote(another())]));
    check(&[drafted()], draft(foreign.clone()), Err(Error::OtherCompany));
    check(&[drafted(), sent()], draft(foreign), Err(Error::OtherCompany));
    let endless = Proposal { valid_until: day("9999-12-31"), ..proposal() };
    check(&[], draft(endless.clone()), Err(Error::Day(DayError)));
    check(&[drafted()], draft(endless), Err(Error::Day(DayError)));
    check(&[drafted(), sent(), accepted()], draft(proposal()), Err(Error::AlreadyAccepted));
    check(&[drafted(), sent(), rejected()], draft(proposal()), Err(Error::Closed));
    // What stays at the seller is part of what is written.
    let unit_costs = BTreeMap::from([(lines()[0].product, "1.50".parse().unwrap())]);
    let inside = Inside { note: None, unit_costs };
    let noted = Command::Draft(Box::new(Writing { inside, ..writing(proposal()) }));
    assert_eq!(answer::<Offer>(&[drafted()], noted).unwrap().len(), 1);
}

#[test]
fn is_sent_while_it_is_valid() {
    check(&[], send("2026-03-01"), Err(Error::Undrafted));
    check(&[drafted()], send("2026-03-01"), Ok(vec![sent()]));
    check(&[drafted(), sent()], send("2026-03-02"), Ok(vec![]));
    let valid_until = day("2026-03-31");
    check(&[drafted()], send(LAPSED), Err(Error::Lapsed { valid_until }));
    check(&[drafted(), sent(), accepted()], send("2026-03-01"), Err(Error::AlreadyAccepted));
    check(&[drafted(), withdrawn()], send("2026-03-01"), Err(Error::Closed));
}

/// The next revision is written while the one before stands, and takes its place when it is sent.
#[test]
fn a_revision_stands_until_the_next_is_sent() {
    let next = [drafted(), sent(), wrote(another())];
    check(&[drafted(), sent()], draft(another()), Ok(vec![wrote(another())]));
    check(&next, draft(another()), Ok(vec![]));
    check(&next, accept("2026-03-31"), Ok(vec![accepted()]));
    check(&next, send("2026-03-01"), Ok(vec![sent_again()]));
    let sent = [&next[..], &[sent_again()]].concat();
    check(&sent, accept("2026-03-31"), Err(Error::NotTheStandingRevision { standing: 2 }));
    let second = Acceptance { stamp: second(), ..acceptance("2026-03-31") };
    let accepted = answer::<Offer>(&sent, Command::Accept(Box::new(second))).unwrap();
    assert!(matches!(&accepted[..], [Event::Accepted { proposal, .. }] if *proposal == another()));
}

#[test]
fn nobody_accepts_what_they_did_not_see() {
    let open = [drafted(), sent()];
    let with = |stamp| Command::Accept(Box::new(Acceptance { stamp, ..acceptance("2026-03-31") }));
    let other_content = Stamp { number: 1, digest: second().digest };
    check(&open, with(other_content), Err(Error::OtherContent { revision: 1 }));
    check(&open, with(second()), Err(Error::NotTheStandingRevision { standing: 1 }));
    let zero = Stamp { number: 0, digest: first().digest };
    check(&open, with(zero), Err(Error::NotTheStandingRevision { standing: 1 }));
    // What was sent before revisions were stamped has a stamp all the same.
    let unstamped = Event::Sent { on: day("2026-03-01"), revision: None };
    check(&[drafted(), unstamped], accept("2026-03-31"), Ok(vec![accepted()]));
}

#[test]
fn stays_open_through_its_last_day() {
    let valid_until = day("2026-03-31");
    check(&[drafted(), sent()], accept("2026-03-31"), Ok(vec![accepted()]));
    check(&[drafted(), sent()], accept(LAPSED), Err(Error::Lapsed { valid_until }));
    check(&[drafted(), sent(), accepted()], accept(LAPSED), Ok(vec![]));
    check(&[drafted(), sent()], expire("2026-03-31"), Err(Error::StillValid { valid_until }));
    check(&[drafted(), sent()], expire(LAPSED), Ok(vec![expired()]));
}

#[test]
fn is_held_open_for_longer() {
    let extend =
        |until: &str, today: &str| Command::Extend { until: day(until), today: day(today) };
    let extended = Event::Extended { until: day("2026-04-30"), on: day("2026-03-31") };
    let open = [drafted(), sent()];
    check(&open, extend("2026-04-30", "2026-03-31"), Ok(vec![extended.clone()]));
    check(&open, extend("2026-03-31", "2026-03-31"), Ok(vec![]));
    let not_longer = |valid_until| Err(Error::NotLonger { valid_until: day(valid_until) });
    check(&open, extend("2026-03-30", "2026-03-01"), not_longer("2026-03-31"));
    check(&open, extend("2026-04-02", "2026-04-03"), not_longer("2026-04-03"));
    check(&open, extend("3000-01-01", "2026-03-31"), Err(Error::Day(DayError)));
    check(&[drafted()], extend("2026-04-30", "2026-03-31"), Err(Error::NotSent));
    check(&[], extend("2026-04-30", "2026-03-31"), Err(Error::Undrafted));
    let closed = [drafted(), sent(), expired()];
    check(&closed, extend("2026-04-30", "2026-04-01"), Err(Error::Closed));
    // The same revision is accepted on the new last day, and not after it.
    let longer = [drafted(), sent(), extended];
    let on = |on: &str| answer::<Offer>(&longer, accept(on)).map(|events| events.len());
    assert_eq!(on("2026-04-30"), Ok(1));
    assert_eq!(on("2026-05-01"), Err(Error::Lapsed { valid_until: day("2026-04-30") }));
    check(&longer, expire(LAPSED), Err(Error::StillValid { valid_until: day("2026-04-30") }));
}

#[test]
fn is_accepted_once() {
    let other = Acceptance { by: ActorId(Uuid::nil()), ..acceptance("2026-03-02") };
    check(&[], accept("2026-03-02"), Err(Error::Undrafted));
    check(&[drafted()], accept("2026-03-02"), Err(Error::NotSent));
    let other = Command::Accept(Box::new(other));
    check(&[drafted(), sent(), accepted()], other, Err(Error::AlreadyAccepted));
    for closed in [rejected(), withdrawn(), expired()] {
        check(&[drafted(), sent(), closed], accept("2026-03-02"), Err(Error::Closed));
    }
}

#[test]
fn is_accepted_in_part() {
    let part = |chosen: Vec<Chosen>| {
        Command::Accept(Box::new(Acceptance { chosen: Some(chosen), ..acceptance("2026-03-31") }))
    };
    let first_line = || vec![Chosen { line: 1, quantity: None }];
    check(&[drafted(), sent()], part(first_line()), Err(Error::LineNeeded { line: 2 }));
    let divisible = Proposal { divisible: true, ..proposal() };
    let stamp = Stamp::of(1, &divisible);
    let given = [wrote(divisible), Event::Sent { on: day("2026-03-01"), revision: Some(stamp) }];
    let part = Acceptance { stamp, chosen: Some(first_line()), ..acceptance("2026-03-31") };
    let take = |acceptance: Acceptance| Command::Accept(Box::new(acceptance));
    let events = answer::<Offer>(&given, take(part.clone())).unwrap();
    let [Event::Accepted { ordered: Some(ordered), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(**ordered, [line("10", "2.00", VatRate::Basic)]);
    // The same again is nothing new; anything else is too late.
    let taken = [&given[..], &events[..]].concat();
    check(&taken, take(part.clone()), Ok(vec![]));
    let all = Acceptance { chosen: None, ..part.clone() };
    check(&taken, take(all), Err(Error::AlreadyAccepted));
    let cost_centre = Some("Kuchnia".parse().unwrap());
    let destination = Destination { cost_centre, ..Destination::default() };
    check(&taken, take(Acceptance { destination, ..part }), Err(Error::AlreadyAccepted));
}

#[test]
fn ends_one_way_only() {
    let open = [drafted(), sent()];
    check(&open, reject(), Ok(vec![rejected()]));
    check(&open, withdraw(), Ok(vec![withdrawn()]));
    check(&[drafted()], withdraw(), Ok(vec![withdrawn()]));
    check(&[drafted()], reject(), Err(Error::NotSent));
    check(&[drafted()], expire(LAPSED), Err(Error::NotSent));
    check(&[], withdraw(), Err(Error::Undrafted));
    check(&[drafted(), sent(), rejected()], reject(), Ok(vec![]));
    check(&[drafted(), sent(), rejected()], withdraw(), Err(Error::Closed));
    check(&[drafted(), sent(), accepted()], reject(), Err(Error::AlreadyAccepted));
    check(&[drafted(), sent(), accepted()], withdraw(), Err(Error::AlreadyAccepted));
    check(&[drafted(), sent(), accepted()], expire(LAPSED), Err(Error::AlreadyAccepted));
}

#[test]
fn tells_whether_its_company_knows_of_it() {
    let knows = |given: &[Event]| {
        let mut offer = Offer::default();
        for event in given {
            cqrs_es::Aggregate::apply(&mut offer, event.clone());
        }
        offer.is_disclosed()
    };
    assert!(!knows(&[]));
    assert!(!knows(&[drafted()]));
    assert!(!knows(&[drafted(), withdrawn()]));
    for end in [rejected(), withdrawn(), expired(), accepted()] {
        assert!(knows(&[drafted(), sent(), end]));
    }
}

#[test]
fn is_seen_once_by_each() {
    let view = |by, revision| Command::View { by, revision };
    let other = ActorId(Uuid::nil());
    let viewed = |by| Event::Viewed { revision: 1, by };
    let open = [drafted(), sent()];
    check(&open, view(buyer(), 1), Ok(vec![viewed(buyer())]));
    let seen = [drafted(), sent(), viewed(buyer())];
    check(&seen, view(buyer(), 1), Ok(vec![]));
    check(&seen, view(other, 1), Ok(vec![viewed(other)]));
    check(&open, view(buyer(), 2), Err(Error::NotTheStandingRevision { standing: 1 }));
    check(&open, view(buyer(), 0), Err(Error::NotTheStandingRevision { standing: 1 }));
    check(&[drafted()], view(buyer(), 1), Err(Error::NotSent));
    check(&[], view(buyer(), 1), Err(Error::Undrafted));
    check(&[drafted(), sent(), accepted()], view(buyer(), 1), Ok(vec![]));
    check(&[drafted(), sent(), rejected()], view(buyer(), 1), Err(Error::Closed));
    let superseded = [drafted(), sent(), wrote(another()), sent_again()];
    check(&superseded, view(buyer(), 1), Ok(vec![]));
}

#[test]
fn is_negotiated_while_it_stands() {
    let valid_until = day("2026-03-31");
    check(&[], negotiate(), Err(Error::Undrafted));
    check(&[drafted()], negotiate(), Err(Error::NotSent));
    check(&[drafted(), sent()], negotiate(), Ok(vec![opened()]));
    check(&[drafted(), sent(), opened()], negotiate(), Ok(vec![]));
    let elsewhere = Command::Negotiate {
        negotiation: NegotiationId(Uuid::nil()),
        revision: 1,
        today: day("2026-03-02"),
    };
    check(&[drafted(), sent(), opened()], elsewhere, Err(Error::InNegotiation));
    let late =
        Command::Negotiate { negotiation: negotiation_id(), revision: 1, today: day(LAPSED) };
    check(&[drafted(), sent()], late, Err(Error::Lapsed { valid_until }));
    let next =
        Command::Negotiate { negotiation: negotiation_id(), revision: 2, today: day("2026-03-02") };
    check(&[drafted(), sent()], next, Err(Error::NotTheStandingRevision { standing: 1 }));
    check(&[drafted(), sent(), rejected()], negotiate(), Err(Error::Closed));
    check(&[drafted(), sent(), accepted()], negotiate(), Err(Error::AlreadyAccepted));

    // Meanwhile it can be accepted as it stands, but not written anew.
    let in_negotiation = [drafted(), sent(), opened()];
    check(&in_negotiation, draft(another()), Err(Error::InNegotiation));
    check(&in_negotiation, accept("2026-03-31"), Ok(vec![accepted()]));
    let next = [drafted(), sent(), wrote(another()), opened()];
    check(&next, send("2026-03-02"), Err(Error::InNegotiation));

    let end = || Command::EndNegotiation { negotiation: negotiation_id() };
    let ended = Event::NegotiationEnded { negotiation: negotiation_id() };
    check(&in_negotiation, end(), Ok(vec![ended.clone()]));
    let stopped = [drafted(), sent(), opened(), ended];
    check(&stopped, end(), Ok(vec![]));
    check(&stopped, negotiate(), Ok(vec![opened()]));
    check(&stopped, draft(another()), Ok(vec![wrote(another())]));
    check(&[drafted()], end(), Err(Error::NotSent));
    check(&[drafted(), sent(), rejected()], end(), Err(Error::Closed));
}

#[test]
fn what_both_agreed_on_is_the_next_revision() {
    let lines = vec![OfferedLine::plain(line("20", "1.80", VatRate::Basic))];
    let lines = Lines::try_from(lines).unwrap();
    let conditions = Conditions { payment_term: PaymentTerm::Immediate, delivery_terms: None };
    let agree = |today: &str| Command::Agree {
        negotiation: negotiation_id(),
        lines: Box::new(lines.clone()),
        conditions: conditions.clone(),
        today: day(today),
    };
    let agreed =
        Proposal { lines: lines.clone(), payment_term: PaymentTerm::Immediate, ..proposal() };
    let event = Event::Agreed {
        negotiation: negotiation_id(),
        on: day("2026-03-02"),
        proposal: agreed.clone(),
        revision: Stamp::of(2, &agreed),
    };
    let in_negotiation = [drafted(), sent(), opened()];
    check(&in_negotiation, agree("2026-03-02"), Ok(vec![event.clone()]));
    check(&[drafted(), sent()], agree("2026-03-02"), Err(Error::NotInNegotiation));
    check(&[drafted()], agree("2026-03-02"), Err(Error::NotSent));
    let valid_until = day("2026-03-31");
    check(&in_negotiation, agree(LAPSED), Err(Error::Lapsed { valid_until }));
    let given = [&in_negotiation[..], &[event]].concat();
    check(&given, accept("2026-03-02"), Err(Error::NotTheStandingRevision { standing: 2 }));
    let stamp = Stamp::of(2, &agreed);
    let accept = Acceptance { stamp, ..acceptance("2026-03-02") };
    assert_eq!(answer::<Offer>(&given, Command::Accept(Box::new(accept))).unwrap().len(), 1);
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
    let speaker = Box::new(Speaker { by, absent: vec![], gone: vec![], today: day("2026-03-01") });
    Verdict {
        step: 1,
        asked_at: Some(moment()),
        speaker,
        companies: vec![],
        at: moment(),
        note: None,
    }
}

#[test]
fn a_large_discount_is_sent_once_a_superior_agrees() {
    let ask = Command::Send { today: day("2026-03-01"), approval: Some(Box::new(request())) };
    let requested = Event::ApprovalRequested { request: request() };
    check(&[drafted()], ask.clone(), Ok(vec![requested.clone()]));
    let asked = vec![drafted(), requested];
    check(&asked, ask.clone(), Err(Error::AwaitingApproval));
    check(&asked, accept("2026-03-02"), Err(Error::NotSent));
    check(&asked, withdraw(), Ok(vec![withdrawn()]));
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
    let beyond = Err(approvals::Error::BeyondTheirLimit.into());
    check(&asked, approve(DiscountLimit::UpTo { percent: "12".parse().unwrap() }), beyond);
    let approved = [asked.clone(), vec![step, Event::Approved {}]].concat();
    check(&approved, ask.clone(), Ok(vec![sent()]));
    check(&approved, approve(DiscountLimit::Free), Err(Error::NotAwaitingApproval));
    check(&approved, reject(), Err(Error::NotSent));
    // Written anew, it must be asked about anew.
    for given in [&asked, &approved] {
        check(given, draft(another()), Ok(vec![wrote(another())]));
        check(given, draft(proposal()), Ok(vec![]));
        let anew = [given.clone(), vec![wrote(another())]].concat();
        check(&anew, ask.clone(), Ok(vec![Event::ApprovalRequested { request: request() }]));
    }
    let disapprove = Command::Disapprove(verdict(manager(DiscountLimit::Free)));
    let no = Event::Disapproved { decision };
    check(&asked, disapprove.clone(), Ok(vec![no.clone()]));
    let back = [asked, vec![no]].concat();
    check(&back, disapprove, Err(Error::NotAwaitingApproval));
    check(&back, ask.clone(), Ok(vec![Event::ApprovalRequested { request: request() }]));
    // The next revision is asked about like the first; meanwhile the first can be accepted.
    let next = [drafted(), sent(), wrote(another())];
    check(&next, ask.clone(), Ok(vec![Event::ApprovalRequested { request: request() }]));
    let asked = [&next[..], &[Event::ApprovalRequested { request: request() }]].concat();
    check(&asked, ask, Err(Error::AwaitingApproval));
    check(&asked, accept("2026-03-31"), Ok(vec![accepted()]));
}

#[test]
fn somebody_else_is_asked_too_when_it_takes_too_long() {
    let to = Who::Role { role: Role::Admin };
    let mut request = request();
    request.steps[0].escalation = Some(Escalation { after_minutes: 30, to });
    let asked = [drafted(), Event::ApprovalRequested { request }];
    let after = |minutes: i64| moment() + jiff::SignedDuration::from_mins(minutes);
    let escalate = |minutes| Command::Escalate { at: after(minutes) };
    check(&asked, escalate(29), Err(approvals::Error::NotOverdue.into()));
    let escalated = Event::StepEscalated { step: 1, to, at: after(30) };
    check(&asked, escalate(30), Ok(vec![escalated.clone()]));
    let mut admin = manager(DiscountLimit::Free);
    admin.role = Role::Admin;
    // An admin can always do what a manager can; the manager still may.
    let escalated = [&asked[..], &[escalated]].concat();
    check(&escalated, escalate(90), Err(approvals::Error::NotOverdue.into()));
    for by in [admin, manager(DiscountLimit::Free)] {
        let answered = answer::<Offer>(&escalated, Command::Approve(verdict(by)));
        assert_eq!(answered.unwrap().last(), Some(&Event::Approved {}));
    }
    check(&[drafted()], escalate(90), Err(Error::NotAwaitingApproval));
}

#[test]
fn only_prices_that_both_agreed_on_become_a_contract() {
    let after = |given: &[Event]| {
        let mut offer = Offer::default();
        given.iter().cloned().for_each(|event| cqrs_es::Aggregate::apply(&mut offer, event));
        offer.agreed_on().map(|lines| lines.into_iter().cloned().collect::<Vec<_>>())
    };
    assert_eq!(after(&[]), Err(Error::Undrafted));
    assert_eq!(after(&[drafted()]), Err(Error::NotSent));
    assert_eq!(after(&[drafted(), sent()]), Err(Error::NotAgreedOn));
    let all = || proposal().lines.to_vec();
    assert_eq!(after(&[drafted(), sent(), accepted()]), Ok(all()));
    let some = Event::Accepted {
        by: buyer(),
        on: day("2026-03-31"),
        proposal: proposal(),
        destination: Destination::default(),
        revision: Some(first()),
        ordered: Lines::try_from(vec![proposal().lines[1].line.clone()]).ok(),
    };
    assert_eq!(after(&[drafted(), sent(), some]), Ok(all()[1..].to_vec()));
    assert_eq!(after(&[drafted(), sent(), rejected()]), Err(Error::Closed));
    let agreed = Event::Agreed {
        negotiation: negotiation_id(),
        on: day("2026-03-02"),
        proposal: another(),
        revision: second(),
    };
    let agreed = [drafted(), sent(), opened(), agreed];
    assert_eq!(after(&agreed), Ok(all()));
    // Neither makes another revision of it alone.
    check(&agreed, draft(proposal()), Err(Error::AgreedOn));
}

#[test]
fn revisions_come_to_an_end() {
    let mut given = vec![drafted()];
    for number in 1..=Offer::MOST_REVISIONS {
        let proposal = if number % 2 == 1 { proposal() } else { another() };
        let revision = Some(Stamp::of(number, &proposal));
        given.extend([wrote(proposal), Event::Sent { on: day("2026-03-01"), revision }]);
    }
    check(&given, draft(proposal()), Err(Error::TooManyRevisions));
    let agree = Command::Agree {
        negotiation: negotiation_id(),
        lines: Box::new(proposal().lines),
        conditions: proposal().conditions(),
        today: day("2026-03-02"),
    };
    let in_negotiation = [&given[..], &[opened()]].concat();
    check(&in_negotiation, agree, Err(Error::TooManyRevisions));
    given.truncate(given.len() - 2);
    check(&given, draft(another()), Ok(vec![wrote(another())]));
}
