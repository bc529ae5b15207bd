//! What companies send back or complain about, and what became of it.

use domain::{Side, goods_return::Kind};
use projections::{
    DocumentNumber,
    views::billing::goods_returns::{self, Filter, GoodsReturn, GoodsReturnSummary, Status},
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
    app::{before, numbered, one_more},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[goods_returns::PROJECTION.name];

/// Which returns.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those of this invoice.
    pub invoice: Option<Uuid>,
    /// Those of this order.
    pub order: Option<Uuid>,
    /// Those with this status.
    pub status: Option<Status>,
    /// Those of this kind.
    pub kind: Option<Kind>,
    /// The one with this number.
    pub number: Option<DocumentNumber>,
}

/// Returns without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter }: Listing<List>,
) -> Result<Page<GoodsReturnSummary>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let List { company, invoice, order, status, kind, number } = filter;
    let company = asker.narrowed(company)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: None, company, invoice, order, status, kind };
    let items = goods_returns::summaries(&client, filter, before(number, cursor), one_more(limit))
        .await
        .map_err(problem)?;
    Ok(numbered(items, limit, number, |item| (item.number, item.created)))
}

/// One return. A company does not see what the seller decided about goods that it keeps.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<GoodsReturn, Problem> {
    asker.require::<ReadTrade>()?;
    let filter = Filter { id: Some(id), company: asker.company(), ..Filter::default() };
    let is_seller = asker.company().is_none() && asker.side() == Side::Seller;
    let client = asker.client(queries, VIEWS).await?;
    let found = goods_returns::one(&client, filter, is_seller).await.map_err(problem)?;
    found.ok_or_else(Problem::not_found)
}
