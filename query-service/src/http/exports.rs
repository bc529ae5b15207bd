//! `/v1/exports`: sheets that can be changed and imported again.

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use domain::AgreementId;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::Sales;
use service_kit::{download::Download, input::Query, problem::Problem, sheet::Format};

use crate::{
    Queries,
    app::exports::{self, Sheet},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/exports/assortments",
            get_with(assortments, |o| {
                o.id("export.assortments")
                    .summary("Export assortment rules as a sheet that can be imported")
            }),
        )
        .api_route(
            "/v1/exports/companies",
            get_with(companies, |o| {
                o.id("export.companies").summary("Export companies as a sheet that can be imported")
            }),
        )
        .api_route(
            "/v1/exports/prices",
            get_with(prices, |o| {
                o.id("export.prices")
                    .summary("Export the prices of an agreement as a sheet that can be imported")
            }),
        )
        .api_route(
            "/v1/exports/products",
            get_with(products, |o| {
                o.id("export.products").summary("Export products as a sheet that can be imported")
            }),
        )
}

/// The format of an export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// The format of the file; CSV when not given.
    #[serde(default)]
    format: Format,
}

/// The agreement and the format.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfAgreement {
    /// The price agreement.
    agreement: AgreementId,
    /// The format of the file; CSV when not given.
    #[serde(default)]
    format: Format,
}

async fn assortments(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(ExportQuery { format }): Query<ExportQuery>,
) -> Result<Download, Problem> {
    download(exports::assortments(&queries, &asker).await?, format).await
}

async fn companies(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(ExportQuery { format }): Query<ExportQuery>,
) -> Result<Download, Problem> {
    download(exports::companies(&queries, &asker).await?, format).await
}

async fn prices(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(OfAgreement { agreement, format }): Query<OfAgreement>,
) -> Result<Download, Problem> {
    download(exports::prices(&queries, &asker, agreement).await?, format).await
}

async fn products(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(ExportQuery { format }): Query<ExportQuery>,
) -> Result<Download, Problem> {
    download(exports::products(&queries, &asker).await?, format).await
}

async fn download(sheet: Sheet, format: Format) -> Result<Download, Problem> {
    let Sheet { name, header, rows, place } = sheet;
    Download::sheet(name, header, rows, format, place).await
}
