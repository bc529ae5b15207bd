//! Private servers survive what happens to them: restarts, kill -9, a second start.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use kontor::servers::{Directory, Durability, Error, Servers};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::NoTls;

/// Generous: a machine of two cores runs other tests beside.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_second_start_continues_with_the_same_data() {
    let home = home();
    let servers = start(home.path()).await;
    remember(servers.database_url(), 42).await;
    let jetstream = jetstream(servers.nats_url()).await;
    jetstream
        .create_stream(async_nats::jetstream::stream::Config {
            name: "kept".into(),
            subjects: vec!["kept".into()],
            ..Default::default()
        })
        .await
        .unwrap();
    jetstream.publish("kept", "42".into()).await.unwrap().await.unwrap();
    servers.stop();

    let servers = start(home.path()).await;
    assert_eq!(remembered(servers.database_url()).await, 42);
    let mut kept = self::jetstream(servers.nats_url()).await.get_stream("kept").await.unwrap();
    assert_eq!(kept.info().await.unwrap().state.messages, 1);
}

#[tokio::test]
async fn a_second_instance_in_the_same_directory_is_refused() {
    let home = home();
    let _servers = start(home.path()).await;
    let refused = Directory::open(home.path());
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
}

#[tokio::test]
async fn fault_killed_servers_come_back_on_their_ports() {
    let home = home();
    let servers = start(home.path()).await;
    remember(servers.database_url(), 7).await;
    let killed = [servers.postgres_pid().unwrap(), servers.nats_pid().unwrap()];
    for pid in killed {
        kill_9(pid);
    }
    assert_eq!(eventually_remembered(servers.database_url()).await, 7);
    let started = Instant::now();
    while kontor::nats::connect(servers.nats_url()).await.is_err() {
        assert!(started.elapsed() < PATIENCE, "nats-server did not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_ne!([servers.postgres_pid().unwrap(), servers.nats_pid().unwrap()], killed);
}

#[tokio::test]
async fn fault_kill_9_of_kontor_leaves_nothing_that_stops_the_next_start() {
    let home = home();
    let first = Kontor::start(home.path());
    remember(&first.database_url, 9).await;
    let mut orphans = children(first.process.id());
    assert_eq!(orphans.len(), 3, "PostgreSQL, nats-server and the command: {orphans:?}");
    kill_9(first.process.id());

    let second = Kontor::start(home.path());
    assert_eq!(remembered(&second.database_url).await, 9);
    drop(first);
    let started = Instant::now();
    while !orphans.is_empty() {
        assert!(started.elapsed() < PATIENCE, "still running: {orphans:?}");
        orphans.retain(|pid| is_running(*pid));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn the_exit_code_of_the_command_is_passed_on() {
    for (script, expected) in [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)] {
        let status = kontor().args(["servers", "--", "sh", "-c", script]).status().unwrap();
        assert_eq!(status.code(), Some(expected), "{script}");
    }
}

/// `kontor servers` beside a shell that runs until its standard input closes.
struct Kontor {
    process: Child,
    _stdin: ChildStdin,
    database_url: String,
}

impl Kontor {
    fn start(home: &Path) -> Self {
        let script = "echo $KONTOR_TEST_DATABASE_URL; cat";
        let mut process = kontor()
            .args(["servers", "--durable", "--dir"])
            .arg(home)
            .args(["--", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let mut database_url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut database_url).unwrap();
        Self { process, _stdin: stdin, database_url: database_url.trim().to_owned() }
    }
}

impl Drop for Kontor {
    fn drop(&mut self) {
        // Ends at once when it was killed already; else as a service manager ends it.
        if self.process.try_wait().unwrap().is_none() {
            signal(self.process.id(), Signal::SIGTERM);
        }
        self.process.wait().unwrap();
    }
}

fn kontor() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kontor"))
}

fn home() -> tempfile::TempDir {
    tempfile::Builder::new()
        // PostgreSQL runs as another user when the tests run as root.
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o711))
        .tempdir()
        .unwrap()
}

async fn start(home: &Path) -> Servers {
    Servers::start(Directory::open(home).unwrap(), Durability::Durable).await.unwrap()
}

async fn jetstream(url: &str) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(kontor::nats::connect(url).await.unwrap())
}

async fn remember(url: &str, number: i32) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE TABLE kept AS SELECT {number} AS number")).await.unwrap();
}

async fn remembered(url: &str) -> i32 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query_one("SELECT number FROM kept", &[]).await.unwrap().get(0)
}

async fn eventually_remembered(url: &str) -> i32 {
    let started = Instant::now();
    while tokio_postgres::connect(url, NoTls).await.is_err() {
        assert!(started.elapsed() < PATIENCE, "PostgreSQL did not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    remembered(url).await
}

/// The process ids of a process's children.
fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .flat_map(|task| {
            let text = std::fs::read_to_string(task.unwrap().path().join("children")).unwrap();
            text.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>()
        })
        .collect()
}

/// False for a zombie too: nobody has reaped it yet, but it holds nothing any more.
fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn kill_9(pid: u32) {
    signal(pid, Signal::SIGKILL);
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}
