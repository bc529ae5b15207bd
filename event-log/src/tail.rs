//! The tail: the newest events, read once per process and kept in memory for everything that follows the log.
//!
//! One task reads new events. It is woken by the writer of this process, and polls the log for
//! events of other processes.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout_at},
};
use uuid::Uuid;

use crate::{Error, EventLog, Position, RecordedEvent, read::recorded_event};

/// The event at which the tail ends, without its payload, and those after it.
const EXTEND: &str = "\
    SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at,
        CASE WHEN position = $1 THEN '' ELSE payload END
    FROM log.events WHERE position >= $1 ORDER BY position LIMIT $2";

/// The number of events per read.
const PAGE: usize = 1_000;
/// The shortest polling interval, after events of other processes.
const SHORTEST: Duration = Duration::from_millis(10);
/// The polling interval without new events.
const LONGEST: Duration = Duration::from_millis(100);
/// The longest pause after errors.
const LONGEST_AFTER_ERRORS: Duration = Duration::from_secs(1);

/// The newest events of the log.
pub(crate) struct Tail {
    kept: RwLock<Kept>,
    reached: watch::Sender<Position>,
    /// Held by the task that reads forward.
    keeper: tokio::sync::Mutex<()>,
}

impl Tail {
    /// Begins at the end of the log.
    pub(crate) fn new(head: Position) -> Self {
        Self {
            kept: RwLock::default(),
            reached: watch::Sender::new(head),
            keeper: Default::default(),
        }
    }

    fn end(&self) -> (Position, Option<Uuid>) {
        let reached = *self.reached.borrow();
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        (reached, kept.last.filter(|(position, _)| *position == reached).map(|(_, id)| id))
    }

    fn extend(&self, events: Vec<RecordedEvent>) {
        let Some(last) = events.last().map(|event| event.position) else { return };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            kept.push(event);
        }
        drop(kept);
        self.reached.send_replace(last);
    }

    /// Resets it to another end of the log.
    fn begin_again(&self, head: Position) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Kept::default();
        self.reached.send_replace(head);
    }
}

/// Events without gaps, within the memory limit.
#[derive(Default)]
struct Kept {
    events: VecDeque<Arc<RecordedEvent>>,
    bytes: usize,
    /// The event at which it ends; known also when no event is kept.
    last: Option<(Position, Uuid)>,
}

impl Kept {
    /// The most bytes that are kept, unless one event has more.
    const BYTES: usize = 16 << 20;
    /// The approximate size of an event without its payload.
    const ENVELOPE: usize = 512;

    fn push(&mut self, event: RecordedEvent) {
        self.last = Some((event.position, event.event_id));
        self.bytes += event.payload.len() + Self::ENVELOPE;
        self.events.push_back(Arc::new(event));
        while self.bytes > Self::BYTES && self.events.len() > 1 {
            let dropped = self.events.pop_front();
            self.bytes -= dropped.map_or(0, |event| event.payload.len() + Self::ENVELOPE);
        }
    }

    /// Up to `limit` events after a position; `None` when it does not reach back so far.
    fn after(&self, after: Position, limit: usize) -> Option<Vec<Arc<RecordedEvent>>> {
        let first = self.events.front()?.position;
        let skipped = usize::try_from((after.0 + 1).checked_sub(first.0)?).ok()?;
        Some(self.events.iter().skip(skipped).take(limit).cloned().collect())
    }
}

impl EventLog {
    /// Wakes when the tail has read events, of this process or another, with the last position. It goes back
    /// when the log has lost its end. Somebody must [`EventLog::keep_tail`].
    pub fn reached(&self) -> watch::Receiver<Position> {
        self.tail().reached.subscribe()
    }

    /// Up to `limit` events after a position, in order, for whoever follows the log: from memory, when that
    /// reaches back so far. None when the tail has read no more.
    pub async fn follow(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, Error> {
        match self.kept(after, limit) {
            Some(events) => Ok(events),
            None => Ok(self.read(after, limit).await?.into_iter().map(Arc::new).collect()),
        }
    }

    /// As [`Self::follow`], for a reader of some types of aggregates only: what is in memory comes
    /// with the events of other types, what is read from the table as [`Self::read_of`] reads it. A
    /// page that is not full does not mean that there are no more; an empty one does.
    pub async fn follow_of(
        &self,
        types: &[&str],
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, Error> {
        match self.kept(after, limit) {
            Some(events) => Ok(events),
            None => {
                let events = self.read_of(types, after, limit, None).await?;
                Ok(events.into_iter().map(Arc::new).collect())
            }
        }
    }

    /// What is in memory of the events after a position; `None` when that does not reach back so far.
    fn kept(&self, after: Position, limit: usize) -> Option<Vec<Arc<RecordedEvent>>> {
        let tail = self.tail();
        if after == *tail.reached.borrow() {
            return Some(Vec::new());
        }
        tail.kept.read().unwrap_or_else(PoisonError::into_inner).after(after, limit)
    }

    /// Reads new events for as long as it is polled. Of several such tasks of a process only one
    /// reads.
    pub async fn keep_tail(&self) {
        let _keeper = self.tail().keeper.lock().await;
        let mut committed = self.committed();
        let (mut pause, mut error_pause) = (LONGEST, LONGEST);
        loop {
            committed.mark_unchanged();
            let known = *committed.borrow();
            match self.extend_tail().await {
                Ok(read) => {
                    error_pause = LONGEST;
                    if read == PAGE {
                        continue;
                    }
                    let own = known.max(*committed.borrow());
                    let is_foreign = read > 0 && *self.tail().reached.borrow() > own;
                    pause = if is_foreign { SHORTEST } else { (pause * 2).min(LONGEST) };
                    self.wait_for_more(&mut committed, pause).await;
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the end of the log is not read; it is tried again"
                    );
                    sleep(error_pause).await;
                    error_pause = (error_pause * 2).min(LONGEST_AFTER_ERRORS);
                }
            }
        }
    }

    /// Waits for a commit of this process that was not read yet, or for the polling interval.
    async fn wait_for_more(&self, committed: &mut watch::Receiver<Position>, pause: Duration) {
        let until = Instant::now() + pause;
        let reached = *self.tail().reached.borrow();
        let news = async { committed.wait_for(|committed| *committed > reached).await.is_ok() };
        if timeout_at(until, news).await == Ok(false) {
            // The writer has ended; other processes may still write.
            sleep_until(until).await;
        }
    }

    /// Reads the next events; returns their number.
    async fn extend_tail(&self) -> Result<usize, Error> {
        let tail = self.tail();
        let (reached, last) = tail.end();
        let client = self.reader().await?;
        let statement = client.prepare_cached(EXTEND).await?;
        let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
        let rows = client.query(&statement, &[&reached.as_i64(), &limit]).await?;
        let mut events: Vec<RecordedEvent> = rows.iter().map(recorded_event).collect();
        if reached > Position::START {
            let overlap = events.first().filter(|event| event.position == reached);
            let is_same =
                overlap.is_some_and(|event| last.is_none_or(|last| last == event.event_id));
            if !is_same {
                drop(client);
                let head = self.head().await?;
                tracing::warn!(%reached, %head, "the log has lost the event that was its last");
                tail.begin_again(head);
                return Ok(0);
            }
            let overlap = events.remove(0);
            if last.is_none() {
                let mut kept = tail.kept.write().unwrap_or_else(PoisonError::into_inner);
                kept.last = Some((overlap.position, overlap.event_id));
            }
        }
        let read = events.len();
        tail.extend(events);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: u64, bytes: usize) -> RecordedEvent {
        let id = Uuid::from_u128(position.into());
        RecordedEvent {
            position: Position(position),
            event_id: id,
            stream_type: "account".to_owned(),
            stream_id: id,
            version: 1,
            event_type: "account.noted".to_owned(),
            schema_version: 1,
            company_id: None,
            actor: "test".to_owned(),
            command_id: id,
            correlation_id: id,
            causation_id: None,
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            payload: "x".repeat(bytes),
        }
    }

    #[track_caller]
    fn check(kept: &Kept, after: u64, limit: usize, expected: Option<&[u64]>) {
        let found = kept.after(Position(after), limit);
        let found = found.map(|events| events.iter().map(|event| event.position.0).collect());
        assert_eq!(found, expected.map(<[u64]>::to_vec), "after {after}");
    }

    #[test]
    fn answers_as_far_back_as_it_reaches() {
        let mut kept = Kept::default();
        check(&kept, 6, 10, None);
        for position in 7..=9 {
            kept.push(event(position, 1));
        }
        check(&kept, 5, 10, None);
        check(&kept, 6, 10, Some(&[7, 8, 9]));
        check(&kept, 7, 1, Some(&[8]));
        check(&kept, 9, 10, Some(&[]));
        check(&kept, 12, 10, Some(&[]));
    }

    #[test]
    fn keeps_no_more_than_so_many_bytes_and_one_event_at_least() {
        let mut kept = Kept::default();
        let quarter = Kept::BYTES / 4 - Kept::ENVELOPE;
        for position in 1..=6 {
            kept.push(event(position, quarter));
        }
        check(&kept, 1, 10, None);
        check(&kept, 2, 10, Some(&[3, 4, 5, 6]));
        assert_eq!(kept.bytes, Kept::BYTES);
        kept.push(event(7, 2 * Kept::BYTES));
        check(&kept, 6, 10, Some(&[7]));
    }
}
