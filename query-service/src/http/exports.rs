//! `/v1/exports`: what goes out as a sheet, to be changed and imported again.

mod assortments;
mod companies;
mod prices;
mod products;

use std::{pin::Pin, sync::LazyLock};

use aide::axum::{ApiRouter, routing::get_with};
use deadpool_postgres::Object;
use futures::{Stream, stream};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{concurrency::ConcurrencyLimit, download::Rows, problem::Problem, sheet::Format};

use crate::{Queries, asker::problem};

/// Where sheets are made and sent: so many at once, one of a key.
static LIMIT: LazyLock<ConcurrencyLimit> = LazyLock::new(|| ConcurrencyLimit::new("export", 4));

/// How many things are read at once.
const PAGE: i64 = 500;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/exports/assortments",
            get_with(assortments::export, |o| {
                o.id("export.assortments")
                    .summary("Export assortment rules as a sheet that can be imported")
            }),
        )
        .api_route(
            "/v1/exports/companies",
            get_with(companies::export, |o| {
                o.id("export.companies").summary("Export companies as a sheet that can be imported")
            }),
        )
        .api_route(
            "/v1/exports/prices",
            get_with(prices::export, |o| {
                o.id("export.prices")
                    .summary("Export the prices of an agreement as a sheet that can be imported")
            }),
        )
        .api_route(
            "/v1/exports/products",
            get_with(products::export, |o| {
                o.id("export.products").summary("Export products as a sheet that can be imported")
            }),
        )
}

/// How the sheet is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The format of the file; CSV when not given.
    #[serde(default)]
    format: Format,
}

/// The rows of one page, and behind which place in the log the next one begins, if there is one.
type Read = Result<(Rows, Option<i64>), Problem>;
type Reading = Pin<Box<dyn Future<Output = Read> + Send>>;

/// All rows, page by page, each read when the one before was sent. No connection is kept between.
fn pages(
    queries: Queries,
    read: impl Fn(Object, Option<i64>) -> Reading + Send + 'static,
) -> impl Stream<Item = Result<Rows, Problem>> + Send + 'static {
    stream::try_unfold((queries, read, Some(None)), async |(queries, read, next)| {
        let Some(after) = next else { return Ok(None) };
        let client = queries.views.client().await.map_err(problem)?;
        let (rows, next) = read(client, after).await?;
        Ok(Some((rows, (queries, read, next.map(Some)))))
    })
}

/// Behind which one of these the next page begins; none when they are the last.
fn next_after<T>(page: &[T], place: impl Fn(&T) -> i64) -> Option<i64> {
    let is_full = i64::try_from(page.len()).is_ok_and(|count| count == PAGE);
    page.last().filter(|_| is_full).map(place)
}
