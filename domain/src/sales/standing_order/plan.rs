//! What a standing order orders, and on which terms.

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Error, Schedule};
use crate::kernel::{
    Currency, Destination, EmployeeId, Name, ProductId, Quantity, Reference, Sku, UnitPrice, day,
};

/// What a standing order orders, when, and on which terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StandingOrderPlan")]
pub struct Plan {
    /// What the company calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// In which currency its orders are.
    pub currency: Currency,
    /// What is ordered each time: 1 to 500 lines.
    pub lines: Vec<StandingLine>,
    /// When.
    pub schedule: Schedule,
    /// Where the goods go and who pays for them, as far as that was said.
    #[serde(default, skip_serializing_if = "Destination::is_unsaid")]
    pub destination: Destination,
    /// The company's own number of its orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferencePattern>,
    /// The company's employee who orders, within whose limits; missing where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_by: Option<EmployeeId>,
    /// What happens when a line cannot be had.
    pub unavailable_lines: UnavailableLines,
    /// How many days before a date it is announced; not at all when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_days: Option<u8>,
    /// The last day on which the fixed prices of lines hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub prices_fixed_until: Option<Date>,
}

/// So much of a product, each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingLine {
    /// Which product.
    pub product: ProductId,
    /// Its code when the line was made.
    pub sku: Sku,
    /// Its name when the line was made.
    pub name: Name,
    /// How much of it.
    pub quantity: Quantity,
    /// Net price of one unit that the seller has fixed until a day. What agreements and lists make
    /// when an order is placed, where it is missing or the day is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
}

/// What happens when a line cannot be had on a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnavailableLines {
    /// The others are ordered; it is reported.
    LeaveOut,
    /// Nothing is ordered; it is reported.
    PlaceNothing,
}

impl Plan {
    /// How many lines there can be.
    pub const MOST_LINES: usize = 500;
    /// How many days before a date it can be announced.
    pub const MOST_NOTICE_DAYS: u8 = 60;

    pub(super) fn check(&self) -> Result<(), Error> {
        checked_count(&self.lines)?;
        self.schedule.check()?;
        if self.notice_days.is_some_and(|days| !(1..=Self::MOST_NOTICE_DAYS).contains(&days)) {
            return Err(Error::NoticeDays);
        }
        self.prices_fixed_until.map(day::checked).transpose()?;
        let has_fixed_prices = self.lines.iter().any(|line| line.unit_price.is_some());
        if has_fixed_prices == self.prices_fixed_until.is_some() {
            Ok(())
        } else {
            Err(Error::FixedPrices)
        }
    }

    /// The price that a line has on a day, where the seller has fixed it.
    pub fn fixed_price(&self, line: &StandingLine, on: Date) -> Option<UnitPrice> {
        line.unit_price.filter(|_| self.prices_fixed_until.is_some_and(|until| on <= until))
    }

    /// The price that the seller has fixed for so much of a product.
    pub fn price_fixed_for(&self, product: ProductId, quantity: Quantity) -> Option<UnitPrice> {
        let is_same = |line: &&StandingLine| (line.product, line.quantity) == (product, quantity);
        self.lines.iter().find(is_same)?.unit_price
    }
}

pub(super) fn checked_count(lines: &[StandingLine]) -> Result<(), Error> {
    if (1..=Plan::MOST_LINES).contains(&lines.len()) { Ok(()) } else { Err(Error::LineCount) }
}

/// The company's own number of its orders, with placeholders: `{date}`, `{year}`, `{month}`, `{day}`
/// of the date and `{number}`, the number of orders so far with this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReferencePattern(Reference);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not a reference.
    #[error(transparent)]
    Text(#[from] crate::kernel::text::TextError),
    /// With the values of its placeholders it would be longer than a reference.
    #[error(
        "the pattern of a reference must not be longer than {} characters",
        ReferencePattern::LONGEST
    )]
    TooLong,
    /// A brace without a placeholder.
    #[error("a pattern has the placeholders {{date}}, {{year}}, {{month}}, {{day}} and {{number}}")]
    Placeholder,
}

impl ReferencePattern {
    /// With values at most as long as below, no reference is longer than 100 characters.
    pub const LONGEST: usize = 60;

    /// The reference of an order.
    pub fn reference(&self, date: Date, number: u32) -> Option<Reference> {
        let text = self.0.as_str();
        let text = text
            .replace("{date}", &date.to_string())
            .replace("{year}", &date.strftime("%Y").to_string())
            .replace("{month}", &date.strftime("%m").to_string())
            .replace("{day}", &date.strftime("%d").to_string())
            .replace("{number}", &number.to_string());
        text.parse().ok()
    }
}

impl TryFrom<String> for ReferencePattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        let pattern: Reference = text.parse()?;
        if pattern.as_str().chars().count() > Self::LONGEST {
            return Err(PatternError::TooLong);
        }
        let mut rest = pattern.as_str().to_owned();
        for placeholder in ["{date}", "{year}", "{month}", "{day}", "{number}"] {
            rest = rest.replace(placeholder, "\0");
        }
        if rest.contains(['{', '}']) {
            return Err(PatternError::Placeholder);
        }
        Ok(Self(pattern))
    }
}

impl From<ReferencePattern> for String {
    fn from(pattern: ReferencePattern) -> Self {
        pattern.0.into()
    }
}

impl JsonSchema for ReferencePattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReferencePattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": Self::LONGEST,
            "description": "A reference with the placeholders {date}, {year}, {month}, {day} and {number}",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day;

    #[track_caller]
    fn check(pattern: &str, then: Result<&str, PatternError>) {
        let reference = ReferencePattern::try_from(pattern.to_owned())
            .map(|pattern| pattern.reference(day("2026-12-23"), 7).unwrap().to_string());
        assert_eq!(reference, then.map(str::to_owned));
    }

    #[test]
    fn a_pattern_makes_references() {
        check("ZS", Ok("ZS"));
        check("ZS/{year}/{month}/{number}", Ok("ZS/2026/12/7"));
        check("{date} {day}", Ok("2026-12-23 23"));
        check("ZS {week}", Err(PatternError::Placeholder));
        check("ZS {{date}}", Err(PatternError::Placeholder));
        check("ZS }date{", Err(PatternError::Placeholder));
        check(&"x".repeat(61), Err(PatternError::TooLong));
    }

    #[test]
    fn every_reference_of_a_pattern_fits() {
        for placeholder in ["{date}", "{year}", "{month}", "{day}", "{number}"] {
            let text = placeholder.repeat(ReferencePattern::LONGEST / placeholder.len());
            let pattern = ReferencePattern::try_from(text).unwrap();
            assert!(pattern.reference(day("2999-12-31"), u32::MAX).is_some(), "{placeholder}");
        }
    }
}
