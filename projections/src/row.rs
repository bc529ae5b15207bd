//! From rows to the domain's words.

use std::{fmt, str::FromStr};

use domain::{Currency, Money, characters::stored};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use tokio_postgres::{Row, row::RowIndex, types::Json};

/// Why a read model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// PostgreSQL refused.
    #[error("PostgreSQL refused a query on a read model")]
    Database(#[from] tokio_postgres::Error),
    /// PostgreSQL cannot be reached.
    #[error("PostgreSQL cannot be reached")]
    Unavailable(#[from] deadpool_postgres::PoolError),
    /// A row that no event could have made: the read model needs a rebuild.
    #[error("a row of a read model is malformed")]
    Malformed,
    /// History could not be read.
    #[error("history could not be read")]
    Log(#[from] event_log::Error),
    /// There is no such position yet.
    #[error("history has got to position {head} only, not to {wanted}")]
    Beyond {
        /// Where history ends.
        head: u64,
        /// Where the read model should be.
        wanted: u64,
    },
    /// The read model has not got to the wanted position in time.
    #[error("the read model is at {reached}, not yet at {wanted}")]
    Behind {
        /// Where it is.
        reached: u64,
        /// Where it should be.
        wanted: u64,
    },
}

/// The `LIMIT` of a page.
pub(crate) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A column, by its name; by its index where rows are read very often.
pub(crate) trait Column: RowIndex + fmt::Display {}

impl<C: RowIndex + fmt::Display> Column for C {}

/// A column of JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row, column: impl Column) -> Result<T, ReadError> {
    Ok(stored(|| row.try_get::<_, Json<T>>(column))?.0)
}

/// The same, when it may be null.
pub(crate) fn json_or_none<T: DeserializeOwned>(
    row: &Row,
    column: impl Column,
) -> Result<Option<T>, ReadError> {
    Ok(stored(|| row.try_get::<_, Option<Json<T>>>(column))?.map(|json| json.0))
}

/// A column of text that the domain parses.
pub(crate) fn parsed<T: FromStr>(row: &Row, column: impl Column) -> Result<T, ReadError> {
    let text = row.try_get::<_, &str>(column)?;
    stored(|| text.parse()).map_err(|_| ReadError::Malformed)
}

/// A column of text that stands for a word of the domain.
pub(crate) fn word<T: DeserializeOwned>(row: &Row, column: impl Column) -> Result<T, ReadError> {
    let word = row.try_get::<_, String>(column)?;
    let word = serde_json::Value::String(word);
    stored(|| serde_json::from_value(word)).map_err(|_| ReadError::Malformed)
}

/// The same, when it may be null.
pub(crate) fn word_or_none<T: DeserializeOwned>(
    row: &Row,
    column: impl Column,
) -> Result<Option<T>, ReadError> {
    let word = row.try_get::<_, Option<String>>(column)?;
    let read = |word| serde_json::from_value(serde_json::Value::String(word));
    stored(|| word.map(read).transpose()).map_err(|_| ReadError::Malformed)
}

/// A numeric column as money.
pub(crate) fn money(
    row: &Row,
    column: impl Column,
    currency: Currency,
) -> Result<Money, ReadError> {
    Money::new(row.try_get::<_, Decimal>(column)?, currency).map_err(|_| ReadError::Malformed)
}

/// Whether a sum is at the largest that read models show. Their statements take sums of amounts no
/// further, so that one row whose sums nothing can hold, as amounts of older builds can make, does
/// not keep others from being shown.
pub(crate) fn is_capped(sum: Money) -> bool {
    sum.amount().abs() >= Money::LARGEST_SUM
}

/// The text that stands for a word of the domain: what its JSON says.
pub(crate) fn name_of(word: &impl serde::Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
