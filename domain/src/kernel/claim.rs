//! A claim: a value that only one thing may hold, such as a NIP or a SKU.
//!
//! Its stream is derived from the value, so two who want the same value write to the same stream,
//! and the log's version check lets exactly one of them win.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{
    ClaimId, CompanyId, Gtin, OfCompany, ProductId, Reference, Sku, TaxId, WarehouseCode,
    aggregate::aggregate, characters::identifier_of, refusal::refusals,
};

/// Who holds the value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Claim {
    /// Nobody.
    #[default]
    Free,
    /// The thing with this id.
    Held {
        /// The id of a company, a product or a warehouse, or the digest of a movement.
        by: Uuid,
    },
}

/// What can be asked of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Hold the value for good.
    Take {
        /// The value.
        value: Value,
        /// Who will hold it.
        by: Uuid,
    },
}

/// What happened to a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The value has a holder.
    Taken {
        /// The value.
        value: Value,
        /// Its holder: the id of a company, a product or a warehouse, or the digest of a movement.
        by: Uuid,
    },
}

aggregate!(Claim, "claim", { Taken => "taken" v 1 });

/// A value that is unique in the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    /// A company's number at its tax office.
    TaxId(TaxId),
    /// The seller's own number of a company, such as its account in an ERP.
    CompanyReference(Reference),
    /// A product's code.
    Sku(Sku),
    /// A product's bar code.
    Gtin(Gtin),
    /// A warehouse's code.
    WarehouseCode(WarehouseCode),
    /// The reference of a movement of stock, which is recorded once per product.
    StockMovement {
        /// Of which product.
        product: ProductId,
        /// The number that the warehouse gave it.
        reference: Reference,
    },
}

impl Value {
    /// Separates these ids from other name-based UUIDs: a random constant.
    const NAMESPACE: Uuid = Uuid::from_u128(0x7c1d_86f4_6c0e_4d4b_9d0b_32a1_5e0f_a7c3);

    /// The stream in which this value is claimed.
    pub fn id(&self) -> ClaimId {
        let name = match self {
            Self::TaxId(tax_id) => format!("tax_id/{tax_id}"),
            Self::CompanyReference(reference) => format!("company_reference/{reference}"),
            Self::Sku(sku) => format!("sku/{sku}"),
            Self::Gtin(gtin) => format!("gtin/{}", gtin.shortest()),
            Self::WarehouseCode(code) => format!("warehouse_code/{code}"),
            Self::StockMovement { product, reference } => {
                format!("stock_movement/{product}/{reference}")
            }
        };
        ClaimId(Uuid::new_v5(&Self::NAMESPACE, name.as_bytes()))
    }

    /// The value in the form that comes in today; `None` when nothing can be seen of it.
    pub fn normal(&self) -> Option<Self> {
        let reference = |one: &Reference| identifier_of(one.as_str()).parse().ok();
        Some(match self {
            Self::TaxId(TaxId::Foreign { country, number }) => {
                let (country, number) = (country.clone(), reference(number)?);
                Self::TaxId(TaxId::Foreign { country, number })
            }
            Self::CompanyReference(one) => Self::CompanyReference(reference(one)?),
            Self::Sku(sku) => Self::Sku(identifier_of(sku.as_str()).parse().ok()?),
            Self::WarehouseCode(code) => {
                Self::WarehouseCode(identifier_of(code.as_str()).parse().ok()?)
            }
            Self::StockMovement { product, reference: number } => {
                Self::StockMovement { product: *product, reference: reference(number)? }
            }
            // Both are of digits alone.
            Self::TaxId(TaxId::Nip { .. }) | Self::Gtin(_) => self.clone(),
        })
    }

    const fn what(&self) -> &'static str {
        match self {
            Self::TaxId(_) => "tax number",
            Self::CompanyReference(_) => "company reference",
            Self::Sku(_) => "SKU",
            Self::Gtin(_) => "GTIN",
            Self::WarehouseCode(_) => "warehouse code",
            Self::StockMovement { .. } => "stock reference",
        }
    }
}

/// A claim that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else holds the value.
    #[error("this {what} is already in use")]
    Held {
        /// The kind of value.
        what: &'static str,
    },
}

refusals!(Error, {
    Held => ("claim.held", State),
});

impl Claim {
    /// Every rule of a claim.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::Take { value, by } = command;
        match self {
            Self::Free => Ok(vec![Event::Taken { value, by }]),
            Self::Held { by: holder } if *holder == by => Ok(vec![]),
            Self::Held { .. } => Err(Error::Held { what: value.what() }),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Taken { by, .. } => Self::Held { by },
        }
    }

    /// Who holds the value.
    pub fn holder(&self) -> Option<Uuid> {
        match self {
            Self::Free => None,
            Self::Held { by } => Some(*by),
        }
    }
}

impl OfCompany for Claim {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::answer;

    #[test]
    fn is_held_by_the_first() {
        let value = Value::Sku("HK-1".parse().unwrap());
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let take = |by| Command::Take { value: value.clone(), by };
        let taken = Event::Taken { value: value.clone(), by: first };
        let given = [taken.clone()];
        assert_eq!(answer::<Claim>(&[], take(first)), Ok(vec![taken]));
        assert_eq!(answer::<Claim>(&given, take(first)), Ok(vec![]));
        assert_eq!(answer::<Claim>(&given, take(second)), Err(Error::Held { what: "SKU" }));
    }

    #[test]
    fn differs_by_kind_and_value() {
        let sku = |text: &str| Value::Sku(text.parse().unwrap()).id();
        assert_eq!(sku("HK-1"), sku("HK-1"));
        assert_ne!(sku("HK-1"), sku("HK-2"));
        assert_ne!(sku("5901234123457"), Value::Gtin("5901234123457".parse().unwrap()).id());
    }
}
