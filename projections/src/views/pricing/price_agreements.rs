//! `price_agreements`: price lists, contracts and promotions.

use deadpool_postgres::Object;
use domain::{
    AgreementId, Audience, Currency, Event,
    price_agreement::{self, Header},
    pricing,
};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, word},
};

/// Price agreements by id.
pub const PROJECTION: Projection = Projection {
    name: "price_agreements",
    schema: "
        CREATE TABLE price_agreements (
            id uuid PRIMARY KEY,
            header jsonb NOT NULL CHECK (octet_length((header -> 'audience')::text) <= 640),
            status text NOT NULL DEFAULT 'drafted',
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON price_agreements ((header -> 'audience'))",
    tables: &["price_agreements"],
    reads: &["price_agreement"],
    aside: aside::nothing,
    apply,
    build: build::PRICE_AGREEMENTS,
};

const DRAFT: &str = "INSERT INTO price_agreements (id, header, created) VALUES ($1, $2, $3)";
const STATUS: &str = "UPDATE price_agreements SET status = $2 WHERE id = $1";
const SHORTEN: &str = "
    UPDATE price_agreements SET header = header || jsonb_build_object('until', $2::text)
    WHERE id = $1";
const LIST: &str = "
    SELECT id, header, status, created FROM view.price_agreements
    WHERE ($1::uuid IS NULL OR id = $1)
        AND ($2::text IS NULL OR header -> 'audience' ->> 'company' = $2)
        AND ($3::bigint IS NULL OR created > $3)
    ORDER BY created LIMIT $4";

const ACTIVE_FOR: &str = "
    SELECT id, header, status, created FROM view.price_agreements
    WHERE header -> 'audience' = ANY($1::jsonb[]) AND status = 'active'
        AND header ->> 'currency' = $2";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Pricing(pricing::Event::PriceAgreement(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    vec![match event {
        price_agreement::Event::Drafted { id, header } => {
            change!(DRAFT, id.0, Json(header.clone()), recorded.position.0.cast_signed())
        }
        price_agreement::Event::Activated {} => change!(STATUS, id, "active"),
        price_agreement::Event::Ended {} => change!(STATUS, id, "ended"),
        price_agreement::Event::Shortened { until } => change!(SHORTEN, id, until.to_string()),
    }]
}

/// A price agreement.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PriceAgreement")]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// Its name, audience, currency and validity.
    #[serde(flatten)]
    pub header: Header,
    /// Its status.
    pub status: Status,
    /// The position of its first event; lists are sorted by it.
    #[serde(skip)]
    pub created: i64,
}

/// The status of a price agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PriceAgreementStatus")]
pub enum Status {
    /// A draft.
    Drafted,
    /// Active on its days.
    Active,
    /// Ended.
    Ended,
}

/// Price agreements in order of drafting: one, those of a company, or all, after `cursor`, at most
/// `limit`.
pub async fn list(
    client: &Client,
    id: Option<Uuid>,
    company: Option<Uuid>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Agreement>, ReadError> {
    let company = company.map(|company| company.to_string());
    let rows = client.query(LIST, &[&id, &company, &cursor, &limit]).await?;
    rows.iter().map(agreement_of).collect()
}

/// The active agreements of some audiences in a currency.
pub async fn active_for(
    client: &Object,
    audiences: &[Audience],
    currency: Currency,
) -> Result<Vec<Agreement>, ReadError> {
    let audiences: Vec<Json<&Audience>> = audiences.iter().map(Json).collect();
    let statement = client.prepare_cached(ACTIVE_FOR).await?;
    let rows = client.query(&statement, &[&audiences, &currency.code()]).await?;
    rows.iter().map(agreement_of).collect()
}

fn agreement_of(row: &Row) -> Result<Agreement, ReadError> {
    Ok(Agreement {
        id: AgreementId(row.get("id")),
        header: json(row, "header")?,
        status: word(row, "status")?,
        created: row.get("created"),
    })
}
