//! `companies`: who the customers are.

use domain::{CompanyId, Event, PaymentTerm, company};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError,
    projection::change,
    row::{json, word},
};

/// Customers by id, with their terms.
pub const PROJECTION: Projection = Projection {
    name: "companies",
    schema: "
        CREATE TABLE companies (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            tax_id jsonb NOT NULL,
            reference text,
            payment_term jsonb NOT NULL,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON companies (reference)",
    tables: &["companies"],
    reads: &["company"],
    apply,
};

const REGISTER: &str = "
    INSERT INTO companies (id, name, tax_id, reference, payment_term, created)
    VALUES ($1, $2, $3, $4, $5, $6)";
const AGREE: &str = "UPDATE companies SET payment_term = $2 WHERE id = $1";
const LIST: &str = "
    SELECT id, name, tax_id, reference, payment_term, created FROM view.companies
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR reference = $2)
        AND ($3::bigint IS NULL OR created > $3)
    ORDER BY created LIMIT $4";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Company(event) = event else { return vec![] };
    match event {
        company::Event::Registered { id, profile, payment_term } => vec![change!(
            REGISTER,
            id.0,
            profile.name.to_string(),
            Json(profile.tax_id.clone()),
            profile.reference.as_ref().map(ToString::to_string),
            Json(*payment_term),
            recorded.position.0.cast_signed()
        )],
        company::Event::PaymentTermAgreed { payment_term } => {
            vec![change!(AGREE, recorded.stream_id, Json(*payment_term))]
        }
    }
}

/// A customer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Who it is.
    #[serde(flatten)]
    pub profile: company::Profile,
    /// When its invoices are due.
    pub payment_term: PaymentTerm,
    /// Where in the log it was registered; lists are in this order.
    #[serde(skip)]
    pub created: i64,
}

/// Customers in order of registration, from after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    company: Option<Uuid>,
    reference: Option<&str>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Company>, ReadError> {
    let rows = client.query(LIST, &[&company, &reference, &cursor, &limit]).await?;
    rows.iter().map(company_of).collect()
}

fn company_of(row: &Row) -> Result<Company, ReadError> {
    let reference: Option<String> = row.get(3);
    Ok(Company {
        id: CompanyId(row.get(0)),
        profile: company::Profile {
            name: word(row, 1)?,
            tax_id: json(row, 2)?,
            reference: reference
                .map(|text| text.parse().map_err(|_| ReadError::Malformed))
                .transpose()?,
        },
        payment_term: json(row, 4)?,
        created: row.get(5),
    })
}
