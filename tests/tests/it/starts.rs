//! The output of `kontor up` at its start, and the files it leaves behind.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::instance::{Instance, binary, directory, eventually};

/// A start whose output goes to files, as under a service manager.
struct Started {
    child: Child,
    printed: std::path::PathBuf,
    logged: std::path::PathBuf,
}

impl Started {
    async fn new(home: &Path, name: &str) -> Self {
        let (printed, logged) =
            (home.join(format!("{name}.out")), home.join(format!("{name}.err")));
        let child = Command::new(binary())
            .args(["up", "--no-seed", "--listen", "127.0.0.1:0", "--dir"])
            .arg(home)
            .env_remove("KONTOR_DATABASE_URL")
            .env_remove("KONTOR_NATS_URL")
            .stdin(Stdio::null())
            .stdout(File::create(&printed).unwrap())
            .stderr(File::create(&logged).unwrap())
            .spawn()
            .unwrap();
        let started = Self { child, printed, logged };
        let pid = started.child.id();
        eventually("it serves", async || {
            let run = fs::read(home.join("run.json")).ok()?;
            let run: Value = serde_json::from_slice(&run).ok()?;
            (run["pid"] == pid && fs::read_to_string(&started.printed).ok()?.contains("Ctrl-C"))
                .then_some(())
        })
        .await;
        started
    }

    /// What it printed and logged until it ended.
    fn end(mut self, signal: Signal) -> (String, String) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        self.child.wait().unwrap();
        (fs::read_to_string(&self.printed).unwrap(), fs::read_to_string(&self.logged).unwrap())
    }
}

#[tokio::test]
async fn keys_are_printed_when_they_are_made_and_never_again() {
    let home = directory();
    let home = home.path();
    let (first, logged) = Started::new(home, "first").await.end(Signal::SIGTERM);
    let path = home.join("keys.json");
    let keys: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let keys: Vec<&str> =
        keys.as_object().unwrap().values().map(|key| key.as_str().unwrap()).collect();
    assert!(keys.len() > 3 && keys.iter().all(|key| first.contains(key)), "{first}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(logged.contains("migrated") && !logged.contains('\u{1b}'), "no colours: {logged}");
    assert!(!home.join("run.json").exists(), "it was stopped");

    let (second, logged) = Started::new(home, "second").await.end(Signal::SIGTERM);
    assert!(second.contains("keys.json"), "{second}");
    for key in keys {
        // A secret may have underscores itself.
        let secret = key.splitn(3, '_').nth(2).unwrap();
        assert!(!second.contains(secret) && !logged.contains(secret), "{second}{logged}");
    }
}

#[tokio::test]
async fn fault_a_process_that_was_killed_is_not_taken_for_one_that_runs() {
    let home = directory();
    let home = home.path();
    Started::new(home, "killed").await.end(Signal::SIGKILL);
    assert!(home.join("run.json").exists(), "nobody was left to remove it");
    let asked = Command::new(binary()).args(["projections", "status", "--dir"]).arg(home).output();
    let asked = asked.unwrap();
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(!asked.status.success() && said.contains("no `kontor up` runs"), "{said}");
    // The next start takes its place.
    Started::new(home, "next").await.end(Signal::SIGTERM);
    assert!(!home.join("run.json").exists());
}

#[tokio::test]
async fn fault_the_run_file_names_the_servers_that_run() {
    let instance = Instance::start_with_servers().await;
    for name in ["nats_pid", "postgres_pid"] {
        let killed = instance.run_file()[name].as_i64().unwrap();
        instance.signal(name, Signal::SIGKILL);
        let now = eventually("the run file names the next", async || {
            instance.run_file()[name].as_i64().filter(|pid| *pid != killed)
        })
        .await;
        assert!(
            kill(Pid::from_raw(now.try_into().unwrap()), None::<Signal>).is_ok(),
            "{name} runs"
        );
    }
}
