//! What a runner asks of the log and of its database: seams, so that the same runner keeps up
//! against models of both.

use std::collections::BTreeMap;

use deadpool_postgres::{Object, Pool};
use event_log::{EventLog, Position, RecordedEvent};
use futures::{StreamExt, stream::FuturesOrdered};
use tokio::sync::watch;
use tokio_postgres::{Client, Row, Statement, types::ToSql};

use crate::{Projection, projection::Change, runner::ProjectionError};

/// The history that is followed.
pub(crate) trait Log: Send + Sync {
    /// Wakes at every commit of this process, with the position reached.
    fn committed(&self) -> watch::Receiver<Position>;

    /// Up to `limit` events after a position, in order.
    fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<RecordedEvent>, event_log::Error>> + Send;
}

/// Where the tables of a read model and its checkpoint are.
pub(crate) trait Database: Send + Sync {
    type Connection: Connection;

    fn connect(&self) -> impl Future<Output = Result<Self::Connection, ProjectionError>> + Send;
}

/// A connection to it.
pub(crate) trait Connection: Send + Sync {
    type Transaction<'c>: Transaction
    where
        Self: 'c;

    fn begin(
        &mut self,
    ) -> impl Future<Output = Result<Self::Transaction<'_>, ProjectionError>> + Send;

    /// How far a read model has got; `None` when it is not set up.
    fn position(
        &self,
        projection: Projection,
    ) -> impl Future<Output = Result<Option<Position>, ProjectionError>> + Send;

    /// Records that an event has stopped a read model.
    fn record_failure(
        &self,
        projection: Projection,
        position: Position,
        reason: &str,
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send;
}

/// A transaction: dropped without a commit, it comes to nothing.
pub(crate) trait Transaction: Send + Sync {
    /// Takes the checkpoint of a read model for this transaction.
    fn lock(
        &mut self,
        projection: Projection,
    ) -> impl Future<Output = Result<Option<Position>, ProjectionError>> + Send;

    /// Applies events in order.
    fn apply(
        &mut self,
        projection: Projection,
        events: &[RecordedEvent],
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send;

    /// Moves the checkpoint.
    fn checkpoint(
        &mut self,
        projection: Projection,
        position: Position,
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send;

    fn commit(self) -> impl Future<Output = Result<(), ProjectionError>> + Send;
}

/// A crash of PostgreSQL may take back the last changes, with their checkpoint: they are made
/// again from the log, so nobody waits for the disk here.
const ENTER: &str = "SET LOCAL search_path TO view; SET LOCAL synchronous_commit TO off";
const LOCK: &str = "SELECT position FROM checkpoints WHERE projection = $1 FOR UPDATE";
const POSITION: &str = "SELECT position FROM view.checkpoints WHERE projection = $1";
const ADVANCE: &str = "UPDATE checkpoints SET position = $2 WHERE projection = $1";
const CHANGE: &str = "UPDATE checkpoints SET changed = $2 WHERE projection = $1";
const FAIL: &str = "
    INSERT INTO view.failures (projection, position, reason) VALUES ($1, $2, $3)
    ON CONFLICT (projection, position) DO UPDATE SET reason = $3, failed_at = now()";

impl Log for EventLog {
    fn committed(&self) -> watch::Receiver<Position> {
        Self::committed(self)
    }

    async fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, event_log::Error> {
        Self::read(self, after, limit).await
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
        transaction.batch_execute(ENTER).await?;
        Ok(transaction)
    }

    async fn position(&self, projection: Projection) -> Result<Option<Position>, ProjectionError> {
        Ok(self.query_opt(POSITION, &[&projection.name]).await?.map(|row| position(&row)))
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
    async fn lock(&mut self, projection: Projection) -> Result<Option<Position>, ProjectionError> {
        Ok(lock(self, projection).await?)
    }

    async fn apply(
        &mut self,
        projection: Projection,
        events: &[RecordedEvent],
    ) -> Result<(), ProjectionError> {
        apply(self, projection, events).await
    }

    async fn checkpoint(
        &mut self,
        projection: Projection,
        position: Position,
    ) -> Result<(), ProjectionError> {
        Ok(checkpoint(self, projection, position).await?)
    }

    async fn commit(self) -> Result<(), ProjectionError> {
        Ok(self.commit().await?)
    }
}

/// Takes the checkpoint of a projection for this transaction.
pub(crate) async fn lock(
    transaction: &tokio_postgres::Transaction<'_>,
    projection: Projection,
) -> Result<Option<Position>, tokio_postgres::Error> {
    let row = transaction.query_opt(LOCK, &[&projection.name]).await?;
    Ok(row.map(|row| position(&row)))
}

pub(crate) async fn checkpoint(
    transaction: &tokio_postgres::Transaction<'_>,
    projection: Projection,
    position: Position,
) -> Result<(), tokio_postgres::Error> {
    transaction.execute(ADVANCE, &[&projection.name, &position.0.cast_signed()]).await?;
    Ok(())
}

/// Applies events in order: the statements go out one behind the other without waiting.
pub(crate) async fn apply(
    transaction: &tokio_postgres::Transaction<'_>,
    projection: Projection,
    events: &[RecordedEvent],
) -> Result<(), ProjectionError> {
    let mut changes: Vec<(Position, Change)> = Vec::new();
    let concerning =
        events.iter().filter(|event| projection.reads.contains(&event.stream_type.as_str()));
    for recorded in concerning {
        let event = recorded.event().map_err(|source| ProjectionError::Unreadable {
            position: recorded.position,
            source,
        })?;
        let position = recorded.position;
        changes
            .extend((projection.apply)(recorded, &event).into_iter().map(|each| (position, each)));
    }
    let mut statements = BTreeMap::new();
    for (_, change) in &changes {
        if !statements.contains_key(change.sql) {
            statements.insert(change.sql, transaction.prepare(change.sql).await?);
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
    if let Some(changed) = changed {
        transaction.execute(CHANGE, &[&projection.name, &changed.0.cast_signed()]).await?;
    }
    Ok(())
}

/// How many statements are on their way at once.
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

fn position(row: &Row) -> Position {
    Position(row.get::<_, i64>(0).unsigned_abs())
}
