//! Billing: invoices, credit notes, their numbers, and payments.

pub mod invoice;
pub mod payment;
pub mod series;

use crate::kernel::events::events;

pub use invoice::Invoice;
pub use payment::Payment;
pub use series::Series;

events! {
    /// Of an invoice or a credit note.
    Invoice(invoice),
    /// Of a payment.
    Payment(payment),
    /// Of a numbering series.
    Series(series),
}
