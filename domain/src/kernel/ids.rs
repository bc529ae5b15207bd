//! Identifiers: one newtype per aggregate over a UUID, so that no two are ever swapped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    /// What an audience earns by its purchases; derived from both.
    DiscountId
);
id!(
    /// Somebody who works for a company, or for the seller.
    EmployeeId
);
id!(
    /// A sales invoice or a credit note.
    InvoiceId
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
    /// Money that came in.
    PaymentId
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
}

impl SpendingId {
    /// What an employee has spent.
    pub fn of(employee: EmployeeId) -> Self {
        Self(Uuid::new_v5(&employee.0, b"spending"))
    }
}

impl InvoiceId {
    /// The invoice of a shipment: one per shipment, whoever asks how often.
    pub fn of_shipment(shipment: ShipmentId) -> Self {
        Self(Uuid::new_v5(&shipment.0, b"invoice"))
    }
}
