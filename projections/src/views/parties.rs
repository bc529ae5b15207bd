//! Read models of the parties context.

pub mod companies;
pub mod employees;
pub mod territories;
