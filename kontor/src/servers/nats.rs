//! The private nats-server with JetStream: its configuration and process.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::child::{self, Child, Program};
use super::programs::Programs;
use super::secrets::Secrets;
use super::{Answer, Directory, Durability, Error, READY_WITHIN, free_port, last_lines, log_file};

/// The user of the publisher.
const USER: &str = "kontor";
/// The read-only user.
const READER: &str = "reader";

/// The account of the stream and of its publisher.
const ACCOUNT: &str = "KONTOR";
/// The account of the reader. The server sends replies to any subject that the sender names, so a
/// reader in the account of the stream could direct a reply into the stream.
const READERS: &str = "READERS";

/// The subjects to which a reader may send: stream information, and those needed for consuming. It
/// may not publish, change streams, or delete consumers of others.
const READER_SENDS: [(&str, Answers); 15] = [
    ("$JS.API.INFO", Answers::One),
    ("$JS.API.STREAM.INFO.*", Answers::One),
    ("$JS.API.STREAM.LIST", Answers::One),
    ("$JS.API.STREAM.NAMES", Answers::One),
    ("$JS.API.STREAM.MSG.GET.*", Answers::One),
    ("$JS.API.DIRECT.GET.*", Answers::Many),
    ("$JS.API.DIRECT.GET.*.>", Answers::Many),
    ("$JS.API.CONSUMER.CREATE.*", Answers::One),
    ("$JS.API.CONSUMER.CREATE.*.>", Answers::One),
    ("$JS.API.CONSUMER.DURABLE.CREATE.*.*", Answers::One),
    ("$JS.API.CONSUMER.INFO.*.*", Answers::One),
    ("$JS.API.CONSUMER.MSG.NEXT.*.*", Answers::Many),
    ("$JS.API.CONSUMER.NAMES.*", Answers::One),
    ("$JS.ACK.>", Answers::One),
    ("$JS.FC.>", Answers::One),
];

/// The maximum number of replies to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    One,
    Many,
}

/// The file that stores the port between starts.
const PORT: &str = "port";

/// The number of starts on other ports when the chosen one is taken.
const PORTS_TRIED: usize = 3;

/// A running nats-server.
#[derive(Debug)]
pub(super) struct Nats {
    child: Child,
    port: u16,
    url: String,
    reader_url: Option<String>,
}

impl Nats {
    /// Starts the server and waits until JetStream answers.
    pub(super) async fn start(
        directory: &Directory,
        programs: &Programs,
        secrets: &Secrets,
        durability: Durability,
    ) -> Result<Self, Error> {
        let home = directory.path().join("nats");
        fs::create_dir_all(&home).map_err(Error::file("create", &home))?;
        end_orphan(directory);
        if durability == Durability::Durable {
            move_store(&home)?;
        }
        let log = log_file(directory.path(), "nats");
        let configuration = home.join("nats.conf");
        let mut kept = kept_port(&home);
        for _ in 0..PORTS_TRIED {
            let port = match kept.take() {
                Some(port) => port,
                None => free_port()?,
            };
            let text = configure(&home, port, secrets, durability);
            super::write_private(&configuration, &text)?;
            let child = Child::start(Program {
                name: "nats-server",
                path: programs.nats_server.clone(),
                arguments: vec!["--config".into(), configuration.display().to_string()],
                log: log.clone(),
                user: None,
                end: Signal::SIGTERM,
            })?;
            let at = |user, password| format!("nats://{user}:{password}@127.0.0.1:{port}");
            let (url, reader_url) = match durability {
                Durability::Durable => {
                    (at(USER, &secrets.nats), Some(at(READER, &secrets.nats_reader)))
                }
                // Tests connect without credentials.
                Durability::ThrowAway => (format!("nats://127.0.0.1:{port}"), None),
            };
            match answer(&url, &log).await {
                Answer::Ready => {
                    super::write_private(&home.join(PORT), &port.to_string())?;
                    return Ok(Self { child, port, url, reader_url });
                }
                Answer::PortTaken => {}
                Answer::None => break,
            }
        }
        Err(Error::NotStarted { server: "nats-server", tail: last_lines(&log), log })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the read-only user; `None` if all users may write.
    pub(super) fn reader_url(&self) -> Option<&str> {
        self.reader_url.as_deref()
    }

    pub(super) fn pid(&self) -> child::WatchedPid {
        self.child.watched_pid()
    }
}

/// Ends a nats-server that survived its kontor: two servers on one store would corrupt it.
pub(super) fn end_orphan(directory: &Directory) {
    let home = directory.path().join("nats");
    let pid = fs::read_to_string(home.join("nats.pid")).ok();
    let Some(pid) = pid.and_then(|text| text.trim().parse().ok()) else { return };
    if let Err(error) = child::end_orphan(pid, &home, Signal::SIGTERM) {
        tracing::warn!(%error, "nats-server may refuse to start");
    }
}

/// The port of the last start, so that consumers can reconnect; `None` if another process has it.
fn kept_port(home: &Path) -> Option<u16> {
    let port = fs::read_to_string(home.join(PORT)).ok()?.trim().parse().ok()?;
    match std::net::TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Some(port),
        Err(error) => {
            tracing::warn!(port, %error, "nats-server gets another port than at the last start");
            None
        }
    }
}

fn configure(home: &Path, port: u16, secrets: &Secrets, durability: Durability) -> String {
    // `always`: a message is on disk before it is acknowledged. With the default of two minutes,
    // acknowledged messages are lost on power loss.
    let sync_interval = match durability {
        Durability::Durable => "always",
        Durability::ThrowAway => "2m",
    };
    let accounts = match durability {
        Durability::Durable => accounts(secrets),
        Durability::ThrowAway => String::new(),
    };
    let store = serde_json::json!(home.join("store"));
    let pid_file = serde_json::json!(home.join("nats.pid"));
    format!(
        "server_name: kontor
listen: \"127.0.0.1:{port}\"
pid_file: {pid_file}
max_payload: 8MB
jetstream {{ store_dir: {store}, sync_interval: {sync_interval} }}
{accounts}"
    )
}

/// The relay's account has the stream; the reader's account may send requests to [`READER_SENDS`],
/// and replies stay in the reader's account.
fn accounts(Secrets { nats, nats_reader, .. }: &Secrets) -> String {
    let export = |(subject, answers): (&str, Answers)| {
        let many = if answers == Answers::Many { ", response_type: stream" } else { "" };
        format!("        {{ service: \"{subject}\"{many} }}\n")
    };
    let import = |(subject, _): (&str, Answers)| {
        format!("        {{ service: {{ account: {ACCOUNT}, subject: \"{subject}\" }} }}\n")
    };
    let exports = READER_SENDS.map(export).concat();
    let imports = READER_SENDS.map(import).concat();
    format!(
        "accounts {{
    {ACCOUNT} {{
        jetstream: enabled
        users: [ {{ user: {USER}, password: \"{nats}\" }} ]
        exports: [\n{exports}        ]
    }}
    {READERS} {{
        users: [ {{ user: {READER}, password: \"{nats_reader}\" }} ]
        imports: [\n{imports}        ]
    }}
}}
"
    )
}

/// Earlier builds had no accounts: their stream and its consumers are moved to [`ACCOUNT`].
fn move_store(home: &Path) -> Result<(), Error> {
    let jetstream = home.join("store/jetstream");
    let (before, now) = (jetstream.join("$G"), jetstream.join(ACCOUNT));
    if before.exists() && !now.exists() {
        fs::rename(&before, &now).map_err(Error::file("move", &before))?;
    }
    Ok(())
}

/// Waits until JetStream answers.
async fn answer(url: &str, log: &Path) -> Answer {
    let started = Instant::now();
    let before = fs::metadata(log).map_or(0, |metadata| metadata.len());
    while started.elapsed() < READY_WITHIN {
        if let Ok(client) = crate::nats::connect(url).await
            && async_nats::jetstream::new(client).query_account().await.is_ok()
        {
            return Answer::Ready;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        if super::log_since(log, before).contains("address already in use") {
            return Answer::PortTaken;
        }
    }
    Answer::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_of_earlier_builds_moves_into_the_account_once() {
        let home = tempfile::tempdir().unwrap();
        let jetstream = home.path().join("store/jetstream");
        let stream = |account: &str| jetstream.join(account).join("streams/kontor");
        move_store(home.path()).unwrap();
        assert!(!jetstream.exists(), "a new server has no store to move");

        fs::create_dir_all(stream("$G")).unwrap();
        move_store(home.path()).unwrap();
        assert!(stream(ACCOUNT).exists() && !stream("$G").exists());

        // Files that exist in the account are not overwritten.
        fs::create_dir_all(stream("$G")).unwrap();
        move_store(home.path()).unwrap();
        assert!(stream(ACCOUNT).exists() && stream("$G").exists());
    }
}
