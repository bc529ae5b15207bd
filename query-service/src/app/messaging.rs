//! Questions about conversations.

pub mod conversations;
