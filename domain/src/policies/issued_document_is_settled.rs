//! When an invoice or a credit note is issued, what was paid or credited before and is not used yet
//! is set against what is open: a payment that comes before its invoice pays it as one that comes
//! after it does.

use std::collections::BTreeMap;

use super::booked_payment_is_allocated::{OpenInvoice, allocations};
use crate::{
    billing::{invoice, series::Number},
    kernel::{CompanyId, Currency, InvoiceId, Money, PaymentId, money::MoneyError},
};

/// A fact: a payment or a credit note of which something is not set against an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct Unused {
    /// Which one.
    pub source: Source,
    /// The number of the invoice that the payer named.
    pub names: Option<Number>,
    /// What is left of it.
    pub amount: Money,
}

/// A payment or a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Money.
    Payment(PaymentId),
    /// A credit note.
    CreditNote(InvoiceId),
}

/// So much of a source for an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// What gives.
    pub source: Source,
    /// What takes.
    pub invoice: InvoiceId,
    /// How much.
    pub amount: Money,
}

/// Whose documents are to be settled after an event, and in which currency.
pub const fn react(event: &invoice::Event) -> Option<(CompanyId, Currency)> {
    match event {
        invoice::Event::Issued { company, currency, .. }
        | invoice::Event::CreditNoteIssued { company, currency, .. } => Some((*company, *currency)),
        invoice::Event::Corrected { .. }
        | invoice::Event::PartPaid { .. }
        | invoice::Event::Paid { .. }
        | invoice::Event::Credited { .. }
        | invoice::Event::CreditGiven { .. } => None,
    }
}

/// Which of `unused`, the oldest first, gives how much to which open invoice. What names an open
/// invoice comes first; then, as for payments, the invoice that is due first takes first.
pub fn settlements(
    mut unused: Vec<Unused>,
    mut invoices: Vec<OpenInvoice>,
) -> Result<Vec<Settlement>, MoneyError> {
    let names_one = |of: &Unused| {
        of.names.as_ref().is_some_and(|name| invoices.iter().any(|open| open.number == *name))
    };
    unused.sort_by_cached_key(|of| !names_one(of));
    let mut settlements = Vec::new();
    for Unused { source, names, amount } in unused {
        invoices.retain(|invoice| invoice.open.is_positive());
        let allocated = allocations(names.as_ref(), amount, invoices.clone())?;
        let taken: BTreeMap<InvoiceId, Money> = allocated.iter().copied().collect();
        for invoice in &mut invoices {
            if let Some(amount) = taken.get(&invoice.id) {
                invoice.open = invoice.open.minus(*amount)?;
            }
        }
        let settled = |(invoice, amount)| Settlement { source, invoice, amount };
        settlements.extend(allocated.into_iter().map(settled));
    }
    Ok(settlements)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{day, pln};

    fn invoice(sequence: u32, due_on: &str, open: Money) -> OpenInvoice {
        OpenInvoice {
            id: InvoiceId(Uuid::from_u128(sequence.into())),
            number: number(sequence),
            due_on: day(due_on),
            open,
        }
    }

    fn number(sequence: u32) -> Number {
        Number::try_from(format!("FV/2026/03/{sequence:04}")).unwrap()
    }

    fn paid(number: u128) -> Source {
        Source::Payment(PaymentId(Uuid::from_u128(number)))
    }

    fn noted(number: u128) -> Source {
        Source::CreditNote(InvoiceId(Uuid::from_u128(number)))
    }

    #[track_caller]
    fn check(unused: &[(Source, Option<u32>, &str)], then: &[(Source, u32, &str)]) {
        let invoices =
            vec![invoice(1, "2026-04-10", pln("10.00")), invoice(2, "2026-04-01", pln("20.00"))];
        let unused = unused.iter().map(|&(source, names, amount)| Unused {
            source,
            names: names.map(number),
            amount: pln(amount),
        });
        let then: Vec<Settlement> = then
            .iter()
            .map(|&(source, sequence, amount)| Settlement {
                source,
                invoice: InvoiceId(Uuid::from_u128(sequence.into())),
                amount: pln(amount),
            })
            .collect();
        assert_eq!(settlements(unused.collect(), invoices).unwrap(), then);
    }

    #[test]
    fn the_oldest_pays_what_is_due_first() {
        check(&[], &[]);
        check(&[(paid(1), None, "5.00")], &[(paid(1), 2, "5.00")]);
        check(
            &[(paid(1), None, "15.00"), (noted(2), None, "10.00"), (paid(3), None, "10.00")],
            &[
                (paid(1), 2, "15.00"),
                (noted(2), 2, "5.00"),
                (noted(2), 1, "5.00"),
                (paid(3), 1, "5.00"),
            ],
        );
        // What names an invoice that is open stands before what is older.
        check(
            &[(paid(1), None, "30.00"), (paid(2), Some(1), "10.00")],
            &[(paid(2), 1, "10.00"), (paid(1), 2, "20.00")],
        );
        check(&[(paid(1), Some(9), "5.00")], &[(paid(1), 2, "5.00")]);
    }

    proptest! {
        /// Uses up the lesser of what is there and what is open, and nothing twice.
        #[test]
        fn uses_up_what_it_can(
            amounts in prop::collection::vec(1_i64..3_000, 0..10),
            opens in prop::collection::vec(0_i64..3_000, 0..10),
        ) {
            let money = |grosze| Money::new(Decimal::new(grosze, 2), Currency::Pln).unwrap();
            let invoices: Vec<OpenInvoice> = (1..)
                .zip(&opens)
                .map(|(sequence, open)| invoice(sequence, "2026-04-01", money(*open)))
                .collect();
            let unused = (1..).zip(&amounts).map(|(number, amount)| Unused {
                source: paid(number), names: None, amount: money(*amount),
            });
            let made = settlements(unused.collect(), invoices.clone()).unwrap();
            let sum = |made: &mut dyn Iterator<Item = &Settlement>| -> Decimal {
                made.map(|settlement| settlement.amount.amount()).sum()
            };
            let most = amounts.iter().sum::<i64>().min(opens.iter().sum());
            prop_assert_eq!(sum(&mut made.iter()), Decimal::new(most, 2));
            for open in &invoices {
                let taken = sum(&mut made.iter().filter(|one| one.invoice == open.id));
                prop_assert!(taken <= open.open.amount());
            }
            for (number, amount) in (1..).zip(&amounts) {
                let given = sum(&mut made.iter().filter(|one| one.source == paid(number)));
                prop_assert!(given <= Decimal::new(*amount, 2));
            }
        }
    }
}
