//! A negotiation as one side knows it at a moment: the table, and how it came to be so.

use std::collections::BTreeMap;

use cqrs_es::Aggregate;
use domain::{
    CompanyId, Currency, Event, Negotiation, NegotiationId, OfferId, Side,
    negotiation::{self, ActiveNegotiation, Asking, Stop, Table},
    sales,
};
use event_log::{At, RecordedEvent};
use jiff::{Timestamp, civil::Date};
use projections::views::sales::negotiations::Status;
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::{page::Page, problem::Problem};
use uuid::Uuid;

use crate::{
    Queries,
    asker::Asker,
    replay::{Hearer, replay},
};

/// A negotiation, whole.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationStory")]
#[allow(missing_docs, reason = "the names say it; comments would change the API's document")]
pub struct NegotiationHistory {
    pub id: NegotiationId,
    /// About which offer.
    pub offer: OfferId,
    /// About which revision of it.
    pub revision: u32,
    pub company: CompanyId,
    pub currency: Currency,
    pub status: Status,
    /// Whose turn it is, where the two talk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Side>,
    /// How many rounds there were.
    pub rounds: u32,
    /// Until when the answer is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
    /// What is on the table; once they agreed, what they agreed on.
    pub table: Table,
    /// What of one's own side waits for a superior's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaiting_approval: Option<Waiting>,
    /// What happened, the oldest first: as many events as are asked for, or fewer that are long.
    pub timeline: Vec<Entry>,
    /// Asks for what happened next; absent where this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[serde(skip)]
    tables: BTreeMap<u32, Table>,
}

/// What waits for a superior's word.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationWaiting")]
pub struct Waiting {
    /// What would be said.
    pub round: negotiation::Round,
    /// Who must agree, and why.
    pub request: domain::approval::Request,
    /// Who has agreed.
    pub decisions: Vec<domain::approval::Decision>,
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationEntry")]
#[allow(missing_docs, reason = "the names say it; comments would change the API's document")]
pub struct Entry {
    /// Where it stands in the log.
    pub position: u64,
    pub at: Timestamp,
    /// What.
    pub event: negotiation::Event,
    /// The only side that knows of it; missing where both do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_to: Option<Side>,
}

/// Which parts of the history of a negotiation are read besides its state.
#[derive(Debug, Default)]
pub(in crate::app) struct HistoryQuery {
    /// So many entries of the timeline,
    pub(super) entries: usize,
    /// after this position.
    pub(super) after: u64,
    /// The tables after these rounds; round 0 is what was offered.
    pub(super) rounds: Vec<u32>,
}

/// Once they have so many bytes, no more entries are shown at once.
const MOST_BYTES: usize = 1 << 20;

/// What is gathered on the way through history.
struct Gathered {
    side: Side,
    query: HistoryQuery,
    state: Negotiation,
    /// The negotiation as it was before it ended.
    ended: Option<Box<ActiveNegotiation>>,
    timeline: Vec<Entry>,
    /// How long the payloads of these are.
    bytes: usize,
    /// Whether more happened after them.
    more: bool,
    tables: BTreeMap<u32, Table>,
}

impl NegotiationHistory {
    /// What one side knew at a moment.
    pub(in crate::app) async fn of(
        queries: &Queries,
        asker: &Asker,
        id: Uuid,
        (at, side): (At, Side),
        query: HistoryQuery,
    ) -> Result<Self, Problem> {
        let gathered = replay(queries, asker, id, at, Gathered::new(side, query)).await?;
        let Gathered { state, ended, timeline, more, tables, .. } = gathered;
        let (status, negotiation) = match state {
            Negotiation::Unopened => (Status::Open, None),
            Negotiation::Open(negotiation) => (Status::Open, Some(negotiation)),
            Negotiation::Stopped { how: Stop::BrokenOff { .. }, negotiation } => {
                (Status::BrokenOff, Some(negotiation))
            }
            Negotiation::Stopped { how: Stop::Expired, negotiation } => {
                (Status::Expired, Some(negotiation))
            }
            Negotiation::Agreed { .. } => (Status::Agreed, ended),
            Negotiation::Closed { .. } => (Status::Closed, ended),
        };
        let negotiation = negotiation.ok_or_else(Problem::not_found)?.seen_by(side);
        let is_open = status == Status::Open;
        let next = timeline.last().filter(|_| more).map(|entry| entry.position);
        let Page { items: timeline, next_cursor } = Page::ending(timeline, next.as_ref());
        Ok(Self {
            id: NegotiationId(id),
            offer: negotiation.offer,
            revision: negotiation.revision,
            company: negotiation.company,
            currency: negotiation.currency,
            status,
            turn: is_open.then_some(negotiation.turn),
            rounds: negotiation.rounds,
            answer_by: negotiation.answer_by.filter(|_| is_open),
            table: negotiation.table,
            awaiting_approval: negotiation
                .asking
                .filter(|_| is_open)
                .map(|asking| waiting(*asking)),
            timeline,
            next_cursor,
            tables,
        })
    }

    /// With whom the seller talks.
    pub(super) fn company(&self) -> CompanyId {
        self.company
    }

    /// How many rounds there were.
    pub(super) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// What would be said once a superior agrees.
    pub(in crate::app) fn awaiting_approval(self) -> Option<negotiation::Round> {
        self.awaiting_approval.map(|waiting| waiting.round)
    }

    /// The table after a requested round, or after the last.
    pub(super) fn table_after(&self, round: u32) -> Option<&Table> {
        if round == self.rounds { Some(&self.table) } else { self.tables.get(&round) }
    }
}

impl Gathered {
    fn new(side: Side, query: HistoryQuery) -> Self {
        Self {
            side,
            query,
            state: Negotiation::default(),
            ended: None,
            timeline: Vec::new(),
            bytes: 0,
            more: false,
            tables: BTreeMap::new(),
        }
    }

    /// Keeps what belongs to the page of the timeline that is wanted.
    fn keep(&mut self, event: &negotiation::Event, recorded: &RecordedEvent) {
        let known_to = event.known_to();
        let position = recorded.position.0;
        if position <= self.query.after || known_to.is_some_and(|only| only != self.side) {
            return;
        }
        if self.timeline.len() >= self.query.entries || self.bytes >= MOST_BYTES {
            self.more = true;
            return;
        }
        self.bytes += recorded.payload.len();
        let (at, event) = (recorded.recorded_at, event.clone());
        self.timeline.push(Entry { position, at, event, known_to });
    }
}

impl Hearer for Gathered {
    fn hear(&mut self, event: Event, recorded: &RecordedEvent) -> Result<(), Problem> {
        // The id may be that of something else.
        let Event::Sales(sales::Event::Negotiation(event)) = event else {
            return Err(Problem::not_found());
        };
        self.keep(&event, recorded);
        // Where all ends, the state forgets the table.
        if matches!(event, negotiation::Event::Agreed { .. } | negotiation::Event::Closed {}) {
            self.ended = self.state.active().map(|negotiation| Box::new(negotiation.clone()));
        }
        self.state.apply(event);
        // What is reopened is no round of its own: the table before it shows it too.
        if let Some(ActiveNegotiation { rounds, table, .. }) = self.state.active()
            && self.query.rounds.contains(rounds)
        {
            self.tables.insert(*rounds, table.clone());
        }
        Ok(())
    }
}

fn waiting(Asking { round, pending, .. }: Asking) -> Waiting {
    Waiting { round, request: pending.request, decisions: pending.decisions }
}

#[cfg(test)]
mod tests {
    use event_log::Position;

    use super::*;

    /// Hears of reminders whose payloads are so long; says what is shown, and whether there is more.
    fn heard(query: HistoryQuery, lengths: &[usize]) -> (Vec<u64>, bool) {
        let on = jiff::civil::date(2026, 11, 26);
        let event = negotiation::Event::Reminded { side: Side::Buyer, on };
        let mut gathered = Gathered::new(Side::Seller, query);
        for (position, length) in (1..).zip(lengths) {
            let recorded = RecordedEvent {
                position: Position(position),
                event_id: Uuid::nil(),
                stream_type: "negotiation".to_owned(),
                stream_id: Uuid::nil(),
                version: position,
                event_type: "negotiation.reminded".to_owned(),
                schema_version: 1,
                company_id: None,
                actor: String::new(),
                command_id: Uuid::nil(),
                correlation_id: Uuid::nil(),
                causation_id: None,
                recorded_at: Timestamp::UNIX_EPOCH,
                payload: " ".repeat(*length),
            };
            let event = Event::Sales(sales::Event::Negotiation(event.clone()));
            gathered.hear(event, &recorded).unwrap();
        }
        (gathered.timeline.iter().map(|entry| entry.position).collect(), gathered.more)
    }

    #[test]
    fn a_page_has_so_many_entries_and_ends_sooner_where_they_are_long() {
        let query = |entries, after| HistoryQuery { entries, after, ..HistoryQuery::default() };
        assert_eq!(heard(query(2, 0), &[1, 1, 1]), (vec![1, 2], true));
        assert_eq!(heard(query(2, 1), &[1, 1, 1]), (vec![2, 3], false));
        let long = [MOST_BYTES - 1, 1, 1, 2 * MOST_BYTES, 1];
        assert_eq!(heard(query(9, 0), &long), (vec![1, 2], true));
        assert_eq!(heard(query(9, 2), &long), (vec![3, 4], true));
        assert_eq!(heard(query(9, 4), &long), (vec![5], false));
    }
}
