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

pub mod billing;
pub mod catalogue;
#[cfg(test)]
mod fixtures;
pub mod fulfilment;
pub mod history;
pub mod inventory;
pub mod kernel;
pub mod messaging;
pub mod parties;
pub mod policies;
pub mod pricing;
pub mod sales;

pub use billing::{
    GoodsReturn, Invoice, InvoiceReturns, Payment, Series, goods_return, invoice, invoice_returns,
    payment, series,
};
pub use catalogue::{
    Assortment, Category, Product, ProductCode, Tree, assortment, category, product, product_code,
    tree,
};
pub use fulfilment::{PickList, Picking, Shipment, pick_list, picking, shipment};
pub use history::Event;
pub use inventory::{Stock, Warehouse, stock, warehouse};
pub use kernel::{
    ActorId, Address, AddressId, AgreementId, ApprovalRulesId, AssortmentId, Attachment,
    Attachments, CartId, CategoryId, Claim, ClaimId, CompanyId, ConversationId, CostCentre,
    CountryCode, CreditAccountId, Currency, DeliveryTerms, Destination, DiscountId, Email,
    EmployeeId, GoodsReturnId, GroupCode, Gtin, Iban, Incoterm, InvoiceId, InvoiceReturnsId,
    Language, Line, Lines, Message, Money, Name, NegotiationId, Nip, Note, OfCompany, OfferId,
    OfferTemplateId, OrderId, OrderListId, OrderReferenceId, PaymentId, PaymentTerm, Percent,
    PickListId, PickingId, PriceId, PricedBy, ProductCodeId, ProductId, PurchasesId, Quantity,
    QuotationRequestId, Reference, Refusal, RefusalKind, Selection, SeriesId, ShipmentId, Sku,
    SpendingId, StandingOrderId, StockId, TaxId, TerritoriesId, TreeId, UnitPrice, UnreadableEvent,
    Upcaster, VatNumber, VatRate, WarehouseCode, WarehouseId, address, aggregate, attachment,
    characters, claim, day, delivery_terms, destination, email, gtin, iban, ids, language, line,
    money, nip, payment_term, percent, priced_by, quantity, refusal, selection, tax_id, text,
    upcaster, vat, vat_number, vat_rate, working_days,
};
pub use messaging::{Conversation, conversation};
pub use parties::{
    Audience, Company, Employee, Role, Side, Territories, audience, company, employee, role, side,
    territories, white_list,
};
pub use pricing::{
    Discount, Price, PriceAgreement, Purchases, discount, price, price_agreement, purchases,
};
pub use sales::{
    ApprovalRules, Cart, CreditAccount, Negotiation, Offer, OfferTemplate, Order, OrderList,
    OrderReference, QuotationRequest, Spending, StandingOrder, approval, approval_rules, cart,
    credit_account, negotiation, offer, offer_template, order, order_list, order_reference,
    purchase_lines, quotation_request, spending, standing_order, terms,
};
