//! `kontor up`: everything in one process, on private servers unless others are named.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use service_kit::access::{Access, Role};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::location::Location;
use crate::progress::Step;
use crate::run_file::RunFile;
use crate::serve;
use crate::servers::{Directory, Durability, Servers, write_private};

/// The database on the private server.
const DATABASE: &str = "kontor";

/// Where keys made by the first start are kept, for the next starts to print again.
const KEYS: &str = "keys.json";

/// Arguments of `kontor up`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    location: Location,
    /// Where to listen; another port is chosen when this one is taken.
    #[arg(long, env = "KONTOR_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Name of the JetStream stream.
    #[arg(long, default_value = "kontor")]
    stream: String,
}

/// Runs until Ctrl-C or SIGTERM, then stops everything in order.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let asked_to_stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tokio::pin!(asked_to_stop);

    let directory = Directory::open(&arguments.location.dir)?;
    let path = directory.path().to_path_buf();
    RunFile::remove(&path);
    let started = tokio::select! {
        started = start(&arguments, directory) => started?,
        () = &mut asked_to_stop => return Ok(ExitCode::SUCCESS),
    };
    asked_to_stop.await;

    let step = Step::begin("stopping");
    RunFile::remove(&path);
    started.running.stop().await;
    drop(started.private);
    step.done("stopped");
    Ok(ExitCode::SUCCESS)
}

struct Started {
    running: serve::Running,
    private: Private,
}

/// What keeps the private servers, or at least the directory's lock, until the end.
enum Private {
    Servers(Box<Servers>),
    None { _lock: Directory },
}

async fn start(arguments: &Arguments, directory: Directory) -> anyhow::Result<Started> {
    let path = directory.path().to_path_buf();
    let (database_url, nats_url, private) = match arguments.location.given()? {
        Some((database, nats)) => (database, nats, Private::None { _lock: directory }),
        None => {
            let servers = Servers::start(directory, Durability::Durable).await?;
            let database_url = create_database(servers.database_url()).await?;
            (database_url, servers.nats_url().to_owned(), Private::Servers(Box::new(servers)))
        }
    };
    let step = Step::begin("starting the services");
    let running = serve::start(&serve::Settings {
        database_url: database_url.clone(),
        nats_url: nats_url.clone(),
        stream: arguments.stream.clone(),
        listen: free_address(arguments.listen).await?,
    })
    .await?;
    let keys = keys(&running.access, &path).await?;
    let http_url = format!("http://{}", running.address);
    step.done(&format!("serving on {http_url}"));

    let (postgres_pid, nats_pid) = match &private {
        Private::Servers(servers) => (servers.postgres_pid(), servers.nats_pid()),
        Private::None { .. } => (None, None),
    };
    let pid = std::process::id();
    RunFile { pid, http_url: http_url.clone(), database_url, nats_url, postgres_pid, nats_pid }
        .write(&path)?;
    print_tour(&http_url, &keys);
    Ok(Started { running, private })
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

/// A key for each role that needs no company, made once per directory.
async fn keys(access: &Access, directory: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let path = directory.join(KEYS);
    let mut keys: BTreeMap<String, String> = match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?,
        Err(_) => BTreeMap::new(),
    };
    let mut made = false;
    for role in Role::ALL.into_iter().filter(|role| !role.is_buyer()) {
        // A key of another database, say after the data was deleted, opens nothing.
        let opens = match keys.get(role.name()) {
            Some(key) => access.authenticate(key).await?.is_some(),
            None => false,
        };
        if !opens {
            let (_, key) = access.create("kontor up", role, None).await?;
            keys.insert(role.name().to_owned(), key);
            made = true;
        }
    }
    if made {
        write_private(&path, &serde_json::json!(keys).to_string())?;
    }
    Ok(keys)
}

fn print_tour(url: &str, keys: &BTreeMap<String, String>) {
    println!("\nKontor serves on {url}; its API is described at {url}/openapi.json\n");
    println!("API keys:");
    for (role, key) in keys {
        println!("  {role:<14} {key}");
    }
    let admin = keys.get(Role::Admin.name()).map_or("", String::as_str);
    println!("\nTry:");
    println!("  curl {url}/health/ready");
    println!("  curl -H 'Authorization: Bearer {admin}' {url}/v1/products");
    println!("  curl -H 'Authorization: Bearer {admin}' '{url}/v1/events?limit=5'");
    println!("\nCtrl-C stops everything; the data stays.");
}
