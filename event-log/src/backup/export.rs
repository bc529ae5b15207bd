//! Writes a backup while the log lives.
//!
//! No snapshot is held for the whole of it: what stands at or below the head never changes, so
//! that head, read once, is a consistent end, and each statement may see later rows without
//! showing them. A snapshot held for minutes would keep PostgreSQL from tidying the one row of
//! `log.head`, and slow every append down.

use std::path::Path;

use futures::{StreamExt, pin_mut};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    COMMAND_COLUMNS, COMMANDS, Companion, EVENT_COLUMNS, EVENTS, Error, File, Manifest,
    folder::{BLOCK, Folder},
    rows::{Order, Rows},
    run_blocking,
};
use crate::Position;

/// How many events a file has at most, and how much is lost when an export is killed.
const CHUNK: u64 = 250_000;
/// How many blocks wait to be compressed at most.
const AHEAD: usize = 8;

const HEAD: &str = "SELECT position, epoch FROM log.head";
const EVENT_AT: &str = "SELECT event_id FROM log.events WHERE position = $1";
/// So that the planner needs no statistics to see that the index leads to a range of positions.
const BY_INDEX: &str = "\
    SET enable_seqscan TO off; SELECT brin_summarize_new_values('log.commands_position')";

/// What an export did.
#[derive(Debug, Clone)]
pub struct Exported {
    /// What the backup holds now.
    pub manifest: Manifest,
    /// How many of its events are new.
    pub new: u64,
    /// The digest of the whole.
    pub sha256: String,
}

/// Writes all of history into a folder, or continues the backup that is there, or in a new folder
/// the one that stands at `from`. The client may read all of schema `log` and the companions'
/// tables, and owns the log. Tells `progress` how far it has got and where it will end. Killed, it
/// leaves the backup as it was or continued by whole files, and can be run again.
pub async fn export(
    client: &Client,
    folder: &Path,
    from: Option<&Path>,
    companions: &[Companion],
    mut progress: impl FnMut(Position, Position),
) -> Result<Exported, Error> {
    let (folder, mut manifest) = begin(folder, from).await?;
    let row = client.query_one(HEAD, &[]).await?;
    let (head, epoch) = (Position::from_i64(row.get(0)), row.get(1));
    check_same_history(client, &manifest, head).await?;
    client.batch_execute(BY_INDEX).await?;
    let before = manifest.last;
    let export = Export { client, folder, companions };
    loop {
        let next = Position(head.0.min(manifest.last.0 + CHUNK));
        manifest = export.extend(manifest, next).await?;
        manifest.epoch = epoch;
        let (folder, sealed) = (export.folder.clone(), manifest.clone());
        let sha256 = run_blocking(move || folder.seal(&sealed)).await?;
        progress(next, head);
        if next == head {
            return Ok(Exported { manifest, new: head.0 - before.0, sha256 });
        }
    }
}

/// Opens the folder, with what is there already.
async fn begin(folder: &Path, from: Option<&Path>) -> Result<(Folder, Manifest), Error> {
    let (path, from) = (folder.to_owned(), from.map(Path::to_owned));
    run_blocking(move || {
        let folder = Folder::open(&path)?;
        let manifest = match (folder.manifest()?, from) {
            (Some(manifest), None) => manifest,
            (Some(_), Some(_)) => return Err(Error::AlreadyBegun(path)),
            (None, Some(other)) => folder.adopt(&other)?,
            (None, None) => Manifest::empty(),
        };
        Ok((folder, manifest))
    })
    .await
}

/// A backup is continued only by the log that it was made of.
async fn check_same_history(
    client: &Client,
    manifest: &Manifest,
    head: Position,
) -> Result<(), Error> {
    let Some(event) = manifest.last_event else { return Ok(()) };
    let position = manifest.last;
    if position <= head && event_at(client, position).await? == Some(event) {
        Ok(())
    } else {
        Err(Error::OtherHistory { position, event })
    }
}

async fn event_at(client: &Client, position: Position) -> Result<Option<Uuid>, Error> {
    let row = client.query_opt(EVENT_AT, &[&position.as_i64()]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// An export under way.
struct Export<'a> {
    client: &'a Client,
    folder: Folder,
    companions: &'a [Companion],
}

impl Export<'_> {
    /// The manifest of the backup continued up to a position, which is at most the head.
    async fn extend(&self, old: Manifest, up_to: Position) -> Result<Manifest, Error> {
        let mut manifest = Manifest { kontor: Manifest::empty().kontor, ..old };
        manifest.files.retain(|file| file.span.is_some());
        let (after, last) = (manifest.last.as_i64(), up_to.as_i64());
        let range = format!("{:012}-{last:012}", after + 1);
        if after < last {
            let span = Some((manifest.last, up_to));
            let events = format!(
                "SELECT {EVENT_COLUMNS} FROM {EVENTS} \
                 WHERE position > {after} AND position <= {last} ORDER BY position"
            );
            let order = Order::of_positions(after);
            let file = self.write(EVENTS, &range, &events, span, Some(order)).await?;
            if file.rows != up_to.0 - manifest.last.0 {
                return Err(Error::Log(format!("after {after} are {} events", file.rows)));
            }
            manifest.files.push(file);
            // A command without events has the position of the head it met, so those of the last
            // position may not be all yet.
            let commands = format!(
                "SELECT {COMMAND_COLUMNS} FROM {COMMANDS} \
                 WHERE position >= {after} AND position < {last}"
            );
            manifest.files.push(self.write(COMMANDS, &range, &commands, span, None).await?);
        }
        let end = format!("{last:012}");
        let commands = format!("SELECT {COMMAND_COLUMNS} FROM {COMMANDS} WHERE position = {last}");
        manifest.files.push(self.write(COMMANDS, &end, &commands, None, None).await?);
        for Companion { table, rows, .. } in self.companions {
            let rows = rows.replace("{last}", &last.to_string());
            manifest.files.push(self.write(table, &end, &rows, None, None).await?);
        }
        manifest.made_at = Timestamp::now();
        manifest.events = up_to.0;
        manifest.first = Position(up_to.0.min(1));
        manifest.last = up_to;
        manifest.last_event = event_at(self.client, up_to).await?;
        Ok(manifest)
    }

    /// Writes what a query answers as a file.
    async fn write(
        &self,
        table: &str,
        range: &str,
        query: &str,
        span: Option<(Position, Position)>,
        order: Option<Order>,
    ) -> Result<File, Error> {
        let copy = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        let rows = self.client.copy_out(&copy).await?;
        pin_mut!(rows);
        let (blocks, taken) = mpsc::channel(AHEAD);
        let (folder, name) = (self.folder.clone(), format!("{table}-{range}"));
        let written = tokio::spawn(run_blocking(move || compress(&folder, &name, taken, order)));
        let mut block = Vec::with_capacity(BLOCK + BLOCK / 4);
        while let Some(bytes) = rows.next().await {
            block.extend_from_slice(&bytes?);
            if block.len() >= BLOCK {
                let full = std::mem::replace(&mut block, Vec::with_capacity(BLOCK + BLOCK / 4));
                // Refused only when the file could not be written, which its task will say.
                if blocks.send(full).await.is_err() {
                    break;
                }
            }
        }
        let _ = blocks.send(block).await;
        drop(blocks);
        let (name, bytes, sha256, rows) = match written.await {
            Ok(written) => written?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        Ok(File { name, table: table.to_owned(), span, rows, bytes, sha256 })
    }
}

/// Writes blocks into a file as they come; answers its name, size, digest and number of rows.
fn compress(
    folder: &Folder,
    name: &str,
    mut blocks: mpsc::Receiver<Vec<u8>>,
    mut order: Option<Order>,
) -> Result<(String, u64, String, u64), Error> {
    let mut file = folder.create(name)?;
    let mut rows = Rows::default();
    while let Some(block) = blocks.blocking_recv() {
        rows.take(&block, |row| order.as_mut().map_or(Ok(()), |order| order.follow(row)))
            .map_err(Error::Log)?;
        file.write(&block)?;
    }
    // An export that has broken off leaves no whole file.
    rows.ended().map_err(Error::Log)?;
    let (name, bytes, sha256) = file.finish()?;
    Ok((name, bytes, sha256, rows.count))
}
