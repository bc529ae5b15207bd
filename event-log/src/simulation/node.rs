//! A process with a writer and, perhaps, a relay: what a command-service is to the log.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use kontor_tests::{
    note,
    simulation::{Process, World},
};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use super::{
    execution::{self, Command, Execution},
    jetstream::{JetStream, PREFIX},
    postgres::Postgres,
    session::{ModelLog, ModelSession},
};
use crate::{
    Append, AppendError, Appended,
    cache::Cache,
    pending::Pending,
    relay::{RelayState, RelayStatus, publisher::Publisher},
    suspension::Suspension,
    writer::Writer,
};

/// Enough for some streams, so that now and then one is read again.
const CACHED_BYTES: u64 = 1_500;

/// A place where such a process runs, or is started again. Cheap to clone.
#[derive(Clone)]
pub(super) struct Node {
    number: usize,
    world: World,
    postgres: Postgres,
    jetstream: JetStream,
    relays: bool,
    running: Arc<Mutex<Option<Running>>>,
}

#[derive(Clone)]
struct Running {
    process: Process,
    writer: Writer,
    pending: Arc<Pending>,
    relay: Option<watch::Receiver<RelayStatus>>,
}

impl Node {
    pub(super) fn new(number: usize, postgres: &Postgres, jetstream: &JetStream) -> Self {
        let node = Self {
            number,
            world: postgres.world.clone(),
            postgres: postgres.clone(),
            jetstream: jetstream.clone(),
            // Somebody must.
            relays: number == 0 || postgres.world.bool(0.5),
            running: Arc::default(),
        };
        node.start();
        node
    }

    /// Starts the process, unless it runs.
    pub(super) fn start(&self) {
        self.running.lock().unwrap().get_or_insert_with(|| self.run());
    }

    fn run(&self) -> Running {
        let process = Process::default();
        let suspension = Suspension::none();
        let head = self.postgres.tables().head();
        let server = self.postgres.clone();
        let (writer, task) = Writer::on::<ModelSession>(server, head, suspension.clone());
        process.spawn(task);
        let relay = self.relays.then(|| {
            let (postgres, committed) = (self.postgres.clone(), writer.committed());
            let log = ModelLog { postgres, committed, suspension };
            let server = self.jetstream.clone();
            let publisher = Publisher::<_, JetStream>::new(log, server, PREFIX.to_owned());
            let status = publisher.status();
            process.spawn(async move { publisher.publish_for_ever().await });
            status
        });
        let pending = Pending::new(Cache::new(CACHED_BYTES));
        Running { process, writer, pending, relay }
    }

    pub(super) fn kill(&self) {
        if let Some(running) = self.running.lock().unwrap().take() {
            note!(self.world, "process {} is killed", self.number);
            running.process.kill();
        }
    }

    pub(super) fn stop(&self) {
        if let Some(running) = &*self.running.lock().unwrap() {
            note!(self.world, "process {} is stopped", self.number);
            running.process.stop();
        }
    }

    pub(super) fn go_on(&self) {
        if let Some(running) = &*self.running.lock().unwrap() {
            running.process.go_on();
        }
    }

    /// Whether it has a relay.
    pub(super) fn relays(&self) -> bool {
        self.relays
    }

    /// Whether its relay has called for somebody to look.
    pub(super) fn is_halted(&self) -> bool {
        let running = self.running.lock().unwrap();
        let relay = running.as_ref().and_then(|running| running.relay.as_ref());
        relay.is_some_and(|status| matches!(status.borrow().state, RelayState::Halted { .. }))
    }

    /// Gives the process an append, as a request over a network does. `None` when no answer comes:
    /// what becomes of it is not known.
    pub(super) async fn give(&self, append: Append) -> Option<Result<Appended, AppendError>> {
        let running = self.running.lock().unwrap().clone()?;
        let (answer, answered) = oneshot::channel();
        running.process.spawn(async move {
            let _ = answer.send(running.writer.append(append).await);
        });
        let patience = Duration::from_secs(self.world.number(1..=60));
        let answer = timeout(patience, answered).await.ok()?.ok()?;
        match answer {
            Err(AppendError::Log(_)) => None,
            known => Some(known),
        }
    }

    /// Whether nothing of what it was given is on its way.
    pub(super) fn is_idle(&self) -> bool {
        let running = self.running.lock().unwrap();
        running.as_ref().is_none_or(|running| running.pending.is_idle())
    }

    /// Gives the process a command to carry out. `None` when no answer comes.
    pub(super) async fn execute(&self, command: Command) -> Option<Execution> {
        let Running { process, writer, pending, .. } = self.running.lock().unwrap().clone()?;
        let (world, postgres) = (self.world.clone(), self.postgres.clone());
        let (answer, answered) = oneshot::channel();
        // A client that goes away takes its request with it.
        let leaves = world.strikes(0.1).then(|| world.moment(2_000));
        process.spawn(async move {
            let executed = execution::execute(&world, &postgres, &pending, &writer, &command);
            let executed = match leaves {
                Some(leaves) => timeout(leaves, executed).await.ok(),
                None => Some(executed.await),
            };
            if let Some(executed) = executed {
                let _ = answer.send(executed);
            }
        });
        let patience = Duration::from_secs(self.world.number(1..=60));
        timeout(patience, answered).await.ok()?.ok()
    }
}
