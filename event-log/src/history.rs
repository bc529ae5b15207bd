//! Queries of events: by stream, company, type, correlation, command, causation and time, forwards
//! and backwards, in pages and as a stream.
//!
//! Whatever is asked, PostgreSQL is led to an index that has it in the order of positions. Left to
//! choose, it reads along the positions and leaves out what does not fit, which takes a second per
//! million events where that is rare.

use domain::history::{DISCLOSED_BY, INTERNAL};
use futures::{Stream, stream};
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::{Error, EventLog, Position, RecordedEvent, read::recorded_event};

/// A filter of events; all given conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Of this stream.
    pub stream_id: Option<Uuid>,
    /// Of this kind of aggregate, with whose name the event's type begins.
    pub stream_type: Option<String>,
    /// Of one of these types; none named means any.
    pub event_types: Vec<String>,
    /// Of this company's history.
    pub company_id: Option<Uuid>,
    /// Set off by this request.
    pub correlation_id: Option<Uuid>,
    /// Done by this command.
    pub command_id: Option<Uuid>,
    /// What policies made of this event.
    pub causation_id: Option<Uuid>,
    /// Recorded at this instant or later.
    pub since: Option<Timestamp>,
    /// Recorded before this instant.
    pub until: Option<Timestamp>,
    /// Excludes internal events of the seller.
    pub disclosed: bool,
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

macro_rules! select {
    () => {
        "SELECT e.position, event_id, stream_type, stream_id, version, event_type, \
        schema_version, company_id, actor, command_id, correlation_id, causation_id, recorded_at, \
        payload FROM log.events e "
    };
}

/// Whether `e`, an event or its entry in the directory, is what $4 to $9 say and was disclosed.
macro_rules! fits {
    () => {
        concat!(
            "($4::text IS NULL OR split_part(e.event_type, '.', 1) = $4)
            AND ($5::text[] IS NULL OR e.event_type = ANY($5))
            AND ($6::uuid IS NULL OR e.company_id = $6)
            AND ($7::uuid IS NULL OR e.correlation_id = $7)
            AND ($8::uuid IS NULL OR e.command_id = $8)
            AND ($9::uuid IS NULL OR e.causation_id = $9)
            AND ",
            disclosed!()
        )
    };
}

/// $10 are the types that never are, $11 the kinds that are with an event of $12.
macro_rules! disclosed {
    () => {
        "($10::text[] IS NULL OR (e.event_type <> ALL($10) AND (
            split_part(e.event_type, '.', 1) <> ALL($11::text[]) OR EXISTS (
                SELECT FROM log.events own JOIN log.events shown USING (stream_id)
                WHERE own.position = e.position AND shown.version <= own.version
                    AND shown.event_type = ANY($12::text[]))))) "
    };
}

/// Only the time is given.
macro_rules! everything {
    ($order:literal) => {
        concat!(
            select!(),
            "WHERE e.position > $1 AND e.position < $2 ORDER BY e.position ",
            $order,
            " LIMIT $3"
        )
    };
}

/// The stream is given. A page begins where the previous one ended, not at the beginning of the
/// stream.
macro_rules! of_stream {
    ($order:literal) => {
        concat!(
            select!(),
            "WHERE e.stream_id = $13 AND e.position > $1 AND e.position < $2
                AND e.version > coalesce((
                    SELECT version FROM log.events WHERE position = $1 AND stream_id = $13), 0)
                AND e.version < coalesce((
                    SELECT version FROM log.events WHERE position = $2 AND stream_id = $13),
                    9223372036854775807)
                AND ",
            fits!(),
            "ORDER BY e.version ",
            $order,
            " LIMIT $3"
        )
    };
}

/// Anything else: what one request or command did, else so many events of each type that is
/// wanted, and what is not in the directory yet.
macro_rules! in_directory {
    ($order:literal) => {
        concat!(
            "WITH RECURSIVE known AS (
                (SELECT event_type FROM log.directory ORDER BY event_type LIMIT 1)
                UNION ALL
                SELECT (SELECT d.event_type FROM log.directory d
                    WHERE d.event_type > known.event_type ORDER BY d.event_type LIMIT 1)
                FROM known WHERE known.event_type IS NOT NULL),
            wanted AS MATERIALIZED (
                SELECT event_type FROM known WHERE event_type IS NOT NULL
                    AND ($4 IS NULL OR split_part(event_type, '.', 1) = $4)
                    AND ($5 IS NULL OR event_type = ANY($5))),
            filled AS MATERIALIZED (
                SELECT coalesce(max(position), 0) AS position FROM log.directory),
            found AS (
                SELECT e.position FROM log.directory e
                WHERE ($7 IS NOT NULL OR $8 IS NOT NULL OR $9 IS NOT NULL)
                    AND e.position > $1 AND e.position < $2 AND ",
            fits!(),
            "UNION ALL
                SELECT entry.position FROM wanted CROSS JOIN LATERAL (
                    SELECT e.position FROM log.directory e
                    WHERE e.event_type = wanted.event_type AND ($6 IS NULL OR e.company_id = $6)
                        AND e.position > $1 AND e.position < $2 AND ",
            disclosed!(),
            "ORDER BY e.position ",
            $order,
            " LIMIT $3) AS entry
                WHERE $7 IS NULL AND $8 IS NULL AND $9 IS NULL
                UNION ALL
                (SELECT e.position FROM log.events e
                WHERE e.position > greatest($1, (SELECT position FROM filled))
                    AND e.position < $2 AND ",
            fits!(),
            "ORDER BY e.position ",
            $order,
            " LIMIT $3)) ",
            select!(),
            "WHERE e.position = ANY (ARRAY(
                SELECT position FROM found ORDER BY position ",
            $order,
            " LIMIT $3))
            ORDER BY e.position ",
            $order
        )
    };
}

/// No more events of a page than fit into $14 bytes of payload, but one at least. How long a payload
/// is, PostgreSQL knows without reading it.
macro_rules! bounded {
    ($page:ident, $order:literal) => {
        concat!(
            "SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
                company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
            FROM (
                SELECT *, sum(octet_length(payload)) OVER (ORDER BY position ",
            $order,
            ") - octet_length(payload) AS before FROM (",
            $page!($order),
            ") AS page) AS stretch WHERE before < $14 ORDER BY position ",
            $order
        )
    };
}

const BOUNDED_EVERYTHING: [&str; 2] = [bounded!(everything, "ASC"), bounded!(everything, "DESC")];
const BOUNDED_OF_STREAM: [&str; 2] = [bounded!(of_stream, "ASC"), bounded!(of_stream, "DESC")];
const BOUNDED_IN_DIRECTORY: [&str; 2] =
    [bounded!(in_directory, "ASC"), bounded!(in_directory, "DESC")];
const EVERYTHING: [&str; 2] = [everything!("ASC"), everything!("DESC")];
const OF_STREAM: [&str; 2] = [of_stream!("ASC"), of_stream!("DESC")];
const IN_DIRECTORY: [&str; 2] = [in_directory!("ASC"), in_directory!("DESC")];
/// Of a page forwards, only events of the types in $14 come with their payload, and no more than fit
/// into $15 bytes of it, but one at least.
const SKIMMED: &str = concat!(
    "SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM (
        SELECT *, sum(octet_length(payload)) OVER (ORDER BY position)
            - octet_length(payload) AS before
        FROM (SELECT position, event_id, stream_type, stream_id, version, event_type,
                schema_version, company_id, actor, command_id, correlation_id, causation_id,
                recorded_at, CASE WHEN event_type = ANY($14::text[]) THEN payload ELSE '' END
                    AS payload
            FROM (",
    in_directory!("ASC"),
    ") AS page) AS spare) AS stretch
    WHERE before < $15 ORDER BY position"
);
const POSITION_BEFORE: &str = "SELECT log.position_before($1)";

impl Lookup {
    /// The statements for this filter, forwards and backwards.
    fn statements(&self) -> [&'static str; 2] {
        let Self { since, until, .. } = *self;
        if self.stream_id.is_some() {
            OF_STREAM
        } else if *self == (Self { since, until, ..Self::default() }) {
            EVERYTHING
        } else {
            IN_DIRECTORY
        }
    }

    /// The same for pages that end at so many bytes.
    fn bounded_statements(&self) -> [&'static str; 2] {
        let statements = self.statements();
        if statements == OF_STREAM {
            BOUNDED_OF_STREAM
        } else if statements == EVERYTHING {
            BOUNDED_EVERYTHING
        } else {
            BOUNDED_IN_DIRECTORY
        }
    }

    /// Whether a new event matches all conditions, except disclosure.
    pub fn may_find(&self, event: &RecordedEvent) -> bool {
        let Self {
            stream_id,
            stream_type,
            event_types,
            company_id,
            correlation_id,
            command_id,
            causation_id,
            since,
            until,
            disclosed: _,
        } = self;
        let kind = event.event_type.split('.').next();
        stream_id.is_none_or(|id| id == event.stream_id)
            && stream_type.as_deref().is_none_or(|wanted| Some(wanted) == kind)
            && (event_types.is_empty() || event_types.contains(&event.event_type))
            && company_id.is_none_or(|id| Some(id) == event.company_id)
            && correlation_id.is_none_or(|id| id == event.correlation_id)
            && command_id.is_none_or(|id| id == event.command_id)
            && causation_id.is_none_or(|id| Some(id) == event.causation_id)
            && since.is_none_or(|since| since <= event.recorded_at)
            && until.is_none_or(|until| event.recorded_at < until)
    }
}

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
        let [forwards, backwards] = lookup.statements();
        let (low, high, sql) = match direction {
            Direction::Forwards => (from.unwrap_or_default().as_i64(), i64::MAX, forwards),
            Direction::Backwards => (0, from.map_or(i64::MAX, Position::as_i64), backwards),
        };
        self.found(sql, lookup, [low, high], limit, &[]).await
    }

    /// The same, but no more at once than fit into a megabyte of payload, and one at least; says too
    /// whether it ended for that, so that there may be more.
    pub async fn page(
        &self,
        lookup: &Lookup,
        direction: Direction,
        from: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<RecordedEvent>, bool), Error> {
        const BYTES: i64 = 1 << 20;
        let [forwards, backwards] = lookup.bounded_statements();
        let (low, high, sql) = match direction {
            Direction::Forwards => (from.unwrap_or_default().as_i64(), i64::MAX, forwards),
            Direction::Backwards => (0, from.map_or(i64::MAX, Position::as_i64), backwards),
        };
        let more: [(&(dyn ToSql + Sync), Type); 1] = [(&BYTES, Type::INT8)];
        let page = self.found(sql, lookup, [low, high], limit, &more).await?;
        let bytes: usize = page.iter().map(|event| event.payload.len()).sum();
        let was_cut = i64::try_from(bytes).is_ok_and(|bytes| bytes >= BYTES);
        Ok((page, was_cut))
    }

    /// Up to `limit` events of a lookup that names no stream, beyond `from`, the oldest first. Only
    /// those of these types come with their payload, and no more at once than fit into a megabyte.
    /// None says that there are no more.
    pub async fn skim(
        &self,
        lookup: &Lookup,
        with_payload: &[&str],
        from: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, Error> {
        const BYTES: i64 = 1 << 20;
        debug_assert!(lookup.stream_id.is_none(), "the directory knows no streams");
        let more: [(&(dyn ToSql + Sync), Type); 2] =
            [(&with_payload, Type::TEXT_ARRAY), (&BYTES, Type::INT8)];
        self.found(SKIMMED, lookup, [from.as_i64(), i64::MAX], limit, &more).await
    }

    /// Events between two positions, by one of the statements above; `more` are its parameters
    /// from $14 on.
    async fn found(
        &self,
        sql: &str,
        lookup: &Lookup,
        [mut low, mut high]: [i64; 2],
        limit: usize,
        more: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<RecordedEvent>, Error> {
        if let Some(since) = lookup.since {
            low = low.max(self.position_before(since).await?.as_i64());
        }
        if let Some(until) = lookup.until {
            high = high.min(self.position_before(until).await?.as_i64() + 1);
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let types = (!lookup.event_types.is_empty()).then_some(&lookup.event_types);
        let internal = lookup.disclosed.then_some(INTERNAL);
        let (kinds, disclosing): (Vec<&str>, Vec<&str>) = DISCLOSED_BY.iter().copied().unzip();
        let parameters: [(&(dyn ToSql + Sync), Type); 13] = [
            (&low, Type::INT8),
            (&high, Type::INT8),
            (&limit, Type::INT8),
            (&lookup.stream_type, Type::TEXT),
            (&types, Type::TEXT_ARRAY),
            (&lookup.company_id, Type::UUID),
            (&lookup.correlation_id, Type::UUID),
            (&lookup.command_id, Type::UUID),
            (&lookup.causation_id, Type::UUID),
            (&internal, Type::TEXT_ARRAY),
            (&kinds, Type::TEXT_ARRAY),
            (&disclosing, Type::TEXT_ARRAY),
            (&lookup.stream_id, Type::UUID),
        ];
        // Planned anew for what is asked: what is not said costs nothing, what is finds its index.
        let parameters = [&parameters, more].concat();
        let rows = self.finder().await?.query_typed(sql, &parameters).await?;
        Ok(rows.iter().map(recorded_event).collect())
    }

    /// All events of a lookup, a page in memory at a time.
    pub fn find_all(
        &self,
        lookup: Lookup,
        direction: Direction,
        from: Option<Position>,
    ) -> impl Stream<Item = Result<RecordedEvent, Error>> {
        /// The number of events per read.
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
        let row = self.finder().await?.query_one(POSITION_BEFORE, &[&instant]).await?;
        Ok(Position::from_i64(row.get(0)))
    }
}
