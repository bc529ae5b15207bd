//! A company: a business customer, identified by its tax number, with its terms and its place in
//! the company tree.

mod credit_terms;
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

pub use self::{
    credit_terms::{CreditTerms, GraceDays},
    customer::{Check, Customer, DeliveryAddress, Standing},
};

/// The state of a company.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Company {
    /// Not registered.
    #[default]
    Unregistered,
    /// A customer.
    Registered(Box<Customer>),
}

/// The commands of a company.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Register it as a customer.
    Register {
        /// Its id.
        id: CompanyId,
        /// Who it is.
        profile: Profile,
        /// When its invoices are due.
        payment_term: PaymentTerm,
    },
    /// Rename it.
    Rename {
        /// The name.
        name: Name,
    },
    /// Verify it: its documents were checked.
    Verify {
        /// Who looked at them.
        by: ActorId,
        /// When.
        on: Date,
    },
    /// Suspend it.
    Suspend {
        /// Why.
        reason: Note,
    },
    /// Reinstate it.
    Reinstate,
    /// Set its payment term.
    AgreePaymentTerm {
        /// The new term.
        payment_term: PaymentTerm,
    },
    /// Use the payment term of the company above it.
    InheritPaymentTerm,
    /// Set its EU VAT number.
    NoteVatNumber {
        /// The number.
        vat_number: VatNumber,
    },
    /// Set its billing address.
    MoveBilling {
        /// Where.
        address: Address,
    },
    /// Add or change a delivery address.
    AddDeliveryAddress {
        /// The name of the place.
        id: AddressId,
        /// Where it is.
        place: DeliveryAddress,
    },
    /// Remove a delivery address.
    DropDeliveryAddress {
        /// The name of the place.
        id: AddressId,
    },
    /// Add a bank account.
    AddBankAccount {
        /// The account.
        account: Iban,
    },
    /// Remove a bank account.
    DropBankAccount {
        /// The account.
        account: Iban,
    },
    /// Record the check of an account on the VAT white list.
    CheckBankAccount {
        /// One of its accounts.
        account: Iban,
        /// The day of the list.
        list_of: Date,
        /// How it is listed; `None` if it is not.
        listed: Option<Listed>,
    },
    /// Set the group whose prices and assortment it shares; `None`: no group.
    JoinGroup {
        /// The group.
        group: Option<GroupCode>,
    },
    /// Set its parent company; `None`: no parent.
    JoinParent {
        /// The company above it, with those above that one, nearest first.
        above: Vec<CompanyId>,
        /// How many levels of companies are below it.
        below: usize,
    },
    /// Set the credit limit in the currency of the limit.
    GrantCredit {
        /// How much.
        limit: Money,
    },
    /// Remove the credit limit in this currency.
    LiftCreditLimit {
        /// Which.
        currency: Currency,
    },
    /// Set for how many days after its due date an invoice holds up no order.
    AgreeCreditGrace {
        /// How many.
        days: GraceDays,
    },
    /// Hold up no order because of overdue invoices.
    LiftCreditGrace,
    /// Let goods leave only after they are paid.
    RequirePrepayment,
    /// Let goods leave before they are paid.
    WaivePrepayment,
    /// Set the least net value of an order in the currency of the value.
    AgreeMinimumOrder {
        /// The value.
        minimum: Money,
    },
    /// Remove the least value of an order in this currency.
    LiftMinimumOrder {
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
    /// Its orders wait while an invoice is overdue for longer.
    CreditGraceAgreed {
        /// For how many days after its due date an invoice holds up no order.
        days: GraceDays,
    },
    /// Overdue invoices hold up no order.
    CreditGraceLifted {},
    /// Its goods leave only after they are paid.
    PrepaymentRequired {},
    /// Its goods leave before they are paid.
    PrepaymentWaived {},
    /// Its orders in this currency have at least this net value.
    MinimumOrderAgreed {
        /// The value.
        minimum: Money,
    },
    /// Its orders in this currency may have any value.
    MinimumOrderLifted {
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
    CreditGraceAgreed => "credit_grace_agreed" v 1,
    CreditGraceLifted => "credit_grace_lifted" v 1,
    PrepaymentRequired => "prepayment_required" v 1,
    PrepaymentWaived => "prepayment_waived" v 1,
    MinimumOrderAgreed => "minimum_order_agreed" v 1,
    MinimumOrderLifted => "minimum_order_lifted" v 1,
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
    /// It is suspended.
    #[error("the company {name} is suspended: {reason}")]
    Suspended {
        /// Which one: it, or a company above it.
        name: Name,
        /// Why.
        reason: Note,
    },
    /// It has no parent company whose payment term could apply.
    #[error("the company belongs to no firm from which it could inherit a term")]
    NoParent,
    /// The company tree would have a cycle.
    #[error("a company cannot belong to itself, nor to one that belongs to it")]
    ParentIsBelow,
    /// The tree of companies would be too high.
    #[error("a company has at most {} firms above it", Company::MOST_ABOVE)]
    TooDeep,
    /// Too many delivery addresses or bank accounts.
    #[error("a company has at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// There is no such delivery address.
    #[error("the company has no such delivery address")]
    NoSuchAddress,
    /// There is no such bank account.
    #[error("the company has no such account")]
    NoSuchAccount,
    /// The VAT white list knows accounts in Poland, of those who have a NIP.
    #[error("the VAT white list has Polish accounts of Polish taxpayers only")]
    NotListable,
    /// A negative limit.
    #[error("a credit limit is not negative")]
    NegativeLimit,
    /// A negative value of an order.
    #[error("the least value of an order is not negative")]
    NegativeMinimum,
    /// A limit above the largest balance.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The day is outside the supported range.
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
    NegativeMinimum => ("company.negative_minimum_order", Invalid),
    Money => (inner, Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl Company {
    /// The most levels of the company tree above a company.
    pub const MOST_ABOVE: usize = 8;
    /// The most delivery addresses.
    pub const MOST_ADDRESSES: usize = 200;
    /// The most bank accounts.
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
