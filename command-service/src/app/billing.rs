//! Credit notes, payments, and the numbers of documents.

pub mod credit_note;
pub(crate) mod invoice;
pub mod payment;
pub mod reorder;
