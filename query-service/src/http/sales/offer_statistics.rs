//! `/v1/offer-statistics`: what became of offers, what came off, and how long answers took.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use domain::Currency;
use jiff::civil::Date;
use projections::views::sales::{
    offer_statistics::{self, By as Grouping, Filter, Statistics},
    quotation_requests,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    access::Role,
    input::Query,
    page::{Page, PageRequest},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{Asker, By, Sales, problem},
    http::one_more,
};

const VIEWS: &[&str] = &[offer_statistics::PROJECTION.name, quotation_requests::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/offer-statistics",
        get_with(list, |o| {
            o.id("offer_statistics.list").summary(
                "List offer statistics per representative, customer or product; sales see their own",
            )
        }),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// By what offers are taken together; by representative when not given.
    #[serde(default)]
    by: Grouping,
    /// Those that were sent first on this day or later.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    from: Option<Date>,
    /// Those that were sent first on this day or earlier.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    to: Option<Date>,
    /// Those of which the last revision is in this currency.
    currency: Option<Currency>,
    /// Those that this employee of the seller looks after.
    representative: Option<Uuid>,
    /// Those to this company.
    company: Option<Uuid>,
    /// Of them only the lines of this product.
    product: Option<Uuid>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(List { limit, cursor, by, from, to, currency, representative, company, product }): Query<
        List,
    >,
) -> Result<Json<Page<Statistics>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<(i64, Uuid)>()?);
    for (name, day) in [("from", from), ("to", to)] {
        if let Some(Err(error)) = day.map(domain::day::checked) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
                .field(FieldError::parameter(name, error.to_string())));
        }
    }
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
            .field(FieldError::parameter("to", "must not be before from")));
    }
    let representative = seen(&asker, representative)?;
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { by, product, representative, company, from, to, currency };
    let items = offer_statistics::list(&client, filter, cursor, one_more(limit)).await;
    Ok(Json(Page::of(items.map_err(problem)?, limit, Statistics::cursor)))
}

/// Managers see everybody's offers, a representative only their own.
fn seen(asker: &Asker, wanted: Option<Uuid>) -> Result<Option<Uuid>, Problem> {
    if asker.role() != Role::Sales {
        return Ok(wanted);
    }
    let own = asker.employee().map(Uuid::from).ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "offer_statistics.needs_employee")
            .detail("ask with a key that was made for an employee")
    })?;
    if wanted.is_some_and(|wanted| wanted != own) {
        let field = FieldError::parameter("representative", "managers alone see those of others");
        return Err(Problem::new(StatusCode::FORBIDDEN, "offer_statistics.own_only").field(field));
    }
    Ok(Some(own))
}
