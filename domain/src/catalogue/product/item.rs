//! What is known of a product, and what can be done with it whether it is for sale or not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Command, Description, Error, Event, Naming,
    details::{Details, PackagingName},
};
use crate::kernel::{
    Currency, Line, PricedBy, ProductId, Quantity, Sku, UnitPrice, VatRate, day,
    quantity::QuantityError,
};

/// A product with its details and its base prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    id: ProductId,
    description: Description,
    base_prices: BTreeMap<Currency, UnitPrice>,
    #[serde(default)]
    floors: BTreeMap<Currency, UnitPrice>,
    details: Details,
}

impl Item {
    pub(super) fn new(id: ProductId, description: Description) -> Self {
        Self {
            id,
            description,
            base_prices: BTreeMap::new(),
            floors: BTreeMap::new(),
            details: Details::default(),
        }
    }

    /// What a command changes; nothing when it is so already.
    pub(super) fn decide(&self, command: Command) -> Result<Option<Event>, Error> {
        let details = &self.details;
        Ok(match command {
            Command::Draft { .. } => return Err(Error::AlreadyDrafted),
            // `Product` decides on these.
            Command::Publish | Command::Withdraw { .. } => None,
            Command::Price { currency, price } => (self.base_prices.get(&currency) != Some(&price))
                .then_some(Event::Priced { currency, price }),
            Command::Floor { currency, price } => {
                (self.floor(currency) != price).then_some(Event::Floored { currency, price })
            }
            Command::Rename(naming) => {
                at_most(naming.translations.len(), Details::MOST_LANGUAGES, "languages")?;
                (self.naming() != naming).then_some(Event::Renamed(naming))
            }
            Command::Describe { texts } => {
                at_most(texts.len(), Details::MOST_LANGUAGES, "languages")?;
                (details.texts != texts).then_some(Event::Described { texts })
            }
            Command::Characterize(character) => {
                at_most(character.attributes.len(), Details::MOST_ATTRIBUTES, "attributes")?;
                (details.character != character).then_some(Event::Characterized(character))
            }
            Command::Categorize { categories } => {
                at_most(categories.len(), Details::MOST_CATEGORIES, "categories")?;
                all_differ(&categories, "categories")?;
                (details.categories != categories).then_some(Event::Categorized { categories })
            }
            Command::Pack(packing) => {
                let packing = packing.checked()?;
                (details.packing != packing).then_some(Event::Packed(packing))
            }
            Command::ChangeVatRate { from, vat_rate } => {
                let from = day::checked(from)?;
                (details.vat_rates.get(&from) != Some(&vat_rate))
                    .then_some(Event::VatRateChanged { from, vat_rate })
            }
            Command::Classify(classification) => (details.classification != classification)
                .then_some(Event::Classified(classification)),
            Command::Picture { images } => {
                at_most(images.len(), Details::MOST_IMAGES, "images")?;
                all_differ(&images, "images")?;
                (details.images != images).then_some(Event::Pictured { images })
            }
            Command::Substitute { substitutes } => {
                at_most(substitutes.len(), Details::MOST_SUBSTITUTES, "substitutes")?;
                all_differ(&substitutes, "substitutes")?;
                substitutes.iter().try_for_each(|other| self.is_another(Some(*other)))?;
                (details.substitutes != substitutes).then_some(Event::Substituted { substitutes })
            }
            Command::Bundle { parts } => {
                at_most(parts.len(), Details::MOST_PARTS, "parts")?;
                let products: Vec<ProductId> = parts.iter().map(|part| part.product).collect();
                all_differ(&products, "parts")?;
                products.iter().try_for_each(|part| self.is_another(Some(*part)))?;
                (details.parts != parts).then_some(Event::Bundled { parts })
            }
            Command::SetReturnTerm { days } => {
                if days.is_some_and(|days| days > Details::MOST_RETURN_DAYS) {
                    return Err(Error::ReturnTermTooLong);
                }
                (details.return_term_days != days).then_some(Event::ReturnTermSet { days })
            }
        })
    }

    pub(super) fn evolve(mut self, event: Event) -> Self {
        let details = &mut self.details;
        match event {
            // `Product` follows these.
            Event::Drafted { .. } | Event::Published {} => {}
            Event::Priced { currency, price } => {
                self.base_prices.insert(currency, price);
            }
            Event::Floored { currency, price: Some(price) } => {
                self.floors.insert(currency, price);
            }
            Event::Floored { currency, price: None } => {
                self.floors.remove(&currency);
            }
            Event::Renamed(Naming { name, translations }) => {
                self.description.name = name;
                details.translations = translations;
            }
            Event::Described { texts } => details.texts = texts,
            Event::Characterized(character) => details.character = character,
            Event::Categorized { categories } => details.categories = categories,
            Event::Packed(packing) => details.packing = packing,
            Event::VatRateChanged { from, vat_rate } => {
                details.vat_rates.insert(from, vat_rate);
            }
            Event::Classified(classification) => details.classification = classification,
            Event::Pictured { images } => details.images = images,
            Event::Substituted { substitutes } => details.substitutes = substitutes,
            Event::Bundled { parts } => details.parts = parts,
            Event::ReturnTermSet { days } => details.return_term_days = days,
            Event::Withdrawn { successor } => details.successor = successor,
        }
        self
    }

    /// Its id.
    pub fn id(&self) -> ProductId {
        self.id
    }

    /// What it is.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The seller's code of it.
    pub fn sku(&self) -> &Sku {
        &self.description.sku
    }

    /// What else is known of it.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The least that it costs.
    pub fn floor(&self, currency: Currency) -> Option<UnitPrice> {
        self.floors.get(&currency).copied()
    }

    /// Its price on the base list.
    pub fn base_price(&self, currency: Currency) -> Option<UnitPrice> {
        self.base_prices.get(&currency).copied()
    }

    /// Whether it is made of others.
    pub fn is_bundle(&self) -> bool {
        !self.details.parts.is_empty()
    }

    /// The rate at which it is taxed on a day.
    pub fn vat_rate(&self, on: Date) -> VatRate {
        self.details.vat_rate(self.description.vat_rate, on)
    }

    /// So many of a packaging, in units of the product.
    pub fn unpacked(&self, count: Quantity, packaging: PackagingName) -> Result<Quantity, Error> {
        let packagings = &self.details.packing.packagings;
        let refused = || Error::NotPackedSo { sku: self.sku().clone(), packaging };
        let found = packagings.iter().find(|known| known.name == packaging).ok_or_else(refused)?;
        let units: Result<Quantity, QuantityError> =
            Quantity::new(count.units() * found.holds.units());
        units.map_err(|_| refused())
    }

    /// Whether what is ordered may be so much.
    pub fn can_be_ordered(&self, quantity: Quantity) -> Result<(), Error> {
        self.can_be_parted_into(quantity)?;
        match self.details.packing.nearest(quantity) {
            None => Ok(()),
            Some((below, above)) => {
                Err(Error::QuantityNotOrdered { sku: self.sku().clone(), below, above })
            }
        }
    }

    pub(super) fn can_be_parted_into(&self, quantity: Quantity) -> Result<(), Error> {
        if self.description.unit.divisible() || quantity.units().is_integer() {
            Ok(())
        } else {
            Err(Error::Indivisible { sku: self.sku().clone() })
        }
    }

    pub(super) fn has_price(&self) -> bool {
        !self.base_prices.is_empty()
    }

    pub(super) fn is_another(&self, product: Option<ProductId>) -> Result<(), Error> {
        if product == Some(self.id) { Err(Error::Itself) } else { Ok(()) }
    }

    /// A line of so much of it on a day at a price, with what made that. Whether it is for sale, and
    /// ordered in this quantity, is another question.
    pub fn line(
        &self,
        quantity: Quantity,
        currency: Currency,
        price: Option<(UnitPrice, PricedBy)>,
        on: Date,
    ) -> Result<Line, Error> {
        self.can_be_parted_into(quantity)?;
        let Description { sku, name, .. } = &self.description;
        let (unit_price, priced_by) =
            price.ok_or_else(|| Error::NoPriceIn { sku: sku.clone(), currency })?;
        Ok(Line {
            product: self.id,
            sku: sku.clone(),
            name: name.clone(),
            quantity,
            unit_price,
            vat_rate: self.vat_rate(on),
            priced_by: Some(priced_by),
            deliver_on: None,
        })
    }

    fn naming(&self) -> Naming {
        let translations = self.details.translations.clone();
        Naming { name: self.description.name.clone(), translations }
    }
}

fn at_most(count: usize, most: usize, what: &'static str) -> Result<(), Error> {
    if count <= most { Ok(()) } else { Err(Error::TooMany { what, most }) }
}

fn all_differ<T: Ord>(list: &[T], what: &'static str) -> Result<(), Error> {
    let different: BTreeSet<&T> = list.iter().collect();
    if different.len() == list.len() { Ok(()) } else { Err(Error::Twice { what }) }
}
