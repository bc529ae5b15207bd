//! What can go wrong with history.

use std::convert::Infallible;

use service_kit::postgres;
use uuid::Uuid;

/// Why history could not be read or reached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL did not answer in time. Whether a command under way was recorded is not known:
    /// ask again under the same command id.
    #[error("the log is not available")]
    Unavailable,
    /// PostgreSQL refused.
    #[error("PostgreSQL refused a statement on the log")]
    Database(#[from] tokio_postgres::Error),
    /// A stored event of this stream cannot be read by this build.
    #[error("event {version} of stream {stream_id} cannot be read")]
    Unreadable {
        /// The stream.
        stream_id: Uuid,
        /// The event's place in it.
        version: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// A snapshot cannot be read by this build; its stream can.
    #[error("the snapshot of stream {stream_id} cannot be read")]
    SnapshotUnreadable {
        /// The stream.
        stream_id: Uuid,
        /// Why.
        source: serde_json::Error,
    },
    /// An event cannot be written as JSON.
    #[error("an event cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
    /// A stream id that is no UUID.
    #[error("{0:?} is no stream id: a UUID is needed")]
    StreamId(String),
    /// The log is known to have lost its end: a command would fork history.
    #[error("the log takes no commands: {0}")]
    BehindStream(String),
    /// The URL of the database cannot be understood.
    #[error("the database URL is malformed")]
    Url(#[source] tokio_postgres::Error),
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => Self::Database(error),
            _ => Self::Unavailable,
        }
    }
}

impl Error {
    /// Whether the same call may succeed later without anything being mended.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable => true,
            Self::Database(error) => postgres::is_unavailable(error),
            Self::Unreadable { .. }
            | Self::SnapshotUnreadable { .. }
            | Self::Unwritable(_)
            | Self::BehindStream(_)
            | Self::StreamId(_)
            | Self::Url(_) => false,
        }
    }
}

/// Why an append was not written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A stream that was read or is written has moved on since.
    #[error("stream {stream_id} has moved on")]
    Conflict {
        /// Which one.
        stream_id: Uuid,
    },
    /// It was decided on an append of this process that came to nothing; only what
    /// [`EventLog::execute`](crate::EventLog::execute) appends can be.
    #[error("an append that this one builds on was not written")]
    BaseNotWritten,
    /// The command id was used for another request before.
    #[error("the command id was used for another request")]
    KeyReused,
    /// More, or larger, events than an append may have.
    #[error("an append has at most 10000 events, of at most 4 MiB each and 64 MiB together")]
    TooLarge,
    /// The log itself failed.
    #[error(transparent)]
    Log(#[from] Error),
}

/// Why a command was not executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<E> {
    /// The decision said no, or could not be made.
    #[error("the command was refused")]
    Refused(E),
    /// Others kept changing what the decision read, as often as it was tried.
    #[error("others changed the same at the same time")]
    Conflict,
    /// The command id was used for another request before.
    #[error("the command id was used for another request")]
    KeyReused,
    /// More, or larger, events than an append may have.
    #[error("the command would record too much at once")]
    TooLarge,
    /// The log itself failed.
    #[error(transparent)]
    Log(#[from] Error),
}

impl ExecuteError<Infallible> {
    /// The same of a command that could have been refused.
    pub(crate) fn widen<E>(self) -> ExecuteError<E> {
        match self {
            Self::Refused(never) => match never {},
            Self::Conflict => ExecuteError::Conflict,
            Self::KeyReused => ExecuteError::KeyReused,
            Self::TooLarge => ExecuteError::TooLarge,
            Self::Log(error) => ExecuteError::Log(error),
        }
    }
}
