//! `/v1/imports`: what comes as a sheet.

use aide::axum::{ApiRouter, routing::post_with};
use axum::{Json, extract::State};
use service_kit::{input::Query, problem::Problem, upload::Upload};

use crate::{
    Services,
    caller::{By, Sales},
    imports::{self, Report, Wish, companies},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/imports/companies",
        post_with(import_companies, |o| {
            o.id("import.companies").summary("Register or change companies by a sheet")
        }),
    )
}

async fn import_companies(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Query(wish): Query<Wish>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    Ok(Json(imports::run::<companies::Row>(&services, &caller, upload, wish).await?))
}
