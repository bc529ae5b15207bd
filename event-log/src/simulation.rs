//! A seeded simulation: the writers and relays of several processes, and their clients, against
//! models of PostgreSQL and `JetStream`. Connections break before, during and after whatever is
//! done over them, servers act long after they were given up, crash and come back with less,
//! processes are stopped and killed anywhere.
//!
//! Time is virtual and all chance comes from one seed, so a seed is a whole life and can be lived
//! again: `KONTOR_SIMULATION_SEED=… cargo nextest run -p kontor-event-log simulation`.
//! `KONTOR_SIMULATION_SEEDS` says how many lives a run lives, from that seed or a random one on.

mod backend;
mod client;
mod jetstream;
mod node;
mod postgres;
mod session;
mod troubles;
mod world;

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use self::{
    client::{Client, Given},
    jetstream::JetStream,
    node::Node,
    postgres::Postgres,
    world::World,
};

/// How many lives an ordinary run lives.
const LIVES: u64 = 1_000;
/// For how long things go wrong, at most, in milliseconds.
const TROUBLE: u64 = 30_000;
/// Within which time everybody must be served once nothing goes wrong any more.
const BOUND: Duration = Duration::from_secs(180);

#[test]
fn what_is_acknowledged_is_recorded_once_and_published_in_order() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("KONTOR_SIMULATION_SEED");
    let lives = number("KONTOR_SIMULATION_SEEDS").unwrap_or(seed.map_or(LIVES, |_| 1));
    let first = seed.unwrap_or_else(|| rand::random::<u64>() >> 1);
    let seeds = first..first + lives;
    println!("seeds {seeds:?}");
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let seed = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds.end);
        while let Some(seed) = seed() {
            if let Err(wrong) = live(seed, false) {
                next.store(seeds.end, Ordering::Relaxed);
                let _ = live(seed, true);
                panic!("{wrong}\nlive it again with KONTOR_SIMULATION_SEED={seed}");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}

/// The same seed is the same life.
#[test]
fn a_seed_can_be_lived_again() {
    for seed in 0..50 {
        assert_eq!(live(seed, false).unwrap(), live(seed, false).unwrap(), "seed {seed}");
    }
}

/// Lives a life and judges it: says what happened, as a digest, or what went wrong first.
fn live(seed: u64, told: bool) -> Result<u64, String> {
    listen();
    WRONG.replace(Some(Vec::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let lived = catch_unwind(AssertUnwindSafe(|| runtime.block_on(life(World::new(seed, told)))));
    drop(runtime);
    match (WRONG.take().unwrap_or_default().into_iter().next(), lived) {
        (None, Ok(trace)) => Ok(trace),
        (wrong, _) => Err(wrong.unwrap_or_default()),
    }
}

async fn life(world: World) -> u64 {
    let postgres = Postgres::new(world.clone());
    let jetstream = JetStream::new(world.clone(), postgres.clone());
    let processes = usize::try_from(world.number(1..=3)).unwrap();
    let nodes: Vec<Node> =
        (0..processes).map(|number| Node::new(number, &postgres, &jetstream)).collect();
    let mut clients = JoinSet::new();
    for _ in 0..world.number(1..=8) {
        clients.spawn(Client::new(&postgres, &nodes).run());
    }
    let operator = tokio::spawn(troubles::mend(jetstream.clone(), nodes.clone()));
    let troubles = tokio::spawn(troubles::make(postgres.clone(), jetstream.clone(), nodes.clone()));
    world.pass(TROUBLE).await;
    troubles.abort();
    troubles::end(&postgres, &jetstream, &nodes);
    let mut given: Vec<Given> = Vec::new();
    let served = timeout(BOUND, async {
        while let Some(ended) = clients.join_next().await {
            given.extend(ended.expect("a client fails"));
        }
    });
    assert!(served.await.is_ok(), "somebody waits for ever");
    let published = timeout(BOUND, async {
        while jetstream.agrees() != (postgres.tables().events.len(), true) {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert!(published.await.is_ok(), "the stream does not become the log");
    // What is still on its way arrives, with nobody there to mend it, and changes nothing.
    nodes.iter().for_each(Node::kill);
    sleep(Duration::from_secs(40)).await;
    client::judge(&postgres, &given);
    assert_eq!(jetstream.agrees(), (postgres.tables().events.len(), true), "not the log any more");
    operator.abort();
    world.trace()
}

thread_local! {
    /// What went wrong in the life of this thread, in whichever task; `None` outside of a life.
    static WRONG: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Hears every panic of a life: the writer survives its own.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let heard = WRONG.with_borrow_mut(|wrong| {
                wrong.as_mut().map(|wrong| wrong.push(panic.to_string())).is_some()
            });
            if !heard {
                usual(panic);
            }
        }));
    });
}
