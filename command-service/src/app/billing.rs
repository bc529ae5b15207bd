//! Credit notes, goods returns, payments, and the numbers of documents.

pub mod credit_note;
pub mod goods_return;
pub(crate) mod invoice;
pub mod payment;
pub mod reorder;
