//! When an invoice is due.

use jiff::{ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    },
}

impl PaymentTerm {
    /// The last day on which paying is in time.
    pub fn due_on(self, issued_on: Date) -> Date {
        match self {
            Self::Immediate => issued_on,
            Self::Net { days } => issued_on.saturating_add(i64::from(days).days()),
        }
    }
}

fn days<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match u16::deserialize(deserializer)? {
        days @ 1..=365 => Ok(days),
        _ => Err(serde::de::Error::custom("a payment term is between 1 and 365 days")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn counts_days_from_the_day_of_issue() {
        let term = PaymentTerm::Net { days: 14 };
        assert_eq!(term.due_on(date(2026, 2, 20)), date(2026, 3, 6));
        assert_eq!(term.due_on(date(2026, 12, 20)), date(2027, 1, 3));
        assert_eq!(PaymentTerm::Net { days: 365 }.due_on(date(2027, 6, 1)), date(2028, 5, 31));
        assert_eq!(term.due_on(date(2028, 2, 15)), date(2028, 2, 29));
        assert_eq!(PaymentTerm::Immediate.due_on(date(2026, 2, 20)), date(2026, 2, 20));
    }

    #[test]
    fn refuses_terms_beyond_a_year() {
        let parse = |json| serde_json::from_str::<PaymentTerm>(json);
        assert!(parse(r#"{"kind":"net","days":365}"#).is_ok());
        assert!(parse(r#"{"kind":"net","days":366}"#).is_err());
        assert!(parse(r#"{"kind":"net","days":0}"#).is_err());
        assert!(parse(r#"{"kind":"net","days":14,"x":1}"#).is_err());
    }
}
