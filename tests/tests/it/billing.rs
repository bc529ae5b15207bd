//! Tests of the billing context.

mod credit_notes;
