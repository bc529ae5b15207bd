//! `kontor log import`: restores a backup into an empty server.

use std::path::PathBuf;

use anyhow::ensure;
use event_log::backup;
use tokio_postgres::Client;

use super::companions::{COMPANIONS, connect};
use crate::location::Location;
use crate::progress::Step;
use crate::serve::migrate_all;

const READ_MODELS: &str = "SELECT to_regclass('view.checkpoints') IS NOT NULL";
const ADVANCED: &str = "SELECT EXISTS (SELECT FROM view.checkpoints WHERE position > 0)";

/// Arguments of `kontor log import`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder of the backup.
    folder: PathBuf,
}

/// Verifies a backup completely and restores it, all or nothing.
pub(super) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<()> {
    let database_url = location.database_url()?;
    migrate_all(&database_url).await?;
    let mut client = connect(&database_url).await?;
    ensure!(
        !has_read_models(&client).await?,
        "the database has read models of another history: drop its schema view first"
    );
    let step = Step::begin("restoring the backup");
    let progress = |at, end| tracing::debug!("{at} of {end}");
    let sound = backup::import(&mut client, &arguments.folder, &COMPANIONS, progress).await?;
    step.done(&format!("restored {} events", sound.manifest.events));
    println!("events 1 to {}", sound.manifest.last);
    println!("sha256 {}", sound.sha256);
    Ok(())
}

/// Whether a read model has rows: an empty log cannot have produced them.
async fn has_read_models(client: &Client) -> anyhow::Result<bool> {
    let present: bool = client.query_one(READ_MODELS, &[]).await?.get(0);
    Ok(present && client.query_one(ADVANCED, &[]).await?.get(0))
}
