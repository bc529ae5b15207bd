//! The PostgreSQL and NATS that a command uses.

use std::path::PathBuf;

use anyhow::Context;

use crate::run_file::RunFile;

/// The URLs of the servers: given explicitly, or those of the `kontor up` of a directory.
#[derive(Debug, Clone, clap::Args)]
pub struct Location {
    /// PostgreSQL's URL; the user owns the schemas or may create them.
    #[arg(long, global = true, env = "KONTOR_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// NATS' URL, credentials included.
    #[arg(long, global = true, env = "KONTOR_NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,
    /// The directory of a running `kontor up`, used when no URL is given.
    #[arg(long, global = true, default_value = ".kontor")]
    pub dir: PathBuf,
}

impl Location {
    /// URL of the database.
    pub fn database_url(&self) -> anyhow::Result<String> {
        match &self.database_url {
            Some(url) => Ok(url.clone()),
            None => Ok(self.run_file()?.database_url),
        }
    }

    /// URL of NATS.
    pub fn nats_url(&self) -> anyhow::Result<String> {
        match &self.nats_url {
            Some(url) => Ok(url.clone()),
            None => Ok(self.run_file()?.nats_url),
        }
    }

    /// Both URLs if both are given, `None` if neither is.
    pub fn given(&self) -> anyhow::Result<Option<(String, String)>> {
        match (&self.database_url, &self.nats_url) {
            (Some(database), Some(nats)) => Ok(Some((database.clone(), nats.clone()))),
            (None, None) => Ok(None),
            _ => anyhow::bail!("set both KONTOR_DATABASE_URL and KONTOR_NATS_URL, or neither"),
        }
    }

    /// The run file of the `kontor up` of the directory.
    pub fn run_file(&self) -> anyhow::Result<RunFile> {
        RunFile::read(&self.dir).with_context(|| {
            format!(
                "no `kontor up` runs in {}; start one, or set KONTOR_DATABASE_URL and \
                 KONTOR_NATS_URL",
                self.dir.display()
            )
        })
    }
}
