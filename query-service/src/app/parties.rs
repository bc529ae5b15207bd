//! Queries of companies, employees and territories.

pub mod companies;
pub mod employees;
pub mod territories;
