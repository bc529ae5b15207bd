//! Discounts: programmes by turnover or number of orders.

use domain::{
    Audience, Discount, DiscountId, Selection,
    discount::{Command, Kind, Programme, Tiers},
};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{
    app::{Services, catalogue::assortment, deciding},
    caller::Caller,
    failure::given,
};

/// A discount programme. It replaces the audience's programme of the same kind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferDiscount")]
pub struct Offer {
    pub audience: Audience,
    pub programme: Programme,
}

/// The audience and the kind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EndDiscount")]
pub struct End {
    pub audience: Audience,
    pub kind: Kind,
}

/// Offers a discount programme for turnover or frequent orders.
pub async fn offer(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Offer { audience, programme }: Offer,
) -> Result<Outcome, Problem> {
    if let Tiers::Turnover { tiers } = &programme.tiers {
        for (index, tier) in tiers.iter().enumerate() {
            given(&format!("/programme/tiers/tiers/{index}/at_least"), tier.at_least)?;
        }
    }
    let id = DiscountId::of(&audience, programme.kind());
    let command = Command::Offer { audience: audience.clone(), programme };
    decide(services, caller, digest, &audience, id, command).await
}

/// Ends a discount programme.
pub async fn end(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    End { audience, kind }: End,
) -> Result<Outcome, Problem> {
    let id = DiscountId::of(&audience, kind);
    decide(services, caller, digest, &audience, id, Command::End).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    audience: &Audience,
    id: DiscountId,
    command: Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                assortment::exist(work, audience, Selection::Everything).await?;
                work.decide::<Discount>(id, command.clone()).await?;
                Ok(())
            })
        })
        .await
}
