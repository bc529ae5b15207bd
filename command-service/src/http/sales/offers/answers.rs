//! What a company answers to an offer.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Destination, OfCompany, Offer, OfferId, Product, ProductId, Quantity,
    offer::{self, Acceptance, Chosen, Digest, Stamp},
};
use event_log::Work;
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::{FieldError, Problem},
};

use super::{Reason, decide, must_know};
use crate::{
    Services,
    app::{
        parties::company_hierarchy,
        sales::{offering, ordering},
    },
    failure::{Failure, problem, refusal},
    http::Unversioned,
    http::access::{Buyers, By, Shoppers},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/offers/{id}/view",
            post_with(view, |o| {
                o.id("offer.view").summary("Record that the company has viewed a revision")
            }),
        )
        .api_route(
            "/v1/offers/{id}/accept",
            post_with(accept, |o| {
                o.id("offer.accept").summary(
                    "Accept a revision of an offer, or lines of it, which places its order",
                )
            }),
        )
        .api_route(
            "/v1/offers/{id}/reject",
            post_with(reject, |o| o.id("offer.reject").summary("Reject an offer")),
        )
}

/// What was looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ViewOffer")]
struct View {
    revision: u32,
}

async fn view(
    State(services): State<Services>,
    By { who: caller, .. }: By<Shoppers>,
    PathId(id): PathId,
    Body { value: View { revision }, digest }: Body<View>,
) -> Result<Unversioned, Problem> {
    let by = caller.actor();
    decide(&services, &caller, id, digest, offer::Command::View { by, revision }).await
}

/// What is accepted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AcceptOffer")]
struct Accept {
    /// The revision that was read.
    revision: u32,
    /// Its digest, as it was shown: nobody accepts what they did not see.
    digest: Digest,
    /// The lines that are taken; all that are needed when not given.
    #[serde(default)]
    lines: Option<Vec<Chosen>>,
    /// Where the goods go, and who pays for them, as far as that is said.
    #[serde(default)]
    destination: Destination,
}

async fn accept(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value, digest }: Body<Accept>,
) -> Result<Unversioned, Problem> {
    let today = services.clock.today();
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, value) = (caller.clone(), value.clone());
            async move {
                let Accept { revision: number, digest, lines: chosen, destination } = value;
                let offer = work.load::<Offer>(id).await?;
                must_know(&caller, offer)?;
                if let Some(company) = offer.company() {
                    company_hierarchy::buying_term(work, company).await?;
                    ordering::admit(work, company, caller.employee(), &destination).await?;
                }
                can_be_ordered(work, OfferId(id), chosen.as_deref().unwrap_or_default()).await?;
                let acceptance = Acceptance {
                    by: caller.actor(),
                    today,
                    stamp: Stamp { number, digest },
                    chosen,
                    destination,
                };
                let command = offer::Command::Accept(Box::new(acceptance));
                offering::decide(work, OfferId(id), command).await
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Refuses quantities other than those offered in which a product is not sold.
async fn can_be_ordered(work: &mut Work, offer: OfferId, chosen: &[Chosen]) -> Result<(), Failure> {
    let offer = work.load::<Offer>(offer).await?;
    let Some(revision) = offer.revision() else { return Ok(()) };
    let other = |chosen: &Chosen| -> Option<(ProductId, Quantity)> {
        let line = &revision.proposal.lines.line(chosen.line)?.line;
        chosen.quantity.filter(|&wanted| wanted != line.quantity).map(|q| (line.product, q))
    };
    let others: Vec<_> = chosen.iter().map(other).collect();
    work.load_many::<Product>(others.iter().flatten().map(|(product, _)| product.0)).await?;
    for (index, other) in others.into_iter().enumerate() {
        let Some((product, quantity)) = other else { continue };
        let item = work.get::<Product>(product).and_then(|product| product.item().ok());
        if let Some(Err(error)) = item.map(|item| item.can_be_ordered(quantity)) {
            let field = FieldError::at(format!("/lines/{index}/quantity"), error.to_string());
            return Err(refusal(&error).field(field).into());
        }
    }
    Ok(())
}

async fn reject(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value: Reason { reason }, digest }: Body<Reason>,
) -> Result<Unversioned, Problem> {
    let by = caller.actor();
    decide(&services, &caller, id, digest, offer::Command::Reject { by, reason }).await
}
