//! How far each line of a return has got, and what follows from it: what can be received, inspected and
//! credited, and what the return holds of its invoice.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    AuthorisedLine, Error, Finding, Item, Kind, Reason, Request, RequestedLine, lines::units,
};
use crate::{
    billing::invoice,
    kernel::{CompanyId, InvoiceId, ProductId, Quantity, UnitPrice},
};

/// A return that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Who returns.
    pub company: CompanyId,
    /// Of which invoice.
    pub invoice: InvoiceId,
    /// Whether goods come back.
    pub kind: Kind,
    /// How many parcels were sent.
    pub(super) parcels: u32,
    lines: Vec<Progress>,
}

/// How far a line has got. The quantities follow each other: requested, authorised, received, inspected,
/// credited or sent back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The number of the line on the invoice.
    pub invoice_line: u32,
    /// What it is.
    pub product: ProductId,
    reason: Reason,
    unit_price: UnitPrice,
    /// The right price: claimed, then authorised.
    right_price: Option<UnitPrice>,
    requested: Decimal,
    authorised: Decimal,
    received: Decimal,
    inspected: Decimal,
    sent_back: Decimal,
    credited: Decimal,
}

impl Progress {
    fn of(line: &RequestedLine) -> Self {
        let zero = Decimal::ZERO;
        Self {
            invoice_line: line.invoice_line,
            product: line.product,
            reason: line.reason,
            unit_price: line.unit_price,
            right_price: line.claimed_price,
            requested: line.quantity.units(),
            authorised: zero,
            received: zero,
            inspected: zero,
            sent_back: zero,
            credited: zero,
        }
    }

    /// Whether the complaint is about its price, so that its quantity stays sold.
    fn is_about_price(&self) -> bool {
        self.reason == Reason::WrongPrice
    }

    /// What can be credited now.
    fn creditable(&self, kind: Kind) -> Decimal {
        match kind {
            Kind::Return => self.inspected - self.sent_back - self.credited,
            Kind::Complaint => self.authorised - self.credited,
        }
    }

    fn is_complete(&self, kind: Kind) -> bool {
        let has_come = match kind {
            Kind::Return => self.received == self.authorised && self.inspected == self.received,
            Kind::Complaint => true,
        };
        has_come && self.creditable(kind).is_zero()
    }
}

impl Case {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            company: request.company,
            invoice: request.invoice,
            kind: request.kind,
            parcels: 0,
            lines: request.lines.iter().map(Progress::of).collect(),
        }
    }

    /// The line of this number.
    pub fn line(&self, number: u32) -> Option<&Progress> {
        self.lines.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    fn line_mut(&mut self, number: u32) -> Option<&mut Progress> {
        self.lines.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    fn numbered(&self) -> impl Iterator<Item = (u32, &Progress)> {
        (1..).zip(&self.lines)
    }

    /// What it holds of its invoice until it has ended, by the line of the invoice. A complaint about a
    /// price holds nothing: the goods stay sold and can be returned.
    pub(super) fn held(&self, quantity: impl Fn(&Progress) -> Decimal) -> BTreeMap<u32, Decimal> {
        let mut held = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !line.is_about_price()) {
            *held.entry(line.invoice_line).or_insert(Decimal::ZERO) += quantity(line);
        }
        held
    }

    pub(super) fn requested(&self) -> BTreeMap<u32, Decimal> {
        self.held(|line| line.requested)
    }

    pub(super) fn not_credited(&self) -> BTreeMap<u32, Decimal> {
        self.held(|line| line.authorised - line.credited)
    }

    /// What came back and is kept without a credit note.
    pub(super) fn kept(&self) -> BTreeMap<u32, Decimal> {
        self.held(|line| match self.kind {
            Kind::Return => line.received - line.sent_back - line.credited,
            Kind::Complaint => Decimal::ZERO,
        })
    }

    /// The answers to all lines; those that are not named are authorised as requested.
    pub(super) fn answered(
        &self,
        answers: &[AuthorisedLine],
    ) -> Result<Vec<AuthorisedLine>, Error> {
        named_once(answers.iter().map(|answer| answer.line))?;
        for (item, answer) in answers.iter().enumerate() {
            let line = answer.line;
            let of = self.line(line).ok_or(Error::NoSuchLine { item, line })?;
            let authorised = units(answer.quantity);
            if authorised > of.requested {
                return Err(Error::MoreThanRequested { item, line, requested: of.requested });
            }
            if authorised < of.requested && answer.reason.is_none() {
                return Err(Error::ReasonMissing { item, line });
            }
            match answer.right_price {
                Some(_) if !of.is_about_price() => return Err(Error::NoPrice { item, line }),
                Some(price) if price >= of.unit_price => {
                    return Err(Error::PriceNotLower { item, unit_price: of.unit_price });
                }
                Some(_) | None => {}
            }
        }
        let answers: BTreeMap<u32, &AuthorisedLine> =
            answers.iter().map(|answer| (answer.line, answer)).collect();
        let answer = |(line, of): (u32, &Progress)| {
            let requested = AuthorisedLine {
                line,
                quantity: Quantity::new(of.requested).ok(),
                reason: None,
                right_price: None,
            };
            let answer = answers.get(&line).map_or(requested, |answer| (*answer).clone());
            let right_price = answer.right_price.or(of.right_price);
            AuthorisedLine {
                right_price: right_price.filter(|_| answer.quantity.is_some()),
                ..answer
            }
        };
        Ok(self.numbered().map(answer).collect())
    }

    /// Whether these answers were given before.
    pub(super) fn is_answered_so(&self, answers: &[AuthorisedLine]) -> bool {
        self.answered(answers).is_ok_and(|answers| {
            let is_so = |(answer, line): (&AuthorisedLine, &Progress)| {
                units(answer.quantity) == line.authorised
                    && (answer.quantity.is_none() || answer.right_price == line.right_price)
            };
            answers.iter().zip(&self.lines).all(is_so)
        })
    }

    pub(super) fn can_receive(&self, items: &[Item]) -> Result<(), Error> {
        if items.is_empty() {
            return Err(Error::NoItems);
        }
        named_once(items.iter().map(|item| item.line))?;
        for (item, &Item { line, quantity }) in items.iter().enumerate() {
            let of = self.line(line).ok_or(Error::NoSuchLine { item, line })?;
            let left = of.authorised - of.received;
            if quantity.units() > left {
                return Err(Error::MoreThanAuthorised { item, line, left });
            }
        }
        Ok(())
    }

    pub(super) fn can_inspect(&self, findings: &[Finding]) -> Result<(), Error> {
        if findings.is_empty() {
            return Err(Error::NoItems);
        }
        named_once(findings.iter().map(|finding| finding.line))?;
        for (item, finding) in findings.iter().enumerate() {
            let line = finding.line;
            let of = self.line(line).ok_or(Error::NoSuchLine { item, line })?;
            let waiting = of.received - of.inspected;
            if waiting.is_zero() || finding.units() != waiting {
                return Err(Error::SumDiffers { item, line, waiting });
            }
        }
        Ok(())
    }

    /// What of the invoice a credit note of these items credits.
    pub fn credits(&self, items: &[Item]) -> Result<Vec<invoice::Item>, Error> {
        if items.is_empty() {
            return Err(Error::NothingToCredit);
        }
        named_once(items.iter().map(|item| item.line))?;
        let mut credits = Vec::with_capacity(items.len());
        for (item, &Item { line, quantity }) in items.iter().enumerate() {
            let of = self.line(line).ok_or(Error::NoSuchLine { item, line })?;
            let left = of.creditable(self.kind);
            if quantity.units() > left {
                return Err(Error::MoreThanCreditable { item, line, left });
            }
            let lower = |price: UnitPrice| of.unit_price.amount() - price.amount();
            let price_reduction = of
                .right_price
                .filter(|_| of.is_about_price())
                .map(|price| UnitPrice::round_half_up(lower(price)));
            credits.push(invoice::Item { line: of.invoice_line, quantity, price_reduction });
        }
        Ok(credits)
    }

    /// All that can be credited now.
    pub fn creditable(&self) -> Vec<Item> {
        let creditable = |(line, of): (u32, &Progress)| {
            Some(Item { line, quantity: Quantity::new(of.creditable(self.kind)).ok()? })
        };
        self.numbered().filter_map(creditable).collect()
    }

    /// Whether goods have come back, or something was credited.
    pub(super) fn is_under_way(&self) -> bool {
        let has_begun = |line: &Progress| !line.received.is_zero() || !line.credited.is_zero();
        self.lines.iter().any(has_begun)
    }

    /// Whether goods that came back wait for inspection.
    pub(super) fn awaits_inspection(&self) -> bool {
        self.lines.iter().any(|line| line.received != line.inspected)
    }

    /// Whether all that was authorised has come, was inspected, and is credited or sent back.
    pub(super) fn is_complete(&self) -> bool {
        self.lines.iter().all(|line| line.is_complete(self.kind))
    }

    pub(super) fn authorise(&mut self, answers: &[AuthorisedLine]) {
        for answer in answers {
            if let Some(line) = self.line_mut(answer.line) {
                line.authorised = units(answer.quantity);
                line.right_price = answer.right_price.or(line.right_price);
            }
        }
    }

    pub(super) fn receive(&mut self, items: &[Item]) {
        for item in items {
            if let Some(line) = self.line_mut(item.line) {
                line.received += item.quantity.units();
            }
        }
    }

    pub(super) fn inspect(&mut self, findings: &[Finding]) {
        for finding in findings {
            if let Some(line) = self.line_mut(finding.line) {
                line.inspected += finding.units();
                line.sent_back += units(finding.send_back);
            }
        }
    }

    pub(super) fn credit(&mut self, items: &[Item]) {
        for item in items {
            if let Some(line) = self.line_mut(item.line) {
                line.credited += item.quantity.units();
            }
        }
    }
}

/// Refuses a line that is named twice: what is meant of it is not clear.
fn named_once(lines: impl Iterator<Item = u32>) -> Result<(), Error> {
    let mut named = BTreeSet::new();
    for (item, line) in lines.enumerate() {
        if !named.insert(line) {
            return Err(Error::NamedTwice { item, line });
        }
    }
    Ok(())
}
