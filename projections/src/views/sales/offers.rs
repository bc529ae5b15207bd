//! `offers`: offers with their revisions and status.

mod queries;

use domain::{
    Event,
    offer::{self, Origin},
    sales,
};
use event_log::RecordedEvent;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tokio_postgres::types::Json;
use uuid::Uuid;

pub use self::queries::{
    Deliberation, DeliberationSummary, Filter, Lapsed, Offer, OfferSummary, Revision, Status,
    lapsed, list, revision, revisions, summaries,
};
use crate::{Change, Projection, aside, build, heads::OfferHead, projection::change};

/// Offers by id, and their sent revisions by number.
pub const PROJECTION: Projection = Projection {
    name: "offers",
    schema: "
        CREATE TABLE offers (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            status text NOT NULL,
            -- The last revision that was sent: 0 while the company was never told of any.
            revision integer NOT NULL DEFAULT 0,
            digest text,
            -- What was sent last, or else what is being written.
            proposal jsonb NOT NULL,
            -- What lists show of it.
            head jsonb NOT NULL,
            valid_until date NOT NULL,
            -- What is being written, as far as it was not sent.
            draft jsonb,
            draft_head jsonb,
            draft_status text,
            draft_representative uuid,
            draft_origin jsonb,
            discount numeric,
            -- Those of what was sent last, or else of what is being written.
            representative uuid,
            origin jsonb,
            inside jsonb NOT NULL,
            negotiation_id uuid,
            ordered jsonb,
            reason text,
            drafted_on date NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON offers (company_id, created);
        CREATE INDEX ON offers (representative, created);
        CREATE INDEX ON offers (valid_until) WHERE status IN ('open', 'in_negotiation');
        CREATE TABLE offer_revisions (
            offer_id uuid NOT NULL,
            number integer NOT NULL,
            digest text,
            proposal jsonb NOT NULL,
            negotiated boolean NOT NULL,
            sent_at timestamptz NOT NULL,
            seen_at timestamptz,
            representative uuid,
            -- Where in the log it was sent.
            position bigint NOT NULL,
            PRIMARY KEY (offer_id, number)
        )",
    tables: &["offers", "offer_revisions"],
    reads: &["offer"],
    aside: aside::stream,
    apply,
    build: build::OFFERS,
};

const DRAFT: &str = "
    INSERT INTO offers (id, company_id, status, proposal, head, valid_until, draft, draft_head,
        draft_status, draft_representative, draft_origin, discount, representative, origin, inside,
        created, drafted_on)
    VALUES ($1, $2, 'drafted', $3, $10, $4, $3, $10, 'drafted', $6, $7, $5, $6, $7, $8, $9, $11)
    ON CONFLICT (id) DO UPDATE SET draft = $3, draft_head = $10, draft_status = 'drafted',
        draft_representative = $6, draft_origin = $7, discount = $5, inside = $8,
        representative = CASE WHEN offers.revision = 0 THEN $6 ELSE offers.representative END,
        origin = CASE WHEN offers.revision = 0 THEN coalesce($7, offers.origin)
            ELSE offers.origin END,
        status = CASE WHEN offers.revision = 0 THEN 'drafted' ELSE offers.status END,
        proposal = CASE WHEN offers.revision = 0 THEN $3 ELSE offers.proposal END,
        head = CASE WHEN offers.revision = 0 THEN $10 ELSE offers.head END,
        valid_until = CASE WHEN offers.revision = 0 THEN $4 ELSE offers.valid_until END";
const STAGE: &str = "
    UPDATE offers SET draft_status = $2,
        status = CASE WHEN revision = 0 THEN $2 ELSE status END
    WHERE id = $1";
const SEND: &str = "
    UPDATE offers SET status = 'open', revision = coalesce($2, revision + 1), digest = $3,
        proposal = coalesce(draft, proposal), head = coalesce(draft_head, head),
        draft_head = NULL, representative = draft_representative,
        origin = coalesce(draft_origin, origin), draft = NULL, draft_status = NULL,
        draft_representative = NULL, draft_origin = NULL,
        valid_until = (coalesce(draft, proposal) ->> 'valid_until')::date
    WHERE id = $1";
const AGREE: &str = "
    UPDATE offers SET status = 'open', revision = $2, digest = $3, proposal = $4,
        head = $6, draft_head = NULL, draft = NULL, draft_status = NULL, draft_representative = NULL, draft_origin = NULL,
        valid_until = $5, negotiation_id = NULL
    WHERE id = $1";
const KEEP: &str = "
    INSERT INTO offer_revisions
        (offer_id, number, digest, proposal, negotiated, sent_at, representative, position)
    SELECT id, revision, digest, proposal, $2, $3, representative, $4 FROM offers WHERE id = $1";
const SEE: &str = "
    UPDATE offer_revisions SET seen_at = coalesce(seen_at, $3) WHERE offer_id = $1 AND number = $2";
const NEGOTIATE: &str =
    "UPDATE offers SET status = 'in_negotiation', negotiation_id = $2 WHERE id = $1";
const STOP: &str = "UPDATE offers SET status = 'open', negotiation_id = NULL WHERE id = $1";
const EXTEND: &str = "UPDATE offers SET valid_until = $2 WHERE id = $1";
const END: &str = "
    UPDATE offers SET status = $2, reason = $3, ordered = $4, draft = NULL,
        draft_head = NULL, draft_status = NULL,
        draft_representative = NULL, draft_origin = NULL, negotiation_id = NULL
    WHERE id = $1";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Sales(sales::Event::Offer(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    let position = recorded.position.0.cast_signed();
    let keep = |negotiated: bool| change!(KEEP, id, negotiated, recorded.recorded_at, position);
    let ended = |status: &'static str, reason: Option<&domain::Note>| {
        let reason = reason.map(ToString::to_string);
        vec![change!(END, id, status, reason, None::<Json<domain::Lines>>)]
    };
    match event {
        offer::Event::Drafted { .. } => vec![drafted(recorded, event)],
        offer::Event::ApprovalRequested { .. } => vec![change!(STAGE, id, "awaiting_approval")],
        offer::Event::StepApproved { .. } | offer::Event::StepEscalated { .. } => vec![],
        offer::Event::Approved {} => vec![change!(STAGE, id, "approved")],
        offer::Event::Disapproved { .. } => vec![change!(STAGE, id, "drafted")],
        offer::Event::Sent { revision, .. } => {
            let number = revision.map(|revision| revision.number.cast_signed());
            let digest = revision.map(|revision| revision.digest.to_string());
            vec![change!(SEND, id, number, digest), keep(false)]
        }
        offer::Event::Viewed { revision, .. } => {
            vec![change!(SEE, id, revision.cast_signed(), recorded.recorded_at)]
        }
        offer::Event::NegotiationOpened { negotiation } => {
            vec![change!(NEGOTIATE, id, negotiation.0)]
        }
        offer::Event::NegotiationEnded { .. } => vec![change!(STOP, id)],
        offer::Event::Agreed { proposal, revision, .. } => {
            let agreed = change!(
                AGREE,
                id,
                revision.number.cast_signed(),
                revision.digest.to_string(),
                Json(proposal.clone()),
                proposal.valid_until,
                Json(OfferHead::from(proposal))
            );
            vec![agreed, keep(true)]
        }
        offer::Event::Extended { until, .. } => vec![change!(EXTEND, id, *until)],
        offer::Event::Accepted { ordered, .. } => {
            vec![change!(END, id, "accepted", None::<String>, ordered.clone().map(Json))]
        }
        offer::Event::Rejected { reason, .. } => ended("rejected", reason.as_ref()),
        offer::Event::Withdrawn { reason } => ended("withdrawn", reason.as_ref()),
        offer::Event::Expired { .. } => ended("expired", None),
    }
}

/// The day of the first event of an offer, whose year is in its number.
pub fn drafted_on(recorded_at: Timestamp) -> Date {
    recorded_at.to_zoned(TimeZone::UTC).date()
}

fn drafted(recorded: &RecordedEvent, event: &offer::Event) -> Change {
    let offer::Event::Drafted { proposal, discount, representative, origin, inside } = event else {
        unreachable!("called only for drafted offers")
    };
    change!(
        DRAFT,
        recorded.stream_id,
        proposal.company.0,
        Json(proposal.clone()),
        proposal.valid_until,
        discount.map(domain::Percent::hundredths),
        representative.map(|representative| representative.0),
        origin.map(Json),
        Json(inside.clone()),
        recorded.position.0.cast_signed(),
        Json(OfferHead::from(proposal)),
        drafted_on(recorded.recorded_at)
    )
}

/// The quotation request that an offer answers.
pub(super) fn request_of(origin: Option<Origin>) -> Option<Uuid> {
    match origin {
        Some(Origin::Request { request }) => Some(request.0),
        Some(
            Origin::Offer { .. }
            | Origin::Order { .. }
            | Origin::Template { .. }
            | Origin::List { .. },
        )
        | None => None,
    }
}
