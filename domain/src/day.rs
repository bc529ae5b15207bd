//! The days of trade: which dates a document may bear.

use jiff::civil::{Date, date};

/// A date on which nobody trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day lies between {FIRST} and {LAST}")]
pub struct DayError;

/// A century before any record that could be imported.
const FIRST: Date = date(1900, 1, 1);

/// Leaves room for every payment term below what calendars and databases hold.
const LAST: Date = date(2999, 12, 31);

/// Refuses a day that no document can bear. History is for ever: a date that a document number
/// cannot print or a read model cannot store would stop its readers at that event for good.
pub fn checked(day: Date) -> Result<Date, DayError> {
    if (FIRST..=LAST).contains(&day) { Ok(day) } else { Err(DayError) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day;

    #[test]
    fn lies_within_trade() {
        for good in ["1900-01-01", "2010-12-01", "2999-12-31"] {
            assert_eq!(checked(day(good)), Ok(day(good)));
        }
        for bad in ["1899-12-31", "3000-01-01", "0000-01-01", "-000001-01-01", "-009999-01-01"] {
            assert_eq!(checked(day(bad)), Err(DayError), "{bad}");
        }
    }
}
