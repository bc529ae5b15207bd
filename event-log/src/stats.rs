//! The log in figures.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;
use uuid::Uuid;

use crate::{Error, EventLog, Position};

/// The log in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// How many events there are.
    pub events: Position,
    /// How many streams they form.
    pub streams: u64,
    /// How often a writer has lost its connection.
    pub epoch: u64,
    /// When the first event was recorded.
    pub first_at: Option<Timestamp>,
    /// When the newest was.
    pub last_at: Option<Timestamp>,
    /// How many were recorded in the hour up to the newest.
    pub last_hour: u64,
    /// How many commands are remembered.
    pub commands: u64,
    /// How many snapshots there are.
    pub snapshots: u64,
    /// The last position in the directory.
    pub directory: Position,
    /// What the tables take up, indexes included, in bytes.
    pub tables: Vec<(String, u64)>,
    /// How many events of each type there are, the most first.
    pub types: Vec<(String, u64)>,
    /// How many events concern each company, the ten with the most.
    pub companies: Vec<(Option<Uuid>, u64)>,
    /// How many events the last days brought, the newest first.
    pub days: Vec<(Date, u64)>,
}

const TOTALS: &str = "\
    SELECT head.position, head.epoch,
        (SELECT count(*) FROM log.events WHERE version = 1),
        (SELECT recorded_at FROM log.events ORDER BY position LIMIT 1),
        (SELECT recorded_at FROM log.events ORDER BY position DESC LIMIT 1),
        (SELECT count(*) FROM log.commands), (SELECT count(*) FROM log.snapshots),
        (SELECT coalesce(max(position), 0) FROM log.directory)
    FROM log.head";
const TABLES: &str = "\
    SELECT relname::text, pg_total_relation_size(oid) FROM pg_class
    WHERE relnamespace = 'log'::regnamespace AND relkind = 'r' ORDER BY 2 DESC, 1";
const TYPES: &str = "SELECT event_type, count(*) FROM log.events GROUP BY 1 ORDER BY 2 DESC, 1";
const COMPANIES: &str = "\
    SELECT company_id, count(*) FROM log.events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10";

impl EventLog {
    /// Counts everything; it reads the whole log, which takes minutes when that is large. A day is
    /// one of this time zone.
    pub async fn stats(&self, zone: &TimeZone, days: i32) -> Result<Stats, Error> {
        let client = self.reader().await?;
        let totals = client.query_one(TOTALS, &[]).await?;
        let number = |column: usize| totals.get::<_, i64>(column).unsigned_abs();
        let mut stats = Stats {
            events: Position(number(0)),
            epoch: number(1),
            streams: number(2),
            first_at: totals.get(3),
            last_at: totals.get(4),
            last_hour: 0,
            commands: number(5),
            snapshots: number(6),
            directory: Position(number(7)),
            tables: Vec::new(),
            types: Vec::new(),
            companies: Vec::new(),
            days: Vec::new(),
        };
        let counted = |row: &tokio_postgres::Row| row.get::<_, i64>(1).unsigned_abs();
        for row in client.query(TABLES, &[]).await? {
            stats.tables.push((row.get(0), counted(&row)));
        }
        for row in client.query(TYPES, &[]).await? {
            stats.types.push((row.get(0), counted(&row)));
        }
        for row in client.query(COMPANIES, &[]).await? {
            stats.companies.push((row.get(0), counted(&row)));
        }
        drop(client);
        if let Some(last_at) = stats.last_at {
            let earlier = self.position_before(last_at - SignedDuration::from_hours(1)).await?;
            stats.last_hour = stats.events.0 - earlier.0;
            stats.days = self.days(&last_at.to_zoned(zone.clone()).date(), zone, days).await?;
        }
        Ok(stats)
    }

    /// Between midnights lie so many positions.
    async fn days(
        &self,
        last: &Date,
        zone: &TimeZone,
        days: i32,
    ) -> Result<Vec<(Date, u64)>, Error> {
        let mut counted = Vec::new();
        let mut end = self.head().await?;
        let mut day = *last;
        for _ in 0..days {
            let Ok(midnight) = day.to_zoned(zone.clone()) else { break };
            let begin = self.position_before(midnight.timestamp()).await?;
            counted.push((day, end.0 - begin.0.min(end.0)));
            if begin == Position::START {
                break;
            }
            (day, end) = (day.yesterday().unwrap_or(day), begin);
        }
        Ok(counted)
    }
}
