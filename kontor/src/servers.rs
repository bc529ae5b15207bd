//! Private servers: a PostgreSQL and a nats-server that run as children of this process.
//!
//! They keep their data in one directory, listen on free loopback ports with generated passwords,
//! and are restarted when they crash. Leftovers of a `kill -9` (orphans, pid files, an incomplete
//! data directory) do not prevent the next start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::progress::Step;

mod child;
mod directory;
mod error;
mod nats;
mod postgres;
mod programs;
mod secrets;

pub use directory::Directory;
pub use error::Error;
pub use programs::Programs;
pub use secrets::write_private;

/// The time limit of a server's start, including crash recovery.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// What may be lost on power loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was acknowledged: every commit and every message is on disk first.
    Durable,
    /// Everything: for tests, whose servers are deleted afterwards.
    ThrowAway,
}

/// The result of waiting for a server that was just started.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Ready,
    /// Another process took the port before the server bound it.
    PortTaken,
    /// No answer within [`READY_WITHIN`].
    None,
}

/// A running PostgreSQL and a running nats-server; dropping stops them.
#[derive(Debug)]
pub struct Servers {
    // Fields drop in this order: consumers of the database stop before it.
    nats: nats::Nats,
    postgres: postgres::Postgres,
    programs: Programs,
    _directory: Directory,
}

impl Servers {
    /// Starts both servers on the data in `directory`, creating it at the first start, and returns
    /// when both answer. The lock of the directory prevents a second start.
    pub async fn start(directory: Directory, durability: Durability) -> Result<Self, Error> {
        let secrets = secrets::Secrets::load_or_create(directory.path())?;
        let programs = Programs::find(directory.path())?;
        postgres::ensure_data(&directory, &programs, &secrets, durability)?;

        let step = Step::begin("starting PostgreSQL and nats-server");
        let (postgres, nats) = tokio::join!(
            postgres::Postgres::start(&directory, &programs, &secrets, durability),
            nats::Nats::start(&directory, &programs, &secrets, durability),
        );
        let servers = Self { nats: nats?, postgres: postgres?, programs, _directory: directory };
        step.done(&format!(
            "PostgreSQL on port {}, nats-server on port {}",
            servers.postgres.port(),
            servers.nats.port()
        ));
        Ok(servers)
    }

    /// URL of the maintenance database as superuser, password included.
    pub fn database_url(&self) -> &str {
        self.postgres.url()
    }

    /// URL of the nats-server, credentials included.
    pub fn nats_url(&self) -> &str {
        self.nats.url()
    }

    /// URL of the nats-server for the read-only user; `None` if all users may write.
    pub fn nats_reader_url(&self) -> Option<&str> {
        self.nats.reader_url()
    }

    /// Process id of the postmaster; it changes after a crash.
    pub fn postgres_pid(&self) -> Option<u32> {
        self.postgres.pid().now()
    }

    /// Process id of nats-server; it changes after a crash.
    pub fn nats_pid(&self) -> Option<u32> {
        self.nats.pid().now()
    }

    /// The current process ids of both.
    pub fn pids(&self) -> Pids {
        Pids { postgres: self.postgres.pid(), nats: self.nats.pid() }
    }

    /// The nats-server program, for tests that start more of them.
    pub fn nats_program(&self) -> &Path {
        &self.programs.nats_server
    }

    /// The directory of PostgreSQL's programs.
    pub fn postgres_programs(&self) -> &Path {
        &self.programs.postgres_bin
    }

    /// Stops nats-server, then PostgreSQL (fast shutdown), and waits for both.
    pub fn stop(self) {
        drop(self);
    }
}

/// A running private nats-server, without PostgreSQL; dropping stops it.
#[derive(Debug)]
pub struct NatsServer {
    nats: nats::Nats,
    _directory: Directory,
}

impl NatsServer {
    /// Starts it on the data in `directory`, and returns when it answers.
    pub async fn start(directory: Directory, durability: Durability) -> Result<Self, Error> {
        let secrets = secrets::Secrets::load_or_create(directory.path())?;
        let programs = Programs::find(directory.path())?;
        let nats = nats::Nats::start(&directory, &programs, &secrets, durability).await?;
        Ok(Self { nats, _directory: directory })
    }

    /// Its URL, credentials included.
    pub fn url(&self) -> &str {
        self.nats.url()
    }
}

/// The process ids of the servers, which change when one is restarted.
#[derive(Debug, Clone)]
pub struct Pids {
    postgres: child::WatchedPid,
    nats: child::WatchedPid,
}

impl Pids {
    /// The process id of PostgreSQL, if it runs.
    pub fn postgres(&self) -> Option<u32> {
        self.postgres.now()
    }

    /// The process id of nats-server, if it runs.
    pub fn nats(&self) -> Option<u32> {
        self.nats.now()
    }
}

/// A free loopback port. Another process may take it before the server binds it, so a start tries
/// several.
fn free_port() -> Result<u16, Error> {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::NoPort)
}

/// The end of a server's log, for the error message of a failed start.
fn last_lines(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

/// The part of a log after its first `before` bytes.
fn log_since(log: &Path, before: u64) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let start = usize::try_from(before).unwrap_or(usize::MAX).min(text.len());
    String::from_utf8_lossy(&text[start..]).into_owned()
}

/// The log file of a server.
fn log_file(directory: &Path, name: &str) -> PathBuf {
    directory.join("log").join(format!("{name}.log"))
}
