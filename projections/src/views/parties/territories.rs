//! `territories`: the assignment of the seller's representatives to companies.

use domain::{
    Event, parties,
    territories::{self, Map},
};
use event_log::RecordedEvent;
use tokio_postgres::{Client, types::Json};

use crate::{Change, Projection, ReadError, aside, build, projection::change, row::json};

/// The single assignment.
pub const PROJECTION: Projection = Projection {
    name: "territories",
    schema: "
        CREATE TABLE territories (
            id uuid PRIMARY KEY,
            map jsonb NOT NULL
        )",
    tables: &["territories"],
    reads: &["territories"],
    aside: aside::nothing,
    apply,
    build: build::TERRITORIES,
};

const DRAW: &str = "
    INSERT INTO territories (id, map) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET map = $2";
const SHOW: &str = "SELECT map FROM view.territories";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Parties(parties::Event::Territories(event)) = event else { return vec![] };
    match event {
        territories::Event::Drawn { map } => {
            vec![change!(DRAW, recorded.stream_id, Json(map.clone()))]
        }
        // Each request records its representative.
        territories::Event::Assigned { .. } => vec![],
    }
}

/// The current assignment; empty before the first one was set.
pub async fn holding(client: &Client) -> Result<Map, ReadError> {
    let row = client.query_opt(SHOW, &[]).await?;
    row.map_or_else(|| Ok(Map::default()), |row| json(&row, 0))
}
