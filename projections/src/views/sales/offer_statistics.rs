//! `offer_statistics`: results, discounts and response times of offers, per representative,
//! customer and product.

mod ask;

use domain::{
    Currency, Event, Line, Side, negotiation,
    offer::{self, OfferedLine, Proposal},
    sales,
};
use event_log::RecordedEvent;
use rust_decimal::Decimal;
use uuid::Uuid;

pub use self::ask::{Agreed, By, Counts, Filter, Statistics, Value, Values, Won, list};
use super::offers::request_of;
use crate::{Change, Projection, aside, build, projection::change, row::name_of};

/// Offers by id, and their lines as first sent, last sent and ordered.
pub const PROJECTION: Projection = Projection {
    name: "offer_statistics",
    schema: "
        CREATE TABLE offer_statistics (
            id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            -- Of what was sent last, or else of what is being written.
            representative uuid,
            -- The request that it answers.
            request_id uuid,
            -- Those of what was written last.
            next_representative uuid,
            next_request_id uuid,
            outcome text NOT NULL DEFAULT 'open',
            -- The currency of the revision that was sent last.
            currency text,
            -- The seller's day on which it was sent first: nothing until then.
            sent_on date,
            first_sent_at timestamptz,
            sent_at timestamptz,
            negotiation_id uuid,
            seconds_to_answer bigint
        );
        CREATE INDEX ON offer_statistics (sent_on);
        CREATE INDEX ON offer_statistics (negotiation_id);
        CREATE TABLE offer_statistics_lines (
            offer_id uuid NOT NULL,
            -- `draft` until it is sent, `first` and `sent` as it was sent first and last, and
            -- `ordered`.
            stage text NOT NULL CHECK (octet_length(stage) <= 8),
            number integer NOT NULL,
            product_id uuid NOT NULL,
            currency text NOT NULL,
            -- Whether the company must take it.
            is_needed boolean NOT NULL,
            -- What agreements and lists made of it, and what was offered; both net.
            listed numeric NOT NULL,
            net numeric NOT NULL,
            PRIMARY KEY (offer_id, stage, number)
        )",
    tables: &["offer_statistics", "offer_statistics_lines"],
    reads: &["negotiation", "offer"],
    aside: aside::stream,
    apply,
    build: build::OFFER_STATISTICS,
};

const DRAFT: &str = "
    INSERT INTO offer_statistics AS present (id, company_id, representative, request_id,
        next_representative, next_request_id)
    VALUES ($1, $2, $3, $4, $3, $4)
    ON CONFLICT (id) DO UPDATE SET next_representative = $3, next_request_id = $4,
        representative = CASE WHEN present.sent_on IS NULL THEN $3
            ELSE present.representative END,
        request_id = CASE WHEN present.sent_on IS NULL THEN coalesce($4, present.request_id)
            ELSE present.request_id END";
const CREDIT: &str = "
    UPDATE offer_statistics SET representative = next_representative,
        request_id = coalesce(next_request_id, request_id)
    WHERE id = $1";
const FORGET: &str = "DELETE FROM offer_statistics_lines WHERE offer_id = $1 AND stage = ANY($2)";
const LINES: &str = "
    INSERT INTO offer_statistics_lines (offer_id, stage, currency, number, product_id, is_needed,
        listed, net)
    SELECT $1, $2, $3, * FROM unnest($4::integer[], $5::uuid[], $6::boolean[], $7::numeric[],
        $8::numeric[])";
const REPLACE: &str = "
    DELETE FROM offer_statistics_lines sent WHERE offer_id = $1 AND stage = 'sent' AND EXISTS (
        SELECT FROM offer_statistics_lines draft
        WHERE draft.offer_id = sent.offer_id AND draft.stage = 'draft')";
const PUT: &str =
    "UPDATE offer_statistics_lines SET stage = 'sent' WHERE offer_id = $1 AND stage = 'draft'";
const REMEMBER: &str = "
    INSERT INTO offer_statistics_lines (offer_id, stage, number, product_id, currency, is_needed,
        listed, net)
    SELECT offer_id, 'first', number, product_id, currency, is_needed, listed, net
    FROM offer_statistics_lines sent
    WHERE offer_id = $1 AND stage = 'sent' AND NOT EXISTS (
        SELECT FROM offer_statistics_lines first
        WHERE first.offer_id = sent.offer_id AND first.stage = 'first')";
const SEND: &str = "
    UPDATE offer_statistics SET sent_on = coalesce(sent_on, $2),
        first_sent_at = coalesce(first_sent_at, $3), sent_at = $3, currency = (
            SELECT currency FROM offer_statistics_lines
            WHERE offer_id = $1 AND stage = 'sent' LIMIT 1)
    WHERE id = $1";
const OPEN_NEGOTIATION: &str = "UPDATE offer_statistics SET negotiation_id = $2 WHERE id = $1";
/// The first answer of the company to the current revision: acceptance, rejection or a proposal.
const ANSWER: &str = "
    UPDATE offer_statistics SET seconds_to_answer = coalesce(seconds_to_answer,
        floor(extract(epoch FROM $2::timestamptz - sent_at))::bigint)
    WHERE id = $1 OR negotiation_id = $1";
const END: &str = "UPDATE offer_statistics SET outcome = $2 WHERE id = $1";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Sales(event) = event else { return vec![] };
    match event {
        sales::Event::Offer(event) => of_offer(recorded, event),
        sales::Event::Negotiation(negotiation::Event::Opened { offer, .. }) => {
            vec![change!(OPEN_NEGOTIATION, offer.0, recorded.stream_id)]
        }
        sales::Event::Negotiation(negotiation::Event::Proposed { side: Side::Buyer, .. }) => {
            vec![answered(recorded)]
        }
        sales::Event::Negotiation(_)
        | sales::Event::ApprovalRules(_)
        | sales::Event::CreditAccount(_)
        | sales::Event::OfferTemplate(_)
        | sales::Event::Order(_)
        | sales::Event::OrderReference(_)
        | sales::Event::QuotationRequest(_)
        | sales::Event::Spending(_)
        | sales::Event::StandingOrder(_)
        | sales::Event::Cart(_)
        | sales::Event::OrderList(_) => vec![],
    }
}

fn of_offer(recorded: &RecordedEvent, event: &offer::Event) -> Vec<Change> {
    use offer::Event as E;
    let id = recorded.stream_id;
    match event {
        E::Drafted { proposal, representative, origin, .. } => {
            let (company, request) = (proposal.company.0, request_of(*origin));
            vec![
                change!(DRAFT, id, company, representative.map(Uuid::from), request),
                change!(FORGET, id, vec!["draft"]),
                whole(id, Stage::Draft, proposal),
            ]
        }
        E::Sent { on, .. } => vec![
            change!(REPLACE, id),
            change!(PUT, id),
            change!(REMEMBER, id),
            change!(CREDIT, id),
            change!(SEND, id, *on, recorded.recorded_at),
        ],
        E::Agreed { proposal, on, .. } => vec![
            change!(FORGET, id, vec!["draft", "sent"]),
            whole(id, Stage::Sent, proposal),
            change!(SEND, id, *on, recorded.recorded_at),
        ],
        E::Accepted { proposal, ordered, .. } => {
            let ordered = match ordered {
                Some(ordered) => proposal.traced(ordered),
                None => proposal.lines.numbered().map(|(at, line)| (at, &line.line)).collect(),
            };
            let is_part = proposal.is_left_in_part(ordered.iter().map(|(number, _)| *number));
            let outcome = if is_part { Outcome::PartlyAccepted } else { Outcome::Accepted };
            vec![
                answered(recorded),
                lines(id, Stage::Ordered, proposal, ordered),
                ended(id, outcome),
            ]
        }
        E::Rejected { .. } => vec![answered(recorded), ended(id, Outcome::Rejected)],
        E::Withdrawn { .. } => vec![ended(id, Outcome::Withdrawn)],
        E::Expired { .. } => vec![ended(id, Outcome::Expired)],
        E::ApprovalRequested { .. }
        | E::StepApproved { .. }
        | E::StepEscalated { .. }
        | E::Approved {}
        | E::Disapproved { .. }
        | E::Viewed { .. }
        | E::NegotiationOpened { .. }
        | E::NegotiationEnded { .. }
        | E::Extended { .. } => vec![],
    }
}

/// The stage of the lines.
#[derive(Debug, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Draft,
    Sent,
    Ordered,
}

/// The result of a sent offer; open until it has one.
#[derive(Debug, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Accepted,
    PartlyAccepted,
    Rejected,
    Withdrawn,
    Expired,
}

fn answered(recorded: &RecordedEvent) -> Change {
    change!(ANSWER, recorded.stream_id, recorded.recorded_at)
}

fn ended(id: Uuid, outcome: Outcome) -> Change {
    change!(END, id, name_of(&outcome))
}

fn whole(id: Uuid, stage: Stage, proposal: &Proposal) -> Change {
    let all = proposal.lines.numbered().map(|(number, line)| (number, &line.line)).collect();
    lines(id, stage, proposal, all)
}

/// Keeps the lines with these numbers, and those that replace them.
fn lines(id: Uuid, stage: Stage, proposal: &Proposal, lines: Vec<(u32, &Line)>) -> Change {
    let currency = proposal.currency;
    let row = |(number, line): (u32, &Line)| {
        let offered = proposal.lines.line(number)?;
        let (listed, net) = worth(offered, line, currency);
        let is_needed = offered.choice.is_needed();
        Some((number.cast_signed(), line.product.0, is_needed, listed, net))
    };
    let (numbers, products, needed, listed, net): (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) =
        lines.into_iter().filter_map(row).collect();
    change!(LINES, id, name_of(&stage), currency.code(), numbers, products, needed, listed, net)
}

/// The list value of a line and its net value, both rounded half up to the minor unit; equal if the
/// list price is unknown.
fn worth(offered: &OfferedLine, line: &Line, currency: Currency) -> (Decimal, Decimal) {
    let listed = offered.listed.unwrap_or(line.unit_price);
    let listed = Line { unit_price: listed, ..line.clone() };
    (listed.net(currency).amount(), line.net(currency).amount())
}
