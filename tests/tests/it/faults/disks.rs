//! Full disks, and disks with space again.

use std::{
    io::Write,
    path::{Path, PathBuf},
    slice,
};

use kontor_tests::torture;
use serde_json::json;

use super::{load::Load, sound::check_sound};
use crate::instance::{Instance, Setting, directory, eventually};

/// Mounts a small disk at `$1`/small for the process and its children alone, and puts the folder
/// `$1`/`$2`, if it is there yet, on it. What follows is run.
const ON_A_SMALL_DISK: &str = r#"
    small=$1/small folder=$1/$2
    shift 2
    mkdir -p "$small"
    mount -t tmpfs -o size=80m,mode=711 tmpfs "$small"
    if [ -d "$folder" ]; then
        cp -a "$folder" "$small/folder"
        mount --bind "$small/folder" "$folder"
    fi
    exec "$@"
"#;

/// The write-ahead log has no room: PostgreSQL ends, is started again, and ends again. Commands are
/// answered 503, and go through once there is room.
#[tokio::test]
#[ignore = "only root may mount a small disk; scripts/ignored-tests tries it"]
async fn fault_the_disk_under_postgres_is_full() {
    let mut instance = Instance::on_a_small_disk("postgres/pg_wal").await;
    let load = Load::start(slice::from_ref(&instance)).await;
    load.goes_on(30).await;
    let filler = instance.fill_the_disk();
    let database = instance.database().await;
    eventually("PostgreSQL runs out of room", async || {
        database.execute("SELECT pg_switch_wal()", &[]).await.is_err().then_some(())
    })
    .await;
    eventually("commands are refused", async || {
        let body = json!({ "sku": "FULL", "name": "Full", "unit": "piece", "vat_rate": "23" });
        let answer = instance.post("admin", "/v1/products", &body).await;
        assert!([422, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 503).then_some(())
    })
    .await;
    let ready = instance.get("admin", "/health/ready").await;
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(instance.says("postgres", "PANIC"), "it has run out of room");
    std::fs::remove_file(filler).unwrap();
    load.goes_on(100).await;
    check_sound(load, &instance).await;
    instance.stop();
}

/// The stream has no room: commands and queries go on, and it catches up once there is room.
#[tokio::test]
#[ignore = "only root may mount a small disk; scripts/ignored-tests tries it"]
async fn fault_the_disk_under_nats_is_full() {
    let mut instance = Instance::on_a_small_disk("nats/store").await;
    let load = Load::start(slice::from_ref(&instance)).await;
    load.goes_on(30).await;
    instance.wait_for_part("stream", "ok").await;
    let filler = instance.fill_the_disk();
    instance.wait_for_part("stream", "degraded").await;
    load.goes_on(torture::rounds(100, 3_000)).await;
    std::fs::remove_file(filler).unwrap();
    instance.wait_for_part("stream", "ok").await;
    check_sound(load, &instance).await;
    instance.stop();
}

impl Instance {
    /// An instance with one of its folders on a disk of 80 MB.
    async fn on_a_small_disk(folder: &str) -> Self {
        let own = ["unshare", "--mount", "--propagation", "private"];
        let directory = directory();
        let path = directory.path().to_str().unwrap();
        let script = ["sh", "-e", "-c", ON_A_SMALL_DISK, "sh", path, folder];
        let through = own.iter().chain(&script).map(|&word| word.to_owned()).collect();
        let mut instance =
            Self::start_in(directory, Setting { through, ..Setting::default() }).await;
        // Now that there is such a folder.
        instance.stop();
        instance.start_again().await;
        instance
    }

    /// Whether the log of one of its servers has a line with these words.
    fn says(&self, server: &str, words: &str) -> bool {
        let log = self.directory().join("log").join(server).with_extension("log");
        std::fs::read_to_string(log).unwrap().contains(words)
    }

    /// Takes all that is left; says which file does.
    fn fill_the_disk(&self) -> PathBuf {
        let pid = &self.run_file()["pid"];
        let small = self.directory().join("small");
        let seen_by_it = Path::new("/proc").join(pid.to_string()).join("root");
        let filler = seen_by_it.join(small.strip_prefix("/").unwrap()).join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write_all(&[1; 4_096]).is_ok() {}
        filler
    }
}
