//! `/v1/account-balances`: balances of companies.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use projections::views::billing::account_balances::AccountBalance;
use service_kit::permissions::ReadAccounts;
use service_kit::{
    input::Query,
    page::{Listing, Page},
    problem::Problem,
};

use crate::{
    Queries,
    app::billing::account_balances::{self, List},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/account-balances",
        get_with(list, |o| {
            o.id("account_balance.list").summary("List account balances per company and currency")
        }),
    )
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadAccounts>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<AccountBalance>>, Problem> {
    account_balances::list(&queries, &asker, asked).await.map(Json)
}
