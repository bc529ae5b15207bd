//! Offer templates.

use projections::views::sales::offer_templates::{self, OfferTemplate, OfferTemplateSummary};
use service_kit::permissions::Sales;
use service_kit::{
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[offer_templates::PROJECTION.name];

/// Offer templates without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    page: PageRequest,
) -> Result<Page<OfferTemplateSummary>, Problem> {
    asker.require::<Sales>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let items = offer_templates::summaries(&client, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |item| item.created))
}

/// One offer template.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<OfferTemplate, Problem> {
    asker.require::<Sales>()?;
    let client = asker.client(queries, VIEWS).await?;
    only(offer_templates::list(&client, Some(id), None, 1).await.map_err(problem)?)
}
