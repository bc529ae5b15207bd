//! A negotiation that has not ended, and its change by events.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, Event, Moves, Negotiation, Stop, Table};
use crate::{
    kernel::{ActorId, CompanyId, Currency, Message, OfferId},
    parties::Side,
    sales::approval::{Pending, Request},
};

/// A negotiation that is open or stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActiveNegotiation {
    /// With whom the seller talks.
    pub company: CompanyId,
    /// About which offer.
    pub offer: OfferId,
    /// About which revision of it.
    pub revision: u32,
    /// In which currency.
    pub currency: Currency,
    /// The present proposals.
    pub table: Table,
    /// Whose turn it is.
    pub turn: Side,
    /// How many rounds there were.
    pub rounds: u32,
    /// Until when the answer is awaited.
    pub answer_by: Option<Date>,
    /// Whether the side whose turn it is was reminded of the deadline.
    pub reminded: bool,
    /// The pending approval on the side whose turn it is.
    pub asking: Option<Box<Asking>>,
}

/// A round that waits for approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asking {
    /// Of which side.
    pub side: Side,
    /// What would be said.
    pub round: Round,
    /// The approval request.
    pub pending: Pending,
}

/// What one side says when it is its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NegotiationRound")]
pub struct Round {
    /// Who says so.
    pub by: ActorId,
    /// To which points what.
    pub moves: Moves,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The last day on which the other side may answer, in the seller's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
}

impl Asking {
    pub(super) fn new(side: Side, round: Round, request: Request) -> Self {
        Self { side, round, pending: Pending::new(request) }
    }
}

impl ActiveNegotiation {
    /// The events of a round. If everything is agreed after it, the negotiation ends.
    pub(super) fn spoken(&self, side: Side, round: Round) -> Result<Vec<Event>, Error> {
        let table = self.table.after(side, &round.moves)?;
        let agreed = match table.kept().filter(|_| table.is_agreed()) {
            Some(lines) => {
                Some(Event::Agreed { lines, conditions: table.conditions.proposed.clone() })
            }
            None => None,
        };
        let proposed = Event::Proposed { number: self.rounds + 1, side, round };
        Ok(std::iter::once(proposed).chain(agreed).collect())
    }

    pub(super) fn after(mut self, event: Event) -> Negotiation {
        match event {
            Event::Proposed { number, side, round } => {
                // `decide` has done the same.
                if let Ok(table) = self.table.after(side, &round.moves) {
                    self.table = table;
                }
                (self.rounds, self.turn) = (number, side.other());
                (self.answer_by, self.reminded) = (round.answer_by, false);
            }
            Event::ApprovalRequested { .. }
            | Event::StepApproved { .. }
            | Event::StepEscalated { .. }
            | Event::Approved { .. }
            | Event::Disapproved { .. } => {
                return Negotiation::Open(Box::new(self.after_asking(event)));
            }
            Event::ReopeningAsked { side, topics, .. } | Event::Reopened { side, topics, .. } => {
                if let Ok(table) = self.table.reopened(side, &topics) {
                    self.table = table;
                }
            }
            Event::Agreed { .. } => return Negotiation::Agreed { company: self.company },
            Event::BrokenOff { side, .. } => return self.stopped(Stop::BrokenOff { side }),
            Event::Expired { .. } => return self.stopped(Stop::Expired),
            Event::Reminded { .. } => self.reminded = true,
            Event::Closed {} => return Negotiation::Closed { company: self.company },
            // `decide` writes none of these while it is open.
            Event::Opened { .. } | Event::Resumed { .. } => {}
        }
        Negotiation::Open(Box::new(self))
    }

    /// Discards the pending round.
    fn stopped(mut self, how: Stop) -> Negotiation {
        self.asking = None;
        Negotiation::Stopped { negotiation: Box::new(self), how }
    }

    /// The negotiation as one side sees it.
    #[must_use]
    pub fn seen_by(mut self, side: Side) -> Self {
        self.asking = self.asking.filter(|asking| asking.side == side);
        self
    }
}
