//! An order: lines at fixed prices that one company wants, and what of them has left.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CompanyId, Currency, Line, Lines, Note, OfCompany, OfferId, PaymentTerm, Quantity, Reference,
    Refusal, RefusalKind, ShipmentId, aggregate::aggregate,
};

/// What decisions need to know of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Nothing yet.
    #[default]
    Unplaced,
    /// Wanted by the company, not yet promised by the seller.
    Placed(Terms),
    /// Promised; `outstanding` is what has not left yet, by line number.
    Confirmed {
        /// What was ordered.
        terms: Terms,
        /// Quantities still to leave, by line number.
        outstanding: BTreeMap<u32, Quantity>,
    },
    /// All of it has left.
    Shipped {
        /// Whose order it is.
        company: CompanyId,
    },
    /// It will not be filled.
    Cancelled {
        /// Whose order it was.
        company: CompanyId,
    },
}

/// What was ordered, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// By whom.
    pub company: CompanyId,
    /// In which currency.
    pub currency: Currency,
    /// What, how much, at which prices.
    pub lines: Lines,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// Where it came from.
    pub source: Source,
    /// The company's own number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// Where an order came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// Placed as such.
    Direct,
    /// An offer was accepted.
    Offer {
        /// Which one.
        offer: OfferId,
    },
}

/// So much of one line of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The line's number, counted from 1.
    pub line: u32,
    /// How much of it.
    pub quantity: Quantity,
}

/// What can be asked of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Ask for goods.
    Place {
        /// The whole order.
        terms: Terms,
        /// The day.
        on: Date,
    },
    /// Promise them.
    Confirm,
    /// Let go of what has not left.
    Cancel {
        /// Why.
        reason: Option<Note>,
    },
    /// Let goods leave.
    Ship {
        /// In which shipment.
        shipment: ShipmentId,
        /// What leaves; `None` is all that is outstanding.
        items: Option<Vec<Item>>,
    },
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The company asked for goods.
    Placed {
        /// The whole order.
        terms: Terms,
        /// The day.
        on: Date,
    },
    /// The seller promised them.
    Confirmed {},
    /// It will not be filled.
    Cancelled {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// Some of it left; more is outstanding.
    PartShipped {
        /// In which shipment.
        shipment: ShipmentId,
        /// What left.
        items: Vec<Item>,
    },
    /// The last of it left.
    Shipped {
        /// In which shipment.
        shipment: ShipmentId,
        /// What left with it.
        items: Vec<Item>,
    },
}

aggregate!(Order, "order", {
    Placed => "placed" v 1,
    Confirmed => "confirmed" v 1,
    Cancelled => "cancelled" v 1,
    PartShipped => "part_shipped" v 1,
    Shipped => "shipped" v 1,
});

/// Why an order refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such order.
    #[error("there is no such order")]
    Unplaced,
    /// The id belongs to an order already.
    #[error("the order was already placed")]
    AlreadyPlaced,
    /// Nothing leaves before the seller has promised it.
    #[error("the order is not confirmed")]
    NotConfirmed,
    /// It was cancelled.
    #[error("the order is cancelled")]
    Cancelled,
    /// Goods have left, so it cannot be cancelled as a whole.
    #[error("goods of the order have already left")]
    GoodsLeft,
    /// All of it has left.
    #[error("the order is already shipped")]
    AlreadyShipped,
    /// A shipment of nothing.
    #[error("a shipment needs at least one item")]
    NoItems,
    /// The line does not exist or has left already.
    #[error("line {line} has nothing outstanding")]
    NothingOutstanding {
        /// Its number.
        line: u32,
    },
    /// More than was ordered.
    #[error("line {line} has only {outstanding} outstanding")]
    TooMuch {
        /// Its number.
        line: u32,
        /// What may still leave.
        outstanding: Quantity,
    },
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Unplaced => "order.unplaced",
            Self::AlreadyPlaced => "order.already_placed",
            Self::NotConfirmed => "order.not_confirmed",
            Self::Cancelled => "order.cancelled",
            Self::GoodsLeft => "order.goods_left",
            Self::AlreadyShipped => "order.already_shipped",
            Self::NoItems => "order.no_items",
            Self::NothingOutstanding { .. } => "order.nothing_outstanding",
            Self::TooMuch { .. } => "order.too_much",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Unplaced => RefusalKind::Missing,
            Self::NoItems => RefusalKind::Invalid,
            Self::AlreadyPlaced
            | Self::NotConfirmed
            | Self::Cancelled
            | Self::GoodsLeft
            | Self::AlreadyShipped
            | Self::NothingOutstanding { .. }
            | Self::TooMuch { .. } => RefusalKind::State,
        }
    }
}

impl Order {
    /// Every rule of an order.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Place { terms, on } => match self {
                Self::Unplaced => Ok(vec![Event::Placed { terms, on }]),
                Self::Placed(_)
                | Self::Confirmed { .. }
                | Self::Shipped { .. }
                | Self::Cancelled { .. } => Err(Error::AlreadyPlaced),
            },
            Command::Confirm => match self {
                Self::Unplaced => Err(Error::Unplaced),
                Self::Placed(_) => Ok(vec![Event::Confirmed {}]),
                Self::Confirmed { .. } | Self::Shipped { .. } => Ok(vec![]),
                Self::Cancelled { .. } => Err(Error::Cancelled),
            },
            Command::Cancel { reason } => self.cancel(reason),
            Command::Ship { shipment, items } => self.ship(shipment, items),
        }
    }

    fn cancel(&self, reason: Option<Note>) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::Confirmed { terms, outstanding } if *outstanding != ordered(&terms.lines) => {
                Err(Error::GoodsLeft)
            }
            Self::Placed(_) | Self::Confirmed { .. } => Ok(vec![Event::Cancelled { reason }]),
            Self::Shipped { .. } => Err(Error::AlreadyShipped),
            Self::Cancelled { .. } => Ok(vec![]),
        }
    }

    fn ship(&self, shipment: ShipmentId, items: Option<Vec<Item>>) -> Result<Vec<Event>, Error> {
        let outstanding = match self {
            Self::Unplaced => return Err(Error::Unplaced),
            Self::Placed(_) => return Err(Error::NotConfirmed),
            Self::Confirmed { outstanding, .. } => outstanding,
            Self::Shipped { .. } => return Err(Error::AlreadyShipped),
            Self::Cancelled { .. } => return Err(Error::Cancelled),
        };
        let items = items.unwrap_or_else(|| self.outstanding());
        if items.is_empty() {
            return Err(Error::NoItems);
        }
        let rest = items.iter().try_fold(outstanding.clone(), take)?;
        Ok(vec![if rest.is_empty() {
            Event::Shipped { shipment, items }
        } else {
            Event::PartShipped { shipment, items }
        }])
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Placed { terms, .. }) => Self::Placed(terms),
            (Self::Placed(terms), Event::Confirmed {}) => {
                let outstanding = ordered(&terms.lines);
                Self::Confirmed { terms, outstanding }
            }
            (
                Self::Confirmed { terms, outstanding },
                Event::PartShipped { items, .. } | Event::Shipped { items, .. },
            ) => match items.iter().try_fold(outstanding, take) {
                Ok(outstanding) if !outstanding.is_empty() => {
                    Self::Confirmed { terms, outstanding }
                }
                _ => Self::Shipped { company: terms.company },
            },
            (Self::Placed(terms) | Self::Confirmed { terms, .. }, Event::Cancelled { .. }) => {
                Self::Cancelled { company: terms.company }
            }
            // `decide` writes none of these; a state that they cannot change stays as it is.
            (
                order,
                Event::Confirmed {}
                | Event::Cancelled { .. }
                | Event::PartShipped { .. }
                | Event::Shipped { .. },
            ) => order,
        }
    }

    /// What has not left yet; nothing when goods cannot leave.
    pub fn outstanding(&self) -> Vec<Item> {
        match self {
            Self::Confirmed { outstanding, .. } => {
                outstanding.iter().map(|(&line, &quantity)| Item { line, quantity }).collect()
            }
            Self::Unplaced | Self::Placed(_) | Self::Shipped { .. } | Self::Cancelled { .. } => {
                vec![]
            }
        }
    }

    /// What was ordered, while goods can still leave.
    pub fn terms(&self) -> Result<&Terms, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::Placed(terms) | Self::Confirmed { terms, .. } => Ok(terms),
            Self::Shipped { .. } => Err(Error::AlreadyShipped),
            Self::Cancelled { .. } => Err(Error::Cancelled),
        }
    }
}

impl Terms {
    /// The ordered lines with the quantities of `items`, for the papers of a shipment. An item
    /// whose line does not exist is left out: [`Order::decide`] has refused it before.
    pub fn lines_of(&self, items: &[Item]) -> Vec<Line> {
        items
            .iter()
            .filter_map(|item| {
                let index = usize::try_from(item.line).ok()?.checked_sub(1)?;
                let line = self.lines.get(index)?;
                Some(Line { quantity: item.quantity, ..line.clone() })
            })
            .collect()
    }
}

fn ordered(lines: &[Line]) -> BTreeMap<u32, Quantity> {
    (1..).zip(lines.iter().map(|line| line.quantity)).collect()
}

/// Takes one item out of what is outstanding.
fn take(
    mut outstanding: BTreeMap<u32, Quantity>,
    item: &Item,
) -> Result<BTreeMap<u32, Quantity>, Error> {
    let line = item.line;
    let present = outstanding.remove(&line).ok_or(Error::NothingOutstanding { line })?;
    match present.less(item.quantity) {
        Ok(None) => {}
        Ok(Some(rest)) => {
            outstanding.insert(line, rest);
        }
        Err(_) => return Err(Error::TooMuch { line, outstanding: present }),
    }
    Ok(outstanding)
}

impl OfCompany for Order {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unplaced => None,
            Self::Placed(terms) | Self::Confirmed { terms, .. } => Some(terms.company),
            Self::Shipped { company } | Self::Cancelled { company } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{TERM, answer, company, day, lines};

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<Order>(given, when), then);
    }

    fn terms() -> Terms {
        Terms {
            company: company(),
            currency: Currency::Pln,
            lines: lines(),
            payment_term: TERM,
            source: Source::Direct,
            reference: None,
        }
    }

    fn placed() -> Event {
        Event::Placed { terms: terms(), on: day("2026-03-01") }
    }

    fn place() -> Command {
        Command::Place { terms: terms(), on: day("2026-03-01") }
    }

    fn cancel() -> Command {
        Command::Cancel { reason: None }
    }

    fn cancelled() -> Event {
        Event::Cancelled { reason: None }
    }

    fn shipment() -> ShipmentId {
        ShipmentId(Uuid::from_u128(0x5))
    }

    fn item(line: u32, quantity: &str) -> Item {
        Item { line, quantity: quantity.parse().unwrap() }
    }

    fn ship(items: &[Item]) -> Command {
        Command::Ship { shipment: shipment(), items: Some(items.to_vec()) }
    }

    fn part_shipped(items: &[Item]) -> Event {
        Event::PartShipped { shipment: shipment(), items: items.to_vec() }
    }

    fn shipped(items: &[Item]) -> Event {
        Event::Shipped { shipment: shipment(), items: items.to_vec() }
    }

    const CONFIRMED: Event = Event::Confirmed {};

    #[test]
    fn is_placed_confirmed_and_cancelled() {
        check(&[], place(), Ok(vec![placed()]));
        check(&[placed()], place(), Err(Error::AlreadyPlaced));
        check(&[], Command::Confirm, Err(Error::Unplaced));
        check(&[placed()], Command::Confirm, Ok(vec![CONFIRMED]));
        check(&[placed(), CONFIRMED], Command::Confirm, Ok(vec![]));
        check(&[placed(), cancelled()], Command::Confirm, Err(Error::Cancelled));
        check(&[], cancel(), Err(Error::Unplaced));
        check(&[placed()], cancel(), Ok(vec![cancelled()]));
        check(&[placed(), CONFIRMED], cancel(), Ok(vec![cancelled()]));
        check(&[placed(), cancelled()], cancel(), Ok(vec![]));
    }

    #[test]
    fn ships_no_more_than_was_ordered() {
        let all = [item(1, "10"), item(2, "5")];
        let confirmed = [placed(), CONFIRMED];
        check(&[placed()], ship(&all), Err(Error::NotConfirmed));
        check(&[], ship(&all), Err(Error::Unplaced));
        check(&confirmed, ship(&all), Ok(vec![shipped(&all)]));
        check(&confirmed, ship(&[]), Err(Error::NoItems));
        check(&confirmed, ship(&[item(3, "1")]), Err(Error::NothingOutstanding { line: 3 }));
        check(&confirmed, ship(&[item(0, "1")]), Err(Error::NothingOutstanding { line: 0 }));
        let outstanding = "10".parse().unwrap();
        check(&confirmed, ship(&[item(1, "10.5")]), Err(Error::TooMuch { line: 1, outstanding }));
        let outstanding = "4".parse().unwrap();
        let twice = [item(1, "6"), item(1, "6")];
        check(&confirmed, ship(&twice), Err(Error::TooMuch { line: 1, outstanding }));
    }

    #[test]
    fn ships_what_is_outstanding_when_nothing_is_named() {
        let rest = Command::Ship { shipment: shipment(), items: None };
        let some = [item(1, "4"), item(2, "5")];
        let given = [placed(), CONFIRMED, part_shipped(&some)];
        check(&[placed(), CONFIRMED], ship(&some), Ok(vec![part_shipped(&some)]));
        check(&given, rest.clone(), Ok(vec![shipped(&[item(1, "6")])]));
        check(&given, ship(&[item(2, "1")]), Err(Error::NothingOutstanding { line: 2 }));
        check(&given, cancel(), Err(Error::GoodsLeft));
        let done = [placed(), CONFIRMED, part_shipped(&some), shipped(&[item(1, "6")])];
        check(&done, rest, Err(Error::AlreadyShipped));
        check(&done, cancel(), Err(Error::AlreadyShipped));
        check(&done, Command::Confirm, Ok(vec![]));
    }

    proptest! {
        /// Whatever leaves in which order, no line ships more than was ordered, and the order is
        /// shipped exactly when nothing is outstanding.
        #[test]
        fn adds_up_however_it_is_split(parts in prop::collection::vec((1_u32..=2, 1_u32..=7), 1..12)) {
            let mut order = Order::default().evolve(placed()).evolve(CONFIRMED);
            let mut left = BTreeMap::from([(1, 10_u32), (2, 5)]);
            for (line, units) in parts {
                let quantity = Quantity::new(units.into()).unwrap();
                let command = ship(&[Item { line, quantity }]);
                let fits = left.get(&line).is_some_and(|outstanding| *outstanding >= units);
                match order.decide(command) {
                    Ok(events) => {
                        prop_assert!(fits);
                        left.entry(line).and_modify(|outstanding| *outstanding -= units);
                        left.retain(|_, outstanding| *outstanding > 0);
                        let last = matches!(events[..], [Event::Shipped { .. }]);
                        prop_assert_eq!(last, left.is_empty());
                        order = events.into_iter().fold(order, Order::evolve);
                    }
                    Err(_) => prop_assert!(!fits),
                }
            }
        }
    }
}
