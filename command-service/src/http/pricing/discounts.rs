//! `/v1/discounts`: what companies earn by what they buy.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Audience, Discount, DiscountId, Selection,
    discount::{Command, Kind, Programme, Tiers},
};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{input::Body, problem::Problem};

use crate::{
    Services,
    caller::Caller,
    failure::{Failure, given, problem},
    http::access::{By, Pricing},
    http::{Done, catalogue::assortments},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/discounts/offer",
            post_with(offer, |o| {
                o.id("discount.offer")
                    .summary("Offer a discount programme for turnover or frequent orders")
            }),
        )
        .api_route(
            "/v1/discounts/end",
            post_with(end, |o| o.id("discount.end").summary("End a discount programme")),
        )
}

/// To whom, and what. It takes the place of the audience's programme of the same kind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferDiscount")]
struct Offer {
    audience: Audience,
    programme: Programme,
}

/// Whose, and which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EndDiscount")]
struct End {
    audience: Audience,
    kind: Kind,
}

async fn offer(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: Offer { audience, programme }, digest }: Body<Offer>,
) -> Result<Done, Problem> {
    if let Tiers::Turnover { tiers } = &programme.tiers {
        for (index, tier) in tiers.iter().enumerate() {
            given(&format!("/programme/tiers/tiers/{index}/at_least"), tier.at_least)?;
        }
    }
    let id = DiscountId::of(&audience, programme.kind());
    let command = Command::Offer { audience: audience.clone(), programme };
    decide(&services, &caller, digest, &audience, id, command).await
}

async fn end(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: End { audience, kind }, digest }: Body<End>,
) -> Result<Done, Problem> {
    let id = DiscountId::of(&audience, kind);
    decide(&services, &caller, digest, &audience, id, Command::End).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    audience: &Audience,
    id: DiscountId,
    command: Command,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (audience, command) = (audience.clone(), command.clone());
            async move {
                assortments::exist(work, &audience, Selection::Everything).await?;
                work.decide::<Discount>(id, command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}
