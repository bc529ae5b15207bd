//! Issues the invoice of a dispatched shipment.

use domain::{
    Event, Invoice, InvoiceId, Line, Product, ShipmentId, fulfilment, invoice,
    policies::dispatch_issues_invoice::{invoiced, react},
    series,
    shipment::Dispatch,
};
use event_log::Work;
use futures::FutureExt;
use uuid::Uuid;

use crate::{
    app::{billing::invoice::take_number, deciding},
    failure::Failure,
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "dispatch_issues_invoice",
    // Numbers are taken in the order of dispatch, without waiting for the commit of the previous
    // invoice.
    at_once: 64,
    reads: "shipment",
    concerns: |event| match event {
        Event::Fulfilment(fulfilment::Event::Shipment(event)) => {
            invoiced(ShipmentId(Uuid::nil()), event).is_some()
        }
        _ => false,
    },
    react: |reaction| issue(reaction).boxed(),
};

async fn issue(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Fulfilment(fulfilment::Event::Shipment(event)) = reaction.event else {
        return Ok(());
    };
    let shipment = ShipmentId(reaction.recorded.stream_id);
    let Some((id, dispatch)) = invoiced(shipment, event) else { return Ok(()) };
    let series = series::Kind::Invoice.series(dispatch.on);
    // Reads before the decision that takes a number, so that other commands do not wait for
    // PostgreSQL.
    let read = async {
        let log = &reaction.services.log;
        let _ = log.load::<Invoice>(id.0).await;
        let products: Vec<Uuid> = dispatch.lines.iter().map(|line| line.product.0).collect();
        let _ = log.load_many::<Product>(&products).await;
    };
    let series = [series.0];
    let issue = async {
        reaction
            .execute_in_turn(&series, &|work| deciding(write(work, id, shipment, dispatch)))
            .await
    };
    // The first event joins the queue before anything is read.
    let (issued, ()) = futures::join!(issue, read);
    issued
}

async fn write(
    work: &mut Work,
    id: InvoiceId,
    shipment: ShipmentId,
    dispatch: &Dispatch,
) -> Result<(), Failure> {
    work.load_many::<Product>(dispatch.lines.iter().map(|line| line.product.0)).await?;
    let is_listed = |line: &Line| {
        let item = work.get::<Product>(line.product).and_then(|product| product.item().ok());
        item.is_some_and(|item| item.details().classification.annex_15)
    };
    let sale = react(shipment, dispatch, dispatch.lines.iter().any(is_listed));
    // The invoice's id derives from the shipment's: it may stand already.
    if matches!(work.load::<Invoice>(id).await?, Invoice::Unissued) {
        let number = take_number(work, series::Kind::Invoice, sale.on, id).await?;
        work.decide::<Invoice>(id, invoice::Command::Issue { number, sale }).await?;
        work.answer(id);
    }
    Ok(())
}
