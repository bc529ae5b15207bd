//! Snapshots: the states of long streams, kept beside the log so that a cold start replays little.
//!
//! A snapshot carries the digest of the rules that made it. One that cannot be read, or that other
//! rules have made, is ignored and replaced.

use std::panic::AssertUnwindSafe;

use cqrs_es::Aggregate;
use deadpool_postgres::Pool;
use domain::OfCompany;
use futures::FutureExt;
use metrics::counter;
use service_kit::supervisor::panic_message;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{Error, Loaded};

/// A lost snapshot loses no data, so the commit is asynchronous.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit TO off";
const KEEP: &str = "\
    INSERT INTO log.snapshots AS kept (stream_id, stream_type, version, rules, state)
    SELECT DISTINCT ON (stream_id, stream_type) stream_id, stream_type, version, rules, state
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
        AS taken(stream_id, stream_type, version, rules, state)
    -- A failover may have lost the event; then the state is nobody's.
    WHERE EXISTS (
        SELECT FROM log.events e
        WHERE e.stream_id = taken.stream_id AND e.version = taken.version)
    ORDER BY stream_id, stream_type, version DESC
    ON CONFLICT (stream_id, stream_type) DO UPDATE
        SET version = excluded.version, rules = excluded.rules, state = excluded.state
        WHERE kept.version <= excluded.version OR kept.rules <> excluded.rules";

/// Takes snapshots and lets a task of its own store them.
pub(crate) struct Snapshots {
    queue: mpsc::Sender<Snapshot>,
    every: u64,
}

/// A state to be stored once its last event is durable.
pub(crate) struct Snapshot {
    stream_id: Uuid,
    stream_type: &'static str,
    version: u64,
    rules: u64,
    state: String,
}

impl Snapshots {
    /// The most snapshots that wait to be stored; further ones are dropped and taken later.
    const QUEUE: usize = 64;
    /// The largest snapshot, in bytes; a larger one would not save time.
    const LARGEST: usize = 8 << 20;

    /// Takes a snapshot after every `every` events.
    pub(crate) fn start(pool: Pool, every: u64) -> Self {
        let (queue, taken) = mpsc::channel(Self::QUEUE);
        tokio::spawn(store_all(pool, taken));
        Self { queue, every: every.max(1) }
    }

    /// Makes a snapshot if one is due and can be stored, and records it in `loaded`.
    pub(crate) fn make<A: Aggregate + OfCompany>(
        &self,
        id: Uuid,
        loaded: &mut Loaded<A>,
    ) -> Option<Snapshot> {
        if loaded.version - loaded.snapshot < self.every || self.queue.capacity() == 0 {
            return None;
        }
        let state = serde_json::to_string(&loaded.state).ok()?;
        if state.len() > Self::LARGEST {
            return None;
        }
        loaded.snapshot = loaded.version;
        loaded.bytes = state.len() as u64;
        Some(Snapshot {
            stream_id: id,
            stream_type: A::TYPE,
            version: loaded.version,
            rules: A::SNAPSHOT,
            state,
        })
    }

    /// Stores a snapshot of a durable state, unless too many wait. Never waits.
    pub(crate) fn store(&self, snapshot: Snapshot) {
        // Another one is taken later.
        let _ = self.queue.try_send(snapshot);
    }
}

/// Ends with the log.
async fn store_all(pool: Pool, mut taken: mpsc::Receiver<Snapshot>) {
    let mut snapshots = Vec::new();
    while taken.recv_many(&mut snapshots, Snapshots::QUEUE).await > 0 {
        // A panic must fail only the snapshots that it concerns.
        let stored = AssertUnwindSafe(store(&pool, &snapshots)).catch_unwind().await;
        let outcome = if matches!(stored, Ok(Ok(()))) { "stored" } else { "lost" };
        counter!("kontor_snapshots_total", "outcome" => outcome).increment(snapshots.len() as u64);
        match stored {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "snapshots are not stored; streams are replayed instead");
            }
            Err(panic) => {
                let panic = panic_message(&*panic);
                tracing::error!(panic, "storing snapshots panicked; streams are replayed instead");
            }
        }
        snapshots.clear();
    }
}

async fn store(pool: &Pool, snapshots: &[Snapshot]) -> Result<(), Error> {
    let column = |of: fn(&Snapshot) -> i64| snapshots.iter().map(of).collect::<Vec<i64>>();
    let ids: Vec<Uuid> = snapshots.iter().map(|snapshot| snapshot.stream_id).collect();
    let types: Vec<&str> = snapshots.iter().map(|snapshot| snapshot.stream_type).collect();
    let states: Vec<&str> = snapshots.iter().map(|snapshot| snapshot.state.as_str()).collect();
    let versions = column(|snapshot| snapshot.version.cast_signed());
    let rules = column(|snapshot| snapshot.rules.cast_signed());
    let client = pool.get().await?;
    let statement = client.prepare_cached(KEEP).await?;
    client.batch_execute(BEGIN).await?;
    let kept = client.execute(&statement, &[&ids, &types, &versions, &rules, &states]).await;
    client.batch_execute(if kept.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    kept?;
    Ok(())
}
