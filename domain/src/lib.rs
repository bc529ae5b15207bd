//! The language and the rules of B2B trade: value objects, aggregates and policies.
//!
//! Pure: no I/O, no clock, no identifiers made here. Time, ids and prices arrive in the command,
//! so a decision replays the same for ever.

#![allow(
    clippy::match_same_arms,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "every aggregate has the same shape, decide(command) and evolve(self, event), and a \
              transition table is read arm by arm"
)]

pub mod address;
pub mod aggregate;
pub mod approval;
pub mod approval_rules;
pub mod assortment;
pub mod attachment;
pub mod audience;
pub mod category;
pub mod characters;
pub mod claim;
pub mod company;
pub mod conversation;
pub mod day;
pub mod delivery_terms;
pub mod destination;
pub mod discount;
pub mod email;
pub mod employee;
#[cfg(test)]
mod fixtures;
pub mod gtin;
pub mod history;
pub mod iban;
pub mod ids;
pub mod invoice;
pub mod language;
pub mod line;
pub mod money;
pub mod negotiation;
pub mod nip;
mod numbered;
pub mod offer;
pub mod offer_template;
pub mod order;
pub mod payment;
pub mod payment_term;
pub mod percent;
pub mod policies;
pub mod price;
pub mod price_agreement;
pub mod priced_by;
pub mod pricing;
pub mod product;
pub mod product_code;
pub mod purchases;
pub mod quantity;
pub mod quotation_request;
pub mod refusal;
pub mod role;
pub mod selection;
pub mod series;
pub mod shipment;
pub mod side;
pub mod spending;
pub mod stock;
pub mod tax_id;
pub mod terms;
pub mod territories;
pub mod text;
pub mod tree;
pub mod upcaster;
pub mod vat;
pub mod vat_number;
pub mod vat_rate;
pub mod white_list;

pub use address::Address;
pub use aggregate::{OfCompany, Upcaster};
pub use approval_rules::ApprovalRules;
pub use assortment::Assortment;
pub use attachment::{Attachment, Attachments};
pub use audience::Audience;
pub use category::Category;
pub use claim::Claim;
pub use company::Company;
pub use conversation::Conversation;
pub use delivery_terms::{DeliveryTerms, Incoterm};
pub use destination::Destination;
pub use discount::Discount;
pub use email::Email;
pub use employee::Employee;
pub use gtin::Gtin;
pub use history::{Event, UnreadableEvent};
pub use iban::Iban;
pub use ids::{
    ActorId, AddressId, AgreementId, ApprovalRulesId, AssortmentId, CategoryId, ClaimId, CompanyId,
    ConversationId, DiscountId, EmployeeId, InvoiceId, NegotiationId, OfferId, OfferTemplateId,
    OrderId, PaymentId, PriceId, ProductCodeId, ProductId, PurchasesId, QuotationRequestId,
    SeriesId, ShipmentId, SpendingId, StockId, TerritoriesId, TreeId,
};
pub use invoice::Invoice;
pub use language::Language;
pub use line::{Line, Lines};
pub use money::{Currency, Money, UnitPrice};
pub use negotiation::Negotiation;
pub use nip::Nip;
pub use offer::Offer;
pub use offer_template::OfferTemplate;
pub use order::Order;
pub use payment::Payment;
pub use payment_term::PaymentTerm;
pub use percent::Percent;
pub use price::Price;
pub use price_agreement::PriceAgreement;
pub use priced_by::PricedBy;
pub use product::Product;
pub use product_code::ProductCode;
pub use purchases::Purchases;
pub use quantity::Quantity;
pub use quotation_request::QuotationRequest;
pub use refusal::{Refusal, RefusalKind};
pub use role::Role;
pub use selection::Selection;
pub use series::Series;
pub use shipment::Shipment;
pub use side::Side;
pub use spending::Spending;
pub use stock::Stock;
pub use tax_id::{CountryCode, TaxId};
pub use territories::Territories;
pub use text::{CostCentre, GroupCode, Message, Name, Note, Reference, Sku};
pub use tree::Tree;
pub use vat_number::VatNumber;
pub use vat_rate::VatRate;
