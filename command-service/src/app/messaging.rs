//! Conversations.

pub mod conversation;
