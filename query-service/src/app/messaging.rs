//! Queries of conversations.

pub mod conversations;
