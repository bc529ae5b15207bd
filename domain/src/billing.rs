//! Billing: invoices, credit notes, their numbers, and payments.

pub mod invoice;
pub mod payment;
pub mod series;

pub use invoice::Invoice;
pub use payment::Payment;
pub use series::Series;
