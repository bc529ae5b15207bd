//! Price agreements and their prices.

use domain::AgreementId;
use projections::views::pricing::{
    price_agreements::{self, Agreement},
    prices::{self, Price},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::Sales;
use service_kit::{
    page::{Listing, Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[price_agreements::PROJECTION.name, prices::PROJECTION.name];

/// Which price agreements to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only contracts of this company itself.
    pub company: Option<Uuid>,
}

/// Price lists, contracts and promotions.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company } }: Listing<List>,
) -> Result<Page<Agreement>, Problem> {
    asker.require::<Sales>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let items = price_agreements::list(&client, None, company, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |agreement| agreement.created))
}

/// One price agreement.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Agreement, Problem> {
    asker.require::<Sales>()?;
    let client = asker.client(queries, VIEWS).await?;
    let found = price_agreements::list(&client, Some(id), None, None, 1).await;
    only(found.map_err(problem)?)
}

/// The prices of an agreement.
pub async fn list_prices(
    queries: &Queries,
    asker: &Asker,
    id: AgreementId,
    page: PageRequest,
) -> Result<Page<Price>, Problem> {
    asker.require::<Sales>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let items = prices::list(&client, id, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |price| price.agreed))
}
