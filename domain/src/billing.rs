//! Billing: invoices, credit notes, their numbers, goods returns, and payments.

pub mod goods_return;
pub mod invoice;
pub mod invoice_returns;
pub mod payment;
pub mod series;

use crate::kernel::events::events;

pub use goods_return::GoodsReturn;
pub use invoice::Invoice;
pub use invoice_returns::InvoiceReturns;
pub use payment::Payment;
pub use series::Series;

events! {
    /// Of a goods return or a complaint.
    GoodsReturn(goods_return),
    /// Of an invoice or a credit note.
    Invoice(invoice),
    /// Of what returns hold of an invoice.
    InvoiceReturns(invoice_returns),
    /// Of a payment.
    Payment(payment),
    /// Of a numbering series.
    Series(series),
}
