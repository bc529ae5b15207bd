//! Parties: companies, the people who act for them and for the seller, and their roles.

pub mod audience;
pub mod company;
pub mod employee;
pub mod role;
pub mod side;
pub mod territories;
pub mod white_list;

use crate::kernel::events::events;

pub use audience::Audience;
pub use company::Company;
pub use employee::Employee;
pub use role::Role;
pub use side::Side;
pub use territories::Territories;

events! {
    /// Of a company.
    Company(company),
    /// Of an employee.
    Employee(employee),
    /// Of who looks after whom.
    Territories(territories),
}
