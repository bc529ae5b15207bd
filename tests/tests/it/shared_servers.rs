//! The PostgreSQL of a test run. Each instance has a database of its own on it, a copy of a
//! template on which a Kontor was started once, and a nats-server of its own.

use std::{path::Path, thread};

use kontor::servers::{Directory, Durability, NatsServer};
use tokio::runtime;
use tokio_postgres::{Client, NoTls};

use crate::instance::{Instance, Setting, directory};

/// The database that is copied. What its keys are says the comment on it.
const TEMPLATE: &str = "kontor_template";

/// A database and a nats-server; dropping throws both away.
pub(crate) struct SharedServers {
    /// URL of PostgreSQL's maintenance database.
    server: String,
    name: String,
    nats: NatsServer,
}

impl SharedServers {
    /// A copy of the template, and the keys that open it, for the instance of a directory; none when nobody
    /// has started a PostgreSQL for the test run.
    pub(crate) async fn prepare(instance: &Path) -> Option<Self> {
        let server = std::env::var("KONTOR_TEST_DATABASE_URL").ok()?;
        let client = connect(&server).await;
        let keys = template(&client, &server).await;
        std::fs::write(instance.join("keys.json"), keys).unwrap();
        let name = format!("kontor_{}", uuid::Uuid::now_v7().simple());
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await.unwrap();
        let nats = Directory::open(&instance.join("nats-server")).unwrap();
        let nats = NatsServer::start(nats, Durability::ThrowAway).await.unwrap();
        Some(Self { server, name, nats })
    }

    /// The URLs of the database and of the nats-server.
    pub(crate) fn urls(&self) -> [String; 2] {
        [database_url(&self.server, &self.name), self.nats.url().to_owned()]
    }
}

impl Drop for SharedServers {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A test may drop it within a runtime, which waits for nothing then.
        let dropping = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = connect(&server).await;
                client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
            });
        });
        // What is left goes with the server.
        let _ = dropping.join();
    }
}

/// Makes the template unless another test has made it; its keys, as `keys.json` holds them.
async fn template(client: &Client, server: &str) -> String {
    const LOCK: &str = "SELECT pg_advisory_lock(hashtext('kontor_template'))";
    const UNLOCK: &str = "SELECT pg_advisory_unlock(hashtext('kontor_template'))";
    const KEYS: &str = "
        SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1";
    client.batch_execute(LOCK).await.unwrap();
    let made = client.query_opt(KEYS, &[&TEMPLATE]).await.unwrap();
    let keys = match made.and_then(|row| row.get::<_, Option<String>>(0)) {
        Some(keys) => keys,
        None => make_template(client, server).await,
    };
    client.batch_execute(UNLOCK).await.unwrap();
    keys
}

async fn make_template(client: &Client, server: &str) -> String {
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {TEMPLATE}")).await.unwrap();
    client.batch_execute(&format!("CREATE DATABASE {TEMPLATE}")).await.unwrap();
    let directory = directory();
    let nats = Directory::open(&directory.path().join("nats-server")).unwrap();
    let nats = NatsServer::start(nats, Durability::ThrowAway).await.unwrap();
    let servers = Some([database_url(server, TEMPLATE), nats.url().to_owned()]);
    let mut instance =
        Instance::start_in(directory, Setting { servers, ..Setting::default() }).await;
    let keys = std::fs::read_to_string(instance.directory().join("keys.json")).unwrap();
    instance.stop();
    client.batch_execute(&format!("COMMENT ON DATABASE {TEMPLATE} IS '{keys}'")).await.unwrap();
    keys
}

/// The URL of another database on the same server.
fn database_url(server: &str, name: &str) -> String {
    let (address, _) = server.rsplit_once('/').unwrap();
    format!("{address}/{name}")
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
