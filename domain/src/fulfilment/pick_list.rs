//! A pick list: lines of confirmed orders that somebody takes from the shelves of a warehouse. Its
//! quantities are taken on by [`Picking`](super::Picking) of each order in the same append.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        CompanyId, Lines, Name, Note, OfCompany, OrderId, ProductId, Quantity, Reference, Sku,
        aggregate::aggregate, refusal::refusals,
    },
    sales::order::Item,
};

/// The state of a pick list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum PickList {
    /// Nothing yet.
    #[default]
    Uncreated,
    /// Its lines are being picked.
    Open {
        /// What is to be picked, by line number.
        lines: Vec<Wanted>,
        /// What was reported, by line number.
        #[serde(with = "crate::kernel::numbered")]
        picked: BTreeMap<u32, Pick>,
    },
    /// All its lines were reported.
    Completed,
    /// It ended before; nothing of it was picked.
    Cancelled,
}

/// So much of one line of an order is to be picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Of which order.
    pub order: OrderId,
    /// Which line of it, and how much.
    pub item: Item,
}

/// One line of a pick list; its number is its place, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PickListLine")]
pub struct Line {
    /// Of which order.
    pub order: OrderId,
    /// Which line of the order, counted from 1.
    pub order_line: u32,
    /// What is to be picked.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// Its name.
    pub name: Name,
    /// How much of it.
    pub quantity: Quantity,
}

/// Where and when the list is picked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PickListHeader")]
pub struct Header {
    /// The warehouse, by its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<Reference>,
    /// The wave: lists that are picked at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<Reference>,
    /// The route on which the goods are delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Reference>,
}

/// What was found of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PickedLine")]
pub struct Pick {
    /// The number of the line of the pick list, counted from 1.
    pub line: u32,
    /// How much was picked; missing where nothing was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Why it is less than wanted; only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<ShortReason>,
    /// What the picker says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Why less was picked than wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ShortPickReason")]
pub enum ShortReason {
    /// There is not enough on the shelf.
    NotFound,
    /// The goods are damaged.
    Damaged,
    /// The goods are past their date.
    Expired,
    /// Another reason; the note says which.
    Other,
}

/// The commands of a pick list.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Create it.
    Create {
        /// Where and when it is picked.
        header: Header,
        /// Its lines, in any order.
        lines: Vec<Line>,
    },
    /// Report lines; a line may be reported again until the list is completed.
    Pick {
        /// The lines.
        picks: Vec<Pick>,
    },
    /// Complete it.
    Complete,
    /// Cancel it; nothing of it counts as picked.
    Cancel {
        /// Why.
        reason: Option<Note>,
    },
}

/// What happened to a pick list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was created.
    Created {
        /// Where and when it is picked.
        header: Header,
        /// Its lines, sorted by SKU.
        lines: Vec<Line>,
    },
    /// Lines were reported.
    Picked {
        /// The lines.
        picks: Vec<Pick>,
    },
    /// All lines were reported, and the goods are ready to be packed.
    Completed {},
    /// It was cancelled.
    Cancelled {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
}

aggregate!(PickList, "pick_list", {
    Created => "created" v 1,
    Picked => "picked" v 1,
    Completed => "completed" v 1,
    Cancelled => "cancelled" v 1,
});

/// Why a pick list refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such list.
    #[error("there is no such pick list")]
    Uncreated,
    /// The id belongs to a list already.
    #[error("the pick list was already created")]
    AlreadyCreated,
    /// A list of nothing.
    #[error("nothing of these orders is to be picked")]
    NoLines,
    /// More than one list may hold.
    #[error("a pick list has at most {} lines of {} orders", Lines::MAX, PickList::MOST_ORDERS)]
    TooManyLines,
    /// A line of an order is named twice.
    #[error("line {line} of order {order} is named twice")]
    NamedTwice {
        /// The order.
        order: OrderId,
        /// The line's number.
        line: u32,
    },
    /// It was completed.
    #[error("the pick list is completed")]
    Completed,
    /// It was cancelled.
    #[error("the pick list is cancelled")]
    Cancelled,
    /// Nothing is reported.
    #[error("at least one line is reported")]
    NoPicks,
    /// A line is reported twice at once.
    #[error("a line is named twice")]
    PickNamedTwice {
        /// The index of the second one, counted from 0.
        index: usize,
    },
    /// The list has no such line.
    #[error("the pick list has no such line")]
    NoSuchLine {
        /// The index of the pick, counted from 0.
        index: usize,
    },
    /// More than wanted.
    #[error("only {wanted} of this line is to be picked")]
    TooMuch {
        /// The index of the pick, counted from 0.
        index: usize,
        /// What is to be picked.
        wanted: Quantity,
    },
    /// Less than wanted needs a reason, all of it has none.
    #[error("a reason is given where less is picked than wanted, and only there")]
    Reason {
        /// The index of the pick, counted from 0.
        index: usize,
    },
    /// Lines were not reported.
    #[error("line {line} of the pick list was not reported")]
    Unreported {
        /// The first of them, counted from 1.
        line: u32,
    },
}

refusals!(Error, {
    Uncreated => ("pick_list.uncreated", Missing),
    AlreadyCreated => ("pick_list.already_created", State),
    NoLines => ("pick_list.no_lines", State),
    TooManyLines => ("pick_list.too_many_lines", Invalid),
    NamedTwice => ("pick_list.line_named_twice", Invalid),
    Completed => ("pick_list.completed", State),
    Cancelled => ("pick_list.cancelled", State),
    NoPicks => ("pick_list.no_picks", Invalid),
    PickNamedTwice => ("pick_list.pick_named_twice", Invalid),
    NoSuchLine => ("pick_list.no_such_line", Invalid),
    TooMuch => ("pick_list.too_much", Invalid),
    Reason => ("pick_list.reason", Invalid),
    Unreported => ("pick_list.unreported", State),
});

impl PickList {
    /// The most orders of one list.
    pub const MOST_ORDERS: usize = 200;

    /// Every rule of a pick list.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Create { header, lines } => match self {
                Self::Uncreated => Ok(vec![Event::Created { header, lines: sorted(lines)? }]),
                Self::Open { .. } | Self::Completed | Self::Cancelled => Err(Error::AlreadyCreated),
            },
            Command::Pick { picks } => {
                let (lines, picked) = self.open()?;
                check(lines, &picks)?;
                let is_known = |pick: &Pick| picked.get(&pick.line) == Some(pick);
                if picks.iter().all(is_known) {
                    return Ok(vec![]);
                }
                Ok(vec![Event::Picked { picks }])
            }
            Command::Complete => match self {
                Self::Completed => Ok(vec![]),
                Self::Uncreated | Self::Open { .. } | Self::Cancelled => {
                    let (lines, picked) = self.open()?;
                    let unreported =
                        (1..).zip(lines).find(|(number, _)| !picked.contains_key(number));
                    match unreported {
                        Some((line, _)) => Err(Error::Unreported { line }),
                        None => Ok(vec![Event::Completed {}]),
                    }
                }
            },
            Command::Cancel { reason } => match self {
                Self::Cancelled => Ok(vec![]),
                Self::Uncreated | Self::Open { .. } | Self::Completed => {
                    self.open()?;
                    Ok(vec![Event::Cancelled { reason }])
                }
            },
        }
    }

    fn open(&self) -> Result<(&[Wanted], &BTreeMap<u32, Pick>), Error> {
        match self {
            Self::Uncreated => Err(Error::Uncreated),
            Self::Open { lines, picked } => Ok((lines, picked)),
            Self::Completed => Err(Error::Completed),
            Self::Cancelled => Err(Error::Cancelled),
        }
    }

    /// The orders of an open list, with what was picked of each so far.
    pub fn picked(&self) -> BTreeMap<OrderId, Vec<Item>> {
        let Ok((lines, picked)) = self.open() else { return BTreeMap::new() };
        let mut orders: BTreeMap<OrderId, Vec<Item>> = BTreeMap::new();
        for (number, Wanted { order, item }) in (1..).zip(lines) {
            let items = orders.entry(*order).or_default();
            if let Some(quantity) = picked.get(&number).and_then(|pick| pick.quantity) {
                items.push(Item { quantity, ..*item });
            }
        }
        orders
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Created { lines, .. }) => {
                let wanted = |line: Line| {
                    let item = Item { line: line.order_line, quantity: line.quantity };
                    Wanted { order: line.order, item }
                };
                let lines = lines.into_iter().map(wanted).collect();
                Self::Open { lines, picked: BTreeMap::new() }
            }
            (Self::Open { lines, mut picked }, Event::Picked { picks }) => {
                picked.extend(picks.into_iter().map(|pick| (pick.line, pick)));
                Self::Open { lines, picked }
            }
            (Self::Open { .. }, Event::Completed {}) => Self::Completed,
            (Self::Open { .. }, Event::Cancelled { .. }) => Self::Cancelled,
            // `decide` writes none of these; a state that they cannot change stays as it is.
            (list, Event::Picked { .. } | Event::Completed {} | Event::Cancelled { .. }) => list,
        }
    }
}

/// Lines in the order in which they are picked, each line of an order once.
fn sorted(mut lines: Vec<Line>) -> Result<Vec<Line>, Error> {
    if lines.is_empty() {
        return Err(Error::NoLines);
    }
    let orders: BTreeSet<OrderId> = lines.iter().map(|line| line.order).collect();
    if lines.len() > Lines::MAX || orders.len() > PickList::MOST_ORDERS {
        return Err(Error::TooManyLines);
    }
    let mut named = BTreeSet::new();
    if let Some(again) = lines.iter().find(|line| !named.insert((line.order, line.order_line))) {
        return Err(Error::NamedTwice { order: again.order, line: again.order_line });
    }
    lines.sort_by(|one, other| {
        let key = |line: &Line| (line.order, line.order_line);
        one.sku.cmp(&other.sku).then_with(|| key(one).cmp(&key(other)))
    });
    Ok(lines)
}

fn check(lines: &[Wanted], picks: &[Pick]) -> Result<(), Error> {
    if picks.is_empty() {
        return Err(Error::NoPicks);
    }
    let mut named = BTreeSet::new();
    for (index, pick) in picks.iter().enumerate() {
        if !named.insert(pick.line) {
            return Err(Error::PickNamedTwice { index });
        }
        let place = usize::try_from(pick.line).ok().and_then(|line| line.checked_sub(1));
        let line = place.and_then(|place| lines.get(place)).ok_or(Error::NoSuchLine { index })?;
        let wanted = line.item.quantity;
        if pick.quantity.is_some_and(|quantity| quantity > wanted) {
            return Err(Error::TooMuch { index, wanted });
        }
        let is_short = pick.quantity != Some(wanted);
        if is_short != pick.short.is_some() {
            return Err(Error::Reason { index });
        }
    }
    Ok(())
}

impl OfCompany for PickList {
    /// A list has orders of several companies; it is the seller's.
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::answer;

    fn line(order: u128, number: u32, sku: &str, quantity: &str) -> Line {
        Line {
            order: OrderId(Uuid::from_u128(order)),
            order_line: number,
            product: ProductId(Uuid::from_u128(9)),
            sku: sku.parse().unwrap(),
            name: "Kawa".parse().unwrap(),
            quantity: quantity.parse().unwrap(),
        }
    }

    fn created() -> Event {
        let lines = vec![line(2, 1, "A-1", "4"), line(1, 1, "B-1", "10"), line(1, 2, "B-2", "5")];
        Event::Created { header: Header::default(), lines }
    }

    fn pick(line: u32, quantity: &str) -> Pick {
        Pick { line, quantity: Some(quantity.parse().unwrap()), short: None, note: None }
    }

    fn short(line: u32, quantity: Option<&str>) -> Pick {
        let quantity = quantity.map(|quantity| quantity.parse().unwrap());
        Pick { line, quantity, short: Some(ShortReason::NotFound), note: None }
    }

    fn report(picks: Vec<Pick>) -> Command {
        Command::Pick { picks }
    }

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<PickList>(given, when), then);
    }

    #[test]
    fn lines_are_sorted_by_sku_and_named_once() {
        let create = |lines: Vec<Line>| Command::Create { header: Header::default(), lines };
        let lines = vec![line(1, 2, "B-2", "5"), line(1, 1, "B-1", "10"), line(2, 1, "A-1", "4")];
        check(&[], create(lines.clone()), Ok(vec![created()]));
        check(&[created()], create(lines), Err(Error::AlreadyCreated));
        check(&[], create(vec![]), Err(Error::NoLines));
        let twice = vec![line(1, 1, "A", "1"), line(1, 1, "A", "1")];
        let order = OrderId(Uuid::from_u128(1));
        check(&[], create(twice), Err(Error::NamedTwice { order, line: 1 }));
        let many = (1..=201).map(|order| line(order, 1, "A", "1")).collect();
        check(&[], create(many), Err(Error::TooManyLines));
    }

    #[test]
    fn a_short_pick_has_a_reason() {
        let picks = vec![pick(1, "4"), short(2, Some("9")), short(3, None)];
        let picked = Event::Picked { picks: picks.clone() };
        check(&[created()], report(picks.clone()), Ok(vec![picked.clone()]));
        check(&[created(), picked], report(picks), Ok(vec![]));
        let unexplained = Pick { quantity: None, ..pick(1, "4") };
        check(&[created()], report(vec![unexplained]), Err(Error::Reason { index: 0 }));
        let needless = short(1, Some("4"));
        check(&[created()], report(vec![needless]), Err(Error::Reason { index: 0 }));
        let wanted = "4".parse().unwrap();
        let much = report(vec![pick(1, "5")]);
        check(&[created()], much, Err(Error::TooMuch { index: 0, wanted }));
        check(&[created()], report(vec![pick(4, "1")]), Err(Error::NoSuchLine { index: 0 }));
        check(&[created()], report(vec![pick(0, "1")]), Err(Error::NoSuchLine { index: 0 }));
        let twice = report(vec![pick(1, "4"), pick(1, "4")]);
        check(&[created()], twice, Err(Error::PickNamedTwice { index: 1 }));
        check(&[created()], report(vec![]), Err(Error::NoPicks));
        check(&[], report(vec![pick(1, "4")]), Err(Error::Uncreated));
    }

    #[test]
    fn is_completed_when_all_lines_are_reported() {
        let some = Event::Picked { picks: vec![pick(1, "4"), pick(2, "10")] };
        let rest = Event::Picked { picks: vec![short(3, None)] };
        let given = [created(), some.clone()];
        check(&given, Command::Complete, Err(Error::Unreported { line: 3 }));
        let given = [created(), some, rest];
        check(&given, Command::Complete, Ok(vec![Event::Completed {}]));
        let given = [given.as_slice(), &[Event::Completed {}]].concat();
        check(&given, Command::Complete, Ok(vec![]));
        check(&given, report(vec![pick(1, "4")]), Err(Error::Completed));
        check(&given, Command::Cancel { reason: None }, Err(Error::Completed));
    }

    #[test]
    fn is_cancelled_while_it_is_open() {
        let cancelled = Event::Cancelled { reason: None };
        let cancel = Command::Cancel { reason: None };
        check(&[created()], cancel.clone(), Ok(vec![cancelled.clone()]));
        check(&[created(), cancelled.clone()], cancel.clone(), Ok(vec![]));
        check(&[created(), cancelled], Command::Complete, Err(Error::Cancelled));
        check(&[], cancel, Err(Error::Uncreated));
    }
}
