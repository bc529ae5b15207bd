//! A company: a business customer, known by its tax number, with the terms it buys on and its place
//! among the companies it belongs to.

mod customer;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        ActorId, Address, AddressId, CompanyId, Currency, GroupCode, Iban, Money, Name, Note,
        OfCompany, PaymentTerm, Reference, TaxId, VatNumber, aggregate::aggregate, day::DayError,
        money::MoneyError, refusal::refusals,
    },
    parties::white_list::Listed,
};

pub use self::customer::{Check, Customer, DeliveryAddress, Standing};

/// What decisions need to know of a company.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Company {
    /// Nobody yet.
    #[default]
    Unregistered,
    /// A customer.
    Registered(Box<Customer>),
}

/// What can be asked of a company.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Take it on as a customer.
    Register {
        /// Its id.
        id: CompanyId,
        /// Who it is.
        profile: Profile,
        /// When its invoices are due.
        payment_term: PaymentTerm,
    },
    /// Call it by its new legal name.
    Rename {
        /// The name.
        name: Name,
    },
    /// Vouch for its papers.
    Verify {
        /// Who looked at them.
        by: ActorId,
        /// When.
        on: Date,
    },
    /// Sell it nothing for now.
    Suspend {
        /// Why.
        reason: Note,
    },
    /// Sell to it again.
    Reinstate,
    /// Agree on another payment term.
    AgreePaymentTerm {
        /// The new term.
        payment_term: PaymentTerm,
    },
    /// Let the term of the company above it hold.
    InheritPaymentTerm,
    /// Note its EU VAT number.
    NoteVatNumber {
        /// The number.
        vat_number: VatNumber,
    },
    /// Send its invoices there.
    MoveBilling {
        /// Where.
        address: Address,
    },
    /// Deliver there too.
    AddDeliveryAddress {
        /// The name of the place.
        id: AddressId,
        /// Where it is.
        place: DeliveryAddress,
    },
    /// Deliver there no more.
    DropDeliveryAddress {
        /// The name of the place.
        id: AddressId,
    },
    /// Know an account as its own.
    AddBankAccount {
        /// The account.
        account: Iban,
    },
    /// Know it no more.
    DropBankAccount {
        /// The account.
        account: Iban,
    },
    /// Look an account up on the VAT white list.
    CheckBankAccount {
        /// One of its accounts.
        account: Iban,
        /// Of which day the list was.
        list_of: Date,
        /// As what it was found there.
        listed: Option<Listed>,
    },
    /// Share a group's prices and assortment; `None` shares nobody's.
    JoinGroup {
        /// The group.
        group: Option<GroupCode>,
    },
    /// Belong to another company; `None` belongs to nobody.
    JoinParent {
        /// The company above it, with those above that one, nearest first.
        above: Vec<CompanyId>,
        /// How many levels of companies are below it.
        below: usize,
    },
    /// Let it owe so much in the currency of the limit.
    GrantCredit {
        /// How much.
        limit: Money,
    },
    /// Set no limit in this currency.
    LiftCreditLimit {
        /// Which.
        currency: Currency,
    },
}

/// Who a company is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CompanyProfile")]
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
    /// It has another legal name.
    Renamed {
        /// The name.
        name: Name,
    },
    /// Its papers were looked at.
    Verified {
        /// Who looked at them.
        by: ActorId,
        /// When.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
    /// It is sold nothing for now.
    Suspended {
        /// Why.
        reason: Note,
    },
    /// It is sold to again.
    Reinstated {},
    /// Another payment term holds from now on.
    PaymentTermAgreed {
        /// The new term.
        payment_term: PaymentTerm,
    },
    /// The term of the firm above it holds from now on.
    PaymentTermInherited {},
    /// Its EU VAT number is known.
    VatNumberNoted {
        /// The number.
        vat_number: VatNumber,
    },
    /// Its invoices go there from now on.
    BillingMoved {
        /// Where.
        address: Address,
    },
    /// Goods can go there.
    DeliveryAddressAdded {
        /// The name of the place.
        id: AddressId,
        /// Where it is.
        place: DeliveryAddress,
    },
    /// Goods go there no more.
    DeliveryAddressDropped {
        /// The name of the place.
        id: AddressId,
    },
    /// An account is known as its own.
    BankAccountAdded {
        /// The account.
        account: Iban,
    },
    /// An account is known as its own no more.
    BankAccountDropped {
        /// The account.
        account: Iban,
    },
    /// An account was looked up on the VAT white list.
    BankAccountChecked {
        /// The account.
        account: Iban,
        /// Of which day the list was; it says nothing about others.
        #[schemars(with = "String", extend("format" = "date"))]
        list_of: Date,
        /// As what it was found there; missing when it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listed: Option<Listed>,
    },
    /// It shares a group's prices and assortment.
    GroupJoined {
        /// The group.
        group: GroupCode,
    },
    /// It shares nobody's prices and assortment.
    GroupLeft {},
    /// It belongs to another firm.
    ParentJoined {
        /// Which one.
        parent: CompanyId,
    },
    /// It belongs to nobody.
    ParentLeft {},
    /// It may owe so much.
    CreditGranted {
        /// How much, in its currency.
        limit: Money,
    },
    /// No limit is set in this currency.
    CreditLimitLifted {
        /// Which.
        currency: Currency,
    },
}

aggregate!(Company, "company", {
    Registered => "registered" v 1,
    Renamed => "renamed" v 1,
    Verified => "verified" v 1,
    Suspended => "suspended" v 1,
    Reinstated => "reinstated" v 1,
    PaymentTermAgreed => "payment_term_agreed" v 1,
    PaymentTermInherited => "payment_term_inherited" v 1,
    VatNumberNoted => "vat_number_noted" v 1,
    BillingMoved => "billing_moved" v 1,
    DeliveryAddressAdded => "delivery_address_added" v 1,
    DeliveryAddressDropped => "delivery_address_dropped" v 1,
    BankAccountAdded => "bank_account_added" v 1,
    BankAccountDropped => "bank_account_dropped" v 1,
    BankAccountChecked => "bank_account_checked" v 1,
    GroupJoined => "group_joined" v 1,
    GroupLeft => "group_left" v 1,
    ParentJoined => "parent_joined" v 1,
    ParentLeft => "parent_left" v 1,
    CreditGranted => "credit_granted" v 1,
    CreditLimitLifted => "credit_limit_lifted" v 1,
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
    /// It buys nothing until that is settled.
    #[error("the company {name} is suspended: {reason}")]
    Suspended {
        /// Which one: it, or a company above it.
        name: Name,
        /// Why.
        reason: Note,
    },
    /// Nobody is above it whose term could hold.
    #[error("the company belongs to no firm from which it could inherit a term")]
    NoParent,
    /// It would be above itself.
    #[error("a company cannot belong to itself, nor to one that belongs to it")]
    ParentIsBelow,
    /// The tree of companies would be too high.
    #[error("a company has at most {} firms above it", Company::MOST_ABOVE)]
    TooDeep,
    /// More places or accounts than anybody has.
    #[error("a company has at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        most: usize,
    },
    /// There is no such place.
    #[error("the company has no such delivery address")]
    NoSuchAddress,
    /// There is no such account.
    #[error("the company has no such account")]
    NoSuchAccount,
    /// The VAT white list knows accounts in Poland, of those who have a NIP.
    #[error("the VAT white list has Polish accounts of Polish taxpayers only")]
    NotListable,
    /// A limit below nothing.
    #[error("a credit limit is not negative")]
    NegativeLimit,
    /// A limit beyond what any debt may come to.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// No paper bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    AlreadyRegistered => ("company.already_registered", State),
    Unregistered => ("company.unregistered", Missing),
    NeedsNip => ("company.needs_nip", Invalid),
    Suspended => ("company.suspended", State),
    NoParent => ("company.no_parent", State),
    ParentIsBelow => ("company.parent_is_below", State),
    TooDeep => ("company.too_deep", State),
    TooMany => ("company.too_many", State),
    NoSuchAddress => ("company.no_such_address", Missing),
    NoSuchAccount => ("company.no_such_account", Missing),
    NotListable => ("company.not_listable", State),
    NegativeLimit => ("company.negative_limit", Invalid),
    Money => (inner, Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl Company {
    /// How many companies may be above one another, itself not counted.
    pub const MOST_ABOVE: usize = 8;
    /// How many places goods can go to.
    pub const MOST_ADDRESSES: usize = 200;
    /// How many accounts it can have.
    pub const MOST_ACCOUNTS: usize = 50;

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
            (Self::Registered(_), Command::Register { .. }) => Err(Error::AlreadyRegistered),
            (Self::Unregistered, _) => Err(Error::Unregistered),
            (Self::Registered(customer), command) => {
                Ok(customer.decide(command)?.into_iter().collect())
            }
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Registered { id, profile, payment_term }) => {
                Self::Registered(Box::new(Customer::new(id, profile, payment_term)))
            }
            (Self::Unregistered, _) => Self::Unregistered,
            (Self::Registered(customer), event) => {
                Self::Registered(Box::new(customer.evolve(event)))
            }
        }
    }

    /// The customer, whatever its standing.
    pub fn customer(&self) -> Result<&Customer, Error> {
        match self {
            Self::Unregistered => Err(Error::Unregistered),
            Self::Registered(customer) => Ok(customer),
        }
    }

    /// The customer, if it may buy.
    pub fn buyer(&self) -> Result<&Customer, Error> {
        let customer = self.customer()?;
        match &customer.standing {
            Standing::Registered | Standing::Verified { .. } => Ok(customer),
            Standing::Suspended { reason, .. } => {
                Err(Error::Suspended { name: customer.name.clone(), reason: reason.clone() })
            }
        }
    }
}

impl OfCompany for Company {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unregistered => None,
            Self::Registered(customer) => Some(customer.id),
        }
    }
}

#[cfg(test)]
mod tests;
