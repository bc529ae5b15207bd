//! A clock that jumps.

use std::path::{Path, PathBuf};

use kontor::servers::Durability;
use kontor_tests::torture;
use rand::{RngExt, seq::IndexedRandom};

use super::{load::Load, site::Site, sound::check_sound};
use crate::instance::{Setting, directory};

/// Of the package libfaketime; lets a process see another time than the kernel's.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

const WENT_BACK: &str = "
    SELECT count(*) FROM log.events AS before JOIN log.events AS after
        ON after.position = before.position + 1
    WHERE after.recorded_at < before.recorded_at";

/// Each process believes another time, which jumps forwards and backwards: commands go on, and
/// recorded times never go back, whoever writes.
#[tokio::test]
#[ignore = "needs libfaketime; scripts/ignored-tests looks for it"]
async fn fault_the_clock_jumps_under_load() {
    let library = library().expect("apt-get install libfaketime");
    let times = directory();
    let clocks = [times.path().join("one"), times.path().join("other")];
    let mut site = Site::empty(Durability::ThrowAway).await;
    for clock in &clocks {
        set(clock, 0);
        let environment = vec![
            ("LD_PRELOAD", library.to_str().unwrap().to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap().to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        site.open_instance(site.database_url(), Setting { environment, ..Setting::default() })
            .await;
    }
    let load = Load::start(&site.instances).await;
    let mut chance = torture::chance();
    for _ in 0..torture::rounds(6, 100) {
        load.goes_on(15).await;
        let jump = [-40 * DAY, -HOUR, -1, 0, HOUR, 40 * DAY].choose(&mut chance);
        set(&clocks[chance.random_range(0..2)], *jump.unwrap());
    }
    load.goes_on(15).await;
    let went_back = site.database().await.query_one(WENT_BACK, &[]).await.unwrap();
    assert_eq!(went_back.get::<_, i64>(0), 0);
    check_sound(load, &site.instances[0]).await;
}

/// What the clock of a process is ahead of the kernel's, in seconds.
fn set(clock: &Path, seconds: i64) {
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("{seconds:+}")).unwrap();
    std::fs::rename(new, clock).unwrap();
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join(LIBRARY)).find(|library| library.exists())
}
