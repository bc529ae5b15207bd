//! Working days in Poland: Monday to Friday without the public holidays of the act of 18 January
//! 1951 on days off.

use jiff::{
    ToSpan,
    civil::{Date, Weekday, date},
};

/// A public holiday on the same day of every year.
struct Fixed {
    month: i8,
    day: i8,
    /// The first year in which it is a day off.
    since: i16,
}

/// The act is in force for all years of trade; the later years are those of its amendments.
const FIXED: [Fixed; 10] = [
    Fixed { month: 1, day: 1, since: i16::MIN },
    Fixed { month: 1, day: 6, since: 2011 },
    Fixed { month: 5, day: 1, since: i16::MIN },
    Fixed { month: 5, day: 3, since: 1990 },
    Fixed { month: 8, day: 15, since: 1990 },
    Fixed { month: 11, day: 1, since: i16::MIN },
    Fixed { month: 11, day: 11, since: 1990 },
    Fixed { month: 12, day: 24, since: 2025 },
    Fixed { month: 12, day: 25, since: i16::MIN },
    Fixed { month: 12, day: 26, since: i16::MIN },
];

/// Easter Sunday, Easter Monday, Pentecost and Corpus Christi, in days after Easter Sunday.
const AFTER_EASTER: [i16; 4] = [0, 1, 49, 60];

/// Whether a day is a public holiday.
pub fn is_public_holiday(day: Date) -> bool {
    let is_fixed = |holiday: &Fixed| {
        (holiday.month, holiday.day) == (day.month(), day.day()) && holiday.since <= day.year()
    };
    let after_easter = day.day_of_year() - easter_sunday(day.year()).day_of_year();
    FIXED.iter().any(is_fixed) || AFTER_EASTER.contains(&after_easter)
}

/// Whether a day is a working day: no Saturday, Sunday or public holiday.
pub fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_public_holiday(day)
}

/// The first working day after a day. The last day of the calendar, 9999-12-31, where none follows.
pub fn next_working_day(day: Date) -> Date {
    let mut days = std::iter::successors(day.tomorrow().ok(), |day| day.tomorrow().ok());
    days.find(|day| is_working_day(*day)).unwrap_or(Date::MAX)
}

/// The last working day before a day. The first day of the calendar where none precedes.
pub fn previous_working_day(day: Date) -> Date {
    let mut days = std::iter::successors(day.yesterday().ok(), |day| day.yesterday().ok());
    days.find(|day| is_working_day(*day)).unwrap_or(Date::MIN)
}

/// The day itself if it is a working day, else the first working day after it.
pub fn on_or_after(day: Date) -> Date {
    if is_working_day(day) { day } else { next_working_day(day) }
}

/// The day itself if it is a working day, else the last working day before it.
pub fn on_or_before(day: Date) -> Date {
    if is_working_day(day) { day } else { previous_working_day(day) }
}

/// So many working days after a day, or before it if `count` is negative; the day itself, working
/// day or not, if it is 0. The first or the last day of the calendar where so many do not exist.
pub fn add_working_days(day: Date, count: i16) -> Date {
    let step = if count < 0 { previous_working_day } else { next_working_day };
    (0..count.unsigned_abs()).fold(day, |day, _| step(day))
}

/// Easter Sunday of a year by the Gregorian calendar: the algorithm of Meeus, Jones and Butcher.
/// Before year 0 its remainders are those of the division towards minus infinity.
fn easter_sunday(easter_year: i16) -> Date {
    let year = i32::from(easter_year);
    let golden = year.rem_euclid(19);
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let correction = (century - (century + 8).div_euclid(25) + 1).div_euclid(3);
    let epact = (19 * golden + century - century.div_euclid(4) - correction + 15).rem_euclid(30);
    let weekday = (32 + 2 * century.rem_euclid(4) + 2 * (of_century / 4) - epact - of_century % 4)
        .rem_euclid(7);
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    date(easter_year, 3, 22).saturating_add((epact + weekday - 7 * late).days())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::day;

    #[test]
    fn movable_holidays_follow_easter() {
        for [easter, monday, pentecost, corpus_christi] in [
            ["1900-04-15", "1900-04-16", "1900-06-03", "1900-06-14"],
            ["2000-04-23", "2000-04-24", "2000-06-11", "2000-06-22"],
            ["2008-03-23", "2008-03-24", "2008-05-11", "2008-05-22"],
            ["2025-04-20", "2025-04-21", "2025-06-08", "2025-06-19"],
            ["2026-04-05", "2026-04-06", "2026-05-24", "2026-06-04"],
            ["2027-03-28", "2027-03-29", "2027-05-16", "2027-05-27"],
            ["2028-04-16", "2028-04-17", "2028-06-04", "2028-06-15"],
            ["2029-04-01", "2029-04-02", "2029-05-20", "2029-05-31"],
            ["2030-04-21", "2030-04-22", "2030-06-09", "2030-06-20"],
            ["2031-04-13", "2031-04-14", "2031-06-01", "2031-06-12"],
            ["2038-04-25", "2038-04-26", "2038-06-13", "2038-06-24"],
        ] {
            assert_eq!(easter_sunday(day(easter).year()), day(easter));
            for holiday in [easter, monday, pentecost, corpus_christi] {
                assert!(is_public_holiday(day(holiday)), "{holiday}");
                assert!(!is_working_day(day(holiday)), "{holiday}");
            }
        }
    }

    #[test]
    fn a_year_has_these_holidays() {
        for (year, holidays) in [
            (2024, "01-01 01-06 03-31 04-01 05-01 05-03 05-19 05-30 08-15 11-01 11-11 12-25 12-26"),
            (
                2026,
                "01-01 01-06 04-05 04-06 05-01 05-03 05-24 06-04 08-15 11-01 11-11 12-24 12-25 12-26",
            ),
            (
                2028,
                "01-01 01-06 04-16 04-17 05-01 05-03 06-04 06-15 08-15 11-01 11-11 12-24 12-25 12-26",
            ),
        ] {
            let first = day(&format!("{year}-01-01"));
            let days = first.series(1.day()).take_while(|day| day.year() == year);
            let found: Vec<String> = days
                .filter(|day| is_public_holiday(*day))
                .map(|day| day.strftime("%m-%d").to_string())
                .collect();
            assert_eq!(found.join(" "), holidays, "{year}");
        }
    }

    #[test]
    fn christmas_eve_and_epiphany_are_off_since_their_amendments() {
        for (text, is_working) in [
            ("2024-12-24", true),
            ("2025-12-24", false),
            ("2026-12-24", false),
            ("2010-01-06", true),
            ("2011-01-06", false),
        ] {
            assert_eq!(is_working_day(day(text)), is_working, "{text}");
        }
    }

    #[test]
    fn counts_working_days() {
        for (from, count, to) in [
            ("2026-12-23", 1, "2026-12-28"),
            ("2026-12-28", -1, "2026-12-23"),
            ("2026-12-26", -1, "2026-12-23"),
            ("2027-05-27", 1, "2027-05-28"),
            ("2027-05-26", 1, "2027-05-28"),
            // Off are the weekend, New Year and Epiphany.
            ("2026-12-31", 3, "2027-01-07"),
            ("2027-01-07", -3, "2026-12-31"),
            ("2028-02-28", 1, "2028-02-29"),
            ("2026-12-26", 0, "2026-12-26"),
            ("9999-12-31", 1, "9999-12-31"),
            ("9999-12-30", 7, "9999-12-31"),
            ("-009999-01-01", -1, "-009999-01-01"),
        ] {
            assert_eq!(add_working_days(day(from), count), day(to), "{from} and {count}");
        }
    }

    #[test]
    fn moves_off_holidays_and_weekends() {
        for (text, before, after) in [
            ("2026-12-23", "2026-12-23", "2026-12-23"),
            ("2026-12-24", "2026-12-23", "2026-12-28"),
            ("2026-12-27", "2026-12-23", "2026-12-28"),
            ("2026-11-11", "2026-11-10", "2026-11-12"),
            ("2026-11-28", "2026-11-27", "2026-11-30"),
        ] {
            assert_eq!(on_or_before(day(text)), day(before), "{text}");
            assert_eq!(on_or_after(day(text)), day(after), "{text}");
        }
    }

    fn any_day() -> impl Strategy<Value = Date> {
        (-9_998_i16..=9_998, 1_i8..=12, 1_i8..=28)
            .prop_map(|(year, month, day)| Date::constant(year, month, day))
    }

    proptest! {
        #[test]
        fn easter_is_a_sunday_of_spring(year in -9_999_i16..=9_999) {
            let easter = easter_sunday(year);
            prop_assert_eq!(easter.year(), year);
            prop_assert_eq!(easter.weekday(), Weekday::Sunday);
            prop_assert!((3, 22) <= (easter.month(), easter.day()));
            prop_assert!((easter.month(), easter.day()) <= (4, 25));
        }

        #[test]
        fn the_nearest_working_days_surround_a_day(day in any_day()) {
            let (previous, next) = (previous_working_day(day), next_working_day(day));
            prop_assert!(previous < day && day < next);
            prop_assert!(is_working_day(previous) && is_working_day(next));
            let between = previous.series(1.day()).skip(1).take_while(|between| *between < next);
            for between in between {
                prop_assert!(between == day || !is_working_day(between));
            }
            // The longest run of days off: a weekend beside Christmas.
            prop_assert!((next - previous).get_days() <= 8);
        }

        #[test]
        fn going_there_and_back_ends_on_the_same_working_day(day in any_day(), count in 0_i16..600) {
            let day = on_or_after(day);
            prop_assert_eq!(add_working_days(add_working_days(day, count), -count), day);
        }
    }
}
