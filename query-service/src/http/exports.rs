//! `/v1/exports`: what goes out as a sheet, to be changed and imported again.

mod assortments;
mod companies;
mod prices;
mod products;

use aide::axum::{ApiRouter, routing::get_with};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::sheet::Format;

use crate::Queries;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/exports/assortments",
            get_with(assortments::export, |o| {
                o.id("export.assortments").summary("Who sees what, as a sheet to be imported")
            }),
        )
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
        .api_route(
            "/v1/exports/products",
            get_with(products::export, |o| {
                o.id("export.products").summary("All products, as a sheet that can be imported")
            }),
        )
}

/// How the sheet is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The format of the file; CSV when not given.
    #[serde(default)]
    format: Format,
}
