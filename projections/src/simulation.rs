//! A seeded simulation: the runners of several processes keep one read model up with a growing log,
//! in a model of a database that crashes and takes back its last commits, while connections break
//! and processes are stopped and killed anywhere, past events that no build can read yet, and while
//! newer builds take the read model over. Some of the processes keep it up and others do not, which changes; and
//! about half of the events do not concern it.
//! CONTRIBUTING.md says how to live a life again.

mod database;
mod history;

use std::{sync::Arc, sync::Mutex, time::Duration};

use event_log::Position;
use kontor_tests::{
    note,
    simulation::{Process, World, live_again, live_many},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use self::{
    database::Model,
    history::{FATAL, History, OTHER, POISON, THING},
};
use crate::{
    Projection, State, Status, checkpoints::Checkpoints, follower::Follower, progress::Progress,
};

/// For how long things go wrong, at most, in milliseconds.
const TROUBLE: u64 = 30_000;
/// Within which time the read model must be where it can be, once nothing goes wrong any more.
const BOUND: Duration = Duration::from_mins(1);

const THINGS: Projection = Projection {
    name: "things",
    schema: "",
    tables: &[],
    reads: &[THING],
    aside: |event| (event.event_type != FATAL).then_some(event.stream_id),
    apply: |_, _| Vec::new(),
    build: 1,
};

#[test]
fn what_is_shown_is_always_a_fold_of_the_log() {
    live_many(life);
}

#[test]
fn a_seed_can_be_lived_again() {
    live_again(life);
}

async fn life(world: World) {
    let history = History::new(world.clone());
    let model = Model::new(history.clone());
    let runners: Vec<Runner> =
        (0..world.number(1..=3)).map(|_| Runner::new(&model, &history)).collect();
    let writing = tokio::spawn(write(history.clone()));
    let troubles = tokio::spawn(make_trouble(model.clone(), runners.clone(), world.clone()));
    world.pass(TROUBLE).await;
    writing.abort();
    troubles.abort();
    // With it end those troubles that have begun: a build that took over after the last one would have nobody
    // who runs it.
    let _ = troubles.await;
    note!(world, "the troubles end");
    world.calm();
    model.start();
    for runner in &runners {
        runner.start(&model, &history);
        runner.go_on();
    }
    // The build that came last goes on; somebody must run it.
    runners[0].replace(&model, &history).await;
    runners[0].leads.send_replace(true);
    if let Some(first) = history.first(FATAL) {
        let before = Position(first.0 - 1);
        settle(&model, &runners, before, true, "does not stop before the poison").await;
        // A crash may have taken the word of it back; a stopped runner says it again.
        let reported = timeout(BOUND, async {
            while !model.failures().contains(&first) {
                sleep(Duration::from_millis(500)).await;
            }
        });
        assert!(reported.await.is_ok(), "nobody hears of the poison at {first}");
        model.mend();
    }
    settle(&model, &runners, history.head(), false, "does not catch up").await;
    // Nothing new will happen that could tell the runners.
    model.crash();
    model.start();
    settle(&model, &runners, history.head(), false, "does not notice what a crash took back").await;
}

/// Waits until the read model shows a position, and every runner of the build that came last says so;
/// those of others say that they wait.
async fn settle(model: &Model, runners: &[Runner], at: Position, stopped: bool, else_it: &str) {
    let said = |(build, status): (u64, Status)| match status.state {
        State::OtherBuild => build != model.build(),
        State::Following => build == model.build() && status.position == at && !stopped,
        State::Stopped { .. } => build == model.build() && status.position == at && stopped,
    };
    let settled = timeout(BOUND, async {
        while model.shown().checkpoint != at || !runners.iter().all(|runner| said(runner.status()))
        {
            sleep(Duration::from_millis(500)).await;
        }
    });
    assert!(settled.await.is_ok(), "the read model {else_it}");
}

async fn write(history: History) {
    let poisoned = history.world.strikes(0.5);
    loop {
        history.world.pass(1_000).await;
        for _ in 0..history.world.number(1..=4) {
            if history.world.bool(0.5) {
                history.append(OTHER, "other.happened");
                continue;
            }
            let event_type = match poisoned && history.world.strikes(0.1) {
                true if history.world.bool(0.3) => FATAL,
                true => POISON,
                false => "thing.happened",
            };
            history.append(THING, event_type);
        }
    }
}

async fn make_trouble(model: Model, runners: Vec<Runner>, world: World) {
    let history = runners[0].history.clone();
    let mut begun = JoinSet::new();
    loop {
        world.pass(3_000).await;
        if !world.strikes(1.0) {
            continue;
        }
        let (model, history) = (model.clone(), history.clone());
        let (world, runner) = (world.clone(), runners[world.index(runners.len())].clone());
        begun.spawn(async move {
            match world.number(0..=4) {
                0 => {
                    runner.stop();
                    world.pass(15_000).await;
                    runner.go_on();
                }
                1 => {
                    runner.kill();
                    world.pass(3_000).await;
                    runner.start(&model, &history);
                }
                2 => runner.replace(&model, &history).await,
                3 => runner.lead_or_not(),
                _ => {
                    model.crash();
                    world.pass(5_000).await;
                    model.start();
                }
            }
        });
    }
}

/// A process that keeps the read model up, or is started again to do so. Cheap to clone.
#[derive(Clone)]
struct Runner {
    history: History,
    running: Arc<Mutex<Option<Running>>>,
    /// Whether it keeps the read model up; now and then several do, or nobody.
    leads: watch::Sender<bool>,
}

type Running = (Process, u64, watch::Receiver<Status>);

impl Runner {
    fn new(model: &Model, history: &History) -> Self {
        let leads = watch::Sender::new(history.world.bool(0.7));
        let runner = Self { history: history.clone(), running: Arc::default(), leads };
        runner.start(model, history);
        runner
    }

    /// Starts the process where the read model is, unless it runs.
    fn start(&self, model: &Model, history: &History) {
        self.running.lock().unwrap().get_or_insert_with(|| {
            let things = Projection { build: model.build(), ..THINGS };
            let progress = Arc::new(Progress::new(things, model.shown().checkpoint));
            let (said, skipped) = (progress.status(), Arc::new(Notify::new()));
            let checkpoints = Checkpoints {
                database: model.clone(),
                progress: vec![progress.clone()],
                skipped: skipped.clone(),
            };
            let (log, database) = (history.reader(), model.clone());
            let leads = self.leads.subscribe();
            let follower = Follower { log, database, progress, leads, skipped };
            let process = Process::default();
            process.spawn(follower.run());
            process.spawn(async move { checkpoints.keep().await });
            (process, things.build, said)
        });
    }

    /// Starts the process of a newer build, which rebuilds the read model first.
    async fn replace(&self, model: &Model, history: &History) {
        let row = model.row().await;
        self.kill();
        model.take_over();
        drop(row);
        self.start(model, history);
    }

    fn lead_or_not(&self) {
        let leads = self.history.world.bool(0.5);
        note!(self.history.world, "a runner leads: {leads}");
        self.leads.send_replace(leads);
    }

    fn kill(&self) {
        if let Some((process, ..)) = self.running.lock().unwrap().take() {
            note!(self.history.world, "a runner is killed");
            process.kill();
        }
    }

    fn stop(&self) {
        if let Some((process, ..)) = &*self.running.lock().unwrap() {
            note!(self.history.world, "a runner is stopped");
            process.stop();
        }
    }

    fn go_on(&self) {
        if let Some((process, ..)) = &*self.running.lock().unwrap() {
            process.go_on();
        }
    }

    fn status(&self) -> (u64, Status) {
        let running = self.running.lock().unwrap();
        let (_, build, said) = running.as_ref().expect("every process runs once the troubles end");
        (*build, said.borrow().clone())
    }
}
