//! Leader election: of several processes of a build, the holder of a lease updates the read models
//! and runs the policies. The lease ends with the database session of a killed process, and by
//! timeout for a stopped one.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use uuid::Uuid;

use crate::{Projection, runner::ProjectionError};

/// Acquires or renews the lease; no row when another process holds it. The commit is asynchronous:
/// after a crash the lease is acquired again.
const TAKE: &str = "
    WITH session AS MATERIALIZED (
        SELECT set_config('synchronous_commit', 'off', true), pg_backend_pid() AS pid, backend_start
        FROM pg_stat_get_activity(pg_backend_pid()))
    INSERT INTO view.runners AS present (build, holder, session, session_started, held_until)
    SELECT $1, $2, pid, backend_start, now() + interval '3 seconds' FROM session
    ON CONFLICT (build) DO UPDATE
    SET holder = excluded.holder, session = excluded.session,
        session_started = excluded.session_started, held_until = excluded.held_until
    WHERE present.holder = excluded.holder OR present.held_until <= now() OR NOT EXISTS (
        SELECT FROM pg_stat_get_activity(present.session) AS alive
        WHERE alive.backend_start = present.session_started)";
/// Those of builds that run no more.
const SWEEP: &str = "DELETE FROM view.runners WHERE held_until < now() - interval '1 day'";
/// The duration of a lease, as in [`TAKE`].
const LEASE: Duration = Duration::from_secs(3);
/// The interval of renewals and attempts.
const RENEWAL: Duration = Duration::from_secs(1);

/// A candidate for the lease.
pub(crate) struct Candidate {
    pool: Pool,
    /// The builds of its read models.
    build: Vec<u8>,
    holder: Uuid,
    leads: watch::Sender<bool>,
}

/// Without anybody who renews it, the lease is not counted on.
struct Renewing<'a>(&'a watch::Sender<bool>);

impl Drop for Renewing<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

impl Candidate {
    pub(crate) fn new(pool: Pool, projections: &[Projection], leads: watch::Sender<bool>) -> Self {
        let build = projections.iter().flat_map(Projection::bytes_of_build).collect();
        Self { pool, build, holder: Uuid::now_v7(), leads }
    }

    /// Acquires and renews the lease for as long as it is polled.
    pub(crate) async fn keep(&self) {
        let _renewing = Renewing(&self.leads);
        let mut session = None;
        let mut until = Instant::now();
        loop {
            let asked = Instant::now();
            match self.take(&mut session).await {
                Ok(true) => {
                    until = asked + LEASE;
                    self.leads_is(true);
                }
                Ok(false) => self.leads_is(false),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the lease of the read models cannot be read"
                    );
                    session = None;
                    if until <= asked {
                        self.leads_is(false);
                    }
                }
            }
            sleep(RENEWAL).await;
        }
    }

    fn leads_is(&self, leading: bool) {
        self.leads.send_if_modified(|leads| std::mem::replace(leads, leading) != leading);
    }

    async fn take(&self, session: &mut Option<ClientWrapper>) -> Result<bool, ProjectionError> {
        if session.as_ref().is_none_or(|session| session.is_closed()) {
            // This connection is not of the pool, so it ends with this task.
            let fresh = Object::take(self.pool.get().await?);
            fresh.execute(SWEEP, &[]).await?;
            *session = Some(fresh);
        }
        let Some(session) = session else { return Ok(false) };
        let statement = session.prepare_cached(TAKE).await?;
        Ok(session.execute(&statement, &[&self.build, &self.holder]).await? > 0)
    }
}
