//! Shipments.

use projections::{
    DocumentNumber,
    views::fulfilment::shipments::{self, Filter, Shipment, ShipmentSummary, Status},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadTrade;
use service_kit::{
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{before, numbered, one_more, only},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[shipments::PROJECTION.name];

/// Which shipments to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this order.
    pub order: Option<Uuid>,
    /// Those with this status.
    pub status: Option<Status>,
    /// The one with this number.
    pub number: Option<DocumentNumber>,
}

/// Shipments without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, order, status, number } }: Listing<List>,
) -> Result<Page<ShipmentSummary>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { company, order, status, ..Filter::default() };
    let items = shipments::summaries(&client, &filter, before(number, cursor), one_more(limit))
        .await
        .map_err(problem)?;
    Ok(numbered(items, limit, number, |item| (item.state.number, item.state.created)))
}

/// One shipment.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Shipment, Problem> {
    asker.require::<ReadTrade>()?;
    let company = asker.company();
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company, ..Filter::default() };
    only(shipments::list(&client, &filter, None, 1).await.map_err(problem)?)
}
