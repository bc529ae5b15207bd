//! An order of a company: lines at fixed prices, and the quantities that were shipped.

mod approval;
mod credit_hold;
mod promise;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        CompanyId, Currency, DeliveryTerms, Destination, EmployeeId, Line, Lines, Money, Note,
        OfCompany, OfferId, PaymentTerm, Quantity, Reference, ShipmentId, StandingOrderId,
        aggregate::aggregate,
        day::{self, DayError},
        money::MoneyError,
        refusal::refusals,
        vat::Totals,
    },
    sales::{
        approval::{self as approvals, Decision, Pending, Request, Verdict, Who},
        credit_account::HoldReason,
    },
};

pub use self::promise::delivery_day;

pub use self::credit_hold::CreditHold;

/// The state of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Not placed.
    #[default]
    Unplaced,
    /// Placed by an employee; waits for approval in the company.
    AwaitingApproval {
        /// The ordered lines and terms.
        terms: Terms,
        /// The day on which it was placed.
        placed_on: Date,
        /// The pending approval.
        pending: Pending,
        /// Whether it is on credit hold.
        #[serde(default)]
        credit_hold: CreditHold,
    },
    /// Approval was refused by the company.
    Refused {
        /// The company.
        company: CompanyId,
        /// Who refused.
        by: EmployeeId,
    },
    /// Placed, not yet confirmed by the seller.
    Placed {
        /// The ordered lines and terms.
        terms: Terms,
        /// The day on which it was placed.
        placed_on: Date,
        /// The last approver and step; `None` if no approval was needed.
        agreed: Option<(u32, EmployeeId)>,
        /// Whether it is on credit hold.
        #[serde(default)]
        credit_hold: CreditHold,
    },
    /// Confirmed; `outstanding` is what was not shipped yet, by line number.
    Confirmed {
        /// The ordered lines and terms.
        terms: Terms,
        /// The day on which it was placed.
        placed_on: Date,
        /// Quantities still to ship, by line number.
        outstanding: BTreeMap<u32, Quantity>,
        /// The day for which delivery is promised.
        #[serde(default)]
        promised: Option<Date>,
    },
    /// Closed: nothing more is shipped.
    Shipped {
        /// The company.
        company: CompanyId,
        /// Whether the rest was cancelled.
        #[serde(default)]
        rest_cancelled: bool,
    },
    /// Cancelled: nothing is shipped.
    Cancelled {
        /// The company.
        company: CompanyId,
    },
}

/// The lines and terms of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrderTerms")]
pub struct Terms {
    /// The company that orders.
    pub company: CompanyId,
    /// The currency of the prices.
    pub currency: Currency,
    /// Products, quantities and prices.
    pub lines: Lines,
    /// The payment term of the invoices.
    pub payment_term: PaymentTerm,
    /// The origin of the order.
    pub source: Source,
    /// The company's own order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The company's employee who orders; missing if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_by: Option<EmployeeId>,
    /// Delivery address and cost centre, as far as given.
    #[serde(default, skip_serializing_if = "Destination::is_unsaid")]
    pub destination: Destination,
    /// The delivery terms, if agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_terms: Option<DeliveryTerms>,
    /// The delivery date that the company wishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub wished_on: Option<Date>,
    /// A note of the company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// The origin of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "OrderSource")]
pub enum Source {
    /// Placed directly.
    Direct,
    /// Placed by accepting an offer.
    Offer {
        /// The offer.
        offer: OfferId,
        /// The accepted revision; missing in events of older builds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<u32>,
    },
    /// A standing order placed it.
    StandingOrder {
        /// Which one.
        standing_order: StandingOrderId,
        /// For which of its dates.
        #[schemars(with = "String", extend("format" = "date"))]
        date: Date,
    },
}

/// A quantity of one line of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ShippedItem")]
pub struct Item {
    /// The line's number, counted from 1.
    pub line: u32,
    /// The quantity.
    pub quantity: Quantity,
}

/// The commands of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Place an order.
    Place {
        /// The lines and terms.
        terms: Terms,
        /// The day of the order.
        on: Date,
        /// The approval that the company's rules require, if any.
        approval: Option<Box<Request>>,
    },
    /// Approve one step.
    Approve(Verdict),
    /// Refuse approval.
    Refuse(Verdict),
    /// Escalate the pending approval.
    Escalate {
        /// The time.
        at: Timestamp,
    },
    /// Put it on credit hold, in the append that places it.
    HoldForCredit {
        /// Why.
        reasons: Vec<HoldReason>,
    },
    /// Release it from its credit hold.
    ReleaseCreditHold,
    /// Cancel it because it is on credit hold.
    RefuseCreditHold {
        /// Why.
        reason: Note,
    },
    /// Confirm the order.
    Confirm,
    /// Promise delivery on a day.
    PromiseDelivery {
        /// The day.
        on: Date,
        /// The present day, before which nothing is promised.
        today: Date,
    },
    /// Cancel what was not shipped: the whole order or the rest.
    Cancel {
        /// The reason.
        reason: Option<Note>,
    },
    /// Ship goods.
    Ship {
        /// The shipment.
        shipment: ShipmentId,
        /// The shipped items; `None` means everything outstanding.
        items: Option<Vec<Item>>,
        /// The day of dispatch.
        on: Date,
    },
}

/// The events of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The order was placed.
    Placed {
        /// The lines and terms.
        terms: Terms,
        /// The day of the order.
        on: Date,
        /// Its gross sum, which is reserved in the credit account in the same append; missing in
        /// orders of builds that reserved nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gross: Option<Money>,
    },
    /// The order was put on credit hold: it cannot be confirmed.
    CreditHeld {
        /// The reasons.
        reasons: Vec<HoldReason>,
    },
    /// The order was released from its credit hold.
    CreditReleased {},
    /// Approval in the company was requested.
    ApprovalRequested {
        /// The steps, the approvers and the reasons.
        request: Request,
    },
    /// One step was approved.
    StepApproved {
        /// The approver and the time.
        decision: Decision,
    },
    /// The time limit of a step passed; another approver was added.
    StepEscalated {
        /// The number of the step, counted from 1.
        step: u32,
        /// The added approver.
        to: Who,
        /// The time.
        at: Timestamp,
    },
    /// All steps were approved.
    Approved {},
    /// Approval was refused.
    Refused {
        /// The approver, the time and the reason.
        decision: Decision,
    },
    /// The seller confirmed the order.
    Confirmed {},
    /// The seller promises delivery on a day; this replaces an earlier promise.
    DeliveryPromised {
        /// The day.
        on: Date,
    },
    /// It will not be filled.
    Cancelled {
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// The quantities that were not shipped were cancelled; the order is closed.
    RestCancelled {
        /// The cancelled quantities.
        items: Vec<Item>,
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// A part of the outstanding quantities was shipped.
    PartShipped {
        /// The shipment.
        shipment: ShipmentId,
        /// The shipped quantities.
        items: Vec<Item>,
    },
    /// The last outstanding quantities were shipped.
    Shipped {
        /// The shipment.
        shipment: ShipmentId,
        /// The shipped quantities.
        items: Vec<Item>,
    },
}

aggregate!(Order, "order", {
    Placed => "placed" v 1,
    CreditHeld => "credit_held" v 1,
    CreditReleased => "credit_released" v 1,
    ApprovalRequested => "approval_requested" v 1,
    StepApproved => "step_approved" v 1,
    StepEscalated => "step_escalated" v 1,
    Approved => "approved" v 1,
    Refused => "refused" v 1,
    Confirmed => "confirmed" v 1,
    DeliveryPromised => "delivery_promised" v 1,
    Cancelled => "cancelled" v 1,
    RestCancelled => "rest_cancelled" v 1,
    PartShipped => "part_shipped" v 1,
    Shipped => "shipped" v 1,
});

/// Why an order refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such order.
    #[error("there is no such order")]
    Unplaced,
    /// An order with this id exists.
    #[error("the order was already placed")]
    AlreadyPlaced,
    /// The order awaits approval in the company.
    #[error("the order awaits approval in the company")]
    AwaitingApproval,
    /// No approval is pending.
    #[error("the order does not await approval")]
    NotAwaitingApproval,
    /// Approval was refused in the company.
    #[error("the order was refused in the company")]
    Refused,
    /// The answer to the approval is refused.
    #[error(transparent)]
    Approval(#[from] approvals::Error),
    /// There is no credit for it yet.
    #[error("the order is on credit hold")]
    OnCreditHold,
    /// It is not on credit hold.
    #[error("the order is not on credit hold")]
    NotOnCreditHold,
    /// The order is not confirmed.
    #[error("the order is not confirmed")]
    NotConfirmed,
    /// It was cancelled.
    #[error("the order is cancelled")]
    Cancelled,
    /// Everything was shipped.
    #[error("the order is already shipped")]
    AlreadyShipped,
    /// The shipment has no items.
    #[error("a shipment needs at least one item")]
    NoItems,
    /// A line is named twice, so its quantity is ambiguous.
    #[error("line {line} is named twice")]
    NamedTwice {
        /// Its number.
        line: u32,
    },
    /// The line does not exist or was shipped completely.
    #[error("line {line} has nothing outstanding")]
    NothingOutstanding {
        /// Its number.
        line: u32,
    },
    /// More than the outstanding quantity.
    #[error("line {line} has only {outstanding} outstanding")]
    TooMuch {
        /// Its number.
        line: u32,
        /// The outstanding quantity.
        outstanding: Quantity,
    },
    /// Dispatched before the day of the order.
    #[error("the order was placed on {placed_on}; it cannot be dispatched earlier")]
    BeforePlaced {
        /// The day of the order.
        placed_on: Date,
    },
    /// A day that is over.
    #[error("delivery cannot be promised for a day before {today}")]
    PromisedInPast {
        /// The present day.
        today: Date,
    },
    /// More than one document may come to.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The day is outside the accepted range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Unplaced => ("order.unplaced", Missing),
    AlreadyPlaced => ("order.already_placed", State),
    AwaitingApproval => ("order.awaiting_approval", State),
    NotAwaitingApproval => ("order.not_awaiting_approval", State),
    Refused => ("order.refused", State),
    Approval => (inner),
    OnCreditHold => ("order.on_credit_hold", State),
    NotOnCreditHold => ("order.not_on_credit_hold", State),
    NotConfirmed => ("order.not_confirmed", State),
    Cancelled => ("order.cancelled", State),
    AlreadyShipped => ("order.already_shipped", State),
    NoItems => ("order.no_items", Invalid),
    NamedTwice => ("order.line_named_twice", Invalid),
    NothingOutstanding => ("order.nothing_outstanding", State),
    TooMuch => ("order.too_much", State),
    BeforePlaced => ("order.shipped_before_placed", State),
    PromisedInPast => ("order.promised_in_past", Invalid),
    Money => (inner, Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl Order {
    /// Every rule of an order.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Place { terms, on, approval } => match self {
                Self::Unplaced => {
                    terms.lines.net(terms.currency)?;
                    terms.wished_on.map(day::checked).transpose()?;
                    let gross = Some(terms.gross()?);
                    let placed = Event::Placed { terms, on: day::checked(on)?, gross };
                    let request =
                        approval.map(|request| Event::ApprovalRequested { request: *request });
                    Ok(std::iter::once(placed).chain(request).collect())
                }
                Self::AwaitingApproval { .. }
                | Self::Refused { .. }
                | Self::Placed { .. }
                | Self::Confirmed { .. }
                | Self::Shipped { .. }
                | Self::Cancelled { .. } => Err(Error::AlreadyPlaced),
            },
            Command::Approve(verdict) => self.approve(verdict),
            Command::Refuse(verdict) => self.refuse(verdict),
            Command::Escalate { at } => self.escalate(at),
            Command::Confirm => match self {
                Self::Unplaced => Err(Error::Unplaced),
                Self::AwaitingApproval { .. } => Err(Error::AwaitingApproval),
                Self::Refused { .. } => Err(Error::Refused),
                Self::Placed { credit_hold: CreditHold::Held, .. } => Err(Error::OnCreditHold),
                Self::Placed { .. } => Ok(vec![Event::Confirmed {}]),
                Self::Confirmed { .. } | Self::Shipped { .. } => Ok(vec![]),
                Self::Cancelled { .. } => Err(Error::Cancelled),
            },
            Command::PromiseDelivery { on, today } => self.promise(on, today),
            Command::HoldForCredit { reasons } => self.hold_for_credit(reasons),
            Command::ReleaseCreditHold => self.release_credit_hold(),
            Command::RefuseCreditHold { reason } => self.refuse_credit_hold(reason),
            Command::Cancel { reason } => self.cancel(reason),
            Command::Ship { shipment, items, on } => self.ship(shipment, items, on),
        }
    }

    fn cancel(&self, reason: Option<Note>) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::Confirmed { terms, outstanding, .. } if *outstanding != ordered(&terms.lines) => {
                Ok(vec![Event::RestCancelled { items: self.outstanding(), reason }])
            }
            Self::AwaitingApproval { .. } | Self::Placed { .. } | Self::Confirmed { .. } => {
                Ok(vec![Event::Cancelled { reason }])
            }
            Self::Refused { .. } => Err(Error::Refused),
            Self::Shipped { rest_cancelled: false, .. } => Err(Error::AlreadyShipped),
            Self::Shipped { rest_cancelled: true, .. } | Self::Cancelled { .. } => Ok(vec![]),
        }
    }

    fn ship(
        &self,
        shipment: ShipmentId,
        items: Option<Vec<Item>>,
        on: Date,
    ) -> Result<Vec<Event>, Error> {
        let (outstanding, placed_on) = match self {
            Self::Unplaced => return Err(Error::Unplaced),
            Self::AwaitingApproval { .. } => return Err(Error::AwaitingApproval),
            Self::Refused { .. } => return Err(Error::Refused),
            Self::Placed { .. } => return Err(Error::NotConfirmed),
            Self::Confirmed { outstanding, placed_on, .. } => (outstanding, *placed_on),
            Self::Shipped { .. } => return Err(Error::AlreadyShipped),
            Self::Cancelled { .. } => return Err(Error::Cancelled),
        };
        if on < placed_on {
            return Err(Error::BeforePlaced { placed_on });
        }
        let items = items.unwrap_or_else(|| self.outstanding());
        if items.is_empty() {
            return Err(Error::NoItems);
        }
        let mut named = BTreeSet::new();
        if let Some(again) = items.iter().find(|item| !named.insert(item.line)) {
            return Err(Error::NamedTwice { line: again.line });
        }
        let rest = items.iter().try_fold(outstanding.clone(), take)?;
        Ok(vec![if rest.is_empty() {
            Event::Shipped { shipment, items }
        } else {
            Event::PartShipped { shipment, items }
        }])
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Placed { terms, on, .. }) => {
                let credit_hold = CreditHold::None;
                Self::Placed { terms, placed_on: on, agreed: None, credit_hold }
            }
            (order, Event::CreditHeld { .. }) => order.with_credit_hold(CreditHold::Held),
            (order, Event::CreditReleased {}) => order.with_credit_hold(CreditHold::Released),
            (
                Self::Placed { terms, placed_on, credit_hold, .. },
                Event::ApprovalRequested { request },
            ) => {
                let pending = Pending::new(request);
                Self::AwaitingApproval { terms, placed_on, pending, credit_hold }
            }
            (Self::AwaitingApproval { terms, placed_on, pending, credit_hold }, event) => {
                Self::evolve_pending(terms, placed_on, (pending, credit_hold), event)
            }
            (Self::Placed { terms, placed_on, .. }, Event::Confirmed {}) => {
                let outstanding = ordered(&terms.lines);
                Self::Confirmed { terms, placed_on, outstanding, promised: None }
            }
            (
                Self::Confirmed { terms, placed_on, outstanding, .. },
                Event::DeliveryPromised { on },
            ) => Self::Confirmed { terms, placed_on, outstanding, promised: Some(on) },
            (
                Self::Confirmed { terms, placed_on, outstanding, promised },
                Event::PartShipped { items, .. },
            ) => {
                // `decide` has subtracted the same items, so this cannot fail.
                let outstanding =
                    items.iter().try_fold(outstanding.clone(), take).unwrap_or(outstanding);
                Self::Confirmed { terms, placed_on, outstanding, promised }
            }
            (Self::Confirmed { terms, .. }, Event::Shipped { .. }) => {
                Self::Shipped { company: terms.company, rest_cancelled: false }
            }
            (Self::Confirmed { terms, .. }, Event::RestCancelled { .. }) => {
                Self::Shipped { company: terms.company, rest_cancelled: true }
            }
            (
                Self::Placed { terms, .. } | Self::Confirmed { terms, .. },
                Event::Cancelled { .. },
            ) => Self::Cancelled { company: terms.company },
            // `decide` produces none of these in this state, so the state does not change.
            (
                order,
                Event::ApprovalRequested { .. }
                | Event::StepApproved { .. }
                | Event::StepEscalated { .. }
                | Event::Approved {}
                | Event::Refused { .. }
                | Event::Confirmed {}
                | Event::DeliveryPromised { .. }
                | Event::Cancelled { .. }
                | Event::RestCancelled { .. }
                | Event::PartShipped { .. }
                | Event::Shipped { .. },
            ) => order,
        }
    }

    /// The quantities still to ship; empty unless the order is confirmed.
    pub fn outstanding(&self) -> Vec<Item> {
        match self {
            Self::Confirmed { outstanding, .. } => {
                outstanding.iter().map(|(&line, &quantity)| Item { line, quantity }).collect()
            }
            Self::Unplaced
            | Self::AwaitingApproval { .. }
            | Self::Refused { .. }
            | Self::Placed { .. }
            | Self::Shipped { .. }
            | Self::Cancelled { .. } => vec![],
        }
    }

    /// The day on which it was placed, while the order is open.
    pub fn placed_on(&self) -> Option<Date> {
        match self {
            Self::AwaitingApproval { placed_on, .. }
            | Self::Placed { placed_on, .. }
            | Self::Confirmed { placed_on, .. } => Some(*placed_on),
            Self::Unplaced
            | Self::Refused { .. }
            | Self::Shipped { .. }
            | Self::Cancelled { .. } => None,
        }
    }

    /// The net sum of the shipped quantities of a confirmed order, rounded per line. `None` if
    /// nothing was shipped or the order is not confirmed.
    pub fn net_of_shipped(&self) -> Option<Money> {
        let Self::Confirmed { terms, outstanding, .. } = self else { return None };
        let nets = terms.lines.numbered().filter_map(|(number, line)| {
            let quantity = match outstanding.get(&number) {
                None => line.quantity,
                Some(rest) => line.quantity.less(*rest).ok()??,
            };
            Some(Line { quantity, ..line.clone() }.net(terms.currency))
        });
        let mut nets = nets.peekable();
        nets.peek()?;
        nets.try_fold(Money::zero(terms.currency), Money::plus).ok()
    }

    /// The lines and terms, while the order is open.
    pub fn terms(&self) -> Result<&Terms, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::AwaitingApproval { terms, .. }
            | Self::Placed { terms, .. }
            | Self::Confirmed { terms, .. } => Ok(terms),
            Self::Refused { .. } => Err(Error::Refused),
            Self::Shipped { .. } => Err(Error::AlreadyShipped),
            Self::Cancelled { .. } => Err(Error::Cancelled),
        }
    }
}

impl Terms {
    /// What the whole order comes to with tax, as an invoice of all of it would.
    pub fn gross(&self) -> Result<Money, MoneyError> {
        Ok(Totals::of(&self.lines, self.currency)?.gross)
    }

    /// The ordered lines with the quantities of `items`, for the documents of a shipment. An item
    /// whose line does not exist is omitted: [`Order::decide`] has refused it before.
    pub fn lines_of(&self, items: &[Item]) -> Vec<Line> {
        items
            .iter()
            .filter_map(|item| {
                let line = self.lines.line(item.line)?;
                Some(Line { quantity: item.quantity, ..line.clone() })
            })
            .collect()
    }
}

fn ordered(lines: &[Line]) -> BTreeMap<u32, Quantity> {
    (1..).zip(lines.iter().map(|line| line.quantity)).collect()
}

/// Subtracts one item from the outstanding quantities.
fn take(
    mut outstanding: BTreeMap<u32, Quantity>,
    item: &Item,
) -> Result<BTreeMap<u32, Quantity>, Error> {
    let line = item.line;
    let present = outstanding.remove(&line).ok_or(Error::NothingOutstanding { line })?;
    match present.less(item.quantity) {
        Ok(None) => {}
        Ok(Some(rest)) => {
            outstanding.insert(line, rest);
        }
        Err(_) => return Err(Error::TooMuch { line, outstanding: present }),
    }
    Ok(outstanding)
}

impl OfCompany for Order {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unplaced => None,
            Self::AwaitingApproval { terms, .. }
            | Self::Placed { terms, .. }
            | Self::Confirmed { terms, .. } => Some(terms.company),
            Self::Refused { company, .. }
            | Self::Shipped { company, .. }
            | Self::Cancelled { company } => Some(*company),
        }
    }
}

#[cfg(test)]
mod quantities;
#[cfg(test)]
mod tests;
