//! An event inserted into the log by a database administrator.

use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

/// As an append does it, except that nobody decides.
const FORGE: &str = "
    WITH head AS (UPDATE log.head SET position = position + 1 RETURNING position)
    INSERT INTO log.events (
        position, event_id, stream_type, stream_id, version, event_type, schema_version, actor,
        command_id, correlation_id, recorded_at, payload
    )
    SELECT position, gen_random_uuid(), split_part($2, '.', 1), $1,
        1 + (SELECT coalesce(max(version), 0) FROM log.events WHERE stream_id = $1),
        $2, $3, 'superuser', gen_random_uuid(), gen_random_uuid(), now(), $4
    FROM head RETURNING position";

/// Writes an event of a type such as `order.placed` at the end of a stream; says where it stands.
pub(crate) async fn forge(
    database: &Client,
    stream_id: Uuid,
    event_type: &str,
    schema_version: i16,
    payload: &Value,
) -> u64 {
    let payload = payload.to_string();
    database
        .query_one(FORGE, &[&stream_id, &event_type, &schema_version, &payload])
        .await
        .unwrap()
        .get::<_, i64>(0)
        .unsigned_abs()
}
