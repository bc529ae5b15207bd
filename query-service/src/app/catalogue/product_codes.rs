//! Product codes of a company.

use projections::views::catalogue::{
    catalogue,
    product_codes::{self, Code},
};
use service_kit::permissions::ReadTrade;
use service_kit::{
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[catalogue::PROJECTION.name, product_codes::PROJECTION.name];

/// A company's product codes, in the order in which they were assigned.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    company: Uuid,
    page: PageRequest,
) -> Result<Page<Code>, Problem> {
    asker.require::<ReadTrade>()?;
    let company = asker.narrowed(Some(company))?.unwrap_or(company);
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let items = product_codes::list(&client, company, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |code| code.assigned))
}
