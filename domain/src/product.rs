//! A product: a sellable item with its code, its tax and its price on the base list.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CompanyId, Currency, Gtin, Line, Name, OfCompany, ProductId, Quantity, Refusal, RefusalKind,
    Sku, UnitPrice, VatRate, aggregate::aggregate,
};

/// What decisions need to know of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Product {
    /// Nothing yet.
    #[default]
    Undrafted,
    /// Known to the seller only.
    Drafted(Item),
    /// For sale.
    Published(Item),
    /// No longer for sale.
    Withdrawn(Item),
}

/// A product and its base prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    id: ProductId,
    description: Description,
    base_prices: BTreeMap<Currency, UnitPrice>,
}

/// What a product is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The seller's code of it, unique in the house.
    pub sku: Sku,
    /// What it is called.
    pub name: Name,
    /// The number under its bar code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<Gtin>,
    /// What one unit of it is.
    pub unit: Unit,
    /// The rate of its tax.
    pub vat_rate: VatRate,
}

/// A unit of measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One piece; sold whole.
    Piece,
    /// A pack; sold whole.
    Pack,
    /// A carton; sold whole.
    Carton,
    /// A kilogram.
    Kilogram,
    /// A metre.
    Metre,
}

impl Unit {
    /// Whether a part of a unit can be sold.
    pub const fn divisible(self) -> bool {
        match self {
            Self::Piece | Self::Pack | Self::Carton => false,
            Self::Kilogram | Self::Metre => true,
        }
    }
}

/// What can be asked of a product.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Describe a new one.
    Draft {
        /// The id it gets.
        id: ProductId,
        /// What it is.
        description: Description,
    },
    /// Give it a price on the base list.
    Price {
        /// The list's currency.
        currency: Currency,
        /// Net price of one unit.
        price: UnitPrice,
    },
    /// Offer it for sale.
    Publish,
    /// Take it off sale.
    Withdraw,
}

/// What happened to a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was described.
    Drafted {
        /// Its id.
        id: ProductId,
        /// What it is.
        description: Description,
    },
    /// It has a new price on the base list.
    Priced {
        /// The list's currency.
        currency: Currency,
        /// Net price of one unit.
        price: UnitPrice,
    },
    /// It is for sale.
    Published {},
    /// It is no longer for sale.
    Withdrawn {},
}

aggregate!(Product, "product", {
    Drafted => "drafted" v 1,
    Priced => "priced" v 1,
    Published => "published" v 1,
    Withdrawn => "withdrawn" v 1,
});

/// Why a product refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id belongs to a product already.
    #[error("the product was already drafted")]
    AlreadyDrafted,
    /// There is no such product.
    #[error("there is no such product")]
    Undrafted,
    /// It cannot be sold without a price.
    #[error("a product needs a base price before it is published")]
    NoPrice,
    /// It is not, or no longer, for sale.
    #[error("the product {sku} is not for sale")]
    NotPublished {
        /// Which one.
        sku: Sku,
    },
    /// It has no base price in the document's currency.
    #[error("the product {sku} has no base price in {currency}")]
    NoPriceIn {
        /// Which one.
        sku: Sku,
        /// The missing currency.
        currency: Currency,
    },
    /// Part of something that is sold whole.
    #[error("the product {sku} is sold in whole units only")]
    Indivisible {
        /// Which one.
        sku: Sku,
    },
    /// It was withdrawn for good.
    #[error("the product was withdrawn")]
    Withdrawn,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyDrafted => "product.already_drafted",
            Self::Undrafted => "product.undrafted",
            Self::NoPrice => "product.no_price",
            Self::NotPublished { .. } => "product.not_published",
            Self::NoPriceIn { .. } => "product.no_price_in_currency",
            Self::Indivisible { .. } => "product.indivisible",
            Self::Withdrawn => "product.withdrawn",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Undrafted => RefusalKind::Missing,
            Self::Indivisible { .. } => RefusalKind::Invalid,
            Self::AlreadyDrafted
            | Self::NoPrice
            | Self::NotPublished { .. }
            | Self::NoPriceIn { .. }
            | Self::Withdrawn => RefusalKind::State,
        }
    }
}

impl Product {
    /// Every rule of a product.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Undrafted, Command::Draft { id, description }) => {
                Ok(vec![Event::Drafted { id, description }])
            }
            (_, Command::Draft { .. }) => Err(Error::AlreadyDrafted),

            (Self::Undrafted, Command::Price { .. } | Command::Publish | Command::Withdraw) => {
                Err(Error::Undrafted)
            }

            (Self::Drafted(item) | Self::Published(item), Command::Price { currency, price }) => {
                Ok(if item.base_prices.get(&currency) == Some(&price) {
                    vec![]
                } else {
                    vec![Event::Priced { currency, price }]
                })
            }

            (Self::Drafted(item), Command::Publish) if item.base_prices.is_empty() => {
                Err(Error::NoPrice)
            }
            (Self::Drafted(_), Command::Publish) => Ok(vec![Event::Published {}]),
            (Self::Published(_), Command::Publish) | (Self::Withdrawn(_), Command::Withdraw) => {
                Ok(vec![])
            }

            (Self::Drafted(_) | Self::Published(_), Command::Withdraw) => {
                Ok(vec![Event::Withdrawn {}])
            }
            (Self::Withdrawn(_), Command::Price { .. } | Command::Publish) => Err(Error::Withdrawn),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Drafted { id, description }) => {
                Self::Drafted(Item { id, description, base_prices: BTreeMap::new() })
            }
            (Self::Undrafted, Event::Priced { .. } | Event::Published {} | Event::Withdrawn {}) => {
                Self::Undrafted
            }
            (Self::Drafted(item), Event::Priced { currency, price }) => {
                Self::Drafted(item.priced(currency, price))
            }
            (Self::Published(item), Event::Priced { currency, price }) => {
                Self::Published(item.priced(currency, price))
            }
            (Self::Withdrawn(item), Event::Priced { currency, price }) => {
                Self::Withdrawn(item.priced(currency, price))
            }
            (
                Self::Drafted(item) | Self::Published(item) | Self::Withdrawn(item),
                Event::Published {},
            ) => Self::Published(item),
            (
                Self::Drafted(item) | Self::Published(item) | Self::Withdrawn(item),
                Event::Withdrawn {},
            ) => Self::Withdrawn(item),
        }
    }

    /// Whether so much of it can leave: what is sold by the piece leaves by the piece, also after
    /// it was withdrawn.
    pub fn can_leave(&self, quantity: Quantity) -> Result<(), Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted(item) | Self::Published(item) | Self::Withdrawn(item) => {
                item.can_be_parted_into(quantity)
            }
        }
    }

    /// A line that sells so much of it: at `agreed` where the seller named a price, else at the
    /// base price.
    pub fn line(
        &self,
        quantity: Quantity,
        currency: Currency,
        agreed: Option<UnitPrice>,
    ) -> Result<Line, Error> {
        let item = match self {
            Self::Undrafted => return Err(Error::Undrafted),
            Self::Drafted(item) | Self::Withdrawn(item) => {
                return Err(Error::NotPublished { sku: item.description.sku.clone() });
            }
            Self::Published(item) => item,
        };
        item.can_be_parted_into(quantity)?;
        let Description { sku, name, vat_rate, .. } = &item.description;
        let unit_price = agreed
            .or_else(|| item.base_prices.get(&currency).copied())
            .ok_or_else(|| Error::NoPriceIn { sku: sku.clone(), currency })?;
        Ok(Line {
            product: item.id,
            sku: sku.clone(),
            name: name.clone(),
            quantity,
            unit_price,
            vat_rate: *vat_rate,
        })
    }
}

impl Item {
    fn can_be_parted_into(&self, quantity: Quantity) -> Result<(), Error> {
        let Description { sku, unit, .. } = &self.description;
        if unit.divisible() || quantity.units().is_integer() {
            Ok(())
        } else {
            Err(Error::Indivisible { sku: sku.clone() })
        }
    }

    fn priced(mut self, currency: Currency, price: UnitPrice) -> Self {
        self.base_prices.insert(currency, price);
        self
    }
}

impl OfCompany for Product {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::answer;

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<Product>(given, when), then);
    }

    fn id() -> ProductId {
        ProductId(Uuid::from_u128(0x9))
    }

    fn description() -> Description {
        Description {
            sku: "HK-1".parse().unwrap(),
            name: "Kawa".parse().unwrap(),
            gtin: None,
            unit: Unit::Piece,
            vat_rate: VatRate::Basic,
        }
    }

    fn drafted() -> Event {
        Event::Drafted { id: id(), description: description() }
    }

    fn price(price: &str) -> Command {
        Command::Price { currency: Currency::Pln, price: price.parse().unwrap() }
    }

    fn priced(price: &str) -> Event {
        Event::Priced { currency: Currency::Pln, price: price.parse().unwrap() }
    }

    const PUBLISHED: Event = Event::Published {};
    const WITHDRAWN: Event = Event::Withdrawn {};

    #[test]
    fn is_published_with_a_price() {
        let draft = Command::Draft { id: id(), description: description() };
        check(&[], draft.clone(), Ok(vec![drafted()]));
        check(&[drafted()], draft, Err(Error::AlreadyDrafted));
        check(&[drafted()], Command::Publish, Err(Error::NoPrice));
        check(&[drafted(), priced("2.00")], Command::Publish, Ok(vec![PUBLISHED]));
        check(&[drafted(), priced("2.00"), PUBLISHED], Command::Publish, Ok(vec![]));
        check(&[drafted(), priced("2.00")], price("2.00"), Ok(vec![]));
        check(&[drafted(), priced("2.00")], price("2.10"), Ok(vec![priced("2.10")]));
        for command in [price("2.00"), Command::Publish, Command::Withdraw] {
            check(&[], command, Err(Error::Undrafted));
        }
    }

    #[test]
    fn stays_withdrawn() {
        let given = [drafted(), priced("2.00"), PUBLISHED, WITHDRAWN];
        check(&given[..3], Command::Withdraw, Ok(vec![WITHDRAWN]));
        check(&given, Command::Withdraw, Ok(vec![]));
        check(&given, Command::Publish, Err(Error::Withdrawn));
        check(&given, price("3.00"), Err(Error::Withdrawn));
    }

    #[test]
    fn is_sold_at_the_agreed_or_the_base_price() {
        let sell = |given: &[Event], quantity: &str, agreed: Option<&str>| {
            let product = given.iter().cloned().fold(Product::default(), Product::evolve);
            let (quantity, agreed) =
                (quantity.parse().unwrap(), agreed.map(|price| price.parse().unwrap()));
            product.line(quantity, Currency::Pln, agreed).map(|line| line.unit_price.to_string())
        };
        let sku = || "HK-1".parse::<Sku>().unwrap();
        let published = [drafted(), priced("2.00"), PUBLISHED];
        assert_eq!(sell(&published, "3", None), Ok("2.00".to_owned()));
        assert_eq!(sell(&published, "3", Some("1.5")), Ok("1.50".to_owned()));
        assert_eq!(sell(&published, "0.5", None), Err(Error::Indivisible { sku: sku() }));
        assert_eq!(sell(&published[..2], "3", None), Err(Error::NotPublished { sku: sku() }));
        assert_eq!(sell(&[], "3", None), Err(Error::Undrafted));
        let product = published.into_iter().fold(Product::default(), Product::evolve);
        let missing = Error::NoPriceIn { sku: sku(), currency: Currency::Eur };
        let sold = product.line("1".parse().unwrap(), Currency::Eur, None);
        assert_eq!(sold.map(|line| line.unit_price), Err(missing));
    }
}
