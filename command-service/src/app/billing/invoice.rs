//! Invoices: document numbers.

use domain::{InvoiceId, Series, series};
use event_log::Work;
use jiff::civil::Date;

use crate::failure::{Failure, refusal};

/// Takes the next number of a series for a document.
pub(crate) async fn take_number(
    work: &mut Work,
    kind: series::Kind,
    on: Date,
    document: InvoiceId,
) -> Result<series::Number, Failure> {
    let id = kind.series(on);
    let number = work.load::<Series>(id).await?.next(kind, on).map_err(|error| refusal(&error))?;
    work.decide::<Series>(id, series::Command::Take { kind, on, document }).await?;
    Ok(number)
}
