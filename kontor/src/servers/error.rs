//! Why a private server cannot run.

use std::io;
use std::path::PathBuf;

/// Why a private server cannot run; messages name a remedy if there is one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the directory's lock.
    #[error("{} is in use by another kontor{}", .directory.display(), .holder)]
    InUse {
        /// The data directory.
        directory: PathBuf,
        /// The holder from its run file, ready to append.
        holder: String,
    },
    /// A program is not installed.
    #[error("{program} is not installed: run `scripts/provision`")]
    Missing {
        /// The program's name and version.
        program: String,
    },
    /// The data was written by another major version of PostgreSQL.
    #[error("the data in {} is of PostgreSQL {major}, which is not installed", .data.display())]
    OtherMajor {
        /// PostgreSQL's data directory.
        data: PathBuf,
        /// The major version that wrote it.
        major: u32,
    },
    /// PostgreSQL does not run as root, and there is no other user to run it as.
    #[error("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")]
    NobodyToRunAs,
    /// `initdb` failed.
    #[error("initdb failed:\n{0}")]
    Initdb(String),
    /// The server ended or did not answer in time.
    #[error("{server} did not start; the end of {}:\n{tail}", .log.display())]
    NotStarted {
        /// The server.
        server: &'static str,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// An orphan of an earlier run survived SIGKILL.
    #[error("process {pid}, left over from an earlier run, does not end")]
    Orphan {
        /// Its process id.
        pid: i32,
    },
    /// A file has an unexpected content.
    #[error("{} is unreadable: {reason}; move it away to start afresh", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The error.
        reason: String,
    },
    /// No free port.
    #[error("no free port on 127.0.0.1")]
    NoPort(#[source] io::Error),
    /// A file system error.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// The operation.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
