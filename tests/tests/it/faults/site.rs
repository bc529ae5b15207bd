//! One PostgreSQL, one NATS, and any number of instances on them.

use std::path::Path;

use kontor::servers::{Directory, Durability, Servers};
use kontor_tests::torture;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio_postgres::{Client, NoTls};

use crate::instance::{Instance, Setting, directory, eventually};

/// Servers that the test runs itself, so that the instances can be killed without them and they
/// without the instances. Like those of `kontor up`, they are started again when they end.
pub(crate) struct Site {
    // Order matters: instances close before their servers do.
    pub(crate) instances: Vec<Instance>,
    servers: Servers,
    directory: tempfile::TempDir,
}

impl Site {
    /// Servers without an instance.
    pub(crate) async fn empty(durability: Durability) -> Self {
        let directory = directory();
        let lock = Directory::open(directory.path()).unwrap();
        let servers = Servers::start(lock, durability).await.unwrap();
        Self { instances: Vec::new(), servers, directory }
    }

    /// Instances on servers that are quick, which nobody but a loss of power, or the end of
    /// PostgreSQL itself, could tell from those that lose nothing; the long form takes the latter.
    pub(crate) async fn with_instances(count: usize) -> Self {
        let durability =
            if torture::is_long() { Durability::Durable } else { Durability::ThrowAway };
        Self::of(durability, count).await
    }

    /// Instances on servers that lose nothing.
    pub(crate) async fn durable_with_instances(count: usize) -> Self {
        Self::of(Durability::Durable, count).await
    }

    async fn of(durability: Durability, count: usize) -> Self {
        let mut site = Self::empty(durability).await;
        for _ in 0..count {
            site.open_instance(site.database_url(), Setting::default()).await;
        }
        site
    }

    /// Opens an instance that reaches PostgreSQL by a URL. All instances know the keys of the first.
    pub(crate) async fn open_instance(&mut self, database_url: String, setting: Setting) {
        let servers = Some([database_url, self.servers.nats_url().to_owned()]);
        let mut instance = Instance::start_in(directory(), Setting { servers, ..setting }).await;
        if let Some(first) = self.instances.first() {
            instance.show_keys_of(first);
        }
        self.instances.push(instance);
    }

    pub(crate) fn database_url(&self) -> String {
        self.servers.database_url().to_owned()
    }

    /// A connection as the superuser, past every instance.
    pub(crate) async fn database(&self) -> Client {
        let (client, connection) =
            tokio_postgres::connect(&self.database_url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// A connection to NATS as its administrator.
    pub(crate) async fn nats(&self) -> async_nats::Client {
        eventually("NATS answers", async || {
            kontor::nats::connect(self.servers.nats_url()).await.ok()
        })
        .await
    }

    /// Kills PostgreSQL's first process and waits until there is another.
    pub(crate) async fn kill_postgres(&self) {
        restarted(|| self.servers.postgres_pid()).await;
    }

    /// Kills nats-server and waits until there is another.
    pub(crate) async fn kill_nats(&self) {
        restarted(|| self.servers.nats_pid()).await;
    }

    pub(crate) fn signal_nats(&self, signal: Signal) {
        send(self.servers.nats_pid().unwrap(), signal);
    }

    /// Takes nats-server away, does something to its files, and lets it come back.
    pub(crate) async fn without_nats(&self, act: impl FnOnce(&Path)) {
        let home = self.directory.path().join("nats");
        let (configuration, aside) = (home.join("nats.conf"), home.join("nats.aside"));
        // Without it, it ends as often as it is started again.
        std::fs::rename(&configuration, &aside).unwrap();
        let pid = eventually("nats-server runs", async || self.servers.nats_pid()).await;
        send(pid, Signal::SIGTERM);
        eventually("nats-server has ended", async || {
            (self.servers.nats_pid() != Some(pid)).then_some(())
        })
        .await;
        act(&home);
        std::fs::rename(&aside, &configuration).unwrap();
    }
}

/// Kills a process and waits until its successor runs.
async fn restarted(pid: impl Fn() -> Option<u32>) {
    let killed = eventually("the server runs", async || pid()).await;
    send(killed, Signal::SIGKILL);
    eventually("the server is started again", async || pid().filter(|now| *now != killed)).await;
}

/// Sends a signal to a process.
pub(crate) fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
}
