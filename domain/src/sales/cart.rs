//! A cart: what a company is about to order. A company has several at once; each belongs to whoever
//! opened it, who may share it with the others of the company and the seller.
//!
//! Nothing is promised by a cart: prices hold, and products must be for sale, when it is ordered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        ActorId, CartId, CompanyId, Currency, Name, OfCompany, OrderId, QuotationRequestId,
        aggregate::aggregate, refusal::refusals,
    },
    sales::purchase_lines::{self, Changes, Mode, PurchaseLine, PurchaseLines, Wanted},
};

/// The state of a cart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Cart {
    /// Not opened.
    #[default]
    Unopened,
    /// It is filled.
    Open(Box<Contents>),
    /// Nothing is changed in it any more.
    Closed {
        /// The company.
        company: CompanyId,
        /// Whose it was.
        owner: ActorId,
        /// Whether it was shared.
        shared: bool,
        /// What became of it.
        how: Closure,
    },
}

/// An open cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// What it is for, and whose.
    pub head: Head,
    /// What is wanted.
    pub lines: PurchaseLines,
}

/// For whom a cart is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CartHead")]
pub struct Head {
    /// For which company.
    pub company: CompanyId,
    /// Whose it is: an employee, or a key that is nobody's.
    pub owner: ActorId,
    /// What it is called.
    pub name: Name,
    /// In which currency its prices are shown and it is ordered.
    pub currency: Currency,
    /// Whether others of the company, and the seller, see and change it.
    pub shared: bool,
}

/// What became of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closure {
    /// It was ordered.
    Ordered(OrderId),
    /// A quotation was requested for it.
    Requested(QuotationRequestId),
    /// Its lines were put into another cart.
    Merged(CartId),
    /// It is not wanted any more.
    Discarded,
}

/// The commands of a cart.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open a cart.
    Open {
        /// For whom, and its name.
        head: Head,
    },
    /// Rename it.
    Rename {
        /// Its new name.
        name: Name,
    },
    /// Show it to the others of the company, and to the seller.
    Share,
    /// Hide it from everybody but its owner.
    Unshare {
        /// Who says so.
        by: ActorId,
    },
    /// Add products.
    Add {
        /// What is wanted.
        wanted: Vec<Wanted>,
        /// What becomes of lines that are there.
        mode: Mode,
    },
    /// Set lines anew.
    Change {
        /// The lines by their numbers.
        lines: Vec<(u32, Wanted)>,
    },
    /// Remove lines.
    Remove {
        /// Their numbers.
        lines: Vec<u32>,
    },
    /// Remove all lines.
    Clear,
    /// Close it, because its lines were put into another cart.
    Merge {
        /// Which.
        into: CartId,
    },
    /// Record that it, or some of its lines, were ordered.
    Order {
        /// The order.
        order: OrderId,
        /// The lines that were ordered; all when not given.
        lines: Option<Vec<u32>>,
    },
    /// Close it, because a quotation was requested for it.
    Request {
        /// The request.
        request: QuotationRequestId,
    },
    /// Close it without more.
    Discard,
}

/// What happened to a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened {
        /// For whom, and its name.
        head: Head,
    },
    /// It is called something else.
    Renamed {
        /// Its new name.
        name: Name,
    },
    /// Others of the company, and the seller, see it.
    Shared {},
    /// Only its owner sees it.
    Unshared {},
    /// Lines were added.
    LinesAdded {
        /// The new lines.
        lines: Vec<PurchaseLine>,
    },
    /// Lines were changed.
    LinesChanged {
        /// Each as it is now.
        lines: Vec<PurchaseLine>,
    },
    /// Lines were removed.
    LinesRemoved {
        /// Their numbers.
        lines: Vec<u32>,
    },
    /// All lines were removed.
    Cleared {},
    /// Its lines were put into another cart.
    Merged {
        /// Which.
        into: CartId,
    },
    /// It was ordered.
    Ordered {
        /// The order.
        order: OrderId,
    },
    /// Some of its lines were ordered, and are not in it any more.
    PartOrdered {
        /// The order.
        order: OrderId,
        /// Their numbers.
        lines: Vec<u32>,
    },
    /// A quotation was requested for it.
    QuotationRequested {
        /// The request.
        request: QuotationRequestId,
    },
    /// It is not wanted any more.
    Discarded {},
}

aggregate!(Cart, "cart", {
    Opened => "opened" v 1,
    Renamed => "renamed" v 1,
    Shared => "shared" v 1,
    Unshared => "unshared" v 1,
    LinesAdded => "lines_added" v 1,
    LinesChanged => "lines_changed" v 1,
    LinesRemoved => "lines_removed" v 1,
    Cleared => "cleared" v 1,
    Merged => "merged" v 1,
    Ordered => "ordered" v 1,
    PartOrdered => "part_ordered" v 1,
    QuotationRequested => "quotation_requested" v 1,
    Discarded => "discarded" v 1,
});

/// Why a cart refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such cart.
    #[error("there is no such cart")]
    Unopened,
    /// The id belongs to another one.
    #[error("the cart was already opened")]
    AlreadyOpened,
    /// It was ordered, merged or discarded.
    #[error("the cart is closed")]
    Closed,
    /// Somebody else's cart.
    #[error("only its owner can make a shared cart private")]
    NotTheOwner,
    /// Nothing to order.
    #[error("the cart is empty")]
    Empty,
    /// A cart cannot be put into itself.
    #[error("a cart is not merged with itself")]
    Itself,
    /// The lines cannot be so.
    #[error(transparent)]
    Lines(#[from] purchase_lines::Error),
}

refusals!(Error, {
    Unopened => ("cart.unopened", Missing),
    AlreadyOpened => ("cart.already_opened", State),
    Closed => ("cart.closed", State),
    NotTheOwner => ("cart.not_the_owner", State),
    Empty => ("cart.empty", State),
    Itself => ("cart.merged_with_itself", Invalid),
    Lines => (inner),
});

impl Cart {
    /// Every rule of a cart.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Open { head } => self.open(head),
            Command::Rename { name } => {
                let is_so = self.contents()?.head.name == name;
                Ok(if is_so { vec![] } else { vec![Event::Renamed { name }] })
            }
            Command::Share => {
                let is_so = self.contents()?.head.shared;
                Ok(if is_so { vec![] } else { vec![Event::Shared {}] })
            }
            Command::Unshare { by } => {
                let head = &self.contents()?.head;
                match head.shared {
                    true if head.owner != by => Err(Error::NotTheOwner),
                    true => Ok(vec![Event::Unshared {}]),
                    false => Ok(vec![]),
                }
            }
            Command::Add { wanted, mode } => {
                let Changes { added, changed } = self.contents()?.lines.add(wanted, mode)?;
                let added = PurchaseLines::parts(added).into_iter();
                let changed = PurchaseLines::parts(changed).into_iter();
                let added = added.map(|lines| Event::LinesAdded { lines });
                Ok(added.chain(changed.map(|lines| Event::LinesChanged { lines })).collect())
            }
            Command::Change { lines } => {
                let changed = PurchaseLines::parts(self.contents()?.lines.change(lines)?);
                Ok(changed.into_iter().map(|lines| Event::LinesChanged { lines }).collect())
            }
            Command::Remove { lines } => {
                let lines = self.contents()?.lines.present(&lines);
                Ok(if lines.is_empty() { vec![] } else { vec![Event::LinesRemoved { lines }] })
            }
            Command::Clear => {
                let is_so = self.contents()?.lines.is_empty();
                Ok(if is_so { vec![] } else { vec![Event::Cleared {}] })
            }
            Command::Merge { into } => self.close(Closure::Merged(into), Event::Merged { into }),
            Command::Order { order, lines } => self.order(order, lines),
            Command::Request { request } => {
                let event = Event::QuotationRequested { request };
                self.close(Closure::Requested(request), event)
            }
            Command::Discard => self.close(Closure::Discarded, Event::Discarded {}),
        }
    }

    fn open(&self, head: Head) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unopened => Ok(vec![Event::Opened { head }]),
            Self::Open(contents) if contents.head == head => Ok(vec![]),
            Self::Open(_) | Self::Closed { .. } => Err(Error::AlreadyOpened),
        }
    }

    fn order(&self, order: OrderId, lines: Option<Vec<u32>>) -> Result<Vec<Event>, Error> {
        let Some(lines) = lines else {
            return match self {
                Self::Open(contents) if contents.lines.is_empty() => Err(Error::Empty),
                Self::Unopened | Self::Open(_) | Self::Closed { .. } => {
                    self.close(Closure::Ordered(order), Event::Ordered { order })
                }
            };
        };
        let present = &self.contents()?.lines;
        if let Some(&line) = lines.iter().find(|line| present.line(**line).is_none()) {
            return Err(purchase_lines::Error::NoSuchLine { line }.into());
        }
        let lines = present.present(&lines);
        match lines.len() {
            0 => Err(Error::Empty),
            all if all == present.len() => Ok(vec![Event::Ordered { order }]),
            _ => Ok(vec![Event::PartOrdered { order, lines }]),
        }
    }

    /// Closes an open cart; a repeat succeeds without events.
    fn close(&self, wanted: Closure, event: Event) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unopened => Err(Error::Unopened),
            Self::Open(_) => Ok(vec![event]),
            Self::Closed { how, .. } if *how == wanted => Ok(vec![]),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    /// What is in it, while it is open.
    pub fn contents(&self) -> Result<&Contents, Error> {
        match self {
            Self::Unopened => Err(Error::Unopened),
            Self::Open(contents) => Ok(contents),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    /// Whether somebody sees it who sees what its company does.
    pub fn is_shown_to(&self, actor: ActorId) -> bool {
        match self {
            Self::Unopened => false,
            Self::Open(contents) => contents.head.shared || contents.head.owner == actor,
            Self::Closed { owner, shared, .. } => *shared || *owner == actor,
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Opened { head }) => {
                Self::Open(Box::new(Contents { head, lines: PurchaseLines::default() }))
            }
            (Self::Open(contents), event) => contents.evolve(event),
            // `decide` records nothing more.
            (
                cart @ (Self::Unopened | Self::Closed { .. }),
                Event::Renamed { .. }
                | Event::Shared {}
                | Event::Unshared {}
                | Event::LinesAdded { .. }
                | Event::LinesChanged { .. }
                | Event::LinesRemoved { .. }
                | Event::Cleared {}
                | Event::Merged { .. }
                | Event::Ordered { .. }
                | Event::PartOrdered { .. }
                | Event::QuotationRequested { .. }
                | Event::Discarded {},
            ) => cart,
        }
    }
}

impl Contents {
    fn evolve(mut self: Box<Self>, event: Event) -> Cart {
        match event {
            Event::Opened { head } => self.head = head,
            Event::Renamed { name } => self.head.name = name,
            Event::Shared {} => self.head.shared = true,
            Event::Unshared {} => self.head.shared = false,
            Event::LinesAdded { lines } | Event::LinesChanged { lines } => self.lines.put(lines),
            Event::LinesRemoved { lines } | Event::PartOrdered { lines, .. } => {
                self.lines.take_out(&lines);
            }
            Event::Cleared {} => self.lines.clear(),
            Event::Merged { into } => return self.closed(Closure::Merged(into)),
            Event::Ordered { order } => return self.closed(Closure::Ordered(order)),
            Event::QuotationRequested { request } => {
                return self.closed(Closure::Requested(request));
            }
            Event::Discarded {} => return self.closed(Closure::Discarded),
        }
        Cart::Open(self)
    }

    fn closed(self, how: Closure) -> Cart {
        let Head { company, owner, shared, .. } = self.head;
        Cart::Closed { company, owner, shared, how }
    }
}

impl OfCompany for Cart {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unopened => None,
            Self::Open(contents) => Some(contents.head.company),
            Self::Closed { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
