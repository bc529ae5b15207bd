//! Read models of the messaging context.

pub mod conversations;
