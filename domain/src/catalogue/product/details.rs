//! What is known of a product besides its code, its name and its price.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Error;
use crate::kernel::{
    CategoryId, Gtin, Language, Name, ProductId, Quantity, Reference, VatRate,
    characters::{Use, normalised},
    money::exact,
};

/// All of it; nothing of it is needed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    /// What it is called in other languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<Language, Name>,
    /// What is said of it, by language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<Language, Text>,
    /// What marks it out.
    #[serde(default)]
    pub character: Character,
    /// Where it stands in the tree, the main category first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryId>,
    /// How it is packed and ordered.
    #[serde(default)]
    pub packing: Packing,
    /// Rates of its tax that hold from a day on, later than the one it was drafted with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, VatRate>")]
    pub vat_rates: BTreeMap<Date, VatRate>,
    /// How statistics and tax know it.
    #[serde(default)]
    pub classification: Classification,
    /// Pictures, the main one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageUrl>,
    /// What can be sold instead of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substitutes: Vec<ProductId>,
    /// What it is made of, when it is a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What is sold instead since it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<ProductId>,
    /// For how many days after its dispatch a company can return it; missing when there is no such
    /// term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_term_days: Option<u16>,
}

impl Details {
    /// The other products that it names: those sold instead of it, now or since it was withdrawn, and
    /// its parts.
    pub fn others(&self) -> impl Iterator<Item = ProductId> {
        let parts = self.parts.iter().map(|part| part.product);
        self.substitutes.iter().copied().chain(parts).chain(self.successor)
    }

    /// The same for somebody who knows no other products than these.
    #[must_use]
    pub fn naming_only(mut self, known: &BTreeSet<ProductId>) -> Self {
        self.substitutes.retain(|product| known.contains(product));
        self.parts.retain(|part| known.contains(&part.product));
        self.successor = self.successor.filter(|product| known.contains(product));
        self
    }

    /// The rate of its tax on a day, when it was drafted with this one.
    pub fn vat_rate(&self, first: VatRate, on: Date) -> VatRate {
        self.vat_rates.range(..=on).next_back().map_or(first, |(_, rate)| *rate)
    }
}

/// What marks a product out among others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductCharacter")]
pub struct Character {
    /// Under which name its maker sells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Name>,
    /// The family whose members are one product in several variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Reference>,
    /// Its properties by name; those in which variants of a family differ are among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<Name, Attribute>,
}

/// A property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "ProductAttribute")]
pub enum Attribute {
    /// In words.
    Text {
        /// The words.
        value: Name,
    },
    /// By number.
    Number {
        /// The number.
        value: Measure,
        /// Of what, such as `cm`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<Name>,
    },
    /// It has it or not.
    Flag {
        /// Whether it has it.
        value: bool,
    },
}

/// A measured number with up to six decimal places. JSON carries it as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Measure(Decimal);

/// How a product is packed and in which quantities it is ordered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductPacking")]
pub struct Packing {
    /// What its units come in, from small to large.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packagings: Vec<Packaging>,
    /// The least that is ordered, in its units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Quantity>,
    /// What a quantity must be a multiple of, in its units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<Quantity>,
}

/// What units of a product come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packaging {
    /// What it is, such as `carton` or `pallet`; no two of a product are called alike.
    pub name: PackagingName,
    /// How many units of the product it holds.
    pub holds: Quantity,
    /// The number under its own bar code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<Gtin>,
}

/// What a packaging is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PackagingName {
    /// A few pieces together.
    Pack,
    /// A box.
    Carton,
    /// What lies side by side on a pallet.
    Layer,
    /// A pallet.
    Pallet,
    /// What metres are wound on.
    Roll,
    /// What kilograms are filled into.
    Bag,
}

/// How statistics and tax know a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductClassification")]
pub struct Classification {
    /// Its symbol in `PKWiU` 2015, such as `10.83.11.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkwiu: Option<Pkwiu>,
    /// Its code in the Combined Nomenclature, eight digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cn: Option<CnCode>,
    /// Whether it is in annex 15 to the VAT act, so that above 15,000 PLN the payment is split.
    #[serde(default)]
    pub annex_15: bool,
}

/// What a bundle has in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BundlePart")]
pub struct Part {
    /// Of what.
    pub product: ProductId,
    /// How much, in that product's units.
    pub quantity: Quantity,
}

/// Text that is not what its kind looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpellingError(&'static str);

macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident, $pattern:literal, $what:literal, $use:ident, $checks:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = SpellingError;

            fn try_from(text: String) -> Result<Self, SpellingError> {
                let fits: fn(&str) -> bool = $checks;
                let text = normalised(&text, Use::$use).map_err(|_| SpellingError($what))?;
                if fits(&text) { Ok(Self(text.into_owned())) } else { Err(SpellingError($what)) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = SpellingError;

            fn from_str(text: &str) -> Result<Self, SpellingError> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

spelled!(
    /// A symbol of `PKWiU` 2015.
    ///
    /// Source: rozporządzenie Rady Ministrów z 4.09.2015 w sprawie `PKWiU`.
    Pkwiu,
    r"^[0-9]{2}(\.[0-9]{1,2}(\.[0-9]{1,2}(\.[0-9])?)?)?$",
    "a PKWiU symbol looks like 10.83.11.0",
    Identifier,
    |text| {
        let parts: Vec<&str> = text.split('.').collect();
        let most = [2, 2, 2, 1];
        parts.len() <= most.len()
            && parts[0].len() == 2
            && parts.iter().zip(most).all(|(part, most)| {
                (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
            })
    }
);
spelled!(
    /// A code of the Combined Nomenclature.
    ///
    /// Source: Council Regulation (EEC) No 2658/87, annex I.
    CnCode,
    "^[0-9]{8}$",
    "a CN code has eight digits",
    Identifier,
    |text| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
);
spelled!(
    /// Where a picture is: an `https` URL of at most 500 characters.
    ImageUrl,
    "^https://[^\\s]{1,492}$",
    "a picture has an https URL of at most 500 characters",
    Identifier,
    |text| {
        text.len() <= 500
            && text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
);
spelled!(
    /// Words about a product: at most 10,000 characters, lines among them.
    Text,
    "^[^\\x00]{1,10000}$",
    "a text has between 1 and 10000 characters",
    Words,
    |text| {
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        !text.trim().is_empty() && text.chars().count() <= 10_000 && !text.chars().any(control)
    }
);

impl TryFrom<String> for Measure {
    type Error = SpellingError;

    fn try_from(text: String) -> Result<Self, SpellingError> {
        exact(&text)
            .map(|number| number.normalize())
            .filter(|number| {
                number.scale() <= 6 && number.abs() < Decimal::from(1_000_000_000_000_i64)
            })
            .map(Self)
            .ok_or(SpellingError(
                "a measure is a number in a string with at most six decimal places",
            ))
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> Self {
        measure.0.to_string()
    }
}

impl JsonSchema for Measure {
    fn schema_name() -> Cow<'static, str> {
        "Measure".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6}0*)?$" })
    }
}

impl Details {
    /// How many languages a product speaks, besides Polish.
    pub const MOST_LANGUAGES: usize = 30;
    /// How many properties it has.
    pub const MOST_ATTRIBUTES: usize = 100;
    /// In how many categories it stands.
    pub const MOST_CATEGORIES: usize = 8;
    /// How many pictures it has.
    pub const MOST_IMAGES: usize = 30;
    /// How many others can be sold instead.
    pub const MOST_SUBSTITUTES: usize = 30;
    /// How many days a term of return has.
    pub const MOST_RETURN_DAYS: u16 = 3_650;
    /// How many parts a bundle has.
    pub const MOST_PARTS: usize = 50;
}

impl Packing {
    /// Checks that no two packagings are called alike and that what is ordered least is allowed.
    pub(super) fn checked(self) -> Result<Self, Error> {
        let twice = |index: usize, packaging: &Packaging| {
            self.packagings[..index].iter().any(|other| other.name == packaging.name)
        };
        if self.packagings.iter().enumerate().any(|(index, packaging)| twice(index, packaging)) {
            return Err(Error::PackagingTwice);
        }
        match (self.minimum, self.multiple) {
            (Some(minimum), Some(multiple)) if !is_multiple(minimum, multiple) => {
                Err(Error::MinimumIsNoMultiple)
            }
            _ => Ok(self),
        }
    }

    /// The least quantity that can be ordered and is not below this one.
    pub fn rounded_up(&self, quantity: Quantity) -> Quantity {
        self.nearest(quantity).map_or(quantity, |(_, above)| above)
    }

    /// Without its packagings: in which quantities something is ordered.
    #[must_use]
    pub fn quantities(&self) -> Self {
        Self { packagings: Vec::new(), minimum: self.minimum, multiple: self.multiple }
    }

    /// The nearest quantities that can be ordered, when this one cannot: below, if there is one,
    /// and above.
    pub(super) fn nearest(&self, quantity: Quantity) -> Option<(Option<Quantity>, Quantity)> {
        let minimum = self.minimum.or(self.multiple);
        if let Some(minimum) = minimum.filter(|minimum| quantity < *minimum) {
            return Some((None, minimum));
        }
        let multiple = self.multiple.filter(|multiple| !is_multiple(quantity, *multiple))?;
        let whole = (quantity.units() / multiple.units()).floor();
        let times = |count: Decimal| Quantity::new(count * multiple.units()).ok();
        let below = times(whole).filter(|below| minimum.is_none_or(|minimum| *below >= minimum));
        Some((below, times(whole + Decimal::ONE)?))
    }
}

fn is_multiple(quantity: Quantity, of: Quantity) -> bool {
    (quantity.units() % of.units()).is_zero()
}

impl std::fmt::Display for PackagingName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pack => "pack",
            Self::Carton => "carton",
            Self::Layer => "layer",
            Self::Pallet => "pallet",
            Self::Roll => "roll",
            Self::Bag => "bag",
        })
    }
}
