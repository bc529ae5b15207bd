//! `/v1/credit-notes`: issue credit notes.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use service_kit::permissions::Bookkeeping;
use service_kit::{input::Body, problem::Problem};

use crate::{
    app::{
        Services,
        billing::credit_note::{self, Issue},
    },
    http::{Created, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/credit-notes",
        post_with(issue, |o| o.id("invoice.issue_credit_note").summary("Issue a credit note")),
    )
}

async fn issue(
    State(services): State<Services>,
    By { who: caller, .. }: By<Bookkeeping>,
    Body { value, digest }: Body<Issue>,
) -> Result<Created, Problem> {
    let outcome = credit_note::issue(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/invoices", outcome))
}
