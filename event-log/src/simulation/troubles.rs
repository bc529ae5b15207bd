//! What befalls servers and processes, and the operator who mends what nobody else may.

use std::time::Duration;

use kontor_tests::note;
use tokio::time::sleep;

use super::{jetstream::JetStream, node::Node, postgres::Postgres};

/// Injects failures until it is cancelled.
pub(super) async fn make(postgres: Postgres, jetstream: JetStream, nodes: Vec<Node>) {
    let world = postgres.world.clone();
    loop {
        world.pass(3_000).await;
        if world.strikes(1.0) {
            let node = world.index(nodes.len());
            tokio::spawn(befall(postgres.clone(), jetstream.clone(), nodes[node].clone()));
        }
    }
}

async fn befall(postgres: Postgres, jetstream: JetStream, node: Node) {
    let world = postgres.world.clone();
    match world.number(0..=11) {
        0 => {
            node.stop();
            world.pass(20_000).await;
            node.go_on();
        }
        1 => {
            node.kill();
            world.pass(3_000).await;
            node.start();
        }
        2 | 10 | 11 => postgres.terminate_one(),
        3 => {
            note!(world, "PostgreSQL crashes");
            postgres.crash();
            world.pass(8_000).await;
            postgres.start();
        }
        4 => {
            note!(world, "PostgreSQL is stopped");
            postgres.gate().close();
            world.pass(25_000).await;
            postgres.gate().open();
        }
        5 => {
            note!(world, "JetStream crashes");
            jetstream.crash();
            world.pass(8_000).await;
            jetstream.start();
        }
        6 => jetstream.truncate(),
        7 => {
            note!(world, "the stream is deleted");
            jetstream.delete();
        }
        8 => jetstream.damage(),
        _ => jetstream.intrude(),
    }
}

/// Sets everything going again; from now on nothing goes wrong.
pub(super) fn end(postgres: &Postgres, jetstream: &JetStream, nodes: &[Node]) {
    note!(postgres.world, "the troubles end");
    postgres.world.calm();
    postgres.start();
    postgres.gate().open();
    jetstream.start();
    for node in nodes {
        node.start();
        node.go_on();
    }
}

/// Deletes a stream that is not the history, once a relay has called for it.
pub(super) async fn mend(jetstream: JetStream, nodes: Vec<Node>) {
    loop {
        sleep(Duration::from_secs(1)).await;
        if nodes.iter().any(Node::is_halted) && !jetstream.agrees().1 {
            jetstream.delete();
        }
    }
}
