//! Rebuild of a read model without downtime: a new generation of its tables is filled from the log
//! beside the live one, and replaces it in one transaction.

use deadpool_postgres::{ClientWrapper, Object, Transaction};
use event_log::Position;

use crate::{
    Projection, Views,
    applying::{self, Checkpoint, Way},
    database::{PLANS, Transaction as _},
    runner::{BATCH, ProjectionError},
};

const REGISTERED: &str = "SELECT build FROM view.checkpoints WHERE projection = $1";
const REGISTER: &str = "
    INSERT INTO view.checkpoints (projection, position, build, changed, set_aside)
    VALUES ($1, $2, $3, $2, $4)
    ON CONFLICT (projection)
        DO UPDATE SET position = $2, build = $3, changed = $2, set_aside = $4";
const FORGET_ASIDE: &str = "DELETE FROM view.set_aside WHERE projection = $1";
const ALONE: &str = "SELECT pg_advisory_lock(hashtextextended('kontor ' || $1, 0))";
const RECOVER: &str = "DELETE FROM view.failures WHERE projection = $1";

/// A difference between the live tables and what the log says they should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table; `set_aside` for what the read model leaves out.
    pub table: &'static str,
    /// Rows that only the live table has.
    pub only_live: i64,
    /// Rows that only the rebuilt table has.
    pub only_rebuilt: i64,
}

/// Creates the tables of a read model, or rebuilds those of another build. Only here a build takes
/// over a read model from another, once per process: of overlapping builds, the one that started
/// last continues.
pub(crate) async fn set_up(views: &Views, projection: Projection) -> Result<(), ProjectionError> {
    let mut client = views.pool.get().await?;
    // Two processes may start at the same time: one creates the tables, the other finds them.
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock(hashtextextended('kontor views', 0))", &[])
        .await?;
    let registered = transaction.query_opt(REGISTERED, &[&projection.name]).await?;
    match registered.map(|row| row.get::<_, Vec<u8>>(0)) {
        Some(present) if present == projection.bytes_of_build() => {}
        Some(_) => {
            transaction.commit().await?;
            drop(client);
            rebuild(views, projection).await?;
            return Ok(());
        }
        None => {
            transaction.batch_execute("SET LOCAL search_path TO view").await?;
            transaction.batch_execute(projection.schema).await?;
            let build = projection.bytes_of_build();
            transaction
                .execute(REGISTER, &[&projection.name, &0_i64, &build.as_slice(), &0_i32])
                .await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Builds a new generation and swaps it in; returns its position. The live one serves queries
/// meanwhile.
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

/// A generation of tables in a schema of its own.
struct Generation {
    projection: Projection,
    schema: String,
    /// Holds the lock against other rebuilds of this read model, which ends with this connection;
    /// it is not of the pool.
    session: ClientWrapper,
}

impl Generation {
    /// Waits for the lock, and drops the schema that a killed rebuild has left.
    async fn begin(views: &Views, projection: Projection) -> Result<Self, ProjectionError> {
        let session = Object::take(views.pool.get().await?);
        let schema = format!("rebuild_{}", projection.name);
        session.execute(ALONE, &[&schema]).await?;
        session
            .batch_execute(&format!(
                "DROP SCHEMA IF EXISTS {schema} CASCADE;
                 CREATE SCHEMA {schema};
                 CREATE TABLE {schema}.checkpoints (LIKE view.checkpoints INCLUDING ALL);
                 CREATE TABLE {schema}.set_aside (LIKE view.set_aside INCLUDING ALL);
                 SET search_path TO {schema}"
            ))
            .await?;
        let build = projection.bytes_of_build();
        session
            .execute(
                "INSERT INTO checkpoints (projection, position, build) VALUES ($1, 0, $2)",
                &[&projection.name, &build.as_slice()],
            )
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
        self.build(views, &mut client, None).await?;
        // Only the events since the last page can fail here; then the rebuild starts again.
        let mut transaction = client.transaction().await?;
        self.live(&mut transaction).await?;
        let rebuilt = self.catch_up(views, &mut transaction, None).await?;
        for table in projection.tables {
            transaction
                .batch_execute(&format!(
                    "DROP TABLE IF EXISTS view.{table}; ALTER TABLE {schema}.{table} SET SCHEMA view"
                ))
                .await?;
        }
        let position = rebuilt.position.0.cast_signed();
        let aside = i32::try_from(rebuilt.set_aside.len()).unwrap_or(i32::MAX);
        transaction
            .execute(REGISTER, &[&projection.name, &position, &rebuilt.build, &aside])
            .await?;
        transaction.execute(FORGET_ASIDE, &[&projection.name]).await?;
        transaction
            .batch_execute(&format!("INSERT INTO view.set_aside TABLE {schema}.set_aside"))
            .await?;
        transaction.execute(RECOVER, &[&projection.name]).await?;
        transaction.commit().await?;
        Ok(rebuilt.position)
    }

    async fn compare(&self, views: &Views) -> Result<Vec<Difference>, ProjectionError> {
        let Self { projection, schema, .. } = self;
        let mut client = views.pool.get().await?;
        // A read model that is stopped by an event is compared up to that event.
        let mut transaction = client.transaction().await?;
        let reached = self.live(&mut transaction).await?;
        transaction.rollback().await?;
        let to = reached.ok_or(ProjectionError::Missing(projection.name))?.position;
        self.build(views, &mut client, Some(to)).await?;

        let mut transaction = client.transaction().await?;
        let live = self.live(&mut transaction).await?;
        let live = live.ok_or(ProjectionError::Missing(projection.name))?;
        if !live.is_of(*projection) {
            return Err(ProjectionError::OtherBuild(projection.name));
        }
        let rebuilt = self.catch_up(views, &mut transaction, Some(live.position)).await?;
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
            differences.push(Difference { table, only_live, only_rebuilt });
        }
        differences.push(aside_only(&live, &rebuilt));
        differences.retain(|found| found.only_live + found.only_rebuilt > 0);
        transaction.rollback().await?;
        Ok(differences)
    }

    /// Applies events up to near the head of the log, or up to `to`.
    async fn build(
        &self,
        views: &Views,
        client: &mut Object,
        to: Option<Position>,
    ) -> Result<(), ProjectionError> {
        loop {
            match self.page(views, client, to, Way::Together).await {
                Err(error) if error.is_of_an_event() => {
                    self.page(views, client, to, Way::Singly).await?;
                }
                Err(error) => return Err(error),
                Ok(0) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    async fn page(
        &self,
        views: &Views,
        client: &mut Object,
        to: Option<Position>,
        way: Way,
    ) -> Result<usize, ProjectionError> {
        let mut transaction = client.transaction().await?;
        self.enter(&transaction).await?;
        let mut checkpoint = self.checkpoint(&mut transaction).await?;
        let applied = self.advance(views, &mut transaction, &mut checkpoint, to, way).await?;
        transaction.commit().await?;
        Ok(applied)
    }

    /// Within one transaction that holds the live checkpoint, so that the live runner changes nothing
    /// while tables are swapped or compared: goes exactly as far as `to`, or as far as the log goes.
    async fn catch_up(
        &self,
        views: &Views,
        transaction: &mut Transaction<'_>,
        to: Option<Position>,
    ) -> Result<Checkpoint, ProjectionError> {
        self.enter(transaction).await?;
        let mut checkpoint = self.checkpoint(transaction).await?;
        // An error would take the lock with it, and few events are left.
        while self.advance(views, transaction, &mut checkpoint, to, Way::Singly).await? > 0 {}
        Ok(checkpoint)
    }

    async fn advance(
        &self,
        views: &Views,
        transaction: &mut Transaction<'_>,
        checkpoint: &mut Checkpoint,
        to: Option<Position>,
        way: Way,
    ) -> Result<usize, ProjectionError> {
        let read = views.log.read_of(self.projection.reads, checkpoint.position, BATCH, to);
        let events = applying::page(self.projection, read.await?);
        let stopped =
            applying::apply(transaction, self.projection, checkpoint, &events, way).await?;
        stopped.map_or(Ok(events.len()), Err)
    }

    /// Locks the live checkpoint for this transaction.
    async fn live(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Option<Checkpoint>, ProjectionError> {
        transaction.batch_execute("SET LOCAL search_path TO view").await?;
        transaction.lock(self.projection).await
    }

    /// Locks the checkpoint of this generation.
    async fn checkpoint(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Checkpoint, ProjectionError> {
        let checkpoint = transaction.lock(self.projection).await?;
        checkpoint.ok_or(ProjectionError::Missing(self.projection.name))
    }

    async fn enter(&self, transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        transaction
            .batch_execute(&format!("SET LOCAL search_path TO {}; {PLANS}", self.schema))
            .await
    }
}

/// The streams that only one of the two has set aside.
fn aside_only(live: &Checkpoint, rebuilt: &Checkpoint) -> Difference {
    let only = |these: &Checkpoint, those: &Checkpoint| {
        let missing = these.set_aside.iter().filter(|one| {
            !those
                .set_aside
                .iter()
                .any(|other| (other.key, other.position) == (one.key, one.position))
        });
        i64::try_from(missing.count()).unwrap_or(i64::MAX)
    };
    Difference {
        table: "set_aside",
        only_live: only(live, rebuilt),
        only_rebuilt: only(rebuilt, live),
    }
}
