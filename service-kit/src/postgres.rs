//! Pools of PostgreSQL connections.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;

/// A URL that is no database URL.
#[derive(Debug, thiserror::Error)]
#[error("the database URL is malformed")]
pub struct UrlError(#[source] tokio_postgres::Error);

/// A process that is stopped, or has vanished, must not keep what its transactions have locked:
/// another one takes over.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '5s'";

/// A pool of at most `connections`; connects when first used, and gives up on a connection that
/// cannot be had within seconds.
pub fn pool(url: &str, application: &str, connections: usize) -> Result<Pool, UrlError> {
    let mut config: tokio_postgres::Config = url.parse().map_err(UrlError)?;
    config.application_name(application).connect_timeout(Duration::from_secs(5));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
        .max_size(connections)
        .post_create(Hook::async_fn(|client, _| {
            Box::pin(async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) })
        }))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(10)))
        .create_timeout(Some(Duration::from_secs(5)))
        .build()
        .expect("a runtime is given, which is all that timeouts need");
    Ok(pool)
}
