//! The raw limit: one connection that copies rows like ours, in transactions of as many rows as
//! there are clients, and does nothing else.

use std::time::{Duration, Instant};

use futures::pin_mut;
use tokio_postgres::{Client, binary_copy::BinaryCopyInWriter, types::Type};
use uuid::Uuid;

use crate::Failure;

const COPY: &str = "COPY log.events (position, event_id, stream_type, stream_id, version, \
    event_type, schema_version, company_id, actor, command_id, correlation_id, causation_id, \
    recorded_at, payload) FROM STDIN (FORMAT binary)";

pub(crate) async fn rows_per_second(
    client: &Client,
    rows: usize,
    measure: Duration,
) -> Result<f64, Failure> {
    for migration in event_log::migrations::MIGRATIONS {
        client
            .batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS log; {}", migration.sql))
            .await?;
    }
    let now = std::time::SystemTime::now();
    let mut position = 0_i64;
    let mut streams: Vec<Uuid> = Vec::new();
    let started = Instant::now();
    while started.elapsed() < measure {
        // As in the benchmark beside: a hundred events a stream.
        let version = position / i64::try_from(rows)? % 100 + 1;
        if version == 1 {
            streams = (0..rows).map(|_| Uuid::now_v7()).collect();
        }
        client.batch_execute("BEGIN").await?;
        let sink = client.copy_in(COPY).await?;
        let writer = BinaryCopyInWriter::new(sink, &COLUMNS);
        pin_mut!(writer);
        for stream in &streams {
            position += 1;
            let (event, command) = (Uuid::now_v7(), Uuid::now_v7());
            let payload = format!(r#"{{"type":"deposited","amount":1,"balance":{version}}}"#);
            writer
                .as_mut()
                .write(&[
                    &position,
                    &event,
                    &"account",
                    stream,
                    &version,
                    &"account.deposited",
                    &1_i16,
                    &None::<Uuid>,
                    &"",
                    &command,
                    &command,
                    &None::<Uuid>,
                    &now,
                    &payload,
                ])
                .await?;
        }
        writer.finish().await?;
        client.batch_execute("COMMIT").await?;
    }
    Ok(position as f64 / started.elapsed().as_secs_f64())
}

const COLUMNS: [Type; 14] = [
    Type::INT8,
    Type::UUID,
    Type::TEXT,
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::INT2,
    Type::UUID,
    Type::TEXT,
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::TIMESTAMPTZ,
    Type::TEXT,
];
