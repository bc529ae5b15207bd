//! Prices: the price rules of one audience for one selection in one currency. All rules that could
//! have equal rank are in one stream, so that the second of two is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    kernel::{
        AgreementId, CompanyId, Currency, OfCompany, Percent, PriceId, Quantity, Selection,
        UnitPrice,
        aggregate::aggregate,
        day::{self, DayError},
        refusal::refusals,
    },
    parties::Audience,
};

/// The rules, in the order of their agreements and days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Price {
    rules: Vec<Rule>,
}

/// A rule of one agreement, valid on some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// By which agreement.
    pub agreement: AgreementId,
    /// On which days.
    pub days: Days,
    /// What is paid from each quantity on, in the order of quantities.
    pub breaks: Vec<Break>,
}

/// Some days: from the first to the last, both included; without one of them there is no end.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Validity")]
pub struct Days {
    /// The first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<Date>,
    /// The last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub until: Option<Date>,
}

/// What is paid from a quantity on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PriceBreak")]
pub struct Break {
    /// The least quantity, in the product's units; missing is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Quantity>,
    /// What is paid for one unit.
    pub value: Value,
}

/// What is paid for one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "PriceValue")]
pub enum Value {
    /// So much.
    Fixed {
        /// Net.
        price: UnitPrice,
    },
    /// The base price less a share of it.
    PercentOff {
        /// The share.
        percent: Percent,
    },
    /// The base price less an amount, at least nothing.
    AmountOff {
        /// The amount.
        amount: UnitPrice,
    },
}

/// The commands.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Set a rule; one of the same agreement and days is replaced.
    Agree {
        /// The subject of the stream.
        of: Subject,
        /// The rule.
        rule: Rule,
        /// Those agreements of the stream whose rules never have equal rank: ended ones, and
        /// promotions if this one is not a promotion, or vice versa.
        aside: BTreeSet<AgreementId>,
    },
    /// Remove the rules of an agreement.
    Withdraw {
        /// The subject of the stream.
        of: Subject,
        /// Whose rules.
        agreement: AgreementId,
    },
}

/// For whom, of what, in which currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PriceSubject")]
pub struct Subject {
    /// For whom.
    pub audience: Audience,
    /// Of what.
    pub selection: Selection,
    /// In which currency.
    pub currency: Currency,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A rule was agreed on; it replaces one of the same agreement and days.
    Agreed {
        /// For whom, of what, in which currency.
        of: Subject,
        /// By which agreement.
        agreement: AgreementId,
        /// On which days.
        #[serde(default)]
        days: Days,
        /// What is paid from each quantity on, in the order of quantities.
        breaks: Vec<Break>,
    },
    /// An agreement's rules were taken back.
    Withdrawn {
        /// For whom, of what, in which currency.
        of: Subject,
        /// By which agreement.
        agreement: AgreementId,
    },
}

aggregate!(Price, "price", {
    Agreed => "agreed" v 1,
    Withdrawn => "withdrawn" v 1,
});

/// Why a rule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The rule overlaps with another of equal rank.
    #[error("the agreement {other} has a price of equal rank on some of these days")]
    EqualRank {
        /// The agreement of the other rule.
        other: AgreementId,
    },
    /// The number of quantity breaks is out of range.
    #[error("a price has between 1 and {} quantity breaks", Price::MOST_BREAKS)]
    Breaks,
    /// Two quantity breaks have the same quantity.
    #[error("two quantity breaks begin at the same quantity")]
    BreakTwice,
    /// The last day is before the first.
    #[error("a price does not end before it begins")]
    EndsBeforeItBegins,
    /// Too many rules for one audience and selection.
    #[error("a product has at most {} prices for one audience", Price::MOST_RULES)]
    TooManyRules,
    /// The day is outside the supported range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    EqualRank => ("price.equal_rank", State),
    Breaks => ("price.breaks_invalid", Invalid),
    BreakTwice => ("price.break_twice", Invalid),
    EndsBeforeItBegins => ("price.ends_before_it_begins", Invalid),
    TooManyRules => ("price.too_many_rules", State),
    Day => ("day.out_of_range", Invalid),
});

impl Price {
    /// The most quantity breaks of a rule.
    pub const MOST_BREAKS: usize = 20;
    /// The most rules of an audience for one selection.
    pub const MOST_RULES: usize = 500;

    /// Every rule of prices.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Agree { of, rule, aside } => {
                let rule = rule.checked()?;
                if self.rules.contains(&rule) {
                    return Ok(vec![]);
                }
                let in_the_way = |other: &&Rule| {
                    !other.is_for(&rule)
                        && !aside.contains(&other.agreement)
                        && other.days.meet(rule.days)
                };
                if let Some(other) = self.rules.iter().find(in_the_way) {
                    return Err(Error::EqualRank { other: other.agreement });
                }
                if self.rules.len() >= Self::MOST_RULES {
                    return Err(Error::TooManyRules);
                }
                let Rule { agreement, days, breaks } = rule;
                Ok(vec![Event::Agreed { of, agreement, days, breaks }])
            }
            Command::Withdraw { of, agreement } => {
                let has = self.rules.iter().any(|rule| rule.agreement == agreement);
                Ok(if has { vec![Event::Withdrawn { of, agreement }] } else { vec![] })
            }
        }
    }

    fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::Agreed { agreement, days, breaks, .. } => {
                let rule = Rule { agreement, days, breaks };
                self.rules.retain(|other| !other.is_for(&rule));
                self.rules.push(rule);
                self.rules.sort_by_key(|rule| (rule.agreement, rule.days));
            }
            Event::Withdrawn { agreement, .. } => {
                self.rules.retain(|rule| rule.agreement != agreement);
            }
        }
        self
    }

    /// The rules, of ended agreements too.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The agreements that have a rule here.
    pub fn agreements(&self) -> impl Iterator<Item = AgreementId> {
        self.rules.iter().map(|rule| rule.agreement)
    }
}

impl Rule {
    /// The same with its breaks in order.
    fn checked(mut self) -> Result<Self, Error> {
        [self.days.from, self.days.until].into_iter().flatten().try_for_each(|on| {
            day::checked(on)?;
            Ok::<_, Error>(())
        })?;
        if matches!((self.days.from, self.days.until), (Some(from), Some(until)) if until < from) {
            return Err(Error::EndsBeforeItBegins);
        }
        if self.breaks.is_empty() || self.breaks.len() > Price::MOST_BREAKS {
            return Err(Error::Breaks);
        }
        let at: BTreeMap<Option<Quantity>, Break> =
            self.breaks.iter().map(|each| (each.at_least, each.clone())).collect();
        if at.len() < self.breaks.len() {
            return Err(Error::BreakTwice);
        }
        self.breaks = at.into_values().collect();
        Ok(self)
    }

    /// Whether it is about the same agreement and days.
    fn is_for(&self, other: &Self) -> bool {
        self.agreement == other.agreement && self.days == other.days
    }

    /// The highest break that a quantity reaches.
    pub fn reached(&self, quantity: Quantity) -> Option<&Break> {
        let reached = |each: &&Break| each.at_least.is_none_or(|least| least <= quantity);
        self.breaks.iter().rev().find(reached)
    }
}

impl Days {
    /// Whether it includes a day.
    pub fn contain(self, on: Date) -> bool {
        self.from.is_none_or(|from| from <= on) && self.until.is_none_or(|until| on <= until)
    }

    /// Whether they overlap.
    pub fn meet(self, other: Self) -> bool {
        let before =
            |a: Self, b: Self| matches!((a.until, b.from), (Some(end), Some(begin)) if end < begin);
        !before(self, other) && !before(other, self)
    }

    /// The overlap with another period; `None` if there is none.
    pub fn within(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        let empty = matches!((from, until), (Some(from), Some(until)) if until < from);
        (!empty).then_some(Self { from, until })
    }
}

impl PriceId {
    /// The prices of a subject: one stream each.
    pub fn of(subject: &Subject) -> Self {
        /// Separates these from other name-based UUIDs: a random constant.
        const NAMESPACE: Uuid = Uuid::from_u128(0x2c7d_a1e5_38b4_4f06_9d4b_e6f0_1a95_83c7);
        let selection = match subject.selection {
            Selection::Everything => "everything".to_owned(),
            Selection::Category { category } => format!("category:{category}"),
            Selection::Product { product } => format!("product:{product}"),
        };
        // A group's code may hold anything but a line break.
        let name = format!("{selection}\n{}\n{}", subject.currency.code(), subject.audience.key());
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

impl OfCompany for Price {
    fn company(&self) -> Option<CompanyId> {
        // A company sees its prices, not their making.
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::{answer, day},
        kernel::ProductId,
    };

    fn subject() -> Subject {
        let product = ProductId(Uuid::from_u128(9));
        let selection = Selection::Product { product };
        Subject { audience: Audience::Everyone, selection, currency: Currency::Pln }
    }

    fn agreement(number: u128) -> AgreementId {
        AgreementId(Uuid::from_u128(number))
    }

    /// `..`, `2027-01-01..`, `2027-01-01..2027-12-31`.
    fn days(text: &str) -> Days {
        let (from, until) = text.split_once("..").unwrap();
        let one = |text: &str| (!text.is_empty()).then(|| day(text));
        Days { from: one(from), until: one(until) }
    }

    fn rule(number: u128, on: &str, breaks: &[(&str, &str)]) -> Rule {
        let breaks = breaks.iter().map(|(at_least, price)| Break {
            at_least: at_least.parse().ok(),
            value: Value::Fixed { price: price.parse().unwrap() },
        });
        Rule { agreement: agreement(number), days: days(on), breaks: breaks.collect() }
    }

    fn agreed(Rule { agreement, days, breaks }: Rule) -> Event {
        Event::Agreed { of: subject(), agreement, days, breaks }
    }

    #[track_caller]
    fn check(given: &[Rule], when: Rule, aside: &[u128], then: Result<&[Rule], Error>) {
        let given: Vec<Event> = given.iter().cloned().map(agreed).collect();
        let aside = aside.iter().copied().map(agreement).collect();
        let answered = answer::<Price>(&given, Command::Agree { of: subject(), rule: when, aside });
        assert_eq!(answered, then.map(|rules| rules.iter().cloned().map(agreed).collect()));
    }

    #[test]
    fn the_second_of_two_rules_of_equal_rank_is_refused() {
        let price = |number, on| rule(number, on, &[("", "2.00")]);
        let refused = || Err(Error::EqualRank { other: agreement(1) });
        let open = [price(1, "..")];
        check(&[], price(1, ".."), &[], Ok(&open));
        check(&open, price(1, ".."), &[], Ok(&[]));
        check(&open, price(2, ".."), &[], refused());
        check(&open, price(2, ".."), &[1], Ok(&[price(2, "..")]));
        check(&open, price(1, "2027-01-01.."), &[], refused());
        let other = rule(1, "..", &[("", "1.90")]);
        check(&open, other.clone(), &[], Ok(&[other]));
        let year = price(1, "2027-01-01..2027-12-31");
        for (on, meets) in [
            ("2026-01-01..2026-12-31", false),
            ("2028-01-01..", false),
            ("2027-12-31..", true),
            ("..2027-01-01", true),
            ("2027-03-01..2027-04-01", true),
        ] {
            let second = price(2, on);
            let then = if meets { refused() } else { Ok(std::slice::from_ref(&second)) };
            check(std::slice::from_ref(&year), second.clone(), &[], then);
        }
    }

    #[test]
    fn breaks_are_put_in_order() {
        let mixed = rule(1, "..", &[("100", "1.50"), ("", "2.00"), ("10", "1.80")]);
        let sorted = rule(1, "..", &[("", "2.00"), ("10", "1.80"), ("100", "1.50")]);
        check(&[], mixed, &[], Ok(std::slice::from_ref(&sorted)));
        let price = |quantity: &str| {
            let reached = sorted.reached(quantity.parse().unwrap()).unwrap();
            reached.at_least.map(|least| least.to_string())
        };
        assert_eq!(price("9.999"), None);
        assert_eq!(price("10").as_deref(), Some("10"));
        assert_eq!(price("99").as_deref(), Some("10"));
        assert_eq!(price("5000").as_deref(), Some("100"));
        check(&[], rule(1, "..", &[("5", "1"), ("5.0", "2")]), &[], Err(Error::BreakTwice));
        check(&[], rule(1, "..", &[]), &[], Err(Error::Breaks));
        let backwards = rule(1, "2027-02-01..2027-01-01", &[("", "1")]);
        check(&[], backwards, &[], Err(Error::EndsBeforeItBegins));
    }

    #[test]
    fn an_agreement_takes_its_rules_back() {
        let given = [agreed(rule(1, "..", &[("", "2")]))];
        let withdraw = |number| Command::Withdraw { of: subject(), agreement: agreement(number) };
        let withdrawn = Event::Withdrawn { of: subject(), agreement: agreement(1) };
        assert_eq!(answer::<Price>(&given, withdraw(1)), Ok(vec![withdrawn.clone()]));
        assert_eq!(answer::<Price>(&given, withdraw(2)), Ok(vec![]));
        let given = [given[0].clone(), withdrawn];
        assert_eq!(answer::<Price>(&given, withdraw(1)), Ok(vec![]));
    }
}
