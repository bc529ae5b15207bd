//! Allocates unused payments and credit notes to open invoices when a document is issued.

use std::collections::BTreeSet;

use domain::{
    CompanyId, Currency, Event, Invoice, InvoiceId, Money, Payment, billing,
    invoice::{self, Balance},
    policies::{
        booked_payment_is_allocated::OpenInvoice,
        issued_document_is_settled::{Settlement, Source, Unused, react, settlements},
    },
};
use event_log::{ExecuteError, Position, Work};
use futures::FutureExt;
use projections::{ReadError, views::billing::account_balances};
use uuid::Uuid;

use crate::{
    app::{
        billing::{credit_note::set_credit_against, payment::set_against},
        deciding,
    },
    failure::{Failure, refusal},
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "issued_document_is_settled",
    // Concurrent reactions for two documents of one company may settle each other's; a refused one
    // is retried with newer facts.
    at_once: 8,
    reads: "invoice",
    concerns: |event| match event {
        Event::Billing(billing::Event::Invoice(event)) => react(event).is_some(),
        _ => false,
    },
    react: |reaction| settle(reaction).boxed(),
};

/// The number of attempts with newer facts before a refusal is final.
const TRIES: usize = 5;

async fn settle(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Billing(billing::Event::Invoice(event)) = reaction.event else { return Ok(()) };
    let Some((company, currency)) = react(event) else { return Ok(()) };
    let mut position = reaction.recorded.position;
    for attempt in 1..=TRIES {
        let (unused, open) = facts(&reaction, company, currency, position).await?;
        if unused.is_empty() || open.is_empty() {
            return Ok(());
        }
        let result = reaction
            .execute(&|work| {
                let (unused, open) = (unused.clone(), open.clone());
                deciding(set_all(work, unused, open))
            })
            .await;
        match result {
            // The amounts have changed since the read model showed them: read again at the current
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

async fn facts(
    reaction: &Reaction<'_>,
    company: CompanyId,
    currency: Currency,
    position: Position,
) -> Result<(Vec<Unused>, Vec<OpenInvoice>), ReadError> {
    let views = &reaction.services.views;
    views.wait(&[account_balances::PROJECTION.name], position).await?;
    let client = views.client().await?;
    let unused = account_balances::unused(&client, company, currency).await?;
    if unused.is_empty() {
        return Ok((unused, vec![]));
    }
    let open = account_balances::open_invoices(&client, company, currency).await?;
    Ok((unused, open))
}

/// All allocations in one append, based on the amounts in the log, since read models may lag.
async fn set_all(
    work: &mut Work,
    mut unused: Vec<Unused>,
    mut open: Vec<OpenInvoice>,
) -> Result<(), Failure> {
    let mut current = BTreeSet::new();
    let settlements = loop {
        let settlements = settlements(unused.clone(), open.clone())
            .map_err(|error| refusal(&invoice::Error::from(error)))?;
        let touched = settlements.iter().flat_map(|set| [source_id(set.source), set.invoice.0]);
        let stale: BTreeSet<Uuid> = touched.filter(|id| !current.contains(id)).collect();
        if stale.is_empty() {
            break settlements;
        }
        for unused in unused.iter_mut().filter(|of| stale.contains(&source_id(of.source))) {
            unused.amount = left_of(work, unused.source).await?;
        }
        refresh_open(work, &mut open, |invoice| stale.contains(&invoice.0)).await?;
        current.extend(stale);
    };
    for Settlement { source, invoice, amount } in settlements {
        match source {
            Source::Payment(payment) => set_against(work, payment, invoice, amount).await?,
            Source::CreditNote(note) => set_credit_against(work, note, invoice, amount).await?,
        }
    }
    Ok(())
}

const fn source_id(source: Source) -> Uuid {
    match source {
        Source::Payment(payment) => payment.0,
        Source::CreditNote(note) => note.0,
    }
}

/// The unallocated rest of a payment or credit note.
async fn left_of(work: &mut Work, source: Source) -> Result<Money, Failure> {
    match source {
        Source::Payment(payment) => {
            let left = work.load::<Payment>(payment).await?.unallocated();
            Ok(left.map_err(|error| refusal(&error))?)
        }
        Source::CreditNote(note) => {
            let left = work.load::<Invoice>(note).await?.unapplied();
            Ok(left.map_err(|error| refusal(&error))?.0)
        }
    }
}

/// Replaces the open amounts from the read model by those in the log.
pub(super) async fn refresh_open(
    work: &mut Work,
    open: &mut [OpenInvoice],
    which: impl Fn(InvoiceId) -> bool,
) -> Result<(), Failure> {
    let ids: Vec<Uuid> =
        open.iter().filter(|invoice| which(invoice.id)).map(|invoice| invoice.id.0).collect();
    work.load_many::<Invoice>(&ids).await?;
    for invoice in open.iter_mut().filter(|invoice| which(invoice.id)) {
        let balance = work.load::<Invoice>(invoice.id).await?.open();
        Balance(invoice.open) = balance.map_err(|error| refusal(&error))?;
    }
    Ok(())
}
