//! An employee of a company or of the seller, with a role and limits.

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

/// The state of an employee.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Employee {
    /// Not engaged.
    #[default]
    Unengaged,
    /// Engaged.
    Engaged(Box<Person>),
    /// Gone for good.
    Left {
        /// The former company; `None`: the seller.
        company: Option<CompanyId>,
    },
}

/// The commands of an employee.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Engage an employee.
    Engage {
        /// The id.
        id: EmployeeId,
        /// The company; `None`: the seller.
        company: Option<CompanyId>,
        /// Who it is.
        profile: Profile,
        /// In which role.
        role: Role,
    },
    /// Change the name or e-mail address.
    NoteProfile {
        /// Who it is.
        profile: Profile,
    },
    /// Change the role.
    AssignRole {
        /// Which.
        role: Role,
    },
    /// Set a spending limit.
    GrantLimit {
        /// In one order, a day or a month.
        per: Period,
        /// How much, net, in its currency.
        limit: Money,
    },
    /// Remove a spending limit.
    LiftLimit {
        /// Which one.
        per: Period,
        /// In which currency.
        currency: Currency,
    },
    /// Set the discount limit.
    LimitDiscount {
        /// How much.
        limit: DiscountLimit,
    },
    /// Set the scope: the delivery addresses and cost centres for orders.
    Restrict {
        /// For which.
        scope: Scope,
    },
    /// Set a substitute for a period.
    NameSubstitute {
        /// Who, and when.
        absence: Absence,
    },
    /// Remove the substitute.
    DismissSubstitute,
    /// Leave.
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
    /// The id is used already.
    #[error("the employee was already engaged")]
    AlreadyEngaged,
    /// There is no such employee.
    #[error("there is no such employee")]
    Unengaged,
    /// Gone for good.
    #[error("the employee has left")]
    Left,
    /// The role does not fit the employer.
    #[error("a company's people are company_admin, purchaser or approver, the seller's are not")]
    RoleDoesNotFit,
    /// The limit does not fit the role: buyers have spending limits, sellers discount limits.
    #[error("a company's people have limits on spending, the seller's on discounts")]
    LimitDoesNotFit,
    /// A negative limit.
    #[error("a limit is not negative")]
    NegativeLimit,
    /// Too many entries in the scope.
    #[error("an employee orders for at most {} addresses and as many cost centres", Scope::MOST)]
    ScopeTooWide,
    /// The order is outside their scope.
    #[error("the employee orders only for the {what} that were named")]
    OutsideScope {
        /// Delivery addresses or cost centres.
        what: &'static str,
    },
    /// An employee cannot be their own substitute.
    #[error("a substitute is somebody else")]
    OwnSubstitute,
    /// The period ends before it begins.
    #[error("an absence does not end before it begins")]
    EndsBeforeItBegins,
    /// The limit exceeds the largest order.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The day is outside the supported range.
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
            // `decide` records nothing more.
            (employee @ (Self::Unengaged | Self::Left { .. }), _) => employee,
        }
    }

    /// The person, while engaged.
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
