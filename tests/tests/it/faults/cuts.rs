//! Connections to PostgreSQL that are cut during COMMIT.

use kontor::servers::Durability;
use kontor_tests::{
    torture,
    wire::{Break, Wire},
};
use rand::{RngExt, seq::IndexedRandom};

use super::{load::Load, site::Site, sound::check_sound};
use crate::instance::Setting;

/// Commands, read models and policies all commit over the wire. Whoever asks again under the same
/// key gets the one outcome. (The wire runs while the test waits for a `kontor log verify`.)
#[tokio::test(flavor = "multi_thread")]
async fn fault_commits_are_cut_under_load() {
    let mut site = Site::empty(Durability::Durable).await;
    let wire = Wire::to(&site.database_url()).await;
    site.open_instance(wire.url.clone(), Setting::default()).await;
    let load = Load::start(&site.instances).await;
    let mut chance = torture::chance();
    for _ in 0..torture::rounds(30, 1_000) {
        load.goes_on(chance.random_range(0..5)).await;
        wire.arm(*Break::CUTS.choose(&mut chance).unwrap());
        wire.until_broken().await;
    }
    load.goes_on(50).await;
    check_sound(load, &site.instances[0]).await;
}
