//! Tests of the billing context.

mod credit_notes;
mod goods_returns;
