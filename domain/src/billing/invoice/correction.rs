//! What credit notes give back of an invoice: by line, at its prices and rates, and never more than
//! it charged.
//!
//! Amounts are reckoned on the sum of all that was given back so far: a note gives back the
//! difference between that sum with it and without it. So rounding never adds up, and the note
//! that takes the last of a line or of a rate takes exactly the rest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::kernel::{
    Currency, InvoiceId, Line, Lines, Money, OrderId, Quantity, ShipmentId, UnitPrice, VatRate,
    money::MoneyError,
    vat::{RateTotal, Totals},
};

/// What an invoice charged, and what was given back of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Charged {
    /// The order behind it.
    pub order: OrderId,
    /// The shipment behind it.
    pub shipment: ShipmentId,
    /// The day of issue, which is the day of the sale.
    pub on: Date,
    /// What was sold.
    pub lines: Lines,
    /// What it charged, with the tax per rate.
    pub totals: Totals,
    /// The credit notes that were counted.
    notes: BTreeSet<InvoiceId>,
    /// What was given back, by line number.
    credited: BTreeMap<u32, Part>,
    /// What was given back, by rate.
    by_rate: BTreeMap<VatRate, RateTotal>,
}

/// What was given back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Part {
    quantity: Decimal,
    net: Decimal,
    /// Whether the price of some of it was lowered.
    #[serde(default)]
    is_reduced: bool,
}

/// So much of one line of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The line's number, counted from 1.
    pub line: u32,
    /// How much of it.
    pub quantity: Quantity,
    /// By how much the price of one unit is lowered, of goods that stay sold; `None` gives back the
    /// goods.
    pub price_reduction: Option<UnitPrice>,
}

/// What a credit note gives back of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectedItem {
    /// The line's number on the invoice, counted from 1.
    pub line: u32,
    /// How much of it.
    pub quantity: Quantity,
    /// The net amount that is given back for it.
    pub net: Money,
    /// By how much the price of one unit is lowered; the quantity stays sold then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_reduction: Option<UnitPrice>,
}

/// What one credit note gives back of an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// By line.
    pub items: Vec<CorrectedItem>,
    /// What it comes to, with the tax per rate.
    pub totals: Totals,
}

impl Charged {
    pub(super) fn new(
        (order, shipment): (OrderId, ShipmentId),
        on: Date,
        lines: Lines,
        totals: Totals,
    ) -> Self {
        let (notes, credited, by_rate) = Default::default();
        Self { order, shipment, on, lines, totals, notes, credited, by_rate }
    }

    /// The currency of the invoice.
    pub const fn currency(&self) -> Currency {
        self.totals.gross.currency()
    }

    /// Whether a credit note was counted.
    pub fn counts(&self, credit_note: InvoiceId) -> bool {
        self.notes.contains(&credit_note)
    }

    /// What a credit note of a day that gives back these items comes to.
    pub fn correction(&self, items: &[Item], on: Date) -> Result<Correction, Error> {
        if on < self.on {
            return Err(Error::BeforeInvoice { on: self.on });
        }
        let mut after = self.clone();
        let mut corrected = Vec::with_capacity(items.len());
        for (item, &Item { line: number, quantity, price_reduction }) in items.iter().enumerate() {
            let line = self.lines.line(number).ok_or(Error::NoSuchLine { item, line: number })?;
            let before = after.part(number);
            let left = line.quantity.units() - before.quantity;
            if quantity.units() > left {
                let left = left.max(Decimal::ZERO);
                return Err(Error::MoreThanLeft { item, line: number, left });
            }
            let net = match price_reduction {
                None => self.net_of(line, before, quantity)?,
                Some(reduction) => {
                    let net = self.rounded(quantity.units() * reduction.amount())?;
                    let left = self.net_left(line, before);
                    if reduction > line.unit_price || net.amount() > left {
                        let left = self.rounded(left)?;
                        return Err(Error::AboveLine { item, line: number, left });
                    }
                    net
                }
            };
            let item = CorrectedItem { line: number, quantity, net, price_reduction };
            after.add(item.clone());
            corrected.push(item);
        }
        let totals = after.totals_of(&corrected)?;
        let left = self.left()?;
        if totals.gross.amount() > left.amount() {
            let none = Money::zero(self.currency());
            return Err(Error::AboveInvoice { left: if left.is_negative() { none } else { left } });
        }
        Ok(Correction { items: corrected, totals })
    }

    /// What a credit note of an older build, which nothing held to the invoice, gave back of it: its
    /// lines are those of the invoice with the same product, at the same price before others.
    pub fn earlier(&self, lines: &Lines, totals: Totals) -> Result<Correction, Error> {
        let mut left: BTreeMap<u32, Decimal> = self
            .lines
            .numbered()
            .map(|(number, line)| (number, line.quantity.units() - self.part(number).quantity))
            .collect();
        let mut items = Vec::new();
        for credit in lines.iter() {
            let mut rest = credit.quantity.units();
            let is_same = |line: &Line| line.unit_price == credit.unit_price;
            for same_price in [true, false] {
                for (number, line) in self.lines.numbered() {
                    let left = left.entry(number).or_default();
                    let taken = rest.min(*left);
                    let fits = line.product == credit.product && is_same(line) == same_price;
                    let Some(quantity) = Quantity::new(taken).ok().filter(|_| fits) else {
                        continue;
                    };
                    (rest, *left) = (rest - taken, *left - taken);
                    let net = self.rounded(quantity.units() * credit.unit_price.amount())?;
                    items.push(CorrectedItem {
                        line: number,
                        quantity,
                        net,
                        price_reduction: None,
                    });
                }
            }
        }
        Ok(Correction { items, totals })
    }

    pub(super) fn with(
        mut self,
        note: InvoiceId,
        items: Vec<CorrectedItem>,
        totals: &Totals,
    ) -> Self {
        self.notes.insert(note);
        for item in items {
            self.add(item);
        }
        for rate in &totals.by_rate {
            let mut sum = self.rate(rate.rate);
            // Amounts of another currency, or beyond what money holds, change nothing: a state is
            // never invented.
            sum.net = sum.net.plus(rate.net).unwrap_or(sum.net);
            sum.vat = sum.vat.plus(rate.vat).unwrap_or(sum.vat);
            self.by_rate.insert(rate.rate, sum);
        }
        self
    }

    fn add(&mut self, CorrectedItem { line, quantity, net, price_reduction }: CorrectedItem) {
        let mut part = self.part(line);
        part.net = part.net.saturating_add(net.amount());
        match price_reduction {
            None => part.quantity = part.quantity.saturating_add(quantity.units()),
            Some(_) => part.is_reduced = true,
        }
        self.credited.insert(line, part);
    }

    /// The quantity of a line that can still be credited.
    pub fn quantity_left(&self, line: u32) -> Decimal {
        let sold = self.lines.line(line).map_or(Decimal::ZERO, |line| line.quantity.units());
        (sold - self.part(line).quantity).max(Decimal::ZERO)
    }

    /// The same of every line.
    pub fn not_credited(&self) -> BTreeMap<u32, Decimal> {
        self.lines.numbered().map(|(line, _)| (line, self.quantity_left(line))).collect()
    }

    /// The lines of the credit note that gives back these items next.
    pub fn lines_of(&self, items: &[CorrectedItem]) -> Vec<Line> {
        let line_of = |item: &CorrectedItem| {
            let line = self.lines.line(item.line)?;
            let unit_price = match item.price_reduction {
                Some(reduction) => reduction,
                // What is left of the price after it was lowered.
                None if self.part(item.line).is_reduced => {
                    UnitPrice::round_half_up(item.net.amount() / item.quantity.units())
                }
                None => line.unit_price,
            };
            Some(Line { quantity: item.quantity, unit_price, ..line.clone() })
        };
        items.iter().filter_map(line_of).collect()
    }

    fn part(&self, line: u32) -> Part {
        let none = Part { quantity: Decimal::ZERO, net: Decimal::ZERO, is_reduced: false };
        self.credited.get(&line).copied().unwrap_or(none)
    }

    fn rate(&self, rate: VatRate) -> RateTotal {
        let zero = Money::zero(self.currency());
        self.by_rate.get(&rate).cloned().unwrap_or(RateTotal { rate, net: zero, vat: zero })
    }

    /// What is not given back yet, tax included.
    fn left(&self) -> Result<Money, MoneyError> {
        let given = self.by_rate.values().try_fold(Money::zero(self.currency()), |sum, rate| {
            sum.plus(rate.net)?.plus(rate.vat)
        })?;
        self.totals.gross.minus(given)
    }

    /// The net amount of a line that is not given back yet.
    fn net_left(&self, line: &Line, before: Part) -> Decimal {
        (line.net(self.currency()).amount() - before.net).max(Decimal::ZERO)
    }

    /// The net amount of so much more of a line. Of a line whose price was lowered it is the share of
    /// what is left.
    fn net_of(&self, line: &Line, before: Part, more: Quantity) -> Result<Money, MoneyError> {
        let whole = line.net(self.currency()).amount();
        if before.is_reduced {
            let (net, units) =
                (self.net_left(line, before), line.quantity.units() - before.quantity);
            let share = net.checked_mul(more.units()).and_then(|net| net.checked_div(units));
            return self.rounded(if more.units() < units {
                share.ok_or(MoneyError::TooLarge)?
            } else {
                net
            });
        }
        let units = before.quantity + more.units();
        let sum = self.rounded(units * line.unit_price.amount())?.amount();
        self.rounded(difference(sum, before.net, whole))
    }

    /// The sums of a note of these items, which `self` counts by line already, but not by rate.
    fn totals_of(&self, items: &[CorrectedItem]) -> Result<Totals, MoneyError> {
        let zero = Money::zero(self.currency());
        let mut nets: BTreeMap<VatRate, Money> = BTreeMap::new();
        for item in items {
            let Some(line) = self.lines.line(item.line) else { continue };
            let net = nets.entry(line.vat_rate).or_insert(zero);
            *net = net.plus(item.net)?;
        }
        let mut by_rate = Vec::new();
        for (rate, net) in nets {
            let given = self.rate(rate);
            let charged = self.totals.by_rate.iter().find(|of| of.rate == rate);
            let charged = charged.map_or(Decimal::ZERO, |of| of.vat.amount());
            let sum = self.rounded(given.net.plus(net)?.amount() * rate.fraction())?.amount();
            let vat = self.rounded(difference(sum, given.vat.amount(), charged))?;
            by_rate.push(RateTotal { rate, net, vat });
        }
        Totals::sum(by_rate, self.currency())
    }

    fn rounded(&self, amount: Decimal) -> Result<Money, MoneyError> {
        let amount = self.currency().round_half_up(amount);
        Money::new(amount.amount(), self.currency())
    }
}

/// What is to be added to `given` so that it becomes `sum`: not less than nothing, and no more than
/// is left of `whole`.
fn difference(sum: Decimal, given: Decimal, whole: Decimal) -> Decimal {
    (sum - given).min(whole - given).max(Decimal::ZERO)
}
