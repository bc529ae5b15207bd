//! A supervised child process: restarted when it crashes, ended with this process.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Error;

/// Pauses before a restart double from the shortest to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A child that ran this long was healthy: its next crash starts at the shortest pause.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// How long a child may take to end when asked, before it is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// The program and the signal to end it.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) log: PathBuf,
    /// The user and group of the process, if not the current ones.
    pub(super) user: Option<User>,
    /// The signal that requests an orderly end.
    pub(super) end: Signal,
}

/// The user and group of a child.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The running child and the thread that watches it.
#[derive(Debug)]
pub(super) struct Child {
    program: Program,
    pid: Arc<Mutex<Option<u32>>>,
    // Dropping the sender tells the thread not to restart.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Child {
    /// Starts the program and a thread that restarts it. A thread of its own, because the
    /// kernel sends the parent-death signal when the *thread* that started a child ends.
    pub(super) fn start(program: Program) -> Result<Self, Error> {
        let pid = Arc::new(Mutex::new(None));
        let (stop, stopped) = mpsc::channel();
        let watched = (program.clone(), Arc::clone(&pid));
        let thread = std::thread::Builder::new()
            .name(format!("{} supervisor", program.name))
            .spawn(move || supervise(&watched.0, &watched.1, &stopped))
            .map_err(Error::file("start a thread for", &program.path))?;
        Ok(Self { program, pid, stop: Some(stop), thread: Some(thread) })
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.watched_pid().now()
    }

    /// Its current process id.
    pub(super) fn watched_pid(&self) -> WatchedPid {
        WatchedPid(Arc::clone(&self.pid))
    }
}

/// A child's process id, which changes when it is restarted.
#[derive(Debug, Clone)]
pub(super) struct WatchedPid(Arc<Mutex<Option<u32>>>);

impl WatchedPid {
    pub(super) fn now(&self) -> Option<u32> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return };
        let asked = Instant::now();
        let mut signal = self.program.end;
        while !thread.is_finished() {
            // Repeated, because a restart may have been in progress at the first signal.
            if let Some(pid) = self.pid() {
                send(pid, signal);
            }
            if asked.elapsed() > ENDS_WITHIN {
                tracing::warn!(server = self.program.name, "does not end, killing it");
                signal = Signal::SIGKILL;
            }
            let round = Instant::now();
            while !thread.is_finished() && round.elapsed() < Duration::from_secs(1) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let _ = thread.join();
    }
}

impl Program {
    /// The command, started through `setpriv` (util-linux, part of every Debian): it drops root,
    /// and asks the kernel to end the child when this process ends, which safe Rust cannot do.
    fn command(&self) -> Result<Command, Error> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(Error::file("open", &self.log))?;
        let errors = log.try_clone().map_err(Error::file("open", &self.log))?;
        let mut command = Command::new("setpriv");
        command.arg(format!("--pdeathsig={}", &self.end.as_str()["SIG".len()..]));
        drop_root(&mut command, self.user);
        command
            .arg("--")
            .arg(&self.path)
            .args(&self.arguments)
            // A process group of its own, so that Ctrl-C in the terminal reaches only this process:
            // services must stop before their servers.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        Ok(command)
    }
}

/// Adds setpriv's options that run the command as `user`.
pub(super) fn drop_root(command: &mut Command, user: Option<User>) {
    if let Some(User { uid, gid }) = user {
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
}

/// Ends a process of an earlier run whose command line contains `mark`: with the signal, then with
/// SIGKILL.
pub(super) fn end_orphan(pid: i32, mark: &Path, polite: Signal) -> Result<(), Error> {
    let is_ours = || {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*mark.to_string_lossy())
    };
    for (signal, patience) in [(polite, 10), (Signal::SIGKILL, 5)] {
        if !is_ours() {
            return Ok(());
        }
        tracing::info!(pid, ?signal, "ending a server left over from an earlier run");
        let _ = kill(Pid::from_raw(pid), signal);
        let asked = Instant::now();
        while is_ours() && asked.elapsed() < Duration::from_secs(patience) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    if is_ours() { Err(Error::Orphan { pid }) } else { Ok(()) }
}

fn supervise(program: &Program, pid: &Mutex<Option<u32>>, stopped: &mpsc::Receiver<()>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let started = Instant::now();
        let reason = run_once(program, pid);
        if started.elapsed() > HEALTHY_AFTER {
            pause = SHORTEST_PAUSE;
        }
        // Waiting on the channel is the pause, so it ends at once on shutdown.
        match stopped.recv_timeout(Duration::ZERO) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        tracing::warn!(server = program.name, %reason, ?pause, "server ended, restarting it");
        match stopped.recv_timeout(pause) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Runs the program to its end and describes how it ended.
fn run_once(program: &Program, pid: &Mutex<Option<u32>>) -> String {
    let set = |now| *pid.lock().unwrap_or_else(PoisonError::into_inner) = now;
    let mut command = match program.command() {
        Ok(command) => command,
        Err(error) => return error.to_string(),
    };
    match command.spawn() {
        Ok(mut child) => {
            set(Some(child.id()));
            let ended = child.wait();
            set(None);
            ended.map_or_else(|error| error.to_string(), |status| status.to_string())
        }
        Err(error) => format!("setpriv (package util-linux) cannot be run: {error}"),
    }
}

fn send(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}
