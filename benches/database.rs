//! Databases of their own, so that runs do not see each other's rows.

use event_log::{EventLog, LogConfig};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::Failure;

/// An empty database: a connection of its superuser, and its URL.
pub(crate) async fn fresh(server: &str) -> Result<(Client, String), Failure> {
    let name = format!("bench_{}", Uuid::now_v7().simple());
    let admin = connect(server).await?;
    admin.batch_execute("CHECKPOINT").await?;
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    let url = with_database(server, &name);
    Ok((connect(&url).await?, url))
}

/// A log of its own.
pub(crate) async fn log(server: &str) -> Result<(Client, EventLog), Failure> {
    let (mut client, url) = fresh(server).await?;
    let log = with_log(&mut client, &url).await?;
    Ok((client, log))
}

/// Gives an empty database a log.
pub(crate) async fn with_log(client: &mut Client, url: &str) -> Result<EventLog, Failure> {
    EventLog::migrate(client).await?;
    Ok(EventLog::open(&LogConfig::new(url.to_owned())).await?)
}

/// Fills a log with so many small events, a hundred a stream, as ours would have written them.
pub(crate) async fn fill(client: &Client, from: i64, to: i64) -> Result<(), Failure> {
    const FILL: &str = "
        INSERT INTO log.events
        SELECT n, gen_random_uuid(), 'account', md5('s' || (n - 1) / 100)::uuid, (n - 1) % 100 + 1,
            'account.deposited', 1, NULL, 'key:bench', gen_random_uuid(), gen_random_uuid(), NULL,
            now(), '{\"type\":\"deposited\",\"amount\":1,\"balance\":' || (n - 1) % 100 + 1 || '}'
        FROM generate_series($1::bigint + 1, $2::bigint) AS n";
    const STEP: i64 = 500_000;
    for begin in (from..to).step_by(STEP.unsigned_abs().try_into()?) {
        let end = (begin + STEP).min(to);
        client.execute(FILL, &[&begin, &end]).await?;
        client.execute("UPDATE log.head SET position = $1", &[&end]).await?;
    }
    client.batch_execute("ANALYZE log.events; CHECKPOINT").await?;
    Ok(())
}

fn with_database(server: &str, name: &str) -> String {
    let (base, parameters) = server.split_once('?').map_or((server, ""), |(b, p)| (b, p));
    let slash = base.rfind('/').filter(|at| *at > "postgres://".len()).unwrap_or(base.len());
    let url = format!("{}/{name}", &base[..slash]);
    if parameters.is_empty() { url } else { format!("{url}?{parameters}") }
}

pub(crate) async fn connect(url: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
