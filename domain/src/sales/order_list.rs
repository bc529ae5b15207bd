//! An order list: what a company orders again and again. It belongs to whoever made it, who may
//! share it with the others of the company and the seller. Carts are filled from it; it has no
//! prices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{ActorId, CompanyId, Name, OfCompany, aggregate::aggregate, refusal::refusals},
    sales::purchase_lines::{self, Changes, Mode, PurchaseLine, PurchaseLines, Wanted},
};

/// The state of an order list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum OrderList {
    /// Not made.
    #[default]
    Unmade,
    /// It is kept.
    Kept(Box<Contents>),
    /// Nobody uses it any more.
    Discarded {
        /// The company.
        company: CompanyId,
        /// Whose it was.
        owner: ActorId,
        /// Whether it was shared.
        shared: bool,
    },
}

/// A list that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// What it is for, and whose.
    pub head: Head,
    /// What is on it.
    pub lines: PurchaseLines,
}

/// For whom a list is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrderListHead")]
pub struct Head {
    /// For which company.
    pub company: CompanyId,
    /// Whose it is: an employee, or a key that is nobody's.
    pub owner: ActorId,
    /// What it is called.
    pub name: Name,
    /// Whether others of the company, and the seller, see and change it.
    pub shared: bool,
}

/// The commands of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make a list.
    Make {
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
    /// Use it no more.
    Discard,
}

/// What happened to a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was made.
    Made {
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
    /// Nobody uses it any more.
    Discarded {},
}

aggregate!(OrderList, "order_list", {
    Made => "made" v 1,
    Renamed => "renamed" v 1,
    Shared => "shared" v 1,
    Unshared => "unshared" v 1,
    LinesAdded => "lines_added" v 1,
    LinesChanged => "lines_changed" v 1,
    LinesRemoved => "lines_removed" v 1,
    Discarded => "discarded" v 1,
});

/// Why a list refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such list.
    #[error("there is no such order list")]
    Unmade,
    /// The id belongs to another one.
    #[error("the order list was already made")]
    AlreadyMade,
    /// It was discarded for good.
    #[error("the order list was discarded")]
    Discarded,
    /// Somebody else's list.
    #[error("only its owner can make a shared order list private")]
    NotTheOwner,
    /// The lines cannot be so.
    #[error(transparent)]
    Lines(#[from] purchase_lines::Error),
}

refusals!(Error, {
    Unmade => ("order_list.unmade", Missing),
    AlreadyMade => ("order_list.already_made", State),
    Discarded => ("order_list.discarded", State),
    NotTheOwner => ("order_list.not_the_owner", State),
    Lines => (inner),
});

impl OrderList {
    /// Every rule of a list.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Make { head } => match self {
                Self::Unmade => Ok(vec![Event::Made { head }]),
                Self::Kept(contents) if contents.head == head => Ok(vec![]),
                Self::Kept(_) | Self::Discarded { .. } => Err(Error::AlreadyMade),
            },
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
            Command::Discard => match self {
                Self::Unmade => Err(Error::Unmade),
                Self::Kept(_) => Ok(vec![Event::Discarded {}]),
                Self::Discarded { .. } => Ok(vec![]),
            },
        }
    }

    /// What is on it, while it is kept.
    pub fn contents(&self) -> Result<&Contents, Error> {
        match self {
            Self::Unmade => Err(Error::Unmade),
            Self::Kept(contents) => Ok(contents),
            Self::Discarded { .. } => Err(Error::Discarded),
        }
    }

    /// Whether somebody sees it who sees what its company does.
    pub fn is_shown_to(&self, actor: ActorId) -> bool {
        match self {
            Self::Unmade => false,
            Self::Kept(contents) => contents.head.shared || contents.head.owner == actor,
            Self::Discarded { owner, shared, .. } => *shared || *owner == actor,
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Made { head }) => {
                Self::Kept(Box::new(Contents { head, lines: PurchaseLines::default() }))
            }
            (Self::Kept(contents), event) => contents.evolve(event),
            // `decide` records nothing more.
            (
                list @ (Self::Unmade | Self::Discarded { .. }),
                Event::Renamed { .. }
                | Event::Shared {}
                | Event::Unshared {}
                | Event::LinesAdded { .. }
                | Event::LinesChanged { .. }
                | Event::LinesRemoved { .. }
                | Event::Discarded {},
            ) => list,
        }
    }
}

impl Contents {
    fn evolve(mut self: Box<Self>, event: Event) -> OrderList {
        match event {
            Event::Made { head } => self.head = head,
            Event::Renamed { name } => self.head.name = name,
            Event::Shared {} => self.head.shared = true,
            Event::Unshared {} => self.head.shared = false,
            Event::LinesAdded { lines } | Event::LinesChanged { lines } => self.lines.put(lines),
            Event::LinesRemoved { lines } => self.lines.take_out(&lines),
            Event::Discarded {} => {
                let Head { company, owner, shared, .. } = self.head;
                return OrderList::Discarded { company, owner, shared };
            }
        }
        OrderList::Kept(self)
    }
}

impl OfCompany for OrderList {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unmade => None,
            Self::Kept(contents) => Some(contents.head.company),
            Self::Discarded { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
