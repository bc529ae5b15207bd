//! An offer: prices held open for one company until a day, in numbered revisions that never change
//! once sent. It is accepted whole or in part, rejected, negotiated, withdrawn, or lapses. A
//! discount beyond what its sender may give needs a superior's approval before it is sent.

mod answer;
mod approval;
mod draft;
mod proposal;
mod revision;

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    answer::Acceptance,
    draft::{Draft, Inside, Origin, Stage, Writing},
    proposal::{Break, Choice, Chosen, OfferedLine, Proposal, discounted, most_net},
    revision::{Digest, DigestError, Revision, Stamp},
};
use crate::{
    kernel::{
        ActorId, CompanyId, Destination, EmployeeId, Lines, NegotiationId, Note, OfCompany,
        Percent, Sku, aggregate::aggregate, day::DayError, money::MoneyError, refusal::refusals,
    },
    sales::{
        approval::{self as approvals, Decision, Request, Verdict, Who},
        terms::Conditions,
    },
};

/// The state of an offer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Offer {
    /// Not drafted.
    #[default]
    Undrafted,
    /// The first draft; the company does not see it.
    Drafted(Box<Draft>),
    /// A revision waits for the company's answer.
    Open(Box<Open>),
    /// The company said yes.
    Accepted {
        /// Who said yes.
        by: ActorId,
        /// The accepted content.
        revision: Box<Revision>,
        /// What of it was ordered, where that is not all of its lines as they stand.
        #[serde(default)]
        ordered: Option<Lines>,
        /// The destination.
        #[serde(default)]
        destination: Destination,
    },
    /// Closed without an order.
    Closed {
        /// The company.
        company: CompanyId,
        /// Why it was closed.
        how: Closure,
        /// Whether a revision was ever sent to the company.
        was_sent: bool,
    },
}

/// An offer that waits for the company's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// The revision that can be accepted.
    pub revision: Revision,
    /// Its last day: that of the proposal, or a later one after an extension.
    pub valid_until: Date,
    /// Who has viewed the revision.
    pub seen_by: BTreeSet<ActorId>,
    /// The draft of the next revision.
    pub draft: Option<Box<Draft>>,
    /// The negotiation about it.
    pub negotiation: Option<NegotiationId>,
}

/// Why an offer was closed without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closure {
    /// The company said no.
    Rejected,
    /// Its date passed.
    Expired,
    /// The seller took it back.
    Withdrawn,
}

/// The commands of an offer.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Write the draft, replace it, or write the draft of the next revision.
    Draft(Box<Writing>),
    /// Send the draft to the company, or request approval for it.
    Send {
        /// The day.
        today: Date,
        /// The approval that is needed, if any; ignored if it was given already.
        approval: Option<Box<Request>>,
    },
    /// Approve one step.
    Approve(Verdict),
    /// Refuse approval.
    Disapprove(Verdict),
    /// Escalate the pending approval.
    Escalate {
        /// When.
        at: Timestamp,
    },
    /// Record that somebody of the company has viewed a revision.
    View {
        /// Who.
        by: ActorId,
        /// Which.
        revision: u32,
    },
    /// Accept the offer or some of its lines.
    Accept(Box<Acceptance>),
    /// Reject it.
    Reject {
        /// Who says so.
        by: ActorId,
        /// Why.
        reason: Option<Note>,
    },
    /// Withdraw it.
    Withdraw {
        /// Why.
        reason: Option<Note>,
    },
    /// Expire it because its last day has passed.
    Expire {
        /// The day.
        today: Date,
    },
    /// Extend its last day.
    Extend {
        /// The last day.
        until: Date,
        /// The day.
        today: Date,
    },
    /// Begin or resume the negotiation of the present revision.
    Negotiate {
        /// Where.
        negotiation: NegotiationId,
        /// The revision.
        revision: u32,
        /// The day.
        today: Date,
    },
    /// End the negotiation; the revision stays open.
    EndNegotiation {
        /// Where they talked.
        negotiation: NegotiationId,
    },
    /// Replace the present revision by the agreed one.
    Agree {
        /// The negotiation.
        negotiation: NegotiationId,
        /// On what.
        lines: Box<Lines<OfferedLine>>,
        /// On which conditions.
        conditions: Conditions,
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
        /// Who looks after it at the seller.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        representative: Option<EmployeeId>,
        /// What it was made of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
        /// What stays at the seller.
        #[serde(default, skip_serializing_if = "Inside::is_empty")]
        inside: Inside,
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
    /// The company can see and answer what was written last, and nothing that was sent before.
    Sent {
        /// The day.
        on: Date,
        /// By what acceptance names it; missing in what was sent before revisions were stamped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Stamp>,
    },
    /// Somebody of the company looked at the revision that stands for the first time.
    Viewed {
        /// Which.
        revision: u32,
        /// Who.
        by: ActorId,
    },
    /// The two began to talk about the revision that stands, or went on. It can still be accepted.
    NegotiationOpened {
        /// Where.
        negotiation: NegotiationId,
    },
    /// They stopped without agreeing; the revision stands as it did.
    NegotiationEnded {
        /// Where they talked.
        negotiation: NegotiationId,
    },
    /// They agreed: this revision takes the place of the one that stood.
    Agreed {
        /// Where.
        negotiation: NegotiationId,
        /// The day.
        on: Date,
        /// On what.
        proposal: Proposal,
        /// By what acceptance names it.
        revision: Stamp,
    },
    /// It can be accepted for longer.
    Extended {
        /// The last day.
        until: Date,
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
        /// Which revision it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Stamp>,
        /// What is ordered, where that is not all lines as they stand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ordered: Option<Lines>,
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
    Withdrawn {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
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
    Viewed => "viewed" v 1,
    NegotiationOpened => "negotiation_opened" v 1,
    NegotiationEnded => "negotiation_ended" v 1,
    Agreed => "agreed" v 1,
    Extended => "extended" v 1,
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
    /// An approval of the seller is pending.
    #[error("the offer awaits approval")]
    AwaitingApproval,
    /// No approval is pending.
    #[error("the offer does not await approval")]
    NotAwaitingApproval,
    /// The answer to the approval is refused.
    #[error(transparent)]
    Approval(#[from] approvals::Error),
    /// It was not sent.
    #[error("the offer was not sent yet")]
    NotSent,
    /// Its last day has passed.
    #[error("the offer lapsed after {valid_until}")]
    Lapsed {
        /// Its last day.
        valid_until: Date,
    },
    /// Its last day has not passed.
    #[error("the offer is valid until {valid_until}")]
    StillValid {
        /// Its last day.
        valid_until: Date,
    },
    /// The new last day is not later than the present one.
    #[error("an offer is extended to a day after {valid_until}")]
    NotLonger {
        /// Its last day, or the present one.
        valid_until: Date,
    },
    /// It was accepted.
    #[error("the offer was already accepted")]
    AlreadyAccepted,
    /// It was rejected, withdrawn or expired.
    #[error("the offer is closed")]
    Closed,
    /// The company of an offer cannot change.
    #[error("an offer stays with the company for which it was drafted")]
    OtherCompany,
    /// The named revision is not the present one.
    #[error("revision {standing} of the offer stands")]
    NotTheStandingRevision {
        /// The present revision.
        standing: u32,
    },
    /// The acceptance digest is not that of the revision.
    #[error("the digest is not that of revision {revision}")]
    OtherContent {
        /// The named revision.
        revision: u32,
    },
    /// Too many revisions.
    #[error("an offer has at most {} revisions", Offer::MOST_REVISIONS)]
    TooManyRevisions,
    /// It is in negotiation, so it changes only there.
    #[error("the offer is being negotiated")]
    InNegotiation,
    /// It is not in that negotiation.
    #[error("the offer is not being negotiated there")]
    NotInNegotiation,
    /// Both sides agreed on this revision.
    #[error("both have agreed on this revision: negotiate it again, or withdraw the offer")]
    AgreedOn,
    /// The company has not agreed to the prices.
    #[error("the company has not agreed to the prices of the offer")]
    NotAgreedOn,
    /// There is no such line.
    #[error("the offer has no line {line}")]
    NoSuchLine {
        /// Its number.
        line: u32,
    },
    /// No lines are chosen.
    #[error("none of the lines of the offer was chosen")]
    NothingChosen,
    /// A line, or two of its alternatives, is chosen twice.
    #[error("line {line} of the offer, or what can be had instead, was chosen twice")]
    ChosenTwice {
        /// Its number.
        line: u32,
    },
    /// The offer cannot be accepted in part.
    #[error("line {line} of the offer, or what can be had instead, must be taken with it")]
    LineNeeded {
        /// Its number.
        line: u32,
    },
    /// The offer has no price for that quantity.
    #[error("line {line} is not offered in this quantity")]
    QuantityNotOffered {
        /// Its number.
        line: u32,
    },
    /// The alternative refers to no line, or to another alternative.
    #[error("line {line} must be the alternative to another line that is none itself")]
    AlternativeToNothing {
        /// Its number.
        line: u32,
    },
    /// The quantity breaks are not in order.
    #[error("the prices of {sku} for other quantities must be for growing ones, each once")]
    BreaksNotInOrder {
        /// Of what.
        sku: Sku,
    },
    /// More than anybody reads.
    #[error("{sku} has more than {} prices for other quantities", OfferedLine::MOST_BREAKS)]
    TooManyBreaks {
        /// Of what.
        sku: Sku,
    },
    /// Nobody could say to how much they agree.
    #[error("{sku} needs a largest quantity, at least that of its last price")]
    LargestQuantityNeeded {
        /// Of what.
        sku: Sku,
    },
    /// More than one document may come to.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The day is outside the supported range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Undrafted => ("offer.undrafted", Missing),
    AwaitingApproval => ("offer.awaiting_approval", State),
    NotAwaitingApproval => ("offer.not_awaiting_approval", State),
    Approval => (inner),
    NotSent => ("offer.not_sent", State),
    Lapsed => ("offer.lapsed", State),
    StillValid => ("offer.still_valid", State),
    NotLonger => ("offer.not_longer", Invalid),
    AlreadyAccepted => ("offer.already_accepted", State),
    Closed => ("offer.closed", State),
    OtherCompany => ("offer.other_company", Invalid),
    NotTheStandingRevision => ("offer.not_the_standing_revision", State),
    OtherContent => ("offer.other_content", State),
    TooManyRevisions => ("offer.too_many_revisions", State),
    InNegotiation => ("offer.in_negotiation", State),
    NotInNegotiation => ("offer.not_in_negotiation", State),
    NotAgreedOn => ("offer.not_agreed_on", State),
    NoSuchLine => ("offer.no_such_line", Invalid),
    NothingChosen => ("offer.nothing_chosen", Invalid),
    ChosenTwice => ("offer.chosen_twice", Invalid),
    LineNeeded => ("offer.line_needed", Invalid),
    QuantityNotOffered => ("offer.quantity_not_offered", Invalid),
    AlternativeToNothing => ("offer.alternative_to_nothing", Invalid),
    BreaksNotInOrder => ("offer.breaks_not_in_order", Invalid),
    TooManyBreaks => ("offer.too_many_breaks", Invalid),
    LargestQuantityNeeded => ("offer.largest_quantity_needed", Invalid),
    AgreedOn => ("offer.agreed_on", State),
    Money => (inner, Invalid),
    Day => ("day.out_of_range", Invalid),
});

impl Offer {
    /// The most revisions of an offer.
    pub const MOST_REVISIONS: u32 = 500;

    /// Every rule of an offer.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Draft(writing) => self.draft(*writing),
            Command::Send { today, approval } => self.send(today, approval),
            Command::Approve(verdict) => self.approve(verdict),
            Command::Disapprove(verdict) => self.disapprove(verdict),
            Command::Escalate { at } => self.escalate(at),
            Command::View { by, revision } => self.view(by, revision),
            Command::Accept(acceptance) => self.accept(*acceptance),
            Command::Reject { by, reason } => self.reject(by, reason),
            Command::Withdraw { reason } => self.withdraw(reason),
            Command::Expire { today } => self.expire(today),
            Command::Extend { until, today } => self.extend(until, today),
            Command::Negotiate { negotiation, revision, today } => {
                self.negotiate(negotiation, revision, today)
            }
            Command::EndNegotiation { negotiation } => self.end_negotiation(negotiation),
            Command::Agree { negotiation, lines, conditions, today } => {
                self.agree(negotiation, *lines, conditions, today)
            }
        }
    }

    /// Whether the company may see it.
    pub fn is_disclosed(&self) -> bool {
        match self {
            Self::Undrafted | Self::Drafted(_) => false,
            Self::Open(_) | Self::Accepted { .. } => true,
            Self::Closed { was_sent, .. } => *was_sent,
        }
    }

    fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::Drafted { proposal, discount, representative, origin, inside } => {
                let writing = Writing { proposal, discount, representative, origin, inside };
                let draft = Draft::of(writing);
                if let Self::Open(open) = &mut self {
                    open.draft = Some(Box::new(draft));
                    return self;
                }
                Self::Drafted(Box::new(draft))
            }
            Event::ApprovalRequested { .. }
            | Event::StepApproved { .. }
            | Event::StepEscalated { .. }
            | Event::Approved {}
            | Event::Disapproved { .. } => self.after_asking(event),
            Event::Sent { revision, .. } => self.after_sending(revision),
            Event::Viewed { .. }
            | Event::NegotiationOpened { .. }
            | Event::NegotiationEnded { .. }
            | Event::Agreed { .. }
            | Event::Extended { .. }
            | Event::Accepted { .. } => self.after_answer(event),
            Event::Rejected { .. } => self.closed(Closure::Rejected),
            Event::Withdrawn { .. } => self.closed(Closure::Withdrawn),
            Event::Expired { .. } => self.closed(Closure::Expired),
        }
    }

    fn closed(self, how: Closure) -> Self {
        match self.company() {
            Some(company) => Self::Closed { company, how, was_sent: self.is_disclosed() },
            None => Self::Undrafted,
        }
    }
}

impl OfCompany for Offer {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Undrafted => None,
            Self::Drafted(draft) => Some(draft.writing.proposal.company),
            Self::Open(open) => Some(open.revision.proposal.company),
            Self::Accepted { revision, .. } => Some(revision.proposal.company),
            Self::Closed { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
