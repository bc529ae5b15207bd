//! A negotiation: the rounds in which the seller and a company negotiate one revision of an offer,
//! until they agree on every line and on the conditions, one breaks off, or a deadline passes.
//!
//! The sides take turns. A point that both agreed on changes only if both reopen it. A round that
//! exceeds the powers of its author needs approval first; approvals are visible to their own side
//! only.

mod active;
mod approval;
mod table;

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    active::{ActiveNegotiation, Asking, Round},
    table::{Difference, Item, Move, Moves, Point, Table, Topic},
};
use crate::{
    kernel::{
        ActorId, CompanyId, Currency, Lines, Note, OfCompany, OfferId,
        aggregate::aggregate,
        day::{self, DayError},
        refusal::refusals,
    },
    parties::Side,
    sales::{
        approval::{self as approvals, Decision, Request, Verdict, Who},
        offer::{OfferedLine, Proposal},
        terms::Conditions,
    },
};

/// The state of a negotiation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Negotiation {
    /// Not opened.
    #[default]
    Unopened,
    /// One side waits for the other.
    Open(Box<ActiveNegotiation>),
    /// Stopped; it can be resumed while the offer is open.
    Stopped {
        /// Its state when it stopped.
        negotiation: Box<ActiveNegotiation>,
        /// Why it stopped.
        how: Stop,
    },
    /// Both sides agreed on everything: the offer has a new revision.
    Agreed {
        /// The company.
        company: CompanyId,
    },
    /// The offer was accepted as it stood, rejected, withdrawn or lapsed.
    Closed {
        /// The company.
        company: CompanyId,
    },
}

/// Why a negotiation stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// One side broke it off.
    BrokenOff {
        /// Which.
        side: Side,
    },
    /// One side did not answer in time.
    Expired,
}

/// The commands of a negotiation.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open a negotiation of a revision.
    Open {
        /// Of which offer.
        offer: OfferId,
        /// Which one.
        revision: u32,
        /// What it says.
        proposal: Box<Proposal>,
        /// The side that opens it and proposes the first round.
        side: Side,
        /// Who.
        by: ActorId,
    },
    /// Propose a round.
    Propose {
        /// For which side.
        side: Side,
        /// The number of this round, which shows that its author has read all rounds before it.
        number: u32,
        /// What.
        round: Round,
        /// The day.
        today: Date,
        /// The approval that this round needs, if any.
        approval: Option<Box<Request>>,
    },
    /// Approve one step of the pending round.
    Approve {
        /// For which side.
        side: Side,
        /// By whom.
        verdict: Verdict,
    },
    /// Refuse the pending round.
    Disapprove {
        /// For which side.
        side: Side,
        /// By whom.
        verdict: Verdict,
    },
    /// Escalate the pending approval.
    Escalate {
        /// When.
        at: Timestamp,
    },
    /// Ask to reopen agreed points, or agree to reopen them.
    Reopen {
        /// Which side.
        side: Side,
        /// Who.
        by: ActorId,
        /// About what.
        topics: BTreeSet<Topic>,
    },
    /// Break off.
    BreakOff {
        /// Which side.
        side: Side,
        /// Who.
        by: ActorId,
        /// Why.
        reason: Option<Note>,
    },
    /// Resume a stopped negotiation.
    Resume {
        /// Which side.
        side: Side,
        /// Who.
        by: ActorId,
    },
    /// Remind the side whose turn it is.
    Remind {
        /// The day.
        today: Date,
    },
    /// Stop because the deadline has passed.
    Expire {
        /// The day.
        today: Date,
    },
    /// Close because the offer was answered otherwise.
    Close,
}

/// What happened to a negotiation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// One side wants to talk about a revision of an offer; it speaks first.
    Opened {
        /// With whom the seller talks.
        company: CompanyId,
        /// Of which offer.
        offer: OfferId,
        /// About which revision of it.
        revision: u32,
        /// In which currency.
        currency: Currency,
        /// Which side.
        side: Side,
        /// Who.
        by: ActorId,
        /// What the seller has offered.
        lines: Lines<OfferedLine>,
        /// On which conditions.
        conditions: Conditions,
    },
    /// One side has spoken; it is the other's turn.
    Proposed {
        /// The number of the round, counted from 1.
        number: u32,
        /// Which side.
        side: Side,
        /// What it said.
        round: Round,
    },
    /// A superior must agree before something is said; the other side does not know.
    ApprovalRequested {
        /// Of which side.
        side: Side,
        /// What would be said.
        round: Round,
        /// Who must agree, and why.
        request: Request,
    },
    /// Somebody agreed; the other side does not know.
    StepApproved {
        /// Of which side.
        side: Side,
        /// Who, and when.
        decision: Decision,
    },
    /// It took too long, so somebody else is asked too; the other side does not know.
    StepEscalated {
        /// Of which side.
        side: Side,
        /// Which step, counted from 1.
        step: u32,
        /// Whom.
        to: Who,
        /// When.
        at: Timestamp,
    },
    /// All agreed: it was said; the other side does not know that they had to.
    Approved {
        /// Of which side.
        side: Side,
    },
    /// Somebody did not agree: it was not said; the other side does not know.
    Disapproved {
        /// Of which side.
        side: Side,
        /// Who, when and why.
        decision: Decision,
    },
    /// One side wants to talk again about what both had agreed on.
    ReopeningAsked {
        /// Which side.
        side: Side,
        /// Who.
        by: ActorId,
        /// About what.
        topics: BTreeSet<Topic>,
    },
    /// Both want to: what they had agreed on is open again.
    Reopened {
        /// Which side wanted it too.
        side: Side,
        /// Who.
        by: ActorId,
        /// About what.
        topics: BTreeSet<Topic>,
    },
    /// Both agreed on everything.
    Agreed {
        /// On these lines.
        lines: Lines<OfferedLine>,
        /// On these conditions.
        conditions: Conditions,
    },
    /// One side does not want to talk any more.
    BrokenOff {
        /// Which side.
        side: Side,
        /// Who.
        by: ActorId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// They go on where they stopped.
    Resumed {
        /// Which side wanted to.
        side: Side,
        /// Who.
        by: ActorId,
    },
    /// Whose turn it is was reminded that time runs out.
    Reminded {
        /// Whose turn it is.
        side: Side,
        /// The day.
        on: Date,
    },
    /// Whose turn it was did not answer in time.
    Expired {
        /// Whose turn it was.
        side: Side,
        /// The day.
        on: Date,
    },
    /// The offer was accepted as it stood, rejected, withdrawn or lapsed.
    Closed {},
}

aggregate!(Negotiation, "negotiation", {
    Opened => "opened" v 1,
    Proposed => "proposed" v 1,
    ApprovalRequested => "approval_requested" v 1,
    StepApproved => "step_approved" v 1,
    StepEscalated => "step_escalated" v 1,
    Approved => "approved" v 1,
    Disapproved => "disapproved" v 1,
    ReopeningAsked => "reopening_asked" v 1,
    Reopened => "reopened" v 1,
    Agreed => "agreed" v 1,
    BrokenOff => "broken_off" v 1,
    Resumed => "resumed" v 1,
    Reminded => "reminded" v 1,
    Expired => "expired" v 1,
    Closed => "closed" v 1,
});

/// Why a negotiation refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such negotiation.
    #[error("there is no such negotiation")]
    Unopened,
    /// A negotiation of this revision exists already.
    #[error("the negotiation was already opened")]
    AlreadyOpened,
    /// It is stopped and must be resumed first.
    #[error("the negotiation has stopped")]
    Stopped,
    /// It is open.
    #[error("the negotiation has not stopped")]
    NotStopped,
    /// Everything is agreed on.
    #[error("the negotiation has come to an agreement")]
    Concluded,
    /// The offer was answered otherwise.
    #[error("the negotiation is closed")]
    Closed,
    /// It is the other side's turn.
    #[error("it is the other side's turn")]
    NotYourTurn,
    /// Another round was proposed in the meantime.
    #[error("the next round is round {next}")]
    OtherRound {
        /// Its number.
        next: u32,
    },
    /// An approval is pending.
    #[error("what was to be proposed awaits approval")]
    AwaitingApproval,
    /// No approval is pending.
    #[error("the negotiation does not await approval")]
    NotAwaitingApproval,
    /// The answer to the approval is refused.
    #[error(transparent)]
    Approval(#[from] approvals::Error),
    /// There is no such line.
    #[error("there is no line {line} on the table")]
    NoSuchLine {
        /// Its number.
        line: u32,
    },
    /// The point is agreed.
    #[error("{topic} was agreed on, and stays unless both want to talk about it again")]
    Agreed {
        /// What.
        topic: Topic,
    },
    /// The point is not agreed, so it need not be reopened.
    #[error("{topic} is not agreed on")]
    NotAgreed {
        /// What.
        topic: Topic,
    },
    /// The proposal is this side's own: only the other side can agree.
    #[error("{topic} is your own proposal")]
    OwnProposal {
        /// What.
        topic: Topic,
    },
    /// A round without moves.
    #[error("a round agrees to something, or proposes something else")]
    NothingSaid,
    /// A command without points.
    #[error("nothing is named that is to be talked about again")]
    NothingToReopen,
    /// A proposal without lines.
    #[error("at least one line must be left")]
    NothingLeft,
    /// The deadline is in the past.
    #[error("an answer cannot be awaited by {answer_by}")]
    AnswerInThePast {
        /// The day.
        answer_by: Date,
    },
    /// The deadline has not passed, or there is none.
    #[error("the answer is not overdue")]
    NotOverdue,
    /// Too many rounds.
    #[error("a negotiation has at most {} rounds", Negotiation::MOST_ROUNDS)]
    TooManyRounds,
    /// The day is outside the supported range.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Unopened => ("negotiation.unopened", Missing),
    AlreadyOpened => ("negotiation.already_opened", State),
    Stopped => ("negotiation.stopped", State),
    NotStopped => ("negotiation.not_stopped", State),
    Concluded => ("negotiation.concluded", State),
    Closed => ("negotiation.closed", State),
    NotYourTurn => ("negotiation.not_your_turn", State),
    OtherRound => ("negotiation.other_round", State),
    AwaitingApproval => ("negotiation.awaiting_approval", State),
    NotAwaitingApproval => ("negotiation.not_awaiting_approval", State),
    Approval => (inner),
    NoSuchLine => ("negotiation.no_such_line", Invalid),
    Agreed => ("negotiation.agreed", State),
    NotAgreed => ("negotiation.not_agreed", State),
    OwnProposal => ("negotiation.own_proposal", State),
    NothingSaid => ("negotiation.nothing_said", Invalid),
    NothingToReopen => ("negotiation.nothing_to_reopen", Invalid),
    NothingLeft => ("negotiation.nothing_left", Invalid),
    AnswerInThePast => ("negotiation.answer_in_the_past", Invalid),
    NotOverdue => ("negotiation.not_overdue", State),
    TooManyRounds => ("negotiation.too_many_rounds", State),
    Day => ("day.out_of_range", Invalid),
});

impl Event {
    /// The only side that may see the event; `None`: both.
    pub fn known_to(&self) -> Option<Side> {
        match self {
            Self::ApprovalRequested { side, .. }
            | Self::StepApproved { side, .. }
            | Self::StepEscalated { side, .. }
            | Self::Approved { side }
            | Self::Disapproved { side, .. } => Some(*side),
            Self::Opened { .. }
            | Self::Proposed { .. }
            | Self::ReopeningAsked { .. }
            | Self::Reopened { .. }
            | Self::Agreed { .. }
            | Self::BrokenOff { .. }
            | Self::Resumed { .. }
            | Self::Reminded { .. }
            | Self::Expired { .. }
            | Self::Closed {} => None,
        }
    }
}

impl Negotiation {
    /// The most rounds of a negotiation.
    pub const MOST_ROUNDS: u32 = 500;

    /// Every rule of a negotiation.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Open { offer, revision, proposal, side, by } => match self {
                Self::Unopened => Ok(vec![Event::Opened {
                    company: proposal.company,
                    offer,
                    revision,
                    currency: proposal.currency,
                    side,
                    by,
                    conditions: proposal.conditions(),
                    lines: proposal.lines,
                }]),
                Self::Open(_)
                | Self::Stopped { .. }
                | Self::Agreed { .. }
                | Self::Closed { .. } => Err(Error::AlreadyOpened),
            },
            Command::Propose { side, number, round, today, approval } => {
                self.propose(side, number, round, today, approval)
            }
            Command::Approve { side, verdict } => self.approve(side, verdict),
            Command::Disapprove { side, verdict } => self.disapprove(side, verdict),
            Command::Escalate { at } => self.escalate(at),
            Command::Reopen { side, by, topics } => self.reopen(side, by, topics),
            Command::BreakOff { side, by, reason } => match self {
                Self::Stopped { how: Stop::BrokenOff { side: who }, .. } if *who == side => {
                    Ok(vec![])
                }
                _ => {
                    self.open()?;
                    Ok(vec![Event::BrokenOff { side, by, reason }])
                }
            },
            Command::Resume { side, by } => match self {
                Self::Stopped { .. } => Ok(vec![Event::Resumed { side, by }]),
                Self::Open(_) => Err(Error::NotStopped),
                Self::Unopened | Self::Agreed { .. } | Self::Closed { .. } => Err(self.not_open()),
            },
            Command::Remind { today } => {
                let negotiation = self.open()?;
                let near = negotiation.answer_by.filter(|by| today >= day_before(*by));
                match near {
                    Some(_) if negotiation.reminded => Ok(vec![]),
                    Some(_) => Ok(vec![Event::Reminded { side: negotiation.turn, on: today }]),
                    None => Err(Error::NotOverdue),
                }
            }
            Command::Expire { today } => {
                let negotiation = self.open()?;
                match negotiation.answer_by.filter(|by| *by < today) {
                    Some(_) => Ok(vec![Event::Expired { side: negotiation.turn, on: today }]),
                    None => Err(Error::NotOverdue),
                }
            }
            Command::Close => match self {
                Self::Open(_) | Self::Stopped { .. } => Ok(vec![Event::Closed {}]),
                Self::Agreed { .. } | Self::Closed { .. } => Ok(vec![]),
                Self::Unopened => Err(Error::Unopened),
            },
        }
    }

    fn propose(
        &self,
        side: Side,
        number: u32,
        round: Round,
        today: Date,
        approval: Option<Box<Request>>,
    ) -> Result<Vec<Event>, Error> {
        let negotiation = self.open()?;
        let next = negotiation.rounds + 1;
        if negotiation.turn != side {
            return Err(Error::NotYourTurn);
        }
        if number != next {
            return Err(Error::OtherRound { next });
        }
        if number > Self::MOST_ROUNDS {
            return Err(Error::TooManyRounds);
        }
        if negotiation.asking.is_some() {
            return Err(Error::AwaitingApproval);
        }
        if let Some(answer_by) = round.answer_by.map(day::checked).transpose()?
            && answer_by < today
        {
            return Err(Error::AnswerInThePast { answer_by });
        }
        let spoken = negotiation.spoken(side, round.clone())?;
        Ok(match approval {
            Some(request) => vec![Event::ApprovalRequested { side, round, request: *request }],
            None => spoken,
        })
    }

    fn reopen(
        &self,
        side: Side,
        by: ActorId,
        topics: BTreeSet<Topic>,
    ) -> Result<Vec<Event>, Error> {
        let table = &self.open()?.table;
        if topics.is_empty() {
            return Err(Error::NothingToReopen);
        }
        let reopened = table.reopened(side, &topics)?;
        if reopened == *table {
            return Ok(vec![]);
        }
        let requested_by_other_side = |topic: &Topic| table.reopening(*topic) == Some(side.other());
        let (both, one): (BTreeSet<Topic>, BTreeSet<Topic>) =
            topics.into_iter().partition(requested_by_other_side);
        let asked = (!one.is_empty()).then_some(Event::ReopeningAsked { side, by, topics: one });
        let reopened = (!both.is_empty()).then_some(Event::Reopened { side, by, topics: both });
        Ok(asked.into_iter().chain(reopened).collect())
    }

    /// The negotiation while it is open.
    pub fn open(&self) -> Result<&ActiveNegotiation, Error> {
        match self {
            Self::Open(negotiation) => Ok(negotiation),
            Self::Unopened | Self::Stopped { .. } | Self::Agreed { .. } | Self::Closed { .. } => {
                Err(self.not_open())
            }
        }
    }

    /// The negotiation while it is open or stopped.
    pub fn active(&self) -> Option<&ActiveNegotiation> {
        match self {
            Self::Open(negotiation) | Self::Stopped { negotiation, .. } => Some(negotiation),
            Self::Unopened | Self::Agreed { .. } | Self::Closed { .. } => None,
        }
    }

    fn not_open(&self) -> Error {
        match self {
            Self::Unopened => Error::Unopened,
            Self::Open(_) => Error::NotStopped,
            Self::Stopped { .. } => Error::Stopped,
            Self::Agreed { .. } => Error::Concluded,
            Self::Closed { .. } => Error::Closed,
        }
    }

    fn evolve(self, event: Event) -> Self {
        if let Event::Opened {
            company,
            offer,
            revision,
            currency,
            side: turn,
            lines,
            conditions,
            ..
        } = event
        {
            let (rounds, answer_by, reminded, asking) = (0, None, false, None);
            let table = Table::laid(&lines, conditions);
            return Self::Open(Box::new(ActiveNegotiation {
                company,
                offer,
                revision,
                currency,
                table,
                turn,
                rounds,
                answer_by,
                reminded,
                asking,
            }));
        }
        let company = self.company();
        match self {
            Self::Open(negotiation) => negotiation.after(event),
            Self::Stopped { mut negotiation, how } => match (event, company) {
                (Event::Resumed { .. }, _) => {
                    (negotiation.answer_by, negotiation.reminded) = (None, false);
                    Self::Open(negotiation)
                }
                (Event::Closed {}, Some(company)) => Self::Closed { company },
                // `decide` records none of the others in this state.
                _ => Self::Stopped { negotiation, how },
            },
            ended @ (Self::Unopened | Self::Agreed { .. } | Self::Closed { .. }) => ended,
        }
    }
}

/// The day on which a side is reminded of a deadline.
fn day_before(answer_by: Date) -> Date {
    answer_by.yesterday().unwrap_or(answer_by)
}

impl OfCompany for Negotiation {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unopened => None,
            Self::Open(negotiation) | Self::Stopped { negotiation, .. } => {
                Some(negotiation.company)
            }
            Self::Agreed { company } | Self::Closed { company } => Some(*company),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
