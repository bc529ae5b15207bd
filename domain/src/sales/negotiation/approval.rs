//! How one side comes to stand behind what its employee wants to propose.

use jiff::Timestamp;

use super::{ActiveNegotiation, Asking, Error, Event, Negotiation};
use crate::{
    parties::Side,
    sales::approval::{Pending, Verdict},
};

impl Negotiation {
    pub(super) fn approve(&self, side: Side, verdict: Verdict) -> Result<Vec<Event>, Error> {
        let negotiation = self.open()?;
        let Asking { round, pending, .. } = negotiation.asking_of(side)?;
        let is_last = pending.is_last();
        let Some(decision) = pending.answer(verdict)? else { return Ok(vec![]) };
        let mut events = vec![Event::StepApproved { side, decision }];
        if is_last {
            events.push(Event::Approved { side });
            events.extend(negotiation.spoken(side, round.clone())?);
        }
        Ok(events)
    }

    pub(super) fn disapprove(&self, side: Side, verdict: Verdict) -> Result<Vec<Event>, Error> {
        let decision = self.pending(side)?.refusal(verdict)?;
        Ok(vec![Event::Disapproved { side, decision }])
    }

    /// What is asked of others on one side.
    pub fn pending(&self, side: Side) -> Result<&Pending, Error> {
        Ok(&self.open()?.asking_of(side)?.pending)
    }

    pub(super) fn escalate(&self, at: Timestamp) -> Result<Vec<Event>, Error> {
        let asking = self.open()?.asking.as_deref();
        let Asking { side, pending, .. } = asking.ok_or(Error::NotAwaitingApproval)?;
        let to = pending.escalate(at)?;
        Ok(vec![Event::StepEscalated { side: *side, step: pending.step(), to, at }])
    }
}

impl ActiveNegotiation {
    /// What one side's superiors are asked.
    pub fn asking_of(&self, side: Side) -> Result<&Asking, Error> {
        let asking = self.asking.as_deref().filter(|asking| asking.side == side);
        asking.ok_or(Error::NotAwaitingApproval)
    }

    /// The negotiation after a superior was asked or answered.
    pub(super) fn after_asking(mut self, event: Event) -> Self {
        let asking = self.asking.take().map(|asking| *asking);
        let asking = match (asking, event) {
            (None, Event::ApprovalRequested { side, round, request }) => {
                Some(Asking::new(side, round, request))
            }
            (Some(asking), Event::StepApproved { decision, .. }) => {
                Some(Asking { pending: asking.pending.after(decision), ..asking })
            }
            (Some(asking), Event::StepEscalated { .. }) => {
                Some(Asking { pending: asking.pending.escalated(), ..asking })
            }
            (Some(_), Event::Approved { .. } | Event::Disapproved { .. }) => None,
            // `decide` writes none of these otherwise.
            (asking, _) => asking,
        };
        self.asking = asking.map(Box::new);
        self
    }
}
