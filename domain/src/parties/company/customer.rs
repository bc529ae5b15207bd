//! A customer: its standing, its terms, its places and accounts, and its place among other companies.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, Company, CreditTerms, Error, Event, Profile};
use crate::{
    kernel::{
        ActorId, Address, AddressId, CompanyId, Currency, GroupCode, Iban, Money, Name, Nip, Note,
        PaymentTerm, VatNumber, day,
    },
    parties::white_list::Listed,
};

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// Its id.
    pub id: CompanyId,
    /// Legal name.
    pub name: Name,
    /// Its number at the Polish tax office; `None` for one abroad.
    pub nip: Option<Nip>,
    /// How the seller stands to it.
    pub standing: Standing,
    /// Its own term; `None` when that of the company above it holds.
    pub payment_term: Option<PaymentTerm>,
    /// The firm it belongs to.
    pub parent: Option<CompanyId>,
    /// The group whose prices and assortment it shares.
    pub group: Option<GroupCode>,
    /// By which it is known in trade between member states.
    pub vat_number: Option<VatNumber>,
    /// Where its invoices go.
    pub billing_address: Option<Address>,
    /// Where its goods go.
    pub delivery_addresses: BTreeMap<AddressId, DeliveryAddress>,
    /// From and to which it pays.
    pub bank_accounts: BTreeMap<Iban, Option<Check>>,
    /// How much it may owe, in each currency; none means nothing is set.
    pub credit_limits: BTreeMap<Currency, Money>,
    /// On which other terms it buys on credit.
    pub credit_terms: CreditTerms,
}

/// What the VAT white list said of an account last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BankAccountCheck")]
pub struct Check {
    /// Of which day the list was; it says nothing about others.
    #[schemars(with = "String", extend("format" = "date"))]
    pub list_of: Date,
    /// As what the account was found; nothing when it was not.
    pub listed: Option<Listed>,
}

/// How the seller stands to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "CompanyStanding")]
pub enum Standing {
    /// It has come; nobody has looked at its papers yet.
    Registered,
    /// Its papers were looked at.
    Verified {
        /// When.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
    /// It buys nothing until this is settled.
    Suspended {
        /// Why.
        reason: Note,
        /// Whether it was verified before, and when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        verified_on: Option<Date>,
    },
}

/// A place to which goods go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryAddress {
    /// What the company calls it, such as "back door".
    pub label: Name,
    /// Where it is.
    pub address: Address,
}

impl Customer {
    pub(super) fn new(id: CompanyId, profile: Profile, payment_term: PaymentTerm) -> Self {
        Self {
            id,
            name: profile.name,
            nip: profile.tax_id.nip().cloned(),
            standing: Standing::Registered,
            payment_term: Some(payment_term),
            parent: None,
            group: None,
            vat_number: None,
            billing_address: None,
            delivery_addresses: BTreeMap::new(),
            bank_accounts: BTreeMap::new(),
            credit_limits: BTreeMap::new(),
            credit_terms: CreditTerms::default(),
        }
    }

    /// What a command changes; nothing when it is so already.
    pub(super) fn decide(&self, command: Command) -> Result<Option<Event>, Error> {
        Ok(match command {
            Command::Register { .. } => return Err(Error::AlreadyRegistered),
            Command::Rename { name } => (self.name != name).then_some(Event::Renamed { name }),
            Command::Verify { by, on } => self.verify(by, on)?,
            Command::Suspend { reason } => match &self.standing {
                Standing::Suspended { reason: present, .. } if *present == reason => None,
                _ => Some(Event::Suspended { reason }),
            },
            Command::Reinstate => match &self.standing {
                Standing::Suspended { .. } => Some(Event::Reinstated {}),
                Standing::Registered | Standing::Verified { .. } => None,
            },
            Command::AgreePaymentTerm { payment_term } => (self.payment_term != Some(payment_term))
                .then_some(Event::PaymentTermAgreed { payment_term }),
            Command::InheritPaymentTerm if self.parent.is_none() => return Err(Error::NoParent),
            Command::InheritPaymentTerm => {
                self.payment_term.is_some().then_some(Event::PaymentTermInherited {})
            }
            Command::NoteVatNumber { vat_number } => (self.vat_number.as_ref()
                != Some(&vat_number))
            .then_some(Event::VatNumberNoted { vat_number }),
            Command::MoveBilling { address } => (self.billing_address.as_ref() != Some(&address))
                .then_some(Event::BillingMoved { address }),
            Command::AddDeliveryAddress { id, place } => self.add_delivery_address(id, place)?,
            Command::DropDeliveryAddress { id } if !self.delivery_addresses.contains_key(&id) => {
                return Err(Error::NoSuchAddress);
            }
            Command::DropDeliveryAddress { id } => Some(Event::DeliveryAddressDropped { id }),
            Command::AddBankAccount { account } => self.add_bank_account(account)?,
            Command::DropBankAccount { account } => self
                .bank_accounts
                .contains_key(&account)
                .then_some(Event::BankAccountDropped { account }),
            Command::CheckBankAccount { account, list_of, listed } => {
                self.check_bank_account(account, Check { list_of, listed })?
            }
            Command::JoinGroup { group } if self.group == group => None,
            Command::JoinGroup { group } => {
                Some(group.map_or(Event::GroupLeft {}, |group| Event::GroupJoined { group }))
            }
            Command::JoinParent { above, below } => self.join_parent(&above, below)?,
            Command::GrantCredit { limit } if limit.is_negative() => {
                return Err(Error::NegativeLimit);
            }
            Command::GrantCredit { limit } => {
                limit.within_ceiling()?;
                let present = self.credit_limits.get(&limit.currency());
                (present != Some(&limit)).then_some(Event::CreditGranted { limit })
            }
            Command::LiftCreditLimit { currency } => self
                .credit_limits
                .contains_key(&currency)
                .then_some(Event::CreditLimitLifted { currency }),
            Command::AgreeCreditGrace { days } => self.credit_terms.agree_grace(days),
            Command::LiftCreditGrace => self.credit_terms.lift_grace(),
            Command::RequirePrepayment => self.credit_terms.require_prepayment(),
            Command::WaivePrepayment => self.credit_terms.waive_prepayment(),
            Command::AgreeMinimumOrder { minimum } => {
                self.credit_terms.agree_minimum_order(minimum)?
            }
            Command::LiftMinimumOrder { currency } => {
                self.credit_terms.lift_minimum_order(currency)
            }
        })
    }

    fn verify(&self, by: ActorId, on: Date) -> Result<Option<Event>, Error> {
        match &self.standing {
            Standing::Registered => Ok(Some(Event::Verified { by, on: day::checked(on)? })),
            Standing::Verified { .. } => Ok(None),
            Standing::Suspended { reason, .. } => {
                Err(Error::Suspended { name: self.name.clone(), reason: reason.clone() })
            }
        }
    }

    fn add_delivery_address(
        &self,
        id: AddressId,
        place: DeliveryAddress,
    ) -> Result<Option<Event>, Error> {
        let present = self.delivery_addresses.get(&id);
        if present == Some(&place) {
            return Ok(None);
        }
        if present.is_none() && self.delivery_addresses.len() >= Company::MOST_ADDRESSES {
            return Err(Error::TooMany {
                what: "delivery addresses",
                most: Company::MOST_ADDRESSES,
            });
        }
        Ok(Some(Event::DeliveryAddressAdded { id, place }))
    }

    fn add_bank_account(&self, account: Iban) -> Result<Option<Event>, Error> {
        if self.bank_accounts.contains_key(&account) {
            return Ok(None);
        }
        if self.bank_accounts.len() >= Company::MOST_ACCOUNTS {
            return Err(Error::TooMany { what: "bank accounts", most: Company::MOST_ACCOUNTS });
        }
        Ok(Some(Event::BankAccountAdded { account }))
    }

    fn check_bank_account(&self, account: Iban, check: Check) -> Result<Option<Event>, Error> {
        self.listable(&account)?;
        if self.bank_accounts.get(&account) == Some(&Some(check)) {
            return Ok(None);
        }
        let Check { list_of, listed } = check;
        let list_of = day::checked(list_of)?;
        Ok(Some(Event::BankAccountChecked { account, list_of, listed }))
    }

    /// The NIP and the NRB under which the VAT white list could have an account of its.
    pub fn listable<'a>(&'a self, account: &'a Iban) -> Result<(&'a Nip, &'a str), Error> {
        if !self.bank_accounts.contains_key(account) {
            return Err(Error::NoSuchAccount);
        }
        self.nip.as_ref().zip(account.nrb()).ok_or(Error::NotListable)
    }

    fn join_parent(&self, above: &[CompanyId], below: usize) -> Result<Option<Event>, Error> {
        if above.contains(&self.id) {
            return Err(Error::ParentIsBelow);
        }
        // To belong to nobody stays possible, whatever an older build let grow below it.
        if !above.is_empty() && above.len() + below > Company::MOST_ABOVE {
            return Err(Error::TooDeep);
        }
        Ok(match (above.first(), self.parent) {
            (Some(parent), Some(present)) if *parent == present => None,
            (Some(parent), _) => Some(Event::ParentJoined { parent: *parent }),
            // Without a company above it, it needs a term of its own.
            (None, Some(_)) if self.payment_term.is_none() => return Err(Error::NoParent),
            (None, Some(_)) => Some(Event::ParentLeft {}),
            (None, None) => None,
        })
    }

    pub(super) fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::Registered { .. } => {}
            Event::Renamed { name } => self.name = name,
            Event::Verified { on, .. } => self.standing = Standing::Verified { on },
            Event::Suspended { reason } => {
                let verified_on = match self.standing {
                    Standing::Registered => None,
                    Standing::Verified { on } => Some(on),
                    Standing::Suspended { verified_on, .. } => verified_on,
                };
                self.standing = Standing::Suspended { reason, verified_on };
            }
            Event::Reinstated {} => {
                if let Standing::Suspended { verified_on, .. } = self.standing {
                    self.standing =
                        verified_on.map_or(Standing::Registered, |on| Standing::Verified { on });
                }
            }
            Event::PaymentTermAgreed { payment_term } => self.payment_term = Some(payment_term),
            Event::PaymentTermInherited {} => self.payment_term = None,
            Event::VatNumberNoted { vat_number } => self.vat_number = Some(vat_number),
            Event::BillingMoved { address } => self.billing_address = Some(address),
            Event::DeliveryAddressAdded { id, place } => {
                self.delivery_addresses.insert(id, place);
            }
            Event::DeliveryAddressDropped { id } => {
                self.delivery_addresses.remove(&id);
            }
            Event::BankAccountAdded { account } => {
                self.bank_accounts.insert(account, None);
            }
            Event::BankAccountDropped { account } => {
                self.bank_accounts.remove(&account);
            }
            Event::BankAccountChecked { account, list_of, listed } => {
                self.bank_accounts.insert(account, Some(Check { list_of, listed }));
            }
            Event::GroupJoined { group } => self.group = Some(group),
            Event::GroupLeft {} => self.group = None,
            Event::ParentJoined { parent } => self.parent = Some(parent),
            Event::ParentLeft {} => self.parent = None,
            Event::CreditGranted { limit } => {
                self.credit_limits.insert(limit.currency(), limit);
            }
            Event::CreditLimitLifted { currency } => {
                self.credit_limits.remove(&currency);
            }
            Event::CreditGraceAgreed { days } => self.credit_terms.grace = Some(days),
            Event::CreditGraceLifted {} => self.credit_terms.grace = None,
            Event::PrepaymentRequired {} => self.credit_terms.prepayment = true,
            Event::PrepaymentWaived {} => self.credit_terms.prepayment = false,
            Event::MinimumOrderAgreed { minimum } => {
                self.credit_terms.minimum_orders.insert(minimum.currency(), minimum);
            }
            Event::MinimumOrderLifted { currency } => {
                self.credit_terms.minimum_orders.remove(&currency);
            }
        }
        self
    }
}
