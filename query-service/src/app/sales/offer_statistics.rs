//! Offer statistics: results, discounts and response times.

use domain::Currency;
use jiff::civil::Date;
use projections::views::sales::{
    offer_statistics::{self, By as Grouping, Filter, Statistics},
    quotation_requests,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::Sales;
use service_kit::{
    access::Role,
    page::{Listing, Page},
    problem::{FieldError, Problem, StatusCode},
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{invalid, one_more},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[offer_statistics::PROJECTION.name, quotation_requests::PROJECTION.name];

/// Which offers, and the grouping.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The grouping; by representative when not given.
    #[serde(default)]
    pub by: Grouping,
    /// Only offers first sent on this day or later.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<Date>,
    /// Only offers first sent on this day or earlier.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub to: Option<Date>,
    /// Only offers whose last revision has this currency.
    pub currency: Option<Currency>,
    /// Only offers of this representative.
    pub representative: Option<Uuid>,
    /// Only offers to this company.
    pub company: Option<Uuid>,
    /// Only lines of this product.
    pub product: Option<Uuid>,
}

/// Offer statistics per representative, customer or product; representatives see their own.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter }: Listing<List>,
) -> Result<Page<Statistics>, Problem> {
    asker.require::<Sales>()?;
    let (limit, cursor) = page.read::<(i64, Uuid)>()?;
    let List { by, from, to, currency, representative, company, product } = filter;
    for (name, day) in [("from", from), ("to", to)] {
        if let Some(Err(error)) = day.map(domain::day::checked) {
            return Err(invalid(name, error.to_string()));
        }
    }
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(invalid("to", "must not be before from"));
    }
    let representative = seen(asker, representative)?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { by, product, representative, company, from, to, currency };
    let items = offer_statistics::list(&client, filter, cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, Statistics::cursor))
}

/// Managers see all offers, representatives only their own.
fn seen(asker: &Asker, wanted: Option<Uuid>) -> Result<Option<Uuid>, Problem> {
    if asker.role() != Role::Sales {
        return Ok(wanted);
    }
    let own = asker.employee().map(Uuid::from).ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "offer_statistics.needs_employee")
            .detail("needs the key of an employee")
    })?;
    if wanted.is_some_and(|wanted| wanted != own) {
        let field =
            FieldError::parameter("representative", "only managers see the statistics of others");
        return Err(Problem::new(StatusCode::FORBIDDEN, "offer_statistics.own_only").field(field));
    }
    Ok(Some(own))
}
