//! `run.json`: the URLs and processes of a running `kontor up`, for other commands.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::servers::{Directory, Error, write_private};

const NAME: &str = "run.json";

/// The run file. Readable by its owner only, since it contains passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The process that wrote it.
    pub pid: u32,
    /// The URL of the HTTP API.
    pub http_url: String,
    /// The URL of PostgreSQL.
    pub database_url: String,
    /// The URL of NATS.
    pub nats_url: String,
    /// The URL of NATS for the read-only user, if NATS is private.
    #[serde(default)]
    pub nats_reader_url: Option<String>,
    /// The process id of PostgreSQL, if it is private.
    pub postgres_pid: Option<u32>,
    /// The process id of nats-server, if it is private.
    pub nats_pid: Option<u32>,
}

impl RunFile {
    /// Reads the file of the process that holds the directory. The file of a killed process is
    /// ignored, since neither it nor its servers exist any more.
    pub fn read(directory: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(Directory::is_in_use(directory), "the process that ran there is gone");
        Ok(serde_json::from_slice(&std::fs::read(directory.join(NAME))?)?)
    }

    /// Writes the file when everything is ready.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        write_private(&directory.join(NAME), &serde_json::json!(self).to_string())
    }

    /// Deletes the file.
    pub fn remove(directory: &Path) {
        let _ = std::fs::remove_file(directory.join(NAME));
    }
}
