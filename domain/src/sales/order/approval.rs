//! Approval of an order within the company.

use jiff::{Timestamp, civil::Date};

use super::{CreditHold, Error, Event, Order, Terms};
use crate::sales::approval::{Pending, Verdict};

impl Order {
    pub(super) fn approve(&self, verdict: Verdict) -> Result<Vec<Event>, Error> {
        match self {
            // A retry of the last approval has already succeeded.
            Self::Placed { agreed: Some((step, by)), .. }
                if (*step, *by) == (verdict.step, verdict.speaker.by.id) =>
            {
                return Ok(vec![]);
            }
            _ => {}
        }
        let pending = self.pending()?;
        let Some(decision) = pending.answer(verdict)? else { return Ok(vec![]) };
        let approved = pending.is_last().then_some(Event::Approved {});
        Ok(std::iter::once(Event::StepApproved { decision }).chain(approved).collect())
    }

    pub(super) fn refuse(&self, verdict: Verdict) -> Result<Vec<Event>, Error> {
        match self {
            Self::Refused { by, .. } if *by == verdict.speaker.by.id => return Ok(vec![]),
            _ => {}
        }
        let decision = self.pending()?.refusal(verdict)?;
        Ok(vec![Event::Refused { decision }])
    }

    pub(super) fn escalate(&self, at: Timestamp) -> Result<Vec<Event>, Error> {
        let pending = self.pending()?;
        let to = pending.escalate(at)?;
        Ok(vec![Event::StepEscalated { step: pending.step(), to, at }])
    }

    /// The pending approval.
    pub fn pending(&self) -> Result<&Pending, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::AwaitingApproval { pending, .. } => Ok(pending),
            Self::Refused { .. } => Err(Error::Refused),
            Self::Cancelled { .. } => Err(Error::Cancelled),
            Self::Placed { .. } | Self::Confirmed { .. } | Self::Shipped { .. } => {
                Err(Error::NotAwaitingApproval)
            }
        }
    }

    /// The state after an event of an order that awaits approval.
    pub(super) fn evolve_pending(
        terms: Terms,
        placed_on: Date,
        (pending, credit_hold): (Pending, CreditHold),
        event: Event,
    ) -> Self {
        match event {
            Event::StepApproved { decision } => {
                let pending = pending.after(decision);
                Self::AwaitingApproval { terms, placed_on, pending, credit_hold }
            }
            Event::StepEscalated { .. } => {
                let pending = pending.escalated();
                Self::AwaitingApproval { terms, placed_on, pending, credit_hold }
            }
            Event::Approved {} => {
                let last = pending.decisions.last();
                let agreed = last.map(|last| (last.step, last.by));
                Self::Placed { terms, placed_on, agreed, credit_hold }
            }
            Event::Refused { decision } => {
                Self::Refused { company: terms.company, by: decision.by }
            }
            Event::Cancelled { .. } => Self::Cancelled { company: terms.company },
            // `decide` produces none of these while approval is pending.
            Event::Placed { .. }
            | Event::CreditHeld { .. }
            | Event::CreditReleased {}
            | Event::ApprovalRequested { .. }
            | Event::Confirmed {}
            | Event::DeliveryPromised { .. }
            | Event::RestCancelled { .. }
            | Event::PartShipped { .. }
            | Event::Shipped { .. } => {
                Self::AwaitingApproval { terms, placed_on, pending, credit_hold }
            }
        }
    }
}
