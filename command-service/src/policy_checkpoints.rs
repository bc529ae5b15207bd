//! Maintains the checkpoints of all policies of a process: stores progress past events that no
//! policy handles, and detects changes by other processes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_log::{Position, RecordedEvent};
use metrics::{Gauge, gauge};
use projections::keep_checkpoints;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{Services, policies::PolicyError};

const SELECT: &str = "SELECT policy, position FROM policy.checkpoints";
/// Moves checkpoints that are unchanged and whose next events no other process handles, to an event
/// that is still in the log. Commits asynchronously, unlike after a reaction.
const ADVANCE: &str = "
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    free AS (
        SELECT c.policy, wanted.reached
        FROM quick, policy.checkpoints c
        JOIN unnest($1::text[], $2::bigint[], $3::bigint[], $4::uuid[])
            AS wanted(policy, stored, reached, last) USING (policy)
        WHERE c.position >= wanted.stored AND c.position < wanted.reached
            AND (c.holder IS NULL OR c.holder = $5 OR c.held_until <= now())
            AND EXISTS (
                SELECT FROM log.events e
                WHERE e.position = wanted.reached AND e.event_id = wanted.last)
        FOR UPDATE OF c SKIP LOCKED)
    UPDATE policy.checkpoints c SET position = free.reached
    FROM free WHERE c.policy = free.policy
    RETURNING c.policy";

/// The range in which the checkpoint of a policy may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The stored position, as far as this process knows.
    pub(crate) stored: Position,
    /// The policy handles no event after the stored position and up to this one.
    pub(crate) reached: Position,
    /// The id of the event at the reached position, if that is not the stored one.
    last: Option<Uuid>,
}

impl Place {
    pub(crate) fn at(position: Position) -> Self {
        Self { stored: position, reached: position, last: None }
    }
}

/// The progress of a policy, as this process knows it.
pub(crate) struct PolicyProgress {
    policy: &'static str,
    /// `None` while another process may handle the next events.
    place: Mutex<Option<Place>>,
    /// Notified when the range becomes unknown.
    pub(crate) lost: Notify,
    shared: Arc<Shared>,
    gauge: Gauge,
}

/// The shared state of the policies of a process.
#[derive(Default)]
struct Shared {
    /// Notified when a stored checkpoint is behind the reached position.
    skipped: Notify,
    /// Held while checkpoints are moved past skipped events, or a lease is taken, so that taking a
    /// lease does not wait for a locked row.
    moving: tokio::sync::Mutex<()>,
}

impl PolicyProgress {
    /// Updates the metric of the position.
    #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
    pub(crate) fn report(&self, position: Position) {
        self.gauge.set(position.0 as f64);
    }

    pub(crate) fn place(&self) -> Option<Place> {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, place: Option<Place>) {
        *self.lock() = place;
    }

    /// Records that the policy handles no event up to this one.
    pub(crate) fn skip(&self, to: &RecordedEvent) {
        if let Some(place) = &mut *self.lock() {
            place.reached = to.position;
            place.last = Some(to.event_id);
        }
        self.shared.skipped.notify_one();
    }

    /// Prevents this process from moving checkpoints.
    pub(crate) async fn moving(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.moving.lock().await
    }

    /// Skipped events were stored, or will be read again.
    fn settle(&self, was: Place, is_stored: bool) {
        {
            let mut place = self.lock();
            match &mut *place {
                Some(place) if place.stored == was.stored && is_stored => {
                    place.stored = was.reached;
                    return;
                }
                Some(place) if place.stored == was.stored => {}
                Some(_) | None => return,
            }
            *place = None;
        }
        self.lost.notify_one();
    }

    fn seen(&self, position: Position) {
        {
            let mut place = self.lock();
            let is_known =
                place.is_none_or(|place| (place.stored..=place.reached).contains(&position));
            if is_known {
                return;
            }
            *place = None;
        }
        self.lost.notify_one();
    }
}

/// The checkpoints of all policies.
pub(crate) struct Checkpoints {
    services: Services,
    /// The name of this process in leases.
    holder: Uuid,
    progress: Vec<Arc<PolicyProgress>>,
    shared: Arc<Shared>,
}

impl Checkpoints {
    pub(crate) fn new(services: Services, policies: &[&'static str], holder: Uuid) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let progress = |policy: &&'static str| {
            let (place, lost) = (Mutex::default(), Notify::new());
            let gauge = gauge!("kontor_policy_position", "policy" => *policy);
            Arc::new(PolicyProgress { policy, place, lost, shared: shared.clone(), gauge })
        };
        Self { services, holder, progress: policies.iter().map(progress).collect(), shared }
    }

    pub(crate) fn progress(&self) -> &[Arc<PolicyProgress>] {
        &self.progress
    }

    /// Maintains them while it is polled.
    pub(crate) async fn keep(&self) {
        keep_checkpoints("policies", &self.shared.skipped, || self.store(), || self.refresh())
            .await;
    }

    /// Moves the checkpoints past skipped events in one statement. A checkpoint that was changed by
    /// another process stays, and its policy reads the events again.
    async fn store(&self) -> Result<(), PolicyError> {
        let _moving = self.shared.moving.lock().await;
        let places = self.progress.iter().filter_map(|one| Some((one, one.place()?)));
        let moves: Vec<_> = places.filter(|(_, place)| place.stored < place.reached).collect();
        if moves.is_empty() {
            return Ok(());
        }
        let stored = self.advance(&moves).await;
        for (progress, place) in moves {
            let is_stored =
                stored.as_ref().is_ok_and(|stored| stored.iter().any(|one| one == progress.policy));
            progress.settle(place, is_stored);
        }
        stored.map(drop)
    }

    async fn advance(
        &self,
        moves: &[(&Arc<PolicyProgress>, Place)],
    ) -> Result<Vec<String>, PolicyError> {
        let names: Vec<&str> = moves.iter().map(|(progress, _)| progress.policy).collect();
        let positions = |of: fn(&Place) -> Position| -> Vec<i64> {
            moves.iter().map(|(_, place)| of(place).0.cast_signed()).collect()
        };
        let [stored, reached] = [positions(|place| place.stored), positions(|place| place.reached)];
        let last: Vec<Option<Uuid>> = moves.iter().map(|(_, place)| place.last).collect();
        let client = self.services.views.client().await?;
        let statement = client.prepare_cached(ADVANCE).await?;
        let rows =
            client.query(&statement, &[&names, &stored, &reached, &last, &self.holder]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn refresh(&self) -> Result<(), PolicyError> {
        let client = self.services.views.client().await?;
        let statement = client.prepare_cached(SELECT).await?;
        for row in client.query(&statement, &[]).await? {
            let policy: &str = row.get(0);
            let Some(progress) = self.progress.iter().find(|one| one.policy == policy) else {
                continue;
            };
            let position = Position(row.get::<_, i64>(1).unsigned_abs());
            progress.seen(position);
            progress.report(position);
        }
        Ok(())
    }
}
