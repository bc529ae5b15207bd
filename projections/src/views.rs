//! The read models.

pub mod account_balances;
pub mod approval_rules;
pub mod approvals;
pub mod assortments;
pub mod catalogue;
pub mod categories;
pub mod companies;
pub mod conversations;
pub mod discounts;
pub mod employees;
pub mod inboxes;
pub mod invoices;
pub mod negotiations;
pub mod offer_statistics;
pub mod offer_templates;
pub mod offers;
pub mod orders;
pub mod payments;
pub mod price_agreements;
pub mod prices;
pub mod product_codes;
pub mod quotation_requests;
pub mod shipments;
pub mod stock;
pub mod territories;

use crate::Projection;

/// Every read model.
pub const ALL: [Projection; 25] = [
    account_balances::PROJECTION,
    approval_rules::PROJECTION,
    approvals::PROJECTION,
    assortments::PROJECTION,
    catalogue::PROJECTION,
    categories::PROJECTION,
    companies::PROJECTION,
    conversations::PROJECTION,
    discounts::PROJECTION,
    employees::PROJECTION,
    inboxes::PROJECTION,
    invoices::PROJECTION,
    negotiations::PROJECTION,
    offer_statistics::PROJECTION,
    offer_templates::PROJECTION,
    offers::PROJECTION,
    orders::PROJECTION,
    payments::PROJECTION,
    price_agreements::PROJECTION,
    prices::PROJECTION,
    product_codes::PROJECTION,
    quotation_requests::PROJECTION,
    shipments::PROJECTION,
    stock::PROJECTION,
    territories::PROJECTION,
];

/// The read model of this name.
pub fn named(name: &str) -> Option<Projection> {
    ALL.into_iter().find(|projection| projection.name == name)
}
