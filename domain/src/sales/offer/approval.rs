//! How the seller comes to stand behind a discount before it is offered.

use jiff::Timestamp;

use super::{Error, Event, Offer, Stage};
use crate::sales::approval::{Pending, Verdict};

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
            Self::Accepted { .. } => Err(Error::AlreadyAccepted),
            Self::Closed { .. } => Err(Error::Closed),
            Self::Drafted(_) | Self::Open(_) => match self.being_written().map(|it| &it.stage) {
                Some(Stage::AwaitingApproval(pending)) => Ok(pending),
                Some(Stage::Written | Stage::Approved) | None => Err(Error::NotAwaitingApproval),
            },
        }
    }

    /// What becomes of an offer as others are asked and answer.
    pub(super) fn after_asking(mut self, event: Event) -> Self {
        let Some(draft) = self.being_written_mut() else { return self };
        let stage = std::mem::replace(&mut draft.stage, Stage::Written);
        draft.stage = match (stage, event) {
            (Stage::Written, Event::ApprovalRequested { request }) => {
                Stage::AwaitingApproval(Pending::new(request))
            }
            (Stage::AwaitingApproval(pending), Event::StepApproved { decision }) => {
                Stage::AwaitingApproval(pending.after(decision))
            }
            (Stage::AwaitingApproval(pending), Event::StepEscalated { .. }) => {
                Stage::AwaitingApproval(pending.escalated())
            }
            (Stage::AwaitingApproval(_), Event::Approved {}) => Stage::Approved,
            (Stage::AwaitingApproval(_), Event::Disapproved { .. }) => Stage::Written,
            // `decide` writes none of these otherwise.
            (stage, _) => stage,
        };
        self
    }
}
