//! Parties: companies, the people who act for them and for the seller, and their roles.

pub mod audience;
pub mod company;
pub mod employee;
pub mod role;
pub mod side;
pub mod territories;
pub mod white_list;

pub use audience::Audience;
pub use company::Company;
pub use employee::Employee;
pub use role::Role;
pub use side::Side;
pub use territories::Territories;
