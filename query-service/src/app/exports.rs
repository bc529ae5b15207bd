//! Exports: sheets that can be changed and imported again.

mod assortments;
mod companies;
mod prices;
mod products;

use std::{pin::Pin, sync::LazyLock};

use deadpool_postgres::Object;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use service_kit::{
    concurrency::{ConcurrencyLimit, Permit},
    problem::Problem,
    sheet::Cell,
};

pub use self::{
    assortments::assortments, companies::companies, prices::prices, products::products,
};
use crate::{Queries, asker::problem};

/// The limit of concurrent exports: in total, and one per key.
static LIMIT: LazyLock<ConcurrencyLimit> = LazyLock::new(|| ConcurrencyLimit::new("export", 4));

/// The number of items read at once.
const PAGE: i64 = 500;

/// A sheet with the columns of the import. It is read while it is sent.
pub struct Sheet {
    /// Its file name without extension.
    pub name: &'static str,
    /// The names of its columns.
    pub header: &'static [&'static str],
    /// Its rows, page by page.
    pub rows: BoxStream<'static, Result<Rows, Problem>>,
    /// The permit of the concurrency limit, held until all of it is sent.
    pub place: Permit,
}

/// Rows of a sheet.
pub type Rows = Vec<Vec<Cell>>;

/// The rows of one page, and the position after which the next one begins, if there is one.
type Read = Result<(Rows, Option<i64>), Problem>;
type Reading = Pin<Box<dyn Future<Output = Read> + Send>>;

/// All rows, page by page, each read when the previous one was sent. No connection is held between
/// pages.
fn pages(
    queries: Queries,
    read: impl Fn(Object, Option<i64>) -> Reading + Send + 'static,
) -> BoxStream<'static, Result<Rows, Problem>> {
    let rows = stream::try_unfold((queries, read, Some(None)), async |(queries, read, next)| {
        let Some(after) = next else { return Ok(None) };
        let client = queries.views.client().await.map_err(problem)?;
        let (rows, next) = read(client, after).await?;
        Ok(Some((rows, (queries, read, next.map(Some)))))
    });
    rows.boxed()
}

/// The position after which the next page begins; `None` after the last page.
fn next_after<T>(page: &[T], place: impl Fn(&T) -> i64) -> Option<i64> {
    let is_full = i64::try_from(page.len()).is_ok_and(|count| count == PAGE);
    page.last().filter(|_| is_full).map(place)
}
