//! `/v1/offer-templates`: reusable lines and terms for offers.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::OfferTemplateId;
use service_kit::permissions::Sales;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        sales::offer_template::{self, Keep},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/offer-templates",
            post_with(make, |o| o.id("offer_template.make").summary("Create an offer template")),
        )
        .api_route(
            "/v1/offer-templates/{id}/keep",
            post_with(keep, |o| {
                o.id("offer_template.keep").summary("Replace the content of an offer template")
            }),
        )
        .api_route(
            "/v1/offer-templates/{id}/drop",
            post_with(forget, |o| o.id("offer_template.drop").summary("Drop an offer template")),
        )
}

async fn make(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Body { value, digest }: Body<Keep>,
) -> Result<Created, Problem> {
    let outcome = offer_template::make(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/offer-templates", outcome))
}

async fn keep(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Keep>,
) -> Result<Done, Problem> {
    Ok(offer_template::keep(&services, &caller, digest, OfferTemplateId(id), value).await?.into())
}

async fn forget(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(offer_template::forget(&services, &caller, digest, OfferTemplateId(id)).await?.into())
}
