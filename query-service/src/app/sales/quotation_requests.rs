//! Quotation requests.

use projections::{
    heads::InquiryHead,
    views::{
        parties::employees,
        sales::quotation_requests::{self, Filter, QuotationRequest, Status},
    },
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
    app::{invalid, one_more, only, own},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[employees::PROJECTION.name, quotation_requests::PROJECTION.name];

/// Which quotation requests to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this status.
    pub status: Option<Status>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only requests assigned to this employee of the seller.
    pub representative: Option<Uuid>,
    /// Only requests assigned to the asker or, in a company, made by the asker.
    pub mine: Option<bool>,
}

/// Quotation requests without their lines, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter }: Listing<List>,
) -> Result<Page<QuotationRequest<InquiryHead>>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let List { status, company, representative, mine } = filter;
    let company = asker.narrowed(company)?;
    let filter = Filter { company, status, representative, ..Filter::default() };
    let filter = if mine == Some(true) { only_own(asker, filter)? } else { filter };
    let client = asker.client(queries, VIEWS).await?;
    let items = quotation_requests::summaries(&client, filter, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |item| item.created))
}

fn only_own(asker: &Asker, filter: Filter) -> Result<Filter, Problem> {
    let employee = Some(own(asker, "quotation_request.needs_employee")?.0);
    if asker.company().is_some() {
        return Ok(Filter { requested_by: employee, ..filter });
    }
    match filter.representative {
        Some(_) => Err(invalid("mine", "cannot be combined with representative")),
        None => Ok(Filter { representative: employee, ..filter }),
    }
}

/// One quotation request.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<QuotationRequest, Problem> {
    asker.require::<ReadTrade>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company: asker.company(), ..Filter::default() };
    only(quotation_requests::list(&client, filter, None, 1).await.map_err(problem)?)
}
