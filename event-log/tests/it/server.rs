//! A database of its own for each test, on the private server that `make test` starts.

use event_log::{EventLog, LogConfig, backup};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// A migrated database.
pub(crate) struct Database {
    /// Its superuser, who owns schema `log`.
    pub(crate) owner: Client,
    pub(crate) url: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let server = std::env::var("KONTOR_TEST_DATABASE_URL")
            .expect("run `make test`, which starts private servers");
        let name = format!("log_{}", Uuid::now_v7().simple());
        let admin = connect(&server).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = with_database(&server, &name);
        let mut owner = connect(&url).await;
        EventLog::migrate(&mut owner).await.unwrap();
        Self { owner, url }
    }

    pub(crate) async fn open(&self) -> EventLog {
        EventLog::open(&LogConfig::new(&self.url)).await.unwrap()
    }

    /// Another database with this one's history, up to where it is now.
    pub(crate) async fn copy(&self) -> Self {
        let (mut copy, folder) = (Self::new().await, tempfile::TempDir::new().unwrap());
        backup::export(&self.owner, folder.path(), None, &[], |_, _| ()).await.unwrap();
        backup::import(&mut copy.owner, folder.path(), &[], |_, _| ()).await.unwrap();
        copy
    }

    /// A number that a query answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }
}

/// A log of its own.
pub(crate) async fn fresh_log() -> (Database, EventLog) {
    let database = Database::new().await;
    let log = database.open().await;
    (database, log)
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn with_database(server: &str, name: &str) -> String {
    let (base, parameters) = match server.split_once('?') {
        Some((base, parameters)) => (base, format!("?{parameters}")),
        None => (server, String::new()),
    };
    let host = base.find("://").map_or(0, |at| at + 3);
    let path = base[host..].find('/').map_or(base.len(), |at| host + at);
    format!("{}/{name}{parameters}", &base[..path])
}
