//! Restores a backup into an empty server, all or nothing.

use std::path::Path;

use bytes::Bytes;
use futures::{SinkExt, pin_mut};
use tokio::sync::mpsc;
use tokio_postgres::{Client, Transaction};

use super::{
    COMMAND_COLUMNS, COMMANDS, Companion, EVENT_COLUMNS, EVENTS, Error, File,
    folder::read_file,
    run_blocking,
    verify::{Sound, verify},
};
use crate::Position;

/// How many blocks are read ahead of PostgreSQL at most.
const AHEAD: usize = 8;

/// Keeps every writer out: whoever wants to append waits for this row.
const HEAD: &str = "\
    SELECT position, EXISTS (SELECT FROM log.events) OR EXISTS (SELECT FROM log.commands)
    FROM log.head FOR UPDATE";
/// A writer that knew the empty log must not take its head for the restored one.
const MOVE_HEAD: &str = "UPDATE log.head SET position = $1, epoch = greatest(epoch, $2) + 1";
const FORGET_SNAPSHOTS: &str = "DELETE FROM log.snapshots";
const ANALYZE: &str = "ANALYZE log.events, log.commands";

/// Checks a backup whole, then restores it in one transaction. The client owns the schemas, which
/// are migrated. Tells `progress` how far it has got and where it will end.
pub async fn import(
    client: &mut Client,
    folder: &Path,
    companions: &[Companion],
    mut progress: impl FnMut(Position, Position),
) -> Result<Sound, Error> {
    let path = folder.to_owned();
    let sound = run_blocking(move || verify(&path)).await?;
    let manifest = &sound.manifest;
    let transaction = client.transaction().await?;
    let row = transaction.query_one(HEAD, &[]).await?;
    let (head, occupied) = (Position::from_i64(row.get(0)), row.get::<_, bool>(1));
    if head > Position::START || occupied {
        return Err(Error::NotEmpty { head });
    }
    for file in &manifest.files {
        let import = Import { transaction: &transaction, folder, file };
        match file.table.as_str() {
            EVENTS => {
                import.copy_into(EVENTS, EVENT_COLUMNS).await?;
                progress(file.span.map_or(manifest.last, |(_, last)| last), manifest.last);
            }
            COMMANDS => import.copy_into(COMMANDS, COMMAND_COLUMNS).await?,
            table => match companions.iter().find(|companion| companion.table == table) {
                Some(companion) => import.merge(companion).await?,
                None => return Err(Error::Manifest(format!("{table} is not known"))),
            },
        }
    }
    transaction.execute(MOVE_HEAD, &[&manifest.last.as_i64(), &manifest.epoch]).await?;
    transaction.batch_execute(FORGET_SNAPSHOTS).await?;
    transaction.commit().await?;
    client.batch_execute(ANALYZE).await?;
    Ok(sound)
}

/// A file on its way into PostgreSQL.
struct Import<'a> {
    transaction: &'a Transaction<'a>,
    folder: &'a Path,
    file: &'a File,
}

impl Import<'_> {
    async fn copy_into(&self, table: &str, columns: &str) -> Result<(), Error> {
        let copy = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        let sink = self.transaction.copy_in(&copy).await?;
        pin_mut!(sink);
        let (blocks, mut taken) = mpsc::channel(AHEAD);
        let (folder, file) = (self.folder.to_owned(), self.file.clone());
        let reading = tokio::spawn(run_blocking(move || read_ahead(&folder, &file, &blocks)));
        while let Some(block) = taken.recv().await {
            sink.send(block).await?;
        }
        match reading.await {
            Ok(read) => read?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
        let rows = sink.finish().await?;
        if rows == self.file.rows {
            return Ok(());
        }
        let reason = format!("PostgreSQL took {rows} of {} rows", self.file.rows);
        Err(Error::Damaged { file: self.file.name.clone(), reason })
    }

    /// Adds a companion's rows to those that a server without history may have already.
    async fn merge(&self, companion: &Companion) -> Result<(), Error> {
        let Companion { table, columns, present, .. } = companion;
        let make = format!("CREATE TEMP TABLE restored (LIKE {table})");
        self.transaction.batch_execute(&make).await?;
        self.copy_into("restored", columns).await?;
        let merge = format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM restored {present};
             DROP TABLE restored"
        );
        Ok(self.transaction.batch_execute(&merge).await?)
    }
}

/// Reads a file block by block, for as long as somebody takes them.
fn read_ahead(folder: &Path, file: &File, blocks: &mpsc::Sender<Bytes>) -> Result<(), Error> {
    read_file(
        folder,
        file,
        |_| Ok(()),
        |block| {
            // Nobody takes it when PostgreSQL has refused, which is said elsewhere.
            let _ = blocks.blocking_send(Bytes::copy_from_slice(block));
            Ok(())
        },
    )
}
