//! The VAT white list that was loaded last, in PostgreSQL: about five million digests.

mod flat_file;

use std::{io::Read, pin::pin};

use axum::http::StatusCode;
use domain::{
    Nip,
    white_list::{Listed, Mark, WhiteList},
};
use jiff::civil::Date;
use service_kit::{migrations::Migration, problem::Problem};
use tokio::sync::mpsc;
use tokio_postgres::{
    Client,
    binary_copy::BinaryCopyInWriter,
    types::{Json, Type},
};
use uuid::Uuid;

pub use self::flat_file::FlatFileError;
use crate::Services;

/// The migrations of schema `reference`, in order; numbered together with those of the crate's
/// other schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "reference",
    sql: include_str!("../../../migrations/0002_reference.sql"),
}];

/// Lists are loaded one at a time; until a load commits, lookups use the previous list.
const BEGIN: &str = "
    SELECT pg_advisory_xact_lock(hashtextextended('kontor white list', 0));
    CREATE TABLE reference.white_list_next (LIKE reference.white_list_marks)";
const COPY: &str = "COPY reference.white_list_next (mark, exempt) FROM STDIN (FORMAT binary)";
const SWAP: &str = "
    CREATE INDEX ON reference.white_list_next (mark);
    DROP TABLE reference.white_list_marks;
    ALTER TABLE reference.white_list_next RENAME TO white_list_marks;
    ANALYZE reference.white_list_marks";
const NAME: &str = "
    INSERT INTO reference.white_list (head) VALUES ($1)
    ON CONFLICT (the_only) DO UPDATE SET head = excluded.head, loaded_at = now()";
/// The header must belong to the digests, so both are read in one transaction.
const HOLD: &str = "LOCK TABLE reference.white_list_marks IN ACCESS SHARE MODE";
const HEAD: &str = "SELECT head FROM reference.white_list";
const FIND: &str = "
    SELECT exempt FROM reference.white_list_marks WHERE mark = ANY($1) ORDER BY exempt LIMIT 1";

/// Why a list could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not a flat file of the white list.
    #[error(transparent)]
    File(#[from] FlatFileError),
    /// PostgreSQL reported an error.
    #[error("PostgreSQL refused the white list")]
    Database(#[from] tokio_postgres::Error),
}

/// A loaded list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// The day of the list.
    pub day: Date,
    /// The number of digests.
    pub digests: u64,
}

/// Replaces the list by that of a flat file, all or nothing.
pub async fn load(
    client: &mut Client,
    file: impl Read + Send + 'static,
) -> Result<Loaded, LoadError> {
    const AHEAD: usize = 16;
    let (sender, mut chunks) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || flat_file::read(file, &sender));
    let transaction = client.transaction().await?;
    transaction.batch_execute(BEGIN).await?;
    let sink = transaction.copy_in(COPY).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &[Type::UUID, Type::BOOL]));
    while let Some(chunk) = chunks.recv().await {
        for (Mark(mark), listed) in chunk {
            writer.as_mut().write(&[&mark, &(listed == Listed::Exempt)]).await?;
        }
    }
    let digests = writer.finish().await?;
    let list = match reading.await {
        Ok(list) => list?,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    };
    let day = list.day();
    transaction.batch_execute(SWAP).await?;
    transaction.execute(NAME, &[&Json(list)]).await?;
    transaction.commit().await?;
    Ok(Loaded { day, digests })
}

/// How an account is listed for a taxpayer, and the day of the list; `None` if no list was loaded.
pub async fn look_up(
    client: &mut Client,
    nip: &Nip,
    nrb: &str,
) -> Result<Option<(Date, Option<Listed>)>, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(HOLD).await?;
    let Some(head) = transaction.query_opt(HEAD, &[]).await? else { return Ok(None) };
    let Json(list): Json<WhiteList> = head.try_get(0)?;
    let marks: Vec<Uuid> = list.marks(nip, nrb).into_iter().map(|mark| mark.0).collect();
    let found = transaction.query_opt(FIND, &[&marks]).await?;
    let listed = found.map(|row| if row.get(0) { Listed::Exempt } else { Listed::Active });
    Ok(Some((list.day(), listed)))
}

/// The same lookup, as part of a command.
pub(crate) async fn find(
    services: &Services,
    nip: &Nip,
    nrb: &str,
) -> Result<(Date, Option<Listed>), Problem> {
    let silent = || Problem::unavailable("the white list is unavailable");
    let mut client = services.views.client().await.map_err(|_| silent())?;
    match look_up(&mut client, nip, nrb).await {
        Ok(found) => found.ok_or_else(|| {
            Problem::new(StatusCode::CONFLICT, "white_list.not_loaded")
                .detail("no VAT white list was loaded: see `kontor white-list load`")
        }),
        Err(error) if error.code().is_none() => Err(silent()),
        Err(error) => Err(Problem::internal(&error)),
    }
}
