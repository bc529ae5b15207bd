//! What one company has in a credit account.

use jiff::{Timestamp, civil::Date};
use rpds::RedBlackTreeMapSync as OrdMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, Source};
use crate::kernel::{
    Currency, InvoiceId, Money, OrderId, PaymentId, ShipmentId, money::MoneyError,
};

/// The part of one company: every open item, and their sums. Every decision copies the state, so the
/// maps share what they have in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) reserved: OrdMap<OrderId, Reservation>,
    pub(super) delivered: OrdMap<ShipmentId, Money>,
    pub(super) invoices: OrdMap<InvoiceId, OpenInvoice>,
    payments: OrdMap<PaymentId, Unallocated>,
    credit_notes: OrdMap<InvoiceId, Unallocated>,
    /// `None` while there has been nothing to sum up.
    sums: Option<Sums>,
}

/// What is reserved for an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Reservation {
    pub(super) amount: Money,
    pub(super) at: Timestamp,
    pub(super) grace_days: Option<u16>,
    pub(super) on_hold: bool,
}

/// What is open on an invoice; without a due date while only an allocation is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenInvoice {
    open: Money,
    pub(super) due_on: Option<Date>,
}

/// What is not allocated of a payment or a credit note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unallocated {
    amount: Money,
    is_known: bool,
}

/// Something that a company has in an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "CreditEntry")]
pub enum Entry {
    /// What is reserved for an order.
    Reserved {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Money,
        /// When it was placed.
        at: Timestamp,
        /// The grace period when it was placed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grace_days: Option<u16>,
        /// Whether it is on hold.
        on_hold: bool,
    },
    /// What was delivered and not invoiced.
    Delivered {
        /// The shipment.
        shipment: ShipmentId,
        /// How much.
        amount: Money,
    },
    /// What is open on an invoice.
    Open {
        /// The invoice.
        invoice: InvoiceId,
        /// How much; negative where an allocation is known before the invoice.
        amount: Money,
        /// Its due date; missing where only an allocation is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        due_on: Option<Date>,
    },
    /// What is not allocated of a payment or a credit note.
    Unallocated {
        /// Which one.
        source: Source,
        /// How much; negative where an allocation is known before it.
        amount: Money,
        /// Whether it is known itself.
        is_known: bool,
    },
}

/// The sums of what a company has in a credit account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Orders that are not delivered, without those on hold.
    pub reserved: Money,
    /// Orders on hold.
    pub on_hold: Money,
    /// Deliveries that are not invoiced.
    pub delivered: Money,
    /// What is open on invoices.
    pub open: Money,
    /// What is not allocated of payments and credit notes.
    pub unallocated: Money,
}

impl Sums {
    /// Of nothing.
    pub fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { reserved: zero, on_hold: zero, delivered: zero, open: zero, unallocated: zero }
    }

    fn of_order(&mut self, on_hold: bool) -> &mut Money {
        if on_hold { &mut self.on_hold } else { &mut self.reserved }
    }

    /// What counts against a limit.
    pub fn exposure(self) -> Result<Money, MoneyError> {
        self.reserved.plus(self.delivered)?.plus(self.open)?.minus(self.unallocated)
    }
}

impl Ledger {
    pub(super) fn sums(&self, currency: Currency) -> Sums {
        self.sums.unwrap_or_else(|| Sums::none(currency))
    }

    pub(super) fn is_empty(&self) -> bool {
        let Self { reserved, delivered, invoices, payments, credit_notes, sums: _ } = self;
        reserved.is_empty()
            && delivered.is_empty()
            && invoices.is_empty()
            && payments.is_empty()
            && credit_notes.is_empty()
    }

    pub(super) fn has_holds(&self) -> bool {
        self.sums.is_some_and(|sums| !sums.on_hold.is_zero())
            || self.reserved.values().any(|reserved| reserved.on_hold)
    }

    /// Whether something is open on an invoice that was due before a day.
    pub(super) fn is_overdue(&self, day: Date) -> bool {
        self.invoices.values().any(|invoice| {
            invoice.open.is_positive() && invoice.due_on.is_some_and(|due_on| due_on < day)
        })
    }

    /// Whether a payment or a credit note counts already, and not all of it is allocated.
    pub(super) fn knows(&self, source: Source) -> bool {
        let unallocated = match source {
            Source::Payment { payment } => self.payments.get(&payment),
            Source::CreditNote { credit_note } => self.credit_notes.get(&credit_note),
        };
        unallocated.is_some_and(|unallocated| unallocated.is_known)
    }

    /// All of it, to be handed over.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let reserved = self.reserved.iter().map(|(&order, reserved)| Entry::Reserved {
            order,
            amount: reserved.amount,
            at: reserved.at,
            grace_days: reserved.grace_days,
            on_hold: reserved.on_hold,
        });
        let delivered = self.delivered.iter();
        let delivered = delivered.map(|(&shipment, &amount)| Entry::Delivered { shipment, amount });
        let open = self.invoices.iter().map(|(&invoice, open)| Entry::Open {
            invoice,
            amount: open.open,
            due_on: open.due_on,
        });
        let unallocated = |source, unallocated: &Unallocated| Entry::Unallocated {
            source,
            amount: unallocated.amount,
            is_known: unallocated.is_known,
        };
        let payments = self.payments.iter();
        let payments =
            payments.map(|(&payment, left)| unallocated(Source::Payment { payment }, left));
        let credit_notes = self
            .credit_notes
            .iter()
            .map(|(&credit_note, left)| unallocated(Source::CreditNote { credit_note }, left));
        reserved.chain(delivered).chain(open).chain(payments).chain(credit_notes).collect()
    }

    /// Changes it by an event. An error is an amount that cannot be summed.
    pub(super) fn apply(&mut self, event: Event) -> Result<(), MoneyError> {
        match event {
            Event::Opened { .. } | Event::CompanyLeft { .. } => Ok(()),
            Event::Reserved { order, amount, at, grace_days, held_for, .. } => {
                let on_hold = !held_for.is_empty();
                self.add(Entry::Reserved { order, amount, at, grace_days, on_hold })
            }
            Event::HoldReleased { order, amount, .. } => self.release(order, amount),
            Event::Freed { order, amount, was_on_hold, .. } => {
                self.free(order, amount, was_on_hold)
            }
            Event::Delivered { order, shipment, amount, from_reserved, is_last, .. } => {
                if is_last {
                    self.free(order, from_reserved, false)?;
                } else {
                    self.reduce(order, from_reserved)?;
                }
                self.add(Entry::Delivered { shipment, amount })
            }
            Event::Invoiced { invoice, shipment, amount, from_delivered, due_on, .. } => {
                self.delivered.remove_mut(&shipment);
                let sums = self.sums_mut(amount.currency());
                sums.delivered = sums.delivered.minus(from_delivered)?;
                self.add(Entry::Open { invoice, amount, due_on: Some(due_on) })
            }
            Event::Credited { credit_note, amount, .. } => {
                let source = Source::CreditNote { credit_note };
                self.add(Entry::Unallocated { source, amount, is_known: true })
            }
            Event::Paid { payment, amount, .. } => {
                let source = Source::Payment { payment };
                self.add(Entry::Unallocated { source, amount, is_known: true })
            }
            Event::Allocated { invoice, source, amount, .. } => {
                let amount = Money::zero(amount.currency()).minus(amount)?;
                self.add(Entry::Open { invoice, amount, due_on: None })?;
                self.add(Entry::Unallocated { source, amount, is_known: false })
            }
            Event::CompanyJoined { entries, .. } => {
                entries.into_iter().try_for_each(|entry| self.add(entry))
            }
        }
    }

    /// Adds an entry, or its amount to the one that is there.
    fn add(&mut self, entry: Entry) -> Result<(), MoneyError> {
        match entry {
            Entry::Reserved { order, amount, at, grace_days, on_hold } => {
                self.reserved.insert_mut(order, Reservation { amount, at, grace_days, on_hold });
                let sum = self.sums_mut(amount.currency()).of_order(on_hold);
                *sum = sum.plus(amount)?;
            }
            Entry::Delivered { shipment, amount } => {
                self.delivered.insert_mut(shipment, amount);
                let sums = self.sums_mut(amount.currency());
                sums.delivered = sums.delivered.plus(amount)?;
            }
            Entry::Open { invoice, amount, due_on } => {
                let (open, due_on) = match self.invoices.get(&invoice) {
                    None => (amount, due_on),
                    Some(present) => (present.open.plus(amount)?, due_on.or(present.due_on)),
                };
                if open.is_zero() {
                    self.invoices.remove_mut(&invoice);
                } else {
                    self.invoices.insert_mut(invoice, OpenInvoice { open, due_on });
                }
                let sums = self.sums_mut(amount.currency());
                sums.open = sums.open.plus(amount)?;
            }
            Entry::Unallocated { source, amount, is_known } => {
                let added = Unallocated { amount, is_known };
                match source {
                    Source::Payment { payment } => add_to(&mut self.payments, payment, added)?,
                    Source::CreditNote { credit_note } => {
                        add_to(&mut self.credit_notes, credit_note, added)?;
                    }
                }
                let sums = self.sums_mut(amount.currency());
                sums.unallocated = sums.unallocated.plus(amount)?;
            }
        }
        Ok(())
    }

    fn release(&mut self, order: OrderId, amount: Money) -> Result<(), MoneyError> {
        if let Some(reserved) = self.reserved.get_mut(&order) {
            reserved.on_hold = false;
        }
        let sums = self.sums_mut(amount.currency());
        sums.on_hold = sums.on_hold.minus(amount)?;
        sums.reserved = sums.reserved.plus(amount)?;
        Ok(())
    }

    fn free(&mut self, order: OrderId, amount: Money, on_hold: bool) -> Result<(), MoneyError> {
        self.reserved.remove_mut(&order);
        let sum = self.sums_mut(amount.currency()).of_order(on_hold);
        *sum = sum.minus(amount)?;
        Ok(())
    }

    fn reduce(&mut self, order: OrderId, amount: Money) -> Result<(), MoneyError> {
        if let Some(reserved) = self.reserved.get_mut(&order) {
            reserved.amount = reserved.amount.minus(amount)?;
        }
        let sums = self.sums_mut(amount.currency());
        sums.reserved = sums.reserved.minus(amount)?;
        Ok(())
    }

    fn sums_mut(&mut self, currency: Currency) -> &mut Sums {
        self.sums.get_or_insert_with(|| Sums::none(currency))
    }

    /// The sums of all entries, which [`Ledger::sums`] keeps.
    #[cfg(test)]
    pub(super) fn summed(&self, currency: Currency) -> Sums {
        let mut again = Self::default();
        self.entries().into_iter().try_for_each(|entry| again.add(entry)).unwrap();
        again.sums(currency)
    }
}

/// Adds to what is not allocated; what is used up is forgotten.
fn add_to<K: Ord + Clone>(
    all: &mut OrdMap<K, Unallocated>,
    key: K,
    added: Unallocated,
) -> Result<(), MoneyError> {
    let sum = match all.get(&key) {
        None => added,
        Some(present) => Unallocated {
            amount: present.amount.plus(added.amount)?,
            is_known: present.is_known || added.is_known,
        },
    };
    if sum.amount.is_zero() {
        all.remove_mut(&key);
    } else {
        all.insert_mut(key, sum);
    }
    Ok(())
}
