//! `/v1/companies`: taking on customers, and what is agreed with them.

mod places;
mod standing;
mod terms;
mod tree;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{Company, CompanyId, PaymentTerm, company};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Services,
    app::parties::company_hierarchy,
    failure::{Failure, problem},
    http::access::{By, Sales},
    http::{Created, Done, decide},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies",
            post_with(register, |o| o.id("company.register").summary("Register a company")),
        )
        .api_route(
            "/v1/companies/{id}/rename",
            post_with(rename, |o| o.id("company.rename").summary("Rename a company")),
        )
        .merge(standing::routes())
        .merge(terms::routes())
        .merge(places::routes())
        .merge(tree::routes())
}

/// A new customer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RegisterCompany")]
struct Register {
    name: domain::Name,
    tax_id: domain::TaxId,
    #[serde(default)]
    reference: Option<domain::Reference>,
    payment_term: PaymentTerm,
}

async fn register(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Body { value, digest }: Body<Register>,
) -> Result<Created, Problem> {
    let id = CompanyId(Uuid::now_v7());
    let Register { name, tax_id, reference, payment_term } = value;
    let profile = company::Profile { name, tax_id, reference };
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let profile = profile.clone();
            async move {
                company_hierarchy::register(work, id, profile, payment_term).await?;
                work.answer(id);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/companies", done.outcome))
}

/// Its new name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RenameCompany")]
struct Rename {
    name: domain::Name,
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Rename { name }, digest }: Body<Rename>,
) -> Result<Done, Problem> {
    decide::<Company>(&services, &caller, id, digest, company::Command::Rename { name }).await
}
