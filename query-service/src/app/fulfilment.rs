//! Questions about shipments.

pub mod shipments;
