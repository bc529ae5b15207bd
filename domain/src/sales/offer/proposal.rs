//! The content of an offer: lines, some optional or alternatives, with quantity breaks, and terms
//! that are valid until a day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::{
    kernel::{
        CompanyId, Currency, DeliveryTerms, Line, Lines, Message, Money, PaymentTerm, Percent,
        Quantity, UnitPrice, day, money::MoneyError, vat::Totals,
    },
    sales::terms::Conditions,
};

/// What the seller proposes, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferProposal")]
pub struct Proposal {
    /// To whom.
    pub company: CompanyId,
    /// In which currency.
    pub currency: Currency,
    /// What, how much, at which prices.
    pub lines: Lines<OfferedLine>,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// The last day on which it can be accepted, in the seller's time zone.
    pub valid_until: Date,
    /// How the goods travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_terms: Option<DeliveryTerms>,
    /// What has come off every price for taking the offer; the prices are after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Percent>,
    /// Whether the company may take some of the needed lines and leave others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub divisible: bool,
    /// What the seller has to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

/// A line as it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedLine {
    /// How much of what at which price, all discounts taken off.
    #[serde(flatten)]
    pub line: Line,
    /// What the company's agreements and lists made of one unit when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<UnitPrice>,
    /// What came off for this line, before what came off the whole offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Percent>,
    /// What one unit costs in other quantities, the smallest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = OfferedLine::MOST_BREAKS))]
    pub breaks: Vec<Break>,
    /// The largest quantity that the company can take, where it can take others than the one
    /// offered: what has prices for other quantities says so, so that whoever agrees to the line
    /// knows to how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Quantity>,
    /// Whether the company must take it.
    #[serde(default, skip_serializing_if = "Choice::is_needed")]
    pub choice: Choice,
}

/// From a quantity on, another price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferPriceBreak")]
pub struct Break {
    /// From so much on.
    pub at_least: Quantity,
    /// What one unit costs, all discounts taken off.
    pub unit_price: UnitPrice,
}

/// Whether a line is taken with the offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "LineChoice")]
pub enum Choice {
    /// It is part of the offer.
    #[default]
    Needed,
    /// The company takes it or leaves it.
    Optional,
    /// The company may take it instead of another line.
    Alternative {
        /// That line's number, counted from 1; it is no alternative itself.
        to: u32,
    },
}

impl Choice {
    /// Whether the company must take it.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub fn is_needed(&self) -> bool {
        *self == Self::Needed
    }

    /// The number of the line that this line replaces: itself, or the one to which it is an
    /// alternative.
    pub fn place(self, number: u32) -> u32 {
        match self {
            Self::Needed | Self::Optional => number,
            Self::Alternative { to } => to,
        }
    }
}

/// A line that the company takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChosenLine")]
pub struct Chosen {
    /// Its number, counted from 1.
    pub line: u32,
    /// How much, where the line has prices for other quantities; as offered when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
}

/// A price after discounts, each off what the ones before it left: rounded once, half up, to the
/// fourth decimal place.
pub fn discounted(price: UnitPrice, discounts: impl IntoIterator<Item = Percent>) -> UnitPrice {
    let left = discounts.into_iter().fold(price.amount(), |price, discount| {
        price * (Decimal::ONE_HUNDRED - discount.hundredths()) / Decimal::ONE_HUNDRED
    });
    UnitPrice::round_half_up(left)
}

/// The largest net sum that can be ordered of numbered lines; the most expensive alternative
/// counts. An error above the limit of one document.
pub fn most_net<'a>(
    lines: impl IntoIterator<Item = (u32, &'a OfferedLine)>,
    currency: Currency,
) -> Result<Money, MoneyError> {
    let mut dearest = BTreeMap::<u32, Money>::new();
    for (number, line) in lines {
        let place = match line.choice {
            Choice::Needed | Choice::Optional => number,
            Choice::Alternative { to } => to,
        };
        let net = line.most_net(currency);
        let most = dearest.entry(place).or_insert(net);
        if most.amount() < net.amount() {
            *most = net;
        }
    }
    let sum = dearest.into_values().try_fold(Money::zero(currency), Money::plus)?;
    sum.within_ceiling()
}

impl OfferedLine {
    /// The most quantity breaks of a line.
    pub const MOST_BREAKS: usize = 20;

    /// A line that is part of the offer as it stands.
    pub fn plain(line: Line) -> Self {
        let (listed, discount, breaks, at_most) = (None, None, Vec::new(), None);
        Self { line, listed, discount, breaks, at_most, choice: Choice::Needed }
    }

    /// The line in another quantity: the highest break that it reaches makes the price. Only from
    /// the least quantity on that has a price, up to the largest that is offered.
    fn in_quantity(&self, quantity: Quantity) -> Option<Line> {
        let reached = self.prices().rfind(|price| price.at_least <= quantity)?;
        (quantity == self.line.quantity || self.at_most.is_some_and(|most| quantity <= most))
            .then(|| Line { quantity, unit_price: reached.unit_price, ..self.line.clone() })
    }

    /// Whether the line was chosen, in any quantity.
    pub(super) fn is_among(&self, ordered: &[Line]) -> bool {
        ordered.iter().any(|line| self.in_quantity(line.quantity).as_ref() == Some(line))
    }

    /// What one unit costs from which quantity on, the smallest first.
    fn prices(&self) -> std::vec::IntoIter<Break> {
        let offered = Break { at_least: self.line.quantity, unit_price: self.line.unit_price };
        let mut prices: Vec<Break> = self.breaks.iter().copied().chain([offered]).collect();
        prices.sort_by_key(|price| price.at_least);
        prices.into_iter()
    }

    /// No quantity of it that can be taken comes to more than this.
    fn most_net(&self, currency: Currency) -> Money {
        let most = self.at_most.unwrap_or(self.line.quantity);
        // A price holds for less than the quantity from which the next one does.
        let ends = self.prices().skip(1).map(|next| next.at_least).chain([most]);
        self.prices()
            .zip(ends)
            .map(|(Break { unit_price, .. }, quantity)| {
                Line { quantity, unit_price, ..self.line.clone() }.net(currency)
            })
            .max_by_key(|net| net.amount())
            .unwrap_or_else(|| self.line.net(currency))
    }

    /// The discounts that made its price of its list price, each off what the ones before it left;
    /// none where the price was made in another way.
    pub fn discounts(&self, of_whole: Option<Percent>) -> Vec<Percent> {
        let discounts: Vec<Percent> = self.discount.into_iter().chain(of_whole).collect();
        let made = self.listed.map(|listed| discounted(listed, discounts.iter().copied()));
        if made == Some(self.line.unit_price) { discounts } else { vec![] }
    }

    /// By how much it is cheaper than at its list price, both rounded as amounts of lines are;
    /// nothing where it is not.
    fn saved(&self, currency: Currency) -> Option<Money> {
        let listed = Line { unit_price: self.listed?, ..self.line.clone() }.net(currency);
        listed.minus(self.line.net(currency)).ok().filter(|saved| saved.amount() > Decimal::ZERO)
    }

    fn checked(&self) -> Result<(), Error> {
        self.line.deliver_on.map(day::checked).transpose()?;
        let quantities: BTreeSet<Quantity> =
            self.breaks.iter().map(|price| price.at_least).collect();
        let are_in_order = self.breaks.is_sorted_by_key(|price| price.at_least);
        let all_differ = quantities.len() == self.breaks.len();
        if !are_in_order || !all_differ || quantities.contains(&self.line.quantity) {
            return Err(Error::BreaksNotInOrder { sku: self.line.sku.clone() });
        }
        let largest = self.prices().next_back().map(|price| price.at_least);
        if self.at_most.map_or(!self.breaks.is_empty(), |most| Some(most) < largest) {
            return Err(Error::LargestQuantityNeeded { sku: self.line.sku.clone() });
        }
        if self.breaks.len() > Self::MOST_BREAKS {
            return Err(Error::TooManyBreaks { sku: self.line.sku.clone() });
        }
        Ok(())
    }
}

impl Proposal {
    /// Refuses a proposal that no company could accept.
    pub fn checked(&self) -> Result<(), Error> {
        day::checked(self.valid_until)?;
        for (number, line) in self.lines.numbered() {
            line.checked()?;
            if let Choice::Alternative { to } = line.choice {
                let instead = self.lines.line(to).map(|line| line.choice);
                match instead {
                    Some(Choice::Needed | Choice::Optional) if to != number => {}
                    _ => return Err(Error::AlternativeToNothing { line: number }),
                }
            }
        }
        self.most_net()?;
        Ok(())
    }

    /// The lines of a default order: every needed line unchanged.
    fn needed(&self) -> Vec<Line> {
        let needed = self.lines.iter().filter(|line| line.choice.is_needed());
        needed.map(|line| line.line.clone()).collect()
    }

    /// The net sum of a default order.
    pub fn net(&self) -> Result<Money, MoneyError> {
        let nets = self.needed().into_iter().map(|line| line.net(self.currency));
        nets.into_iter().try_fold(Money::zero(self.currency), Money::plus)
    }

    /// The gross sum of a default order.
    pub fn totals(&self) -> Result<Totals, MoneyError> {
        Totals::of(&self.needed(), self.currency)
    }

    /// By how much the needed lines are cheaper than at their list prices, those that are.
    pub fn saved(&self) -> Result<Money, MoneyError> {
        let needed = self.lines.iter().filter(|line| line.choice.is_needed());
        let mut saved = needed.filter_map(|line| line.saved(self.currency));
        saved.try_fold(Money::zero(self.currency), Money::plus)
    }

    /// The largest net sum that can be ordered, which is the amount to approve.
    pub fn most_net(&self) -> Result<Money, MoneyError> {
        most_net(self.lines.numbered(), self.currency)
    }

    /// What of it is ordered when the company takes these lines, or all that are needed, where that
    /// is not all of its lines as they stand.
    pub(super) fn ordered(&self, chosen: Option<&[Chosen]>) -> Result<Option<Lines>, Error> {
        let ordered = self.choose(chosen)?;
        let is_all = ordered.iter().eq(self.lines.iter().map(|line| &line.line));
        Ok((!is_all).then_some(ordered))
    }

    /// What is ordered when the company takes these lines, or all that are needed.
    pub fn choose(&self, chosen: Option<&[Chosen]>) -> Result<Lines, Error> {
        let lines = match chosen {
            None => self.needed(),
            Some(chosen) => self.taken(chosen)?,
        };
        Lines::try_from(lines).map_err(|_| Error::NothingChosen)
    }

    fn taken(&self, chosen: &[Chosen]) -> Result<Vec<Line>, Error> {
        let mut places = BTreeSet::new();
        let mut lines = Vec::with_capacity(chosen.len().min(self.lines.len()));
        for &Chosen { line: number, quantity } in chosen {
            let line = self.lines.line(number).ok_or(Error::NoSuchLine { line: number })?;
            let place = line.choice.place(number);
            if !places.insert(place) {
                return Err(Error::ChosenTwice { line: place });
            }
            let quantity = quantity.unwrap_or(line.line.quantity);
            let taken = line.in_quantity(quantity);
            lines.push(taken.ok_or(Error::QuantityNotOffered { line: number })?);
        }
        let left = self
            .lines
            .numbered()
            .find(|(number, line)| line.choice.is_needed() && !places.contains(number));
        match left {
            Some((line, _)) if !self.divisible => Err(Error::LineNeeded { line }),
            Some(_) | None => Ok(lines),
        }
    }

    /// The ordered lines, each with its number in the offer.
    pub fn traced<'a>(&self, ordered: &'a [Line]) -> Vec<(u32, &'a Line)> {
        let mut found = BTreeMap::new();
        for line in ordered {
            let is_origin = |(number, offered): &(u32, &OfferedLine)| {
                !found.contains_key(number)
                    && offered.in_quantity(line.quantity).as_ref() == Some(line)
            };
            if let Some((number, _)) = self.lines.numbered().find(is_origin) {
                found.insert(number, line);
            }
        }
        found.into_iter().collect()
    }

    /// Whether a needed line is missing among these numbers, with its alternatives.
    pub fn is_left_in_part(&self, numbers: impl IntoIterator<Item = u32>) -> bool {
        let place = |number| Some(self.lines.line(number)?.choice.place(number));
        let places: BTreeSet<u32> = numbers.into_iter().filter_map(place).collect();
        let mut needed = self.lines.numbered().filter(|(_, line)| line.choice.is_needed());
        needed.any(|(number, _)| !places.contains(&number))
    }

    /// What holds for all lines.
    pub fn conditions(&self) -> Conditions {
        Conditions { payment_term: self.payment_term, delivery_terms: self.delivery_terms.clone() }
    }

    /// The same with other lines on other conditions, as both agreed. Lines that were dropped leave
    /// their numbers to those after them; what was an alternative to one of them is optional.
    #[must_use]
    pub fn renegotiated(self, lines: Lines<OfferedLine>, conditions: Conditions) -> Self {
        let Conditions { payment_term, delivery_terms } = conditions;
        // The discount is included in the new prices.
        Self { lines, payment_term, delivery_terms, discount: None, ..self }
    }
}

#[cfg(test)]
mod tests;
