//! Roles of employees, of the seller or of a company.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The role of an employee. The roles of API keys (`service_kit::access::KeyRole`) are these and
/// two for connected systems.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EmployeeRole")]
pub enum Role {
    /// Seller: everything.
    Admin,
    /// Seller: offers and orders.
    Sales,
    /// Seller: offers, orders and prices; approves offers of sales employees.
    SalesManager,
    /// Seller: shipments.
    Warehouse,
    /// Seller: invoices and payments.
    Accounting,
    /// Buyer: everything of its company.
    CompanyAdmin,
    /// Buyer: orders.
    Purchaser,
    /// Buyer: approves orders of purchasers.
    Approver,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Sales,
        Self::SalesManager,
        Self::Warehouse,
        Self::Accounting,
        Self::CompanyAdmin,
        Self::Purchaser,
        Self::Approver,
    ];

    /// Whether it is a role of a company.
    pub const fn is_buyer(self) -> bool {
        match self {
            Self::CompanyAdmin | Self::Purchaser | Self::Approver => true,
            Self::Admin | Self::Sales | Self::SalesManager | Self::Warehouse | Self::Accounting => {
                false
            }
        }
    }

    /// Whether it may approve requests of others.
    pub const fn decides(self) -> bool {
        match self {
            Self::Admin | Self::SalesManager | Self::CompanyAdmin | Self::Approver => true,
            Self::Sales | Self::Warehouse | Self::Accounting | Self::Purchaser => false,
        }
    }

    /// Whether it represents the seller to companies: writes offers and takes orders.
    pub const fn sells(self) -> bool {
        match self {
            Self::Admin | Self::Sales | Self::SalesManager => true,
            Self::Warehouse
            | Self::Accounting
            | Self::CompanyAdmin
            | Self::Purchaser
            | Self::Approver => false,
        }
    }

    /// Whether it includes another role as an approver: admins include the approvers of their
    /// side.
    pub fn stands_for(self, asked: Self) -> bool {
        self == asked
            || matches!(
                (self, asked),
                (Self::Admin, Self::SalesManager) | (Self::CompanyAdmin, Self::Approver)
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admins_stand_for_those_who_decide_on_their_side() {
        for (role, asked, stands) in [
            (Role::Admin, Role::SalesManager, true),
            (Role::CompanyAdmin, Role::Approver, true),
            (Role::Approver, Role::CompanyAdmin, false),
            (Role::SalesManager, Role::Admin, false),
            (Role::Admin, Role::Approver, false),
            (Role::Purchaser, Role::Approver, false),
            (Role::Approver, Role::Approver, true),
        ] {
            assert_eq!(role.stands_for(asked), stands, "{role:?} for {asked:?}");
        }
    }

    #[test]
    fn those_who_sell_are_the_sellers() {
        let sellers = [Role::Admin, Role::Sales, Role::SalesManager];
        for role in Role::ALL {
            assert_eq!(role.sells(), sellers.contains(&role), "{role:?}");
        }
    }
}
