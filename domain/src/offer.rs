//! An offer: prices held open for one company until a date. Once sent it never changes; it is
//! accepted, rejected, withdrawn or lapses. A discount beyond what its sender may give needs a
//! superior's approval before it is sent.

mod approval;

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ActorId, CompanyId, Currency, Lines, Note, OfCompany, PaymentTerm, Percent, Refusal,
    RefusalKind,
    aggregate::aggregate,
    approval::{self as asking, Decision, Pending, Request, Verdict, Who},
    day::{self, DayError},
    order::Destination,
};

/// What decisions need to know of an offer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Offer {
    /// Nothing yet.
    #[default]
    Undrafted,
    /// Being written; the company does not see it.
    Drafted {
        /// What it says.
        proposal: Proposal,
        /// The largest discount of a line.
        discount: Option<Percent>,
    },
    /// Others at the seller must agree before it is sent.
    AwaitingApproval {
        /// What it says.
        proposal: Proposal,
        /// The largest discount of a line.
        discount: Option<Percent>,
        /// Who must agree.
        pending: Pending,
    },
    /// They agreed; it is not sent yet.
    Approved(Proposal),
    /// Waiting for the company's answer.
    Open(Proposal),
    /// The company said yes.
    Accepted {
        /// Whose offer it was.
        company: CompanyId,
        /// Who said yes.
        by: ActorId,
    },
    /// It ended without an order.
    Closed {
        /// Whose offer it was.
        company: CompanyId,
        /// How it ended.
        how: Closure,
    },
}

/// How an offer ends without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closure {
    /// The company said no.
    Rejected,
    /// Its date passed.
    Expired,
    /// The seller took it back.
    Withdrawn,
}

/// What the seller proposes, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// To whom.
    pub company: CompanyId,
    /// In which currency.
    pub currency: Currency,
    /// What, how much, at which prices.
    pub lines: Lines,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// The last day on which it can be accepted, in the seller's time zone.
    pub valid_until: Date,
}

/// What can be asked of an offer.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Write it, or write it anew before it is sent.
    Draft {
        /// The whole proposal.
        proposal: Proposal,
        /// The largest discount of a line below what agreements and lists make.
        discount: Option<Percent>,
    },
    /// Put it before the company, or before those who must agree first.
    Send {
        /// The day.
        today: Date,
        /// Who must agree first; `None`: nobody. Not asked again where they have.
        approval: Option<Box<Request>>,
    },
    /// Agree that it is sent, step by step.
    Approve(Verdict),
    /// Do not agree.
    Disapprove(Verdict),
    /// Ask somebody else too: it takes too long.
    Escalate {
        /// When.
        at: Timestamp,
    },
    /// Say yes to all of it.
    Accept {
        /// Who says so.
        by: ActorId,
        /// The day.
        today: Date,
        /// Where its goods go.
        destination: Destination,
    },
    /// Say no.
    Reject {
        /// Who says so.
        by: ActorId,
        /// Why.
        reason: Option<Note>,
    },
    /// Take it back.
    Withdraw,
    /// Close it because its date has passed.
    Expire {
        /// The day.
        today: Date,
    },
}

/// What happened to an offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was written, or written anew.
    Drafted {
        /// The whole proposal.
        proposal: Proposal,
        /// The largest discount of a line below what agreements and lists make.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        discount: Option<Percent>,
    },
    /// Others at the seller must agree before it is sent.
    ApprovalRequested {
        /// Who, and why.
        request: Request,
    },
    /// Somebody agreed.
    StepApproved {
        /// Who, and when.
        decision: Decision,
    },
    /// It took too long, so somebody else is asked too.
    StepEscalated {
        /// Which step, counted from 1.
        step: u32,
        /// Whom.
        to: Who,
        /// When.
        at: Timestamp,
    },
    /// All agreed: it can be sent.
    Approved {},
    /// Somebody did not agree: it must be written anew.
    Disapproved {
        /// Who, when and why.
        decision: Decision,
    },
    /// The company can see and answer it.
    Sent {
        /// The day.
        on: Date,
    },
    /// The company said yes: its order is placed at these prices.
    Accepted {
        /// Who said yes.
        by: ActorId,
        /// The day.
        on: Date,
        /// What was accepted, whole.
        proposal: Proposal,
        /// Where its goods go, as far as that was said.
        #[serde(default, skip_serializing_if = "Destination::is_unsaid")]
        destination: Destination,
    },
    /// The company said no.
    Rejected {
        /// Who said no.
        by: ActorId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// The seller took it back.
    Withdrawn {},
    /// Its date passed.
    Expired {
        /// The day it was closed.
        on: Date,
    },
}

aggregate!(Offer, "offer", {
    Drafted => "drafted" v 1,
    ApprovalRequested => "approval_requested" v 1,
    StepApproved => "step_approved" v 1,
    StepEscalated => "step_escalated" v 1,
    Approved => "approved" v 1,
    Disapproved => "disapproved" v 1,
    Sent => "sent" v 1,
    Accepted => "accepted" v 1,
    Rejected => "rejected" v 1,
    Withdrawn => "withdrawn" v 1,
    Expired => "expired" v 1,
});

/// Why an offer refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such offer.
    #[error("there is no such offer")]
    Undrafted,
    /// It cannot be changed any more.
    #[error("the offer was already sent")]
    AlreadySent,
    /// Others at the seller must agree first.
    #[error("the offer awaits approval")]
    AwaitingApproval,
    /// Nobody has to agree, or all have.
    #[error("the offer awaits nobody's approval")]
    NotAwaitingApproval,
    /// An answer that is not taken.
    #[error(transparent)]
    Approval(#[from] asking::Error),
    /// It has not been put before the company.
    #[error("the offer was not sent yet")]
    NotSent,
    /// Its last day is over.
    #[error("the offer lapsed after {valid_until}")]
    Lapsed {
        /// Its last day.
        valid_until: Date,
    },
    /// Its last day is not over.
    #[error("the offer is valid until {valid_until}")]
    StillValid {
        /// Its last day.
        valid_until: Date,
    },
    /// It was accepted.
    #[error("the offer was already accepted")]
    AlreadyAccepted,
    /// It was rejected, withdrawn or expired.
    #[error("the offer is closed")]
    Closed,
    /// It belongs to one company for good.
    #[error("an offer stays with the company for which it was drafted")]
    OtherCompany,
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Undrafted => "offer.undrafted",
            Self::AlreadySent => "offer.already_sent",
            Self::AwaitingApproval => "offer.awaiting_approval",
            Self::NotAwaitingApproval => "offer.not_awaiting_approval",
            Self::Approval(error) => error.code(),
            Self::NotSent => "offer.not_sent",
            Self::Lapsed { .. } => "offer.lapsed",
            Self::StillValid { .. } => "offer.still_valid",
            Self::AlreadyAccepted => "offer.already_accepted",
            Self::Closed => "offer.closed",
            Self::OtherCompany => "offer.other_company",
            Self::Day(_) => "day.out_of_range",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Undrafted => RefusalKind::Missing,
            Self::OtherCompany | Self::Day(_) => RefusalKind::Invalid,
            Self::Approval(error) => error.kind(),
            Self::AlreadySent
            | Self::AwaitingApproval
            | Self::NotAwaitingApproval
            | Self::NotSent
            | Self::Lapsed { .. }
            | Self::StillValid { .. }
            | Self::AlreadyAccepted
            | Self::Closed => RefusalKind::State,
        }
    }
}

impl Offer {
    /// Every rule of an offer.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Draft { proposal, discount } => self.draft(proposal, discount),
            Command::Send { today, approval } => self.send(today, approval),
            Command::Approve(verdict) => self.approve(verdict),
            Command::Disapprove(verdict) => self.disapprove(verdict),
            Command::Escalate { at } => self.escalate(at),
            Command::Accept { by, today, destination } => self.accept(by, today, destination),
            Command::Reject { by, reason } => {
                self.close(Closure::Rejected, || Ok(Event::Rejected { by, reason }))
            }
            Command::Withdraw => self.withdraw(),
            Command::Expire { today } => self.expire(today),
        }
    }

    fn draft(&self, proposal: Proposal, discount: Option<Percent>) -> Result<Vec<Event>, Error> {
        let present = match self {
            Self::Undrafted => None,
            Self::Drafted { proposal, .. }
            | Self::AwaitingApproval { proposal, .. }
            | Self::Approved(proposal) => Some(proposal),
            Self::Open(_) => return Err(Error::AlreadySent),
            Self::Accepted { .. } => return Err(Error::AlreadyAccepted),
            Self::Closed { .. } => return Err(Error::Closed),
        };
        match present {
            Some(present) if present.company != proposal.company => Err(Error::OtherCompany),
            Some(present) if *present == proposal => Ok(vec![]),
            // What was agreed to was another offer: whoever had to agree must again.
            Some(_) | None => {
                day::checked(proposal.valid_until)?;
                Ok(vec![Event::Drafted { proposal, discount }])
            }
        }
    }

    fn send(&self, today: Date, approval: Option<Box<Request>>) -> Result<Vec<Event>, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted { proposal: Proposal { valid_until, .. }, .. }
            | Self::Approved(Proposal { valid_until, .. })
                if *valid_until < today =>
            {
                Err(Error::Lapsed { valid_until: *valid_until })
            }
            Self::Drafted { .. } => Ok(vec![match approval {
                Some(request) => Event::ApprovalRequested { request: *request },
                None => Event::Sent { on: today },
            }]),
            Self::AwaitingApproval { .. } => Err(Error::AwaitingApproval),
            Self::Approved(_) => Ok(vec![Event::Sent { on: today }]),
            Self::Open(_) => Ok(vec![]),
            Self::Accepted { .. } => Err(Error::AlreadyAccepted),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    fn accept(
        &self,
        by: ActorId,
        today: Date,
        destination: Destination,
    ) -> Result<Vec<Event>, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted { .. } | Self::AwaitingApproval { .. } | Self::Approved(_) => {
                Err(Error::NotSent)
            }
            Self::Open(Proposal { valid_until, .. }) if *valid_until < today => {
                Err(Error::Lapsed { valid_until: *valid_until })
            }
            Self::Open(proposal) => {
                let proposal = proposal.clone();
                Ok(vec![Event::Accepted { by, on: today, proposal, destination }])
            }
            // A retry by the same buyer has already succeeded.
            Self::Accepted { by: buyer, .. } if *buyer == by => Ok(vec![]),
            Self::Accepted { .. } => Err(Error::AlreadyAccepted),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    fn withdraw(&self) -> Result<Vec<Event>, Error> {
        match self {
            Self::Drafted { .. } | Self::AwaitingApproval { .. } | Self::Approved(_) => {
                Ok(vec![Event::Withdrawn {}])
            }
            Self::Undrafted | Self::Open(_) | Self::Accepted { .. } | Self::Closed { .. } => {
                self.close(Closure::Withdrawn, || Ok(Event::Withdrawn {}))
            }
        }
    }

    fn expire(&self, today: Date) -> Result<Vec<Event>, Error> {
        self.close(Closure::Expired, || match self {
            Self::Open(Proposal { valid_until, .. }) if today <= *valid_until => {
                Err(Error::StillValid { valid_until: *valid_until })
            }
            _ => Ok(Event::Expired { on: today }),
        })
    }

    /// Ends an open offer; one that ended the same way already has succeeded.
    fn close(
        &self,
        wanted: Closure,
        event: impl FnOnce() -> Result<Event, Error>,
    ) -> Result<Vec<Event>, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted { .. } | Self::AwaitingApproval { .. } | Self::Approved(_) => {
                Err(Error::NotSent)
            }
            Self::Open(_) => Ok(vec![event()?]),
            Self::Accepted { .. } => Err(Error::AlreadyAccepted),
            Self::Closed { how, .. } if *how == wanted => Ok(vec![]),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    /// Whether its company may know of it.
    pub fn is_disclosed(&self) -> bool {
        match self {
            Self::Undrafted
            | Self::Drafted { .. }
            | Self::AwaitingApproval { .. }
            | Self::Approved(_) => false,
            Self::Open(_) | Self::Accepted { .. } | Self::Closed { .. } => true,
        }
    }

    fn evolve(self, event: Event) -> Self {
        let closed = |offer: Self, how| match offer.company() {
            Some(company) => Self::Closed { company, how },
            None => Self::Undrafted,
        };
        match event {
            Event::Drafted { proposal, discount } => Self::Drafted { proposal, discount },
            Event::ApprovalRequested { .. }
            | Event::StepApproved { .. }
            | Event::StepEscalated { .. }
            | Event::Approved {}
            | Event::Disapproved { .. } => self.after_asking(event),
            Event::Sent { .. } => match self {
                Self::Drafted { proposal, .. } | Self::Approved(proposal) => Self::Open(proposal),
                Self::Undrafted
                | Self::AwaitingApproval { .. }
                | Self::Open(_)
                | Self::Accepted { .. }
                | Self::Closed { .. } => self,
            },
            Event::Accepted { by, proposal, .. } => {
                Self::Accepted { company: proposal.company, by }
            }
            Event::Rejected { .. } => closed(self, Closure::Rejected),
            Event::Withdrawn {} => closed(self, Closure::Withdrawn),
            Event::Expired { .. } => closed(self, Closure::Expired),
        }
    }
}

impl OfCompany for Offer {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Undrafted => None,
            Self::Drafted { proposal, .. }
            | Self::AwaitingApproval { proposal, .. }
            | Self::Approved(proposal)
            | Self::Open(proposal) => Some(proposal.company),
            Self::Accepted { company, .. } | Self::Closed { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
