//! Read your writes: waits until read models show a position.

use std::time::{Duration, Instant};

use event_log::Position;

use crate::{ReadError, Views, runner::ProjectionError};

impl Views {
    /// For how long a query waits for its read models.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// Waits until all of these read models show `position`, but not for ever. Another process
    /// may be the one that runs them, so the database has the last word.
    pub async fn wait(&self, names: &[&str], position: Position) -> Result<(), ReadError> {
        let started = Instant::now();
        loop {
            let reached = self.slowest(names);
            if reached >= position {
                return Ok(());
            }
            let checkpoints = self.checkpoints().await.map_err(read_error)?;
            let reached = names
                .iter()
                .map(|name| checkpoints.get(*name).copied().unwrap_or_default())
                .min()
                .unwrap_or(position);
            if reached >= position {
                return Ok(());
            }
            if started.elapsed() > Self::PATIENCE {
                return Err(ReadError::Behind { reached: reached.0, wanted: position.0 });
            }
            self.moved(names).await;
        }
    }

    fn slowest(&self, names: &[&str]) -> Position {
        names
            .iter()
            .filter_map(|name| self.status(name))
            .map(|status| status.borrow().position())
            .min()
            .unwrap_or_default()
    }

    /// Returns when one of the read models has moved in this process, or after a short while.
    async fn moved(&self, names: &[&str]) {
        let mut statuses: Vec<_> = names.iter().filter_map(|name| self.status(name)).collect();
        let changes = statuses.iter_mut().map(|status| Box::pin(status.changed()));
        let any = futures::future::select_all(changes);
        let _ = tokio::time::timeout(Duration::from_millis(20), any).await;
    }
}

fn read_error(error: ProjectionError) -> ReadError {
    match error {
        ProjectionError::Database(error) => ReadError::Database(error),
        ProjectionError::Unavailable(error) => ReadError::Unavailable(error),
        ProjectionError::Log(_)
        | ProjectionError::Unreadable { .. }
        | ProjectionError::Missing(_)
        | ProjectionError::Migration(_) => ReadError::Malformed,
    }
}
