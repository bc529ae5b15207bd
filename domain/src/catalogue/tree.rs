//! The order of changes in a tree: of companies below companies, or of categories below categories.
//!
//! Whoever is put below another writes here too. A move of something that others stand below reads
//! here, so that the append refuses it when the subtree has grown since its height was read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    catalogue::Category,
    kernel::{CompanyId, OfCompany, TreeId, aggregate::aggregate, refusal::refusals},
    parties::Company,
};

/// What decisions need to know of a tree: nothing but its version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {}

/// Of what a tree consists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Companies, below those they belong to.
    Companies,
    /// Categories of products.
    Categories,
}

/// What can be asked of a tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record that something stands below another.
    Place {
        /// Of what the tree consists.
        tree: Kind,
        /// What was put somewhere.
        node: Uuid,
        /// What it stands below.
        parent: Uuid,
    },
}

/// What happened to a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Something stands below another now.
    Placed {
        /// Of what the tree consists.
        tree: Kind,
        /// The id of what was put somewhere.
        node: Uuid,
        /// The id of what it stands below.
        parent: Uuid,
    },
}

aggregate!(Tree, "tree", { Placed => "placed" v 1 });

/// A tree refuses nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {}

refusals!(Error, {});

impl Tree {
    /// Records every change.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::Place { tree, node, parent } = command;
        Ok(vec![Event::Placed { tree, node, parent }])
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Placed { .. } => self,
        }
    }
}

impl Kind {
    /// How many may be above one another, itself not counted.
    pub const fn most_above(self) -> usize {
        match self {
            Self::Companies => Company::MOST_ABOVE,
            Self::Categories => Category::MOST_ABOVE,
        }
    }
}

impl TreeId {
    /// The tree of this kind: one each.
    pub fn of(kind: Kind) -> Self {
        let name: &[u8] = match kind {
            Kind::Companies => b"tree/companies",
            Kind::Categories => b"tree/categories",
        };
        Self(Uuid::new_v5(&Uuid::nil(), name))
    }
}

impl OfCompany for Tree {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::answer;

    #[test]
    fn records_every_change() {
        let (node, parent) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let place = Command::Place { tree: Kind::Companies, node, parent };
        let placed = Event::Placed { tree: Kind::Companies, node, parent };
        assert_eq!(answer::<Tree>(&[], place.clone()), Ok(vec![placed.clone()]));
        assert_eq!(answer::<Tree>(std::slice::from_ref(&placed), place), Ok(vec![placed]));
        assert_ne!(TreeId::of(Kind::Companies), TreeId::of(Kind::Categories));
    }
}
