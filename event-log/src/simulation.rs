//! A seeded simulation: the writers and relays of several processes, and their clients, against
//! models of PostgreSQL and `JetStream`. Connections break before, during and after whatever is
//! done over them, servers act long after they were given up, crash and come back with less,
//! processes are stopped and killed anywhere. CONTRIBUTING.md says how to live a life again.

mod backend;
mod client;
mod execution;
mod jetstream;
mod node;
mod postgres;
mod session;
mod troubles;

use std::time::Duration;

use kontor_tests::simulation::{World, live_again, live_many};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use self::{
    client::{Client, Given},
    jetstream::JetStream,
    node::Node,
    postgres::Postgres,
};

/// For how long things go wrong, at most, in milliseconds.
const TROUBLE: u64 = 30_000;
/// Within which time everybody must be served once nothing goes wrong any more.
const BOUND: Duration = Duration::from_mins(3);

#[test]
fn what_is_acknowledged_is_recorded_once_and_published_in_order() {
    live_many(life);
}

#[test]
fn a_seed_can_be_lived_again() {
    live_again(life);
}

async fn life(world: World) {
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
    settle(&postgres, &jetstream).await;
    // Also what was given by clients who did not wait for an answer.
    let idle = timeout(BOUND, async {
        while !nodes.iter().all(Node::is_idle) {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert!(idle.await.is_ok(), "a state or a turn is left over");
    let (published, _) = jetstream.agrees();
    // What is still on its way arrives, with nobody there to mend it: the stream stays as it is.
    // Even a commit may arrive, of a command whose client got no answer or asked again elsewhere.
    nodes.iter().for_each(Node::kill);
    sleep(Duration::from_secs(40)).await;
    client::judge(&postgres, &given);
    assert_eq!(jetstream.agrees(), (published, true), "not the log any more");
    operator.abort();
    nodes.iter().for_each(Node::start);
    settle(&postgres, &jetstream).await;
    if world.bool(0.5) && !postgres.tables().events.is_empty() {
        lose_end(&world, &postgres, &jetstream, &nodes).await;
    }
}

/// A standby without the last commits takes over from PostgreSQL. What was published is not
/// touched, and nobody builds on the loss for long.
async fn lose_end(world: &World, postgres: &Postgres, jetstream: &JetStream, nodes: &[Node]) {
    // Not everybody hears of the last commits by himself.
    Client::new(postgres, nodes).run().await;
    settle(postgres, jetstream).await;
    world.pass(10_000).await;
    let published = postgres.tables().events.clone();
    postgres.fail_over();
    let mut clients = JoinSet::new();
    for _ in 0..world.number(0..=3) {
        clients.spawn(Client::new(postgres, nodes).press());
    }
    clients.join_all().await;
    sleep(BOUND).await;
    assert!(jetstream.holds(&published), "the stream is continued with another history");
    let halted = |node: &Node| node.is_halted() || !node.relays();
    assert!(nodes.iter().all(halted), "nobody calls for help");
    // Somebody decides for what the log has.
    jetstream.delete();
    settle(postgres, jetstream).await;
}

/// Waits until all of the log is published.
async fn settle(postgres: &Postgres, jetstream: &JetStream) {
    let published = timeout(BOUND, async {
        while jetstream.agrees() != (postgres.tables().events.len(), true) {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert!(published.await.is_ok(), "the stream does not become the log");
}
