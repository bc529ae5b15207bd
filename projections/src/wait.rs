//! Read your writes (`wait_for`): waits until read models have reached a position.
//!
//! Waiting queries are woken by the runners of this process. Because another process may run them,
//! one task reads all checkpoints from the database while any query waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use event_log::Position;
use futures::future::join_all;

use crate::{ReadError, Views};

/// The polling interval while queries wait.
const EVERY: Duration = Duration::from_millis(20);

/// The waiting queries of this process, and the head of the log as they know it.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    now: Mutex<Now>,
    head: tokio::sync::Mutex<Option<Head>>,
}

#[derive(Debug, Default)]
struct Now {
    /// The number of waiting queries.
    waiters: usize,
    /// Whether the polling task runs.
    is_watched: bool,
}

/// The head of the log, and when the query for it began.
#[derive(Debug, Clone, Copy)]
struct Head {
    asked: Instant,
    position: Position,
}

/// A waiting query, until it is dropped.
struct Waiter(Arc<Waiting>);

impl Views {
    /// The longest wait of a query.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// Waits until all of these read models show `position`, but not for ever. A position that history
    /// has not got to is refused at once.
    pub async fn wait(&self, names: &[&str], position: Position) -> Result<(), ReadError> {
        let mut statuses: Vec<_> = names.iter().filter_map(|name| self.status(name)).collect();
        if statuses.iter().all(|status| status.borrow().position >= position) {
            return Ok(());
        }
        let head = self.head(position).await?;
        if position > head {
            return Err(ReadError::Beyond { head: head.0, wanted: position.0 });
        }
        let _waiter = self.waiter();
        let shown = statuses.iter_mut().map(async |status| {
            // The result holds a read lock on the status, which blocks the runner.
            status.wait_for(|status| status.position >= position).await.map(drop)
        });
        if tokio::time::timeout(Self::PATIENCE, join_all(shown)).await.is_ok() {
            return Ok(());
        }
        let slowest = statuses.iter().map(|status| status.borrow().position).min();
        let reached = slowest.unwrap_or_default().0;
        Err(ReadError::Behind { reached, wanted: position.0 })
    }

    /// The log's end, as far as it decides whether there is such a position: this process knows what it
    /// has written or read, and asks for what others may have written since. All who come while one asks share the next
    /// answer.
    async fn head(&self, wanted: Position) -> Result<Position, ReadError> {
        let known = (*self.log.committed().borrow()).max(*self.log.reached().borrow());
        if wanted <= known {
            return Ok(known);
        }
        let came = Instant::now();
        let mut head = self.waiting.head.lock().await;
        match *head {
            Some(Head { asked, position }) if asked >= came || position >= wanted => Ok(position),
            Some(_) | None => {
                let asked = Instant::now();
                let position = self.log.head().await?;
                *head = Some(Head { asked, position });
                Ok(position)
            }
        }
    }

    /// Counts a waiting query; the first one starts the polling task.
    fn waiter(&self) -> Waiter {
        let mut now = self.waiting.now();
        now.waiters += 1;
        if !now.is_watched {
            now.is_watched = true;
            tokio::spawn(self.clone().watch());
        }
        Waiter(self.waiting.clone())
    }

    /// Polls the checkpoints for as long as a query waits.
    async fn watch(self) {
        let _panics = Watch(self.waiting.clone());
        loop {
            tokio::time::sleep(EVERY).await;
            {
                let mut now = self.waiting.now();
                if now.waiters == 0 {
                    now.is_watched = false;
                    return;
                }
            }
            if let Err(error) = self.refresh().await {
                // Waiting queries see the error themselves, at the latest when they read.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "checkpoints cannot be read"
                );
            }
        }
    }
}

impl Waiting {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The polling task: after its panic, the next waiting query starts another.
struct Watch(Arc<Waiting>);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.now().is_watched = false;
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.now().waiters -= 1;
    }
}
