//! A category: a branch of the tree of products.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    CategoryId, CompanyId, Language, Name, OfCompany, aggregate::aggregate, refusal::refusals,
};

/// What decisions need to know of a category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Category {
    /// Nothing yet.
    #[default]
    Unopened,
    /// Products can be in it.
    Open(Branch),
    /// Products cannot be put into it any more.
    Closed(Branch),
}

/// A branch and the one it grows from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// Its id.
    pub id: CategoryId,
    /// What it is called.
    pub title: Title,
    /// The category above it.
    pub parent: Option<CategoryId>,
}

/// What a category is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CategoryTitle")]
pub struct Title {
    /// In Polish.
    pub name: Name,
    /// In other languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<Language, Name>,
}

/// What can be asked of a category.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin a new one.
    Open {
        /// Its id.
        id: CategoryId,
        /// What it is called.
        title: Title,
        /// The category above it, with those above that one, nearest first.
        above: Vec<CategoryId>,
    },
    /// Call it something else.
    Rename {
        /// What it is called now.
        title: Title,
    },
    /// Put it elsewhere in the tree, with all that is below it.
    Move {
        /// The category above it, with those above that one, nearest first; none makes it a root.
        above: Vec<CategoryId>,
        /// How many levels of categories are below it.
        below: usize,
    },
    /// Put no more products into it.
    Close,
}

/// What happened to a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It began.
    Opened {
        /// Its id.
        id: CategoryId,
        /// What it is called.
        title: Title,
        /// The category above it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<CategoryId>,
    },
    /// It is called something else.
    Renamed {
        /// What it is called now.
        title: Title,
    },
    /// It stands elsewhere in the tree.
    Moved {
        /// The category above it; missing makes it a root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<CategoryId>,
    },
    /// No more products are put into it.
    Closed {},
}

aggregate!(Category, "category", {
    Opened => "opened" v 1,
    Renamed => "renamed" v 1,
    Moved => "moved" v 1,
    Closed => "closed" v 1,
});

/// Why a category refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id belongs to a category already.
    #[error("the category is already open")]
    AlreadyOpen,
    /// There is no such category.
    #[error("there is no such category")]
    Unopened,
    /// It would be above itself.
    #[error("a category cannot stand below itself")]
    ParentIsBelow,
    /// The tree would be too high.
    #[error("a category has at most {} others above it", Category::MOST_ABOVE)]
    TooDeep,
    /// It takes no products any more.
    #[error("the category {name} is closed")]
    Closed {
        /// Which one.
        name: Name,
    },
}

refusals!(Error, {
    AlreadyOpen => ("category.already_open", State),
    Unopened => ("category.unopened", Missing),
    ParentIsBelow => ("category.parent_is_below", State),
    TooDeep => ("category.too_deep", State),
    Closed => ("category.closed", State),
});

impl Category {
    /// How many categories may be above one another, itself not counted.
    pub const MOST_ABOVE: usize = 11;

    /// Every rule of a category.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Unopened, Command::Open { id, title, above }) => {
                let parent = placed(id, &above, 0)?;
                Ok(vec![Event::Opened { id, title, parent }])
            }
            (Self::Open(_) | Self::Closed(_), Command::Open { .. }) => Err(Error::AlreadyOpen),
            (Self::Unopened, Command::Rename { .. } | Command::Move { .. } | Command::Close) => {
                Err(Error::Unopened)
            }
            (Self::Open(branch) | Self::Closed(branch), Command::Rename { title }) => {
                Ok(if branch.title == title { vec![] } else { vec![Event::Renamed { title }] })
            }
            (Self::Open(branch) | Self::Closed(branch), Command::Move { above, below }) => {
                let parent = placed(branch.id, &above, below)?;
                Ok(if branch.parent == parent { vec![] } else { vec![Event::Moved { parent }] })
            }
            (Self::Open(_), Command::Close) => Ok(vec![Event::Closed {}]),
            (Self::Closed(_), Command::Close) => Ok(vec![]),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Opened { id, title, parent }) => Self::Open(Branch { id, title, parent }),
            (Self::Unopened, Event::Renamed { .. } | Event::Moved { .. } | Event::Closed {}) => {
                Self::Unopened
            }
            (Self::Open(branch), Event::Renamed { title }) => {
                Self::Open(Branch { title, ..branch })
            }
            (Self::Closed(branch), Event::Renamed { title }) => {
                Self::Closed(Branch { title, ..branch })
            }
            (Self::Open(branch), Event::Moved { parent }) => {
                Self::Open(Branch { parent, ..branch })
            }
            (Self::Closed(branch), Event::Moved { parent }) => {
                Self::Closed(Branch { parent, ..branch })
            }
            (Self::Open(branch) | Self::Closed(branch), Event::Closed {}) => Self::Closed(branch),
        }
    }

    /// The branch, whether products can be put into it or not.
    pub fn branch(&self) -> Result<&Branch, Error> {
        match self {
            Self::Unopened => Err(Error::Unopened),
            Self::Open(branch) | Self::Closed(branch) => Ok(branch),
        }
    }

    /// The branch, if products can be put into it.
    pub fn taking(&self) -> Result<&Branch, Error> {
        match self {
            Self::Unopened => Err(Error::Unopened),
            Self::Open(branch) => Ok(branch),
            Self::Closed(branch) => Err(Error::Closed { name: branch.title.name.clone() }),
        }
    }
}

/// The category right above, if neither it nor the lowest of those below it stands too deep.
fn placed(id: CategoryId, above: &[CategoryId], below: usize) -> Result<Option<CategoryId>, Error> {
    if above.contains(&id) {
        return Err(Error::ParentIsBelow);
    }
    // A root stays possible, whatever an older build let grow below it.
    if !above.is_empty() && above.len() + below > Category::MOST_ABOVE {
        return Err(Error::TooDeep);
    }
    Ok(above.first().copied())
}

impl OfCompany for Category {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::answer;

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<Category>(given, when), then);
    }

    fn id(number: u128) -> CategoryId {
        CategoryId(Uuid::from_u128(number))
    }

    fn title(name: &str) -> Title {
        Title { name: name.parse().unwrap(), translations: BTreeMap::new() }
    }

    fn opened(parent: Option<u128>) -> Event {
        Event::Opened { id: id(1), title: title("Kawa"), parent: parent.map(id) }
    }

    #[test]
    fn begins_once_below_others() {
        let open = |above: &[u128]| Command::Open {
            id: id(1),
            title: title("Kawa"),
            above: above.iter().copied().map(id).collect(),
        };
        check(&[], open(&[]), Ok(vec![opened(None)]));
        check(&[], open(&[2, 3]), Ok(vec![opened(Some(2))]));
        check(&[], open(&[2, 1]), Err(Error::ParentIsBelow));
        check(&[], open(&[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]), Err(Error::TooDeep));
        check(&[opened(None)], open(&[]), Err(Error::AlreadyOpen));
    }

    fn moved(above: &[u128], below: usize) -> Command {
        Command::Move { above: above.iter().copied().map(id).collect(), below }
    }

    #[test]
    fn is_moved_with_all_that_is_below_it() {
        let given = [opened(None)];
        let below_two = Event::Moved { parent: Some(id(2)) };
        check(&given, moved(&[2, 3], 9), Ok(vec![below_two]));
        check(&given, moved(&[2, 3], 10), Err(Error::TooDeep));
        check(&[opened(Some(2))], moved(&[], 30), Ok(vec![Event::Moved { parent: None }]));
    }

    #[test]
    fn is_renamed_moved_and_closed() {
        let given = [opened(Some(2))];
        let rename = |name| Command::Rename { title: title(name) };
        let move_to = |above: &[u128]| moved(above, 0);
        check(&given, rename("Kawa"), Ok(vec![]));
        check(&given, rename("Kawy"), Ok(vec![Event::Renamed { title: title("Kawy") }]));
        check(&given, move_to(&[2, 3]), Ok(vec![]));
        check(&given, move_to(&[]), Ok(vec![Event::Moved { parent: None }]));
        check(&given, move_to(&[4, 1]), Err(Error::ParentIsBelow));
        check(&given, Command::Close, Ok(vec![Event::Closed {}]));
        let closed = [opened(None), Event::Closed {}];
        check(&closed, Command::Close, Ok(vec![]));
        check(&closed, rename("Kawy"), Ok(vec![Event::Renamed { title: title("Kawy") }]));
        check(&closed, move_to(&[2]), Ok(vec![Event::Moved { parent: Some(id(2)) }]));
        for command in [rename("Kawy"), move_to(&[]), Command::Close] {
            check(&[], command, Err(Error::Unopened));
        }
        let category = closed.into_iter().fold(Category::default(), Category::evolve);
        assert_eq!(category.taking(), Err(Error::Closed { name: "Kawa".parse().unwrap() }));
        assert_eq!(category.branch().map(|branch| branch.id), Ok(id(1)));
    }
}
