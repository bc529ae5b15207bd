//! Booked money is set against the invoice that the payer named, else against the oldest open
//! one, and so on until it is used up; what remains stays as the company's credit.

use jiff::civil::Date;

use crate::{InvoiceId, Money, money::MoneyError, payment::Booking, series::Number};

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

/// Which invoices take how much of `unallocated`. Invoices in another currency are passed over.
/// Deterministic: by name, then due date, then number.
pub fn allocations(
    booking: &Booking,
    unallocated: Money,
    mut invoices: Vec<OpenInvoice>,
) -> Result<Vec<(InvoiceId, Money)>, MoneyError> {
    invoices.retain(|invoice| {
        invoice.open.currency() == unallocated.currency() && invoice.open.is_positive()
    });
    invoices.sort_by(|a, b| {
        let named = |invoice: &OpenInvoice| Some(&invoice.number) != booking.names.as_ref();
        (named(a), a.due_on, &a.number).cmp(&(named(b), b.due_on, &b.number))
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
