//! A product: a sellable item with its code, its tax, its details and its price on the base list.

pub mod details;
mod item;

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    details::{Character, Classification, Details, ImageUrl, PackagingName, Packing, Part, Text},
    item::Item,
};
use crate::kernel::{
    CategoryId, CompanyId, Currency, Gtin, Language, Name, OfCompany, ProductId, Quantity, Sku,
    UnitPrice, VatRate, aggregate::aggregate, day::DayError, refusal::refusals,
};

/// The state of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Product {
    /// Not drafted.
    #[default]
    Undrafted,
    /// Draft: visible to the seller only.
    Drafted(Box<Item>),
    /// Published: for sale.
    Published(Box<Item>),
    /// Withdrawn: no longer for sale.
    Withdrawn(Box<Item>),
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
#[schemars(rename = "ProductUnit")]
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
    /// Whether fractions of a unit can be sold.
    pub const fn divisible(self) -> bool {
        match self {
            Self::Piece | Self::Pack | Self::Carton => false,
            Self::Kilogram | Self::Metre => true,
        }
    }
}

/// The commands of a product.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Draft a product.
    Draft {
        /// Its id.
        id: ProductId,
        /// What it is.
        description: Description,
    },
    /// Set its base price.
    Price {
        /// The list's currency.
        currency: Currency,
        /// Net price of one unit.
        price: UnitPrice,
    },
    /// Set its price floor.
    Floor {
        /// In which currency.
        currency: Currency,
        /// Net price of one unit; `None` removes the floor.
        price: Option<UnitPrice>,
    },
    /// Rename it.
    Rename(Naming),
    /// Set its description.
    Describe {
        /// The words, by language.
        texts: BTreeMap<Language, Text>,
    },
    /// Set its attributes.
    Characterize(Character),
    /// Set its categories.
    Categorize {
        /// Which, the main one first.
        categories: Vec<CategoryId>,
    },
    /// Set its packagings and order quantities.
    Pack(Packing),
    /// Set its VAT rate.
    ChangeVatRate {
        /// The first day of the rate.
        from: Date,
        /// The rate.
        vat_rate: VatRate,
    },
    /// Set its classification for tax and statistics.
    Classify(Classification),
    /// Set its pictures.
    Picture {
        /// Where they are, the main one first.
        images: Vec<ImageUrl>,
    },
    /// Set its substitutes.
    Substitute {
        /// Which products.
        substitutes: Vec<ProductId>,
    },
    /// Make it a bundle of other products; an empty list makes it a single product again. The
    /// caller has checked that none of them is a bundle.
    Bundle {
        /// The products and their quantities.
        parts: Vec<Part>,
    },
    /// Set its term of return.
    SetReturnTerm {
        /// For how many days after their dispatch a company can return goods; `None` for any time.
        days: Option<u16>,
    },
    /// Publish it.
    Publish,
    /// Withdraw it.
    Withdraw {
        /// What is sold instead.
        successor: Option<ProductId>,
    },
}

/// What a product is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductNaming")]
pub struct Naming {
    /// In Polish.
    pub name: Name,
    /// In other languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<Language, Name>,
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
    /// It never costs less, whatever lists, contracts and discounts say.
    Floored {
        /// In which currency.
        currency: Currency,
        /// Net price of one unit; missing when there is no floor any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<UnitPrice>,
    },
    /// It is called something else.
    Renamed(Naming),
    /// Something else is said about it.
    Described {
        /// The words, by language.
        texts: BTreeMap<Language, Text>,
    },
    /// What marks it out has changed.
    Characterized(Character),
    /// It stands in these categories.
    Categorized {
        /// Which, the main one first.
        categories: Vec<CategoryId>,
    },
    /// It is packed and ordered like this.
    Packed(Packing),
    /// It is taxed at another rate from a day on.
    VatRateChanged {
        /// The day.
        #[schemars(with = "String", extend("format" = "date"))]
        from: Date,
        /// The rate.
        vat_rate: VatRate,
    },
    /// Statistics and tax know it like this.
    Classified(Classification),
    /// These pictures are shown of it.
    Pictured {
        /// Where they are, the main one first.
        images: Vec<ImageUrl>,
    },
    /// These can be sold instead.
    Substituted {
        /// Which products.
        substitutes: Vec<ProductId>,
    },
    /// It is made of others.
    Bundled {
        /// Of which, and how much of each; none when it is a single product.
        parts: Vec<Part>,
    },
    /// Companies can return it for so many days.
    ReturnTermSet {
        /// After its dispatch; missing when the term has no end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<u16>,
    },
    /// It is for sale.
    Published {},
    /// It is no longer for sale.
    Withdrawn {
        /// What is sold instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<ProductId>,
    },
}

aggregate!(Product, "product", {
    Drafted => "drafted" v 1,
    Priced => "priced" v 1,
    Floored => "floored" v 1,
    Renamed => "renamed" v 1,
    Described => "described" v 1,
    Characterized => "characterized" v 1,
    Categorized => "categorized" v 1,
    Packed => "packed" v 1,
    VatRateChanged => "vat_rate_changed" v 1,
    Classified => "classified" v 1,
    Pictured => "pictured" v 1,
    Substituted => "substituted" v 1,
    Bundled => "bundled" v 1,
    ReturnTermSet => "return_term_set" v 1,
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
    /// It is not for sale.
    #[error("the product {sku} is not for sale")]
    NotPublished {
        /// Which one.
        sku: Sku,
    },
    /// It has no price in the document's currency.
    #[error("the product {sku} has no price in {currency}")]
    NoPriceIn {
        /// Which one.
        sku: Sku,
        /// The missing currency.
        currency: Currency,
    },
    /// The quantity is a fraction, but the unit is sold only whole.
    #[error("the product {sku} is sold in whole units only")]
    Indivisible {
        /// Which one.
        sku: Sku,
    },
    /// It was withdrawn, which is final.
    #[error("the product was withdrawn")]
    Withdrawn,
    /// The quantity is not orderable.
    #[error("the product {sku} is not ordered in this quantity; the nearest is {}",
        nearest(*below, *above))]
    QuantityNotOrdered {
        /// Which one.
        sku: Sku,
        /// The next smaller orderable quantity, if any.
        below: Option<Quantity>,
        /// The next larger orderable quantity.
        above: Quantity,
    },
    /// It has no such packaging.
    #[error("the product {sku} does not come by the {packaging}")]
    NotPackedSo {
        /// Which one.
        sku: Sku,
        /// The requested packaging.
        packaging: PackagingName,
    },
    /// Two packagings have the same name.
    #[error("no two packagings of a product are called alike")]
    PackagingTwice,
    /// The minimum quantity is not orderable itself.
    #[error("the least quantity must be a multiple of the one that it goes up by")]
    MinimumIsNoMultiple,
    /// Too many values.
    #[error("a product has at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// A value occurs twice.
    #[error("the product names one of its {what} twice")]
    Twice {
        /// Of what.
        what: &'static str,
    },
    /// The product is its own substitute or component.
    #[error("a product is neither its own part, nor its own substitute or successor")]
    Itself,
    /// The term of return is too long.
    #[error("a term of return has at most {} days", Details::MOST_RETURN_DAYS)]
    ReturnTermTooLong,
    /// The day is outside the supported range.
    #[error(transparent)]
    Day(#[from] DayError),
}

fn nearest(below: Option<Quantity>, above: Quantity) -> String {
    below.map_or_else(|| above.to_string(), |below| format!("{below} or {above}"))
}

refusals!(Error, {
    AlreadyDrafted => ("product.already_drafted", State),
    Undrafted => ("product.undrafted", Missing),
    NoPrice => ("product.no_price", State),
    NotPublished => ("product.not_published", State),
    NoPriceIn => ("product.no_price_in_currency", State),
    Indivisible => ("product.indivisible", Invalid),
    Withdrawn => ("product.withdrawn", State),
    QuantityNotOrdered => ("product.quantity_not_ordered", Invalid),
    NotPackedSo => ("product.not_packed_so", Invalid),
    PackagingTwice => ("product.packaging_twice", Invalid),
    MinimumIsNoMultiple => ("product.minimum_is_no_multiple", Invalid),
    TooMany => ("product.too_many", Invalid),
    Twice => ("product.twice", Invalid),
    Itself => ("product.itself", Invalid),
    ReturnTermTooLong => ("product.return_term_too_long", Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl Product {
    /// Every rule of a product.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Undrafted, Command::Draft { id, description }) => {
                Ok(vec![Event::Drafted { id, description }])
            }
            (_, Command::Draft { .. }) => Err(Error::AlreadyDrafted),
            (Self::Undrafted, _) => Err(Error::Undrafted),

            (Self::Drafted(item), Command::Publish) if !item.has_price() => Err(Error::NoPrice),
            (Self::Drafted(_), Command::Publish) => Ok(vec![Event::Published {}]),
            (Self::Published(_), Command::Publish) => Ok(vec![]),
            (Self::Withdrawn(_), Command::Publish) => Err(Error::Withdrawn),

            (Self::Drafted(item) | Self::Published(item), Command::Withdraw { successor }) => {
                item.is_another(successor)?;
                Ok(vec![Event::Withdrawn { successor }])
            }
            (Self::Withdrawn(item), Command::Withdraw { successor }) => {
                item.is_another(successor)?;
                let is_so = successor.is_none() || successor == item.details().successor;
                Ok(if is_so { vec![] } else { vec![Event::Withdrawn { successor }] })
            }
            (Self::Withdrawn(item), Command::Price { currency, price })
                if item.base_price(currency) != Some(price) =>
            {
                Err(Error::Withdrawn)
            }
            (Self::Drafted(item) | Self::Published(item) | Self::Withdrawn(item), command) => {
                Ok(item.decide(command)?.into_iter().collect())
            }
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Drafted { id, description }) => {
                Self::Drafted(Box::new(Item::new(id, description)))
            }
            (Self::Undrafted, _) => Self::Undrafted,
            (
                Self::Drafted(item) | Self::Published(item) | Self::Withdrawn(item),
                Event::Published {},
            ) => Self::Published(item),
            (
                Self::Drafted(item) | Self::Published(item) | Self::Withdrawn(item),
                event @ Event::Withdrawn { .. },
            ) => Self::Withdrawn(Box::new(item.evolve(event))),
            (Self::Drafted(item), event) => Self::Drafted(Box::new(item.evolve(event))),
            (Self::Published(item), event) => Self::Published(Box::new(item.evolve(event))),
            (Self::Withdrawn(item), event) => Self::Withdrawn(Box::new(item.evolve(event))),
        }
    }

    /// Its details, whether it is for sale or not.
    pub fn item(&self) -> Result<&Item, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted(item) | Self::Published(item) | Self::Withdrawn(item) => Ok(item),
        }
    }

    /// Its details, if it is for sale.
    pub fn on_sale(&self) -> Result<&Item, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted(item) | Self::Withdrawn(item) => {
                Err(Error::NotPublished { sku: item.sku().clone() })
            }
            Self::Published(item) => Ok(item),
        }
    }

    /// Whether it was ever published: until then only the seller sees it.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Published(_) | Self::Withdrawn(_))
    }

    /// Whether so much of it can leave: what is sold by the piece leaves by the piece, also after
    /// it was withdrawn.
    pub fn can_leave(&self, quantity: Quantity) -> Result<(), Error> {
        self.item()?.can_be_parted_into(quantity)
    }
}

impl OfCompany for Product {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests;
