//! The interfaces of a runner to the log and to its database, so that simulations run the same
//! runner against models of both.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use deadpool_postgres::{Object, Pool};
use event_log::{EventLog, Position, RecordedEvent};
use futures::{StreamExt, stream::FuturesOrdered};
use tokio::sync::watch;
use tokio_postgres::{Client, Row, Statement, types::ToSql};
use uuid::Uuid;

use crate::{
    Projection, applying::Checkpoint, aside::SetAside, checkpoints::Move, progress::Seen,
    projection::Change, runner::ProjectionError,
};

/// The log that is followed.
pub(crate) trait Log: Send + Sync {
    /// Wakes when there are events to follow, of this process or another, with the last position.
    fn reached(&self) -> watch::Receiver<Position>;

    /// Up to `limit` events after a position, in order, as far as it has reached. Between two of them
    /// there is none of these types; there may be some of others. None at all means that there are
    /// no more.
    fn follow(
        &self,
        types: &[&str],
        after: Position,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Arc<RecordedEvent>>, event_log::Error>> + Send;
}

/// The database with the tables and checkpoints of read models.
pub(crate) trait Database: Send + Sync {
    type Connection: Connection;

    fn connect(&self) -> impl Future<Output = Result<Self::Connection, ProjectionError>> + Send;
}

/// A connection.
pub(crate) trait Connection: Send + Sync {
    type Transaction<'c>: Transaction
    where
        Self: 'c;

    fn begin(
        &mut self,
    ) -> impl Future<Output = Result<Self::Transaction<'_>, ProjectionError>> + Send;

    /// The checkpoint of a read model; `None` if it is not set up.
    fn checkpoint(
        &self,
        projection: Projection,
    ) -> impl Future<Output = Result<Option<Checkpoint>, ProjectionError>> + Send;

    /// All checkpoints as they are, by the names of their read models.
    fn checkpoints(
        &self,
    ) -> impl Future<Output = Result<BTreeMap<String, Seen>, ProjectionError>> + Send;

    /// Moves checkpoints that are unchanged and not locked; returns the names of their read models.
    fn advance(
        &self,
        moves: &[Move],
    ) -> impl Future<Output = Result<Vec<String>, ProjectionError>> + Send;

    /// Records that a read model has stopped at an event.
    fn record_failure(
        &self,
        projection: Projection,
        position: Position,
        reason: &str,
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send;
}

/// A transaction: dropped without a commit, it is rolled back.
pub(crate) trait Transaction: Send + Sync {
    /// Locks the checkpoint of a read model for this transaction.
    fn lock(
        &mut self,
        projection: Projection,
    ) -> impl Future<Output = Result<Option<Checkpoint>, ProjectionError>> + Send;

    /// Applies events in order; returns the last one that changed a row.
    fn apply(
        &mut self,
        projection: Projection,
        events: &[&RecordedEvent],
    ) -> impl Future<Output = Result<Option<Position>, ProjectionError>> + Send;

    /// Sets the savepoint of [`Self::roll_back`]; one at a time.
    fn savepoint(&mut self) -> impl Future<Output = Result<(), ProjectionError>> + Send;

    /// Rolls back to the savepoint, also after an error, and releases it.
    fn roll_back(&mut self) -> impl Future<Output = Result<(), ProjectionError>> + Send;

    /// Releases the savepoint.
    fn release(&mut self) -> impl Future<Output = Result<(), ProjectionError>> + Send;

    /// Records a stream that is set aside.
    fn set_aside(
        &mut self,
        projection: Projection,
        aside: &SetAside,
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send;

    /// Moves the checkpoint, and records the last event that changed a row, if any.
    fn checkpoint(
        &mut self,
        projection: Projection,
        position: Position,
        changed: Option<Position>,
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send;

    fn commit(self) -> impl Future<Output = Result<(), ProjectionError>> + Send;
}

/// A crash of PostgreSQL may undo the last changes together with their checkpoint. They are applied
/// again from the log, so the commit is asynchronous.
const ENTER: &str = "SET LOCAL search_path TO view; SET LOCAL synchronous_commit TO off";
/// Statements are planned once and kept, also for tables that were empty then: such a plan would read all of a
/// table that has grown.
pub(crate) const PLANS: &str = "SET LOCAL enable_seqscan TO off";
const LOCK: &str = "
    SELECT position, build, set_aside FROM checkpoints WHERE projection = $1 FOR UPDATE";
const CHECKPOINT: &str = "
    SELECT position, build, set_aside FROM view.checkpoints WHERE projection = $1";
/// In the schema that is being worked on.
const ASIDE: &str = "
    SELECT key_id, stream_type, stream_id, company_id, position, reason FROM set_aside
    WHERE projection = $1 ORDER BY position";
const LIVE_ASIDE: &str = "
    SELECT key_id, stream_type, stream_id, company_id, position, reason FROM view.set_aside
    WHERE projection = $1 ORDER BY position";
const SET_ASIDE: &str = "
    WITH counted AS (UPDATE checkpoints SET set_aside = set_aside + 1 WHERE projection = $1)
    INSERT INTO set_aside
        (projection, key_id, stream_type, stream_id, company_id, position, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const ADVANCE: &str = "
    UPDATE checkpoints SET position = $2, changed = coalesce($3, changed) WHERE projection = $1";
/// What a read model leaves out is identified by the number and the sum of its positions.
const CHECKPOINTS: &str = "
    SELECT c.projection, c.position, c.build, c.set_aside,
        CASE WHEN c.set_aside = 0 THEN 0 ELSE (
            SELECT coalesce(sum(s.position), 0)::bigint FROM view.set_aside s
            WHERE s.projection = c.projection) END,
        (SELECT f.reason FROM view.failures f
            WHERE f.projection = c.projection AND f.position = c.position + 1)
    FROM view.checkpoints c";
/// A locked checkpoint is moved later, so that this does not wait for another transaction. The
/// event at the new position must still be in the log.
const ADVANCE_MANY: &str = "
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    free AS (
        SELECT c.projection, wanted.reached
        FROM quick, view.checkpoints c
        JOIN unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[], $5::uuid[])
            AS wanted(projection, build, stored, reached, last) USING (projection)
        WHERE c.build = wanted.build
            AND c.position >= wanted.stored AND c.position < wanted.reached
            AND EXISTS (
                SELECT FROM log.events e
                WHERE e.position = wanted.reached AND e.event_id = wanted.last)
        FOR UPDATE OF c SKIP LOCKED)
    UPDATE view.checkpoints c SET position = free.reached
    FROM free WHERE c.projection = free.projection
    RETURNING c.projection";
const FAIL: &str = "
    INSERT INTO view.failures (projection, position, reason) VALUES ($1, $2, $3)
    ON CONFLICT (projection, position) DO UPDATE SET reason = $3, failed_at = now()";

impl Log for EventLog {
    fn reached(&self) -> watch::Receiver<Position> {
        Self::reached(self)
    }

    async fn follow(
        &self,
        types: &[&str],
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, event_log::Error> {
        self.follow_of(types, after, limit).await
    }
}

impl Database for Pool {
    type Connection = Object;

    async fn connect(&self) -> Result<Object, ProjectionError> {
        Ok(self.get().await?)
    }
}

impl Connection for Object {
    type Transaction<'c> = deadpool_postgres::Transaction<'c>;

    async fn begin(&mut self) -> Result<deadpool_postgres::Transaction<'_>, ProjectionError> {
        let transaction = self.transaction().await?;
        transaction.batch_execute(&format!("{ENTER}; {PLANS}")).await?;
        Ok(transaction)
    }

    async fn checkpoint(
        &self,
        projection: Projection,
    ) -> Result<Option<Checkpoint>, ProjectionError> {
        let Some(row) = self.query_opt(CHECKPOINT, &[&projection.name]).await? else {
            return Ok(None);
        };
        let aside = match row.get::<_, i32>(2) {
            0 => vec![],
            _ => self.query(LIVE_ASIDE, &[&projection.name]).await?,
        };
        Ok(Some(checkpoint_of(&row, &aside)))
    }

    async fn checkpoints(&self) -> Result<BTreeMap<String, Seen>, ProjectionError> {
        let statement = self.prepare_cached(CHECKPOINTS).await?;
        let rows = self.query(&statement, &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), seen_of(row))).collect())
    }

    async fn advance(&self, moves: &[Move]) -> Result<Vec<String>, ProjectionError> {
        let names: Vec<&str> = moves.iter().map(|one| one.projection.name).collect();
        let builds: Vec<Vec<u8>> =
            moves.iter().map(|one| one.projection.bytes_of_build().to_vec()).collect();
        let positions = |of: fn(&Move) -> Position| -> Vec<i64> {
            moves.iter().map(|one| of(one).0.cast_signed()).collect()
        };
        let [stored, reached] =
            [positions(|one| one.place.stored), positions(|one| one.place.reached)];
        let last: Vec<Option<Uuid>> = moves.iter().map(|one| one.place.last).collect();
        let statement = self.prepare_cached(ADVANCE_MANY).await?;
        let rows = self.query(&statement, &[&names, &builds, &stored, &reached, &last]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn record_failure(
        &self,
        projection: Projection,
        position: Position,
        reason: &str,
    ) -> Result<(), ProjectionError> {
        self.execute(FAIL, &[&projection.name, &position.0.cast_signed(), &reason]).await?;
        Ok(())
    }
}

impl Transaction for deadpool_postgres::Transaction<'_> {
    async fn lock(
        &mut self,
        projection: Projection,
    ) -> Result<Option<Checkpoint>, ProjectionError> {
        let statement = self.prepare_cached(LOCK).await?;
        let row = self.query_opt(&statement, &[&projection.name]).await?;
        let Some(row) = row else { return Ok(None) };
        let aside = match row.get::<_, i32>(2) {
            0 => vec![],
            _ => self.query(ASIDE, &[&projection.name]).await?,
        };
        Ok(Some(checkpoint_of(&row, &aside)))
    }

    async fn apply(
        &mut self,
        projection: Projection,
        events: &[&RecordedEvent],
    ) -> Result<Option<Position>, ProjectionError> {
        apply(self, projection, events).await
    }

    async fn savepoint(&mut self) -> Result<(), ProjectionError> {
        Ok(self.batch_execute("SAVEPOINT event").await?)
    }

    async fn roll_back(&mut self) -> Result<(), ProjectionError> {
        Ok(self.batch_execute("ROLLBACK TO SAVEPOINT event; RELEASE SAVEPOINT event").await?)
    }

    async fn release(&mut self) -> Result<(), ProjectionError> {
        Ok(self.batch_execute("RELEASE SAVEPOINT event").await?)
    }

    async fn set_aside(
        &mut self,
        projection: Projection,
        aside: &SetAside,
    ) -> Result<(), ProjectionError> {
        let SetAside { key, stream_type, stream_id, company, position, reason } = aside;
        let position = position.0.cast_signed();
        self.execute(
            SET_ASIDE,
            &[&projection.name, key, stream_type, stream_id, company, &position, reason],
        )
        .await?;
        Ok(())
    }

    async fn checkpoint(
        &mut self,
        projection: Projection,
        position: Position,
        changed: Option<Position>,
    ) -> Result<(), ProjectionError> {
        let statement = self.prepare_cached(ADVANCE).await?;
        let changed = changed.map(|changed| changed.0.cast_signed());
        self.execute(&statement, &[&projection.name, &position.0.cast_signed(), &changed]).await?;
        Ok(())
    }

    async fn commit(self) -> Result<(), ProjectionError> {
        Ok(self.commit().await?)
    }
}

/// Applies events in order: the statements go out one behind the other without waiting. Says the last event
/// that has changed anything.
async fn apply(
    transaction: &deadpool_postgres::Transaction<'_>,
    projection: Projection,
    events: &[&RecordedEvent],
) -> Result<Option<Position>, ProjectionError> {
    let mut changes: Vec<(Position, Change)> = Vec::new();
    for recorded in events {
        let position = recorded.position;
        let changed = changes_of(projection, recorded)?;
        changes.extend(changed.into_iter().map(|each| (position, each)));
    }
    let mut statements = BTreeMap::new();
    for (_, change) in &changes {
        if !statements.contains_key(change.sql) {
            statements.insert(change.sql, transaction.prepare_cached(change.sql).await?);
        }
    }
    let client = transaction.client();
    let mut sent = FuturesOrdered::new();
    let mut changed: Option<Position> = None;
    for (position, change) in &changes {
        if sent.len() == AHEAD {
            changed = changed.max(sent.next().await.transpose()?.flatten());
        }
        sent.push_back(execute(client, &statements[change.sql], *position, change));
    }
    while let Some(done) = sent.next().await {
        changed = changed.max(done?);
    }
    Ok(changed)
}

/// What an event changes. A panic is an error of that event, so that it stops nothing else.
pub(crate) fn changes_of(
    projection: Projection,
    recorded: &RecordedEvent,
) -> Result<Vec<Change>, ProjectionError> {
    let position = recorded.position;
    let changes = catch_unwind(AssertUnwindSafe(|| {
        let event = recorded.event()?;
        Ok((projection.apply)(recorded, &event))
    }));
    changes
        .map_err(|_| ProjectionError::Panicked { position })?
        .map_err(|source| ProjectionError::Unreadable { position, source })
}

/// The most pipelined statements.
const AHEAD: usize = 128;

/// Says the event's position when anything has changed.
async fn execute(
    client: &Client,
    statement: &Statement,
    position: Position,
    change: &Change,
) -> Result<Option<Position>, tokio_postgres::Error> {
    let parameters: Vec<&(dyn ToSql + Sync)> =
        change.parameters.iter().map(|parameter| &**parameter as &(dyn ToSql + Sync)).collect();
    let rows = client.execute(statement, &parameters).await?;
    Ok((rows > 0).then_some(position))
}

fn checkpoint_of(row: &Row, aside: &[Row]) -> Checkpoint {
    Checkpoint {
        position: position(row, 0),
        build: row.get(1),
        set_aside: aside.iter().map(aside_of).collect(),
    }
}

fn seen_of(row: &Row) -> Seen {
    Seen {
        position: position(row, 1),
        build: row.get(2),
        set_aside: (
            usize::try_from(row.get::<_, i32>(3)).unwrap_or_default(),
            row.get::<_, i64>(4).unsigned_abs(),
        ),
        failure: row.get(5),
    }
}

fn aside_of(row: &Row) -> SetAside {
    SetAside {
        key: row.get(0),
        stream_type: row.get(1),
        stream_id: row.get(2),
        company: row.get(3),
        position: position(row, 4),
        reason: row.get(5),
    }
}

fn position(row: &Row, column: usize) -> Position {
    Position(row.get::<_, i64>(column).unsigned_abs())
}
