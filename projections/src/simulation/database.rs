//! A model of the database of a read model: commits that are not on disk at once, connections that
//! break, transactions that end long after their client.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use deadpool_postgres::PoolError;
use event_log::{Position, RecordedEvent};
use kontor_tests::{note, simulation::World};
use tokio::{
    sync::{OwnedMutexGuard, oneshot},
    time::{Duration, sleep},
};
use uuid::Uuid;

use super::history::{FATAL, History, POISON, THING};
use crate::{
    Projection, SetAside,
    applying::Checkpoint,
    checkpoints::Move,
    database::{Connection, Database, Transaction},
    progress::Seen,
    runner::ProjectionError,
};

/// The database. Cheap to clone.
#[derive(Clone)]
pub(super) struct Model {
    world: World,
    history: History,
    state: Arc<Mutex<State>>,
}

struct State {
    /// What queries see is the last; a crash may leave any of them.
    recent: Vec<Shown>,
    failures: BTreeSet<Position>,
    /// The lock of the checkpoint; each start of the server has a new one.
    row: Arc<tokio::sync::Mutex<()>>,
    crashes: u64,
    down: bool,
    /// Whether the build can read everything now.
    mended: bool,
    /// The build that changes the rows.
    build: u64,
}

/// The content of a read model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) checkpoint: Position,
    /// The events that took effect, in order.
    rows: Vec<Uuid>,
    /// The streams that are set aside, each from a position on.
    pub(super) set_aside: BTreeMap<Uuid, Position>,
}

impl Model {
    pub(super) fn new(history: History) -> Self {
        let state = State {
            recent: vec![Shown::default()],
            failures: BTreeSet::new(),
            row: Arc::default(),
            crashes: 0,
            down: false,
            mended: false,
            build: 1,
        };
        Self { world: history.world.clone(), history, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn shown(&self) -> Shown {
        self.state().recent.last().cloned().unwrap()
    }

    pub(super) fn failures(&self) -> BTreeSet<Position> {
        self.state().failures.clone()
    }

    pub(super) fn build(&self) -> u64 {
        self.state().build
    }

    /// Another build has rebuilt the read model; that is on disk, and reads no more than before.
    pub(super) fn take_over(&self) -> u64 {
        let state = &mut *self.state();
        state.recent.drain(..state.recent.len() - 1);
        state.build += 1;
        note!(self.world, "build {} takes over", state.build);
        state.build
    }

    /// The lock of the checkpoint.
    pub(super) async fn row(&self) -> OwnedMutexGuard<()> {
        loop {
            let row = self.state().row.clone();
            let held = row.clone().lock_owned().await;
            // A crash while it waited has released the lock.
            if Arc::ptr_eq(&row, &self.state().row) {
                return held;
            }
        }
    }

    fn checkpoint(&self, shown: &Shown) -> Checkpoint {
        let events = self.history.events();
        let of = |position: Position| &events[usize::try_from(position.0).unwrap() - 1];
        let mut set_aside: Vec<SetAside> = shown
            .set_aside
            .iter()
            .map(|(key, position)| SetAside::of(of(*position), *key, String::new()))
            .collect();
        set_aside.sort_by_key(|aside| aside.position);
        let build = self.build().to_be_bytes().to_vec();
        Checkpoint { position: shown.checkpoint, build, set_aside }
    }

    /// From now on, the build reads every event.
    pub(super) fn mend(&self) {
        self.state().mended = true;
    }

    /// Crashes: ends every transaction and undoes the last commits, which were asynchronous.
    pub(super) fn crash(&self) {
        let state = &mut *self.state();
        let left = 1 + self.world.index(state.recent.len());
        state.recent.truncate(left);
        state.row = Arc::default();
        state.crashes += 1;
        state.down = true;
        let checkpoint = state.recent.last().unwrap().checkpoint;
        note!(self.world, "PostgreSQL crashes and is back at {checkpoint}");
    }

    pub(super) fn start(&self) {
        self.state().down = false;
    }

    /// The way there and back on a connection that was made after so many crashes.
    async fn travel(&self, crashes: u64) -> Result<(), ProjectionError> {
        self.world.pass(4).await;
        let State { down, crashes: present, .. } = *self.state();
        if down || crashes != present || self.world.strikes(0.03) { Err(lost()) } else { Ok(()) }
    }

    /// Commits, unless the server has crashed since. What is shown is always a fold of the log.
    fn apply(&self, staged: Shown, (crashes, build): (u64, u64)) -> bool {
        let state = &mut *self.state();
        if state.down || state.crashes != crashes {
            return false;
        }
        assert_eq!(build, state.build, "a build writes the rows of another");
        let Shown { checkpoint, rows, set_aside } = &staged;
        let events = self.history.events();
        let fold = events
            .iter()
            .take(usize::try_from(checkpoint.0).unwrap())
            .filter(|event| event.stream_type == THING)
            .filter(|event| {
                let aside = set_aside.get(&event.stream_id);
                event.event_type == FATAL || aside.is_none_or(|at| event.position < *at)
            })
            .map(|event| event.event_id);
        assert!(fold.eq(rows.iter().copied()), "what is shown at {checkpoint} is another's fold");
        note!(self.world, "shown up to {checkpoint}");
        state.recent.push(staged);
        if self.world.bool(0.3) {
            // It is on disk.
            state.recent.drain(..state.recent.len() - 1);
        }
        true
    }
}

fn lost() -> ProjectionError {
    PoolError::Closed.into()
}

impl Database for Model {
    type Connection = ModelConnection;

    async fn connect(&self) -> Result<ModelConnection, ProjectionError> {
        let crashes = self.state().crashes;
        self.travel(crashes).await?;
        Ok(ModelConnection { model: self.clone(), crashes })
    }
}

pub(super) struct ModelConnection {
    model: Model,
    crashes: u64,
}

impl Connection for ModelConnection {
    type Transaction<'c> = ModelTransaction;

    async fn begin(&mut self) -> Result<ModelTransaction, ProjectionError> {
        self.model.travel(self.crashes).await?;
        let (model, crashes) = (self.model.clone(), self.crashes);
        let staged = Shown::default();
        Ok(ModelTransaction { model, crashes, build: 0, row: None, staged, savepoint: None })
    }

    async fn checkpoint(&self, _: Projection) -> Result<Option<Checkpoint>, ProjectionError> {
        self.model.travel(self.crashes).await?;
        Ok(Some(self.model.checkpoint(&self.model.shown())))
    }

    async fn checkpoints(&self) -> Result<BTreeMap<String, Seen>, ProjectionError> {
        self.model.travel(self.crashes).await?;
        let checkpoint = self.model.checkpoint(&self.model.shown());
        let sum = checkpoint.set_aside.iter().map(|aside| aside.position.0).sum();
        let next = Position(checkpoint.position.0 + 1);
        let seen = Seen {
            position: checkpoint.position,
            build: checkpoint.build,
            set_aside: (checkpoint.set_aside.len(), sum),
            failure: self.model.failures().contains(&next).then(String::new),
        };
        self.model.travel(self.crashes).await?;
        Ok(BTreeMap::from([("things".to_owned(), seen)]))
    }

    async fn advance(&self, moves: &[Move]) -> Result<Vec<String>, ProjectionError> {
        self.model.travel(self.crashes).await?;
        let [Move { projection, place }] = moves else { panic!("there is one read model") };
        let row = self.model.state().row.clone();
        let Ok(_held) = row.try_lock_owned() else { return Ok(Vec::new()) };
        let shown = self.model.shown();
        let is_there = (place.stored..place.reached).contains(&shown.checkpoint);
        if !is_there || projection.build != self.model.build() {
            return Ok(Vec::new());
        }
        let staged = Shown { checkpoint: place.reached, ..shown };
        if !self.model.apply(staged, (self.crashes, projection.build)) {
            return Err(lost());
        }
        self.model.travel(self.crashes).await?;
        Ok(vec![projection.name.to_owned()])
    }

    async fn record_failure(
        &self,
        _: Projection,
        position: Position,
        _: &str,
    ) -> Result<(), ProjectionError> {
        self.model.travel(self.crashes).await?;
        let place = usize::try_from(position.0).unwrap() - 1;
        let fatal = self.model.history.events()[place].event_type == FATAL;
        assert!(fatal, "event {position} is not to blame");
        self.model.state().failures.insert(position);
        Ok(())
    }
}

/// A transaction and, once it has it, the lock of the checkpoint.
pub(super) struct ModelTransaction {
    model: Model,
    crashes: u64,
    /// Of the process.
    build: u64,
    row: Option<OwnedMutexGuard<()>>,
    staged: Shown,
    savepoint: Option<Shown>,
}

impl Transaction for ModelTransaction {
    async fn lock(
        &mut self,
        projection: Projection,
    ) -> Result<Option<Checkpoint>, ProjectionError> {
        self.model.travel(self.crashes).await?;
        self.row = Some(self.model.row().await);
        self.model.travel(self.crashes).await?;
        self.build = projection.build;
        self.staged = self.model.shown();
        Ok(Some(self.model.checkpoint(&self.staged)))
    }

    async fn apply(
        &mut self,
        _: Projection,
        events: &[&RecordedEvent],
    ) -> Result<Option<Position>, ProjectionError> {
        self.model.travel(self.crashes).await?;
        for event in events {
            let poisonous = [POISON, FATAL].contains(&event.event_type.as_str());
            if poisonous && !self.model.state().mended {
                let position = event.position;
                let source = event.event().expect_err("nobody knows it");
                return Err(ProjectionError::Unreadable { position, source });
            }
            self.staged.rows.push(event.event_id);
        }
        Ok(events.last().map(|event| event.position))
    }

    async fn savepoint(&mut self) -> Result<(), ProjectionError> {
        self.model.travel(self.crashes).await?;
        self.savepoint = Some(self.staged.clone());
        Ok(())
    }

    async fn roll_back(&mut self) -> Result<(), ProjectionError> {
        self.model.travel(self.crashes).await?;
        self.staged = self.savepoint.take().expect("there is a savepoint");
        Ok(())
    }

    async fn release(&mut self) -> Result<(), ProjectionError> {
        self.model.travel(self.crashes).await?;
        self.savepoint = None;
        Ok(())
    }

    async fn set_aside(&mut self, _: Projection, aside: &SetAside) -> Result<(), ProjectionError> {
        self.model.travel(self.crashes).await?;
        let place = usize::try_from(aside.position.0).unwrap() - 1;
        let poisonous = self.model.history.events()[place].event_type == POISON;
        assert!(poisonous, "event {} is not to blame", aside.position);
        let before = self.staged.set_aside.insert(aside.key, aside.position);
        assert_eq!(before, None, "it is set aside already");
        Ok(())
    }

    async fn checkpoint(
        &mut self,
        _: Projection,
        to: Position,
        _: Option<Position>,
    ) -> Result<(), ProjectionError> {
        self.model.travel(self.crashes).await?;
        self.staged.checkpoint = to;
        Ok(())
    }

    /// Whether the client hears of it or not, and whether it is still there or not.
    async fn commit(mut self) -> Result<(), ProjectionError> {
        self.model.travel(self.crashes).await?;
        let (model, crashes) = (self.model.clone(), (self.crashes, self.build));
        let (row, staged) = (self.row.take(), std::mem::take(&mut self.staged));
        let (answer, answered) = oneshot::channel();
        let late = model.world.strikes(0.05);
        let unheard = model.world.strikes(0.05);
        tokio::spawn(async move {
            model.world.pass(if late { 10_000 } else { 3 }).await;
            let applied = model.apply(staged, crashes);
            drop(row);
            if !unheard && !late {
                let _ = answer.send(applied);
            }
        });
        match answered.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(lost()),
        }
    }
}

impl Drop for ModelTransaction {
    /// The server does not always notice at once that its client is gone.
    fn drop(&mut self) {
        let alive = tokio::runtime::Handle::try_current().is_ok();
        if let Some(row) = self.row.take()
            && alive
            && self.model.world.strikes(0.1)
        {
            let notices = Duration::from_secs(self.model.world.number(0..=10));
            tokio::spawn(async move {
                sleep(notices).await;
                drop(row);
            });
        }
    }
}
