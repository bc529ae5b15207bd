//! Use cases of companies, employees, their keys and territories.

pub(crate) mod company_hierarchy;
pub(crate) mod representatives;
pub mod white_list;
