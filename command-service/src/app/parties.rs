//! Use cases of parties.

pub(crate) mod company_hierarchy;
pub(crate) mod representatives;
pub mod white_list;
