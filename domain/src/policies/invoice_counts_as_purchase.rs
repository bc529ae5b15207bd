//! What is invoiced counts as bought, and what is credited no more.

use jiff::civil::Date;

use crate::{
    billing::invoice,
    kernel::{CompanyId, InvoiceId},
    pricing::purchases::Command,
};

/// What follows from an event of an invoice, recorded on a day, for what its company has bought.
pub fn react(id: InvoiceId, event: &invoice::Event, today: Date) -> Option<(CompanyId, Command)> {
    match event {
        invoice::Event::Issued { company, order, totals, on, .. } => {
            let (company, order, net, on) = (*company, *order, totals.net, *on);
            Some((company, Command::Count { company, invoice: id, order, net, on, today }))
        }
        invoice::Event::CreditNoteIssued { company, totals, on, .. } => {
            let (company, net) = (*company, totals.net);
            Some((company, Command::TakeAway { company, credit_note: id, net, on: *on, today }))
        }
        invoice::Event::Corrected { .. }
        | invoice::Event::PartPaid { .. }
        | invoice::Event::Paid { .. }
        | invoice::Event::Credited { .. }
        | invoice::Event::CreditGiven { .. } => None,
    }
}
