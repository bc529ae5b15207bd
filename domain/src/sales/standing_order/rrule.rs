//! Recurrence rules of RFC 5545, as far as they say on which days something falls.
//!
//! Own code: the crate `rrule` brings chrono with its time zones beside jiff, and walks through all
//! dates from the first one. A rule is asked of one day here, so no rule can loop.

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr};

use jiff::civil::{Date, Weekday};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A recurrence rule. Its text is normalised: upper case, parts in a fixed order, without defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rrule {
    frequency: Frequency,
    interval: u16,
    months: BTreeSet<i8>,
    month_days: BTreeSet<i8>,
    days: Vec<NumberedDay>,
    positions: BTreeSet<i8>,
    week_start: Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A day of the week, in a month or a year counted from its beginning or its end, or each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NumberedDay {
    number: Option<i8>,
    weekday: Weekday,
}

/// Why a text is no rule that a schedule can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RruleError {
    /// Longer than any rule.
    #[error("a recurrence rule is at most {} characters long", Rrule::LONGEST)]
    TooLong,
    /// Not `NAME=VALUE`.
    #[error("a recurrence rule is a list such as FREQ=WEEKLY;BYDAY=MO,TH")]
    Malformed,
    /// A part is there twice.
    #[error("{part} is given twice")]
    Twice {
        /// Which one.
        part: &'static str,
    },
    /// Without FREQ.
    #[error("FREQ is one of DAILY, WEEKLY, MONTHLY and YEARLY")]
    Frequency,
    /// A part that a standing order cannot follow.
    #[error(
        "a schedule follows FREQ, INTERVAL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS and WKST; it says \
         itself when it ends"
    )]
    Unsupported,
    /// A value that the part cannot have.
    #[error("{part} has a value that it cannot have")]
    Value {
        /// Which part.
        part: &'static str,
    },
    /// Parts that do not go together.
    #[error("{part} does not go with this FREQ")]
    Combination {
        /// Which part.
        part: &'static str,
    },
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

impl Rrule {
    /// How long a rule may be.
    pub const LONGEST: usize = 200;

    /// Whether it falls on a day that is not before the first day. The first day itself counts only
    /// if the rule falls on it.
    pub(super) fn falls_on(&self, day: Date, first: Date) -> bool {
        if self.periods_between(first, day) % i64::from(self.interval) != 0 {
            return false;
        }
        if self.positions.is_empty() {
            return self.has(day, first);
        }
        // `BYSETPOS` is of months alone.
        self.has(day, first) && {
            let days = (1..=day.days_in_month()).filter_map(|of_month| {
                let other = Date::new(day.year(), day.month(), of_month).ok()?;
                self.has(other, first).then_some(of_month)
            });
            let days: Vec<i8> = days.collect();
            let count = i8::try_from(days.len()).unwrap_or(i8::MAX);
            let before = days.iter().position(|other| *other == day.day()).unwrap_or_default();
            let place = i8::try_from(before).unwrap_or(i8::MAX) + 1;
            self.positions.contains(&place) || self.positions.contains(&(place - count - 1))
        }
    }

    fn periods_between(&self, first: Date, day: Date) -> i64 {
        match self.frequency {
            Frequency::Daily => days_between(first, day),
            Frequency::Weekly => weeks_between(first, day, self.week_start),
            Frequency::Monthly => months_between(first, day),
            Frequency::Yearly => i64::from(day.year()) - i64::from(first.year()),
        }
    }

    /// Whether a day of a period that counts is in its set.
    fn has(&self, day: Date, first: Date) -> bool {
        let says_no_day = self.month_days.is_empty() && self.days.is_empty();
        let in_month = if self.months.is_empty() {
            self.frequency != Frequency::Yearly || !says_no_day || day.month() == first.month()
        } else {
            self.months.contains(&day.month())
        };
        let on_day_of_month = self.month_days.is_empty()
            || self.month_days.contains(&day.day())
            || self.month_days.contains(&(day.day() - day.days_in_month() - 1));
        let on_weekday = self.days.is_empty() || self.days.iter().any(|one| self.is(*one, day));
        let as_first = match self.frequency {
            Frequency::Daily => true,
            Frequency::Weekly => !says_no_day || day.weekday() == first.weekday(),
            Frequency::Monthly | Frequency::Yearly => !says_no_day || day.day() == first.day(),
        };
        in_month && on_day_of_month && on_weekday && as_first
    }

    fn is(&self, NumberedDay { number, weekday }: NumberedDay, day: Date) -> bool {
        if day.weekday() != weekday {
            return false;
        }
        let Some(number) = number else { return true };
        let is_of_year = self.frequency == Frequency::Yearly && self.months.is_empty();
        let (day, days) = if is_of_year {
            (day.day_of_year(), day.days_in_year())
        } else {
            (i16::from(day.day()), i16::from(day.days_in_month()))
        };
        let from_start = (day - 1) / 7 + 1;
        let from_end = -((days - day) / 7 + 1);
        [from_start, from_end].contains(&i16::from(number))
    }

    fn checked(self) -> Result<Self, RruleError> {
        let has_numbers = self.days.iter().any(|day| day.number.is_some());
        let is_numbered = matches!(self.frequency, Frequency::Monthly | Frequency::Yearly);
        if has_numbers && !is_numbered {
            return Err(RruleError::Combination { part: "BYDAY" });
        }
        let of_year = self.frequency == Frequency::Yearly && self.months.is_empty();
        let most = if of_year { 53 } else { 5 };
        let beyond =
            |day: &NumberedDay| day.number.is_some_and(|number| number.unsigned_abs() > most);
        if self.days.iter().any(beyond) {
            return Err(RruleError::Value { part: "BYDAY" });
        }
        if self.frequency == Frequency::Weekly && !self.month_days.is_empty() {
            return Err(RruleError::Combination { part: "BYMONTHDAY" });
        }
        if self.frequency != Frequency::Monthly && !self.positions.is_empty() {
            return Err(RruleError::Combination { part: "BYSETPOS" });
        }
        let most = match self.frequency {
            Frequency::Daily => 366,
            Frequency::Weekly => 52,
            Frequency::Monthly => 24,
            Frequency::Yearly => 5,
        };
        if !(1..=most).contains(&self.interval) {
            return Err(RruleError::Value { part: "INTERVAL" });
        }
        Ok(self)
    }
}

/// How many days a day is after another one.
pub(super) fn days_between(first: Date, day: Date) -> i64 {
    day.duration_since(first).as_hours() / 24
}

/// How many weeks the week of a day is after that of another one.
pub(super) fn weeks_between(first: Date, day: Date, week_start: Weekday) -> i64 {
    let into_week = i64::from(week_start.until(first.weekday()));
    (days_between(first, day) + into_week).div_euclid(7)
}

/// How many months the month of a day is after that of another one.
pub(super) fn months_between(first: Date, day: Date) -> i64 {
    let month = |day: Date| i64::from(day.year()) * 12 + i64::from(day.month());
    month(day) - month(first)
}

impl FromStr for Rrule {
    type Err = RruleError;

    fn from_str(text: &str) -> Result<Self, RruleError> {
        if text.len() > Self::LONGEST {
            return Err(RruleError::TooLong);
        }
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text);
        let mut parts = Parts::default();
        for part in text.split(';') {
            let (name, value) = part.split_once('=').ok_or(RruleError::Malformed)?;
            let slot = match name {
                "FREQ" => &mut parts.freq,
                "INTERVAL" => &mut parts.interval,
                "BYMONTH" => &mut parts.months,
                "BYMONTHDAY" => &mut parts.month_days,
                "BYDAY" => &mut parts.days,
                "BYSETPOS" => &mut parts.positions,
                "WKST" => &mut parts.week_start,
                _ => return Err(RruleError::Unsupported),
            };
            if slot.replace(value).is_some() {
                let part = NAMES.into_iter().find(|known| *known == name).unwrap_or("a part");
                return Err(RruleError::Twice { part });
            }
        }
        parts.rule()
    }
}

const NAMES: [&str; 7] = ["FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST"];

/// The parts of a rule as they are written.
#[derive(Default)]
struct Parts<'a> {
    freq: Option<&'a str>,
    interval: Option<&'a str>,
    months: Option<&'a str>,
    month_days: Option<&'a str>,
    days: Option<&'a str>,
    positions: Option<&'a str>,
    week_start: Option<&'a str>,
}

impl Parts<'_> {
    fn rule(self) -> Result<Rrule, RruleError> {
        let frequency = match self.freq {
            Some("DAILY") => Frequency::Daily,
            Some("WEEKLY") => Frequency::Weekly,
            Some("MONTHLY") => Frequency::Monthly,
            Some("YEARLY") => Frequency::Yearly,
            Some(_) | None => return Err(RruleError::Frequency),
        };
        let interval = self.interval.map_or(Some(1), |text| digits(text)?.parse().ok());
        let week_start = self.week_start.map_or(Some(Weekday::Monday), weekday);
        let rule = Rrule {
            frequency,
            interval: interval.ok_or(RruleError::Value { part: "INTERVAL" })?,
            months: numbers("BYMONTH", self.months, |month| (1..=12).contains(&month))?,
            month_days: numbers("BYMONTHDAY", self.month_days, |day| {
                (1..=31).contains(&day.unsigned_abs())
            })?,
            days: self.days.map_or(Ok(Vec::new()), numbered_days)?,
            positions: numbers("BYSETPOS", self.positions, |place| {
                (1..=31).contains(&place.unsigned_abs())
            })?,
            week_start: week_start.ok_or(RruleError::Value { part: "WKST" })?,
        };
        rule.checked()
    }
}

/// A number without a sign, which Rust would parse too.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// A number with an optional sign, as RFC 5545 writes it.
fn signed(text: &str) -> Option<i8> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits(unsigned)?;
    text.parse().ok()
}

fn numbers(
    part: &'static str,
    text: Option<&str>,
    is_possible: impl Fn(i8) -> bool,
) -> Result<BTreeSet<i8>, RruleError> {
    let Some(text) = text else { return Ok(BTreeSet::new()) };
    let number = |text: &str| signed(text).filter(|number| is_possible(*number));
    text.split(',').map(|one| number(one).ok_or(RruleError::Value { part })).collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    WEEKDAYS.into_iter().find(|(code, _)| *code == text).map(|(_, weekday)| weekday)
}

fn numbered_days(text: &str) -> Result<Vec<NumberedDay>, RruleError> {
    let wrong = RruleError::Value { part: "BYDAY" };
    let one = |text: &str| {
        let (number, code) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let weekday = weekday(code)?;
        let number = match number {
            "" => None,
            number => {
                Some(signed(number).filter(|number| (1..=53).contains(&number.unsigned_abs()))?)
            }
        };
        Some(NumberedDay { number, weekday })
    };
    let days: Option<Vec<NumberedDay>> = text.split(',').map(one).collect();
    let mut days = days.ok_or(wrong)?;
    days.sort_by_key(|day| (day.weekday.to_monday_zero_offset(), day.number));
    days.dedup();
    Ok(days)
}

impl fmt::Display for Rrule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frequency = match self.frequency {
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        };
        write!(f, "FREQ={frequency}")?;
        if self.interval > 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        for (name, numbers) in [("BYMONTH", &self.months), ("BYMONTHDAY", &self.month_days)] {
            listed(f, name, numbers)?;
        }
        listed(f, "BYDAY", &self.days)?;
        listed(f, "BYSETPOS", &self.positions)?;
        if self.week_start == Weekday::Monday {
            Ok(())
        } else {
            write!(f, ";WKST={}", code(self.week_start))
        }
    }
}

fn listed<'a, T: fmt::Display + 'a>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    values: impl IntoIterator<Item = &'a T>,
) -> fmt::Result {
    let values: Vec<String> = values.into_iter().map(ToString::to_string).collect();
    if values.is_empty() { Ok(()) } else { write!(f, ";{name}={}", values.join(",")) }
}

fn code(weekday: Weekday) -> &'static str {
    WEEKDAYS[usize::from(weekday.to_monday_zero_offset().unsigned_abs())].0
}

impl fmt::Display for NumberedDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{number}{}", code(self.weekday)),
            None => f.write_str(code(self.weekday)),
        }
    }
}

impl TryFrom<String> for Rrule {
    type Error = RruleError;

    fn try_from(text: String) -> Result<Self, RruleError> {
        text.parse()
    }
}

impl From<Rrule> for String {
    fn from(rule: Rrule) -> Self {
        rule.to_string()
    }
}

impl JsonSchema for Rrule {
    fn schema_name() -> Cow<'static, str> {
        "RecurrenceRule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": Self::LONGEST,
            "description": "A recurrence rule of RFC 5545 with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY and \
                INTERVAL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS (MONTHLY alone) and WKST",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day;

    #[track_caller]
    fn check(rule: &str, first: &str, then: &str) {
        let (rule, first) = (rule.parse::<Rrule>().unwrap(), day(first));
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(3_660);
        let found = days.filter(|day| rule.falls_on(*day, first));
        let count = then.split(' ').count();
        let found: Vec<String> = found.take(count).map(|day| day.to_string()).collect();
        assert_eq!(found.join(" "), then);
    }

    /// The examples of RFC 5545, section 3.8.5.3, that name days alone; DTSTART is 1997-09-02, a
    /// Tuesday, where nothing else is said.
    #[test]
    fn falls_on_the_days_of_the_standard() {
        check("FREQ=DAILY", "1997-09-02", "1997-09-02 1997-09-03");
        check(
            "FREQ=DAILY;INTERVAL=10",
            "1997-09-02",
            "1997-09-02 1997-09-12 1997-09-22 1997-10-02",
        );
        check("FREQ=DAILY;BYMONTH=1", "1998-01-31", "1998-01-31 1999-01-01 1999-01-02");
        check("FREQ=WEEKLY", "1997-09-02", "1997-09-02 1997-09-09 1997-09-16");
        check("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09-02", "1997-09-02 1997-09-16 1997-09-30");
        check(
            "FREQ=WEEKLY;WKST=SU;BYDAY=TU,TH",
            "1997-09-02",
            "1997-09-02 1997-09-04 1997-09-09 1997-09-11",
        );
        check(
            "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR",
            "1997-09-01",
            "1997-09-01 1997-09-03 1997-09-05 1997-09-15 1997-09-17",
        );
        check("FREQ=MONTHLY;BYDAY=1FR", "1997-09-05", "1997-09-05 1997-10-03 1997-11-07");
        check(
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU",
            "1997-09-07",
            "1997-09-07 1997-09-28 1997-11-02 1997-11-30 1998-01-04 1998-01-25",
        );
        check("FREQ=MONTHLY;BYDAY=-2MO", "1997-09-22", "1997-09-22 1997-10-20 1997-11-17");
        check("FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28", "1997-09-28 1997-10-29 1997-11-28");
        check("FREQ=MONTHLY;BYMONTHDAY=2,15", "1997-09-02", "1997-09-02 1997-09-15 1997-10-02");
        check("FREQ=MONTHLY;BYMONTHDAY=1,-1", "1997-09-30", "1997-09-30 1997-10-01 1997-10-31");
        check(
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
            "1997-09-02",
            "1997-09-02 1997-09-09 1997-09-16 1997-09-23 1997-09-30 1997-11-04",
        );
        check("FREQ=YEARLY;BYMONTH=6,7", "1997-06-10", "1997-06-10 1997-07-10 1998-06-10");
        check(
            "FREQ=YEARLY;INTERVAL=2;BYMONTH=1,2,3",
            "1997-03-10",
            "1997-03-10 1999-01-10 1999-02-10",
        );
        check("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", "1997-05-19 1998-05-18 1999-05-17");
        check(
            "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
            "1997-03-13",
            "1997-03-13 1997-03-20 1997-03-27 1998-03-05",
        );
        check(
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "1997-09-02",
            "1998-02-13 1998-03-13 1998-11-13 1999-08-13",
        );
        check(
            "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
            "1997-09-13",
            "1997-09-13 1997-10-11 1997-11-08",
        );
        check(
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "1996-11-05",
            "1996-11-05 2000-11-07 2004-11-02",
        );
        check(
            "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3",
            "1997-09-04",
            "1997-09-04 1997-10-07 1997-11-06",
        );
        check(
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            "1997-09-29",
            "1997-09-29 1997-10-30 1997-11-27",
        );
        // The first week of an interval depends on the day with which weeks begin.
        check(
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO",
            "1997-08-05",
            "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
        );
        check(
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
            "1997-08-05",
            "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
        );
        // Months and years without the day are passed over.
        check(
            "FREQ=MONTHLY;BYMONTHDAY=15,30",
            "2007-01-15",
            "2007-01-15 2007-01-30 2007-02-15 2007-03-15",
        );
        check("FREQ=MONTHLY", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31");
        check("FREQ=YEARLY", "2024-02-29", "2024-02-29 2028-02-29 2032-02-29");
    }

    #[test]
    fn is_written_in_one_way() {
        for (text, normal) in [
            ("FREQ=DAILY", "FREQ=DAILY"),
            ("RRULE:freq=weekly;byday=th,mo,th;interval=1", "FREQ=WEEKLY;BYDAY=MO,TH"),
            ("BYDAY=+1FR,-1FR;FREQ=MONTHLY;WKST=MO", "FREQ=MONTHLY;BYDAY=-1FR,1FR"),
            (
                "FREQ=MONTHLY;INTERVAL=3;BYMONTH=12,3;BYMONTHDAY=-1,1;BYSETPOS=1;WKST=SU",
                "FREQ=MONTHLY;INTERVAL=3;BYMONTH=3,12;BYMONTHDAY=-1,1;BYSETPOS=1;WKST=SU",
            ),
        ] {
            let rule: Rrule = text.parse().unwrap();
            assert_eq!(rule.to_string(), normal);
            assert_eq!(normal.parse(), Ok(rule));
        }
    }

    #[test]
    fn refuses_what_it_would_not_follow() {
        let value = |part| RruleError::Value { part };
        let combination = |part| RruleError::Combination { part };
        let long = format!("FREQ=DAILY;BYMONTH={}1", "1,".repeat(100));
        for (text, error) in [
            ("", RruleError::Malformed),
            ("FREQ=DAILY;", RruleError::Malformed),
            ("INTERVAL=2", RruleError::Frequency),
            ("FREQ=HOURLY", RruleError::Frequency),
            ("FREQ=DAILY;FREQ=DAILY", RruleError::Twice { part: "FREQ" }),
            ("FREQ=DAILY;COUNT=3", RruleError::Unsupported),
            ("FREQ=DAILY;UNTIL=20261231", RruleError::Unsupported),
            ("FREQ=YEARLY;BYWEEKNO=20", RruleError::Unsupported),
            ("FREQ=DAILY;BYHOUR=9", RruleError::Unsupported),
            ("FREQ=DAILY;INTERVAL=0", value("INTERVAL")),
            ("FREQ=DAILY;INTERVAL=+2", value("INTERVAL")),
            ("FREQ=DAILY;INTERVAL=-1", value("INTERVAL")),
            ("FREQ=DAILY;INTERVAL=367", value("INTERVAL")),
            ("FREQ=YEARLY;INTERVAL=6", value("INTERVAL")),
            ("FREQ=DAILY;INTERVAL=99999999999", value("INTERVAL")),
            ("FREQ=MONTHLY;BYMONTHDAY=0", value("BYMONTHDAY")),
            ("FREQ=MONTHLY;BYMONTHDAY=32", value("BYMONTHDAY")),
            ("FREQ=MONTHLY;BYMONTHDAY=-128", value("BYMONTHDAY")),
            ("FREQ=MONTHLY;BYMONTHDAY=", value("BYMONTHDAY")),
            ("FREQ=DAILY;BYMONTH=13", value("BYMONTH")),
            ("FREQ=MONTHLY;BYDAY=6MO", value("BYDAY")),
            ("FREQ=YEARLY;BYDAY=54MO", value("BYDAY")),
            ("FREQ=MONTHLY;BYDAY=0MO", value("BYDAY")),
            ("FREQ=WEEKLY;BYDAY=ŻY", value("BYDAY")),
            ("FREQ=WEEKLY;BYDAY=M", value("BYDAY")),
            ("FREQ=WEEKLY;WKST=XX", value("WKST")),
            ("FREQ=WEEKLY;BYDAY=1MO", combination("BYDAY")),
            ("FREQ=WEEKLY;BYMONTHDAY=1", combination("BYMONTHDAY")),
            ("FREQ=YEARLY;BYDAY=MO;BYSETPOS=1", combination("BYSETPOS")),
            (&long, RruleError::TooLong),
        ] {
            assert_eq!(text.parse::<Rrule>(), Err(error), "{text}");
        }
    }
}
