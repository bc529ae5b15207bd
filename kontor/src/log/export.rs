//! `kontor log export`: writes a backup.

use std::path::PathBuf;
use std::time::Instant;

use event_log::backup;

use super::companions::{COMPANIONS, connect};
use crate::location::Location;
use crate::progress::Step;

/// Arguments of `kontor log export`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder. An existing backup is continued after its last position.
    folder: PathBuf,
    /// Start with the files of this backup, which is not changed: where the file system supports
    /// it, they share their disk space.
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
}

/// Writes or continues a backup.
pub(super) async fn run(arguments: Arguments, location: &Location) -> anyhow::Result<()> {
    let Arguments { folder, from } = arguments;
    let client = connect(&location.database_url()?).await?;
    let started = Instant::now();
    let step = Step::begin("writing the backup");
    let progress = |at, end| tracing::debug!("{at} of {end}");
    let done = backup::export(&client, &folder, from.as_deref(), &COMPANIONS, progress).await?;
    let seconds = started.elapsed().as_secs_f64();
    step.done(&format!("{} new events in {seconds:.1} s", done.new));
    println!("events 1 to {} in {}", done.manifest.last, folder.display());
    println!("sha256 {}", done.sha256);
    Ok(())
}
