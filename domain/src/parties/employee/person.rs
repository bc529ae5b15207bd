//! Somebody at work: the role, the limits, for what they order, and who stands in for them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, Error, Event, Profile};
use crate::{
    kernel::{
        AddressId, CompanyId, CostCentre, Currency, Destination, EmployeeId, Money, Percent, day,
    },
    parties::Role,
};

/// Somebody at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// The id.
    pub id: EmployeeId,
    /// At which company; `None` at the seller.
    pub company: Option<CompanyId>,
    /// Name and address.
    pub profile: Profile,
    /// What they do.
    pub role: Role,
    /// What they may spend without asking.
    pub limits: BTreeMap<Period, BTreeMap<Currency, Money>>,
    /// What they may take off prices without asking.
    pub discount: DiscountLimit,
    /// For what they order.
    pub scope: Scope,
    /// Who stands in for them, and when.
    pub absence: Option<Absence>,
}

/// For what time a limit on spending is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SpendingPeriod")]
pub enum Period {
    /// Each order by itself.
    Order,
    /// All orders of a day.
    Day,
    /// All orders of a calendar month.
    Month,
}

impl Period {
    /// Every period.
    pub const ALL: [Self; 3] = [Self::Order, Self::Day, Self::Month];
}

/// How much somebody may take off prices without asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DiscountLimit {
    /// As much as they like.
    #[default]
    Free,
    /// So much of what agreements and lists make of each line.
    UpTo {
        /// How much.
        percent: Percent,
    },
    /// Nothing.
    Nothing,
}

impl DiscountLimit {
    /// Whether a discount is within it.
    pub fn allows(self, discount: Percent) -> bool {
        match self {
            Self::Free => true,
            Self::UpTo { percent } => discount <= percent,
            Self::Nothing => false,
        }
    }
}

/// For what somebody orders; an empty set names no bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrderingScope")]
pub struct Scope {
    /// To which delivery addresses.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<AddressId>,
    /// For which cost centres.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cost_centres: BTreeSet<CostCentre>,
}

impl Scope {
    /// How many of each can be named.
    pub const MOST: usize = 200;

    /// Refuses a destination that is not among those named.
    pub fn admits(&self, destination: &Destination) -> Result<(), Error> {
        let Destination { address, cost_centre } = destination;
        let must = |is_bound: bool, is_named: bool, what| {
            if is_bound && !is_named { Err(Error::OutsideScope { what }) } else { Ok(()) }
        };
        let named = address.as_ref().is_some_and(|one| self.addresses.contains(one));
        must(!self.addresses.is_empty(), named, "delivery addresses")?;
        let named = cost_centre.as_ref().is_some_and(|one| one.is_among(&self.cost_centres));
        must(!self.cost_centres.is_empty(), named, "cost centres")
    }
}

/// Who decides while somebody is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EmployeeAbsence")]
pub struct Absence {
    /// Who stands in.
    pub substitute: EmployeeId,
    /// The first day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Date,
    /// The last.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
}

impl Person {
    pub(super) fn new(
        id: EmployeeId,
        company: Option<CompanyId>,
        profile: Profile,
        role: Role,
    ) -> Self {
        Self {
            id,
            company,
            profile,
            role,
            limits: BTreeMap::new(),
            discount: DiscountLimit::default(),
            scope: Scope::default(),
            absence: None,
        }
    }

    /// What may be spent without asking; `None` is as much as they like. Who has a limit in one
    /// currency has one of nothing in the others: an order in euros does not evade one in złoty.
    pub fn limit(&self, per: Period, currency: Currency) -> Option<Money> {
        let limits = self.limits.get(&per).filter(|limits| !limits.is_empty())?;
        Some(limits.get(&currency).copied().unwrap_or_else(|| Money::zero(currency)))
    }

    /// Whether their role can represent the seller to companies.
    pub fn can_represent_companies(&self) -> bool {
        self.company.is_none() && self.role.sells()
    }

    /// Who stands in for them on this day; `None` when they are there.
    pub fn substitute(&self, on: Date) -> Option<EmployeeId> {
        let Absence { substitute, from, until } = self.absence?;
        (from..=until).contains(&on).then_some(substitute)
    }

    /// Whether another decides for them on this day.
    pub fn is_replaced_by(&self, other: EmployeeId, on: Date) -> bool {
        self.substitute(on) == Some(other)
    }

    /// What a command changes; nothing when it is so already.
    pub(super) fn decide(&self, command: Command) -> Result<Option<Event>, Error> {
        Ok(match command {
            Command::Engage { .. } => return Err(Error::AlreadyEngaged),
            Command::NoteProfile { profile } => {
                (self.profile != profile).then_some(Event::ProfileNoted { profile })
            }
            Command::AssignRole { role } if role.is_buyer() != self.company.is_some() => {
                return Err(Error::RoleDoesNotFit);
            }
            Command::AssignRole { role } => {
                (self.role != role).then_some(Event::RoleAssigned { role })
            }
            Command::GrantLimit { per, limit } => self.grant(per, limit)?,
            Command::LiftLimit { per, currency } => {
                let is_set = self.limits.get(&per).is_some_and(|set| set.contains_key(&currency));
                is_set.then_some(Event::LimitLifted { per, currency })
            }
            Command::LimitDiscount { .. } if self.company.is_some() => {
                return Err(Error::LimitDoesNotFit);
            }
            Command::LimitDiscount { limit } => {
                (self.discount != limit).then_some(Event::DiscountLimited { limit })
            }
            Command::Restrict { scope } => {
                if scope.addresses.len() > Scope::MOST || scope.cost_centres.len() > Scope::MOST {
                    return Err(Error::ScopeTooWide);
                }
                (self.scope != scope).then_some(Event::Restricted { scope })
            }
            Command::NameSubstitute { absence } => self.name_substitute(absence)?,
            Command::DismissSubstitute => self.absence.map(|_| Event::SubstituteDismissed {}),
            Command::Leave => Some(Event::Left {}),
        })
    }

    fn grant(&self, per: Period, limit: Money) -> Result<Option<Event>, Error> {
        if self.company.is_none() {
            return Err(Error::LimitDoesNotFit);
        }
        if limit.is_negative() {
            return Err(Error::NegativeLimit);
        }
        limit.within_ceiling()?;
        let present = self.limits.get(&per).and_then(|limits| limits.get(&limit.currency()));
        Ok((present != Some(&limit)).then_some(Event::LimitGranted { per, limit }))
    }

    fn name_substitute(&self, absence: Absence) -> Result<Option<Event>, Error> {
        let Absence { substitute, from, until } = absence;
        if substitute == self.id {
            return Err(Error::OwnSubstitute);
        }
        if day::checked(until)? < day::checked(from)? {
            return Err(Error::EndsBeforeItBegins);
        }
        Ok((self.absence != Some(absence)).then_some(Event::SubstituteNamed { absence }))
    }

    pub(super) fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::ProfileNoted { profile } => self.profile = profile,
            Event::RoleAssigned { role } => self.role = role,
            Event::LimitGranted { per, limit } => {
                self.limits.entry(per).or_default().insert(limit.currency(), limit);
            }
            Event::LimitLifted { per, currency } => {
                if let Some(limits) = self.limits.get_mut(&per) {
                    limits.remove(&currency);
                }
            }
            Event::DiscountLimited { limit } => self.discount = limit,
            Event::Restricted { scope } => self.scope = scope,
            Event::SubstituteNamed { absence } => self.absence = Some(absence),
            Event::SubstituteDismissed {} => self.absence = None,
            // Of these `Employee` makes another state.
            Event::Engaged { .. } | Event::Left {} => {}
        }
        self
    }
}
