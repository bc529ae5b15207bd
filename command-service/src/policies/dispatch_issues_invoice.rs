//! What left is invoiced.

use domain::{
    Event, Invoice, Line, Product, ShipmentId, invoice, policies::dispatch_issues_invoice::react,
    series, shipment,
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
    let shipment = ShipmentId(reaction.recorded.stream_id);
    reaction.execute(|work| write(work, shipment, event.clone()).boxed()).await
}

async fn write(
    work: &mut Work,
    shipment: ShipmentId,
    event: shipment::Event,
) -> Result<(), Failure> {
    let shipment::Event::Dispatched { dispatch } = &event;
    work.load_many::<Product>(dispatch.lines.iter().map(|line| line.product.0)).await?;
    let is_listed = |line: &Line| {
        let item = work.get::<Product>(line.product).and_then(|product| product.item().ok());
        item.is_some_and(|item| item.details().classification.annex_15)
    };
    let (id, sale) = react(shipment, &event, dispatch.lines.iter().any(is_listed));
    // The invoice's id derives from the shipment's: it may stand already.
    if matches!(work.load::<Invoice>(id).await?, Invoice::Unissued) {
        let number = take_number(work, series::Kind::Invoice, sale.on, id).await?;
        work.decide::<Invoice>(id, invoice::Command::Issue { number, sale }).await?;
        work.answer(id);
    }
    Ok(())
}
