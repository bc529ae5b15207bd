//! What left is invoiced.

use domain::{
    Event, Invoice, Line, Product, ShipmentId, invoice, policies::dispatch_issues_invoice::react,
    series,
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

async fn write(
    work: &mut Work,
    id: domain::InvoiceId,
    mut sale: invoice::Sale,
) -> Result<(), Failure> {
    // The invoice's id derives from the shipment's: it may stand already.
    if matches!(work.load::<Invoice>(id).await?, Invoice::Unissued) {
        work.load_many::<Product>(sale.lines.iter().map(|line| line.product.0)).await?;
        let is_listed = |line: &Line| {
            let item = work.get::<Product>(line.product).and_then(|product| product.item().ok());
            item.is_some_and(|item| item.details().classification.annex_15)
        };
        sale.annex_15 = sale.lines.iter().any(is_listed);
        let number = take_number(work, series::Kind::Invoice, sale.on, id).await?;
        work.decide::<Invoice>(id, invoice::Command::Issue { number, sale }).await?;
        work.answer(id);
    }
    Ok(())
}
