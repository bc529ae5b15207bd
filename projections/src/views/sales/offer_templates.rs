//! `offer_templates`: reusable lines and terms for offers.

use domain::{
    Event, OfferTemplateId,
    offer_template::{self, Template},
    sales,
};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build, heads::TemplateHead, projection::change, row::json,
};

/// Templates by id, without dropped ones.
pub const PROJECTION: Projection = Projection {
    name: "offer_templates",
    schema: "
        CREATE TABLE offer_templates (
            id uuid PRIMARY KEY,
            template jsonb NOT NULL,
            -- What lists show.
            head jsonb NOT NULL,
            created bigint NOT NULL UNIQUE
        )",
    tables: &["offer_templates"],
    reads: &["offer_template"],
    aside: aside::stream,
    apply,
    build: build::OFFER_TEMPLATES,
};

const KEEP: &str = "
    INSERT INTO offer_templates (id, template, head, created) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET template = $2, head = $3";
const DROP: &str = "DELETE FROM offer_templates WHERE id = $1";
const LIST: &str = "
    SELECT id, template, created FROM view.offer_templates
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::bigint IS NULL OR created < $2)
    ORDER BY created DESC LIMIT $3";

const HEADS: &str = "
    SELECT id, head, created FROM view.offer_templates
    WHERE $1::bigint IS NULL OR created < $1 ORDER BY created DESC LIMIT $2";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Sales(sales::Event::OfferTemplate(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    vec![match event {
        offer_template::Event::Kept { template } => {
            let head = Json(TemplateHead::from(template));
            change!(KEEP, id, Json(template.clone()), head, recorded.position.0.cast_signed())
        }
        offer_template::Event::Dropped {} => change!(DROP, id),
    }]
}

/// A template.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OfferTemplate {
    /// Its id.
    pub id: OfferTemplateId,
    /// Its content.
    #[serde(flatten)]
    pub template: Template,
    /// The position of its creation; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// A template in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OfferTemplateSummary {
    /// Its id.
    pub id: OfferTemplateId,
    /// Its content, without lines.
    #[serde(flatten)]
    pub head: TemplateHead,
    /// The position of its creation; lists are sorted by it, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// Templates, newest first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    id: Option<Uuid>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<OfferTemplate>, ReadError> {
    let rows = client.query(LIST, &[&id, &cursor, &limit]).await?;
    rows.iter().map(template_of).collect()
}

/// Templates without lines, newest first, before `cursor`, at most `limit`.
pub async fn summaries(
    client: &Client,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<OfferTemplateSummary>, ReadError> {
    let rows = client.query(HEADS, &[&cursor, &limit]).await?;
    let summary = |row: &Row| {
        let id = OfferTemplateId(row.get(0));
        Ok(OfferTemplateSummary { id, head: json(row, 1)?, created: row.get(2) })
    };
    rows.iter().map(summary).collect()
}

fn template_of(row: &Row) -> Result<OfferTemplate, ReadError> {
    let (id, created) = (OfferTemplateId(row.get(0)), row.get(2));
    Ok(OfferTemplate { id, template: json(row, 1)?, created })
}
