//! A price agreement: a price list, contract or promotion. Its prices are valid only while it is.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        AgreementId, CompanyId, Currency, Name, OfCompany,
        aggregate::aggregate,
        day::{self, DayError},
        refusal::refusals,
    },
    parties::Audience,
    pricing::price::Days,
};

/// The state of a price agreement.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum PriceAgreement {
    /// Not drafted.
    #[default]
    Undrafted,
    /// Draft: its prices do not apply yet.
    Drafted(Header),
    /// Active: its prices apply.
    Active(Header),
    /// Its prices hold no more.
    Ended(Header),
}

/// What a price agreement is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PriceAgreementHeader")]
pub struct Header {
    /// What the seller calls it.
    pub name: Name,
    /// For whom its prices are: a contract is one company's, a list a group's or everybody's.
    pub audience: Audience,
    /// The currency of its prices.
    pub currency: Currency,
    /// The first day on which they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<Date>,
    /// The last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub until: Option<Date>,
    /// Whether a price that is meant for more people, and lower, beats its own.
    #[serde(default)]
    pub yields: bool,
    /// Whether it is a promotion: it holds from a day until a day, and beats whatever else is for
    /// the same audience.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub promotion: bool,
    /// Whether what a company has earned by its purchases comes off its prices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discounts: bool,
}

impl Header {
    /// The days on which its prices apply.
    pub fn days(&self) -> Days {
        Days { from: self.from, until: self.until }
    }
}

/// The commands of a price agreement.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Draft one.
    Draft {
        /// Its id.
        id: AgreementId,
        /// What it is.
        header: Header,
    },
    /// Activate it.
    Activate,
    /// End it.
    End,
    /// Shorten its validity.
    Shorten {
        /// The last day.
        until: Date,
    },
}

/// What happened to a price agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It began; its prices hold for nobody yet.
    Drafted {
        /// Its id.
        id: AgreementId,
        /// What it is.
        header: Header,
    },
    /// Its prices hold, on the days that it names.
    Activated {},
    /// Its prices hold no more.
    Ended {},
    /// They hold until a day, sooner than was said.
    Shortened {
        /// The last day.
        #[schemars(with = "String", extend("format" = "date"))]
        until: Date,
    },
}

aggregate!(PriceAgreement, "price_agreement", {
    Drafted => "drafted" v 1,
    Activated => "activated" v 1,
    Ended => "ended" v 1,
    Shortened => "shortened" v 1,
});

/// Why a price agreement refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id belongs to one already.
    #[error("the price agreement was already drafted")]
    AlreadyDrafted,
    /// There is no such agreement.
    #[error("there is no such price agreement")]
    Undrafted,
    /// It has ended.
    #[error("the price agreement {name} has ended")]
    Ended {
        /// Which one.
        name: Name,
    },
    /// It would end before it begins.
    #[error("a price agreement does not end before it begins")]
    EndsBeforeItBegins,
    /// Its validity cannot be extended, because prices of other agreements may follow.
    #[error("it holds until {until}: let prices that hold for longer follow in another agreement")]
    NotSooner {
        /// Its last day.
        until: Date,
    },
    /// A promotion needs a last day.
    #[error("a promotion begins on one day and ends on another")]
    PromotionWithoutEnd,
    /// The day is outside the supported range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    AlreadyDrafted => ("price_agreement.already_drafted", State),
    Undrafted => ("price_agreement.undrafted", Missing),
    Ended => ("price_agreement.ended", State),
    EndsBeforeItBegins => ("price_agreement.ends_before_it_begins", Invalid),
    NotSooner => ("price_agreement.not_sooner", State),
    PromotionWithoutEnd => ("price_agreement.promotion_without_end", Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl PriceAgreement {
    /// Every rule of a price agreement.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Undrafted, Command::Draft { id, header }) => {
                [header.from, header.until].into_iter().flatten().try_for_each(|on| {
                    day::checked(on)?;
                    Ok::<_, Error>(())
                })?;
                match (header.from, header.until) {
                    (Some(from), Some(until)) if until < from => Err(Error::EndsBeforeItBegins),
                    (None, _) | (_, None) if header.promotion => Err(Error::PromotionWithoutEnd),
                    _ => Ok(vec![Event::Drafted { id, header }]),
                }
            }
            (_, Command::Draft { .. }) => Err(Error::AlreadyDrafted),
            (_, Command::Shorten { until }) => self.shorten(until),
            (Self::Undrafted, Command::Activate | Command::End) => Err(Error::Undrafted),
            (Self::Drafted(_), Command::Activate) => Ok(vec![Event::Activated {}]),
            (Self::Active(_), Command::Activate) | (Self::Ended(_), Command::End) => Ok(vec![]),
            (Self::Ended(header), Command::Activate) => {
                Err(Error::Ended { name: header.name.clone() })
            }
            (Self::Drafted(_) | Self::Active(_), Command::End) => Ok(vec![Event::Ended {}]),
        }
    }

    fn shorten(&self, until: Date) -> Result<Vec<Event>, Error> {
        let header = self.open()?;
        day::checked(until)?;
        match header.until {
            _ if header.from.is_some_and(|from| until < from) => Err(Error::EndsBeforeItBegins),
            Some(present) if present == until => Ok(vec![]),
            Some(present) if present < until => Err(Error::NotSooner { until: present }),
            Some(_) | None => Ok(vec![Event::Shortened { until }]),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Drafted { header, .. }) => Self::Drafted(header),
            (mut agreement, Event::Shortened { until }) => {
                if let Self::Drafted(header) | Self::Active(header) | Self::Ended(header) =
                    &mut agreement
                {
                    header.until = Some(until);
                }
                agreement
            }
            (Self::Undrafted, Event::Activated {} | Event::Ended {}) => Self::Undrafted,
            (
                Self::Drafted(header) | Self::Active(header) | Self::Ended(header),
                Event::Activated {},
            ) => Self::Active(header),
            (
                Self::Drafted(header) | Self::Active(header) | Self::Ended(header),
                Event::Ended {},
            ) => Self::Ended(header),
        }
    }

    /// Its details, if prices can be set in it.
    pub fn open(&self) -> Result<&Header, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted(header) | Self::Active(header) => Ok(header),
            Self::Ended(header) => Err(Error::Ended { name: header.name.clone() }),
        }
    }

    /// The days on which its prices apply, once it is active.
    pub fn days(&self) -> Days {
        self.header().map(Header::days).unwrap_or_default()
    }

    /// Whether it is active.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active(_))
    }

    /// Its details; `None` when there is no such agreement.
    pub fn header(&self) -> Option<&Header> {
        match self {
            Self::Undrafted => None,
            Self::Drafted(header) | Self::Active(header) | Self::Ended(header) => Some(header),
        }
    }
}

impl OfCompany for PriceAgreement {
    fn company(&self) -> Option<CompanyId> {
        // Drafts and lists are the seller's own affair; a company sees its prices, not their making.
        None
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{answer, day};

    fn header(from: Option<&str>, until: Option<&str>) -> Header {
        Header {
            name: "Hotele 2027".parse().unwrap(),
            audience: Audience::Everyone,
            currency: Currency::Pln,
            from: from.map(day),
            until: until.map(day),
            yields: false,
            promotion: false,
            discounts: false,
        }
    }

    #[test]
    fn a_promotion_ends() {
        let id = AgreementId(Uuid::from_u128(1));
        for (from, until, then) in [
            (Some("2026-12-01"), Some("2026-12-24"), true),
            (Some("2026-12-01"), None, false),
            (None, None, false),
        ] {
            let header = Header { promotion: true, ..header(from, until) };
            let draft = Command::Draft { id, header };
            assert_eq!(answer::<PriceAgreement>(&[], draft).is_ok(), then, "{from:?} {until:?}");
        }
    }

    #[test]
    fn is_drafted_activated_and_ended() {
        let id = AgreementId(Uuid::from_u128(1));
        let draft = |from, until| Command::Draft { id, header: header(from, until) };
        let drafted = Event::Drafted { id, header: header(None, None) };
        let (activated, ended) = (Event::Activated {}, Event::Ended {});
        let name = || "Hotele 2027".parse().unwrap();
        let shorten = |until| Command::Shorten { until: day(until) };
        let shortened = |until| Event::Shortened { until: day(until) };
        for (given, when, then) in [
            (vec![], draft(None, None), Ok(vec![drafted.clone()])),
            (vec![], draft(Some("2027-02-01"), Some("2027-01-31")), Err(Error::EndsBeforeItBegins)),
            (vec![], Command::Activate, Err(Error::Undrafted)),
            (vec![drafted.clone()], draft(None, None), Err(Error::AlreadyDrafted)),
            (vec![drafted.clone()], Command::Activate, Ok(vec![activated.clone()])),
            (vec![drafted.clone()], Command::End, Ok(vec![ended.clone()])),
            (vec![drafted.clone(), activated.clone()], Command::Activate, Ok(vec![])),
            (vec![drafted.clone(), activated], Command::End, Ok(vec![ended.clone()])),
            (vec![drafted.clone(), ended.clone()], Command::End, Ok(vec![])),
            (vec![], shorten("2027-01-31"), Err(Error::Undrafted)),
            (vec![drafted.clone()], shorten("2027-01-31"), Ok(vec![shortened("2027-01-31")])),
            (
                vec![drafted.clone(), shortened("2027-01-31")],
                shorten("2027-01-30"),
                Ok(vec![shortened("2027-01-30")]),
            ),
            (vec![drafted.clone(), shortened("2027-01-31")], shorten("2027-01-31"), Ok(vec![])),
            (
                vec![drafted.clone(), shortened("2027-01-31")],
                shorten("2027-02-01"),
                Err(Error::NotSooner { until: day("2027-01-31") }),
            ),
            (
                vec![Event::Drafted { id, header: header(Some("2027-01-01"), None) }],
                shorten("2026-12-31"),
                Err(Error::EndsBeforeItBegins),
            ),
            (
                vec![drafted.clone(), ended.clone()],
                shorten("2027-01-31"),
                Err(Error::Ended { name: name() }),
            ),
            (vec![drafted, ended], Command::Activate, Err(Error::Ended { name: name() })),
        ] {
            assert_eq!(answer::<PriceAgreement>(&given, when), then);
        }
    }
}
