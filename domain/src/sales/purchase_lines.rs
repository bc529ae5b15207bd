//! The lines of a cart or an order list: how much of which products is wanted.
//!
//! A line keeps its number for as long as it is there, and no number is used again. What is wanted
//! of the same product with the same note is one line: its quantity is the sum, rounded up to what
//! is ordered of the product.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::product::{PackagingName, Packing},
    kernel::{
        Note, ProductId, Quantity, Sku, UnitPrice, quantity::QuantityError, refusal::refusals,
    },
    pricing::Step,
};

/// So much of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseLine {
    /// Its number, counted from 1.
    pub line: u32,
    /// Of which product.
    pub product: ProductId,
    /// Its code when the line was written.
    pub sku: Sku,
    /// How much of it, in its units.
    pub quantity: Quantity,
    /// In what it was counted, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packaging: Option<PackagingName>,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Net price of one unit when the line was written, in the currency of the cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
}

/// What somebody wants of a product, with what is known of that.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Which product.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// How much, in its units, as it was said.
    pub quantity: Quantity,
    /// In what it was counted.
    pub packaging: Option<PackagingName>,
    /// What else is to be known.
    pub note: Option<Note>,
    /// In which quantities it is ordered.
    pub packing: Packing,
    /// What one unit costs, by quantity; empty where nobody asks.
    pub prices: Vec<Step>,
}

impl Wanted {
    /// The line of this number with a quantity that is ordered.
    fn line(self, line: u32, quantity: Decimal) -> Result<PurchaseLine, QuantityError> {
        let quantity = self.packing.rounded_up(Quantity::new(quantity)?);
        let unit_price = price_at(&self.prices, quantity);
        let Self { product, sku, packaging, note, .. } = self;
        Ok(PurchaseLine { line, product, sku, quantity, packaging, note, unit_price })
    }
}

/// The price of the last step that a quantity reaches.
fn price_at(steps: &[Step], quantity: Quantity) -> Option<UnitPrice> {
    let reached = steps.iter().rev().find(|step| step.at_least <= quantity);
    reached.map(|step| step.price)
}

/// What becomes of a line that is there already when more of its product is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PurchaseLineMode")]
pub enum Mode {
    /// The quantities are added up.
    #[default]
    Add,
    /// The new quantity replaces the old one.
    Replace,
}

/// What a command changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// New lines.
    pub added: Vec<PurchaseLine>,
    /// Lines that were there, as they are now.
    pub changed: Vec<PurchaseLine>,
}

/// Why lines are not changed like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More lines than a cart or a list has.
    #[error("there are at most {} lines", PurchaseLines::MOST)]
    TooManyLines,
    /// No line has this number.
    #[error("there is no line {line}")]
    NoSuchLine {
        /// The number.
        line: u32,
    },
    /// A line is named twice.
    #[error("line {line} is named twice")]
    LineTwice {
        /// The number.
        line: u32,
    },
    /// A line keeps its product.
    #[error("line {line} is of another product")]
    OtherProduct {
        /// The number.
        line: u32,
    },
    /// The sum of quantities is too large.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
}

refusals!(Error, {
    TooManyLines => ("purchase_lines.too_many", Invalid),
    NoSuchLine => ("purchase_lines.no_such_line", State),
    LineTwice => ("purchase_lines.line_twice", Invalid),
    OtherProduct => ("purchase_lines.other_product", State),
    Quantity => ("purchase_lines.quantity_out_of_range", Invalid),
});

/// The lines by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PurchaseLines {
    /// The last number that was given.
    last: u32,
    lines: BTreeMap<u32, PurchaseLine>,
}

/// What makes two wishes one line.
type Likeness<'a> = (ProductId, Option<&'a Note>);

impl PurchaseLines {
    /// The most lines at once.
    pub const MOST: usize = 5_000;
    /// The most lines of one event, so that its size is bounded: about 2 MB with the longest notes.
    const MOST_OF_AN_EVENT: usize = 500;

    /// Every line in the order of numbers.
    pub fn iter(&self) -> impl Iterator<Item = &PurchaseLine> {
        self.lines.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line of this number.
    pub fn line(&self, number: u32) -> Option<&PurchaseLine> {
        self.lines.get(&number)
    }

    /// The first line of each product and note: the one to which more is added.
    pub fn by_likeness(&self) -> HashMap<(ProductId, Option<&Note>), &PurchaseLine> {
        let mut lines: HashMap<Likeness<'_>, &PurchaseLine> = HashMap::with_capacity(self.len());
        for line in self.iter() {
            lines.entry((line.product, line.note.as_ref())).or_insert(line);
        }
        lines
    }

    /// What adding this changes.
    pub fn add(&self, wanted: Vec<Wanted>, mode: Mode) -> Result<Changes, Error> {
        let present = self.by_likeness();
        // In the order in which they were first named.
        let mut sums: Vec<(Wanted, Decimal)> = Vec::with_capacity(wanted.len());
        let mut places: HashMap<(ProductId, Option<Note>), usize> = HashMap::new();
        for one in wanted {
            let units = one.quantity.units();
            match places.get(&(one.product, one.note.clone())) {
                Some(&place) => sums[place].1 += units,
                None => {
                    places.insert((one.product, one.note.clone()), sums.len());
                    sums.push((one, units));
                }
            }
        }
        let mut changes = Changes::default();
        let mut next = self.last;
        for (one, sum) in sums {
            let note = one.note.clone();
            match present.get(&(one.product, note.as_ref())).copied() {
                Some(old) => {
                    let before = match mode {
                        Mode::Add => old.quantity.units(),
                        Mode::Replace => Decimal::ZERO,
                    };
                    let new = one.line(old.line, before + sum)?;
                    // What it is counted in stays when nothing else is said.
                    let packaging = new.packaging.or(old.packaging);
                    let new = PurchaseLine { packaging, ..new };
                    if new != *old {
                        changes.changed.push(new);
                    }
                }
                None => {
                    next += 1;
                    changes.added.push(one.line(next, sum)?);
                }
            }
        }
        if self.len() + changes.added.len() > Self::MOST {
            return Err(Error::TooManyLines);
        }
        Ok(changes)
    }

    /// What setting these lines anew changes.
    pub fn change(&self, lines: Vec<(u32, Wanted)>) -> Result<Vec<PurchaseLine>, Error> {
        let mut named = BTreeSet::new();
        let mut changed = Vec::with_capacity(lines.len());
        for (number, wanted) in lines {
            let old = self.line(number).ok_or(Error::NoSuchLine { line: number })?;
            if !named.insert(number) {
                return Err(Error::LineTwice { line: number });
            }
            if old.product != wanted.product {
                return Err(Error::OtherProduct { line: number });
            }
            let sum = wanted.quantity.units();
            let new = wanted.line(number, sum)?;
            if new != *old {
                changed.push(new);
            }
        }
        Ok(changed)
    }

    /// Those of some lines that are there: what is gone already needs no removal.
    pub fn present(&self, lines: &[u32]) -> Vec<u32> {
        let lines: BTreeSet<u32> = lines.iter().copied().collect();
        lines.into_iter().filter(|line| self.lines.contains_key(line)).collect()
    }

    /// Splits lines into parts, one for each event.
    pub fn parts(lines: Vec<PurchaseLine>) -> Vec<Vec<PurchaseLine>> {
        lines.chunks(Self::MOST_OF_AN_EVENT).map(<[PurchaseLine]>::to_vec).collect()
    }

    pub(super) fn put(&mut self, lines: Vec<PurchaseLine>) {
        for line in lines {
            self.last = self.last.max(line.line);
            self.lines.insert(line.line, line);
        }
    }

    pub(super) fn take_out(&mut self, lines: &[u32]) {
        for line in lines {
            self.lines.remove(line);
        }
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
    }
}

#[cfg(test)]
mod tests;
