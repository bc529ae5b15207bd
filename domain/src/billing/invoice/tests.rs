//! Every transition and refusal of a document, and that it always adds up.

use std::collections::BTreeMap;

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
        totals: None,
        reason: None,
        on: day("2026-03-25"),
    }
}

fn credit_note() -> Event {
    let Credit { company, corrects, currency, lines, reason, on, .. } = credit();
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
        let line = crate::fixtures::line(quantity, "1.00", crate::kernel::VatRate::Zero);
        issue(Sale { lines: vec![line].try_into().unwrap(), annex_15, ..sale() }).1
    };
    assert!(!worth("15000", true));
    assert!(worth("15001", true));
    assert!(!worth("15001", false));
    let euros = Sale { currency: Currency::Eur, annex_15: true, ..sale() };
    let line = crate::fixtures::line("20000", "1.00", crate::kernel::VatRate::Zero);
    assert!(!issue(Sale { lines: vec![line].try_into().unwrap(), ..euros }).1);
}

fn note(number: u128) -> InvoiceId {
    InvoiceId(Uuid::from_u128(number))
}

fn item(line: u32, quantity: &str) -> Item {
    Item { line, quantity: quantity.parse().unwrap(), price_reduction: None }
}

fn correct(number: u128, items: &[Item], on: &str) -> Command {
    Command::Correct { credit_note: note(number), items: items.to_vec(), on: day(on) }
}

fn two_at_six_groszy() -> Event {
    let lines: Lines =
        vec![crate::fixtures::line("2", "0.06", crate::kernel::VatRate::Basic)].try_into().unwrap();
    let command = Command::Issue { number: number(), sale: Sale { lines, ..sale() } };
    answer::<Invoice>(&[], command).unwrap().remove(0)
}

fn corrected(given: &[Event], when: Command) -> (Event, Totals) {
    let event = answer::<Invoice>(given, when).unwrap().remove(0);
    let Event::Corrected { totals, .. } = &event else { unreachable!() };
    (event.clone(), totals.clone())
}

#[test]
fn the_last_part_takes_the_rest() {
    // 0.12 at 23 % is 0.03; half of it alone would be 0.01.
    let issued = two_at_six_groszy();
    let on = "2026-03-25";
    let (first, totals) = corrected(std::slice::from_ref(&issued), correct(1, &[item(1, "1")], on));
    assert_eq!((totals.vat, totals.gross), (pln("0.01"), pln("0.07")));
    let (second, totals) =
        corrected(&[issued.clone(), first.clone()], correct(2, &[item(1, "1")], on));
    assert_eq!((totals.vat, totals.gross), (pln("0.02"), pln("0.08")));
    let left = rust_decimal::Decimal::ZERO;
    let nothing = Err(Error::MoreThanLeft { item: 0, line: 1, left });
    check(&[issued, first, second], correct(3, &[item(1, "0.001")], on), nothing);
}

#[test]
fn a_correction_is_held_to_its_invoice() {
    let on = "2026-03-25";
    let left = 4.into();
    let too_much = Err(Error::MoreThanLeft { item: 1, line: 1, left });
    // A line that is named twice counts twice.
    check(&[issued()], correct(1, &[item(1, "6"), item(1, "5")], on), too_much);
    let nowhere = Err(Error::NoSuchLine { item: 0, line: 3 });
    check(&[issued()], correct(1, &[item(3, "1")], on), nowhere);
    let early = Err(Error::BeforeInvoice { on: day("2026-03-20") });
    check(&[issued()], correct(1, &[item(1, "1")], "2026-03-19"), early);
    assert!(answer::<Invoice>(&[issued()], correct(1, &[item(1, "1")], "2026-03-20")).is_ok());
    check(&[], correct(1, &[item(1, "1")], on), Err(Error::Unissued));
    check(&[credit_note()], correct(1, &[item(1, "1")], on), Err(Error::IsCreditNote));
}

/// A credit note of an older build stands outside the invoice's history until it is counted.
#[test]
fn counts_credit_notes_of_older_builds_once() {
    let on = "2026-03-25";
    let old = |quantity: &str, price: &str| {
        let line = crate::fixtures::line(quantity, price, crate::kernel::VatRate::Basic);
        let lines: Lines = vec![line].try_into().unwrap();
        let totals = Totals::of(&lines, Currency::Pln).unwrap();
        Command::CountCreditNote { credit_note: note(7), lines, totals }
    };
    let (counted, _) = corrected(&[issued()], old("4", "2.00"));
    check(&[issued(), counted.clone()], old("4", "2.00"), Ok(vec![]));
    let too_much = Err(Error::MoreThanLeft { item: 0, line: 1, left: 6.into() });
    check(&[issued(), counted.clone()], correct(1, &[item(1, "7")], on), too_much);
    let whole = [item(1, "6"), item(2, "5")];
    let (_, totals) = corrected(&[issued(), counted], correct(1, &whole, on));
    // 8.00 of 20.00 was given back with 1.84 of 4.60; 5.00 with 0.25 was not.
    assert_eq!(totals.gross, pln("20.01"));

    // At a price that nobody paid, it has given back more than all.
    let (counted, _) = corrected(&[issued()], old("4", "50.00"));
    let nothing = Err(Error::AboveInvoice { left: pln("0.00") });
    check(&[issued(), counted], correct(1, &[item(2, "1")], on), nothing);
}

proptest! {
    /// An invoice that is credited in any parts, in any order, ends at exactly nothing: net and
    /// tax of every rate, and in all.
    #[test]
    fn credited_in_any_parts_it_ends_at_nothing(
        lines in prop::collection::vec((1_i64..5_000, 0_i64..30_000, 0_usize..5), 1..6),
        parts in prop::collection::vec((any::<prop::sample::Index>(), 1_i64..2_000, 1_usize..4), 0..40),
    ) {
        use rust_decimal::Decimal;
        let lines: Vec<crate::kernel::Line> = lines
            .into_iter()
            .map(|(milli, price, rate)| {
                let (quantity, price) = (Decimal::new(milli, 3), Decimal::new(price, 4));
                let rate = crate::kernel::VatRate::ALL[rate];
                crate::fixtures::line(&quantity.to_string(), &price.to_string(), rate)
            })
            .collect();
        let mut left: Vec<i64> = lines
            .iter()
            .map(|line| i64::try_from(line.quantity.units() * Decimal::ONE_THOUSAND).unwrap())
            .collect();
        let sale = Sale { lines: lines.try_into().unwrap(), ..sale() };
        let issue = Command::Issue { number: number(), sale };
        let issued = Invoice::default().decide(issue).unwrap().remove(0);
        let Event::Issued { totals: charged, .. } = issued.clone() else { unreachable!() };
        let mut invoice = Invoice::default().evolve(issued);
        let mut open: BTreeMap<_, (Money, Money)> =
            charged.by_rate.iter().map(|of| (of.rate, (of.net, of.vat))).collect();
        let mut notes: Vec<Vec<Item>> = Vec::new();
        for (line, milli, repeats) in parts {
            let line = line.index(left.len());
            let mut items = Vec::new();
            for _ in 0..repeats {
                let milli = milli.min(left[line]);
                left[line] -= milli;
                if milli > 0 {
                    let quantity = crate::kernel::Quantity::new(Decimal::new(milli, 3)).unwrap();
                    let line = u32::try_from(line).unwrap() + 1;
                    items.push(Item { line, quantity, price_reduction: None });
                }
            }
            notes.push(items);
        }
        let rest = (1..).zip(&left).filter(|(_, milli)| **milli > 0).map(|(line, milli)| Item {
            line,
            quantity: crate::kernel::Quantity::new(Decimal::new(*milli, 3)).unwrap(),
            price_reduction: None,
        });
        notes.push(rest.collect());
        for (number, items) in (1..).zip(notes) {
            let events = invoice.decide(correct(number, &items, "2026-03-25")).unwrap();
            let [Event::Corrected { totals, .. }] = &events[..] else { unreachable!() };
            for of in &totals.by_rate {
                prop_assert!(!of.net.is_negative() && !of.vat.is_negative());
                let (net, vat) = open[&of.rate];
                open.insert(of.rate, (net.minus(of.net).unwrap(), vat.minus(of.vat).unwrap()));
            }
            // What a whole note of the invoice gives is what is open on it.
            if totals.gross.is_positive() {
                let apply = Command::ApplyCredit { credit_note: note(number), amount: totals.gross };
                let applied = invoice.decide(apply).unwrap();
                invoice = applied.into_iter().fold(invoice, Invoice::evolve);
            }
            invoice = events.into_iter().fold(invoice, Invoice::evolve);
        }
        prop_assert!(open.values().all(|(net, vat)| net.is_zero() && vat.is_zero()), "{open:?}");
        prop_assert!(invoice.open().unwrap().0.is_zero());
    }
}

#[test]
fn a_lowered_price_leaves_the_goods_sold_at_what_is_left() {
    let on = "2026-03-25";
    let lower = |line, quantity, price: &str| Item {
        price_reduction: Some(price.parse().unwrap()),
        ..item(line, quantity)
    };
    // 20.00 for ten; 0.50 less for four of them.
    let (lowered, totals) = corrected(&[issued()], correct(1, &[lower(1, "4", "0.50")], on));
    assert_eq!((totals.net, totals.vat), (pln("2.00"), pln("0.46")));
    // All ten come back at the 18.00 that are left.
    let given = [issued(), lowered.clone()];
    let (_, totals) = corrected(&given, correct(2, &[item(1, "10")], on));
    assert_eq!((totals.net, totals.vat), (pln("18.00"), pln("4.14")));
    let (third, totals) = corrected(&given, correct(2, &[item(1, "3")], on));
    assert_eq!(totals.net, pln("5.40"));
    let invoice = given.into_iter().fold(Invoice::default(), Invoice::evolve);
    let Event::Corrected { items, .. } = &third else { unreachable!() };
    let lines = invoice.charged().unwrap().lines_of(items);
    assert_eq!(lines[0].unit_price, "1.80".parse().unwrap());

    let left = 10.into();
    let too_many = Err(Error::MoreThanLeft { item: 0, line: 1, left });
    check(&[issued()], correct(1, &[lower(1, "10.001", "0.01")], on), too_many);
    let left = pln("20.00");
    let above = Err(Error::AboveLine { item: 0, line: 1, left });
    check(&[issued()], correct(1, &[lower(1, "1", "2.01")], on), above);
    let left = pln("18.00");
    let above = Err(Error::AboveLine { item: 0, line: 1, left });
    check(&[issued(), lowered], correct(2, &[lower(1, "10", "1.9")], on), above);
}
