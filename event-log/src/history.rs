//! Looking something up in history: by stream, company, type, correlation, command and time,
//! forwards and backwards, in pages and as a stream.

use futures::{Stream, stream};
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::{Error, EventLog, Position, RecordedEvent, read::recorded_event};

/// Which events are looked for: those of which all holds that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Of this stream.
    pub stream_id: Option<Uuid>,
    /// Of this kind of aggregate.
    pub stream_type: Option<String>,
    /// Of one of these types; none named means any.
    pub event_types: Vec<String>,
    /// Of none of these types.
    pub except_types: Vec<String>,
    /// Of this company's history.
    pub company_id: Option<Uuid>,
    /// Set off by this request.
    pub correlation_id: Option<Uuid>,
    /// Done by this command.
    pub command_id: Option<Uuid>,
    /// Recorded at this instant or later.
    pub since: Option<Timestamp>,
    /// Recorded before this instant.
    pub until: Option<Timestamp>,
}

/// Which way history is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// The oldest first.
    #[default]
    Forwards,
    /// The newest first.
    Backwards,
}

/// What both halves of a page ask of an event: $1 and $2 bound its position (exclusively), $3 to
/// $9 are the lookup, $10 and $11 the time, $12 the size.
macro_rules! page {
    ($order:literal) => {
        concat!(
            "WITH bounds AS MATERIALIZED (
                SELECT greatest($1::bigint, CASE WHEN $10::timestamptz IS NULL THEN 0
                        ELSE log.position_before($10) END) AS low,
                    least($2::bigint, CASE WHEN $11::timestamptz IS NULL THEN $2
                        ELSE log.position_before($11) + 1 END) AS high,
                    (SELECT coalesce(max(position), 0) FROM log.directory) AS filled)
            SELECT position, event_id, stream_type, stream_id, version, event_type,
                schema_version, company_id, actor, command_id, correlation_id, causation_id,
                recorded_at, payload
            FROM (
                (SELECT e.* FROM log.directory d JOIN log.events e USING (position)
                WHERE d.position > (SELECT low FROM bounds)
                    AND d.position < (SELECT high FROM bounds)
                    AND $3::uuid IS NULL
                    AND ($5::text[] IS NULL OR d.event_type = ANY($5))
                    AND ($6::text[] IS NULL OR d.event_type <> ALL($6))
                    AND ($7::uuid IS NULL OR d.company_id = $7)
                    AND ($8::uuid IS NULL OR d.correlation_id = $8)
                    AND ($9::uuid IS NULL OR d.command_id = $9)
                    AND ($4::text IS NULL OR e.stream_type = $4)
                ORDER BY d.position ",
            $order,
            " LIMIT $12)
                UNION ALL
                (SELECT e.* FROM log.events e
                WHERE e.position > greatest((SELECT low FROM bounds), CASE
                        WHEN $3 IS NULL THEN (SELECT filled FROM bounds) ELSE 0 END)
                    AND e.position < (SELECT high FROM bounds)
                    AND ($3 IS NULL OR e.stream_id = $3)
                    AND ($5 IS NULL OR e.event_type = ANY($5))
                    AND ($6 IS NULL OR e.event_type <> ALL($6))
                    AND ($7 IS NULL OR e.company_id = $7)
                    AND ($8 IS NULL OR e.correlation_id = $8)
                    AND ($9 IS NULL OR e.command_id = $9)
                    AND ($4 IS NULL OR e.stream_type = $4)
                ORDER BY e.position ",
            $order,
            " LIMIT $12)
            ) AS found
            ORDER BY position ",
            $order,
            " LIMIT $12"
        )
    };
}

const FORWARDS: &str = page!("ASC");
const BACKWARDS: &str = page!("DESC");
const POSITION_BEFORE: &str = "SELECT log.position_before($1)";

impl EventLog {
    /// Up to `limit` events of a lookup, in the direction, from beyond `from` on; from the very
    /// beginning or end when that is `None`.
    pub async fn find(
        &self,
        lookup: &Lookup,
        direction: Direction,
        from: Option<Position>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let (low, high, sql) = match direction {
            Direction::Forwards => (from.unwrap_or_default().as_i64(), i64::MAX, FORWARDS),
            Direction::Backwards => (0, from.map_or(i64::MAX, Position::as_i64), BACKWARDS),
        };
        let any = |types: &Vec<String>| (!types.is_empty()).then(|| types.clone());
        let (only, except) = (any(&lookup.event_types), any(&lookup.except_types));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters: [(&(dyn ToSql + Sync), Type); 12] = [
            (&low, Type::INT8),
            (&high, Type::INT8),
            (&lookup.stream_id, Type::UUID),
            (&lookup.stream_type, Type::TEXT),
            (&only, Type::TEXT_ARRAY),
            (&except, Type::TEXT_ARRAY),
            (&lookup.company_id, Type::UUID),
            (&lookup.correlation_id, Type::UUID),
            (&lookup.command_id, Type::UUID),
            (&lookup.since, Type::TIMESTAMPTZ),
            (&lookup.until, Type::TIMESTAMPTZ),
            (&limit, Type::INT8),
        ];
        // Planned anew for what is asked: what is not said costs nothing, what is finds its index.
        let rows = self.reader().await?.query_typed(sql, &parameters).await?;
        Ok(rows.iter().map(recorded_event).collect())
    }

    /// All events of a lookup, a page in memory at a time.
    pub fn find_all(
        &self,
        lookup: Lookup,
        direction: Direction,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<RecordedEvent, Error>> {
        /// How many events are read at once.
        const PAGE: usize = 1_000;
        let log = self.clone();
        let pages =
            stream::try_unfold((log, lookup, Some(from)), move |(log, lookup, from)| async move {
                let Some(from) = from else { return Ok(None) };
                let page = log.find(&lookup, direction, from, PAGE).await?;
                let next =
                    page.last().filter(|_| page.len() == PAGE).map(|last| Some(last.position));
                Ok::<_, Error>(Some((stream::iter(page.into_iter().map(Ok)), (log, lookup, next))))
            });
        futures::TryStreamExt::try_flatten(pages)
    }

    /// The last position recorded before an instant.
    pub async fn position_before(&self, instant: Timestamp) -> Result<Position, Error> {
        let row = self.reader().await?.query_one(POSITION_BEFORE, &[&instant]).await?;
        Ok(Position::from_i64(row.get(0)))
    }
}
