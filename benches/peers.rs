//! Peers beside postgres-es: the same work, one event a command, on the same server. Each is set up
//! as its documentation recommends, with as many connections as serve it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use disintegrate::{Decision, Event, NoSnapshot, StateMutate, StateQuery, serde::json::Json};
use disintegrate_postgres::{PgDecisionMaker, PgEventStore, decision_maker};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;

use crate::{
    Failure,
    clients::{MEASURE, WARM_UP, rate},
    database::fresh,
};

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[stream(AccountEvent, [Deposited])]
enum Deposit {
    Deposited {
        #[id]
        account: String,
        amount: i64,
        balance: i64,
    },
}

#[derive(Default, StateQuery, Clone, Serialize, Deserialize)]
#[state_query(AccountEvent)]
struct Balance {
    #[id]
    account: String,
    balance: i64,
}

impl StateMutate for Balance {
    fn mutate(&mut self, event: Self::Event) {
        let AccountEvent::Deposited { balance, .. } = event;
        self.balance = balance;
    }
}

struct MakeDeposit {
    account: String,
}

#[derive(Debug, thiserror::Error)]
enum Never {}

impl Decision for MakeDeposit {
    type Event = Deposit;
    type StateQuery = Balance;
    type Error = Never;

    fn state_query(&self) -> Balance {
        Balance { account: self.account.clone(), balance: 0 }
    }

    fn process(&self, state: &Balance) -> Result<Vec<Deposit>, Never> {
        let (account, balance) = (self.account.clone(), state.balance + 1);
        Ok(vec![Deposit::Deposited { account, amount: 1, balance }])
    }
}

type Maker = PgDecisionMaker<Deposit, Json<Deposit>, NoSnapshot>;

/// Its transactions are serializable and may fail because of concurrent ones; only those that succeed
/// are counted.
pub(crate) async fn disintegrate(server: &str, clients: usize) -> Result<f64, Failure> {
    let (_client, url) = fresh(server).await?;
    let pool = PgPoolOptions::new()
        .max_connections(40)
        .acquire_timeout(std::time::Duration::from_mins(1))
        .connect(&url)
        .await?;
    let store = PgEventStore::try_new(pool, Json::<Deposit>::default()).await?;
    let maker: Maker = decision_maker(store, NoSnapshot);
    rate(clients, move |account| {
        let maker = maker.clone();
        async move { Ok(maker.make(MakeDeposit { account: account.to_string() }).await.is_ok()) }
    })
    .await
}

/// A peer in another language: deposits a second, or why there are none.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
}

/// From a database's URL and a number of clients.
type Run = Box<dyn Fn(&str, usize) -> Result<f64, String>>;

/// Those in other languages, and those with a server of their own, installed below `target/peers`.
pub(crate) fn scripts() -> Vec<Peer> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let installed =
        sources.parent().and_then(Path::parent).unwrap_or(&sources).join("target/peers");
    let emmett = node(&sources.join("emmett"), &installed.join("emmett"));
    let python = python(&sources.join("eventsourcing"), &installed.join("eventsourcing"));
    let umadb = umadb(&sources.join("umadb"), &installed.join("umadb"));
    let files = installed.join("umadb/files").to_string_lossy().into_owned();
    let peer = |name, program: Result<Vec<PathBuf>, String>| Peer {
        name,
        run: Box::new(move |url: &str, clients: usize| deposits(&program.clone()?, url, clients)),
    };
    vec![
        peer("emmett-postgresql 0.42 (node)", emmett),
        peer("eventsourcing 9.5 (Python)", python),
        Peer {
            name: "UmaDB 0.7 (its own server)",
            // It stores events in files of its own.
            run: Box::new(move |_, clients| deposits(&umadb.clone()?, &files, clients)),
        },
    ]
}

fn node(source: &Path, installed: &Path) -> Result<Vec<PathBuf>, String> {
    std::fs::create_dir_all(installed).map_err(|error| error.to_string())?;
    for file in ["package.json", "deposits.mjs"] {
        std::fs::copy(source.join(file), installed.join(file)).map_err(|e| e.to_string())?;
    }
    if !installed.join("node_modules").exists() {
        let install = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"];
        call(Command::new("npm").args(install).current_dir(installed))?;
    }
    Ok(vec!["node".into(), installed.join("deposits.mjs")])
}

fn python(source: &Path, installed: &Path) -> Result<Vec<PathBuf>, String> {
    let python = environment(source, installed)?;
    Ok(vec![python, source.join("deposits.py")])
}

/// A virtual environment with the packages of `requirements.txt`; returns its interpreter.
fn environment(source: &Path, installed: &Path) -> Result<PathBuf, String> {
    let python = installed.join("bin/python");
    if !python.exists() {
        call(Command::new("python3").args(["-m", "venv"]).arg(installed))?;
        let install = ["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-r"];
        call(Command::new(&python).args(install).arg(source.join("requirements.txt")))?;
    }
    Ok(python)
}

/// Its server comes as a wheel, and its Rust client needs a protocol buffer compiler, which is a wheel
/// too. A package of its own: only `make bench` pays for compiling it.
fn umadb(source: &Path, installed: &Path) -> Result<Vec<PathBuf>, String> {
    let python = environment(source, installed)?;
    let target = installed.join("target");
    let client = target.join("release/kontor-peer-umadb");
    if !client.exists() {
        let compiler = installed.join("protoc");
        let script = format!("#!/bin/sh\nexec {} -m grpc_tools.protoc \"$@\"\n", python.display());
        std::fs::write(&compiler, script).map_err(|error| error.to_string())?;
        call(Command::new("chmod").arg("+x").arg(&compiler))?;
        call(
            Command::new("cargo")
                .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
                .arg(source.join("Cargo.toml"))
                .arg("--target-dir")
                .arg(&target)
                .env("PROTOC", &compiler),
        )?;
    }
    Ok(vec![client, installed.join("bin/umadb")])
}

fn deposits(program: &[PathBuf], url: &str, clients: usize) -> Result<f64, String> {
    let [program, script] = program else { return Err("no script".to_owned()) };
    let seconds = |time: std::time::Duration| time.as_secs().to_string();
    let mut command = Command::new(program);
    command.arg(script).arg(url).arg(clients.to_string());
    let printed = call(command.args([seconds(WARM_UP), seconds(MEASURE)]))?;
    printed.trim().parse().map_err(|_| format!("it printed {printed:?}"))
}

fn call(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name}: {}", said.lines().last().unwrap_or("it failed")))
}
