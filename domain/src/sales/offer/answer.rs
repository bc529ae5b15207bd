//! What becomes of an offer that was sent: it is seen, accepted, rejected, negotiated, taken back,
//! held open for longer, or lapses.

use jiff::civil::Date;

use super::{Chosen, Closure, Error, Event, Offer, OfferedLine, Open, Proposal, Revision, Stamp};
use crate::{
    kernel::{ActorId, Destination, Lines, NegotiationId, Note, day},
    sales::terms::Conditions,
};

/// How a company says yes.
#[derive(Debug, Clone, PartialEq)]
pub struct Acceptance {
    /// Who says so.
    pub by: ActorId,
    /// The day.
    pub today: Date,
    /// To what.
    pub stamp: Stamp,
    /// Which lines it takes; all that are needed when not given.
    pub chosen: Option<Vec<Chosen>>,
    /// Where its goods go.
    pub destination: Destination,
}

impl Open {
    fn new(revision: Revision) -> Self {
        let valid_until = revision.proposal.valid_until;
        Self { revision, valid_until, seen_by: [].into(), draft: None, negotiation: None }
    }

    fn must_be_valid(&self, today: Date) -> Result<(), Error> {
        if self.valid_until < today {
            return Err(Error::Lapsed { valid_until: self.valid_until });
        }
        Ok(())
    }
}

impl Offer {
    pub(super) fn view(&self, by: ActorId, revision: u32) -> Result<Vec<Event>, Error> {
        let Some(standing) = self.revision() else { return Err(self.not_open()) };
        if revision == 0 || revision > standing.stamp.number {
            return Err(Error::NotTheStandingRevision { standing: standing.stamp.number });
        }
        match self {
            Self::Open(open)
                if open.revision.stamp.number == revision && !open.seen_by.contains(&by) =>
            {
                Ok(vec![Event::Viewed { revision, by }])
            }
            // Looking back at what stands no more is nothing to record.
            _ => Ok(vec![]),
        }
    }

    pub(super) fn accept(&self, acceptance: Acceptance) -> Result<Vec<Event>, Error> {
        let Acceptance { by, today, stamp, chosen, destination } = acceptance;
        match self {
            Self::Open(open) => {
                stamp.must_be(open.revision.stamp)?;
                open.must_be_valid(today)?;
                let proposal = &open.revision.proposal;
                let ordered = proposal.ordered(chosen.as_deref())?;
                Ok(vec![Event::Accepted {
                    by,
                    on: today,
                    proposal: proposal.clone(),
                    destination,
                    revision: Some(open.revision.stamp),
                    ordered,
                }])
            }
            // The same by the same buyer has already succeeded.
            Self::Accepted { by: buyer, revision, ordered, destination: to }
                if *buyer == by
                    && revision.stamp == stamp
                    && *to == destination
                    && revision.proposal.ordered(chosen.as_deref()).as_ref() == Ok(ordered) =>
            {
                Ok(vec![])
            }
            Self::Undrafted | Self::Drafted(_) | Self::Accepted { .. } | Self::Closed { .. } => {
                Err(self.not_open())
            }
        }
    }

    pub(super) fn reject(&self, by: ActorId, reason: Option<Note>) -> Result<Vec<Event>, Error> {
        self.close(Closure::Rejected, || Ok(Event::Rejected { by, reason }))
    }

    pub(super) fn withdraw(&self, reason: Option<Note>) -> Result<Vec<Event>, Error> {
        match self {
            Self::Drafted(_) => Ok(vec![Event::Withdrawn { reason }]),
            Self::Undrafted | Self::Open(_) | Self::Accepted { .. } | Self::Closed { .. } => {
                self.close(Closure::Withdrawn, || Ok(Event::Withdrawn { reason }))
            }
        }
    }

    pub(super) fn expire(&self, today: Date) -> Result<Vec<Event>, Error> {
        self.close(Closure::Expired, || match self {
            Self::Open(open) if today <= open.valid_until => {
                Err(Error::StillValid { valid_until: open.valid_until })
            }
            _ => Ok(Event::Expired { on: today }),
        })
    }

    pub(super) fn extend(&self, until: Date, today: Date) -> Result<Vec<Event>, Error> {
        let Self::Open(open) = self else { return Err(self.not_open()) };
        if day::checked(until)? == open.valid_until {
            return Ok(vec![]);
        }
        if until < open.valid_until || until < today {
            return Err(Error::NotLonger { valid_until: open.valid_until.max(today) });
        }
        Ok(vec![Event::Extended { until, on: today }])
    }

    pub(super) fn negotiate(
        &self,
        negotiation: NegotiationId,
        revision: u32,
        today: Date,
    ) -> Result<Vec<Event>, Error> {
        let Self::Open(open) = self else { return Err(self.not_open()) };
        match open.negotiation {
            Some(present) if present == negotiation => return Ok(vec![]),
            Some(_) => return Err(Error::InNegotiation),
            None => {}
        }
        let standing = open.revision.stamp.number;
        if revision != standing {
            return Err(Error::NotTheStandingRevision { standing });
        }
        open.must_be_valid(today)?;
        Ok(vec![Event::NegotiationOpened { negotiation }])
    }

    pub(super) fn end_negotiation(&self, negotiation: NegotiationId) -> Result<Vec<Event>, Error> {
        match self {
            Self::Open(open) if open.negotiation == Some(negotiation) => {
                Ok(vec![Event::NegotiationEnded { negotiation }])
            }
            Self::Open(_) => Ok(vec![]),
            Self::Undrafted | Self::Drafted(_) | Self::Accepted { .. } | Self::Closed { .. } => {
                Err(self.not_open())
            }
        }
    }

    pub(super) fn agree(
        &self,
        negotiation: NegotiationId,
        lines: Lines<OfferedLine>,
        conditions: Conditions,
        today: Date,
    ) -> Result<Vec<Event>, Error> {
        let Self::Open(open) = self else { return Err(self.not_open()) };
        if open.negotiation != Some(negotiation) {
            return Err(Error::NotInNegotiation);
        }
        open.must_be_valid(today)?;
        let Revision { stamp, proposal, .. } = &open.revision;
        if stamp.number >= Self::MOST_REVISIONS {
            return Err(Error::TooManyRevisions);
        }
        let valid_until = open.valid_until;
        let proposal = Proposal { valid_until, ..proposal.clone().renegotiated(lines, conditions) };
        proposal.checked()?;
        let revision = Stamp::of(stamp.number + 1, &proposal);
        Ok(vec![Event::Agreed { negotiation, on: today, proposal, revision }])
    }

    /// Ends an open offer; one that ended the same way already has succeeded.
    fn close(
        &self,
        wanted: Closure,
        event: impl FnOnce() -> Result<Event, Error>,
    ) -> Result<Vec<Event>, Error> {
        match self {
            Self::Open(_) => Ok(vec![event()?]),
            Self::Closed { how, .. } if *how == wanted => Ok(vec![]),
            Self::Undrafted | Self::Drafted(_) | Self::Accepted { .. } | Self::Closed { .. } => {
                Err(self.not_open())
            }
        }
    }

    /// Why nothing can be answered to it. An open offer is asked for nothing here.
    fn not_open(&self) -> Error {
        match self {
            Self::Undrafted => Error::Undrafted,
            Self::Drafted(_) | Self::Open(_) => Error::NotSent,
            Self::Accepted { .. } => Error::AlreadyAccepted,
            Self::Closed { .. } => Error::Closed,
        }
    }

    /// The lines on whose prices both have agreed: the company has accepted them, or they came of a
    /// negotiation and stand.
    pub fn agreed_on(&self) -> Result<Vec<&OfferedLine>, Error> {
        match self {
            Self::Accepted { revision, ordered, .. } => {
                let lines = revision.proposal.lines.iter();
                Ok(match ordered {
                    None => lines.collect(),
                    Some(ordered) => lines.filter(|line| line.is_among(ordered)).collect(),
                })
            }
            Self::Open(open) if open.revision.negotiated => {
                Ok(open.revision.proposal.lines.iter().collect())
            }
            Self::Open(_) => Err(Error::NotAgreedOn),
            Self::Undrafted | Self::Drafted(_) | Self::Closed { .. } => Err(self.not_open()),
        }
    }

    /// The revision that the company saw last.
    pub fn revision(&self) -> Option<&Revision> {
        match self {
            Self::Undrafted | Self::Drafted(_) | Self::Closed { .. } => None,
            Self::Open(open) => Some(&open.revision),
            Self::Accepted { revision, .. } => Some(revision),
        }
    }

    /// What becomes of an offer when a revision of it is put before the company.
    pub(super) fn after_sending(self, sent: Option<Stamp>) -> Self {
        let number = self.revision().map_or(1, |revision| revision.stamp.number + 1);
        let draft = match self {
            Self::Drafted(draft) => *draft,
            Self::Open(open) => match open.draft {
                Some(draft) => *draft,
                None => return Self::Open(open),
            },
            other @ (Self::Undrafted | Self::Accepted { .. } | Self::Closed { .. }) => {
                return other;
            }
        };
        let proposal = draft.writing.proposal;
        // Offers that were sent before revisions were stamped have one all the same.
        let stamp = sent.unwrap_or_else(|| Stamp::of(number, &proposal));
        Self::Open(Box::new(Open::new(Revision { stamp, proposal, negotiated: false })))
    }

    /// What becomes of an open offer as it is answered; others stay as they are.
    pub(super) fn after_answer(self, event: Event) -> Self {
        let Self::Open(mut open) = self else { return self };
        match event {
            Event::Viewed { by, .. } => {
                open.seen_by.insert(by);
            }
            Event::Extended { until, .. } => open.valid_until = until,
            Event::NegotiationOpened { negotiation } => open.negotiation = Some(negotiation),
            Event::NegotiationEnded { .. } => open.negotiation = None,
            Event::Agreed { proposal, revision: stamp, .. } => {
                *open = Open::new(Revision { stamp, proposal, negotiated: true });
            }
            Event::Accepted { by, ordered, destination, .. } => {
                let revision = Box::new(open.revision);
                return Self::Accepted { by, revision, ordered, destination };
            }
            // These are no answers.
            Event::Drafted { .. }
            | Event::ApprovalRequested { .. }
            | Event::StepApproved { .. }
            | Event::StepEscalated { .. }
            | Event::Approved {}
            | Event::Disapproved { .. }
            | Event::Sent { .. }
            | Event::Rejected { .. }
            | Event::Withdrawn { .. }
            | Event::Expired { .. } => {}
        }
        Self::Open(open)
    }
}
