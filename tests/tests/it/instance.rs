//! A running instance: the real `kontor up` in a directory of its own.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

mod requests;

pub(crate) use self::requests::Answer;
use crate::shared_servers::SharedServers;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// An instance and the process that runs it.
pub(crate) struct Instance {
    directory: tempfile::TempDir,
    setting: Setting,
    child: Child,
    address: Address,
    keys: HashMap<String, String>,
    client: reqwest::Client,
    /// The last position that it has answered since it was started.
    answered: AtomicU64,
    /// What it uses of the test run's servers; thrown away once its process has ended.
    shared: Option<SharedServers>,
}

/// How an instance is run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    /// The PostgreSQL and the NATS of somebody else, instead of its own.
    pub(crate) servers: Option<[String; 2]>,
    /// The program, with its arguments, that starts the process.
    pub(crate) through: Vec<String>,
    /// What it finds in its environment.
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// Where an instance answers now; another place after a restart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Address(Arc<Mutex<String>>);

impl Address {
    pub(crate) fn url(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// The binary that `make test` builds before the tests.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("KONTOR_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let binary = test.ancestors().nth(2).unwrap().join("kontor");
    assert!(binary.exists(), "{} is missing: run `make test`", binary.display());
    binary
}

impl Instance {
    /// A new instance without the seed, on the PostgreSQL of the test run.
    pub(crate) async fn start() -> Self {
        let directory = directory();
        let shared = SharedServers::prepare(directory.path()).await;
        let servers = shared.as_ref().map(SharedServers::urls);
        let mut instance =
            Self::start_in(directory, Setting { servers, ..Setting::default() }).await;
        instance.shared = shared;
        instance
    }

    /// A new instance without the seed, on servers of its own.
    pub(crate) async fn start_with_servers() -> Self {
        Self::start_in(directory(), Setting::default()).await
    }

    /// An instance in a directory that may have been prepared for it.
    pub(crate) async fn start_in(directory: tempfile::TempDir, setting: Setting) -> Self {
        let child = up(directory.path(), &setting);
        let client = reqwest::Client::new();
        let (address, keys, answered) = (Address::default(), HashMap::new(), AtomicU64::new(0));
        let mut instance =
            Self { directory, setting, child, address, keys, client, answered, shared: None };
        instance.wait_until_ready().await;
        instance
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills the process at once and starts another on the same data.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.kill();
        self.start_again().await;
    }

    /// Kills the process at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // A killed process leaves it behind; without it, waiting knows the new one's.
        std::fs::remove_file(self.directory().join("run.json")).unwrap();
    }

    /// Stops the process and its servers in good order.
    pub(crate) fn stop(&mut self) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap();
    }

    /// Asks with the keys of another instance from now on.
    pub(crate) fn show_keys_of(&mut self, other: &Self) {
        self.keys.clone_from(&other.keys);
    }

    /// Starts another process on the same data.
    pub(crate) async fn start_again(&mut self) {
        self.child = up(self.directory.path(), &self.setting);
        // The data may be another's now.
        self.answered = AtomicU64::new(0);
        self.wait_until_ready().await;
    }

    /// Sends a signal to a process that the run file names, such as `nats_pid`.
    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        let pid = self.run_file()[name].as_i64().unwrap();
        kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
    }

    /// What the process says of itself and its servers.
    pub(crate) fn run_file(&self) -> Value {
        read(&self.directory().join("run.json"))
    }

    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address.url())
    }

    pub(crate) fn key(&self, role: &str) -> &str {
        &self.keys[role]
    }

    pub(crate) fn has_key(&self, name: &str) -> bool {
        self.keys.contains_key(name)
    }

    /// A connection to its database, as the superuser.
    pub(crate) async fn database(&self) -> tokio_postgres::Client {
        let url = self.run_file()["database_url"].as_str().unwrap().to_owned();
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Starts a `kontor` command on this instance.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let log = log_file(self.directory());
        self.command(arguments).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// Runs a `kontor` command on this instance; it must succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "kontor {arguments:?}: {stdout}\n{stderr}");
        stdout.into_owned()
    }

    /// Whether a `kontor` command on this instance succeeds.
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> Option<()> {
        self.command(arguments).output().unwrap().status.success().then_some(())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--dir").arg(self.directory());
        command
    }

    /// Makes a key and keeps it under a name.
    pub(crate) async fn make_key(&mut self, name: &str, role: &str, company: Option<&String>) {
        let body = serde_json::json!({ "name": name, "role": role, "company": company });
        self.keep_key(name, "admin", &body).await;
    }

    /// Engages somebody, at a company or at the seller, and keeps a key of theirs under the name.
    pub(crate) async fn engage(&mut self, name: &str, role: &str, company: Option<&str>) -> String {
        let email = format!("{}@example.pl", name.replace(' ', "."));
        let body = serde_json::json!({
            "company": company, "name": name, "email": email, "role": role,
        });
        let engaged = self.post("admin", "/v1/employees", &body).await;
        let id = engaged.body["id"].as_str().unwrap_or_else(|| panic!("{engaged:?}")).to_owned();
        let body = serde_json::json!({ "name": name, "employee": id });
        self.keep_key(name, "admin", &body).await;
        id
    }

    /// Makes a key as somebody and keeps it under a name.
    pub(crate) async fn keep_key(&mut self, name: &str, maker: &str, body: &Value) {
        let made = self.post(maker, "/v1/api-keys", body).await;
        let key = made.body["key"].as_str().unwrap_or_else(|| panic!("{made:?}"));
        self.keys.insert(name.to_owned(), key.to_owned());
    }

    /// Waits until all that follows by itself has followed, so that whoever asks from now on is shown it; says
    /// where the log ends.
    pub(crate) async fn settled(&self) -> u64 {
        self.settled_without(&[]).await
    }

    /// Likewise, except for policies that wait at an event that they cannot read.
    pub(crate) async fn settled_without(&self, stopped: &[&str]) -> u64 {
        let head = eventually("the policies catch up", async || {
            let policies = self.get("admin", "/v1/policies").await.body;
            let policies = policies.as_array()?.clone();
            policies
                .iter()
                .filter(|policy| !stopped.iter().any(|name| policy["policy"] == *name))
                .all(|policy| policy["position"] == policy["head"])
                .then(|| policies[0]["head"].as_u64())?
        })
        .await;
        self.answered.fetch_max(head, Ordering::Relaxed);
        head
    }

    /// Waits likewise, and until the read model of a list has followed: a timer that a test runs reads it.
    pub(crate) async fn settled_in(&self, list: &str) {
        self.settled().await;
        let answer = self.get("admin", list).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Every item of a list, page by page.
    pub(crate) async fn all(&self, role: &str, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let path = format!("{path}{}limit=200", if path.contains('?') { '&' } else { '?' });
        let mut next = path.clone();
        loop {
            let page = self.get(role, &next).await;
            assert_eq!(page.status, 200, "{page:?}");
            let more = page.body["items"].as_array().unwrap();
            items.extend(more.iter().cloned());
            // History goes on after its last page too.
            match page.body["next_cursor"].as_str().filter(|_| !more.is_empty()) {
                Some(cursor) => next = format!("{path}&cursor={cursor}"),
                None => return items,
            }
        }
    }

    /// Every document of a list with its lines, which lists leave out.
    pub(crate) async fn all_whole(&self, role: &str, path: &str) -> Vec<Value> {
        let mut whole = Vec::new();
        for item in self.all(role, path).await {
            assert_eq!(item["lines"], Value::Null, "{item}");
            let document = format!("{path}/{}", item["id"].as_str().unwrap());
            let document = self.get(role, &document).await.body;
            assert_eq!(item["line_count"], document["lines"].as_array().unwrap().len(), "{item}");
            whole.push(document);
        }
        whole
    }

    /// Where the log ends; `None` while nobody answers.
    pub(crate) async fn head(&self) -> Option<u64> {
        let policies = self.try_get("admin", "/v1/policies").await.ok()?;
        policies.body[0]["head"].as_u64()
    }

    /// Waits until the log has grown to a position.
    pub(crate) async fn wait_for_head(&self, position: u64) {
        eventually("the log grows", async || {
            self.head().await.is_some_and(|head| head >= position).then_some(())
        })
        .await;
    }

    /// Waits until a part of the instance, such as `stream`, is in a state.
    pub(crate) async fn wait_for_part(&self, name: &str, state: &str) {
        eventually(&format!("{name} is {state}"), async || {
            let ready = self.try_get("admin", "/health/ready").await.ok()?;
            let parts = ready.body["parts"].as_array()?.clone();
            let part = parts.into_iter().find(|part| part["name"] == name)?;
            (part["state"] == state).then_some(())
        })
        .await;
    }

    async fn wait_until_ready(&mut self) {
        let run_file = self.directory().join("run.json");
        let run =
            eventually("the instance starts", async || run_file.exists().then(|| read(&run_file)))
                .await;
        run["http_url"].as_str().unwrap().clone_into(&mut *self.address.0.lock().unwrap());
        let keys = read(&self.directory().join("keys.json"));
        self.keys = serde_json::from_value(keys).unwrap();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.directory().join("kontor.log"));
            eprintln!("{}", log.unwrap_or_default());
        }
        // Gently, so that its servers end with it.
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        let _ = kill(pid, Signal::SIGTERM);
        // A test that failed may have left it stopped.
        let _ = kill(pid, Signal::SIGCONT);
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer, within [`PATIENCE`].
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    within(PATIENCE, what, ask).await
}

/// Asks until there is an answer, within so much time.
pub(crate) async fn within<T>(
    patience: Duration,
    what: &str,
    ask: impl AsyncFn() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < patience, "still waiting: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An empty directory for an instance.
pub(crate) fn directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("kontor-test-").tempdir().unwrap()
}

fn up(directory: &Path, setting: &Setting) -> Child {
    let mut line = setting.through.clone();
    line.push(binary().to_str().unwrap().to_owned());
    let mut command = Command::new(&line[0]);
    command
        .args(&line[1..])
        .args(["up", "--no-seed", "--listen", "127.0.0.1:0", "--dir"])
        .arg(directory)
        .env_remove("KONTOR_DATABASE_URL")
        .env_remove("KONTOR_NATS_URL")
        .envs(setting.environment.iter().cloned());
    if let Some([database, nats]) = &setting.servers {
        command.args(["--database-url", database, "--nats-url", nats]);
    }
    command.stdout(Stdio::null()).stderr(log_file(directory)).spawn().unwrap()
}

/// Where all processes of an instance say what goes wrong.
fn log_file(directory: &Path) -> std::fs::File {
    let path = directory.join("kontor.log");
    std::fs::File::options().create(true).append(true).open(path).unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
