//! One connection of the live feed: its position, and its end.

use std::{sync::Arc, time::Duration};

use axum::response::sse;
use event_log::{EventLog, Lookup, Position};
use metrics::counter;
use serde::Serialize;
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};

use super::{
    Seat,
    occurrence::{Occurrence, Watching, event_types, types_read},
};

/// The maximum number of frames queued for a slow client.
const ON_THEIR_WAY: usize = 16;
/// A client that reads nothing for this long is disconnected.
const PATIENCE: Duration = Duration::from_secs(30);
/// The delay after which a client reconnects.
const COME_BACK: Duration = Duration::from_secs(1);
/// The number of events read from the log at once.
const PAGE: usize = 200;

struct Watcher {
    log: EventLog,
    watching: Watching,
    occurrences: broadcast::Receiver<Arc<Occurrence>>,
    frames: mpsc::Sender<sse::Event>,
    /// All matching events up to here were sent.
    seen: Position,
}

/// The client is disconnected, or reads nothing.
struct Gone;

/// The first frame of a connection.
#[derive(Serialize)]
struct Greeting {
    position: u64,
}

/// Starts the task of a connection, which sends the events after a position. Events before the
/// subscription to `occurrences` are read from the log.
pub(super) fn start(
    log: EventLog,
    seat: Seat,
    occurrences: broadcast::Receiver<Arc<Occurrence>>,
    watching: Watching,
    seen: Position,
) -> mpsc::Receiver<sse::Event> {
    let (frames, receiver) = mpsc::channel(ON_THEIR_WAY);
    tokio::spawn(async move {
        let gone = frames.clone();
        let watcher = Watcher { log, watching, occurrences, frames, seen };
        tokio::select! {
            () = seat.end.cancelled() => {}
            () = gone.closed() => {}
            Gone = watcher.run() => {}
        }
    });
    receiver
}

impl Watcher {
    async fn run(mut self) -> Gone {
        loop {
            if let Err(gone) = self.turn().await {
                return gone;
            }
        }
    }

    async fn turn(&mut self) -> Result<(), Gone> {
        self.greet().await?;
        self.catch_up().await?;
        loop {
            match self.occurrences.recv().await {
                Ok(occurrence) => self.deliver(&occurrence).await?,
                Err(RecvError::Lagged(_)) => {
                    counter!("kontor_live_lagged_total").increment(1);
                    // Skipped occurrences were committed before, so the log has them.
                    self.catch_up().await?;
                }
                Err(RecvError::Closed) => return Err(Gone),
            }
        }
    }

    /// Sends the position, so that a client that loses its connection before the first event knows
    /// where to resume.
    async fn greet(&self) -> Result<(), Gone> {
        let Position(position) = self.seen;
        let frame = sse::Event::default().retry(COME_BACK).id(position.to_string()).event("live");
        self.send(frame.json_data(Greeting { position })).await
    }

    /// Sends the events in the log after the last sent position, up to its head.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        let company_id = self.watching.company;
        let lookup = Lookup {
            event_types: event_types(),
            company_id,
            disclosed: company_id.is_some(),
            ..Lookup::default()
        };
        loop {
            match self.read_on(&lookup).await? {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "a live connection waits for the log");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Sends the next page; returns whether there may be more.
    async fn read_on(&mut self, lookup: &Lookup) -> Result<Result<bool, event_log::Error>, Gone> {
        let found = async {
            let head = self.log.head().await?;
            if head <= self.seen {
                return Ok((head, Vec::new()));
            }
            let page = self.log.skim(lookup, &types_read(), self.seen, PAGE).await?;
            Ok((head, page))
        };
        let (head, page) = match found.await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        for event in &page {
            match Occurrence::of(event, true) {
                Some(occurrence) => self.deliver(&occurrence).await?,
                None => self.seen = event.position,
            }
        }
        let more = !page.is_empty();
        if !more {
            self.seen = self.seen.max(head);
        }
        Ok(Ok(more))
    }

    async fn deliver(&mut self, occurrence: &Occurrence) -> Result<(), Gone> {
        let happened = &occurrence.happened;
        if happened.position <= self.seen.0 {
            return Ok(());
        }
        if occurrence.is_for(&self.watching) {
            let frame = sse::Event::default()
                .id(happened.position.to_string())
                .event(&happened.event_type)
                .json_data(happened);
            self.send(frame).await?;
        }
        self.seen = Position(happened.position);
        Ok(())
    }

    async fn send(&self, frame: Result<sse::Event, axum::Error>) -> Result<(), Gone> {
        let frame = frame.map_err(|error| {
            tracing::error!(%error, "event cannot be serialised");
            Gone
        })?;
        match tokio::time::timeout(PATIENCE, self.frames.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}
