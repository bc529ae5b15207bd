//! Places the order of an accepted offer.

use domain::{
    Employee, EmployeeId, Event, OfferId, Order, offer,
    policies::accepted_offer_places_order::{Following, react},
    sales,
};
use futures::FutureExt;

use crate::{
    app::{
        deciding,
        sales::{
            order_checks::Assent,
            ordering::{self, OrderOrigin},
        },
    },
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "accepted_offer_places_order",
    at_once: 32,
    reads: "offer",
    concerns: |event| {
        matches!(event, Event::Sales(sales::Event::Offer(offer::Event::Accepted { .. })))
    },
    react: |reaction| place(reaction).boxed(),
};

async fn place(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Sales(sales::Event::Offer(event)) = reaction.event else { return Ok(()) };
    let offer = OfferId(reaction.recorded.stream_id);
    let Some(following) = react(offer, event) else { return Ok(()) };
    let now = reaction.recorded.recorded_at;
    let following = &following;
    reaction
        .execute(&|work| {
            deciding(async move {
                let Following { id, mut terms, by, on } = following.clone();
                // The order's id derives from the offer's: it may exist already.
                if matches!(work.load::<Order>(id).await?, Order::Unplaced) {
                    let is_employee = work.load::<Employee>(by.0).await?.employer().is_ok();
                    terms.placed_by = is_employee.then_some(EmployeeId(by.0));
                    let (origin, assent) = (OrderOrigin::Company, Assent::default());
                    ordering::place(work, id, terms, origin, assent, (on, now)).await?;
                }
                Ok(())
            })
        })
        .await
}
