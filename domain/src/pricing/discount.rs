//! A discount programme: what a company earns by what it buys, off base prices and off those of
//! agreements that allow it.
//!
//! An audience has at most one programme of each kind. Of the audiences to which a company belongs
//! the most specific one that has a programme counts; what two kinds give is added.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    kernel::{
        CompanyId, Currency, DiscountId, Money, OfCompany, Percent, aggregate::aggregate,
        money::MoneyError, refusal::refusals,
    },
    parties::Audience,
    pricing::Purchases,
};

/// What decisions need to know of a programme.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Discount {
    /// There is none.
    #[default]
    Unoffered,
    /// It is offered.
    Offered(Programme),
    /// It is offered no more.
    Ended(Programme),
}

/// A programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DiscountProgramme")]
pub struct Programme {
    /// For how many days back, today included, purchases count: 1 to 1096.
    pub days: u16,
    /// What is given for what.
    pub tiers: Tiers,
}

/// What is given for what; the highest tier that is reached counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "DiscountTiers")]
pub enum Tiers {
    /// For what was invoiced, less what was credited: loyalty.
    Turnover {
        /// By net sums of one currency.
        tiers: Vec<TurnoverTier>,
    },
    /// For how many orders were invoiced: frequency.
    Orders {
        /// By numbers of orders.
        tiers: Vec<OrdersTier>,
    },
}

/// What is given for a turnover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnoverTier {
    /// The least turnover, net.
    pub at_least: Money,
    /// What it gives.
    pub percent: Percent,
}

/// What is given for a number of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrdersTier {
    /// The least number of orders.
    pub at_least: u32,
    /// What it gives.
    pub percent: Percent,
}

/// Which of an audience's programmes it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DiscountKind")]
pub enum Kind {
    /// For turnover.
    Turnover,
    /// For numbers of orders.
    Orders,
}

/// What can be asked of a programme.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Offer it, or another one in its place.
    Offer {
        /// To whom.
        audience: Audience,
        /// What.
        programme: Programme,
    },
    /// Offer it no more.
    End,
}

/// What happened to a programme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It is offered, in the place of another of its kind, if there was one.
    Offered {
        /// To whom.
        audience: Audience,
        /// What.
        programme: Programme,
    },
    /// It is offered no more.
    Ended {},
}

aggregate!(Discount, "discount", {
    Offered => "offered" v 1,
    Ended => "ended" v 1,
});

/// Why a programme is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing to end.
    #[error("the audience has no such programme")]
    Unoffered,
    /// Purchases are not remembered for so long.
    #[error("purchases count for 1 to {} days", Purchases::DAYS)]
    Days,
    /// A programme that gives nothing.
    #[error("a programme has between 1 and {} tiers", Discount::MOST_TIERS)]
    Tiers,
    /// Two tiers for the same.
    #[error("two tiers begin at the same")]
    TierTwice,
    /// A sum beyond what any document may come to.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Sums that cannot be compared.
    #[error("all tiers are in one currency, and more than nothing")]
    Sums,
}

refusals!(Error, {
    Unoffered => ("discount.unoffered", Missing),
    Days => ("discount.days_invalid", Invalid),
    Tiers => ("discount.tiers_invalid", Invalid),
    TierTwice => ("discount.tier_twice", Invalid),
    Money => (inner, Invalid),
    Sums => ("discount.sums_invalid", Invalid),
});

impl Discount {
    /// How many tiers a programme may have.
    pub const MOST_TIERS: usize = 20;

    /// Every rule of a programme.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Offered(present), Command::Offer { programme, .. }) if *present == programme => {
                Ok(vec![])
            }
            (_, Command::Offer { audience, programme }) => {
                programme.check()?;
                Ok(vec![Event::Offered { audience, programme }])
            }
            (Self::Unoffered, Command::End) => Err(Error::Unoffered),
            (Self::Offered(_), Command::End) => Ok(vec![Event::Ended {}]),
            (Self::Ended(_), Command::End) => Ok(vec![]),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Offered { programme, .. }) => Self::Offered(programme),
            (Self::Unoffered, Event::Ended {}) => Self::Unoffered,
            (Self::Offered(programme) | Self::Ended(programme), Event::Ended {}) => {
                Self::Ended(programme)
            }
        }
    }

    /// The programme, while it is offered.
    pub fn programme(&self) -> Option<&Programme> {
        match self {
            Self::Offered(programme) => Some(programme),
            Self::Unoffered | Self::Ended(_) => None,
        }
    }
}

impl Programme {
    fn check(&self) -> Result<(), Error> {
        if self.days == 0 || self.days > Purchases::DAYS {
            return Err(Error::Days);
        }
        let (count, distinct) = match &self.tiers {
            Tiers::Turnover { tiers } => {
                let currency = tiers.first().map(|tier| tier.at_least.currency());
                let fits = |sum: Money| sum.is_positive() && Some(sum.currency()) == currency;
                if !tiers.iter().all(|tier| fits(tier.at_least)) {
                    return Err(Error::Sums);
                }
                for tier in tiers {
                    tier.at_least.within_ceiling()?;
                }
                let sums = tiers.iter().map(|tier| tier.at_least.amount());
                (tiers.len(), sums.collect::<BTreeSet<_>>().len())
            }
            Tiers::Orders { tiers } => {
                let numbers = tiers.iter().map(|tier| tier.at_least);
                (tiers.len(), numbers.collect::<BTreeSet<_>>().len())
            }
        };
        if count == 0 || count > Discount::MOST_TIERS {
            return Err(Error::Tiers);
        }
        if distinct < count { Err(Error::TierTwice) } else { Ok(()) }
    }

    /// What a company with these purchases has earned on a day; the highest tier that is reached.
    pub fn earned(&self, purchases: &Purchases, on: Date) -> Option<Percent> {
        match &self.tiers {
            Tiers::Turnover { tiers } => {
                let turnover = |currency: Currency| purchases.turnover(currency, self.days, on);
                let reached = tiers
                    .iter()
                    .filter(|tier| turnover(tier.at_least.currency()) >= tier.at_least.amount());
                let highest = reached.max_by_key(|tier| tier.at_least.amount());
                highest.map(|tier| tier.percent)
            }
            Tiers::Orders { tiers } => {
                let orders = purchases.orders(self.days, on);
                let reached = tiers.iter().filter(|tier| orders >= tier.at_least);
                reached.max_by_key(|tier| tier.at_least).map(|tier| tier.percent)
            }
        }
    }

    /// Which of an audience's programmes it is.
    pub fn kind(&self) -> Kind {
        match self.tiers {
            Tiers::Turnover { .. } => Kind::Turnover,
            Tiers::Orders { .. } => Kind::Orders,
        }
    }
}

/// What a company has earned on a day. `programmes` are those of its audiences, the most specific
/// first: the first of each kind counts, and what the kinds give is added, to all of the price at
/// most.
pub fn earned<'a>(
    programmes: impl IntoIterator<Item = &'a Programme>,
    purchases: &Purchases,
    on: Date,
) -> Option<Percent> {
    let mut seen = BTreeSet::new();
    programmes
        .into_iter()
        .filter(|programme| seen.insert(programme.kind()))
        .filter_map(|programme| programme.earned(purchases, on))
        .reduce(Percent::plus)
}

impl DiscountId {
    /// An audience's programme of a kind: one each.
    pub fn of(audience: &Audience, kind: Kind) -> Self {
        /// Separates these from other name-based UUIDs: a random constant.
        const NAMESPACE: Uuid = Uuid::from_u128(0x77f2_0c9e_d315_4b6a_8e04_c1a9_5d38_26fb);
        let kind = match kind {
            Kind::Turnover => "turnover",
            Kind::Orders => "orders",
        };
        Self(Uuid::new_v5(&NAMESPACE, format!("{kind}\n{}", audience.key()).as_bytes()))
    }
}

impl OfCompany for Discount {
    fn company(&self) -> Option<CompanyId> {
        // What the seller gives to whom is the seller's own affair.
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::{answer, day},
        kernel::{InvoiceId, OrderId, ProductId},
        pricing::purchases,
    };

    /// `turnover 90 1000:2 5000:5` or `orders 30 4:1`.
    fn programme(text: &str) -> Programme {
        let mut words = text.split_whitespace();
        let (kind, days) = (words.next().unwrap(), words.next().unwrap().parse().unwrap());
        let tiers = words.map(|tier| tier.split_once(':').unwrap());
        let tiers = match kind {
            "turnover" => Tiers::Turnover {
                tiers: tiers
                    .map(|(sum, percent)| TurnoverTier {
                        at_least: Money::parse(sum, Currency::Pln).unwrap(),
                        percent: percent.parse().unwrap(),
                    })
                    .collect(),
            },
            _ => Tiers::Orders {
                tiers: tiers
                    .map(|(number, percent)| OrdersTier {
                        at_least: number.parse().unwrap(),
                        percent: percent.parse().unwrap(),
                    })
                    .collect(),
            },
        };
        Programme { days, tiers }
    }

    /// Bought for so much on these days, each by an order of its own.
    fn purchases(bought: &[(&str, &str)]) -> Purchases {
        bought.iter().enumerate().fold(Purchases::default(), |purchases, (index, (on, net))| {
            let id = Uuid::from_u128(index as u128);
            let command = purchases::Command::Count {
                company: CompanyId(ProductId(id).0),
                invoice: InvoiceId(id),
                order: OrderId(id),
                net: Money::parse(net, Currency::Pln).unwrap(),
                on: day(on),
                today: day(on),
            };
            let events = purchases.decide(command).unwrap();
            events.into_iter().fold(purchases, Purchases::with)
        })
    }

    #[track_caller]
    fn check(programmes: &[&str], bought: &[(&str, &str)], percent: Option<&str>) {
        let programmes: Vec<Programme> = programmes.iter().map(|text| programme(text)).collect();
        let earned = earned(&programmes, &purchases(bought), day("2026-11-30"));
        assert_eq!(earned.map(|percent| percent.to_string()).as_deref(), percent);
    }

    #[test]
    fn the_highest_tier_reached_counts() {
        let loyal = "turnover 30 1000:2 5000:5";
        check(&[loyal], &[], None);
        check(&[loyal], &[("2026-11-30", "999.99")], None);
        check(&[loyal], &[("2026-11-01", "400"), ("2026-11-30", "600")], Some("2"));
        // The thirtieth day back counts, the thirty-first does not.
        check(&[loyal], &[("2026-10-31", "600"), ("2026-11-30", "600")], None);
        check(&[loyal], &[("2026-11-20", "4999.99"), ("2026-11-21", "0.01")], Some("5"));
        // What is invoiced on a later day does not count yet.
        check(&[loyal], &[("2026-12-01", "9000")], None);
        let often = "orders 10 2:1 4:3.5";
        let daily = [("2026-11-21", "1"), ("2026-11-22", "1"), ("2026-11-29", "1")];
        check(&[often], &daily, Some("1"));
        check(&[often], &daily[..1], None);
        // Kinds are added; of a kind the most specific audience's alone counts.
        check(&[loyal, often], &[("2026-11-29", "500"), ("2026-11-30", "500")], Some("3"));
        check(&[loyal, "turnover 30 1:90"], &[("2026-11-29", "500")], None);
        check(&["turnover 30 1:90", "orders 9 1:90"], &[("2026-11-29", "500")], Some("100"));
    }

    #[test]
    fn is_offered_replaced_and_ended() {
        let audience = Audience::Everyone;
        let offer = |text: &str| Command::Offer {
            audience: Audience::Everyone,
            programme: programme(text),
        };
        let offered =
            |text: &str| Event::Offered { audience: audience.clone(), programme: programme(text) };
        let (one, two) = ("orders 30 4:1", "orders 30 4:2");
        for (given, when, then) in [
            (vec![], offer(one), Ok(vec![offered(one)])),
            (vec![offered(one)], offer(one), Ok(vec![])),
            (vec![offered(one)], offer(two), Ok(vec![offered(two)])),
            (vec![offered(one)], Command::End, Ok(vec![Event::Ended {}])),
            (vec![offered(one), Event::Ended {}], offer(one), Ok(vec![offered(one)])),
            (vec![offered(one), Event::Ended {}], Command::End, Ok(vec![])),
            (vec![], Command::End, Err(Error::Unoffered)),
            (vec![], offer("orders 0 4:1"), Err(Error::Days)),
            (vec![], offer("orders 1097 4:1"), Err(Error::Days)),
            (vec![], offer("orders 30"), Err(Error::Tiers)),
            (vec![], offer("orders 30 4:1 4:2"), Err(Error::TierTwice)),
            (vec![], offer("turnover 30 0:1"), Err(Error::Sums)),
        ] {
            assert_eq!(answer::<Discount>(&given, when), then);
        }
    }
}
