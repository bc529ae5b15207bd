//! Every transition and refusal of a request for quotation.

use uuid::Uuid;

use super::*;
use crate::fixtures::{answer, buyer, company, day};

const TODAY: &str = "2026-03-04";

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<QuotationRequest>(given, when), then);
}

fn line(delivery_on: Option<&str>) -> RequestedLine {
    RequestedLine {
        what: RequestedProduct::Described { wanted: "Kubki z naszym znakiem".parse().unwrap() },
        quantity: "500".parse().unwrap(),
        unit_price: Some("7.50".parse().unwrap()),
        delivery_on: delivery_on.map(day),
        note: None,
    }
}

fn inquiry() -> Inquiry {
    Inquiry {
        company: company(),
        currency: Currency::Pln,
        lines: vec![line(None), line(Some(TODAY))].try_into().unwrap(),
        message: None,
        answer_by: Some(day(TODAY)),
        delivery_address: None,
        attachments: Attachments::default(),
    }
}

fn request(inquiry: Inquiry) -> Command {
    Command::Request { inquiry: Box::new(inquiry), by: buyer(), today: day(TODAY) }
}

fn requested() -> Event {
    Event::Requested { inquiry: inquiry(), by: buyer() }
}

fn who(number: u128) -> EmployeeId {
    EmployeeId(Uuid::from_u128(number))
}

fn assigned(number: u128) -> Event {
    Event::Assigned { representative: who(number) }
}

fn offer(number: u128) -> OfferId {
    OfferId(Uuid::from_u128(number))
}

fn answered(number: u128) -> Event {
    Event::Answered { offer: offer(number) }
}

fn note(text: &str) -> Note {
    text.parse().unwrap()
}

fn declined() -> Event {
    Event::Declined { reason: note("Nie robimy kubków") }
}

fn withdrawn() -> Event {
    Event::Withdrawn { by: buyer(), reason: None }
}

fn decline() -> Command {
    Command::Decline { reason: note("Nie robimy kubków") }
}

fn withdraw() -> Command {
    Command::Withdraw { by: buyer(), reason: None }
}

#[test]
fn is_made_once() {
    check(&[], request(inquiry()), Ok(vec![requested()]));
    check(&[requested()], request(inquiry()), Ok(vec![]));
    check(&[requested(), answered(1)], request(inquiry()), Ok(vec![]));
    let other = || Inquiry { currency: Currency::Eur, ..inquiry() };
    check(&[requested()], request(other()), Err(Error::AlreadyRequested));
    check(&[requested(), answered(1)], request(other()), Err(Error::AlreadyRequested));
    check(&[requested(), declined()], request(inquiry()), Err(Error::AlreadyRequested));
}

#[test]
fn wants_nothing_on_days_that_are_over() {
    let by = |date: &str| Inquiry { answer_by: Some(day(date)), ..inquiry() };
    let on = |date: &str| {
        let lines = vec![line(None), line(Some(date))].try_into().unwrap();
        Inquiry { lines, ..inquiry() }
    };
    for date in ["2026-03-03", "3000-01-01"] {
        check(&[], request(by(date)), Err(Error::AnswerByOutOfRange));
        check(&[], request(on(date)), Err(Error::DeliveryOutOfRange { line: 2 }));
    }
    let open = Inquiry { answer_by: None, ..on("2026-03-05") };
    check(&[], request(open.clone()), Ok(vec![Event::Requested { inquiry: open, by: buyer() }]));
}

#[test]
fn has_one_to_five_hundred_lines() {
    let many = |count| RequestedLines::try_from(vec![line(None); count]).map(|lines| lines.len());
    assert_eq!(many(0), Err(RequestedLinesError));
    assert_eq!(many(1), Ok(1));
    assert_eq!(many(RequestedLines::MAX), Ok(500));
    assert_eq!(many(RequestedLines::MAX + 1), Err(RequestedLinesError));
}

#[test]
fn is_given_to_one_after_another() {
    let assign = |number| Command::Assign { representative: who(number) };
    check(&[], assign(1), Err(Error::Unrequested));
    check(&[requested()], assign(1), Ok(vec![assigned(1)]));
    check(&[requested(), assigned(1)], assign(1), Ok(vec![]));
    check(&[requested(), assigned(1)], assign(2), Ok(vec![assigned(2)]));
    check(&[requested(), assigned(1), answered(1)], assign(1), Ok(vec![]));
    check(&[requested(), assigned(1), answered(1)], assign(2), Err(Error::AlreadyAnswered));
    for closed in [declined(), withdrawn()] {
        check(&[requested(), assigned(1), closed], assign(1), Err(Error::Closed));
    }
}

#[test]
fn is_taken_from_nobody_who_can_see_to_it() {
    let take = |number, is_free| Command::Take { by: who(number), is_free };
    check(&[], take(1, true), Err(Error::Unrequested));
    check(&[requested()], take(1, false), Ok(vec![assigned(1)]));
    check(&[requested(), assigned(1)], take(1, false), Ok(vec![]));
    check(&[requested(), assigned(1)], take(2, false), Err(Error::InOtherHands));
    check(&[requested(), assigned(1)], take(2, true), Ok(vec![assigned(2)]));
    check(&[requested(), assigned(1), answered(1)], take(2, true), Err(Error::AlreadyAnswered));
    check(&[requested(), withdrawn()], take(1, true), Err(Error::Closed));
}

#[test]
fn is_answered_by_one_offer_or_more() {
    let respond = |number| Command::Answer { offer: offer(number) };
    check(&[], respond(1), Err(Error::Unrequested));
    // Also when nobody has taken it.
    check(&[requested()], respond(1), Ok(vec![answered(1)]));
    check(&[requested(), assigned(1)], respond(1), Ok(vec![answered(1)]));
    check(&[requested(), answered(1)], respond(1), Ok(vec![]));
    check(&[requested(), answered(1)], respond(2), Ok(vec![answered(2)]));
    check(&[requested(), answered(1), answered(2)], respond(1), Ok(vec![]));
    for closed in [declined(), withdrawn()] {
        check(&[requested(), closed], respond(1), Err(Error::Closed));
    }
    let most = QuotationRequest::MOST_OFFERS as u128;
    let all: Vec<Event> = [requested()].into_iter().chain((1..=most).map(answered)).collect();
    check(&all, respond(most), Ok(vec![]));
    check(&all, respond(most + 1), Err(Error::TooManyOffers));
}

#[test]
fn ends_without_an_offer_once() {
    for (close, closed, other) in
        [(decline(), declined(), withdraw()), (withdraw(), withdrawn(), decline())]
    {
        check(&[], close.clone(), Err(Error::Unrequested));
        check(&[requested()], close.clone(), Ok(vec![closed.clone()]));
        check(&[requested(), assigned(1)], close.clone(), Ok(vec![closed.clone()]));
        check(&[requested(), closed.clone()], close.clone(), Ok(vec![]));
        check(&[requested(), closed], other, Err(Error::Closed));
        check(&[requested(), answered(1)], close, Err(Error::AlreadyAnswered));
    }
}

#[test]
fn says_what_is_asked_while_it_can_be_answered() {
    let after = |events: &[Event]| {
        events.iter().cloned().fold(QuotationRequest::default(), QuotationRequest::evolve)
    };
    let asked = |representative| Asked { inquiry: inquiry(), representative };
    assert_eq!(after(&[]).open(), Err(Error::Unrequested));
    assert_eq!(after(&[requested()]).open(), Ok(&asked(None)));
    assert_eq!(after(&[requested(), assigned(1), assigned(2)]).open(), Ok(&asked(Some(who(2)))));
    assert_eq!(after(&[requested(), assigned(1), answered(1)]).open(), Ok(&asked(Some(who(1)))));
    assert_eq!(after(&[requested(), declined()]).open(), Err(Error::Closed));
    for events in
        [&[][..], &[requested()], &[requested(), answered(1)], &[requested(), withdrawn()]]
    {
        let whose = after(events).company();
        assert_eq!(whose, (!events.is_empty()).then(company), "{events:?}");
    }
}
