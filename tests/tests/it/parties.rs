//! Tests of the parties context.

mod firms;
mod territories;
