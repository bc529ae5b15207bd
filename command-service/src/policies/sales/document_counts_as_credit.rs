//! What is invoiced, credited and allocated counts in the credit account of its company.

use domain::{CompanyId, Event, InvoiceId, billing, policies::document_counts_as_credit::react};
use futures::FutureExt;
use uuid::Uuid;

use super::LINE;
use crate::{
    app::{deciding, sales::credit_account},
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "document_counts_as_credit",
    // Those of one company in their order.
    at_once: 32,
    reads: "invoice",
    concerns: |event| match event {
        Event::Billing(billing::Event::Invoice(event)) => {
            react(InvoiceId(Uuid::nil()), CompanyId(Uuid::nil()), event).is_some()
        }
        _ => false,
    },
    react: |reaction| count(reaction).boxed(),
};

async fn count(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Billing(billing::Event::Invoice(event)) = reaction.event else { return Ok(()) };
    let Some(company) = reaction.recorded.company_id.map(CompanyId) else { return Ok(()) };
    let id = InvoiceId(reaction.recorded.stream_id);
    let Some((currency, change)) = react(id, company, event) else { return Ok(()) };
    let line = [Uuid::new_v5(&company.0, LINE)];
    reaction
        .execute_in_turn(&line, &|work| {
            let change = change.clone();
            deciding(async move { credit_account::change(work, (company, currency), change).await })
        })
        .await
}
