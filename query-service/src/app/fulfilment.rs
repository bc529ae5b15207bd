//! Questions about pick lists and shipments.

pub mod despatch_advice;
pub mod pick_lists;
pub mod pick_queue;
pub mod shipments;
