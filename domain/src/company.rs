//! A company: a business customer, known by its tax number, with the terms it buys on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CompanyId, Name, OfCompany, PaymentTerm, Reference, Refusal, RefusalKind, TaxId,
    aggregate::aggregate,
};

/// What decisions need to know of a company.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Company {
    /// Nobody yet.
    #[default]
    Unregistered,
    /// A customer.
    Registered {
        /// Its own id.
        id: CompanyId,
        /// When its invoices are due unless a document says otherwise.
        payment_term: PaymentTerm,
    },
}

/// What can be asked of a company.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Take it on as a customer.
    Register {
        /// The id it gets.
        id: CompanyId,
        /// Who it is.
        profile: Profile,
        /// When its invoices are due.
        payment_term: PaymentTerm,
    },
    /// Agree on another payment term for what comes.
    AgreePaymentTerm {
        /// The new term.
        payment_term: PaymentTerm,
    },
}

/// Who a company is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Legal name.
    pub name: Name,
    /// Its number at its tax office; a NIP is checked.
    pub tax_id: TaxId,
    /// The seller's own number of it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// What happened to a company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It became a customer.
    Registered {
        /// Its id.
        id: CompanyId,
        /// Who it is.
        profile: Profile,
        /// When its invoices are due.
        payment_term: PaymentTerm,
    },
    /// Another payment term holds from now on.
    PaymentTermAgreed {
        /// The new term.
        payment_term: PaymentTerm,
    },
}

aggregate!(Company, "company", {
    Registered => "registered" v 1,
    PaymentTermAgreed => "payment_term_agreed" v 1,
});

/// Why a company refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id belongs to a customer already.
    #[error("the company is already registered")]
    AlreadyRegistered,
    /// There is no such customer.
    #[error("there is no such company")]
    Unregistered,
    /// A number of a Polish company that nothing checks.
    #[error("a company registered in Poland has a NIP")]
    NeedsNip,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyRegistered => "company.already_registered",
            Self::Unregistered => "company.unregistered",
            Self::NeedsNip => "company.needs_nip",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::AlreadyRegistered => RefusalKind::State,
            Self::Unregistered => RefusalKind::Missing,
            Self::NeedsNip => RefusalKind::Invalid,
        }
    }
}

impl Company {
    /// Every rule of a company.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Unregistered, Command::Register { profile, .. })
                if profile.tax_id.evades_nip() =>
            {
                Err(Error::NeedsNip)
            }
            (Self::Unregistered, Command::Register { id, profile, payment_term }) => {
                Ok(vec![Event::Registered { id, profile, payment_term }])
            }
            (Self::Registered { .. }, Command::Register { .. }) => Err(Error::AlreadyRegistered),

            (
                Self::Registered { payment_term: present, .. },
                Command::AgreePaymentTerm { payment_term },
            ) => Ok(if *present == payment_term {
                vec![]
            } else {
                vec![Event::PaymentTermAgreed { payment_term }]
            }),
            (Self::Unregistered, Command::AgreePaymentTerm { .. }) => Err(Error::Unregistered),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Registered { id, payment_term, .. }) => {
                Self::Registered { id, payment_term }
            }
            (Self::Registered { id, .. }, Event::PaymentTermAgreed { payment_term }) => {
                Self::Registered { id, payment_term }
            }
            (Self::Unregistered, Event::PaymentTermAgreed { .. }) => Self::Unregistered,
        }
    }

    /// The term on which it buys; an error when it is no customer.
    pub fn payment_term(&self) -> Result<PaymentTerm, Error> {
        match self {
            Self::Unregistered => Err(Error::Unregistered),
            Self::Registered { payment_term, .. } => Ok(*payment_term),
        }
    }
}

impl OfCompany for Company {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unregistered => None,
            Self::Registered { id, .. } => Some(*id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TERM, answer, company};

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<Company>(given, when), then);
    }

    fn profile() -> Profile {
        Profile {
            name: "Hotel Baltica S.A.".parse().unwrap(),
            tax_id: TaxId::Nip { number: "5260250274".parse().unwrap() },
            reference: None,
        }
    }

    fn registered() -> Event {
        Event::Registered { id: company(), profile: profile(), payment_term: TERM }
    }

    #[test]
    fn is_registered_once() {
        let register = Command::Register { id: company(), profile: profile(), payment_term: TERM };
        check(&[], register.clone(), Ok(vec![registered()]));
        check(&[registered()], register, Err(Error::AlreadyRegistered));
    }

    #[test]
    fn of_poland_needs_a_nip() {
        let of = |country: &str| {
            let country = country.to_owned().try_into().unwrap();
            let tax_id = TaxId::Foreign { country, number: "5260250275".parse().unwrap() };
            let profile = Profile { tax_id, ..profile() };
            Command::Register { id: company(), profile, payment_term: TERM }
        };
        check(&[], of("PL"), Err(Error::NeedsNip));
        assert!(answer::<Company>(&[], of("DE")).is_ok());
    }

    #[test]
    fn agrees_on_terms_once_registered() {
        let agree = |payment_term| Command::AgreePaymentTerm { payment_term };
        let agreed = Event::PaymentTermAgreed { payment_term: PaymentTerm::Immediate };
        check(&[], agree(TERM), Err(Error::Unregistered));
        check(&[registered()], agree(TERM), Ok(vec![]));
        check(&[registered()], agree(PaymentTerm::Immediate), Ok(vec![agreed.clone()]));
        check(&[registered(), agreed], agree(PaymentTerm::Immediate), Ok(vec![]));
    }
}
