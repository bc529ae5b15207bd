//! Every transition and refusal of a document, and that it always adds up.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::fixtures::{TERM, answer, company, day, lines, pln};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Invoice>(given, when), then);
}

fn number() -> Number {
    Number::try_from("FV/2026/03/0001".to_owned()).unwrap()
}

fn sale() -> Sale {
    Sale {
        company: company(),
        order: OrderId(Uuid::from_u128(1)),
        shipment: ShipmentId(Uuid::from_u128(2)),
        currency: Currency::Pln,
        lines: lines(),
        payment_term: TERM,
        annex_15: false,
        on: day("2026-03-20"),
    }
}

/// 20.00 at 23 % and 5.00 at 5 %: 29.85 in all.
fn issued() -> Event {
    let Sale { company, order, shipment, currency, lines, on, .. } = sale();
    let totals = Totals::of(&lines, currency).unwrap();
    let (number, due_on) = (number(), day("2026-04-03"));
    Event::Issued {
        number,
        company,
        order,
        shipment,
        currency,
        lines,
        totals,
        on,
        due_on,
        early: None,
        split_payment: false,
    }
}

fn credit() -> Credit {
    Credit {
        company: company(),
        corrects: None,
        currency: Currency::Pln,
        lines: lines(),
        reason: None,
        on: day("2026-03-25"),
    }
}

fn credit_note() -> Event {
    let Credit { company, corrects, currency, lines, reason, on } = credit();
    let totals = Totals::of(&lines, currency).unwrap();
    let number = number();
    Event::CreditNoteIssued { number, company, corrects, currency, lines, totals, reason, on }
}

fn payment() -> PaymentId {
    PaymentId(Uuid::from_u128(3))
}

fn other() -> InvoiceId {
    InvoiceId(Uuid::from_u128(4))
}

fn pay(amount: &str) -> Command {
    Command::AllocatePayment { payment: payment(), amount: pln(amount) }
}

fn apply(amount: &str) -> Command {
    Command::ApplyCredit { credit_note: other(), amount: pln(amount) }
}

fn give(amount: &str) -> Command {
    Command::GiveCredit { invoice: other(), amount: pln(amount) }
}

fn part_paid(amount: &str) -> Event {
    Event::PartPaid { payment: payment(), amount: pln(amount) }
}

#[test]
fn is_issued_once_with_its_sums_and_due_date() {
    check(&[], Command::Issue { number: number(), sale: sale() }, Ok(vec![issued()]));
    let again = Command::Issue { number: number(), sale: sale() };
    check(&[issued()], again, Err(Error::AlreadyIssued));
    let credit_command = Command::IssueCreditNote { number: number(), credit: credit() };
    check(&[], credit_command.clone(), Ok(vec![credit_note()]));
    check(&[issued()], credit_command, Err(Error::AlreadyIssued));
    let Event::Issued { totals, .. } = issued() else { unreachable!() };
    assert_eq!(totals.gross, pln("29.85"));
}

#[test]
fn takes_no_more_than_is_open() {
    let open = pln("9.85");
    let paid = Event::Paid { payment: payment(), amount: open };
    check(&[issued()], pay("20.00"), Ok(vec![part_paid("20.00")]));
    check(&[issued(), part_paid("20.00")], pay("9.85"), Ok(vec![paid.clone()]));
    let too_much = Err(Error::MoreThanOpen { open });
    check(&[issued(), part_paid("20.00")], pay("9.86"), too_much);
    let too_much = Err(Error::MoreThanOpen { open: pln("0.00") });
    check(&[issued(), part_paid("20.00"), paid], pay("0.01"), too_much);
    check(&[issued()], pay("0.00"), Err(Error::NotPositive));
    check(&[issued()], pay("-1.00"), Err(Error::NotPositive));
    check(&[], pay("1.00"), Err(Error::Unissued));
    check(&[credit_note()], pay("1.00"), Err(Error::IsCreditNote));
    let euros = Money::new(1.into(), Currency::Eur).unwrap();
    let command = Command::AllocatePayment { payment: payment(), amount: euros };
    check(&[issued()], command, Err(Error::Money(MoneyError::CurrencyMismatch)));
}

#[test]
fn credit_is_given_once() {
    let credited = Event::Credited { credit_note: other(), amount: pln("29.85") };
    check(&[issued()], apply("29.85"), Ok(vec![credited]));
    check(&[issued()], apply("29.86"), Err(Error::MoreThanOpen { open: pln("29.85") }));
    let given = Event::CreditGiven { invoice: other(), amount: pln("29.85") };
    check(&[credit_note()], give("29.85"), Ok(vec![given.clone()]));
    let unapplied = pln("0.00");
    let too_much = Err(Error::MoreThanUnapplied { unapplied });
    check(&[credit_note(), given], give("0.01"), too_much);
    check(&[issued()], give("1.00"), Err(Error::NotCreditNote));
    check(&[], give("1.00"), Err(Error::Unissued));
    check(&[credit_note()], apply("1.00"), Err(Error::IsCreditNote));
}

proptest! {
    /// Open plus all that was allocated and credited is always what was charged.
    #[test]
    fn always_adds_up(amounts in prop::collection::vec((any::<bool>(), 1_i64..2_000), 0..20)) {
        let mut invoice = Invoice::default().evolve(issued());
        let mut covered = pln("0.00");
        for (by_payment, grosze) in amounts {
            let amount = Money::new(rust_decimal::Decimal::new(grosze, 2), Currency::Pln).unwrap();
            let command = if by_payment {
                Command::AllocatePayment { payment: payment(), amount }
            } else {
                Command::ApplyCredit { credit_note: other(), amount }
            };
            if let Ok(events) = invoice.decide(command) {
                invoice = events.into_iter().fold(invoice, Invoice::evolve);
                covered = covered.plus(amount).unwrap();
            }
            prop_assert_eq!(invoice.open().unwrap().0.plus(covered).unwrap(), pln("29.85"));
        }
    }
}

#[test]
fn says_what_paying_early_is_worth_and_when_payment_is_split() {
    let issue = |sale: Sale| {
        let command = Command::Issue { number: number(), sale };
        let mut events = answer::<Invoice>(&[], command).unwrap();
        let Event::Issued { early, split_payment, .. } = events.remove(0) else { unreachable!() };
        (early, split_payment)
    };
    let early = "net 14 early 2/10".parse().unwrap();
    // 2 % of 29.85 is 0.597.
    let until = Early { until: day("2026-03-30"), to_pay: pln("29.25") };
    assert_eq!(issue(Sale { payment_term: early, ..sale() }), (Some(until), false));
    let worth = |quantity: &str, annex_15| {
        let line = crate::fixtures::line(quantity, "1.00", crate::VatRate::Zero);
        issue(Sale { lines: vec![line].try_into().unwrap(), annex_15, ..sale() }).1
    };
    assert!(!worth("15000", true));
    assert!(worth("15001", true));
    assert!(!worth("15001", false));
    let euros = Sale { currency: Currency::Eur, annex_15: true, ..sale() };
    let line = crate::fixtures::line("20000", "1.00", crate::VatRate::Zero);
    assert!(!issue(Sale { lines: vec![line].try_into().unwrap(), ..euros }).1);
}
