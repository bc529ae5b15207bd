//! Accepting an offer places its order, at exactly the prices accepted.

use crate::{OfferId, OrderId, offer, order};

/// The order that follows from an event of an offer, if one does.
pub fn react(offer: OfferId, event: &offer::Event) -> Option<(OrderId, order::Command)> {
    match event {
        offer::Event::Accepted { on, proposal, .. } => Some((
            OrderId::of_offer(offer),
            order::Command::Place {
                terms: order::Terms {
                    company: proposal.company,
                    currency: proposal.currency,
                    lines: proposal.lines.clone(),
                    payment_term: proposal.payment_term,
                    source: order::Source::Offer { offer },
                    reference: None,
                },
                on: *on,
            },
        )),
        offer::Event::Drafted { .. }
        | offer::Event::Sent { .. }
        | offer::Event::Rejected { .. }
        | offer::Event::Withdrawn {}
        | offer::Event::Expired { .. } => None,
    }
}
