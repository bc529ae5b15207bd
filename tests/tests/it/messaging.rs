//! Tests of the messaging context.

pub(crate) mod conversations;
