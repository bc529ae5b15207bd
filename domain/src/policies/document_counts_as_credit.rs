//! What is invoiced, credited and allocated counts in the credit account of its company.

use crate::{
    billing::invoice,
    kernel::{CompanyId, Currency, InvoiceId},
    sales::credit_account::{Change, Source},
};

/// What follows from an event of a document of a company for the credit account of the company.
pub fn react(
    id: InvoiceId,
    company: CompanyId,
    event: &invoice::Event,
) -> Option<(Currency, Change)> {
    match event {
        invoice::Event::Issued { company, shipment, totals, due_on, .. } => {
            let (company, shipment, amount, due_on) = (*company, *shipment, totals.gross, *due_on);
            let change = Change::Invoice { company, invoice: id, shipment, amount, due_on };
            Some((amount.currency(), change))
        }
        invoice::Event::CreditNoteIssued { company, totals, .. } => {
            let (company, amount) = (*company, totals.gross);
            Some((amount.currency(), Change::Credit { company, credit_note: id, amount }))
        }
        invoice::Event::PartPaid { payment, amount } | invoice::Event::Paid { payment, amount } => {
            let source = Source::Payment { payment: *payment };
            let change = Change::Allocate { company, invoice: id, source, amount: *amount };
            Some((amount.currency(), change))
        }
        invoice::Event::Credited { credit_note, amount } => {
            let source = Source::CreditNote { credit_note: *credit_note };
            let change = Change::Allocate { company, invoice: id, source, amount: *amount };
            Some((amount.currency(), change))
        }
        // The credit note itself, and the invoice, say the same.
        invoice::Event::Corrected { .. } | invoice::Event::CreditGiven { .. } => None,
    }
}
