//! The read models, by bounded context.

pub mod billing;
pub mod catalogue;
pub mod fulfilment;
pub mod inventory;
pub mod messaging;
pub mod parties;
pub mod pricing;
pub mod sales;

use crate::Projection;

/// Every read model.
pub const ALL: [Projection; 36] = [
    billing::account_balances::PROJECTION,
    sales::approval_rules::PROJECTION,
    sales::approvals::PROJECTION,
    catalogue::assortments::PROJECTION,
    billing::bought_products::PROJECTION,
    sales::carts::PROJECTION,
    inventory::backorders::PROJECTION,
    catalogue::catalogue::PROJECTION,
    catalogue::categories::PROJECTION,
    parties::companies::PROJECTION,
    messaging::conversations::PROJECTION,
    sales::credit_accounts::PROJECTION,
    pricing::discounts::PROJECTION,
    parties::employees::PROJECTION,
    billing::goods_returns::PROJECTION,
    sales::inboxes::PROJECTION,
    billing::invoices::PROJECTION,
    sales::negotiations::PROJECTION,
    sales::offer_statistics::PROJECTION,
    sales::offer_templates::PROJECTION,
    sales::offers::PROJECTION,
    sales::order_lists::PROJECTION,
    sales::order_timeline::PROJECTION,
    sales::orders::PROJECTION,
    billing::payments::PROJECTION,
    fulfilment::pick_lists::PROJECTION,
    pricing::price_agreements::PROJECTION,
    pricing::prices::PROJECTION,
    catalogue::product_codes::PROJECTION,
    sales::quotation_requests::PROJECTION,
    fulfilment::shipments::PROJECTION,
    sales::standing_orders::PROJECTION,
    inventory::stock::PROJECTION,
    inventory::stock_levels::PROJECTION,
    parties::territories::PROJECTION,
    inventory::warehouses::PROJECTION,
];

/// The read model of this name.
pub fn named(name: &str) -> Option<Projection> {
    ALL.into_iter().find(|projection| projection.name == name)
}
