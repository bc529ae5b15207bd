//! What is invoiced counts as bought, and what is credited no more.

use crate::{CompanyId, InvoiceId, invoice, purchases::Command};

/// What follows from an event of an invoice for what its company has bought.
pub fn react(id: InvoiceId, event: &invoice::Event) -> Option<(CompanyId, Command)> {
    match event {
        invoice::Event::Issued { company, order, totals, on, .. } => {
            let (company, net) = (*company, totals.net);
            Some((company, Command::Count { company, invoice: id, order: *order, net, on: *on }))
        }
        invoice::Event::CreditNoteIssued { company, totals, on, .. } => {
            let (company, net) = (*company, totals.net);
            Some((company, Command::TakeAway { company, credit_note: id, net, on: *on }))
        }
        invoice::Event::Corrected { .. }
        | invoice::Event::PartPaid { .. }
        | invoice::Event::Paid { .. }
        | invoice::Event::Credited { .. }
        | invoice::Event::CreditGiven { .. } => None,
    }
}
