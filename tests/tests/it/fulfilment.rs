//! Tests of the fulfilment context.

mod pick_lists;
mod shipments;
