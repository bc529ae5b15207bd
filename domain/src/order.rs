//! An order: lines at fixed prices that one company wants, and what of them has left.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CompanyId, Currency, Line, Lines, Note, OfCompany, OfferId, PaymentTerm, Quantity, Reference,
    Refusal, RefusalKind, ShipmentId,
    aggregate::aggregate,
    day::{self, DayError},
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
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
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
            Self::Day(_) => "day.out_of_range",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Unplaced => RefusalKind::Missing,
            Self::NoItems | Self::Day(_) => RefusalKind::Invalid,
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
                Self::Unplaced => Ok(vec![Event::Placed { terms, on: day::checked(on)? }]),
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
            (Self::Confirmed { terms, outstanding }, Event::PartShipped { items, .. }) => {
                // `decide` has taken the same items from the same quantities.
                let outstanding =
                    items.iter().try_fold(outstanding.clone(), take).unwrap_or(outstanding);
                Self::Confirmed { terms, outstanding }
            }
            (Self::Confirmed { terms, .. }, Event::Shipped { .. }) => {
                Self::Shipped { company: terms.company }
            }
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
mod tests;
