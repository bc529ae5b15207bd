//! Accepting an offer places its order, at exactly the prices accepted.

use jiff::civil::Date;

use crate::{
    kernel::{ActorId, Lines, OfferId, OrderId},
    sales::{offer, order},
};

/// An order that follows from an accepted offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Following {
    /// Its id.
    pub id: OrderId,
    /// What is ordered. Who it is placed by is left open: that takes to know who is an employee.
    pub terms: order::Terms,
    /// Who accepted.
    pub by: ActorId,
    /// When.
    pub on: Date,
}

/// The order that follows from an event of an offer, if one does.
pub fn react(offer: OfferId, event: &offer::Event) -> Option<Following> {
    match event {
        offer::Event::Accepted { by, on, proposal, destination, revision, ordered } => {
            let as_offered = || {
                let lines = proposal.lines.iter().map(|line| line.line.clone());
                Lines::try_from(lines.collect::<Vec<_>>()).ok()
            };
            Some(Following {
                id: OrderId::of_offer(offer),
                terms: order::Terms {
                    company: proposal.company,
                    currency: proposal.currency,
                    lines: ordered.clone().or_else(as_offered)?,
                    payment_term: proposal.payment_term,
                    source: order::Source::Offer {
                        offer,
                        revision: revision.map(|revision| revision.number),
                    },
                    reference: None,
                    placed_by: None,
                    destination: destination.clone(),
                    delivery_terms: proposal.delivery_terms.clone(),
                    wished_on: None,
                    note: None,
                },
                by: *by,
                on: *on,
            })
        }
        offer::Event::Drafted { .. }
        | offer::Event::ApprovalRequested { .. }
        | offer::Event::StepApproved { .. }
        | offer::Event::StepEscalated { .. }
        | offer::Event::Approved {}
        | offer::Event::Disapproved { .. }
        | offer::Event::Sent { .. }
        | offer::Event::Viewed { .. }
        | offer::Event::NegotiationOpened { .. }
        | offer::Event::NegotiationEnded { .. }
        | offer::Event::Agreed { .. }
        | offer::Event::Extended { .. }
        | offer::Event::Rejected { .. }
        | offer::Event::Withdrawn { .. }
        | offer::Event::Expired { .. } => None,
    }
}
