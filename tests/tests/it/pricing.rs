//! Tests of the pricing context.

mod prices;
