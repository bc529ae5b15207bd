//! The days of trade: which dates a document may bear.

use jiff::{
    ToSpan,
    civil::{Date, date},
};

/// A date on which nobody trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day lies between {FIRST} and {LAST}")]
pub struct DayError;

/// A day of something that is said to have happened, and has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what has happened is dated {latest} at the latest")]
pub struct FutureDay {
    /// The last day that it can have happened on.
    pub latest: Date,
}

/// A century before any record that could be imported.
const FIRST: Date = date(1900, 1, 1);

/// Leaves room for every payment term below what calendars and databases hold.
const LAST: Date = date(2999, 12, 31);

/// Refuses a day that no document can bear. History is for ever: a date that a document number
/// cannot print or a read model cannot store would stop its readers at that event for good.
pub fn checked(day: Date) -> Result<Date, DayError> {
    if (FIRST..=LAST).contains(&day) { Ok(day) } else { Err(DayError) }
}

/// Refuses a day after tomorrow for what has happened: an order, a shipment, a payment, a document.
/// Tomorrow has begun already somewhere. Days long past are those of history that is imported.
pub fn happened(day: Date, today: Date) -> Result<Date, FutureDay> {
    let latest = today.saturating_add(1.day());
    if day <= latest { Ok(day) } else { Err(FutureDay { latest }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day;

    #[test]
    fn what_happened_is_not_dated_after_tomorrow() {
        let today = day("2026-03-31");
        for good in ["1900-01-01", "2026-03-31", "2026-04-01"] {
            assert_eq!(happened(day(good), today), Ok(day(good)));
        }
        let latest = day("2026-04-01");
        for bad in ["2026-04-02", "2999-12-31"] {
            assert_eq!(happened(day(bad), today), Err(FutureDay { latest }), "{bad}");
        }
    }

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
