//! Counts invoices and credit notes as purchases.

use domain::{
    Event, InvoiceId, Purchases, PurchasesId, billing, policies::invoice_counts_as_purchase::react,
};
use futures::FutureExt;
use jiff::civil::Date;

use crate::{
    app::deciding,
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "invoice_counts_as_purchase",
    at_once: 16,
    reads: "invoice",
    concerns: |event| match event {
        Event::Billing(billing::Event::Invoice(event)) => {
            react(InvoiceId(uuid::Uuid::nil()), event, Date::ZERO).is_some()
        }
        _ => false,
    },
    react: |reaction| count(reaction).boxed(),
};

async fn count(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Billing(billing::Event::Invoice(event)) = reaction.event else { return Ok(()) };
    let id = InvoiceId(reaction.recorded.stream_id);
    let today = reaction.services.clock.day_of(reaction.recorded.recorded_at);
    let Some((company, command)) = react(id, event, today) else { return Ok(()) };
    reaction
        .execute(&|work| {
            let command = command.clone();
            deciding(async move {
                let id = PurchasesId::of(company);
                work.decide::<Purchases>(id, command).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}
