//! `/v1/exports`: what goes out as a sheet, to be changed and imported again.

mod companies;
mod prices;

use aide::axum::{ApiRouter, routing::get_with};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::sheet::Format;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/exports/companies",
            get_with(companies::export, |o| {
                o.id("export.companies").summary("All companies, as a sheet that can be imported")
            }),
        )
        .api_route(
            "/v1/exports/prices",
            get_with(prices::export, |o| {
                o.id("export.prices").summary("An agreement's prices, as a sheet to be imported")
            }),
        )
}

/// How the sheet is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    format: Format,
}
