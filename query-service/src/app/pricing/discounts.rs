//! Discount programmes.

use projections::views::pricing::discounts::{self, Discount};
use service_kit::permissions::Sales;
use service_kit::{
    page::{Page, PageRequest},
    problem::Problem,
};

use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

/// All discount programmes.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    page: PageRequest,
) -> Result<Page<Discount>, Problem> {
    asker.require::<Sales>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, &[discounts::PROJECTION.name]).await?;
    let items = discounts::list(&client, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Page::of(items, limit, |discount| discount.offered))
}
