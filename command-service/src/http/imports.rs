//! `/v1/imports`: import sheets.

use aide::axum::{ApiRouter, routing::post_with};
use axum::{Json, extract::State};
use service_kit::permissions::{Dispatch, Pricing, Sales};
use service_kit::{input::Query, problem::Problem, upload::Upload};

use crate::{
    Services,
    http::access::By,
    imports::{
        self, ImportOptions, Report,
        catalogue::{assortments, product_codes, products},
        inventory::{stock, stock_feed},
        parties::companies,
        pricing::prices,
    },
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/imports/assortments",
            post_with(import_assortments, |o| {
                o.id("import.assortments").summary("Import assortment rules from a sheet")
            }),
        )
        .api_route(
            "/v1/imports/companies",
            post_with(import_companies, |o| {
                o.id("import.companies").summary("Import companies from a sheet")
            }),
        )
        .api_route(
            "/v1/imports/prices",
            post_with(import_prices, |o| {
                o.id("import.prices").summary("Import prices from a sheet")
            }),
        )
        .api_route(
            "/v1/imports/product-codes",
            post_with(import_product_codes, |o| {
                o.id("import.product_codes")
                    .summary("Import companies' own product codes from a sheet")
            }),
        )
        .api_route(
            "/v1/imports/products",
            post_with(import_products, |o| {
                o.id("import.products").summary("Import products from a sheet")
            }),
        )
        .api_route(
            "/v1/imports/stock",
            post_with(import_stock, |o| {
                o.id("import.stock").summary("Import stock levels from a sheet")
            }),
        )
        .api_route(
            "/v1/imports/stock-feed",
            post_with(import_stock_feed, |o| {
                o.id("import.stock_feed")
                    .summary("Import levels, receipts and shipments of an external warehouse")
            }),
        )
}

async fn import_assortments(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Query(options): Query<ImportOptions>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<assortments::Row>(&services, &caller, upload, options).await?))
}

async fn import_product_codes(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Query(options): Query<ImportOptions>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<product_codes::Row>(&services, &caller, upload, options).await?))
}

async fn import_stock(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Query(options): Query<ImportOptions>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<stock::Row>(&services, &caller, upload, options).await?))
}

async fn import_stock_feed(
    State(services): State<Services>,
    By { who: caller, .. }: By<Dispatch>,
    Query(options): Query<ImportOptions>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<stock_feed::Row>(&services, &caller, upload, options).await?))
}

async fn import_companies(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Query(options): Query<ImportOptions>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<companies::Row>(&services, &caller, upload, options).await?))
}

async fn import_prices(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Query(options): Query<ImportOptions>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<prices::Row>(&services, &caller, upload, options).await?))
}

async fn import_products(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Query(options): Query<ImportOptions>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<products::Row>(&services, &caller, upload, options).await?))
}
