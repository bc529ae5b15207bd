//! What is paid counts in the credit account of its company.

use crate::{
    billing::payment,
    kernel::{Currency, PaymentId},
    sales::credit_account::Change,
};

/// What follows from an event of a payment for the credit account of its company.
pub fn react(id: PaymentId, event: &payment::Event) -> Option<(Currency, Change)> {
    match event {
        payment::Event::Booked { booking } => {
            let (company, amount) = (booking.company, booking.amount);
            Some((amount.currency(), Change::Pay { company, payment: id, amount }))
        }
        // The invoice says the same.
        payment::Event::Allocated { .. } => None,
    }
}
