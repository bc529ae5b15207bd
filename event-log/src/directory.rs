//! The directory: an index of events, filled asynchronously so that appends do not become slower.

use std::time::Duration;

use metrics::{counter, gauge};

use crate::{Error, EventLog, Position};

/// One process fills it at a time; the others find the lock taken and wait for the next round. Who
/// takes the lock just when it is let go may not see yet what was filled under it, and fills nothing
/// twice.
const FILL: &str = "\
    WITH turn AS (
        SELECT pg_try_advisory_xact_lock(hashtextextended('kontor directory', 0)) AS taken),
    reached AS (
        SELECT coalesce(max(position), 0) AS position FROM log.directory),
    filled AS (
        INSERT INTO log.directory
            (position, company_id, event_type, correlation_id, command_id, causation_id)
        SELECT e.position, e.company_id, e.event_type, e.correlation_id, e.command_id,
            e.causation_id
        FROM log.events e, reached, turn
        WHERE turn.taken AND e.position > reached.position
            AND e.position <= reached.position + $1
        ON CONFLICT (position) DO NOTHING
        RETURNING position)
    SELECT count(*), greatest(max(filled.position), (SELECT position FROM reached)) FROM filled";

impl EventLog {
    /// The number of events per round.
    const ENTRIES: i64 = 5_000;

    /// Fills the directory for as long as it is polled.
    pub async fn keep_directory(&self) {
        let mut reached = self.reached();
        loop {
            reached.mark_unchanged();
            match self.fill_directory().await {
                Ok(filled) if filled == Self::ENTRIES.unsigned_abs() => {}
                Ok(_) => {
                    // Events of a second are entered together.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    // The process that fills it may end before it has entered the last events.
                    let _ = tokio::time::timeout(Duration::from_mins(1), reached.changed()).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "the directory is not filled; it is tried again");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
    }

    /// Enters the next events; returns their number.
    pub async fn fill_directory(&self) -> Result<u64, Error> {
        let client = self.reader().await?;
        let statement = client.prepare_cached(FILL).await?;
        let row = client.query_one(&statement, &[&Self::ENTRIES]).await?;
        let filled = row.get::<_, i64>(0).unsigned_abs();
        let reached = Position::from_i64(row.get(1));
        counter!("kontor_directory_entries_total").increment(filled);
        #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
        gauge!("kontor_directory_position").set(reached.0 as f64);
        Ok(filled)
    }
}
