//! Appends per second: our store, postgres-es and raw COPY in one run.
fn main() {}
