//! Kernel: values that all contexts share, and what every aggregate is made with.

pub mod address;
pub mod aggregate;
pub mod attachment;
pub mod characters;
pub mod claim;
pub mod day;
pub mod delivery_terms;
pub mod destination;
pub mod email;
pub mod events;
pub mod gtin;
pub mod iban;
pub mod ids;
pub mod language;
pub mod line;
pub mod money;
pub mod nip;
pub(crate) mod numbered;
pub mod payment_term;
pub mod percent;
pub mod priced_by;
pub mod quantity;
pub mod refusal;
pub mod selection;
pub mod tax_id;
pub mod text;
pub mod upcaster;
pub mod vat;
pub mod vat_number;
pub mod vat_rate;
pub mod working_days;

use events::events;

pub use address::Address;
pub use aggregate::{OfCompany, Upcaster};
pub use attachment::{Attachment, Attachments};
pub use claim::Claim;
pub use delivery_terms::{DeliveryTerms, Incoterm};
pub use destination::Destination;
pub use email::Email;
pub use events::UnreadableEvent;
pub use gtin::Gtin;
pub use iban::Iban;
pub use ids::{
    ActorId, AddressId, AgreementId, ApprovalRulesId, AssortmentId, CartId, CategoryId, ClaimId,
    CompanyId, ConversationId, CreditAccountId, DiscountId, EmployeeId, GoodsReturnId, InvoiceId,
    InvoiceReturnsId, NegotiationId, OfferId, OfferTemplateId, OrderId, OrderListId,
    OrderReferenceId, PaymentId, PickListId, PickingId, PriceId, ProductCodeId, ProductId,
    PurchasesId, QuotationRequestId, SeriesId, ShipmentId, SpendingId, StandingOrderId, StockId,
    TerritoriesId, TreeId, WarehouseId,
};
pub use language::Language;
pub use line::{Line, Lines};
pub use money::{Currency, Money, UnitPrice};
pub use nip::Nip;
pub use payment_term::PaymentTerm;
pub use percent::Percent;
pub use priced_by::PricedBy;
pub use quantity::Quantity;
pub use refusal::{Refusal, RefusalKind};
pub use selection::Selection;
pub use tax_id::{CountryCode, TaxId};
pub use text::{CostCentre, GroupCode, Message, Name, Note, Reference, Sku, WarehouseCode};
pub use vat_number::VatNumber;
pub use vat_rate::VatRate;

events! {
    /// Of a claim.
    Claim(claim),
}
