//! Queries of shipments.

pub mod shipments;
