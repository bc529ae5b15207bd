//! A running Kontor: its servers, services and keys, in this process or another.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use service_kit::{
    access::{Access, KeyRole, NewKey},
    browsers::Origins,
};
use tokio::net::TcpListener;

use crate::letterhead;
use crate::limits;
use crate::location::Location;
use crate::progress::Step;
use crate::run_file::RunFile;
use crate::serve;
use crate::servers::{self, Directory, Durability, Pids, Servers, write_private};

/// The database on the private server.
const DATABASE: &str = "kontor";

/// Where keys made by the first start are kept.
pub const KEYS: &str = "keys.json";

/// How to start one.
#[derive(Debug, Clone, clap::Args)]
pub struct Start {
    #[command(flatten)]
    location: Location,
    /// Where to listen; another port is chosen when this one is taken.
    #[arg(long, env = "KONTOR_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Name of the JetStream stream.
    #[arg(long, default_value = "kontor")]
    stream: String,
    /// A JSON file that says who the seller is, for the head of its documents; an example without it.
    #[arg(long, env = "KONTOR_SELLER")]
    seller: Option<PathBuf>,
    #[command(flatten)]
    limits: limits::Connections,
    /// Origins whose pages may call the API, such as `https://shop.example.pl`, separated by commas;
    /// none when not given.
    #[arg(long, env = "KONTOR_CORS_ORIGINS", default_value = "")]
    cors_origins: Origins,
}

/// A running Kontor.
pub struct Instance {
    url: String,
    keys: BTreeMap<String, String>,
    /// Names of the keys that this start has made.
    made: BTreeSet<String>,
    here: Option<Here>,
}

/// What of it runs in this process.
struct Here {
    directory: PathBuf,
    running: serve::Running,
    /// Keeps the process ids in the run file current.
    announcing: Option<tokio::task::JoinHandle<()>>,
    private: Private,
}

/// What keeps the private servers, or at least the directory's lock, until the end.
enum Private {
    Servers(Box<Servers>),
    None { _lock: Directory },
}

impl Instance {
    /// Starts one in a directory that nobody else uses.
    pub async fn start(arguments: &Start) -> anyhow::Result<Self> {
        let directory = Directory::open(&arguments.location.dir)?;
        Self::start_in(arguments, directory).await
    }

    /// The one that runs in the directory.
    pub fn running(location: &Location) -> anyhow::Result<Self> {
        let run = location.run_file()?;
        let keys = read_keys(&location.dir)?;
        Ok(Self { url: run.http_url, keys, made: BTreeSet::new(), here: None })
    }

    /// The one that runs in the directory, or a new one.
    pub async fn running_or_started(arguments: &Start) -> anyhow::Result<Self> {
        match Directory::open(&arguments.location.dir) {
            Ok(directory) => Self::start_in(arguments, directory).await,
            Err(servers::Error::InUse { .. }) => Self::running(&arguments.location)
                .context("the `kontor up` of this directory is not ready yet"),
            Err(error) => Err(error.into()),
        }
    }

    /// One that runs somewhere, with an admin's key to it.
    pub fn elsewhere(url: String, admin_key: String) -> Self {
        let keys = BTreeMap::from([(KeyRole::Admin.name().to_owned(), admin_key)]);
        Self { url, keys, made: BTreeSet::new(), here: None }
    }

    async fn start_in(arguments: &Start, lock: Directory) -> anyhow::Result<Self> {
        let letterhead = match &arguments.seller {
            Some(path) => letterhead::read(path)?,
            None => letterhead::example()?,
        };
        let directory = lock.path().to_path_buf();
        RunFile::remove(&directory);
        let (database_url, nats_url, private) = match arguments.location.given()? {
            Some((database, nats)) => (database, nats, Private::None { _lock: lock }),
            None => {
                let servers = Servers::start(lock, Durability::Durable).await?;
                let database_url = create_database(servers.database_url()).await?;
                let nats_url = servers.nats_url().to_owned();
                (database_url, nats_url, Private::Servers(Box::new(servers)))
            }
        };
        let step = Step::begin("starting the services");
        let running = serve::start(serve::Settings {
            database_url: database_url.clone(),
            nats_url: nats_url.clone(),
            stream: arguments.stream.clone(),
            listen: free_address(arguments.listen).await?,
            letterhead: Some(letterhead),
            limits: arguments.limits.read(),
            cors_origins: arguments.cors_origins.clone(),
        })
        .await?;
        let (keys, made) = keys(&running.access, &directory).await?;
        let url = format!("http://{}", running.address);
        step.done(&format!("serving on {url}"));

        let (pids, nats_reader_url) = match &private {
            Private::Servers(servers) => {
                (Some(servers.pids()), servers.nats_reader_url().map(str::to_owned))
            }
            Private::None { .. } => (None, None),
        };
        let run_file = RunFile {
            pid: std::process::id(),
            http_url: url.clone(),
            database_url,
            nats_url,
            nats_reader_url,
            postgres_pid: pids.as_ref().and_then(Pids::postgres),
            nats_pid: pids.as_ref().and_then(Pids::nats),
        };
        run_file.write(&directory)?;
        let announcing = pids.map(|pids| {
            let directory = directory.clone();
            running.supervisor.run("run file", move || {
                keep_pids(run_file.clone(), pids.clone(), directory.clone())
            })
        });
        let here = Here { directory, running, announcing, private };
        Ok(Self { url, keys, made, here: Some(here) })
    }

    /// Where it takes commands and queries.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Keys by the name of their role.
    pub fn keys(&self) -> &BTreeMap<String, String> {
        &self.keys
    }

    /// The names of the keys that were made by this start, and are shown this once.
    pub fn made(&self) -> &BTreeSet<String> {
        &self.made
    }

    /// The operator's key.
    pub fn admin_key(&self) -> &str {
        self.keys.get(KeyRole::Admin.name()).map_or("", String::as_str)
    }

    /// Whether its servers run with it.
    pub fn has_private_servers(&self) -> bool {
        self.here.as_ref().is_some_and(|here| matches!(here.private, Private::Servers(_)))
    }

    /// The directory of what runs in this process.
    pub fn directory(&self) -> Option<&Path> {
        self.here.as_ref().map(|here| here.directory.as_path())
    }

    /// Adds keys to those that are kept.
    pub fn remember_keys(
        &mut self,
        keys: impl IntoIterator<Item = (&'static str, String)>,
    ) -> anyhow::Result<()> {
        for (name, key) in keys {
            self.made.insert(name.to_owned());
            self.keys.insert(name.to_owned(), key);
        }
        match &self.here {
            Some(here) => write_keys(&here.directory, &self.keys),
            None => Ok(()),
        }
    }

    /// Stops what runs in this process: services, then nats-server, then PostgreSQL.
    pub async fn stop(self) {
        if let Some(Here { directory, running, announcing, private }) = self.here {
            if let Some(announcing) = announcing {
                announcing.abort();
                let _ = announcing.await;
            }
            RunFile::remove(&directory);
            running.stop().await;
            drop(private);
        }
    }
}

/// The address asked for, or another port when somebody has it.
async fn free_address(asked: SocketAddr) -> anyhow::Result<SocketAddr> {
    match TcpListener::bind(asked).await {
        Ok(listener) => Ok(listener.local_addr()?),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let free = TcpListener::bind((asked.ip(), 0)).await?.local_addr()?;
            eprintln!("kontor: port {} is taken, using {}", asked.port(), free.port());
            Ok(free)
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {asked}")),
    }
}

/// Makes the database at the first start; answers its URL.
async fn create_database(server_url: &str) -> anyhow::Result<String> {
    let (client, connection) = tokio_postgres::connect(server_url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    let found =
        client.query_opt("SELECT FROM pg_database WHERE datname = $1", &[&DATABASE]).await?;
    if found.is_none() {
        client.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
    }
    drop(client);
    connection.await??;
    let (server, _) = server_url.rsplit_once('/').context("a server's URL names a database")?;
    Ok(format!("{server}/{DATABASE}"))
}

/// Writes the run file anew when a server was restarted: it names no process that is gone.
async fn keep_pids(mut run_file: RunFile, pids: Pids, directory: PathBuf) {
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let (postgres_pid, nats_pid) = (pids.postgres(), pids.nats());
        let now = RunFile { postgres_pid, nats_pid, ..run_file.clone() };
        if now == run_file {
            continue;
        }
        match now.write(&directory) {
            Ok(()) => run_file = now,
            Err(error) => tracing::warn!(%error, "the run file names processes that are gone"),
        }
    }
}

/// A key for each role that needs no company, made once per directory; and which were made now.
async fn keys(
    access: &Access,
    directory: &Path,
) -> anyhow::Result<(BTreeMap<String, String>, BTreeSet<String>)> {
    let mut keys = read_keys(directory)?;
    let mut made = BTreeSet::new();
    for role in KeyRole::ALL.into_iter().filter(|role| !role.is_buyer()) {
        // A key of another database, say after the data was deleted, opens nothing.
        let opens = match keys.get(role.name()) {
            Some(key) => access.authenticate(key).await?.is_some(),
            None => false,
        };
        if !opens {
            let key = NewKey { name: "kontor up", role, company: None, employee: None };
            let key = access.create(uuid::Uuid::now_v7(), key).await?;
            keys.insert(role.name().to_owned(), key);
            made.insert(role.name().to_owned());
        }
    }
    if !made.is_empty() {
        write_keys(directory, &keys)?;
    }
    Ok((keys, made))
}

fn read_keys(directory: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let path = directory.join(KEYS);
    match std::fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
        }
        Err(_) => Ok(BTreeMap::new()),
    }
}

fn write_keys(directory: &Path, keys: &BTreeMap<String, String>) -> anyhow::Result<()> {
    Ok(write_private(&directory.join(KEYS), &serde_json::json!(keys).to_string())?)
}
