//! Past states: an aggregate at a version, a position or an instant.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::Aggregate;
use domain::{OfCompany, upcaster};
use futures::{Stream, TryStreamExt, pin_mut, stream};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{Error, EventLog, Loaded, Position, RecordedEvent};

/// Of some streams those that have events after a position, with one look into the index for each.
const CHANGED: &str = "\
    SELECT wanted.stream_id FROM unnest($1::uuid[]) AS wanted(stream_id)
    CROSS JOIN LATERAL (SELECT position FROM log.events e WHERE e.stream_id = wanted.stream_id
        ORDER BY version DESC LIMIT 1) AS last
    WHERE last.position > $2";
/// The events of some streams up to a position, each stream in order.
const UNTIL: &str = "\
    SELECT wanted.stream_id, until.version, until.payload, until.event_type, until.schema_version
    FROM unnest($1::uuid[]) AS wanted(stream_id) CROSS JOIN LATERAL (
        SELECT version, payload, event_type, schema_version FROM log.events e
        WHERE e.stream_id = wanted.stream_id AND e.stream_type = $3
            -- No column, so that nobody looks along all positions for it.
            AND e.position + 0 <= $2
        -- Keeps it a look into the index of streams for each.
        ORDER BY version OFFSET 0) AS until
    ORDER BY 1, 2";

/// A point in the history of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Its newest event.
    Now,
    /// After this number of events.
    Version(u64),
    /// At this position of the log.
    Position(Position),
    /// Everything recorded up to and including this instant.
    Instant(Timestamp),
}

/// A past state of an aggregate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateAt {
    /// Its kind.
    pub stream_type: String,
    /// Its id.
    pub stream_id: Uuid,
    /// Its version.
    pub version: u64,
    /// The position of its last event.
    pub position: Position,
    /// When that event was recorded.
    pub recorded_at: Timestamp,
    /// Its company at that time.
    pub company_id: Option<Uuid>,
    /// The state, as JSON.
    pub state: serde_json::Value,
}

/// Why there is no past state.
#[derive(Debug, thiserror::Error)]
pub enum PastStateError {
    /// It did not exist yet, or never.
    #[error("there was no such thing then")]
    Nothing,
    /// An event of it cannot be read by this build.
    #[error("its event at position {position} cannot be read")]
    Unreadable {
        /// Where it stands.
        position: Position,
        /// Why.
        source: domain::UnreadableEvent,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] Error),
}

impl At {
    fn includes(self, event: &RecordedEvent) -> bool {
        match self {
            Self::Now => true,
            Self::Version(version) => event.version <= version,
            Self::Position(position) => event.position <= position,
            Self::Instant(instant) => event.recorded_at <= instant,
        }
    }
}

impl EventLog {
    /// The events of a stream that had happened by then, in order.
    pub async fn events_until(&self, id: Uuid, at: At) -> Result<Vec<RecordedEvent>, Error> {
        self.stretches_until(id, at).try_concat().await
    }

    /// The same, of which no more than a megabyte and an event is in memory at a time. Times and
    /// positions only grow along a stream, so what follows the first that had not happened, had not
    /// either.
    pub fn stretches_until(
        &self,
        id: Uuid,
        at: At,
    ) -> impl Stream<Item = Result<Vec<RecordedEvent>, Error>> + Send + use<> {
        let log = self.clone();
        stream::try_unfold(Some(0), move |after| {
            let log = log.clone();
            async move {
                let Some(after) = after else { return Ok(None) };
                let mut stretch = log.stretch(id, after).await?;
                let last = stretch.last().map(|event| event.version);
                stretch.truncate(stretch.partition_point(|event| at.includes(event)));
                let next = last.filter(|last| stretch.last().is_some_and(|e| e.version == *last));
                Ok((!stretch.is_empty()).then_some((stretch, next)))
            }
        })
    }

    /// The state of an aggregate at a point.
    pub async fn load_at<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        id: Uuid,
        at: At,
    ) -> Result<Arc<Loaded<A>>, Error> {
        if at == At::Now {
            return self.newest::<A>(id).await;
        }
        let mut loaded = Loaded::<A>::default();
        for event in self.events_until(id, at).await? {
            let (stream_id, version) = (id, event.version);
            let event =
                upcaster::read::<A>(&event.event_type, event.schema_version, &event.payload)
                    .map_err(|source| Error::Unreadable { stream_id, version, source })?;
            loaded.state.apply(event);
            loaded.version = version;
        }
        Ok(Arc::new(loaded))
    }

    /// The states of many aggregates as they were at a position. Those that have not changed since come
    /// from memory as [`EventLog::newest_many`] finds them; all others are read with one query. Those
    /// that did not exist come at version 0.
    pub async fn load_many_at<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        ids: &[Uuid],
        at: Position,
    ) -> Result<HashMap<Uuid, Arc<Loaded<A>>>, Error> {
        let mut states = self.newest_many::<A>(ids).await?;
        // Asked after the states were loaded: what has no later event now had none then.
        let changed = self.changed_after(&states.keys().copied().collect::<Vec<_>>(), at).await?;
        if changed.is_empty() {
            return Ok(states);
        }
        let mut until = self.replay_until::<A>(&changed, at).await?;
        for id in changed {
            states.insert(id, Arc::new(until.remove(&id).unwrap_or_default()));
        }
        Ok(states)
    }

    /// Those of some streams that have events after a position.
    async fn changed_after(&self, ids: &[Uuid], at: Position) -> Result<Vec<Uuid>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(CHANGED).await?;
        let rows = client.query(&statement, &[&ids, &at.as_i64()]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn replay_until<A: Aggregate + OfCompany>(
        &self,
        ids: &[Uuid],
        at: Position,
    ) -> Result<HashMap<Uuid, Loaded<A>>, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(UNTIL).await?;
        let at = at.as_i64();
        let parameters: [&(dyn ToSql + Sync); 3] = [&ids, &at, &A::TYPE];
        let rows = client.query_raw(&statement, parameters).await?;
        pin_mut!(rows);
        let mut states: HashMap<Uuid, Loaded<A>> = HashMap::new();
        while let Some(row) = rows.try_next().await? {
            let (stream_id, version): (Uuid, i64) = (row.get(0), row.get(1));
            let (version, schema) = (version.unsigned_abs(), row.get::<_, i16>(4).unsigned_abs());
            let event = upcaster::read::<A>(row.get(3), schema, row.get(2))
                .map_err(|source| Error::Unreadable { stream_id, version, source })?;
            let loaded = states.entry(stream_id).or_default();
            loaded.state.apply(event);
            loaded.version = version;
        }
        Ok(states)
    }

    /// The state of an aggregate at a point, folded from its events by the present rules.
    pub async fn state_at(&self, id: Uuid, at: At) -> Result<StateAt, PastStateError> {
        let events = self.events_until(id, at).await?;
        let last = events.last().ok_or(PastStateError::Nothing)?;
        let stored = events
            .iter()
            .map(|event| (event.event_type.as_str(), event.schema_version, event.payload.as_str()));
        let state = domain::history::state_of(&last.stream_type, stored).map_err(|source| {
            let unreadable = events.iter().find(|event| event.event().is_err()).unwrap_or(last);
            PastStateError::Unreadable { position: unreadable.position, source }
        })?;
        Ok(StateAt {
            stream_type: last.stream_type.clone(),
            stream_id: id,
            version: last.version,
            position: last.position,
            recorded_at: last.recorded_at,
            company_id: last.company_id,
            state,
        })
    }
}
