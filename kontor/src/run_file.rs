//! `run.json`: what a running `kontor up` tells other commands about itself.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::servers::{Directory, Error, write_private};

const NAME: &str = "run.json";

/// Where everything is. Readable by its owner only: it holds the servers' passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The process that wrote it.
    pub pid: u32,
    /// Where commands and queries go.
    pub http_url: String,
    /// PostgreSQL.
    pub database_url: String,
    /// NATS.
    pub nats_url: String,
    /// NATS, for those who may only read, when it is private.
    #[serde(default)]
    pub nats_reader_url: Option<String>,
    /// Process id of PostgreSQL, when it is private.
    pub postgres_pid: Option<u32>,
    /// Process id of nats-server, when it is private.
    pub nats_pid: Option<u32>,
}

impl RunFile {
    /// What the directory's process has written. A process that was killed leaves its file behind:
    /// that is not read, since neither the process nor its servers are there any more.
    pub fn read(directory: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(Directory::is_in_use(directory), "the process that ran there is gone");
        Ok(serde_json::from_slice(&std::fs::read(directory.join(NAME))?)?)
    }

    /// Announces that everything is ready.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        write_private(&directory.join(NAME), &serde_json::json!(self).to_string())
    }

    /// Takes the announcement back.
    pub fn remove(directory: &Path) {
        let _ = std::fs::remove_file(directory.join(NAME));
    }
}
