//! An order that was placed before there were credit accounts reserves credit while it is open.

use domain::{
    Event, Order, OrderId, credit_account,
    policies::earlier_order_reserves_credit::{concerns, react},
    sales,
};
use futures::FutureExt;

use crate::{
    app::{deciding, sales::credit_account as accounts},
    failure::refusal,
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "earlier_order_reserves_credit",
    at_once: 16,
    reads: "order",
    concerns: |event| match event {
        Event::Sales(sales::Event::Order(event)) => concerns(event),
        _ => false,
    },
    react: |reaction| reserve(reaction).boxed(),
};

async fn reserve(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let id = OrderId(reaction.recorded.stream_id);
    let at = reaction.recorded.recorded_at;
    reaction
        .execute(&|work| {
            deciding(async move {
                let order = work.load::<Order>(id).await?;
                let change = react(id, order, at);
                let currency = order.terms().ok().map(|terms| (terms.company, terms.currency));
                let change =
                    change.map_err(|error| refusal(&credit_account::Error::from(error)))?;
                if let Some((account, change)) = currency.zip(change) {
                    accounts::change(work, account, change).await?;
                }
                Ok(())
            })
        })
        .await
}
