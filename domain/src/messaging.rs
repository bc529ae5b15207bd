//! Messaging: what people write about offers, orders and products.

pub mod conversation;

pub use conversation::Conversation;
