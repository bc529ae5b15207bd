//! A numbering series: hands out the gapless numbers of one kind of document in one month.
//!
//! A number is taken in the same append that issues its document, so a number without a document
//! and a document without a number are both impossible.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{
    CompanyId, InvoiceId, OfCompany, SeriesId,
    aggregate::aggregate,
    day::{self, DayError},
    refusal::refusals,
};

/// What decisions need to know of a series: the last number it gave, 0 before the first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    last: u32,
}

/// What a series numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sales invoices: `FV/…`.
    Invoice,
    /// Credit notes: `FK/…`.
    CreditNote,
}

/// What can be asked of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Give the next number to a document.
    Take {
        /// What is numbered.
        kind: Kind,
        /// The day of the document; it must lie in the month of the series.
        on: Date,
        /// The document.
        document: InvoiceId,
    },
}

/// What happened to a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A document has its number.
    NumberTaken {
        /// The number as printed.
        number: Number,
        /// Its place in the series, counted from 1 without a gap.
        sequence: u32,
        /// The document.
        document: InvoiceId,
    },
}

aggregate!(Series, "series", { NumberTaken => "number_taken" v 1 });

/// A document's number as printed, such as `FV/2026/11/0042`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

/// A text that is no document number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a document number looks like FV/2026/11/0042")]
pub struct NumberError;

impl Number {
    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What sorts numbers as they were handed out: as text, 10000 would come before 9999.
    pub fn order(&self) -> impl Ord {
        let (series, sequence) = self.0.rsplit_once('/').unwrap_or((&self.0, ""));
        (series, sequence.parse::<u64>().ok())
    }
}

impl TryFrom<String> for Number {
    type Error = NumberError;

    fn try_from(text: String) -> Result<Self, NumberError> {
        let digits = |part: &str, least: usize, most: usize| {
            (least..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        match text.split('/').collect::<Vec<_>>()[..] {
            ["FV" | "FK", year, month, sequence]
                if digits(year, 4, 4) && digits(month, 2, 2) && digits(sequence, 4, 10) =>
            {
                Ok(Self(text))
            }
            _ => Err(NumberError),
        }
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "DocumentNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^F[VK]/[0-9]{4}/[0-9]{2}/[0-9]{4,10}$" })
    }
}

/// Why a series refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No month issues four thousand million documents.
    #[error("the series has no numbers left")]
    Exhausted,
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Exhausted => ("series.exhausted", State),
    Day => ("day.out_of_range", Invalid),
});

impl Kind {
    /// Separates these ids from other name-based UUIDs: a random constant.
    const NAMESPACE: Uuid = Uuid::from_u128(0x2f0b_0c3a_91d7_4a51_8a86_6f5e_3b1c_d94e);

    const fn prefix(self) -> &'static str {
        match self {
            Self::Invoice => "FV",
            Self::CreditNote => "FK",
        }
    }

    /// The series of this kind in the month of a day.
    pub fn series(self, on: Date) -> SeriesId {
        let name = format!("{}/{:04}/{:02}", self.prefix(), on.year(), on.month());
        SeriesId(Uuid::new_v5(&Self::NAMESPACE, name.as_bytes()))
    }

    fn number(self, on: Date, sequence: u32) -> Number {
        Number(format!("{}/{:04}/{:02}/{sequence:04}", self.prefix(), on.year(), on.month()))
    }
}

impl Series {
    /// Every rule of a series.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::Take { kind, on, document } = command;
        let number = self.next(kind, on)?;
        Ok(vec![Event::NumberTaken { number, sequence: self.following()?, document }])
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::NumberTaken { sequence, .. } => Self { last: sequence },
        }
    }

    /// The number that the next document will get.
    pub fn next(&self, kind: Kind, on: Date) -> Result<Number, Error> {
        Ok(kind.number(day::checked(on)?, self.following()?))
    }

    fn following(&self) -> Result<u32, Error> {
        self.last.checked_add(1).ok_or(Error::Exhausted)
    }
}

impl OfCompany for Series {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answer, day};

    #[test]
    fn hands_out_numbers_without_a_gap() {
        let (kind, on) = (Kind::Invoice, day("2026-11-23"));
        let mut history: Vec<Event> = Vec::new();
        for sequence in 1..=12_u32 {
            let document = InvoiceId(Uuid::from_u128(sequence.into()));
            let events = answer::<Series>(&history, Command::Take { kind, on, document });
            let number = Number(format!("FV/2026/11/{sequence:04}"));
            assert_eq!(events, Ok(vec![Event::NumberTaken { number, sequence, document }]));
            history.extend(events.unwrap());
        }
    }

    #[test]
    fn ends_before_numbers_repeat() {
        let document = InvoiceId(Uuid::nil());
        let last = Event::NumberTaken {
            number: Kind::Invoice.number(day("2026-11-23"), u32::MAX),
            sequence: u32::MAX,
            document,
        };
        let take = Command::Take { kind: Kind::Invoice, on: day("2026-11-23"), document };
        assert_eq!(answer::<Series>(&[last], take), Err(Error::Exhausted));
    }

    /// Whatever number is given can be read back: an unreadable one would stop history's readers.
    #[test]
    fn gives_no_number_that_cannot_be_read() {
        for on in ["1900-01-31", "2026-11-23", "2999-12-01"] {
            let number = Series::default().next(Kind::CreditNote, day(on)).unwrap();
            assert_eq!(Number::try_from(number.to_string()), Ok(number));
        }
        for on in ["-000001-01-01", "-009999-12-31", "0000-01-01", "9999-12-31"] {
            let document = InvoiceId(Uuid::nil());
            let take = Command::Take { kind: Kind::Invoice, on: day(on), document };
            assert_eq!(answer::<Series>(&[], take), Err(Error::Day(DayError)), "{on}");
        }
    }

    #[test]
    fn is_one_a_kind_and_month() {
        let november = Kind::Invoice.series(day("2026-11-01"));
        assert_eq!(november, Kind::Invoice.series(day("2026-11-30")));
        assert_ne!(november, Kind::Invoice.series(day("2026-12-01")));
        assert_ne!(november, Kind::CreditNote.series(day("2026-11-01")));
    }

    #[test]
    fn knows_its_numbers() {
        for good in ["FV/2026/11/0001", "FK/2026/01/123456"] {
            assert!(Number::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "FV/2026/11/1", "FX/2026/11/0001", "FV/26/11/0001", "FV/2026/11/00a1"] {
            assert!(Number::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
