//! The schema of the log.

use service_kit::migrations::{Migration, MigrationError, migrate};
use tokio_postgres::Client;

use crate::EventLog;

/// Every migration of schema `log`, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "log", sql: include_str!("../migrations/0001_log.sql") },
    Migration {
        number: 2,
        name: "membership",
        sql: include_str!("../migrations/0002_membership.sql"),
    },
    Migration {
        number: 3,
        name: "snapshots",
        sql: include_str!("../migrations/0003_snapshots.sql"),
    },
    Migration {
        number: 4,
        name: "commands_position",
        sql: include_str!("../migrations/0004_commands_position.sql"),
    },
    Migration {
        number: 5,
        name: "directory",
        sql: include_str!("../migrations/0005_directory.sql"),
    },
    Migration {
        number: 6,
        name: "directory_by_type",
        sql: include_str!("../migrations/0006_directory_by_type.sql"),
    },
];

impl EventLog {
    /// Brings schema `log` up to date; the client's user becomes its owner.
    pub async fn migrate(owner: &mut Client) -> Result<(), MigrationError> {
        migrate(owner, "log", MIGRATIONS).await
    }
}
