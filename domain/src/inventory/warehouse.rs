//! A warehouse: a place in which the seller keeps goods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    Address, CompanyId, Name, OfCompany, WarehouseCode, WarehouseId, aggregate::aggregate,
    refusal::refusals,
};

/// The state of a warehouse.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Warehouse {
    /// Not opened.
    #[default]
    Unopened,
    /// Goods are received and shipped.
    Open(Premises),
    /// Goods are shipped, none are received.
    Closed(Premises),
}

/// A warehouse, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Premises {
    /// Its unique code.
    pub code: WarehouseCode,
    /// Its name.
    pub name: Name,
}

/// The commands of a warehouse.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open a warehouse. The caller claims the code.
    Open {
        /// Its id.
        id: WarehouseId,
        /// Its unique code.
        code: WarehouseCode,
        /// Its name.
        name: Name,
        /// Where it is.
        address: Option<Address>,
    },
    /// Rename it.
    Rename {
        /// The new name.
        name: Name,
    },
    /// Receive no more goods there.
    Close,
    /// Receive goods there again.
    Reopen,
}

/// What happened to a warehouse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened {
        /// Its id.
        id: WarehouseId,
        /// Its unique code.
        code: WarehouseCode,
        /// Its name.
        name: Name,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
    },
    /// It has another name.
    Renamed {
        /// The new name.
        name: Name,
    },
    /// It receives no more goods.
    Closed {},
    /// It receives goods again.
    Reopened {},
}

aggregate!(Warehouse, "warehouse", {
    Opened => "opened" v 1,
    Renamed => "renamed" v 1,
    Closed => "closed" v 1,
    Reopened => "reopened" v 1,
});

/// Why a warehouse refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id belongs to a warehouse already.
    #[error("the warehouse is already open")]
    AlreadyOpen,
    /// There is no such warehouse.
    #[error("there is no such warehouse")]
    Unopened,
    /// It receives no goods.
    #[error("the warehouse {code} is closed")]
    Closed {
        /// Its code.
        code: WarehouseCode,
    },
}

refusals!(Error, {
    AlreadyOpen => ("warehouse.already_open", State),
    Unopened => ("warehouse.unopened", Missing),
    Closed => ("warehouse.closed", State),
});

impl Warehouse {
    /// Every rule of a warehouse.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Unopened, Command::Open { id, code, name, address }) => {
                Ok(vec![Event::Opened { id, code, name, address }])
            }
            (Self::Open(_) | Self::Closed(_), Command::Open { .. }) => Err(Error::AlreadyOpen),
            (Self::Unopened, Command::Rename { .. } | Command::Close | Command::Reopen) => {
                Err(Error::Unopened)
            }
            (Self::Open(known) | Self::Closed(known), Command::Rename { name }) => {
                Ok(if known.name == name { vec![] } else { vec![Event::Renamed { name }] })
            }
            (Self::Open(_), Command::Close) => Ok(vec![Event::Closed {}]),
            (Self::Closed(_), Command::Reopen) => Ok(vec![Event::Reopened {}]),
            (Self::Closed(_), Command::Close) | (Self::Open(_), Command::Reopen) => Ok(vec![]),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Opened { code, name, .. }) => Self::Open(Premises { code, name }),
            (Self::Open(known), Event::Renamed { name }) => Self::Open(Premises { name, ..known }),
            (Self::Closed(known), Event::Renamed { name }) => {
                Self::Closed(Premises { name, ..known })
            }
            (Self::Open(known) | Self::Closed(known), Event::Closed {}) => Self::Closed(known),
            (Self::Open(known) | Self::Closed(known), Event::Reopened {}) => Self::Open(known),
            (Self::Unopened, Event::Renamed { .. } | Event::Closed {} | Event::Reopened {}) => {
                Self::Unopened
            }
        }
    }

    /// Whether goods can be received there.
    pub fn receives(&self) -> Result<(), Error> {
        match self {
            Self::Unopened => Err(Error::Unopened),
            Self::Open(_) => Ok(()),
            Self::Closed(known) => Err(Error::Closed { code: known.code.clone() }),
        }
    }

    /// Whether there is such a warehouse, open or closed.
    pub fn exists(&self) -> Result<(), Error> {
        match self {
            Self::Unopened => Err(Error::Unopened),
            Self::Open(_) | Self::Closed(_) => Ok(()),
        }
    }
}

impl OfCompany for Warehouse {
    fn company(&self) -> Option<CompanyId> {
        // The seller's.
        None
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::answer;

    fn open() -> Command {
        let (id, code) = (WarehouseId(Uuid::from_u128(1)), "WAW".parse().unwrap());
        Command::Open { id, code, name: "Warszawa".parse().unwrap(), address: None }
    }

    fn opened() -> Event {
        let (id, code) = (WarehouseId(Uuid::from_u128(1)), "WAW".parse().unwrap());
        Event::Opened { id, code, name: "Warszawa".parse().unwrap(), address: None }
    }

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<Warehouse>(given, when), then);
    }

    #[test]
    fn is_opened_renamed_closed_and_reopened() {
        let name = || "Wola".parse().unwrap();
        check(&[], open(), Ok(vec![opened()]));
        check(&[opened()], open(), Err(Error::AlreadyOpen));
        check(&[], Command::Close, Err(Error::Unopened));
        let rename = || Command::Rename { name: name() };
        let renamed = Event::Renamed { name: name() };
        check(&[opened()], rename(), Ok(vec![renamed.clone()]));
        check(&[opened(), renamed.clone()], rename(), Ok(vec![]));
        check(&[opened(), Event::Closed {}], rename(), Ok(vec![renamed]));
        check(&[opened()], Command::Close, Ok(vec![Event::Closed {}]));
        check(&[opened(), Event::Closed {}], Command::Close, Ok(vec![]));
        check(&[opened()], Command::Reopen, Ok(vec![]));
        check(&[opened(), Event::Closed {}], Command::Reopen, Ok(vec![Event::Reopened {}]));
    }
}
