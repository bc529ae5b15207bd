//! Messaging: what people write about offers, orders and products.

pub mod conversation;

use crate::kernel::events::events;

pub use conversation::Conversation;

events! {
    /// Of what is said about something.
    Conversation(conversation),
}
