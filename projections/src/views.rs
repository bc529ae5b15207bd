//! The read models.

pub mod account_balances;
pub mod approval_rules;
pub mod approvals;
pub mod assortments;
pub mod catalogue;
pub mod categories;
pub mod companies;
pub mod discounts;
pub mod employees;
pub mod invoices;
pub mod offers;
pub mod orders;
pub mod payments;
pub mod price_agreements;
pub mod prices;
pub mod product_codes;
pub mod shipments;
pub mod stock;

use crate::Projection;

/// Every read model.
pub const ALL: [Projection; 18] = [
    account_balances::PROJECTION,
    approval_rules::PROJECTION,
    approvals::PROJECTION,
    assortments::PROJECTION,
    catalogue::PROJECTION,
    categories::PROJECTION,
    companies::PROJECTION,
    discounts::PROJECTION,
    employees::PROJECTION,
    invoices::PROJECTION,
    offers::PROJECTION,
    orders::PROJECTION,
    payments::PROJECTION,
    price_agreements::PROJECTION,
    prices::PROJECTION,
    product_codes::PROJECTION,
    shipments::PROJECTION,
    stock::PROJECTION,
];

/// The read model of this name.
pub fn named(name: &str) -> Option<Projection> {
    ALL.into_iter().find(|projection| projection.name == name)
}
