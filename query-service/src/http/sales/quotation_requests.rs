//! `/v1/quotation-requests`: what companies asked prices for, and what became of it.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use projections::{
    heads::InquiryHead,
    views::{
        parties::employees,
        sales::quotation_requests::{self, Filter, QuotationRequest, Status},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{Asker, By, Trade, problem},
    http::{one_more, only},
};

const VIEWS: &[&str] = &[employees::PROJECTION.name, quotation_requests::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/quotation-requests",
            get_with(list, |o| {
                o.id("quotation_request.list")
                    .summary("Requests for quotation without their lines, newest first")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}",
            get_with(show, |o| o.id("quotation_request.show").summary("One request for quotation")),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those with this status.
    status: Option<Status>,
    /// Those of this company.
    company: Option<Uuid>,
    /// Those that this employee of the seller looks after.
    representative: Option<Uuid>,
    /// Only the asker's own: those that they look after or, in a company, made.
    mine: Option<bool>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(List { limit, cursor, status, company, representative, mine }): Query<List>,
) -> Result<Json<Page<QuotationRequest<InquiryHead>>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let filter = Filter { company, status, representative, ..Filter::default() };
    let filter = if mine == Some(true) { own(&asker, filter)? } else { filter };
    let client = asker.client(&queries, VIEWS).await?;
    let items = quotation_requests::summaries(&client, filter, cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, |item| item.created)))
}

fn own(asker: &Asker, filter: Filter) -> Result<Filter, Problem> {
    let employee = asker.employee().ok_or_else(|| {
        let code = "quotation_request.needs_employee";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code)
            .field(FieldError::parameter("mine", "ask with a key that was made for an employee"))
    })?;
    let employee = Some(employee.0);
    if asker.company().is_some() {
        return Ok(Filter { requested_by: employee, ..filter });
    }
    match filter.representative {
        Some(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
            .field(FieldError::parameter("mine", "leaves no choice of representative"))),
        None => Ok(Filter { representative: employee, ..filter }),
    }
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    PathId(id): PathId,
) -> Result<Json<QuotationRequest>, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { id: Some(id), company: asker.company(), ..Filter::default() };
    only(quotation_requests::list(&client, filter, None, 1).await.map_err(problem)?)
}
