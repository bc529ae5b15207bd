//! Allocates a booked payment to open invoices.

use std::collections::BTreeSet;

use domain::{
    Event, InvoiceId, Payment, PaymentId, billing, payment,
    policies::booked_payment_is_allocated::{OpenInvoice, allocations},
};
use event_log::{ExecuteError, Position, Work};
use futures::FutureExt;
use projections::{ReadError, views::billing::account_balances};
use service_kit::problem::Problem;
use tokio::sync::watch;
use uuid::Uuid;

use super::issued_document_is_settled::refresh_open;
use crate::{
    app::{billing::payment::set_against, deciding},
    failure::{Failure, refusal},
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "booked_payment_is_allocated",
    // The payments of one company are allocated in the order in which they were booked.
    at_once: 16,
    reads: "payment",
    concerns: |event| {
        matches!(event, Event::Billing(billing::Event::Payment(payment::Event::Booked { .. })))
    },
    react: |reaction| allocate(reaction).boxed(),
};

/// With the id of a company, names the queue of its payments. No stream has such an id.
const LINE: &[u8] = b"allocation of payments";

/// The number of attempts with newer facts before a refusal is final.
const TRIES: usize = 5;

async fn allocate(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Billing(billing::Event::Payment(payment::Event::Booked { booking })) =
        reaction.event
    else {
        return Ok(());
    };
    let payment = PaymentId(reaction.recorded.stream_id);
    let mut position = reaction.recorded.position;
    for attempt in 1..=TRIES {
        let (shown, open) = watch::channel(None);
        let line = [Uuid::new_v5(&booking.company.0, LINE)];
        let allocated = async {
            reaction
                .execute_in_turn(&line, &|work| {
                    let mut open = open.clone();
                    deciding(async move {
                        let open = open.wait_for(Option::is_some).await.map(|open| open.clone());
                        let open = open.ok().flatten();
                        let open = open
                            .ok_or_else(|| Problem::unavailable("open invoices are not known"))?;
                        set_all(work, payment, booking, open).await
                    })
                })
                .await
        };
        let read = async {
            let shown = shown;
            shown.send_replace(Some(open_invoices(&reaction, booking, position).await?));
            Ok::<_, ReadError>(())
        };
        // The first event joins the queue before anything is read.
        let (allocated, read) = futures::join!(allocated, read);
        read?;
        match allocated {
            // The invoices have changed since the read model showed them: read again at the current
            // head.
            Err(ReactionError::Command(ExecuteError::Refused(Failure::Refused(_))))
                if attempt < TRIES =>
            {
                position = reaction.services.log.head().await.map_err(ExecuteError::Log)?;
            }
            result => return result,
        }
    }
    Ok(())
}

async fn open_invoices(
    reaction: &Reaction<'_>,
    booking: &payment::Booking,
    position: Position,
) -> Result<Vec<OpenInvoice>, ReadError> {
    let views = &reaction.services.views;
    views.wait(&[account_balances::PROJECTION.name], position).await?;
    let client = views.client().await?;
    account_balances::open_invoices(&client, booking.company, booking.amount.currency()).await
}

/// All allocations of one payment, in one append.
async fn set_all(
    work: &mut Work,
    id: PaymentId,
    booking: &payment::Booking,
    mut open: Vec<OpenInvoice>,
) -> Result<(), Failure> {
    let payment = work.load::<Payment>(id).await?;
    let unallocated = payment.unallocated().map_err(|error| refusal(&error))?;
    let mut current = BTreeSet::new();
    let allocations = loop {
        let allocations = allocations(booking.names.as_ref(), unallocated, open.clone())
            .map_err(|error| refusal(&payment::Error::from(error)))?;
        let touched = allocations.iter().map(|(invoice, _)| *invoice);
        let stale: BTreeSet<InvoiceId> = touched.filter(|id| !current.contains(id)).collect();
        if stale.is_empty() {
            break allocations;
        }
        refresh_open(work, &mut open, |invoice| stale.contains(&invoice)).await?;
        current.extend(stale);
    };
    for (invoice, amount) in allocations {
        set_against(work, id, invoice, amount).await?;
    }
    Ok(())
}
