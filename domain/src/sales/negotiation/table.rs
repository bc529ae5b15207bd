//! What is on the table: each line of the offer and the conditions, as the side that spoke of it
//! last wants it, and what of it both have agreed on.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::{
    kernel::{
        Lines, day,
        numbered::{self, Numbered},
    },
    parties::Side,
    sales::{
        offer::{Choice, OfferedLine},
        terms::Conditions,
    },
};

/// What is talked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NegotiationTerms")]
pub struct Table {
    /// The lines, by their number in the revision that is talked about.
    #[serde(with = "numbered")]
    #[schemars(with = "Vec<Numbered<Point<Item>>>")]
    pub lines: BTreeMap<u32, Point<Item>>,
    /// The conditions of the whole.
    pub conditions: Point<Conditions>,
}

/// Something that both must agree on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Point")]
pub struct Point<T> {
    /// As it was proposed last.
    pub proposed: T,
    /// Who proposed it.
    pub by: Side,
    /// Whether the other side has agreed: then it stays unless both want to talk about it again.
    pub agreed: bool,
    /// Who wants to talk about it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopening: Option<Side>,
}

/// A line as one side wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "NegotiationLine")]
pub enum Item {
    /// Like this.
    Line {
        /// How much of what at which price, perhaps of something else than was offered.
        line: Box<OfferedLine>,
    },
    /// Not at all.
    Dropped {},
}

/// What one side says to a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "{T}Move")]
pub enum Move<T> {
    /// Yes, as the other side proposed it.
    Agree {},
    /// Rather like this.
    Propose {
        /// How.
        proposed: T,
    },
}

/// What one side says in a round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NegotiationMoves")]
pub struct Moves {
    /// Of lines, by number; of those that are not named it says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "numbered")]
    #[schemars(with = "Vec<Numbered<Move<Item>>>")]
    pub lines: BTreeMap<u32, Move<Item>>,
    /// Of the conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Move<Conditions>>,
}

/// A point by its name.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "NegotiationTopic")]
pub enum Topic {
    /// A line.
    Line {
        /// Its number in the revision that is talked about.
        line: u32,
    },
    /// What holds for all lines.
    Conditions {},
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line { line } => write!(f, "line {line}"),
            Self::Conditions {} => f.write_str("the conditions"),
        }
    }
}

/// What has become of a point between two rounds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "NegotiationDifference")]
pub enum Difference {
    /// Of a line.
    Line {
        /// Its number.
        line: u32,
        /// How it stood.
        before: Box<Point<Item>>,
        /// How it stands.
        after: Box<Point<Item>>,
    },
    /// Of the conditions.
    Conditions {
        /// How they stood.
        before: Box<Point<Conditions>>,
        /// How they stand.
        after: Box<Point<Conditions>>,
    },
}

impl<T: Clone + PartialEq> Point<T> {
    fn offered(proposed: T) -> Self {
        Self { proposed, by: Side::Seller, agreed: false, reopening: None }
    }

    /// The point after one side has spoken of it. To propose what the other side wants is to agree
    /// to it.
    fn after(&self, topic: Topic, side: Side, said: &Move<T>) -> Result<Self, Error> {
        let other = match said {
            Move::Propose { proposed } if *proposed != self.proposed => proposed,
            Move::Propose { .. } | Move::Agree {} if self.agreed => return Ok(self.clone()),
            Move::Propose { .. } | Move::Agree {} if self.by != side => {
                return Ok(Self { agreed: true, ..self.clone() });
            }
            Move::Propose { .. } => return Ok(self.clone()),
            Move::Agree {} => return Err(Error::OwnProposal { topic }),
        };
        if self.agreed {
            return Err(Error::Agreed { topic });
        }
        Ok(Self { proposed: other.clone(), by: side, agreed: false, reopening: None })
    }

    /// The point after a side asked to reopen it: open once both did.
    fn reopened(&self, topic: Topic, side: Side) -> Result<Self, Error> {
        match (self.agreed, self.reopening) {
            (false, _) => Err(Error::NotAgreed { topic }),
            (true, Some(other)) if other != side => {
                Ok(Self { agreed: false, reopening: None, ..self.clone() })
            }
            (true, _) => Ok(Self { reopening: Some(side), ..self.clone() }),
        }
    }
}

impl Item {
    /// The line, unless it was dropped.
    pub fn line(&self) -> Option<&OfferedLine> {
        match self {
            Self::Line { line } => Some(line),
            Self::Dropped {} => None,
        }
    }
}

impl Table {
    /// As the seller laid it with a revision of its offer.
    pub fn laid(lines: &Lines<OfferedLine>, conditions: Conditions) -> Self {
        let item = |line: &OfferedLine| Item::Line { line: Box::new(line.clone()) };
        let points = lines.numbered().map(|(number, line)| (number, Point::offered(item(line))));
        Self { lines: points.collect(), conditions: Point::offered(conditions) }
    }

    /// The table after one side has spoken; it must say something.
    pub fn after(&self, side: Side, moves: &Moves) -> Result<Self, Error> {
        let mut table = self.clone();
        for (&line, said) in &moves.lines {
            let point = table.lines.get_mut(&line).ok_or(Error::NoSuchLine { line })?;
            if let Move::Propose { proposed: Item::Line { line } } = said {
                line.line.deliver_on.map(day::checked).transpose()?;
            }
            *point = point.after(Topic::Line { line }, side, said)?;
        }
        if let Some(said) = &moves.conditions {
            table.conditions = table.conditions.after(Topic::Conditions {}, side, said)?;
        }
        if table == *self {
            return Err(Error::NothingSaid);
        }
        if table.lines.values().all(|point| point.proposed.line().is_none()) {
            return Err(Error::NothingLeft);
        }
        Ok(table)
    }

    /// The table after one side asked to reopen points.
    pub fn reopened(&self, side: Side, topics: &BTreeSet<Topic>) -> Result<Self, Error> {
        let mut table = self.clone();
        for &topic in topics {
            match topic {
                Topic::Line { line } => {
                    let point = table.lines.get_mut(&line).ok_or(Error::NoSuchLine { line })?;
                    *point = point.reopened(topic, side)?;
                }
                Topic::Conditions {} => {
                    table.conditions = table.conditions.reopened(topic, side)?;
                }
            }
        }
        Ok(table)
    }

    /// The side that asked to reopen a point.
    pub fn reopening(&self, topic: Topic) -> Option<Side> {
        match topic {
            Topic::Line { line } => self.lines.get(&line)?.reopening,
            Topic::Conditions {} => self.conditions.reopening,
        }
    }

    /// Whether both have agreed on everything.
    pub fn is_agreed(&self) -> bool {
        self.conditions.agreed && self.lines.values().all(|point| point.agreed)
    }

    /// What one side says when it agrees to all that the other proposed last.
    pub fn agreement(&self, side: Side) -> Moves {
        let open = self.lines.iter().filter(|(_, point)| !point.agreed && point.by != side);
        let conditions = &self.conditions;
        Moves {
            lines: open.map(|(number, _)| (*number, Move::Agree {})).collect(),
            conditions: (!conditions.agreed && conditions.by != side).then_some(Move::Agree {}),
        }
    }

    /// The lines that are not dropped, numbered anew: alternatives follow the lines that they are
    /// to, and are optional where those were dropped.
    pub fn kept(&self) -> Option<Lines<OfferedLine>> {
        let kept = || self.lines.iter().filter_map(|(&n, point)| Some((n, point.proposed.line()?)));
        let numbers: BTreeMap<u32, u32> =
            (1..).zip(kept()).map(|(new, (old, _))| (old, new)).collect();
        let renumbered = |line: &OfferedLine| {
            let choice = match line.choice {
                Choice::Alternative { to } => match numbers.get(&to) {
                    Some(&to) => Choice::Alternative { to },
                    None => Choice::Optional,
                },
                choice @ (Choice::Needed | Choice::Optional) => choice,
            };
            OfferedLine { choice, ..line.clone() }
        };
        Lines::try_from(kept().map(|(_, line)| renumbered(line)).collect::<Vec<_>>()).ok()
    }

    /// What has become of this table in another.
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let lines = self.lines.iter().zip(after.lines.values());
        let of_lines =
            lines.filter(|((_, before), after)| before != after).map(|((&line, before), after)| {
                let (before, after) = (Box::new(before.clone()), Box::new(after.clone()));
                Difference::Line { line, before, after }
            });
        let of_conditions = (self.conditions != after.conditions).then(|| {
            let (before, after) = (self.conditions.clone(), after.conditions.clone());
            Difference::Conditions { before: Box::new(before), after: Box::new(after) }
        });
        of_lines.chain(of_conditions).collect()
    }
}
