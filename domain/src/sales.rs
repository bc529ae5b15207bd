//! Sales: requests for quotation, offers, negotiations, orders, and who approves them.

pub mod approval;
pub mod approval_rules;
pub mod negotiation;
pub mod offer;
pub mod offer_template;
pub mod order;
pub mod quotation_request;
pub mod spending;
pub mod terms;

pub use approval_rules::ApprovalRules;
pub use negotiation::Negotiation;
pub use offer::Offer;
pub use offer_template::OfferTemplate;
pub use order::Order;
pub use quotation_request::QuotationRequest;
pub use spending::Spending;
