//! For whom something holds: everybody, a group of companies, or one company with those below it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{CompanyId, GroupCode};

/// For whom something holds. What is said for a company holds for the firms below it too, unless
/// they have their own.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Audience {
    /// Everybody who buys.
    Everyone,
    /// The companies of a group.
    Group {
        /// Which one.
        group: GroupCode,
    },
    /// A company.
    Company {
        /// Which one.
        company: CompanyId,
    },
}

/// A company as an audience sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which one.
    pub company: CompanyId,
    /// The group that it has joined.
    pub group: Option<GroupCode>,
}

impl Audience {
    /// Text that no other audience has.
    pub fn key(&self) -> String {
        match self {
            Self::Everyone => "everyone".to_owned(),
            Self::Group { group } => format!("group:{group}"),
            Self::Company { company } => format!("company:{company}"),
        }
    }

    /// Every audience to which a company belongs, the most specific first: itself and the companies
    /// above it, nearest first; then the group of the nearest of them that has one; then everyone.
    pub fn of(line: &[Member]) -> Vec<Self> {
        let companies = line.iter().map(|member| Self::Company { company: member.company });
        let group = line.iter().find_map(|member| member.group.clone());
        companies.chain(group.map(|group| Self::Group { group })).chain([Self::Everyone]).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn member(id: u128, group: Option<&str>) -> Member {
        let group = group.map(|code| code.parse().unwrap());
        Member { company: CompanyId(Uuid::from_u128(id)), group }
    }

    fn company(id: u128) -> Audience {
        Audience::Company { company: CompanyId(Uuid::from_u128(id)) }
    }

    #[test]
    fn the_most_specific_comes_first() {
        let hotels = Audience::Group { group: "hotels".parse().unwrap() };
        let line = [member(1, None), member(2, Some("hotels")), member(3, Some("chains"))];
        let audiences = Audience::of(&line);
        assert_eq!(audiences, [company(1), company(2), company(3), hotels, Audience::Everyone]);
        assert_eq!(Audience::of(&[member(1, None)]), [company(1), Audience::Everyone]);
    }
}
