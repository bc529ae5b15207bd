//! The seller's day and time: a dependency, so that tests can set it.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The clock in the seller's time zone.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
    fixed: Option<Timestamp>,
}

/// The time zone database has no such zone.
#[derive(Debug, thiserror::Error)]
#[error("there is no time zone {name}")]
pub struct ZoneError {
    name: String,
    #[source]
    source: jiff::Error,
}

impl Clock {
    /// The default time zone of the seller.
    pub const WARSAW: &'static str = "Europe/Warsaw";

    /// The system clock, in a zone such as `Europe/Warsaw`.
    pub fn system(zone: &str) -> Result<Self, ZoneError> {
        let zone =
            TimeZone::get(zone).map_err(|source| ZoneError { name: zone.to_owned(), source })?;
        Ok(Self { zone, fixed: None })
    }

    /// A fixed clock.
    pub fn fixed(at: Timestamp) -> Self {
        Self { zone: TimeZone::UTC, fixed: Some(at) }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.fixed.unwrap_or_else(Timestamp::now)
    }

    /// The seller's day.
    pub fn today(&self) -> Date {
        self.day_of(self.now())
    }

    /// The seller's day at a time.
    pub fn day_of(&self, instant: Timestamp) -> Date {
        instant.to_zoned(self.zone.clone()).date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_when_it_begins_in_warsaw() {
        let late_evening: Timestamp = "2026-11-22T23:30:00Z".parse().unwrap();
        let clock = Clock { fixed: Some(late_evening), ..Clock::system(Clock::WARSAW).unwrap() };
        assert_eq!(clock.today(), jiff::civil::date(2026, 11, 23));
    }
}
