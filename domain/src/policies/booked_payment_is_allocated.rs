//! Booked money is set against the invoice that the payer named, else against the oldest open
//! one, and so on until it is used up; what remains stays as the company's credit.

use jiff::civil::Date;

use crate::{
    billing::series::Number,
    kernel::{InvoiceId, Money, money::MoneyError},
};

/// A fact: an invoice of the paying company with something open.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenInvoice {
    /// Which one.
    pub id: InvoiceId,
    /// Its number.
    pub number: Number,
    /// When it is due: the earliest due is the oldest.
    pub due_on: Date,
    /// What is still to be paid.
    pub open: Money,
}

/// Which invoices take how much of `unallocated`, the one that the payer `names` before others.
/// Invoices in another currency are passed over.
/// Deterministic: by name, then due date, then number.
pub fn allocations(
    names: Option<&Number>,
    unallocated: Money,
    mut invoices: Vec<OpenInvoice>,
) -> Result<Vec<(InvoiceId, Money)>, MoneyError> {
    invoices.retain(|invoice| {
        invoice.open.currency() == unallocated.currency() && invoice.open.is_positive()
    });
    invoices.sort_by(|a, b| {
        let named = |invoice: &OpenInvoice| Some(&invoice.number) != names;
        (named(a), a.due_on, a.number.order()).cmp(&(named(b), b.due_on, b.number.order()))
    });
    let mut rest = unallocated;
    let mut allocations = Vec::new();
    for invoice in invoices {
        if !rest.is_positive() {
            break;
        }
        let amount = rest.min(invoice.open)?;
        rest = rest.minus(amount)?;
        allocations.push((invoice.id, amount));
    }
    Ok(allocations)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;
    use crate::{
        fixtures::{day, pln},
        kernel::Currency,
    };

    fn number(sequence: u32) -> Number {
        Number::try_from(format!("FV/2026/03/{sequence:04}")).unwrap()
    }

    fn invoice(sequence: u32, due_on: &str, open: &str) -> OpenInvoice {
        OpenInvoice {
            id: InvoiceId(Uuid::from_u128(sequence.into())),
            number: number(sequence),
            due_on: day(due_on),
            open: pln(open),
        }
    }

    #[track_caller]
    fn check(amount: &str, names: Option<u32>, invoices: &[OpenInvoice], then: &[(u32, &str)]) {
        let amount = pln(amount);
        let names = names.map(number);
        let made = allocations(names.as_ref(), amount, invoices.to_vec()).unwrap();
        let then: Vec<_> = then
            .iter()
            .map(|(sequence, amount)| (InvoiceId(Uuid::from_u128((*sequence).into())), pln(amount)))
            .collect();
        assert_eq!(made, then);
    }

    #[test]
    fn goes_to_the_named_then_to_the_oldest() {
        let invoices = [
            invoice(1, "2026-04-10", "10.00"),
            invoice(2, "2026-04-01", "20.00"),
            invoice(3, "2026-04-01", "30.00"),
        ];
        check("15.00", None, &invoices, &[(2, "15.00")]);
        check("55.00", None, &invoices, &[(2, "20.00"), (3, "30.00"), (1, "5.00")]);
        check("15.00", Some(1), &invoices, &[(1, "10.00"), (2, "5.00")]);
        check("15.00", Some(9), &invoices, &[(2, "15.00")]);
        check("99.00", None, &invoices, &[(2, "20.00"), (3, "30.00"), (1, "10.00")]);
        check("15.00", None, &[], &[]);
        let same_day =
            [invoice(10_000, "2026-04-01", "10.00"), invoice(9_999, "2026-04-01", "20.00")];
        check("25.00", None, &same_day, &[(9_999, "20.00"), (10_000, "5.00")]);
    }

    #[test]
    fn passes_over_other_currencies() {
        let open = Money::new(20.into(), Currency::Eur).unwrap();
        let euros = OpenInvoice { open, ..invoice(1, "2026-04-01", "1.00") };
        check("15.00", Some(1), &[euros], &[]);
    }

    proptest! {
        /// Uses up the lesser of the payment and what is open, and nothing twice.
        #[test]
        fn uses_up_what_it_can(payment in 1_i64..10_000, opens in prop::collection::vec(0_i64..3_000, 0..10)) {
            let money = |grosze| Money::new(Decimal::new(grosze, 2), Currency::Pln).unwrap();
            let invoices: Vec<OpenInvoice> = (1..)
                .zip(&opens)
                .map(|(sequence, open)| OpenInvoice {
                    open: money(*open),
                    ..invoice(sequence, "2026-04-01", "1.00")
                })
                .collect();
            let made = allocations(None, money(payment), invoices.clone()).unwrap();
            let total: Decimal = made.iter().map(|(_, amount)| amount.amount()).sum();
            let most = payment.min(opens.iter().sum());
            prop_assert_eq!(total, Decimal::new(most, 2));
            for (id, amount) in made {
                let invoice = invoices.iter().find(|invoice| invoice.id == id).unwrap();
                prop_assert!(amount.is_positive() && amount.amount() <= invoice.open.amount());
            }
        }
    }
}
