//! A negotiation as one side knows it at a moment: terms and timeline.

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

/// A negotiation with its terms and timeline.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationStory")]
#[allow(
    missing_docs,
    reason = "self-explanatory names; comments would change the OpenAPI document"
)]
pub struct NegotiationHistory {
    pub id: NegotiationId,
    /// The offer.
    pub offer: OfferId,
    /// The revision of the offer.
    pub revision: u32,
    pub company: CompanyId,
    pub currency: Currency,
    pub status: Status,
    /// The side that must answer, while the negotiation is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Side>,
    /// The number of rounds.
    pub rounds: u32,
    /// The last day for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
    /// The proposed terms; the agreed terms after the agreement.
    pub table: Table,
    /// A proposal of the own side that awaits approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaiting_approval: Option<Waiting>,
    /// The timeline, oldest entries first: at most the requested number of entries, fewer if they
    /// are long.
    pub timeline: Vec<Entry>,
    /// The cursor of the next page; missing on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[serde(skip)]
    tables: BTreeMap<u32, Table>,
}

/// A proposal that awaits approval.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationWaiting")]
pub struct Waiting {
    /// The proposed round.
    pub round: negotiation::Round,
    /// The approvers and the reasons.
    pub request: domain::approval::Request,
    /// The answers so far.
    pub decisions: Vec<domain::approval::Decision>,
}

/// An entry of the timeline.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationEntry")]
#[allow(
    missing_docs,
    reason = "self-explanatory names; comments would change the OpenAPI document"
)]
pub struct Entry {
    /// Its position in the log.
    pub position: u64,
    pub at: Timestamp,
    /// The event.
    pub event: negotiation::Event,
    /// The only side that may see it; missing if both may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_to: Option<Side>,
}

/// Which parts of the history to collect besides the state.
#[derive(Debug, Default)]
pub(in crate::app) struct HistoryQuery {
    /// This number of timeline entries,
    pub(super) entries: usize,
    /// after this position.
    pub(super) after: u64,
    /// The terms after these rounds; round 0 is the offer.
    pub(super) rounds: Vec<u32>,
}

/// The size in bytes after which no more entries are added to a page.
const MOST_BYTES: usize = 1 << 20;

/// The data collected during the replay.
struct Gathered {
    side: Side,
    query: HistoryQuery,
    state: Negotiation,
    /// The negotiation before its last event.
    ended: Option<Box<ActiveNegotiation>>,
    timeline: Vec<Entry>,
    /// The total length of the payloads of the entries.
    bytes: usize,
    /// Whether more entries follow.
    more: bool,
    tables: BTreeMap<u32, Table>,
}

impl NegotiationHistory {
    /// The negotiation as one side knew it at a moment.
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

    /// The company.
    pub(super) fn company(&self) -> CompanyId {
        self.company
    }

    /// The number of rounds.
    pub(super) fn rounds(&self) -> u32 {
        self.rounds
    }

    /// The round that will be proposed when it is approved.
    pub(in crate::app) fn awaiting_approval(self) -> Option<negotiation::Round> {
        self.awaiting_approval.map(|waiting| waiting.round)
    }

    /// The terms after a requested round, or after the last.
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

    /// Collects an entry if it belongs to the requested page of the timeline.
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
        // The id may belong to an aggregate of another type.
        let Event::Sales(sales::Event::Negotiation(event)) = event else {
            return Err(Problem::not_found());
        };
        self.keep(&event, recorded);
        // A closed negotiation keeps no terms in its state.
        if matches!(event, negotiation::Event::Agreed { .. } | negotiation::Event::Closed {}) {
            self.ended = self.state.active().map(|negotiation| Box::new(negotiation.clone()));
        }
        self.state.apply(event);
        // Reopening points is not a round, so the terms before it include them.
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

    /// Replays reminders with payloads of maximum size; checks the number of entries and whether
    /// more follow.
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
