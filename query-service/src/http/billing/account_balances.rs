//! `/v1/account-balances`: what every company owes.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::{
    billing::account_balances::{self, AccountBalance, Filter},
    parties::companies,
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::Query,
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{By, Money, problem},
    http::one_more,
};

const VIEWS: &[&str] = &[account_balances::PROJECTION.name, companies::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/account-balances",
        get_with(list, |o| {
            o.id("account_balance.list").summary("List account balances per company and currency")
        }),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those of this company.
    company: Option<Uuid>,
    /// Those of the company that the seller knows by this number.
    reference: Option<String>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Money>,
    Query(List { limit, cursor, company, reference }): Query<List>,
) -> Result<Json<Page<AccountBalance>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<(Uuid, String)>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { today: queries.clock.today(), company, reference: reference.as_deref() };
    let items =
        account_balances::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |item| (item.company.0, item.currency.code().to_owned()))))
}
