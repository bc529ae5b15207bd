//! Backups: all of history as compressed files beside a manifest, and back into an empty server.
//!
//! A backup is a folder. Its files are PostgreSQL's binary COPY, compressed with zstd, so that even
//! `psql` can load them; `manifest.json` names every file with its digest and is replaced in one
//! step, so that it never claims more than is there. History only grows: a backup is continued by
//! adding files.
//!
//! What can be derived from history (read models, snapshots, the stream) is in no backup. What
//! cannot, but stands in other tables, comes along as a [`Companion`].

mod export;
mod folder;
mod import;
mod manifest;
mod rows;
mod verify;

use std::{io, path::PathBuf};

pub use self::{
    export::{Exported, export},
    import::import,
    manifest::{File, Manifest},
    verify::{Sound, verify},
};
use crate::Position;

/// A small table beside the log that a restored server needs and history cannot give back. It is
/// written anew with every backup.
#[derive(Debug, Clone, Copy)]
pub struct Companion {
    /// With its schema, such as `access.api_keys`.
    pub table: &'static str,
    /// All its columns, separated by commas.
    pub columns: &'static str,
    /// The query for its rows as they were at the backup's last position, which it calls `{last}`.
    pub rows: &'static str,
    /// What to do when a row is already there: an `ON CONFLICT` clause.
    pub present: &'static str,
}

/// The tables of the log itself.
const EVENTS: &str = "log.events";
const COMMANDS: &str = "log.commands";

/// How many columns they have in a backup, and which.
const EVENT_COLUMNS: &str = "position, event_id, stream_type, stream_id, version, event_type, \
    schema_version, company_id, actor, command_id, correlation_id, causation_id, recorded_at, \
    payload";
const COMMAND_COLUMNS: &str = "command_id, digest, stream_id, version, position, recorded_at";

/// Why a backup could not be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another export works on the folder.
    #[error("{} is in use by another export", .0.display())]
    InUse(PathBuf),
    /// A folder that may be anything.
    #[error("{} is not empty, and no backup", .0.display())]
    Occupied(PathBuf),
    /// A folder to be continued from another already has a backup.
    #[error("{} already holds a backup: it is continued without --from", .0.display())]
    AlreadyBegun(PathBuf),
    /// A folder without a manifest.
    #[error("{} is no backup: it has no manifest.json", .0.display())]
    NoBackup(PathBuf),
    /// A manifest that was written by another version of this format.
    #[error("the backup has format {found}; this build reads format {}", Manifest::FORMAT)]
    Format {
        /// What it says.
        found: u64,
    },
    /// A manifest that is not as it was written, or contradicts itself.
    #[error("manifest.json is damaged: {0}")]
    Manifest(String),
    /// A file that is not as it was written.
    #[error("{file} is damaged: {reason}")]
    Damaged {
        /// Which one.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The log is another one than the backup was made of, or has lost its end.
    #[error(
        "the log is not the history of this backup, which ends with event {event} at {position}"
    )]
    OtherHistory {
        /// Where the backup ends.
        position: Position,
        /// With which event.
        event: uuid::Uuid,
    },
    /// The log itself is damaged: nothing is written that could not be restored.
    #[error("the log is damaged, see `kontor log verify`: {0}")]
    Log(String),
    /// Only an empty log is restored into.
    #[error("the log is not empty: its head is at {head}; a backup is restored into an empty one")]
    NotEmpty {
        /// Its last position.
        head: Position,
    },
    /// PostgreSQL refused.
    #[error("PostgreSQL refused a statement of the backup")]
    Database(#[from] tokio_postgres::Error),
}

impl Error {
    fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// Runs what reads and writes files where it keeps nobody waiting.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
