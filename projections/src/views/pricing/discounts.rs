//! `discounts`: discount programmes.

use deadpool_postgres::Object;
use domain::{
    Audience, Event,
    discount::{self, Programme},
    pricing,
};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Row, types::Json};

use crate::{Change, Projection, ReadError, aside, build, projection::change, row::json};

/// Discount programmes by stream.
pub const PROJECTION: Projection = Projection {
    name: "discounts",
    schema: "
        CREATE TABLE discounts (
            id uuid PRIMARY KEY,
            audience jsonb NOT NULL CHECK (octet_length(audience::text) <= 640),
            programme jsonb NOT NULL,
            offered bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON discounts (audience)",
    tables: &["discounts"],
    reads: &["discount"],
    aside: aside::nothing,
    apply,
    build: build::DISCOUNTS,
};

const OFFER: &str = "
    INSERT INTO discounts (id, audience, programme, offered) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET programme = $3, offered = $4";
const END: &str = "DELETE FROM discounts WHERE id = $1";
const LIST: &str = "
    SELECT audience, programme, offered FROM view.discounts
    WHERE ($1::bigint IS NULL OR offered > $1) ORDER BY offered LIMIT $2";
const OFFERED_TO: &str = "
    SELECT audience, programme, offered FROM view.discounts WHERE audience = ANY($1::jsonb[])";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Pricing(pricing::Event::Discount(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    vec![match event {
        discount::Event::Offered { audience, programme } => change!(
            OFFER,
            id,
            Json(audience.clone()),
            Json(programme.clone()),
            recorded.position.0.cast_signed()
        ),
        discount::Event::Ended {} => change!(END, id),
    }]
}

/// A discount programme.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Discount {
    /// The audience.
    pub audience: Audience,
    /// The programme.
    pub programme: Programme,
    /// The position of its event; lists are sorted by it.
    #[serde(skip)]
    pub offered: i64,
}

/// Programmes in the order in which they were offered, after `cursor`, at most `limit`.
pub async fn list(
    client: &Object,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Discount>, ReadError> {
    let statement = client.prepare_cached(LIST).await?;
    let rows = client.query(&statement, &[&cursor, &limit]).await?;
    rows.iter().map(discount_of).collect()
}

/// The programmes of some audiences, in this order.
pub async fn offered_to(
    client: &Object,
    audiences: &[Audience],
) -> Result<Vec<Programme>, ReadError> {
    let keys: Vec<Json<&Audience>> = audiences.iter().map(Json).collect();
    let statement = client.prepare_cached(OFFERED_TO).await?;
    let rows = client.query(&statement, &[&keys]).await?;
    let mut offered: Vec<Discount> = rows.iter().map(discount_of).collect::<Result<_, _>>()?;
    offered.sort_by_key(|one| audiences.iter().position(|audience| *audience == one.audience));
    Ok(offered.into_iter().map(|one| one.programme).collect())
}

fn discount_of(row: &Row) -> Result<Discount, ReadError> {
    Ok(Discount { audience: json(row, 0)?, programme: json(row, 1)?, offered: row.get(2) })
}
