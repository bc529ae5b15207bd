//! An employee: somebody who works for a company or for the seller, in a role and within limits.

mod person;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        CompanyId, Currency, Email, EmployeeId, Money, Name, OfCompany, aggregate::aggregate,
        day::DayError, money::MoneyError, refusal::refusals,
    },
    parties::Role,
};

pub use self::person::{Absence, DiscountLimit, Period, Person, Scope};

/// What decisions need to know of an employee.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Employee {
    /// Nobody yet.
    #[default]
    Unengaged,
    /// At work.
    Engaged(Box<Person>),
    /// Gone for good.
    Left {
        /// From which company; `None` from the seller.
        company: Option<CompanyId>,
    },
}

/// What can be asked of an employee.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Take somebody on.
    Engage {
        /// The id.
        id: EmployeeId,
        /// At which company; `None` at the seller.
        company: Option<CompanyId>,
        /// Who it is.
        profile: Profile,
        /// In which role.
        role: Role,
    },
    /// Note another name or address.
    NoteProfile {
        /// Who it is.
        profile: Profile,
    },
    /// Give another role.
    AssignRole {
        /// Which.
        role: Role,
    },
    /// Let so much be spent without asking.
    GrantLimit {
        /// In one order, a day or a month.
        per: Period,
        /// How much, net, in its currency.
        limit: Money,
    },
    /// Set no limit.
    LiftLimit {
        /// Which one.
        per: Period,
        /// In which currency.
        currency: Currency,
    },
    /// Let so much be taken off prices without asking.
    LimitDiscount {
        /// How much.
        limit: DiscountLimit,
    },
    /// Let goods be ordered only for these.
    Restrict {
        /// For which.
        scope: Scope,
    },
    /// Let somebody else decide in the meantime.
    NameSubstitute {
        /// Who, and when.
        absence: Absence,
    },
    /// Let nobody else decide any more.
    DismissSubstitute,
    /// Go for good.
    Leave,
}

/// Who an employee is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EmployeeProfile")]
pub struct Profile {
    /// First and last name.
    pub name: Name,
    /// Where mail reaches.
    pub email: Email,
}

/// What happened to an employee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Somebody was taken on.
    Engaged {
        /// The id.
        id: EmployeeId,
        /// At which company; missing at the seller.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        company: Option<CompanyId>,
        /// Who it is.
        profile: Profile,
        /// In which role.
        role: Role,
    },
    /// The name or the address is another one.
    ProfileNoted {
        /// Who it is.
        profile: Profile,
    },
    /// The role is another one.
    RoleAssigned {
        /// Which.
        role: Role,
    },
    /// So much can be spent without asking.
    LimitGranted {
        /// In one order, a day or a month.
        per: Period,
        /// How much, net, in its currency.
        limit: Money,
    },
    /// There is no such limit any more.
    LimitLifted {
        /// Which one.
        per: Period,
        /// In which currency.
        currency: Currency,
    },
    /// So much can be taken off prices without asking.
    DiscountLimited {
        /// How much.
        limit: DiscountLimit,
    },
    /// Goods can be ordered only for these.
    Restricted {
        /// For which.
        scope: Scope,
    },
    /// Somebody else decides in the meantime.
    SubstituteNamed {
        /// Who, and when.
        absence: Absence,
    },
    /// Nobody else decides any more.
    SubstituteDismissed {},
    /// Gone for good.
    Left {},
}

aggregate!(Employee, "employee", {
    Engaged => "engaged" v 1,
    ProfileNoted => "profile_noted" v 1,
    RoleAssigned => "role_assigned" v 1,
    LimitGranted => "limit_granted" v 1,
    LimitLifted => "limit_lifted" v 1,
    DiscountLimited => "discount_limited" v 1,
    Restricted => "restricted" v 1,
    SubstituteNamed => "substitute_named" v 1,
    SubstituteDismissed => "substitute_dismissed" v 1,
    Left => "left" v 1,
});

/// Why an employee refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id belongs to somebody already.
    #[error("the employee was already engaged")]
    AlreadyEngaged,
    /// There is no such employee.
    #[error("there is no such employee")]
    Unengaged,
    /// Gone for good.
    #[error("the employee has left")]
    Left,
    /// A buyer's role at the seller, or the other way round.
    #[error("a company's people are company_admin, purchaser or approver, the seller's are not")]
    RoleDoesNotFit,
    /// Buyers spend, sellers give discounts.
    #[error("a company's people have limits on spending, the seller's on discounts")]
    LimitDoesNotFit,
    /// A limit below nothing.
    #[error("a limit is not negative")]
    NegativeLimit,
    /// More places than anybody looks after.
    #[error("an employee orders for at most {} addresses and as many cost centres", Scope::MOST)]
    ScopeTooWide,
    /// Such an order is not theirs to place.
    #[error("the employee orders only for the {what} that were named")]
    OutsideScope {
        /// Delivery addresses or cost centres.
        what: &'static str,
    },
    /// Nobody stands in for themselves.
    #[error("a substitute is somebody else")]
    OwnSubstitute,
    /// It would end before it begins.
    #[error("an absence does not end before it begins")]
    EndsBeforeItBegins,
    /// A limit beyond what any order may come to.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// No paper bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    AlreadyEngaged => ("employee.already_engaged", State),
    Unengaged => ("employee.unengaged", Missing),
    Left => ("employee.left", State),
    RoleDoesNotFit => ("employee.role_does_not_fit", Invalid),
    LimitDoesNotFit => ("employee.limit_does_not_fit", Invalid),
    NegativeLimit => ("employee.negative_limit", Invalid),
    ScopeTooWide => ("employee.scope_too_wide", Invalid),
    OutsideScope => ("employee.outside_scope", State),
    OwnSubstitute => ("employee.own_substitute", Invalid),
    EndsBeforeItBegins => ("employee.ends_before_it_begins", Invalid),
    Money => (inner, Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl Employee {
    /// Every rule of an employee.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Unengaged, Command::Engage { id, company, profile, role }) => {
                if role.is_buyer() == company.is_some() {
                    Ok(vec![Event::Engaged { id, company, profile, role }])
                } else {
                    Err(Error::RoleDoesNotFit)
                }
            }
            (Self::Engaged(_) | Self::Left { .. }, Command::Engage { .. }) => {
                Err(Error::AlreadyEngaged)
            }
            (Self::Unengaged, _) => Err(Error::Unengaged),
            (Self::Left { .. }, Command::Leave) => Ok(vec![]),
            (Self::Left { .. }, _) => Err(Error::Left),
            (Self::Engaged(person), command) => Ok(person.decide(command)?.into_iter().collect()),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Engaged { id, company, profile, role }) => {
                Self::Engaged(Box::new(Person::new(id, company, profile, role)))
            }
            (Self::Engaged(person), Event::Left {}) => Self::Left { company: person.company },
            (Self::Engaged(person), event) => Self::Engaged(Box::new(person.evolve(event))),
            // `decide` writes nothing more.
            (employee @ (Self::Unengaged | Self::Left { .. }), _) => employee,
        }
    }

    /// Who it is, while at work.
    pub fn person(&self) -> Result<&Person, Error> {
        match self {
            Self::Unengaged => Err(Error::Unengaged),
            Self::Engaged(person) => Ok(person),
            Self::Left { .. } => Err(Error::Left),
        }
    }

    /// Refuses an id that belongs to nobody, and says for whom somebody works or worked: `None` is
    /// the seller.
    pub fn employer(&self) -> Result<Option<CompanyId>, Error> {
        match self {
            Self::Unengaged => Err(Error::Unengaged),
            Self::Engaged(person) => Ok(person.company),
            Self::Left { company } => Ok(*company),
        }
    }
}

impl OfCompany for Employee {
    fn company(&self) -> Option<CompanyId> {
        self.employer().ok().flatten()
    }
}

#[cfg(test)]
mod tests;
