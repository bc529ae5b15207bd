//! `approval_rules`: approval rules of companies and of the seller.

use domain::{CompanyId, Event, approval::Rule, approval_rules, sales};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, types::Json};
use uuid::Uuid;

use crate::{Change, Projection, ReadError, aside, build, projection::change, row::json};

/// Approval rules by owner.
pub const PROJECTION: Projection = Projection {
    name: "approval_rules",
    schema: "
        CREATE TABLE approval_rules (
            id uuid PRIMARY KEY,
            -- Nothing for the seller's.
            company_id uuid UNIQUE,
            rules jsonb NOT NULL
        )",
    tables: &["approval_rules"],
    reads: &["approval_rules"],
    aside: aside::stream,
    apply,
    build: build::APPROVAL_RULES,
};

const ADOPT: &str = "
    INSERT INTO approval_rules (id, company_id, rules) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET rules = $3";
const INHERIT: &str = "DELETE FROM approval_rules WHERE id = $1";
const OF_COMPANY: &str = "
    WITH RECURSIVE line AS (
        SELECT id, parent_id, ARRAY[id] AS seen FROM view.companies WHERE id = $1
        UNION ALL
        SELECT above.id, above.parent_id, seen || above.id
        FROM line JOIN view.companies above ON above.id = line.parent_id
        WHERE above.id <> ALL(seen))
    SELECT company_id, rules FROM line JOIN view.approval_rules ON company_id = line.id
    ORDER BY cardinality(seen) LIMIT 1";
const OF_SELLER: &str =
    "SELECT company_id, rules FROM view.approval_rules WHERE company_id IS NULL";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Sales(sales::Event::ApprovalRules(event)) = event else { return vec![] };
    vec![match event {
        approval_rules::Event::Adopted { company, rules } => {
            change!(ADOPT, recorded.stream_id, company.map(Uuid::from), Json(rules.clone()))
        }
        approval_rules::Event::Inherited {} => change!(INHERIT, recorded.stream_id),
    }]
}

/// The rules that apply.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "ApprovalRules")]
pub struct Rules {
    /// The company that adopted them: the company itself or one above it; missing for the seller's
    /// rules and if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<CompanyId>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// The rules that apply to a company, or to the seller.
pub async fn holding(client: &Client, company: Option<Uuid>) -> Result<Rules, ReadError> {
    let row = match company {
        Some(company) => client.query_opt(OF_COMPANY, &[&company]).await?,
        None => client.query_opt(OF_SELLER, &[]).await?,
    };
    let Some(row) = row else { return Ok(Rules::default()) };
    Ok(Rules { of: row.get::<_, Option<Uuid>>(0).map(CompanyId), rules: json(&row, 1)? })
}
