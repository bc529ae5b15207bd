//! Identifiers: one newtype per aggregate over a UUID, so that no two are ever swapped.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{Currency, Reference};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// Who gave a command: the employee, or the credential where it is nobody's.
    ActorId
);
id!(
    /// A place of a company to which goods go.
    AddressId
);
id!(
    /// A price list or a contract.
    AgreementId
);
id!(
    /// When a company's orders, or the seller's offers, need approval; derived from the company.
    ApprovalRulesId
);
id!(
    /// What an audience sees; derived from the audience.
    AssortmentId
);
id!(
    /// What a company is about to order.
    CartId
);
id!(
    /// A branch of the tree of products.
    CategoryId
);
id!(
    /// A claim on a value that only one may hold; derived from the value.
    ClaimId
);
id!(
    /// A business customer.
    CompanyId
);
id!(
    /// What is said about one thing; derived from it.
    ConversationId
);
id!(
    /// What the companies under one credit limit owe; derived from its holder and the currency.
    CreditAccountId
);
id!(
    /// What an audience earns by its purchases; derived from both.
    DiscountId
);
id!(
    /// Somebody who works for a company, or for the seller.
    EmployeeId
);
id!(
    /// Goods that a company sends back, or a complaint.
    GoodsReturnId
);
id!(
    /// A sales invoice or a credit note.
    InvoiceId
);
id!(
    /// What of an invoice is held by goods returns; derived from the invoice.
    InvoiceReturnsId
);
id!(
    /// The rounds on one revision of an offer; derived from both.
    NegotiationId
);
id!(
    /// An offer to one company.
    OfferId
);
id!(
    /// What the seller offers again and again.
    OfferTemplateId
);
id!(
    /// An order of one company.
    OrderId
);
id!(
    /// The orders of a company with one number of its own; derived from both.
    OrderReferenceId
);
id!(
    /// Money that came in.
    PaymentId
);
id!(
    /// Lines of orders that are picked together.
    PickListId
);
id!(
    /// What of an order is picked; derived from the order.
    PickingId
);
id!(
    /// What a company orders again and again.
    OrderListId
);
id!(
    /// What an audience pays for something; derived from both.
    PriceId
);
id!(
    /// What a company calls a product; derived from the company and the code.
    ProductCodeId
);
id!(
    /// A sellable item.
    ProductId
);
id!(
    /// What a company has bought lately; derived from the company.
    PurchasesId
);
id!(
    /// A company's request for prices.
    QuotationRequestId
);
id!(
    /// A numbering series of documents; derived from its name.
    SeriesId
);
id!(
    /// Goods that left together.
    ShipmentId
);
id!(
    /// What an employee has spent lately; derived from the employee.
    SpendingId
);
id!(
    /// A schedule by which a company orders.
    StandingOrderId
);
id!(
    /// How much there is of a product; derived from the product.
    StockId
);
id!(
    /// The territories: one stream for all.
    TerritoriesId
);
id!(
    /// The changes of a tree of companies or categories; derived from its kind.
    TreeId
);
id!(
    /// A place in which the seller keeps goods.
    WarehouseId
);

impl NegotiationId {
    /// Where a revision of an offer is talked about: one place, whoever begins how often.
    pub fn of(offer: OfferId, revision: u32) -> Self {
        Self(Uuid::new_v5(&offer.0, format!("negotiation/{revision}").as_bytes()))
    }
}

impl OrderId {
    /// The order that an accepted offer places: one per offer, whoever asks how often.
    pub fn of_offer(offer: OfferId) -> Self {
        Self(Uuid::new_v5(&offer.0, b"order"))
    }

    /// The order that a standing order places for one of its dates: one per date, whoever asks how
    /// often.
    pub fn of_standing_order(standing_order: StandingOrderId, date: Date) -> Self {
        Self(Uuid::new_v5(&standing_order.0, format!("order/{date}").as_bytes()))
    }
}

impl PickingId {
    /// What of an order is picked.
    pub fn of(order: OrderId) -> Self {
        Self(Uuid::new_v5(&order.0, b"picking"))
    }
}

impl CreditAccountId {
    /// The account of a holder in a currency.
    pub fn of(holder: CompanyId, currency: Currency) -> Self {
        Self(Uuid::new_v5(&holder.0, format!("credit_account/{currency}").as_bytes()))
    }
}

impl OrderReferenceId {
    /// The orders of a company with a number of its own.
    pub fn of(company: CompanyId, reference: &Reference) -> Self {
        Self(Uuid::new_v5(&company.0, format!("order_reference/{reference}").as_bytes()))
    }
}

impl SpendingId {
    /// What an employee has spent.
    pub fn of(employee: EmployeeId) -> Self {
        Self(Uuid::new_v5(&employee.0, b"spending"))
    }
}

impl OrderId {
    /// The order that replaces goods of a return, with the credit note that gives the goods back.
    pub fn of_replacement(credit_note: InvoiceId) -> Self {
        Self(Uuid::new_v5(&credit_note.0, b"replacement"))
    }
}

impl InvoiceReturnsId {
    /// What of an invoice is held by goods returns.
    pub fn of(invoice: InvoiceId) -> Self {
        Self(Uuid::new_v5(&invoice.0, b"returns"))
    }
}

impl InvoiceId {
    /// The invoice of a shipment: one per shipment, whoever asks how often.
    pub fn of_shipment(shipment: ShipmentId) -> Self {
        Self(Uuid::new_v5(&shipment.0, b"invoice"))
    }

    /// The invoice of a further order of a shipment; that of the first is [`Self::of_shipment`].
    pub fn of_further_order(shipment: ShipmentId, order: OrderId) -> Self {
        Self(Uuid::new_v5(&shipment.0, format!("invoice/{order}").as_bytes()))
    }
}
