//! A product code: what a company calls a product in its own books.
//!
//! Its stream is derived from the company and the code, so one code never means two products.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{
    CompanyId, OfCompany, ProductCodeId, ProductId, Reference, aggregate::aggregate,
    refusal::refusals,
};

/// What decisions need to know of a product code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum ProductCode {
    /// It means nothing.
    #[default]
    Free,
    /// It means a product.
    Assigned {
        /// To whom.
        company: CompanyId,
        /// Which one.
        product: ProductId,
    },
    /// It means nothing any more.
    Dropped {
        /// To whom it did.
        company: CompanyId,
    },
}

/// What can be asked of a product code.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Let it mean a product.
    Assign {
        /// To whom.
        company: CompanyId,
        /// The code.
        code: Reference,
        /// Which product.
        product: ProductId,
    },
    /// Let it mean nothing.
    Drop,
}

/// What happened to a product code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It means a product.
    Assigned {
        /// To whom.
        company: CompanyId,
        /// The code.
        code: Reference,
        /// Which product.
        product: ProductId,
    },
    /// It means nothing any more.
    Dropped {},
}

aggregate!(ProductCode, "product_code", {
    Assigned => "assigned" v 1,
    Dropped => "dropped" v 1,
});

/// Why a product code refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing to drop.
    #[error("the company calls no product so")]
    Free,
}

refusals!(Error, {
    Free => ("product_code.free", Missing),
});

impl ProductCode {
    /// Every rule of a product code.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Assigned { product: present, .. }, Command::Assign { product, .. })
                if *present == product =>
            {
                Ok(vec![])
            }
            (
                Self::Free | Self::Assigned { .. } | Self::Dropped { .. },
                Command::Assign { company, code, product },
            ) => Ok(vec![Event::Assigned { company, code, product }]),
            (Self::Assigned { .. }, Command::Drop) => Ok(vec![Event::Dropped {}]),
            (Self::Dropped { .. }, Command::Drop) => Ok(vec![]),
            (Self::Free, Command::Drop) => Err(Error::Free),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Assigned { company, product, .. }) => Self::Assigned { company, product },
            (Self::Assigned { company, .. } | Self::Dropped { company }, Event::Dropped {}) => {
                Self::Dropped { company }
            }
            (Self::Free, Event::Dropped {}) => Self::Free,
        }
    }

    /// The product that it means.
    pub fn product(&self) -> Option<ProductId> {
        match self {
            Self::Assigned { product, .. } => Some(*product),
            Self::Free | Self::Dropped { .. } => None,
        }
    }
}

impl ProductCodeId {
    /// A company's code: one stream each.
    pub fn of(company: CompanyId, code: &Reference) -> Self {
        Self(Uuid::new_v5(&company.0, format!("product code:{code}").as_bytes()))
    }
}

impl OfCompany for ProductCode {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Free => None,
            Self::Assigned { company, .. } | Self::Dropped { company } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::answer;

    #[test]
    fn means_one_product_at_a_time() {
        let company = CompanyId(Uuid::from_u128(1));
        let code: Reference = "A-1".parse().unwrap();
        let product = |number| ProductId(Uuid::from_u128(number));
        let assign =
            |number| Command::Assign { company, code: code.clone(), product: product(number) };
        let assigned =
            |number| Event::Assigned { company, code: code.clone(), product: product(number) };
        let dropped = || Event::Dropped {};
        for (given, when, then) in [
            (vec![], assign(1), Ok(vec![assigned(1)])),
            (vec![assigned(1)], assign(1), Ok(vec![])),
            (vec![assigned(1)], assign(2), Ok(vec![assigned(2)])),
            (vec![assigned(1)], Command::Drop, Ok(vec![dropped()])),
            (vec![assigned(1), dropped()], Command::Drop, Ok(vec![])),
            (vec![assigned(1), dropped()], assign(1), Ok(vec![assigned(1)])),
            (vec![], Command::Drop, Err(Error::Free)),
        ] {
            assert_eq!(answer::<ProductCode>(&given, when), then);
        }
    }
}
