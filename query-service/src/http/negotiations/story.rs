//! A negotiation as one side knows it at a moment: the table, and how it came to be so.

use cqrs_es::Aggregate;
use domain::{
    CompanyId, Currency, Event, Negotiation, NegotiationId, OfferId, Side,
    negotiation::{self, Asking, Conditions, Stop, Table, Talks},
};
use event_log::{At, RecordedEvent};
use jiff::{Timestamp, civil::Date};
use projections::{ReadError, views::negotiations::Status};
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{Queries, asker::problem};

/// A negotiation, whole.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct Story {
    id: NegotiationId,
    /// About which offer.
    offer: OfferId,
    /// About which revision of it.
    revision: u32,
    company: CompanyId,
    currency: Currency,
    status: Status,
    /// Whose turn it is, where the two talk.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<Side>,
    /// How many rounds there were.
    rounds: u32,
    /// Until when the answer is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    answer_by: Option<Date>,
    /// What is on the table; once they agreed, what they agreed on.
    table: Table,
    /// What of one's own side waits for a superior's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting_approval: Option<Waiting>,
    /// What happened, the oldest first.
    timeline: Vec<Entry>,
    #[serde(skip)]
    tables: Vec<Table>,
}

/// What waits for a superior's word.
#[derive(Debug, Serialize, JsonSchema)]
struct Waiting {
    /// What would be said.
    round: negotiation::Round,
    /// Who must agree, and why.
    request: domain::approval::Request,
    /// Who has agreed.
    decisions: Vec<domain::approval::Decision>,
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// Where it stands in the log.
    position: u64,
    at: Timestamp,
    /// What.
    event: negotiation::Event,
    /// The only side that knows of it; missing where both do.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_to: Option<Side>,
}

/// What is gathered on the way through history.
struct Gathered {
    state: Negotiation,
    /// Before the negotiation ended.
    talks: Option<Talks>,
    timeline: Vec<Entry>,
    /// After each round; the first is what was offered.
    tables: Vec<Table>,
}

impl Story {
    /// What one side knew at a moment.
    pub(in crate::http) async fn of(
        queries: &Queries,
        id: Uuid,
        at: At,
        side: Side,
    ) -> Result<Self, Problem> {
        let read = |error| problem(ReadError::Log(error));
        let events = queries.log.events_until(id, at).await.map_err(read)?;
        let Gathered { state, talks, timeline, tables } = gathered(&events, side)?;
        let talks = talks.ok_or_else(Problem::not_found)?.seen_by(side);
        let status = match &state {
            Negotiation::Unopened | Negotiation::Open(_) => Status::Open,
            Negotiation::Stopped { how: Stop::BrokenOff { .. }, .. } => Status::BrokenOff,
            Negotiation::Stopped { how: Stop::Expired, .. } => Status::Expired,
            Negotiation::Agreed { .. } => Status::Agreed,
            Negotiation::Closed { .. } => Status::Closed,
        };
        let is_open = status == Status::Open;
        Ok(Self {
            id: NegotiationId(id),
            offer: talks.offer,
            revision: talks.revision,
            company: talks.company,
            currency: talks.currency,
            status,
            turn: is_open.then_some(talks.turn),
            rounds: talks.rounds,
            answer_by: talks.answer_by.filter(|_| is_open),
            table: talks.table,
            awaiting_approval: talks.asking.filter(|_| is_open).map(|asking| waiting(*asking)),
            timeline,
            tables,
        })
    }

    /// With whom the seller talks.
    pub(super) fn company(&self) -> CompanyId {
        self.company
    }

    /// What would be said once a superior agrees.
    pub(in crate::http) fn awaiting_approval(self) -> Option<negotiation::Round> {
        self.awaiting_approval.map(|waiting| waiting.round)
    }

    /// The table after each round; the first is what was offered.
    pub(super) fn tables(self) -> Vec<Table> {
        self.tables
    }
}

fn gathered(events: &[RecordedEvent], side: Side) -> Result<Gathered, Problem> {
    let mut gathered = Gathered {
        state: Negotiation::default(),
        talks: None,
        timeline: Vec::new(),
        tables: Vec::new(),
    };
    for recorded in events {
        let event = recorded.event().map_err(|error| Problem::internal(&error))?;
        // The id may be that of something else.
        let Event::Negotiation(event) = event else { return Err(Problem::not_found()) };
        gathered.hear(recorded, event, side);
    }
    Ok(gathered)
}

impl Gathered {
    fn hear(&mut self, recorded: &RecordedEvent, event: negotiation::Event, side: Side) {
        match &event {
            negotiation::Event::Opened { lines, conditions, .. } => {
                self.tables.push(Table::laid(lines, Conditions::clone(conditions)));
            }
            negotiation::Event::Proposed { side, round, .. } => {
                let after =
                    self.tables.last().and_then(|table| table.after(*side, &round.moves).ok());
                self.tables.extend(after);
            }
            negotiation::Event::ReopeningAsked { side, topics, .. }
            | negotiation::Event::Reopened { side, topics, .. } => {
                // It is no round of its own: the table before it shows it too.
                if let Some(last) = self.tables.last_mut()
                    && let Ok(reopened) = last.reopened(*side, topics)
                {
                    *last = reopened;
                }
            }
            _ => {}
        }
        let known_to = event.known_to();
        self.state.apply(event.clone());
        match self.state.talks() {
            Some(talks) => self.talks = Some(talks.clone()),
            // The last round, which made the agreement, is on the table of what was agreed on.
            None => {
                if let (Some(talks), Some(table)) = (&mut self.talks, self.tables.last()) {
                    talks.table = table.clone();
                    talks.rounds = u32::try_from(self.tables.len() - 1).unwrap_or(u32::MAX);
                }
            }
        }
        if known_to.is_none_or(|only| only == side) {
            let (position, at) = (recorded.position.0, recorded.recorded_at);
            self.timeline.push(Entry { position, at, event, known_to });
        }
    }
}

fn waiting(Asking { round, pending, .. }: Asking) -> Waiting {
    Waiting { round, request: pending.request, decisions: pending.decisions }
}
