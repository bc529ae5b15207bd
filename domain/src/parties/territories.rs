//! Territories: the assignment of the seller's representatives to companies. Requests of the
//! companies of a territory are assigned to its representatives in rotation.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    kernel::{
        CompanyId, CountryCode, EmployeeId, GroupCode, Name, OfCompany, QuotationRequestId,
        Reference, Refusal, RefusalKind, TerritoriesId, aggregate::aggregate,
    },
    parties::employee::Person,
};

/// The state of the territories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Territories {
    drawn: Map,
    /// By territory, the representatives that had a request, the least recent first.
    turns: BTreeMap<Name, Vec<EmployeeId>>,
    /// The same for requests outside all territories.
    turns_everywhere: Vec<EmployeeId>,
    /// The last assignment.
    latest: Option<(QuotationRequestId, EmployeeId)>,
}

/// All territories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Territories")]
pub struct Map {
    /// In their order: the first that fits counts.
    pub territories: Vec<Territory>,
    /// Who looks after those whom no territory fits, and those in whose territory nobody is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub everywhere: Vec<EmployeeId>,
}

/// Some companies, and who looks after them. It fits where all that it names fits; what is not
/// named fits always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Territory {
    /// What it is called.
    pub name: Name,
    /// Companies of these groups.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<GroupCode>,
    /// Those in these countries.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<CountryCode>,
    /// Those whose postal codes begin so, such as `80` or `80-0`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub postal_codes: BTreeSet<Reference>,
    /// These, and the firms below them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub companies: BTreeSet<CompanyId>,
    /// Who looks after them, in turn.
    pub representatives: Vec<EmployeeId>,
}

/// The facts of a company that territories are matched against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquirer {
    /// Itself and the companies above it, nearest first.
    pub line: Vec<CompanyId>,
    /// The group whose prices it shares.
    pub group: Option<GroupCode>,
    /// Where it is, as far as that is known.
    pub country: Option<CountryCode>,
    /// The same.
    pub postal_code: Option<Reference>,
}

/// The commands of territories.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Replace all territories. The caller has checked the roles of the representatives.
    Draw {
        /// All of them.
        map: Map,
    },
    /// Assign a request to the next representative; to nobody if none is available.
    Assign {
        /// Which one.
        request: QuotationRequestId,
        /// Whose it is.
        inquirer: Inquirer,
        /// The candidates and their substitutes, if they are employees of the seller.
        people: Vec<Person>,
        /// The day.
        on: Date,
    },
}

/// What happened to territories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// These hold from now on.
    Drawn {
        /// All of them.
        map: Map,
    },
    /// Somebody got a request.
    Assigned {
        /// Which one.
        request: QuotationRequestId,
        /// Who.
        representative: EmployeeId,
        /// In which territory; missing where none fitted, or nobody was there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        territory: Option<Name>,
    },
}

aggregate!(Territories, "territories", {
    Drawn => "drawn" v 1,
    Assigned => "assigned" v 1,
});

/// Why territories are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many territories.
    #[error("there are at most {} territories", Territories::MOST)]
    TooMany,
    /// A territory is invalid.
    #[error("{flaw}")]
    Territory {
        /// Which one, counted from 0.
        place: usize,
        /// Why not.
        flaw: Flaw,
    },
    /// The representatives outside all territories are invalid.
    #[error("{flaw}")]
    Everywhere {
        /// Why not.
        flaw: Flaw,
    },
}

/// Why a territory is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its name is used twice.
    #[error("another territory has the same name")]
    SameName,
    /// It has no representatives, or too many.
    #[error("a territory has 1 to {} representatives", Territory::MOST_REPRESENTATIVES)]
    RepresentativeCount,
    /// A representative is named twice.
    #[error("nobody is named twice in one territory")]
    NamedTwice,
    /// It has too many conditions.
    #[error("a territory names at most {} of each kind", Territory::MOST_NAMED)]
    TooWide,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::TooMany => "territories.too_many",
            Self::Territory { flaw, .. } | Self::Everywhere { flaw } => match flaw {
                Flaw::SameName => "territories.same_name",
                Flaw::RepresentativeCount => "territories.representative_count",
                Flaw::NamedTwice => "territories.named_twice",
                Flaw::TooWide => "territories.too_wide",
            },
        }
    }

    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }
}

impl Territories {
    /// The most territories.
    pub const MOST: usize = 200;

    /// Every rule of territories.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Draw { map } => {
                map.check()?;
                Ok(if self.drawn == map { vec![] } else { vec![Event::Drawn { map }] })
            }
            Command::Assign { request, .. } if self.assigned(request).is_some() => Ok(vec![]),
            Command::Assign { request, inquirer, people, on } => {
                let turn = self.turn(&inquirer, &people, on);
                let assigned = turn.map(|(territory, representative)| {
                    let territory = territory.cloned();
                    Event::Assigned { request, representative, territory }
                });
                Ok(assigned.into_iter().collect())
            }
        }
    }

    fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::Drawn { map } => {
                self.turns.retain(|name, _| map.territories.iter().any(|one| one.name == *name));
                self.drawn = map;
            }
            Event::Assigned { request, representative, territory } => {
                let turns = match territory {
                    Some(name) => self.turns.entry(name).or_default(),
                    None => &mut self.turns_everywhere,
                };
                turns.retain(|one| *one != representative);
                turns.push(representative);
                // Removed entries are treated like representatives that never had a request.
                let forgotten = turns.len().saturating_sub(Self::MOST_REMEMBERED);
                turns.drain(..forgotten);
                self.latest = Some((request, representative));
            }
        }
        self
    }

    /// Twice the number of representatives: each one and their substitute.
    const MOST_REMEMBERED: usize = 2 * Territory::MOST_REPRESENTATIVES;

    /// The candidates for a company, whether they are present or not.
    pub fn candidates(&self, inquirer: &Inquirer) -> impl Iterator<Item = EmployeeId> {
        let theirs = self.drawn.fitting(inquirer).map(|territory| &territory.representatives);
        theirs.into_iter().chain([&self.drawn.everywhere]).flatten().copied()
    }

    /// The next representative for a company: of those present on that day, the one whose last
    /// request in that territory is the least recent.
    pub fn representative(
        &self,
        inquirer: &Inquirer,
        people: &[Person],
        on: Date,
    ) -> Option<EmployeeId> {
        self.turn(inquirer, people, on).map(|(_, representative)| representative)
    }

    /// The representative of the last assignment.
    pub fn assigned(&self, request: QuotationRequestId) -> Option<EmployeeId> {
        self.latest.filter(|(given, _)| *given == request).map(|(_, representative)| representative)
    }

    fn turn(
        &self,
        inquirer: &Inquirer,
        people: &[Person],
        on: Date,
    ) -> Option<(Option<&Name>, EmployeeId)> {
        let there = || {
            let Territory { name, representatives, .. } = self.drawn.fitting(inquirer)?;
            let turns = self.turns.get(name).map_or(&[][..], Vec::as_slice);
            Some((Some(name), next(representatives, turns, people, on)?))
        };
        let everywhere = || {
            let next = next(&self.drawn.everywhere, &self.turns_everywhere, people, on)?;
            Some((None, next))
        };
        there().or_else(everywhere)
    }
}

/// The least recent one; among those without a request, the first one named.
fn next(
    representatives: &[EmployeeId],
    turns: &[EmployeeId],
    people: &[Person],
    on: Date,
) -> Option<EmployeeId> {
    let seller =
        |id: EmployeeId| people.iter().find(|one| one.id == id && one.can_represent_companies());
    let there = representatives.iter().filter_map(|&id| {
        let Some(substitute) = seller(id)?.substitute(on) else { return Some(id) };
        // One of the others is named once more by this, and still has one turn.
        seller(substitute)?.substitute(on).is_none().then_some(substitute)
    });
    there.min_by_key(|id| turns.iter().position(|had| had == id).map_or(0, |place| place + 1))
}

impl Map {
    /// The matching territory: first one that names the company or the nearest company above it;
    /// else the first match.
    fn fitting(&self, inquirer: &Inquirer) -> Option<&Territory> {
        let fitting = self.territories.iter().filter_map(|territory| {
            territory.distance(inquirer).map(|distance| (distance, territory))
        });
        fitting.min_by_key(|(distance, _)| *distance).map(|(_, territory)| territory)
    }

    /// All employees that they name.
    pub fn representatives(&self) -> impl Iterator<Item = EmployeeId> {
        let named = self.territories.iter().map(|territory| &territory.representatives);
        named.chain([&self.everywhere]).flatten().copied()
    }

    fn check(&self) -> Result<(), Error> {
        if self.territories.len() > Territories::MOST {
            return Err(Error::TooMany);
        }
        let mut names = BTreeSet::new();
        for (place, territory) in self.territories.iter().enumerate() {
            let is_new = names.insert(&territory.name);
            let checked = if is_new { territory.check() } else { Err(Flaw::SameName) };
            checked.map_err(|flaw| Error::Territory { place, flaw })?;
        }
        let checked = if self.everywhere.len() > Territory::MOST_REPRESENTATIVES {
            Err(Flaw::RepresentativeCount)
        } else {
            all_differ(&self.everywhere)
        };
        checked.map_err(|flaw| Error::Everywhere { flaw })
    }
}

impl Territory {
    /// The most representatives of a territory.
    pub const MOST_REPRESENTATIVES: usize = 100;
    /// The most groups, countries, postal codes or companies of a territory.
    pub const MOST_NAMED: usize = 1_000;

    /// How far from the company the company is that it names, and more than that when it names none;
    /// `None` when it does not fit.
    fn distance(&self, inquirer: &Inquirer) -> Option<usize> {
        let Inquirer { line, group, country, postal_code } = inquirer;
        let fits = among(&self.groups, |one| group.as_ref() == Some(one))
            && among(&self.countries, |one| country.as_ref() == Some(one))
            && among(&self.postal_codes, |begin| {
                postal_code.as_ref().is_some_and(|code| code.as_str().starts_with(begin.as_str()))
            });
        let named = if self.companies.is_empty() {
            Some(usize::MAX)
        } else {
            line.iter().position(|company| self.companies.contains(company))
        };
        named.filter(|_| fits)
    }

    fn check(&self) -> Result<(), Flaw> {
        let named = [
            self.groups.len(),
            self.countries.len(),
            self.postal_codes.len(),
            self.companies.len(),
        ];
        if named.into_iter().any(|named| named > Self::MOST_NAMED) {
            return Err(Flaw::TooWide);
        }
        if !(1..=Self::MOST_REPRESENTATIVES).contains(&self.representatives.len()) {
            return Err(Flaw::RepresentativeCount);
        }
        all_differ(&self.representatives)
    }
}

/// Whether one of the named values matches, or none is named.
fn among<T>(named: &BTreeSet<T>, fits: impl Fn(&T) -> bool) -> bool {
    named.is_empty() || named.iter().any(fits)
}

fn all_differ(people: &[EmployeeId]) -> Result<(), Flaw> {
    let different: BTreeSet<_> = people.iter().collect();
    if different.len() == people.len() { Ok(()) } else { Err(Flaw::NamedTwice) }
}

impl TerritoriesId {
    /// Those of the seller.
    pub fn sellers() -> Self {
        Self(Uuid::new_v5(&Uuid::nil(), b"territories"))
    }
}

impl OfCompany for Territories {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests;
