//! Companies, employees, their keys, and territories.

pub mod api_key;
pub mod company;
pub(crate) mod company_hierarchy;
pub mod employee;
pub(crate) mod representatives;
pub mod territories;
pub(crate) mod trees;
pub mod white_list;
