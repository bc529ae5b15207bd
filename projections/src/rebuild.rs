//! Rebuilding a read model without downtime: a new generation of its tables grows beside the live
//! one, from the log at full speed, and takes its place in one transaction.

use deadpool_postgres::{ClientWrapper, Object};
use event_log::Position;
use sha2::{Digest, Sha256};
use tokio_postgres::Transaction;

use crate::{
    Projection, Views, database,
    runner::{BATCH, ProjectionError},
};

const REGISTERED: &str = "SELECT schema_digest FROM view.checkpoints WHERE projection = $1";
const REGISTER: &str = "
    INSERT INTO view.checkpoints (projection, position, schema_digest, changed)
    VALUES ($1, $2, $3, $2)
    ON CONFLICT (projection) DO UPDATE SET position = $2, schema_digest = $3, changed = $2";
const ALONE: &str = "SELECT pg_advisory_lock(hashtextextended('kontor ' || $1, 0))";
const RECOVER: &str = "DELETE FROM view.failures WHERE projection = $1";

/// A difference between the live tables and what the log says they should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// Rows that only the live table has.
    pub only_live: i64,
    /// Rows that only the rebuilt table has.
    pub only_rebuilt: i64,
}

/// Makes sure that a read model has its tables; those of another build are rebuilt.
pub(crate) async fn set_up(views: &Views, projection: Projection) -> Result<(), ProjectionError> {
    let mut client = views.pool.get().await?;
    // Two processes may start at the same time: one sets up, the other finds it done.
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock(hashtextextended('kontor views', 0))", &[])
        .await?;
    let registered = transaction.query_opt(REGISTERED, &[&projection.name]).await?;
    match registered.map(|row| row.get::<_, Vec<u8>>(0)) {
        Some(present) if present == digest(projection) => {}
        Some(_) => {
            transaction.commit().await?;
            drop(client);
            rebuild(views, projection).await?;
            return Ok(());
        }
        None => {
            transaction.batch_execute("SET LOCAL search_path TO view").await?;
            transaction.batch_execute(projection.schema).await?;
            transaction.execute(REGISTER, &[&projection.name, &0_i64, &digest(projection)]).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Builds a new generation and swaps it in; says up to which position. The live one serves
/// queries all the while.
pub async fn rebuild(views: &Views, projection: Projection) -> Result<Position, ProjectionError> {
    let generation = Generation::begin(views, projection).await?;
    let swapped = generation.swap_in(views).await;
    let ended = generation.end().await;
    let reached = swapped?;
    ended?;
    tracing::info!(projection = projection.name, position = reached.0, "rebuilt");
    Ok(reached)
}

/// Rebuilds beside the live tables and compares the two at the same position, row for row.
pub async fn compare(
    views: &Views,
    projection: Projection,
) -> Result<Vec<Difference>, ProjectionError> {
    let generation = Generation::begin(views, projection).await?;
    let compared = generation.compare(views).await;
    let ended = generation.end().await;
    let differences = compared?;
    ended?;
    Ok(differences)
}

/// A generation of tables that grows in a schema of its own.
struct Generation {
    projection: Projection,
    schema: String,
    /// Holds the lock that keeps other rebuilds of this read model out; it ends with the
    /// connection, which belongs to no pool.
    session: ClientWrapper,
}

impl Generation {
    /// Waits for its turn, and sweeps away what a rebuild that was killed has left.
    async fn begin(views: &Views, projection: Projection) -> Result<Self, ProjectionError> {
        let session = Object::take(views.pool.get().await?);
        let schema = format!("rebuild_{}", projection.name);
        session.execute(ALONE, &[&schema]).await?;
        session
            .batch_execute(&format!(
                "DROP SCHEMA IF EXISTS {schema} CASCADE;
                 CREATE SCHEMA {schema};
                 CREATE TABLE {schema}.checkpoints (LIKE view.checkpoints INCLUDING ALL);
                 INSERT INTO {schema}.checkpoints VALUES ('{}', 0, '', 0);
                 SET search_path TO {schema}",
                projection.name
            ))
            .await?;
        session.batch_execute(projection.schema).await?;
        Ok(Self { projection, schema, session })
    }

    async fn end(self) -> Result<(), tokio_postgres::Error> {
        self.session.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.schema)).await
    }

    async fn swap_in(&self, views: &Views) -> Result<Position, ProjectionError> {
        let Self { projection, schema, .. } = self;
        let mut client = views.pool.get().await?;
        self.build(views, &mut client).await?;
        let transaction = client.transaction().await?;
        let reached = self.catch_up(views, &transaction, None).await?;
        for table in projection.tables {
            transaction
                .batch_execute(&format!(
                    "DROP TABLE IF EXISTS view.{table}; ALTER TABLE {schema}.{table} SET SCHEMA view"
                ))
                .await?;
        }
        let position = reached.0.cast_signed();
        transaction.execute(REGISTER, &[&projection.name, &position, &digest(*projection)]).await?;
        transaction.execute(RECOVER, &[&projection.name]).await?;
        transaction.commit().await?;
        Ok(reached)
    }

    async fn compare(&self, views: &Views) -> Result<Vec<Difference>, ProjectionError> {
        let Self { projection, schema, .. } = self;
        let mut client = views.pool.get().await?;
        self.build(views, &mut client).await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute("SET LOCAL search_path TO view").await?;
        let live = database::lock(&transaction, *projection)
            .await?
            .ok_or(ProjectionError::Missing(projection.name))?;
        self.catch_up(views, &transaction, Some(live)).await?;
        let mut differences = Vec::new();
        for table in projection.tables {
            let only = async |these: &str, those: &str| {
                let sql = format!(
                    "SELECT count(*) FROM (TABLE {these}.{table} EXCEPT ALL TABLE {those}.{table}) d"
                );
                transaction.query_one(&sql, &[]).await.map(|row| row.get::<_, i64>(0))
            };
            let only_live = only("view", schema).await?;
            let only_rebuilt = only(schema, "view").await?;
            if only_live + only_rebuilt > 0 {
                differences.push(Difference { table, only_live, only_rebuilt });
            }
        }
        transaction.rollback().await?;
        Ok(differences)
    }

    /// Goes up to near the end of the log.
    async fn build(&self, views: &Views, client: &mut Object) -> Result<(), ProjectionError> {
        loop {
            let transaction = client.transaction().await?;
            self.enter(&transaction).await?;
            let applied = self.advance(views, &transaction, None).await?;
            transaction.commit().await?;
            if applied < BATCH {
                return Ok(());
            }
        }
    }

    /// Within one transaction that holds the live checkpoint: goes exactly as far as `to`, or as
    /// far as the log goes but at least as far as the live tables do.
    async fn catch_up(
        &self,
        views: &Views,
        transaction: &Transaction<'_>,
        to: Option<Position>,
    ) -> Result<Position, ProjectionError> {
        transaction.batch_execute("SET LOCAL search_path TO view").await?;
        // Keeps the live runner out while the tables are swapped or compared.
        database::lock(transaction, self.projection).await?;
        self.enter(transaction).await?;
        while self.advance(views, transaction, to).await? > 0 {}
        let reached = database::lock(transaction, self.projection).await?;
        reached.ok_or(ProjectionError::Missing(self.projection.name))
    }

    async fn advance(
        &self,
        views: &Views,
        transaction: &Transaction<'_>,
        to: Option<Position>,
    ) -> Result<usize, ProjectionError> {
        let position = database::lock(transaction, self.projection)
            .await?
            .ok_or(ProjectionError::Missing(self.projection.name))?;
        let mut events = views.log.read(position, BATCH).await?;
        events.retain(|event| to.is_none_or(|to| event.position <= to));
        let Some(last) = events.last().map(|event| event.position) else { return Ok(0) };
        database::apply(transaction, self.projection, &events).await?;
        database::checkpoint(transaction, self.projection, last).await?;
        Ok(events.len())
    }

    async fn enter(&self, transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        transaction.batch_execute(&format!("SET LOCAL search_path TO {}", self.schema)).await
    }
}

fn digest(projection: Projection) -> Vec<u8> {
    Sha256::digest(projection.schema).to_vec()
}
