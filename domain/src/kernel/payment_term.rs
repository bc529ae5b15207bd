//! When an invoice is due.

use jiff::{ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{Money, Percent};

/// What was agreed on paying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PaymentTerm {
    /// Due on the day of issue.
    Immediate,
    /// Due so many days after the day of issue.
    Net {
        /// At most 365.
        #[serde(deserialize_with = "days")]
        #[schemars(range(min = 1, max = 365))]
        days: u16,
        /// What paying early is worth.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        early: Option<EarlyPayment>,
    },
    /// Due so many days after the last day of the month of issue.
    EndOfMonth {
        /// At most 365; 0 is the last day itself.
        #[serde(deserialize_with = "days_or_none")]
        #[schemars(range(min = 0, max = 365))]
        days: u16,
        /// What paying early is worth.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        early: Option<EarlyPayment>,
    },
}

/// A text that is no payment term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a payment term is `immediate`, `net 14`, `eom 10` (days after the end of the month), or one \
         of the last two with a discount for paying early: `net 30 early 2/10` is 2 % within 10 days"
)]
pub struct PaymentTermError;

impl std::str::FromStr for PaymentTerm {
    type Err = PaymentTermError;

    /// A number alone is `net`.
    fn from_str(text: &str) -> Result<Self, PaymentTermError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let days = |word: &str, least: u16| {
            let days: Option<u16> = word.parse().ok();
            days.filter(|days| (least..=365).contains(days)).ok_or(PaymentTermError)
        };
        let (base, early) = match words.as_slice() {
            [base @ .., "early", early] => (base, Some(early)),
            base => (base, None),
        };
        let early = early
            .map(|early| {
                let (discount, within) = early.split_once('/').ok_or(PaymentTermError)?;
                let discount = discount.parse().map_err(|_| PaymentTermError)?;
                Ok(EarlyPayment { discount, days: days(within, 1)? })
            })
            .transpose()?;
        match (base, early) {
            (["immediate"], None) => Ok(Self::Immediate),
            ([count] | ["net", count], early) => Ok(Self::Net { days: days(count, 1)?, early }),
            (["eom", count], early) => Ok(Self::EndOfMonth { days: days(count, 0)?, early }),
            _ => Err(PaymentTermError),
        }
    }
}

impl std::fmt::Display for PaymentTerm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let early = match self {
            Self::Immediate => return f.write_str("immediate"),
            Self::Net { days, early } => {
                write!(f, "net {days}")?;
                early
            }
            Self::EndOfMonth { days, early } => {
                write!(f, "eom {days}")?;
                early
            }
        };
        match early {
            Some(EarlyPayment { discount, days }) => write!(f, " early {discount}/{days}"),
            None => Ok(()),
        }
    }
}

/// A discount for paying early, such as 2 % within 10 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyPayment {
    /// How much less of the gross amount is paid.
    pub discount: Percent,
    /// Within how many days after the day of issue.
    #[serde(deserialize_with = "days")]
    #[schemars(range(min = 1, max = 365))]
    pub days: u16,
}

impl PaymentTerm {
    /// Due so many days after the day of issue, whenever it is paid.
    pub const fn net(days: u16) -> Self {
        Self::Net { days, early: None }
    }

    /// The last day on which paying is in time.
    pub fn due_on(self, issued_on: Date) -> Date {
        match self {
            Self::Immediate => issued_on,
            Self::Net { days, .. } => after(issued_on, days),
            Self::EndOfMonth { days, .. } => after(issued_on.last_of_month(), days),
        }
    }

    /// The last day of the discount for paying early, and what is to be paid until then: gross
    /// less the discount, which is rounded half up.
    pub fn early(self, issued_on: Date, gross: Money) -> Option<(Date, Money)> {
        let (Self::Net { early, .. } | Self::EndOfMonth { early, .. }) = self else { return None };
        let EarlyPayment { discount, days } = early?;
        let to_pay = gross.minus(discount.of(gross)).ok()?;
        Some((after(issued_on, days).min(self.due_on(issued_on)), to_pay))
    }
}

fn after(day: Date, days: u16) -> Date {
    day.saturating_add(i64::from(days).days())
}

fn days<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match days_or_none(deserializer)? {
        0 => Err(serde::de::Error::custom("a payment term is between 1 and 365 days")),
        days => Ok(days),
    }
}

fn days_or_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match u16::deserialize(deserializer)? {
        days @ 0..=365 => Ok(days),
        _ => Err(serde::de::Error::custom("a payment term is at most 365 days")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::fixtures::pln;

    #[test]
    fn is_read_as_it_is_written() {
        for text in ["immediate", "net 14", "net 30 early 2/10", "eom 0", "eom 10 early 1.5/5"] {
            assert_eq!(text.parse::<PaymentTerm>().unwrap().to_string(), text);
        }
        assert_eq!("14".parse(), Ok(PaymentTerm::net(14)));
        for text in ["", "net", "net 0", "366", "eom", "immediate early 2/10", "14 early 2", "14 x"]
        {
            assert_eq!(text.parse::<PaymentTerm>(), Err(PaymentTermError), "{text}");
        }
    }

    #[test]
    fn counts_days_from_the_day_of_issue() {
        let term = PaymentTerm::net(14);
        assert_eq!(term.due_on(date(2026, 2, 20)), date(2026, 3, 6));
        assert_eq!(term.due_on(date(2026, 12, 20)), date(2027, 1, 3));
        assert_eq!(PaymentTerm::net(365).due_on(date(2027, 6, 1)), date(2028, 5, 31));
        assert_eq!(term.due_on(date(2028, 2, 15)), date(2028, 2, 29));
        assert_eq!(PaymentTerm::Immediate.due_on(date(2026, 2, 20)), date(2026, 2, 20));
    }

    #[test]
    fn counts_days_from_the_end_of_the_month() {
        let term = |days| PaymentTerm::EndOfMonth { days, early: None };
        assert_eq!(term(0).due_on(date(2028, 2, 1)), date(2028, 2, 29));
        assert_eq!(term(10).due_on(date(2026, 1, 31)), date(2026, 2, 10));
        assert_eq!(term(30).due_on(date(2026, 11, 23)), date(2026, 12, 30));
    }

    #[test]
    fn paying_early_is_worth_a_discount() {
        let early = Some(EarlyPayment { discount: "2".parse().unwrap(), days: 10 });
        let issued = date(2026, 11, 23);
        let net = |days| PaymentTerm::Net { days, early };
        let until = |day| Some((day, pln("120.98")));
        assert_eq!(net(30).early(issued, pln("123.45")), until(date(2026, 12, 3)));
        assert_eq!(
            net(7).early(issued, pln("123.45")),
            until(date(2026, 11, 30)),
            "not after the due day"
        );
        let end = PaymentTerm::EndOfMonth { days: 30, early };
        assert_eq!(end.early(issued, pln("123.45")), until(date(2026, 12, 3)));
        assert_eq!(PaymentTerm::net(30).early(issued, pln("123.45")), None);
        assert_eq!(PaymentTerm::Immediate.early(issued, pln("123.45")), None);
    }

    #[test]
    fn refuses_terms_beyond_a_year() {
        let parse = |json| serde_json::from_str::<PaymentTerm>(json);
        assert!(parse(r#"{"kind":"net","days":365}"#).is_ok());
        assert!(parse(r#"{"kind":"net","days":366}"#).is_err());
        assert!(parse(r#"{"kind":"net","days":0}"#).is_err());
        assert!(parse(r#"{"kind":"net","days":14,"x":1}"#).is_err());
        assert!(parse(r#"{"kind":"end_of_month","days":0}"#).is_ok());
        assert!(parse(r#"{"kind":"end_of_month","days":366}"#).is_err());
        let early = |percent: &str, days: u16| {
            serde_json::from_str::<PaymentTerm>(&format!(
                r#"{{"kind":"net","days":30,"early":{{"discount":"{percent}","days":{days}}}}}"#
            ))
        };
        assert!(early("2", 10).is_ok());
        assert!(early("0", 10).is_err());
        assert!(early("2", 0).is_err());
    }
}
