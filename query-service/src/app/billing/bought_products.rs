//! What companies have bought before.

use projections::views::billing::bought_products::{self, BoughtProduct};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadAccounts;
use service_kit::{
    page::{Listing, Page},
    problem::{FieldError, Problem, StatusCode},
};
use uuid::Uuid;

use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

/// What was bought, and by whom.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Whose; the seller must say it.
    pub company: Option<Uuid>,
    /// Words, or parts of words, of code and name.
    pub q: Option<String>,
}

/// What a company has bought on invoices, the latest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { company, q } }: Listing<List>,
) -> Result<Page<BoughtProduct>, Problem> {
    asker.require::<ReadAccounts>()?;
    let (limit, cursor) = page.read::<(i64, Uuid)>()?;
    let company = asker.narrowed(company)?.ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bought_products.company_missing")
            .field(FieldError::parameter("company", "is needed"))
    })?;
    let client = asker.client(queries, &[bought_products::PROJECTION.name]).await?;
    let sought = q.unwrap_or_default();
    let items = bought_products::list(&client, company, &sought, cursor, one_more(limit)).await;
    let cursor = |item: &BoughtProduct| (item.bought, item.product.0);
    Ok(Page::of(items.map_err(problem)?, limit, cursor))
}
