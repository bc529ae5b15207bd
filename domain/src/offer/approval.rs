//! How the seller comes to stand behind a discount before it is offered.

use jiff::Timestamp;

use super::{Error, Event, Offer};
use crate::approval::{Pending, Verdict};

impl Offer {
    pub(super) fn approve(&self, verdict: Verdict) -> Result<Vec<Event>, Error> {
        let pending = self.pending()?;
        let Some(decision) = pending.answer(verdict)? else { return Ok(vec![]) };
        let approved = pending.is_last().then_some(Event::Approved {});
        Ok(std::iter::once(Event::StepApproved { decision }).chain(approved).collect())
    }

    pub(super) fn disapprove(&self, verdict: Verdict) -> Result<Vec<Event>, Error> {
        let decision = self.pending()?.refusal(verdict)?;
        Ok(vec![Event::Disapproved { decision }])
    }

    pub(super) fn escalate(&self, at: Timestamp) -> Result<Vec<Event>, Error> {
        let pending = self.pending()?;
        let to = pending.escalate(at)?;
        Ok(vec![Event::StepEscalated { step: pending.step(), to, at }])
    }

    /// What is asked of others at the seller.
    pub fn pending(&self) -> Result<&Pending, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::AwaitingApproval { pending, .. } => Ok(pending),
            Self::Drafted { .. } | Self::Approved(_) | Self::Open(_) => {
                Err(Error::NotAwaitingApproval)
            }
            Self::Accepted { .. } => Err(Error::AlreadyAccepted),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    /// What becomes of an offer as others are asked and answer.
    pub(super) fn after_asking(self, event: Event) -> Self {
        match (self, event) {
            (Self::Drafted { proposal, discount }, Event::ApprovalRequested { request }) => {
                let pending = Pending::new(request);
                Self::AwaitingApproval { proposal, discount, pending }
            }
            (
                Self::AwaitingApproval { proposal, discount, pending },
                Event::StepApproved { decision },
            ) => Self::AwaitingApproval { proposal, discount, pending: pending.after(decision) },
            (
                Self::AwaitingApproval { proposal, discount, pending },
                Event::StepEscalated { .. },
            ) => Self::AwaitingApproval { proposal, discount, pending: pending.escalated() },
            (Self::AwaitingApproval { proposal, .. }, Event::Approved {}) => {
                Self::Approved(proposal)
            }
            (Self::AwaitingApproval { proposal, discount, .. }, Event::Disapproved { .. }) => {
                Self::Drafted { proposal, discount }
            }
            // `decide` writes none of these otherwise.
            (offer, _) => offer,
        }
    }
}
