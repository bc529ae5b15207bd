//! Sales: carts, requests for quotation, offers, negotiations, orders, and who approves them.

pub mod approval;
pub mod approval_rules;
pub mod cart;
pub mod credit_account;
pub mod negotiation;
pub mod offer;
pub mod offer_template;
pub mod order;
pub mod order_list;
pub mod order_reference;
pub mod purchase_lines;
pub mod quotation_request;
pub mod spending;
pub mod standing_order;
pub mod terms;

use crate::kernel::events::events;

pub use approval_rules::ApprovalRules;
pub use cart::Cart;
pub use credit_account::CreditAccount;
pub use negotiation::Negotiation;
pub use offer::Offer;
pub use offer_template::OfferTemplate;
pub use order::Order;
pub use order_list::OrderList;
pub use order_reference::OrderReference;
pub use quotation_request::QuotationRequest;
pub use spending::Spending;
pub use standing_order::StandingOrder;

events! {
    /// Of approval rules.
    ApprovalRules(approval_rules),
    /// Of a cart.
    Cart(cart),
    /// Of a credit account.
    CreditAccount(credit_account),
    /// Of a negotiation.
    Negotiation(negotiation),
    /// Of an offer.
    Offer(offer),
    /// Of a template for offers.
    OfferTemplate(offer_template),
    /// Of an order.
    Order(order),
    /// Of a list of what is ordered again and again.
    OrderList(order_list),
    /// Of a company's own number of orders.
    OrderReference(order_reference),
    /// Of a request for prices.
    QuotationRequest(quotation_request),
    /// Of what an employee spends.
    Spending(spending),
    /// Of a standing order.
    StandingOrder(standing_order),
}
