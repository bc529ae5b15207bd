//! Pools of PostgreSQL connections.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;

/// A URL that is no database URL.
#[derive(Debug, thiserror::Error)]
#[error("the database URL is malformed")]
pub struct UrlError(#[source] tokio_postgres::Error);

/// A process that is stopped, or has vanished, must not keep what its transactions have locked:
/// another one takes over. Searches remember each of a few hundred thousand matches instead of their
/// pages. What is read is in memory as a rule, so a row costs little more than its index entry; and no
/// statement is so long that compiling it pays.
const SESSION: &str = "
    SET idle_in_transaction_session_timeout = '5s'; SET work_mem = '16MB'; SET jit = off;
    SET seq_page_cost = 0.1; SET random_page_cost = 0.1";

/// The same for what is asked all the time: its statements are planned once, for whatever they are
/// asked with.
const STEADY: &str = "
    SET idle_in_transaction_session_timeout = '5s'; SET jit = off;
    SET plan_cache_mode = 'force_generic_plan'";

/// A pool of at most `connections`; connects when first used, and gives up on a connection that
/// cannot be had within seconds.
pub fn pool(url: &str, application: &str, connections: usize) -> Result<Pool, UrlError> {
    build(url, application, connections, SESSION)
}

/// A pool like [`pool`]'s whose statements are planned once, for whatever they are asked with: for
/// statements that are written so that one plan is the best one.
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
