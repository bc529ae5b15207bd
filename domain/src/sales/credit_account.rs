//! A credit account: what the companies under one credit limit have ordered and received and not
//! paid, in one currency.
//!
//! Its id derives from the holder and the currency. The holder of a company is the nearest company of
//! its line that has a limit in the currency, else the top of its line, so every order under one limit
//! writes to one stream, and concurrent orders cannot pass the limit together. What a company has in
//! an account moves to another in the append that changes its holder.
//!
//! exposure = reserved + delivered + open − unallocated. An order on credit hold is not part of it.

mod command;
mod ledger;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::ledger::Ledger;
pub use self::{
    command::{Change, Command, Facts},
    ledger::{Entry, Sums},
};
use crate::kernel::{
    ActorId, CompanyId, Currency, InvoiceId, Money, Note, OfCompany, OrderId, PaymentId,
    ShipmentId, aggregate::aggregate, money::MoneyError, refusal::refusals,
};

/// The state of a credit account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreditAccount {
    is_open: bool,
    members: BTreeMap<CompanyId, Ledger>,
}

/// What reduces an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "CreditSource")]
pub enum Source {
    /// A payment.
    Payment {
        /// Which one.
        payment: PaymentId,
    },
    /// A credit note.
    CreditNote {
        /// Which one.
        credit_note: InvoiceId,
    },
}

/// Why an order is on credit hold.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// With it, the exposure would be above the credit limit.
    OverLimit,
    /// An invoice of the company is overdue for longer than its grace period.
    Overdue,
}

/// What happened to a credit account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The account is used for the first time.
    Opened {
        /// Its holder.
        holder: CompanyId,
        /// Its currency.
        currency: Currency,
    },
    /// An order uses credit, or waits on hold for it.
    Reserved {
        /// Who orders.
        company: CompanyId,
        /// The order.
        order: OrderId,
        /// Its gross sum.
        amount: Money,
        /// When it was placed.
        at: Timestamp,
        /// For how many days after the due date an invoice holds no order up; missing: for ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grace_days: Option<u16>,
        /// Why it is on hold; nothing when it is not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        held_for: Vec<HoldReason>,
    },
    /// An order on hold uses credit from now on.
    HoldReleased {
        /// Who ordered.
        company: CompanyId,
        /// The order.
        order: OrderId,
        /// How much it uses.
        amount: Money,
        /// Who decided it; missing when there was room for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ActorId>,
        /// Why, where somebody decided it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// Nothing is reserved for an order any more.
    Freed {
        /// Who ordered.
        company: CompanyId,
        /// The order.
        order: OrderId,
        /// What was reserved.
        amount: Money,
        /// Whether it was on hold.
        was_on_hold: bool,
    },
    /// Goods of an order left.
    Delivered {
        /// Who ordered.
        company: CompanyId,
        /// The order.
        order: OrderId,
        /// The shipment.
        shipment: ShipmentId,
        /// The gross sum of what left.
        amount: Money,
        /// What is not reserved for the order any more.
        from_reserved: Money,
        /// Whether nothing more of the order leaves.
        is_last: bool,
    },
    /// An invoice charges the company.
    Invoiced {
        /// Whom it charges.
        company: CompanyId,
        /// The invoice.
        invoice: InvoiceId,
        /// The shipment that it charges.
        shipment: ShipmentId,
        /// Its gross sum.
        amount: Money,
        /// What counted as delivered and not invoiced.
        from_delivered: Money,
        /// Its due date.
        #[schemars(with = "String", extend("format" = "date"))]
        due_on: Date,
    },
    /// A credit note credits the company.
    Credited {
        /// Whom.
        company: CompanyId,
        /// The credit note.
        credit_note: InvoiceId,
        /// Its gross sum.
        amount: Money,
    },
    /// A payment came in.
    Paid {
        /// Who paid.
        company: CompanyId,
        /// The payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// A payment or a credit note was allocated to an invoice: the exposure is the same.
    Allocated {
        /// Whose they are.
        company: CompanyId,
        /// The invoice.
        invoice: InvoiceId,
        /// What was allocated.
        source: Source,
        /// How much.
        amount: Money,
    },
    /// What a company had here is in another account.
    CompanyLeft {
        /// The company.
        company: CompanyId,
        /// The holder of the other account.
        to: CompanyId,
    },
    /// What a company had in another account is here.
    CompanyJoined {
        /// The company.
        company: CompanyId,
        /// The holder of the other account.
        from: CompanyId,
        /// What it had there.
        entries: Vec<Entry>,
    },
}

aggregate!(CreditAccount, "credit_account", {
    Opened => "opened" v 1,
    Reserved => "reserved" v 1,
    HoldReleased => "hold_released" v 1,
    Freed => "freed" v 1,
    Delivered => "delivered" v 1,
    Invoiced => "invoiced" v 1,
    Credited => "credited" v 1,
    Paid => "paid" v 1,
    Allocated => "allocated" v 1,
    CompanyLeft => "company_left" v 1,
    CompanyJoined => "company_joined" v 1,
});

/// Why a credit account refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The company pays before goods leave.
    #[error("the company pays in advance: {missing} of the order is not paid yet")]
    AwaitsPayment {
        /// What must come in first.
        missing: Money,
    },
    /// The amounts cannot be calculated.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

refusals!(Error, {
    AwaitsPayment => ("order.awaits_payment", State),
    Money => (inner, Invalid),
});

impl CreditAccount {
    /// Every rule of a credit account.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command { facts, change } = command;
        let mut events: Vec<Event> = self.change(change, facts)?.into_iter().collect();
        if !self.is_open && !events.is_empty() {
            let Facts { holder, currency, .. } = facts;
            events.insert(0, Event::Opened { holder, currency });
        }
        self.check(&events)?;
        if self.members.values().any(Ledger::has_holds) || joins_on_hold(&events) {
            let after = events.iter().cloned().fold(self.clone(), Self::evolve);
            events.extend(after.released(facts)?);
        }
        Ok(events)
    }

    fn change(&self, change: Change, facts: Facts) -> Result<Option<Event>, Error> {
        let ledger = |company: &CompanyId| self.members.get(company);
        let zero = Money::zero(facts.currency);
        Ok(match change {
            Change::Reserve { company, order, amount, at, grace_days, may_hold } => {
                if ledger(&company).is_some_and(|ledger| ledger.reserved.contains_key(&order)) {
                    return Ok(None);
                }
                let held_for = if may_hold {
                    self.hold_reasons((company, amount, grace_days), facts)?
                } else {
                    vec![]
                };
                Some(Event::Reserved { company, order, amount, at, grace_days, held_for })
            }
            Change::Release { company, order, by, reason } => {
                let reserved = ledger(&company).and_then(|ledger| ledger.reserved.get(&order));
                reserved.filter(|reserved| reserved.on_hold).map(|reserved| Event::HoldReleased {
                    company,
                    order,
                    amount: reserved.amount,
                    by: Some(by),
                    reason: Some(reason),
                })
            }
            Change::Free { company, order } => {
                let reserved = ledger(&company).and_then(|ledger| ledger.reserved.get(&order));
                reserved.map(|reserved| Event::Freed {
                    company,
                    order,
                    amount: reserved.amount,
                    was_on_hold: reserved.on_hold,
                })
            }
            Change::Deliver { company, order, shipment, amount, is_last, is_prepaid } => {
                if ledger(&company).is_some_and(|ledger| ledger.delivered.contains_key(&shipment)) {
                    return Ok(None);
                }
                let reserved = ledger(&company).and_then(|ledger| ledger.reserved.get(&order));
                let reserved = reserved.map_or(zero, |reserved| reserved.amount);
                if is_prepaid {
                    self.must_be_paid(company, reserved, facts)?;
                }
                let from_reserved = if is_last { reserved } else { reserved.min(amount)? };
                Some(Event::Delivered { company, order, shipment, amount, from_reserved, is_last })
            }
            Change::Invoice { company, invoice, shipment, amount, due_on } => {
                let is_known = |ledger: &Ledger| {
                    ledger.invoices.get(&invoice).is_some_and(|open| open.due_on.is_some())
                };
                if ledger(&company).is_some_and(is_known) {
                    return Ok(None);
                }
                let delivered = ledger(&company).and_then(|ledger| ledger.delivered.get(&shipment));
                let from_delivered = delivered.copied().unwrap_or(zero);
                Some(Event::Invoiced { company, invoice, shipment, amount, from_delivered, due_on })
            }
            Change::Credit { company, credit_note, amount } => {
                let source = Source::CreditNote { credit_note };
                let is_known = ledger(&company).is_some_and(|ledger| ledger.knows(source));
                (!is_known).then_some(Event::Credited { company, credit_note, amount })
            }
            Change::Pay { company, payment, amount } => {
                let source = Source::Payment { payment };
                let is_known = ledger(&company).is_some_and(|ledger| ledger.knows(source));
                (!is_known).then_some(Event::Paid { company, payment, amount })
            }
            Change::Allocate { company, invoice, source, amount } => {
                Some(Event::Allocated { company, invoice, source, amount })
            }
            Change::Leave { company, to } => {
                ledger(&company).map(|_| Event::CompanyLeft { company, to })
            }
            Change::Join { entries, .. } if entries.is_empty() => None,
            Change::Join { company, from, entries } => {
                Some(Event::CompanyJoined { company, from, entries })
            }
            Change::Review => None,
        })
    }

    /// Why an order of a company does not go through now.
    pub fn hold_reasons(
        &self,
        (company, amount, grace_days): (CompanyId, Money, Option<u16>),
        facts: Facts,
    ) -> Result<Vec<HoldReason>, Error> {
        let mut reasons = Vec::new();
        if let Some(limit) = facts.limit
            && self.exposure(facts.currency)?.plus(amount)?.amount() > limit.amount()
        {
            reasons.push(HoldReason::OverLimit);
        }
        let last_day = grace_days.map(|days| facts.today.saturating_sub(i32::from(days).days()));
        if let Some(last_day) = last_day
            && self.members.get(&company).is_some_and(|ledger| ledger.is_overdue(last_day))
        {
            reasons.push(HoldReason::Overdue);
        }
        Ok(reasons)
    }

    /// The orders on hold that go through now, oldest first: each counts before the next one is
    /// looked at. One that does not fit holds up none that does.
    fn released(mut self, facts: Facts) -> Result<Vec<Event>, Error> {
        let mut held: Vec<_> = self
            .members
            .iter()
            .flat_map(|(company, ledger)| {
                let held = ledger.reserved.iter().filter(|(_, reserved)| reserved.on_hold);
                held.map(|(order, reserved)| (reserved.at, *order, *company, reserved.clone()))
            })
            .collect();
        held.sort_unstable_by_key(|(at, order, ..)| (*at, *order));
        let mut events = Vec::new();
        for (_, order, company, reserved) in held {
            let amount = reserved.amount;
            if self.hold_reasons((company, amount, reserved.grace_days), facts)?.is_empty() {
                let event = Event::HoldReleased { company, order, amount, by: None, reason: None };
                self = self.evolve(event.clone());
                events.push(event);
            }
        }
        Ok(events)
    }

    /// Goods of a prepaid order leave when what the company has paid, less what it has received,
    /// covers what is reserved for the order.
    fn must_be_paid(&self, company: CompanyId, reserved: Money, facts: Facts) -> Result<(), Error> {
        let sums = self.sums_of(company, facts.currency);
        let paid = sums.unallocated.minus(sums.open)?.minus(sums.delivered)?;
        let missing = reserved.minus(paid)?;
        if missing.is_positive() { Err(Error::AwaitsPayment { missing }) } else { Ok(()) }
    }

    /// Refuses events whose amounts cannot be summed.
    fn check(&self, events: &[Event]) -> Result<(), Error> {
        for event in events {
            let Some(company) = event.company() else { continue };
            let mut ledger = self.members.get(&company).cloned().unwrap_or_default();
            ledger.apply(event.clone())?;
        }
        Ok(())
    }

    fn evolve(mut self, event: Event) -> Self {
        let Some(company) = event.company() else {
            self.is_open = true;
            return self;
        };
        if matches!(event, Event::CompanyLeft { .. }) {
            self.members.remove(&company);
            return self;
        }
        let ledger = self.members.entry(company).or_default();
        // `decide` has made the same sums.
        ledger.apply(event).ok();
        if ledger.is_empty() {
            self.members.remove(&company);
        }
        self
    }

    /// What the companies under the limit use of it.
    pub fn exposure(&self, currency: Currency) -> Result<Money, MoneyError> {
        self.members.values().try_fold(Money::zero(currency), |sum, ledger| {
            ledger.sums(currency).exposure().and_then(|exposure| sum.plus(exposure))
        })
    }

    /// What one company has in the account.
    pub fn sums_of(&self, company: CompanyId, currency: Currency) -> Sums {
        self.members.get(&company).map_or_else(|| Sums::none(currency), |l| l.sums(currency))
    }

    /// The companies that have something in the account.
    pub fn companies(&self) -> impl Iterator<Item = CompanyId> {
        self.members.keys().copied()
    }

    /// What a company has in the account, to hand it over.
    pub fn entries_of(&self, company: CompanyId) -> Vec<Entry> {
        self.members.get(&company).map(Ledger::entries).unwrap_or_default()
    }

    /// Whether an order is on hold.
    pub fn is_on_hold(&self, company: CompanyId, order: OrderId) -> bool {
        let ledger = self.members.get(&company);
        let reserved = ledger.and_then(|ledger| ledger.reserved.get(&order));
        reserved.is_some_and(|reserved| reserved.on_hold)
    }
}

/// Whether orders on hold come from another account.
fn joins_on_hold(events: &[Event]) -> bool {
    events.iter().any(|event| match event {
        Event::CompanyJoined { entries, .. } => {
            entries.iter().any(|entry| matches!(entry, Entry::Reserved { on_hold: true, .. }))
        }
        _ => false,
    })
}

impl Event {
    /// The company whose part of the account changes.
    pub const fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Opened { .. } => None,
            Self::Reserved { company, .. }
            | Self::HoldReleased { company, .. }
            | Self::Freed { company, .. }
            | Self::Delivered { company, .. }
            | Self::Invoiced { company, .. }
            | Self::Credited { company, .. }
            | Self::Paid { company, .. }
            | Self::Allocated { company, .. }
            | Self::CompanyLeft { company, .. }
            | Self::CompanyJoined { company, .. } => Some(*company),
        }
    }
}

/// The seller's own: it sums up several companies, and says what one may not know of another.
impl OfCompany for CreditAccount {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests;
