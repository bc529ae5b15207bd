//! Accepting an offer places its order.

use domain::{Event, OfferId, Order, offer, policies::accepted_offer_places_order::react};
use futures::FutureExt;

use super::{Policy, Reaction, ReactionError};

pub(super) const POLICY: Policy = Policy {
    name: "accepted_offer_places_order",
    at_once: 32,
    reads: "offer",
    concerns: |event| matches!(event, Event::Offer(offer::Event::Accepted { .. })),
    react: |reaction| place(reaction).boxed(),
};

async fn place(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Offer(event) = reaction.event else { return Ok(()) };
    let offer = OfferId(reaction.recorded.stream_id);
    let Some((id, command)) = react(offer, event) else { return Ok(()) };
    reaction
        .execute(|work| {
            let command = command.clone();
            async move {
                // The order's id derives from the offer's: it may stand already.
                if matches!(work.load::<Order>(id).await?, Order::Unplaced) {
                    work.decide::<Order>(id, command).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
}
