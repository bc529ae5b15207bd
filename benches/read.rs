//! Reading the whole log, beside a raw COPY of the same columns.

use std::time::Instant;

use event_log::Position;
use futures::{StreamExt, pin_mut};

use crate::{
    Failure,
    database::{fill, log},
    table::{Table, median, whole},
};

const EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 3;
const COPY: &str = "\
    COPY (SELECT position, event_id, stream_type, stream_id, version, event_type, schema_version,
        company_id, actor, command_id, correlation_id, causation_id, recorded_at, payload
    FROM log.events ORDER BY position) TO STDOUT (FORMAT binary)";

pub(crate) async fn measure(server: &str, table: &mut Table) -> Result<(), Failure> {
    let (client, log) = log(server).await?;
    fill(&client, 0, EVENTS.cast_signed()).await?;
    let (mut pages, mut raw) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let mut after = Position::START;
        while let Some(last) = log.read(after, 1_000).await?.last() {
            after = last.position;
        }
        assert_eq!(after.0, EVENTS);
        pages.push(EVENTS as f64 / started.elapsed().as_secs_f64());

        let started = Instant::now();
        let rows = client.copy_out(COPY).await?;
        pin_mut!(rows);
        let mut bytes = 0;
        while let Some(part) = rows.next().await {
            bytes += part?.len();
        }
        assert!(bytes > 0);
        raw.push(EVENTS as f64 / started.elapsed().as_secs_f64());
    }
    let (pages, raw) = (median(pages), median(raw));
    table.beside("reading the whole log, by pages of 1,000", format!("{}/s", whole(pages)));
    table.at_least(
        &format!("— of raw COPY TO, {}/s", whole(raw)),
        format!("{:.0} %", 100.0 * pages / raw),
        pages / raw,
        (0.60, "60 %"),
    );
    Ok(())
}
