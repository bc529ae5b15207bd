//! Tests of the fulfilment context.

mod shipments;
