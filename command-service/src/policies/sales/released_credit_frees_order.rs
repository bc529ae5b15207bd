//! When a credit account releases an order from its hold, the order can be confirmed.

use domain::{Event, Order, order, policies::released_credit_frees_order::react, sales};
use futures::FutureExt;

use crate::{
    app::deciding,
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "released_credit_frees_order",
    at_once: 32,
    reads: "credit_account",
    concerns: |event| match event {
        Event::Sales(sales::Event::CreditAccount(event)) => react(event).is_some(),
        _ => false,
    },
    react: |reaction| release(reaction).boxed(),
};

async fn release(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Sales(sales::Event::CreditAccount(event)) = reaction.event else { return Ok(()) };
    let Some(order) = react(event) else { return Ok(()) };
    reaction
        .execute(&|work| {
            deciding(async move {
                // It may be released by hand, or cancelled, already.
                if work.load::<Order>(order).await?.is_on_credit_hold() {
                    work.decide::<Order>(order, order::Command::ReleaseCreditHold).await?;
                }
                Ok(())
            })
        })
        .await
}
