//! What left is invoiced.

use domain::{
    Event, Invoice, ShipmentId, invoice, policies::dispatch_issues_invoice::react, series,
};
use event_log::Work;
use futures::FutureExt;

use super::{Policy, Reaction, ReactionError};
use crate::{failure::Failure, http::take_number};

pub(super) const POLICY: Policy = Policy {
    name: "dispatch_issues_invoice",
    // Numbers are taken in the order in which goods left, one after the other.
    at_once: 1,
    reads: "shipment",
    concerns: |event| matches!(event, Event::Shipment(_)),
    react: |reaction| issue(reaction).boxed(),
};

async fn issue(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Shipment(event) = reaction.event else { return Ok(()) };
    let (id, sale) = react(ShipmentId(reaction.recorded.stream_id), event);
    reaction
        .execute(|work| {
            let sale = sale.clone();
            async move { write(work, id, sale).await }.boxed()
        })
        .await
}

async fn write(work: &mut Work, id: domain::InvoiceId, sale: invoice::Sale) -> Result<(), Failure> {
    // The invoice's id derives from the shipment's: it may stand already.
    if matches!(work.load::<Invoice>(id).await?, Invoice::Unissued) {
        let number = take_number(work, series::Kind::Invoice, sale.on, id).await?;
        work.decide::<Invoice>(id, invoice::Command::Issue { number, sale }).await?;
        work.answer(id);
    }
    Ok(())
}
