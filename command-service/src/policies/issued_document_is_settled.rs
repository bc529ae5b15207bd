//! When a document is issued, unused payments and credit notes are set against open invoices.

use domain::{
    CompanyId, Currency, Event, invoice,
    policies::{
        booked_payment_is_allocated::OpenInvoice,
        issued_document_is_settled::{Settlement, Source, Unused, react, settlements},
    },
};
use event_log::{ExecuteError, Position, Work};
use futures::FutureExt;
use projections::{ReadError, views::account_balances};

use super::{Policy, Reaction, ReactionError};
use crate::{
    failure::{Failure, refusal},
    http::{set_against, set_credit_against},
};

pub(super) const POLICY: Policy = Policy {
    name: "issued_document_is_settled",
    // Two documents of one company are settled by whichever comes first: what is refused to the
    // other is looked at again.
    at_once: 8,
    reads: "invoice",
    concerns: |event| matches!(event, Event::Invoice(event) if react(event).is_some()),
    react: |reaction| settle(reaction).boxed(),
};

/// How often stale facts are asked for again before the refusal stands.
const TRIES: usize = 5;

async fn settle(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Invoice(event) = reaction.event else { return Ok(()) };
    let Some((company, currency)) = react(event) else { return Ok(()) };
    let mut position = reaction.recorded.position;
    for attempt in 1..=TRIES {
        let (unused, open) = facts(&reaction, company, currency, position).await?;
        if unused.is_empty() || open.is_empty() {
            return Ok(());
        }
        let result = reaction
            .execute(|work| {
                let (unused, open) = (unused.clone(), open.clone());
                async move { set_all(work, unused, open).await }.boxed()
            })
            .await;
        match result {
            // Others have moved on since the read model showed them: look again, from where the log
            // is now.
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

/// All settlements in one append.
async fn set_all(
    work: &mut Work,
    unused: Vec<Unused>,
    open: Vec<OpenInvoice>,
) -> Result<(), Failure> {
    let settlements =
        settlements(unused, open).map_err(|error| refusal(&invoice::Error::from(error)))?;
    for Settlement { source, invoice, amount } in settlements {
        match source {
            Source::Payment(payment) => set_against(work, payment, invoice, amount).await?,
            Source::CreditNote(note) => set_credit_against(work, note, invoice, amount).await?,
        }
    }
    Ok(())
}
