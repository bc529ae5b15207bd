//! Available to promise: how much can be promised for a day.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Balance, Holding, Reservation, Stock};
use crate::kernel::{Quantity, WarehouseId};

/// A receipt that was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Where.
    pub warehouse: WarehouseId,
    /// How much.
    pub quantity: Quantity,
    /// When.
    pub on: Date,
}

impl Expected {
    /// How many receipts of a product are expected at once.
    pub const MOST: usize = 1_000;
}

/// What can be promised for a day: on hand − allocated − waiting + what is expected until that day.
/// It is below zero when more is promised than will be there.
pub fn available_on(
    free: Decimal,
    waiting: Decimal,
    expected: impl IntoIterator<Item = (Date, Decimal)>,
    day: Date,
) -> Decimal {
    let arrives = expected.into_iter().filter(|(on, _)| *on <= day).map(|(_, quantity)| quantity);
    free - waiting + arrives.sum::<Decimal>()
}

/// The first day for which a quantity can be promised, from a day on. `None` when no expected
/// receipt is enough.
pub fn first_day(
    quantity: Decimal,
    free: Decimal,
    waiting: Decimal,
    expected: &[(Date, Decimal)],
    from: Date,
) -> Option<Date> {
    let mut days: Vec<Date> =
        expected.iter().map(|(on, _)| *on).filter(|on| *on > from).chain([from]).collect();
    days.sort_unstable();
    let is_enough =
        |day: &Date| available_on(free, waiting, expected.iter().copied(), *day) >= quantity;
    days.into_iter().find(is_enough)
}

impl Stock {
    /// What can be promised for a day, over all warehouses.
    pub fn available_to_promise(&self, day: Date) -> Balance {
        let free = |holding: &Holding| holding.on_hand() - holding.allocated();
        let free = self.holdings.values().map(free).sum();
        let waiting = self.reservations.waiting().map(Reservation::waiting).sum();
        let expected = self.expected.values().map(|one| (one.on, one.quantity.units()));
        Balance::ZERO.changed(available_on(free, waiting, expected, day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day;

    #[test]
    fn counts_what_is_expected_until_the_day() {
        let units = |number: i64| Decimal::from(number);
        let expected = [(day("2026-03-10"), units(20)), (day("2026-03-20"), units(5))];
        for (free, waiting, on, then) in [
            (4, 0, "2026-03-09", 4),
            (4, 0, "2026-03-10", 24),
            (0, 22, "2026-03-10", -2),
            (0, 22, "2026-03-20", 3),
        ] {
            let available = available_on(units(free), units(waiting), expected, day(on));
            assert_eq!(available, units(then), "{free} {waiting} {on}");
        }
    }

    #[test]
    fn finds_the_first_day() {
        let units = |number: i64| Decimal::from(number);
        let expected = [(day("2026-03-20"), units(5)), (day("2026-03-10"), units(20))];
        let from = day("2026-03-01");
        for (quantity, then) in [
            (4, Some("2026-03-01")),
            (5, Some("2026-03-10")),
            (24, Some("2026-03-10")),
            (29, Some("2026-03-20")),
            (30, None),
        ] {
            let first = first_day(units(quantity), units(4), units(0), &expected, from);
            assert_eq!(first, then.map(day), "{quantity}");
        }
    }
}
