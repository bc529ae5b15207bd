//! Answers of a company to an offer.

use domain::{
    Destination, OfCompany, Offer, OfferId, Product, ProductId, Quantity,
    offer::{self, Acceptance, Chosen, Digest, Stamp},
};
use event_log::{Outcome, Work};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};

use super::{Reason, decide, must_know};
use crate::{
    app::{
        Services, deciding,
        parties::company_hierarchy,
        sales::{offering, ordering},
    },
    caller::Caller,
    failure::{Failure, refusal},
};

/// The viewed revision.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ViewOffer")]
pub struct View {
    pub revision: u32,
}

/// Records that the company has viewed a revision.
pub async fn view(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    View { revision }: View,
) -> Result<Outcome, Problem> {
    let by = caller.actor();
    decide(services, caller, digest, id, offer::Command::View { by, revision }).await
}

/// The accepted revision and lines.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AcceptOffer")]
pub struct Accept {
    /// The revision.
    pub revision: u32,
    /// The digest of the revision as it was displayed, so that only content that was read can be
    /// accepted.
    pub digest: Digest,
    /// The accepted lines; all required lines when not given.
    #[serde(default)]
    pub lines: Option<Vec<Chosen>>,
    /// Delivery address and cost centre, as far as given.
    #[serde(default)]
    pub destination: Destination,
}

/// Accepts a revision of an offer, or lines of it, which places its order.
pub async fn accept(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    request: Accept,
) -> Result<Outcome, Problem> {
    let today = services.clock.today();
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Accept { revision: number, digest, lines: chosen, destination } =
                    request.clone();
                let offer = work.load::<Offer>(id).await?;
                must_know(caller, offer)?;
                if let Some(company) = offer.company() {
                    company_hierarchy::buying_term(work, company).await?;
                    ordering::admit(work, company, caller.employee(), &destination).await?;
                }
                can_be_ordered(work, id, chosen.as_deref().unwrap_or_default()).await?;
                let acceptance = Acceptance {
                    by: caller.actor(),
                    today,
                    stamp: Stamp { number, digest },
                    chosen,
                    destination,
                };
                let command = offer::Command::Accept(Box::new(acceptance));
                offering::decide(work, id, command).await
            })
        })
        .await
}

/// Refuses accepted quantities that are not valid order quantities of the product.
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

/// Rejects an offer.
pub async fn reject(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    Reason { reason }: Reason,
) -> Result<Outcome, Problem> {
    let by = caller.actor();
    decide(services, caller, digest, id, offer::Command::Reject { by, reason }).await
}
