//! The directory of private servers, locked by the process that runs them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use super::Error;

/// The prefix of temporary directories.
const THROW_AWAY_PREFIX: &str = "kontor-servers-";
/// A file system in memory, as Linux provides it.
const MEMORY: &str = "/dev/shm";
/// The required free space; containers often have 64 MiB.
const ROOM: u64 = 4 << 30;

/// The time after which the lock of a killed process is released.
const DYING: Duration = Duration::from_secs(1);

/// A locked directory. The kernel releases the lock when the process ends in any way, so a lock is
/// never stale.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    throw_away: bool,
    _lock: Flock<File>,
}

impl Directory {
    /// Creates `path` if needed, and locks it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::lock(path, false, DYING)
    }

    /// A new directory, removed on drop: in memory if there is space, else in the system's
    /// temporary directory. Removes the directories of killed processes.
    pub fn throw_away() -> Result<Self, Error> {
        let parent = if has_room(MEMORY) { PathBuf::from(MEMORY) } else { std::env::temp_dir() };
        Self::throw_away_in(&parent)
    }

    /// The same on a disk, for benchmarks.
    pub fn throw_away_on_disk() -> Result<Self, Error> {
        Self::throw_away_in(&std::env::temp_dir())
    }

    fn throw_away_in(parent: &Path) -> Result<Self, Error> {
        sweep(parent);
        let path = parent.join(format!("{THROW_AWAY_PREFIX}{}", uuid::Uuid::now_v7().simple()));
        Self::lock(&path, true, Duration::ZERO)
    }

    /// Whether a process holds the lock.
    pub fn is_in_use(path: &Path) -> bool {
        // Shared, so that concurrent checks do not conflict.
        let lock = File::open(path.join("lock"));
        lock.is_ok_and(|lock| Flock::lock(lock, FlockArg::LockSharedNonblock).is_err())
    }

    /// Its absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(path: &Path, throw_away: bool, patience: Duration) -> Result<Self, Error> {
        let logs = path.join("log");
        fs::create_dir_all(&logs).map_err(Error::file("create", &logs))?;
        // Other users may pass through (as root, PostgreSQL runs as another user) but not list it;
        // files with secrets have mode 0600.
        fs::set_permissions(path, Permissions::from_mode(0o711))
            .map_err(Error::file("set the permissions of", path))?;
        let path = path.canonicalize().map_err(Error::file("resolve", path))?;
        let lock_path = path.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(Error::file("open", &lock_path))?;
        let started = Instant::now();
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(Self { path, throw_away, _lock: lock }),
                Err((held, _)) if started.elapsed() < patience => {
                    file = held;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(_) => return Err(Error::InUse { holder: holder(&path), directory: path }),
            }
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.throw_away
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "could not remove a temporary directory");
        }
    }
}

/// Whether a directory is a file system in memory with enough space for a test run.
fn has_room(directory: &str) -> bool {
    statfs(directory).is_ok_and(|found| {
        let free = found.blocks_available() * found.block_size().unsigned_abs();
        found.filesystem_type() == TMPFS_MAGIC && free >= ROOM
    })
}

/// The process in the run file, for the error message.
fn holder(path: &Path) -> String {
    let run = fs::read(path.join("run.json")).ok();
    let run = run.and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    match run {
        Some(run) => format!(" (process {}, {})", run["pid"], run["http_url"]),
        None => String::new(),
    }
}

/// Removes temporary directories whose process has ended.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(THROW_AWAY_PREFIX);
        // A directory without a lock file is just being created.
        if !is_ours || !entry.path().join("lock").exists() {
            continue;
        }
        if let Ok(mut stale) = Directory::lock(&entry.path(), false, Duration::ZERO) {
            super::postgres::end_orphan(&stale);
            super::nats::end_orphan(&stale);
            stale.throw_away = true;
        }
    }
}
