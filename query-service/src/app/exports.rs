//! What goes out as a sheet, to be changed and imported again.

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

/// Where sheets are made and sent: so many at once, one of a key.
static LIMIT: LazyLock<ConcurrencyLimit> = LazyLock::new(|| ConcurrencyLimit::new("export", 4));

/// How many things are read at once.
const PAGE: i64 = 500;

/// A sheet with the columns that an import knows. It is read as it is sent.
pub struct Sheet {
    /// What it is called, without an extension.
    pub name: &'static str,
    /// The names of its columns.
    pub header: &'static [&'static str],
    /// Its rows, as many as are read at once.
    pub rows: BoxStream<'static, Result<Rows, Problem>>,
    /// Its place among the sheets that are made at once, to be kept until all of it is sent.
    pub place: Permit,
}

/// Rows of a sheet.
pub type Rows = Vec<Vec<Cell>>;

/// The rows of one page, and behind which place in the log the next one begins, if there is one.
type Read = Result<(Rows, Option<i64>), Problem>;
type Reading = Pin<Box<dyn Future<Output = Read> + Send>>;

/// All rows, page by page, each read when the one before was sent. No connection is kept between.
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

/// Behind which one of these the next page begins; none when they are the last.
fn next_after<T>(page: &[T], place: impl Fn(&T) -> i64) -> Option<i64> {
    let is_full = i64::try_from(page.len()).is_ok_and(|count| count == PAGE);
    page.last().filter(|_| is_full).map(place)
}
