//! A stream that differs from the log: lost, truncated, outdated, or with foreign messages.

use std::{path::Path, process::Command};

use async_nats::jetstream;
use kontor_tests::torture;

use super::{load::Load, site::Site, sound::check_sound};
use crate::instance::eventually;

/// What becomes of the stream.
#[derive(Debug, Clone, Copy)]
enum Mishap {
    /// Restored from a copy that was made earlier.
    Older,
    /// As after a loss of power that a disk has lied about: the last block ends in the middle of
    /// a message. JetStream never uses a sequence again, so the end stays a hole.
    CutOff,
    Deleted,
    /// An administrator publishes a message.
    Foreign,
}

/// What is missing at the end is published again. Where the stream is not the log, the relay halts
/// and never writes over it, everything else goes on, and the way out that the documentation names
/// makes all well again.
#[tokio::test]
async fn fault_the_stream_is_lost_and_tampered_with_under_load() {
    let site = Site::with_instances(torture::rounds(1, 2)).await;
    let load = Load::start(&site.instances).await;
    let mishaps = [Mishap::Deleted, Mishap::Older, Mishap::Foreign, Mishap::CutOff];
    for mishap in mishaps.into_iter().cycle().take(torture::rounds(3, 40)) {
        load.goes_on(30).await;
        eprintln!("the stream: {mishap:?}");
        match mishap {
            Mishap::Older => {
                site.without_nats(|home| copy(&home.join("store"), &home.join("older"))).await;
                load.goes_on(30).await;
                site.instances[0].wait_for_part("stream", "ok").await;
                site.without_nats(|home| {
                    std::fs::remove_dir_all(home.join("store")).unwrap();
                    std::fs::rename(home.join("older"), home.join("store")).unwrap();
                })
                .await;
            }
            Mishap::CutOff => {
                site.without_nats(|home| cut_off(&home.join("store"))).await;
                halted(&site).await;
                assert_not_sound(&site);
                site.instances[0].run(&["log", "discard-stream", "--yes"]);
            }
            Mishap::Deleted => {
                let nats = jetstream::new(site.nats().await);
                nats.delete_stream("kontor").await.unwrap();
            }
            Mishap::Foreign => publish_a_foreign_message(&site, &load).await,
        }
        load.goes_on(30).await;
        for instance in &site.instances {
            instance.wait_for_part("stream", "ok").await;
        }
    }
    check_sound(load, &site.instances[0]).await;
}

async fn publish_a_foreign_message(site: &Site, load: &Load) {
    let jetstream = jetstream::new(site.nats().await);
    let sequence = eventually("there is a stream to publish to", async || {
        let published = jetstream.publish("kontor.-.foreign.message", "{}".into()).await.unwrap();
        published.await.ok().map(|stored| stored.sequence)
    })
    .await;
    halted(site).await;
    load.goes_on(30).await;
    assert_not_sound(site);
    let stream = jetstream.get_stream("kontor").await.unwrap();
    let last = stream.get_info().await.unwrap().state.last_sequence;
    assert_eq!(last, sequence, "nothing is written over it, or behind it");
    site.instances[0].run(&["log", "discard-stream", "--yes"]);
}

/// What health does not call ok, `kontor log verify` does not call sound.
#[track_caller]
fn assert_not_sound(site: &Site) {
    let verified = site.instances[0].command(&["log", "verify"]).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(!verified.status.success() && said.contains("NOT SOUND"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("stream: ")), "{said}");
}

/// Waits until every relay has halted, and says so.
async fn halted(site: &Site) {
    for instance in &site.instances {
        eventually("the relay halts", async || {
            instance.text("/metrics").await.contains("kontor_relay_halted 1").then_some(())
        })
        .await;
        instance.wait_for_part("stream", "degraded").await;
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// Cuts the last bytes off the block that was written last.
fn cut_off(store: &Path) {
    let mut blocks = Vec::new();
    let mut unread = vec![store.to_owned()];
    while let Some(folder) = unread.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                unread.push(entry.path());
            } else if entry.path().extension().is_some_and(|extension| extension == "blk") {
                blocks.push((entry.metadata().unwrap().modified().unwrap(), entry.path()));
            }
        }
    }
    let (_, block) = blocks.into_iter().max().unwrap();
    let file = std::fs::File::options().write(true).open(block).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - length.min(1_000)).unwrap();
}
