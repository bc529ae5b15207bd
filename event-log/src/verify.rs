//! Checks of the whole log: positions without a gap, versions without a gap.

use std::collections::HashMap;

use futures::{TryStreamExt, pin_mut};
use uuid::Uuid;

use crate::{Error, EventLog, Position};

/// What a check of the whole log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many events there are.
    pub events: u64,
    /// How many streams they form.
    pub streams: u64,
    /// Where the head says the log ends.
    pub head: Position,
    /// What is wrong, in words; empty when nothing is. At most [`Report::MOST`] findings.
    pub findings: Vec<String>,
}

impl Report {
    /// How many findings are listed.
    pub const MOST: usize = 100;
}

const ALL: &str = "SELECT position, stream_id, version FROM log.events ORDER BY position";
const CURRENT: &str = "\
    SELECT NOT EXISTS (
        SELECT FROM unnest($1::uuid[], $2::bigint[]) AS seen(stream_id, version)
        WHERE seen.version <> coalesce(
            (SELECT max(e.version) FROM log.events e WHERE e.stream_id = seen.stream_id), 0))";

impl EventLog {
    /// Reads the whole log and checks that every position from 1 to the head is taken once, and
    /// that every stream's versions run from 1 without a gap, in the order of positions.
    pub async fn verify(&self) -> Result<Report, Error> {
        let head = self.head().await?;
        let client = self.reader().await?;
        let rows = client.query_raw(ALL, std::iter::empty::<i64>()).await?;
        pin_mut!(rows);
        let mut versions: HashMap<Uuid, i64> = HashMap::new();
        let (mut events, mut findings) = (0_u64, Vec::new());
        let mut last = 0_i64;
        while let Some(row) = rows.try_next().await? {
            let (position, stream, version): (i64, Uuid, i64) =
                (row.get(0), row.get(1), row.get(2));
            events += 1;
            if position != last + 1 {
                findings.push(format!("position {position} follows {last}"));
            }
            last = position;
            let before = versions.insert(stream, version).unwrap_or(0);
            if version != before + 1 {
                findings.push(format!("version {version} of stream {stream} follows {before}"));
            }
            findings.truncate(Report::MOST);
        }
        if Position::from_i64(last) < head {
            findings.push(format!("the head is at {head}, the last event at {last}"));
        }
        Ok(Report { events, streams: versions.len() as u64, head, findings })
    }

    /// Whether streams are still at the versions at which they were seen.
    pub(crate) async fn are_current(&self, seen: &[(Uuid, u64)]) -> Result<bool, Error> {
        let (streams, versions): (Vec<Uuid>, Vec<i64>) =
            seen.iter().map(|&(stream, version)| (stream, version.cast_signed())).unzip();
        let client = self.reader().await?;
        let statement = client.prepare_cached(CURRENT).await?;
        Ok(client.query_one(&statement, &[&streams, &versions]).await?.get(0))
    }
}
