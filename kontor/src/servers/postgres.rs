//! The private PostgreSQL: its data directory, settings and process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sha2::{Digest, Sha256};

use super::child::{self, Child, Program, User};
use super::programs::Programs;
use super::secrets::Secrets;
use super::{Answer, Directory, Durability, Error, READY_WITHIN, free_port, last_lines, log_file};
use crate::progress::Step;

/// The superuser of the cluster.
const SUPERUSER: &str = "kontor";

/// The data directory when this process is root and PostgreSQL's user cannot access the directory.
const REACHABLE: &str = "/var/lib/kontor";

/// The number of starts on other ports when the chosen one is taken.
const PORTS_TRIED: usize = 3;

/// A running PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres {
    child: Child,
    port: u16,
    url: String,
}

impl Postgres {
    /// Starts the server on existing data and waits until it answers.
    pub(super) async fn start(
        directory: &Directory,
        programs: &Programs,
        secrets: &Secrets,
        durability: Durability,
    ) -> Result<Self, Error> {
        let data = data_directory(directory.path())?;
        end_orphan(directory);
        let log = log_file(directory.path(), "postgres");
        for _ in 0..PORTS_TRIED {
            let port = free_port()?;
            let child = Child::start(Program {
                name: "postgres",
                path: programs.postgres_bin.join("postgres"),
                arguments: arguments(&data, port, durability),
                log: log.clone(),
                user: user()?,
                // Fast shutdown: clients are disconnected, commits are kept.
                end: Signal::SIGINT,
            })?;
            let url =
                format!("postgres://{SUPERUSER}:{}@127.0.0.1:{port}/postgres", secrets.postgres);
            match answer(&url, &log).await {
                Answer::Ready => return Ok(Self { child, port, url }),
                Answer::PortTaken => {}
                Answer::None => break,
            }
        }
        Err(Error::NotStarted { server: "PostgreSQL", tail: last_lines(&log), log })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn pid(&self) -> child::WatchedPid {
        self.child.watched_pid()
    }
}

/// Creates the data directory if there is none. It is renamed when it is complete, so an incomplete
/// one is never used.
pub(super) fn ensure_data(
    directory: &Directory,
    programs: &Programs,
    secrets: &Secrets,
    durability: Durability,
) -> Result<(), Error> {
    let data = data_directory(directory.path())?;
    if data.join("PG_VERSION").exists() {
        return Ok(());
    }
    let step = Step::begin("creating a PostgreSQL database cluster");
    let user = user()?;
    let new = data.with_extension("new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(Error::file("remove", &new))?;
    }
    fs::create_dir_all(&new).map_err(Error::file("create", &new))?;
    let password = data.with_extension("password");
    super::write_private(&password, &secrets.postgres)?;
    for path in [&new, &password] {
        give_to(path, user)?;
    }

    let result = initdb(programs, &new, &password, user, durability);
    fs::remove_file(&password).map_err(Error::file("remove", &password))?;
    result?;
    fs::rename(&new, &data).map_err(Error::file("rename", &new))?;
    step.done(&format!("created a PostgreSQL database cluster in {}", data.display()));
    Ok(())
}

/// The data directory for `directory`. As root, PostgreSQL runs as another user, who cannot access
/// a directory under, say, `/root`: then the data is in `/var/lib/kontor`, in a directory named by
/// the digest of the path.
pub(super) fn data_directory(directory: &Path) -> Result<PathBuf, Error> {
    match user()? {
        Some(user) if !can_reach(directory, user) => {
            let digest = Sha256::digest(directory.as_os_str().as_encoded_bytes());
            let name =
                digest[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
            let place = Path::new(REACHABLE).join(name);
            fs::create_dir_all(&place).map_err(Error::file("create", &place))?;
            Ok(place.join("postgres"))
        }
        _ => Ok(directory.join("postgres")),
    }
}

/// Ends a postmaster that survived its kontor, and removes a pid file that names another process,
/// which would prevent a start.
pub(super) fn end_orphan(directory: &Directory) {
    let Ok(data) = data_directory(directory.path()) else { return };
    let pid_file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return };
    let Some(pid) = text.lines().next().and_then(|line| line.trim().parse().ok()) else { return };
    match child::end_orphan(pid, &data, Signal::SIGINT) {
        Ok(()) => {
            let _ = fs::remove_file(&pid_file);
        }
        Err(error) => tracing::warn!(%error, "PostgreSQL may refuse to start"),
    }
}

/// The user of PostgreSQL: the current one, or for root `postgres` or `nobody`.
fn user() -> Result<Option<User>, Error> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| nix::unistd::User::from_name(name).ok().flatten())
        .map(|user| Some(User { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
        .ok_or(Error::NobodyToRunAs)
}

fn can_reach(directory: &Path, user: User) -> bool {
    let mut command = Command::new("setpriv");
    child::drop_root(&mut command, Some(user));
    command.args(["--", "test", "-x"]).arg(directory);
    command.status().is_ok_and(|status| status.success())
}

fn give_to(path: &Path, user: Option<User>) -> Result<(), Error> {
    let Some(User { uid, gid }) = user else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(uid), Some(gid)).map_err(Error::file("give away", path))
}

fn initdb(
    programs: &Programs,
    data: &Path,
    password: &Path,
    user: Option<User>,
    durability: Durability,
) -> Result<(), Error> {
    let mut command = Command::new("setpriv");
    child::drop_root(&mut command, user);
    command
        .arg("--")
        .arg(programs.postgres_bin.join("initdb"))
        .arg("--pgdata")
        .arg(data)
        .arg("--pwfile")
        .arg(password)
        .args(["--username", SUPERUSER, "--auth", "scram-sha-256"])
        // The same collation on every machine.
        .args(["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions"])
        .current_dir("/");
    if durability == Durability::ThrowAway {
        command.arg("--no-sync");
    }
    let output = command.output().map_err(Error::file("run", "setpriv"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Initdb(String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn arguments(data: &Path, port: u16, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        // Socket paths have a length limit that a deep checkout would exceed.
        "unix_socket_directories=".into(),
        format!("shared_buffers={}MB", buffers(durability)),
        "max_connections=200".into(),
        "timezone=UTC".into(),
        "log_timezone=UTC".into(),
    ];
    settings.extend(match durability {
        // Fewer, larger checkpoints: the log is written in bursts.
        Durability::Durable => {
            ["synchronous_commit=on", "max_wal_size=4GB", "checkpoint_timeout=15min"]
                .map(String::from)
        }
        Durability::ThrowAway => {
            ["fsync=off", "full_page_writes=off", "synchronous_commit=off"].map(String::from)
        }
    });
    let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
    arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
    arguments
}

/// The size of shared buffers in megabytes: for permanent data a quarter of the machine's memory,
/// as PostgreSQL's manual recommends (19.4, `shared_buffers`). Memory is allocated when it is used.
fn buffers(durability: Durability) -> u64 {
    const LEAST: u64 = 256;
    let total = || {
        let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
        let kilobytes = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    match durability {
        Durability::Durable => total().map_or(LEAST, |kilobytes| LEAST.max(kilobytes / 1024 / 4)),
        Durability::ThrowAway => LEAST,
    }
}

/// Waits until the server accepts a connection.
async fn answer(url: &str, log: &Path) -> Answer {
    let started = Instant::now();
    let before = fs::metadata(log).map_or(0, |metadata| metadata.len());
    while started.elapsed() < READY_WITHIN {
        if tokio_postgres::connect(url, tokio_postgres::NoTls).await.is_ok() {
            return Answer::Ready;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        if super::log_since(log, before).contains("FATAL:  could not create any TCP/IP sockets") {
            return Answer::PortTaken;
        }
    }
    Answer::None
}
