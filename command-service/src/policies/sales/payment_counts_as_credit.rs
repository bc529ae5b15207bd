//! What is paid counts in the credit account of its company.

use domain::{Event, PaymentId, billing, policies::payment_counts_as_credit::react};
use futures::FutureExt;
use uuid::Uuid;

use super::LINE;
use crate::{
    app::{deciding, sales::credit_account},
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "payment_counts_as_credit",
    // Those of one company in their order.
    at_once: 32,
    reads: "payment",
    concerns: |event| match event {
        Event::Billing(billing::Event::Payment(event)) => {
            react(PaymentId(Uuid::nil()), event).is_some()
        }
        _ => false,
    },
    react: |reaction| count(reaction).boxed(),
};

async fn count(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Billing(billing::Event::Payment(event)) = reaction.event else { return Ok(()) };
    let domain::payment::Event::Booked { booking } = event else { return Ok(()) };
    let company = booking.company;
    let Some((currency, change)) = react(PaymentId(reaction.recorded.stream_id), event) else {
        return Ok(());
    };
    let line = [Uuid::new_v5(&company.0, LINE)];
    reaction
        .execute_in_turn(&line, &|work| {
            let change = change.clone();
            deciding(async move { credit_account::change(work, (company, currency), change).await })
        })
        .await
}
