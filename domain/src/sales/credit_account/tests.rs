//! Every rule of a credit account, and its sums over random histories.

use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::fixtures::{answer, company, day, pln};

const HOLDER: CompanyId = CompanyId(Uuid::from_u128(0xC0));

fn at(minute: u32) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + 60 * i64::from(minute)).unwrap()
}

fn order(number: u32) -> OrderId {
    OrderId(Uuid::from_u128(u128::from(number)))
}

fn shipment(number: u32) -> ShipmentId {
    ShipmentId(Uuid::from_u128(u128::from(number)))
}

fn invoice(number: u32) -> InvoiceId {
    InvoiceId(Uuid::from_u128(u128::from(number)))
}

fn payment(number: u32) -> PaymentId {
    PaymentId(Uuid::from_u128(u128::from(number)))
}

fn facts(limit: Option<&str>) -> Facts {
    let today = day("2026-03-31");
    Facts { holder: HOLDER, currency: Currency::Pln, limit: limit.map(pln), today }
}

fn reserve(number: u32, amount: &str) -> Change {
    Change::Reserve {
        company: company(),
        order: order(number),
        amount: pln(amount),
        at: at(number),
        grace_days: Some(7),
        may_hold: true,
    }
}

fn reserved(number: u32, amount: &str, held_for: &[HoldReason]) -> Event {
    Event::Reserved {
        company: company(),
        order: order(number),
        amount: pln(amount),
        at: at(number),
        grace_days: Some(7),
        held_for: held_for.to_vec(),
    }
}

fn released(number: u32, amount: &str) -> Event {
    let (company, order, amount) = (company(), order(number), pln(amount));
    Event::HoldReleased { company, order, amount, by: None, reason: None }
}

fn free(number: u32) -> Change {
    Change::Free { company: company(), order: order(number) }
}

fn pay(number: u32, amount: &str) -> Change {
    Change::Pay { company: company(), payment: payment(number), amount: pln(amount) }
}

fn paid(number: u32, amount: &str) -> Event {
    Event::Paid { company: company(), payment: payment(number), amount: pln(amount) }
}

fn invoiced(number: u32, amount: &str, due_on: &str) -> Event {
    Event::Invoiced {
        company: company(),
        invoice: invoice(number),
        shipment: shipment(number),
        amount: pln(amount),
        from_delivered: pln("0.00"),
        due_on: day(due_on),
    }
}

const OPENED: Event = Event::Opened { holder: HOLDER, currency: Currency::Pln };

#[track_caller]
fn check(given: &[Event], limit: Option<&str>, change: Change, then: Result<Vec<Event>, Error>) {
    let when = Command { facts: facts(limit), change };
    assert_eq!(answer::<CreditAccount>(given, when), then);
}

#[test]
fn an_order_over_the_limit_is_on_hold() {
    let over = [HoldReason::OverLimit];
    let given = [OPENED, reserved(1, "60.00", &[])];
    check(&[], None, reserve(1, "60.00"), Ok(given.to_vec()));
    check(&given, Some("100.00"), reserve(1, "60.00"), Ok(vec![]));
    check(&given, Some("100.00"), reserve(2, "40.00"), Ok(vec![reserved(2, "40.00", &[])]));
    let held = reserved(2, "40.01", &over);
    check(&given, Some("100.00"), reserve(2, "40.01"), Ok(vec![held.clone()]));
    // What is on hold uses nothing of the limit.
    let given = [OPENED, reserved(1, "60.00", &[]), held];
    check(&given, Some("100.00"), reserve(3, "40.00"), Ok(vec![reserved(3, "40.00", &[])]));
    check(&[], Some("0.00"), reserve(1, "0.01"), Ok(vec![OPENED, reserved(1, "0.01", &over)]));
    let accepted = Change::Reserve {
        company: company(),
        order: order(1),
        amount: pln("9.00"),
        at: at(1),
        grace_days: Some(7),
        may_hold: false,
    };
    check(&[], Some("0.00"), accepted, Ok(vec![OPENED, reserved(1, "9.00", &[])]));
}

#[test]
fn the_oldest_order_that_fits_is_released_first() {
    let over = [HoldReason::OverLimit];
    let given = [
        OPENED,
        reserved(1, "60.00", &[]),
        reserved(4, "50.00", &over),
        reserved(2, "70.00", &over),
        reserved(3, "45.00", &over),
    ];
    // 90 is free: the 70 of order 2 fit, then nothing else does.
    let then = vec![paid(1, "50.00"), released(2, "70.00")];
    check(&given, Some("100.00"), pay(1, "50.00"), Ok(then));
    let freed = Event::Freed {
        company: company(),
        order: order(1),
        amount: pln("60.00"),
        was_on_hold: false,
    };
    check(&given, Some("100.00"), free(1), Ok(vec![freed, released(2, "70.00")]));
    check(&given, Some("110.00"), Change::Review, Ok(vec![released(3, "45.00")]));
    check(
        &given,
        None,
        Change::Review,
        Ok(vec![released(2, "70.00"), released(3, "45.00"), released(4, "50.00")]),
    );
}

#[test]
fn somebody_releases_an_order_whatever_the_limit() {
    let given = [OPENED, reserved(1, "60.00", &[HoldReason::OverLimit])];
    let by = crate::fixtures::buyer();
    let reason: Note = "Zapłacą".parse().unwrap();
    let release =
        Change::Release { company: company(), order: order(1), by, reason: reason.clone() };
    let released = Event::HoldReleased {
        company: company(),
        order: order(1),
        amount: pln("60.00"),
        by: Some(by),
        reason: Some(reason),
    };
    check(&given, Some("10.00"), release.clone(), Ok(vec![released.clone()]));
    let [opened, held] = given;
    check(&[opened, held, released], Some("10.00"), release, Ok(vec![]));
}

#[test]
fn an_overdue_invoice_holds_orders_until_it_is_paid() {
    let given = [OPENED, invoiced(1, "10.00", "2026-03-24")];
    check(&given, None, reserve(1, "1.00"), Ok(vec![reserved(1, "1.00", &[])]));
    let given = [OPENED, invoiced(1, "10.00", "2026-03-23")];
    let held = reserved(1, "1.00", &[HoldReason::Overdue]);
    check(&given, None, reserve(1, "1.00"), Ok(vec![held.clone()]));
    let given = [OPENED, invoiced(1, "10.00", "2026-03-23"), held, paid(1, "10.00")];
    let allocated = Event::Allocated {
        company: company(),
        invoice: invoice(1),
        source: Source::Payment { payment: payment(1) },
        amount: pln("10.00"),
    };
    let allocate = Change::Allocate {
        company: company(),
        invoice: invoice(1),
        source: Source::Payment { payment: payment(1) },
        amount: pln("10.00"),
    };
    check(&given, None, allocate, Ok(vec![allocated, released(1, "1.00")]));
}

#[test]
fn goods_of_a_prepaid_order_leave_when_it_is_paid() {
    let deliver = Change::Deliver {
        company: company(),
        order: order(1),
        shipment: shipment(1),
        amount: pln("60.00"),
        is_last: true,
        is_prepaid: true,
    };
    let given = [OPENED, reserved(1, "60.00", &[])];
    let missing = pln("60.00");
    check(&given, None, deliver.clone(), Err(Error::AwaitsPayment { missing }));
    let given = [OPENED, reserved(1, "60.00", &[]), paid(1, "59.99")];
    let missing = pln("0.01");
    check(&given, None, deliver.clone(), Err(Error::AwaitsPayment { missing }));
    let given = [OPENED, reserved(1, "60.00", &[]), paid(1, "60.00")];
    let delivered = Event::Delivered {
        company: company(),
        order: order(1),
        shipment: shipment(1),
        amount: pln("60.00"),
        from_reserved: pln("60.00"),
        is_last: true,
    };
    check(&given, None, deliver, Ok(vec![delivered]));
}

#[test]
fn a_document_counts_once() {
    let given = [OPENED, paid(1, "10.00"), invoiced(1, "20.00", "2026-04-30")];
    check(&given, None, pay(1, "10.00"), Ok(vec![]));
    let again = Change::Invoice {
        company: company(),
        invoice: invoice(1),
        shipment: shipment(1),
        amount: pln("20.00"),
        due_on: day("2026-04-30"),
    };
    check(&given, None, again, Ok(vec![]));
}

/// What can be done in a random history.
#[derive(Debug, Clone)]
enum Step {
    Reserve { member: u128, cents: i64 },
    Free { order: usize },
    Deliver { order: usize, share: i64, is_last: bool },
    Invoice { shipment: usize, due: i8 },
    Pay { member: u128, cents: i64 },
    Credit { member: u128, cents: i64 },
    Allocate { invoice: usize, payment: usize, cents: i64 },
    Limit { cents: Option<i64> },
}

fn step() -> impl Strategy<Value = Step> {
    let index = 0_usize..40;
    prop_oneof![
        6 => (0_u128..3, 0_i64..5_000).prop_map(|(member, cents)| Step::Reserve { member, cents }),
        2 => index.clone().prop_map(|order| Step::Free { order }),
        4 => (index.clone(), 0_i64..120, any::<bool>()).prop_map(|(order, share, is_last)| {
            Step::Deliver { order, share, is_last }
        }),
        4 => (index.clone(), 1_i8..28).prop_map(|(shipment, due)| Step::Invoice { shipment, due }),
        3 => (0_u128..3, 1_i64..5_000).prop_map(|(member, cents)| Step::Pay { member, cents }),
        1 => (0_u128..3, 1_i64..500).prop_map(|(member, cents)| Step::Credit { member, cents }),
        2 => (index.clone(), index, 1_i64..5_000).prop_map(|(invoice, payment, cents)| {
            Step::Allocate { invoice, payment, cents }
        }),
        1 => prop::option::of(0_i64..20_000).prop_map(|cents| Step::Limit { cents }),
    ]
}

fn cents(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::Pln).unwrap()
}

/// An account and what a simple bookkeeper makes of the same steps.
struct Trade {
    account: CreditAccount,
    facts: Facts,
    /// Every order with its member, its sum and what was shipped of it.
    orders: Vec<(CompanyId, Money, Money, bool)>,
    /// Every shipment with its member and sum, until it is invoiced.
    shipments: Vec<Option<(CompanyId, Money)>>,
    invoices: Vec<(CompanyId, Money)>,
    payments: Vec<(CompanyId, Money)>,
    credited: Money,
    events: Vec<Event>,
}

impl Trade {
    fn decide(&mut self, change: Change) -> Vec<Event> {
        let command = Command { facts: self.facts, change };
        let events = self.account.decide(command).unwrap();
        for event in events.clone() {
            self.account = std::mem::take(&mut self.account).evolve(event);
            for ledger in self.account.members.values() {
                assert_eq!(ledger.sums(Currency::Pln), ledger.summed(Currency::Pln));
            }
        }
        self.events.extend(events.iter().cloned());
        events
    }

    fn number(of: usize) -> u32 {
        u32::try_from(of).unwrap()
    }

    fn reserve(&mut self, company: CompanyId, amount: Money) {
        self.orders.push((company, amount, cents(0), true));
        let order = Self::number(self.orders.len());
        let before = self.account.exposure(Currency::Pln).unwrap();
        let events = self.decide(Change::Reserve {
            company,
            order: super::tests::order(order),
            amount,
            at: at(order),
            grace_days: Some(7),
            may_hold: true,
        });
        let after = self.account.exposure(Currency::Pln).unwrap();
        // An order that passes leaves the exposure within the limit.
        if let Some(limit) = self.facts.limit
            && after != before
        {
            assert!(after.amount() <= limit.amount(), "{events:?}");
        }
    }

    fn step(&mut self, step: Step) {
        let member = |number: u128| CompanyId(Uuid::from_u128(0xC0 + number));
        match step {
            Step::Reserve { member: number, cents: amount } => {
                self.reserve(member(number), cents(amount));
            }
            Step::Free { order } if order < self.orders.len() => {
                let (company, _, _, is_open) = &mut self.orders[order];
                *is_open = false;
                let company = *company;
                let order = super::tests::order(Self::number(order + 1));
                self.decide(Change::Free { company, order });
            }
            Step::Deliver { order, share, is_last } if order < self.orders.len() => {
                let (company, amount, shipped, is_open) = self.orders[order];
                let id = super::tests::order(Self::number(order + 1));
                if !is_open || self.account.is_on_hold(company, id) {
                    return;
                }
                let part =
                    cents(i64::try_from((amount.amount() * Decimal::from(share)).trunc()).unwrap());
                let rest = amount.minus(shipped).unwrap();
                let part = part.min(rest).unwrap();
                self.orders[order].2 = shipped.plus(part).unwrap();
                self.orders[order].3 = !is_last;
                self.shipments.push(Some((company, part)));
                let before = self.account.exposure(Currency::Pln).unwrap();
                let events = self.decide(Change::Deliver {
                    company,
                    order: id,
                    shipment: shipment(Self::number(self.shipments.len())),
                    amount: part,
                    is_last,
                    is_prepaid: false,
                });
                if !is_last {
                    assert_eq!(self.account.exposure(Currency::Pln).unwrap(), before, "{events:?}");
                }
            }
            Step::Invoice { shipment: of, due } if of < self.shipments.len() => {
                let Some((company, amount)) = self.shipments[of].take() else { return };
                self.invoices.push((company, amount));
                let before = self.account.exposure(Currency::Pln).unwrap();
                self.decide(Change::Invoice {
                    company,
                    invoice: invoice(Self::number(self.invoices.len())),
                    shipment: shipment(Self::number(of + 1)),
                    amount,
                    due_on: jiff::civil::date(2026, 3, due),
                });
                assert_eq!(self.account.exposure(Currency::Pln).unwrap(), before);
            }
            Step::Pay { member: number, cents: amount } => {
                let (company, amount) = (member(number), cents(amount));
                self.payments.push((company, amount));
                let payment = payment(Self::number(self.payments.len()));
                self.decide(Change::Pay { company, payment, amount });
            }
            Step::Credit { member: number, cents: amount } => {
                let (company, amount) = (member(number), cents(amount));
                self.credited = self.credited.plus(amount).unwrap();
                let number = u32::try_from(self.events.len()).unwrap() + 1_000;
                let credit_note = invoice(number);
                self.decide(Change::Credit { company, credit_note, amount });
            }
            Step::Allocate { invoice: of, payment: by, cents: amount }
                if of < self.invoices.len() && by < self.payments.len() =>
            {
                let (company, amount) = (self.invoices[of].0, cents(amount));
                if self.payments[by].0 != company {
                    return;
                }
                let invoice = invoice(Self::number(of + 1));
                let source = Source::Payment { payment: payment(Self::number(by + 1)) };
                let before = self.account.exposure(Currency::Pln).unwrap();
                let events = self.decide(Change::Allocate { company, invoice, source, amount });
                // Only a hold that ends by it changes the exposure.
                if events.len() == 1 {
                    assert_eq!(self.account.exposure(Currency::Pln).unwrap(), before);
                }
            }
            Step::Limit { cents: limit } => {
                self.facts.limit = limit.map(cents);
                self.decide(Change::Review);
            }
            Step::Free { .. }
            | Step::Deliver { .. }
            | Step::Invoice { .. }
            | Step::Allocate { .. } => {}
        }
        self.check();
    }

    /// The exposure is what a bookkeeper sums up from the documents.
    fn check(&self) {
        let sum = |amounts: &mut dyn Iterator<Item = Money>| {
            amounts.fold(cents(0), |sum, amount| sum.plus(amount).unwrap())
        };
        let open = (1..).zip(&self.orders).filter(|(_, (.., is_open))| *is_open);
        let mut accepted = cents(0);
        for (number, (company, amount, shipped, _)) in open {
            if !self.account.is_on_hold(*company, order(number)) {
                accepted = accepted.plus(*amount).unwrap().minus(*shipped).unwrap();
            }
        }
        let delivered = sum(&mut self.shipments.iter().flatten().map(|(_, amount)| *amount));
        let invoiced = sum(&mut self.invoices.iter().map(|(_, amount)| *amount));
        let paid = sum(&mut self.payments.iter().map(|(_, amount)| *amount));
        let expected = accepted.plus(delivered).unwrap().plus(invoiced).unwrap();
        let expected = expected.minus(paid).unwrap().minus(self.credited).unwrap();
        assert_eq!(self.account.exposure(Currency::Pln).unwrap(), expected);
    }
}

proptest! {
    #[test]
    fn the_exposure_is_what_documents_come_to(
        limit in prop::option::of(0_i64..20_000),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let facts = Facts { limit: limit.map(cents), ..facts(None) };
        let mut trade = Trade {
            account: CreditAccount::default(),
            facts,
            orders: vec![],
            shipments: vec![],
            invoices: vec![],
            payments: vec![],
            credited: cents(0),
            events: vec![],
        };
        for step in steps {
            trade.step(step);
        }
        // Replayed, it is the same.
        let replayed = trade.events.iter().cloned().fold(CreditAccount::default(), CreditAccount::evolve);
        prop_assert_eq!(&replayed, &trade.account);
        // Handed over member by member, it is the same elsewhere.
        let mut other = CreditAccount::default();
        for company in trade.account.companies().collect::<Vec<_>>() {
            let entries = trade.account.entries_of(company);
            let before = trade.account.sums_of(company, Currency::Pln);
            trade.decide(Change::Leave { company, to: HOLDER });
            other = other.evolve(Event::CompanyJoined { company, from: HOLDER, entries });
            prop_assert_eq!(other.sums_of(company, Currency::Pln), before);
        }
        prop_assert!(trade.account.members.is_empty());
        prop_assert!(trade.account.exposure(Currency::Pln).unwrap().is_zero());
    }

    /// Whatever is freed, delivered, invoiced and paid: nothing is left.
    #[test]
    fn when_all_is_settled_nothing_is_left(orders in prop::collection::vec((1_i64..5_000, 1_i64..5_000), 1..20)) {
        let mut trade = Trade {
            account: CreditAccount::default(),
            facts: Facts { limit: Some(cents(20_000)), ..facts(None) },
            orders: vec![],
            shipments: vec![],
            invoices: vec![],
            payments: vec![],
            credited: cents(0),
            events: vec![],
        };
        for (number, (amount, part)) in orders.into_iter().enumerate() {
            trade.step(Step::Reserve { member: 0, cents: amount });
            if part % 3 == 0 {
                trade.step(Step::Free { order: number });
                continue;
            }
            if trade.account.is_on_hold(company(), order(Trade::number(number + 1))) {
                continue;
            }
            for is_last in [false, true] {
                trade.step(Step::Deliver { order: number, share: 50, is_last });
                let shipment = trade.shipments.len() - 1;
                let Some((_, amount)) = trade.shipments[shipment] else { continue };
                trade.step(Step::Invoice { shipment, due: 1 });
                let cents = i64::try_from((amount.amount() * Decimal::ONE_HUNDRED).trunc()).unwrap();
                if cents > 0 {
                    trade.step(Step::Pay { member: 0, cents });
                    let (invoice, payment) = (trade.invoices.len() - 1, trade.payments.len() - 1);
                    trade.step(Step::Allocate { invoice, payment, cents });
                }
            }
        }
        for number in 0..trade.orders.len() {
            trade.step(Step::Free { order: number });
        }
        prop_assert!(trade.account.members.is_empty(), "{:?}", trade.account);
    }
}
