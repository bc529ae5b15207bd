//! Pools of PostgreSQL connections.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{NoTls, error::SqlState};

/// A text that is not a database URL.
#[derive(Debug, thiserror::Error)]
#[error("the database URL is malformed")]
pub struct UrlError(#[source] tokio_postgres::Error);

/// Locks of a stopped or vanished process end soon, so that another one can take over. Bitmaps keep
/// each of a few hundred thousand matches instead of their pages. Data is usually in memory, so a
/// row costs little more than its index entry; no statement runs long enough for JIT compilation to
/// pay.
const SESSION: &str = "
    SET idle_in_transaction_session_timeout = '5s'; SET work_mem = '16MB'; SET jit = off;
    SET seq_page_cost = 0.1; SET random_page_cost = 0.1";

/// The same for frequent statements: each is planned once, independent of its parameters.
const STEADY: &str = "
    SET idle_in_transaction_session_timeout = '5s'; SET jit = off;
    SET plan_cache_mode = 'force_generic_plan'";

/// A pool of at most `connections`. It connects when first used, and stops waiting for a connection
/// after some seconds.
pub fn pool(url: &str, application: &str, connections: usize) -> Result<Pool, UrlError> {
    build(url, application, connections, SESSION)
}

/// A pool like [`pool`]'s whose statements are planned once, independent of their parameters: for
/// statements for which one plan is always the best.
pub fn steady_pool(url: &str, application: &str, connections: usize) -> Result<Pool, UrlError> {
    build(url, application, connections, STEADY)
}

fn build(
    url: &str,
    application: &str,
    connections: usize,
    session: &'static str,
) -> Result<Pool, UrlError> {
    let mut config: tokio_postgres::Config = url.parse().map_err(UrlError)?;
    config.application_name(application).connect_timeout(Duration::from_secs(5));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
        .max_size(connections)
        .post_create(Hook::async_fn(move |client, _| {
            Box::pin(async move { client.batch_execute(session).await.map_err(HookError::Backend) })
        }))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(10)))
        .create_timeout(Some(Duration::from_secs(5)))
        .build()
        .expect("a runtime is given, which is all that timeouts need");
    Ok(pool)
}

/// Whether a statement failed because PostgreSQL was unavailable, and may succeed later: the
/// connection broke, or PostgreSQL ended it.
pub fn is_unavailable(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(state) => is_outage(state),
        // Without a code the connection failed, not the statement, unless a parameter could not be
        // serialised.
        None => {
            let cause = std::error::Error::source(error);
            error.is_closed() || cause.is_none_or(<dyn std::error::Error>::is::<std::io::Error>)
        }
    }
}

/// Whether an error is due to the state of PostgreSQL: class 57 is an intervention of an
/// administrator or a crash, class 53 a lack of resources, class 08 the connection.
pub fn is_outage(state: &SqlState) -> bool {
    ["57", "53", "08"].iter().any(|class| state.code().starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_or_an_administrator_ends_is_an_outage() {
        // The codes after a crash of the postmaster, and of a starting server.
        for state in [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::CONNECTION_FAILURE,
        ] {
            assert!(is_outage(&state), "{state:?}");
        }
        for state in [SqlState::UNIQUE_VIOLATION, SqlState::UNDEFINED_TABLE] {
            assert!(!is_outage(&state), "{state:?}");
        }
    }
}
