//! An offer as the asker saw it at a past time, by replaying its events.

use cqrs_es::Aggregate;
use domain::{
    EmployeeId, Event, OfCompany, OfferId, OrderId,
    offer::{self, Origin, Stage},
    sales,
};
use event_log::{At, RecordedEvent};
use jiff::Timestamp;
use projections::{
    DocumentNumber,
    document_number::Kind,
    views::sales::offers::{self, Deliberation, Offer, Status},
};
use service_kit::problem::Problem;
use uuid::Uuid;

use super::origin;
use crate::{
    Queries,
    asker::Asker,
    replay::{Hearer, replay},
};

/// An offer at a moment, as the asker may see it.
pub(super) async fn offer(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    at: Timestamp,
) -> Result<Offer, Problem> {
    let replayed = replay(queries, asker, id, At::Instant(at), OfferAsOf::default()).await?;
    let is_buyer = asker.company().is_some();
    asker.narrowed(replayed.offer.company().map(Uuid::from))?;
    if is_buyer && !replayed.offer.is_disclosed() {
        return Err(Problem::not_found());
    }
    let shown = replayed.shown(OfferId(id)).ok_or_else(Problem::not_found)?;
    let Some(company) = asker.company() else { return Ok(shown) };
    let mut redacted = Offer { inside: None, ..shown };
    origin::redacted(queries, company, std::iter::once(&mut redacted.origin)).await?;
    Ok(redacted)
}

/// An offer up to some event.
#[derive(Debug, Default)]
struct OfferAsOf {
    offer: domain::Offer,
    /// The last sent revision, also of a closed offer.
    revision: Option<offer::Revision>,
    /// The last draft.
    writing: Option<offer::Writing>,
    /// The last sent revision, or else the draft.
    source: Source,
    valid_until: Option<jiff::civil::Date>,
    ordered: Option<domain::Lines>,
    reason: Option<String>,
    ended: Option<Status>,
    created: i64,
    drafted_on: Option<jiff::civil::Date>,
}

/// The responsible employee of an offer, and its source document.
#[derive(Debug, Clone, Copy, Default)]
struct Source {
    representative: Option<EmployeeId>,
    origin: Option<Origin>,
}

impl Hearer for OfferAsOf {
    fn hear(&mut self, event: Event, recorded: &RecordedEvent) -> Result<(), Problem> {
        // The id may belong to an aggregate of another type.
        let Event::Sales(sales::Event::Offer(event)) = event else {
            return Err(Problem::not_found());
        };
        self.ended = match &event {
            offer::Event::Accepted { ordered, .. } => {
                self.ordered.clone_from(ordered);
                Some(Status::Accepted)
            }
            offer::Event::Rejected { reason, .. } => {
                self.reason = reason.as_ref().map(ToString::to_string);
                Some(Status::Rejected)
            }
            offer::Event::Withdrawn { reason } => {
                self.reason = reason.as_ref().map(ToString::to_string);
                Some(Status::Withdrawn)
            }
            offer::Event::Expired { .. } => Some(Status::Expired),
            _ => self.ended,
        };
        if self.created == 0 {
            self.created = recorded.position.0.cast_signed();
            self.drafted_on = Some(offers::drafted_on(recorded.recorded_at));
        }
        let is_sent = matches!(event, offer::Event::Sent { .. });
        let is_written = matches!(event, offer::Event::Drafted { .. });
        let is_revised = matches!(event, offer::Event::Sent { .. } | offer::Event::Agreed { .. });
        self.offer.apply(event);
        if let Some(draft) = self.offer.being_written().filter(|_| is_written) {
            self.writing = Some(draft.writing.clone());
        }
        if let Some(writing) = self.writing.as_ref().filter(|_| is_sent || self.revision.is_none())
        {
            let origin = writing.origin.or(self.source.origin);
            self.source = Source { representative: writing.representative, origin };
        }
        if let Some(revision) = self.offer.revision().filter(|_| is_revised) {
            self.revision = Some(revision.clone());
        }
        if let domain::Offer::Open(open) = &self.offer {
            self.valid_until = Some(open.valid_until);
        }
        Ok(())
    }
}

impl OfferAsOf {
    fn status(&self) -> Option<Status> {
        if self.ended.is_some() {
            return self.ended;
        }
        match &self.offer {
            domain::Offer::Drafted(draft) => Some(stage(&draft.stage)),
            domain::Offer::Open(open) if open.negotiation.is_some() => Some(Status::InNegotiation),
            domain::Offer::Open(_) => Some(Status::Open),
            domain::Offer::Undrafted
            | domain::Offer::Accepted { .. }
            | domain::Offer::Closed { .. } => None,
        }
    }

    fn shown(self, id: OfferId) -> Option<Offer> {
        let status = self.status()?;
        let being_written = self.offer.being_written().filter(|_| self.revision.is_some());
        let draft_status = self.offer.being_written().map(|draft| stage(&draft.stage));
        let draft = being_written.map(|draft| draft.writing.proposal.clone());
        let negotiation = match &self.offer {
            domain::Offer::Open(open) => open.negotiation,
            _ => None,
        };
        let writing = self.writing?;
        let (stamp, proposal) = match self.revision {
            Some(revision) => (Some(revision.stamp), revision.proposal),
            None => (None, writing.proposal),
        };
        let valid_until = self.valid_until.unwrap_or(proposal.valid_until);
        Some(Offer {
            id,
            number: DocumentNumber::of(Kind::Offer, self.drafted_on?, self.created),
            status,
            stamp,
            extended_until: (valid_until != proposal.valid_until).then_some(valid_until),
            proposal,
            representative: self.source.representative,
            origin: self.source.origin,
            negotiation,
            reason: self.reason,
            order: (status == Status::Accepted).then(|| OrderId::of_offer(id)),
            ordered: self.ordered,
            inside: Some(Deliberation {
                representative: writing.representative.filter(|_| draft.is_some()),
                origin: writing.origin.filter(|_| draft.is_some()),
                draft,
                draft_status,
                discount: writing.discount.map(|discount| discount.to_string()),
                inside: writing.inside,
            }),
            created: self.created,
        })
    }
}

fn stage(stage: &Stage) -> Status {
    match stage {
        Stage::Written => Status::Drafted,
        Stage::AwaitingApproval(_) => Status::AwaitingApproval,
        Stage::Approved => Status::Approved,
    }
}
