//! Runs one policy: reads the events after its checkpoint, reacts to them, and moves the
//! checkpoint.
//!
//! No transaction and no connection is held during a reaction. A lease in the checkpoint's row
//! prevents other processes from handling the same events; it expires if its holder is killed or
//! stopped. If two processes handle the same events nevertheless, each reaction is executed once,
//! and the checkpoint moves by compare-and-set.
//!
//! Of several processes, the holder of the lease of read models runs the policies. An idle policy
//! executes no statements: the log follower notifies it of events, and events that it does not
//! handle cost no statement (`policy_checkpoints`).

use std::{sync::Arc, time::Duration};

use domain::Event;
use event_log::{Position, RecordedEvent};
use futures::{StreamExt, stream::FuturesOrdered};
use metrics::counter;
use service_kit::health::explained;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use crate::{
    Services,
    policies::{Policy, PolicyError, ReactionError, Refused},
    policy_checkpoints::{Place, PolicyProgress},
};

/// Commits asynchronously. If a crash of PostgreSQL reverts the checkpoint, commands that were
/// executed are not executed again.
const SESSION: &str = "SET LOCAL synchronous_commit TO off";
/// Also returns whether another process holds the lease.
const CHECKPOINT: &str = "
    SELECT position, coalesce(holder <> $2 AND held_until > now(), false)
    FROM policy.checkpoints WHERE policy = $1";
/// Skips a locked row: an older build locks it while it handles a page.
const TAKE: &str = "
    UPDATE policy.checkpoints SET holder = $2, held_until = now() + interval '6 seconds'
    WHERE policy = (
        SELECT policy FROM policy.checkpoints
        WHERE policy = $1 AND position BETWEEN $3 AND $4
            AND (holder = $2 OR holder IS NULL OR held_until <= now())
        FOR UPDATE SKIP LOCKED)";
const RENEW: &str = "
    UPDATE policy.checkpoints SET held_until = now() + interval '6 seconds'
    WHERE policy = $1 AND holder = $2";
/// Releases the lease at the end of the log.
const ADVANCE: &str = "
    UPDATE policy.checkpoints
    SET position = $4, holder = CASE WHEN $5 AND holder = $2 THEN NULL ELSE holder END
    WHERE policy = $1 AND position BETWEEN $3 AND $6";
const REFUSE: &str = "
    WITH refused AS (
        INSERT INTO policy.refusals (policy, position, event_id, code) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING)
    INSERT INTO policy.attempts (policy, position, attempt, code, detail)
    VALUES ($1, $2, 1, $4, $5) ON CONFLICT DO NOTHING";

/// The maximum number of events between two moves of the checkpoint.
const PAGE: usize = 500;
/// The duration of a lease, as in [`TAKE`] and [`RENEW`].
const LEASE: Duration = Duration::from_secs(6);
/// The interval of renewals.
const RENEWAL: Duration = Duration::from_secs(2);

/// The runner of one policy in one process.
pub(crate) struct Runner {
    services: Services,
    policy: Policy,
    /// The name of this process in leases.
    holder: Uuid,
    progress: Arc<PolicyProgress>,
    /// Why the policy currently cannot continue.
    waiting: watch::Sender<Option<String>>,
}

enum Advanced {
    ToTheEnd,
    APage,
    SomebodyElseRuns,
}

/// The events of a page that the policy handles, and the last position of the page.
struct Page<'a> {
    events: Vec<(&'a RecordedEvent, Event)>,
    last: Position,
}

/// The result of a page.
struct PageOutcome<'a> {
    /// The policy has handled all events up to this position.
    last: Position,
    refused: Vec<(&'a RecordedEvent, Refused)>,
    /// The error that ended it before the end of the page.
    stopped: Option<PolicyError>,
}

impl Runner {
    pub(crate) fn new(
        services: Services,
        policy: Policy,
        holder: Uuid,
        progress: Arc<PolicyProgress>,
        waiting: watch::Sender<Option<String>>,
    ) -> Self {
        Self { services, policy, holder, progress, waiting }
    }

    /// Follows the log while it is polled.
    pub(crate) async fn run(&self) {
        let mut reached = self.services.log.reached();
        let mut leads = self.services.views.leads();
        loop {
            reached.mark_unchanged();
            if !*leads.borrow_and_update() {
                self.progress.set(None);
                self.waiting.send_replace(None);
                // The sender lives as long as the read models.
                let _ = leads.changed().await;
                continue;
            }
            let advanced = self.advance().await;
            self.waiting.send_replace(advanced.as_ref().err().map(|error| explained(error)));
            match advanced {
                Ok(Advanced::ToTheEnd) => {
                    tokio::select! {
                        _ = reached.changed() => {}
                        _ = leads.changed() => leads.mark_changed(),
                        () = self.progress.lost.notified() => {}
                    }
                }
                Ok(Advanced::APage) => {}
                Ok(Advanced::SomebodyElseRuns) => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(error) => {
                    self.progress.set(None);
                    counter!("kontor_policy_failures_total", "policy" => self.policy.name)
                        .increment(1);
                    tracing::warn!(
                        policy = self.policy.name,
                        error = &error as &dyn std::error::Error,
                        "policy waits"
                    );
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    /// Handles the next page of events, then moves the checkpoint.
    #[tracing::instrument(level = "debug", skip_all, fields(policy = self.policy.name))]
    async fn advance(&self) -> Result<Advanced, PolicyError> {
        let place = match self.progress.place() {
            Some(place) => place,
            None => {
                let (position, is_others) = self.checkpoint().await?;
                if is_others {
                    return Ok(Advanced::SomebodyElseRuns);
                }
                let place = Place::at(position);
                self.progress.set(Some(place));
                place
            }
        };
        let position = place.reached;
        let log = &self.services.log;
        let end = *log.reached().borrow();
        let read = log.follow_of(&[self.policy.reads], position, PAGE).await?;
        if read.is_empty() {
            return Ok(Advanced::ToTheEnd);
        }
        let Page { events, last } = self.page(position, &read)?;
        // A short page is not the last one: only a range of the log is read for these events.
        let is_all = |last| last >= end && read.last().is_some_and(|read| read.position == last);
        if events.is_empty() {
            if let Some(last) = read.iter().find(|event| event.position == last) {
                self.progress.skip(last);
            }
            return Ok(if is_all(last) { Advanced::ToTheEnd } else { Advanced::APage });
        }
        let Some(held_until) = self.take(place).await? else {
            self.progress.set(None);
            return Ok(Advanced::SomebodyElseRuns);
        };
        let outcome = tokio::select! {
            outcome = self.react(position, last, &events, &held_until) => outcome,
            error = self.keep_lease(&held_until) => return Err(error),
        };
        let is_all = is_all(outcome.last);
        let is_moved = self.settle(place, &outcome, is_all || outcome.stopped.is_some()).await?;
        self.progress.set(is_moved.then(|| Place::at(outcome.last)));
        match outcome.stopped {
            Some(error) => Err(error),
            None if is_all => Ok(Advanced::ToTheEnd),
            None => Ok(Advanced::APage),
        }
    }

    /// The checkpoint, and whether another process holds the lease.
    async fn checkpoint(&self) -> Result<(Position, bool), PolicyError> {
        let client = self.services.views.client().await?;
        let row = client.query_one(CHECKPOINT, &[&self.policy.name, &self.holder]).await?;
        Ok((Position(row.get::<_, i64>(0).unsigned_abs()), row.get(1)))
    }

    /// The read events that the policy handles.
    fn page<'a>(
        &self,
        position: Position,
        read: &'a [Arc<RecordedEvent>],
    ) -> Result<Page<'a>, PolicyError> {
        let mut page = Page { events: Vec::new(), last: position };
        for recorded in read.iter().map(Arc::as_ref) {
            if recorded.stream_type == self.policy.reads {
                match recorded.event() {
                    Ok(event) if (self.policy.concerns)(&event) => {
                        page.events.push((recorded, event));
                    }
                    Ok(_) => {}
                    // Events before it are handled first.
                    Err(_) if page.last > position => break,
                    Err(source) => {
                        return Err(PolicyError::Unreadable {
                            position: recorded.position,
                            source,
                        });
                    }
                }
            }
            page.last = recorded.position;
        }
        Ok(page)
    }

    /// Takes the lease at a position; `None` if another process holds it.
    async fn take(&self, place: Place) -> Result<Option<watch::Sender<Instant>>, PolicyError> {
        let _moving = self.progress.moving().await;
        let held_until = Instant::now() + LEASE;
        let mut client = self.services.views.client().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(SESSION).await?;
        let (stored, reached) = (place.stored.0.cast_signed(), place.reached.0.cast_signed());
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&self.policy.name, &self.holder, &stored, &reached];
        let taken = transaction.execute(TAKE, &parameters).await? > 0;
        transaction.commit().await?;
        Ok(taken.then(|| watch::Sender::new(held_until)))
    }

    /// Renews the lease until it is lost.
    async fn keep_lease(&self, held_until: &watch::Sender<Instant>) -> PolicyError {
        loop {
            tokio::time::sleep(RENEWAL).await;
            let renewed_until = Instant::now() + LEASE;
            match self.renew().await {
                Ok(true) => {
                    held_until.send_replace(renewed_until);
                }
                Ok(false) => return PolicyError::LeaseLost,
                Err(error) if *held_until.borrow() <= Instant::now() => return error,
                Err(_) => {}
            }
        }
    }

    async fn renew(&self) -> Result<bool, PolicyError> {
        let mut client = self.services.views.client().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(SESSION).await?;
        let renewed = transaction.execute(RENEW, &[&self.policy.name, &self.holder]).await? > 0;
        transaction.commit().await?;
        Ok(renewed)
    }

    /// Reacts to events, as many concurrently as the policy allows.
    async fn react<'a>(
        &self,
        position: Position,
        last: Position,
        events: &'a [(&'a RecordedEvent, Event)],
        held_until: &watch::Sender<Instant>,
    ) -> PageOutcome<'a> {
        let mut outcome = PageOutcome { last: position, refused: Vec::new(), stopped: None };
        let mut waiting = events.iter();
        let mut reactions = FuturesOrdered::new();
        loop {
            // A process that was stopped must not continue with events that another process has
            // handled in the meantime.
            let is_ours = *held_until.borrow() > Instant::now();
            while is_ours
                && reactions.len() < self.policy.at_once
                && let Some((recorded, event)) = waiting.next()
            {
                reactions.push_back(async move {
                    (*recorded, self.policy.react_to(&self.services, recorded, event, 1).await)
                });
            }
            let Some((recorded, result)) = reactions.next().await else {
                if is_ours {
                    outcome.last = last;
                } else {
                    outcome.stopped = Some(PolicyError::LeaseLost);
                }
                return outcome;
            };
            match result.map_err(ReactionError::refused) {
                Ok(_) => {}
                Err(Ok(refused)) => outcome.refused.push((recorded, refused)),
                Err(Err(error)) => {
                    outcome.stopped = Some(error);
                    return outcome;
                }
            }
            outcome.last = recorded.position;
        }
    }

    /// Records refusals and moves the checkpoint, if it is unchanged; returns whether it was.
    async fn settle(
        &self,
        place: Place,
        outcome: &PageOutcome<'_>,
        release: bool,
    ) -> Result<bool, PolicyError> {
        let PageOutcome { last, refused, .. } = outcome;
        let name = self.policy.name;
        let mut client = self.services.views.client().await?;
        let transaction = client.transaction().await?;
        transaction.batch_execute(SESSION).await?;
        for (recorded, Refused { code, detail }) in refused {
            let position = recorded.position.0.cast_signed();
            counter!("kontor_policy_refusals_total", "policy" => name).increment(1);
            tracing::error!(policy = name, position, code, detail, "a reaction was refused");
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&name, &position, &recorded.event_id, code, detail];
            transaction.execute(REFUSE, &parameters).await?;
        }
        let [stored, reached, last_done] =
            [place.stored, place.reached, *last].map(|position| position.0.cast_signed());
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&name, &self.holder, &stored, &last_done, &release, &reached];
        let is_moved = transaction.execute(ADVANCE, &parameters).await? > 0;
        transaction.commit().await?;
        self.progress.report(*last);
        Ok(is_moved)
    }
}
