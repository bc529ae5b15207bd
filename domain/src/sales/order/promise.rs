//! The day on which the seller promises delivery of a confirmed order.

use jiff::civil::Date;

use super::{Error, Event, Order};
use crate::kernel::{
    day,
    working_days::{add_working_days, on_or_after},
};

/// The day of delivery of goods that are available on a day, so many working days on their way. They
/// leave on the first working day from that day on.
pub fn delivery_day(available_on: Date, transit_days: u8) -> Date {
    add_working_days(on_or_after(available_on), i16::from(transit_days))
}

impl Order {
    /// Promises delivery on a day; a later promise replaces an earlier one.
    pub(super) fn promise(&self, on: Date, today: Date) -> Result<Vec<Event>, Error> {
        let promised = match self {
            Self::Unplaced => return Err(Error::Unplaced),
            Self::AwaitingApproval { .. } => return Err(Error::AwaitingApproval),
            Self::Refused { .. } => return Err(Error::Refused),
            Self::Placed { .. } => return Err(Error::NotConfirmed),
            Self::Confirmed { promised, .. } => *promised,
            Self::Shipped { .. } => return Err(Error::AlreadyShipped),
            Self::Cancelled { .. } => return Err(Error::Cancelled),
        };
        if promised == Some(on) {
            return Ok(vec![]);
        }
        if on < today {
            return Err(Error::PromisedInPast { today });
        }
        Ok(vec![Event::DeliveryPromised { on: day::checked(on)? }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day;

    #[track_caller]
    fn check(available_on: &str, transit_days: u8, arrives: &str) {
        assert_eq!(delivery_day(day(available_on), transit_days), day(arrives));
    }

    #[test]
    fn goods_travel_on_working_days() {
        check("2026-11-30", 1, "2026-12-01");
        check("2026-11-30", 0, "2026-11-30");
        // Saturday: they leave on Monday.
        check("2026-12-05", 1, "2026-12-08");
        // Christmas Eve is a day off, and the weekend follows.
        check("2026-12-23", 1, "2026-12-28");
        check("2026-12-24", 2, "2026-12-30");
        // Good Friday is no day off, Easter Monday is.
        check("2026-04-02", 2, "2026-04-07");
    }
}
