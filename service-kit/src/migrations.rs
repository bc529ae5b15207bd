//! Numbered migrations of one PostgreSQL schema: each runs once, in order, and is never edited
//! after it was merged.

use sha2::{Digest, Sha256};
use tokio_postgres::Client;

/// A migration.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, counted from 1 without gaps.
    pub number: i32,
    /// Its name.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// Why a schema could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// PostgreSQL reported an error.
    #[error("PostgreSQL refused a migration of schema {schema}")]
    Database {
        /// The schema.
        schema: &'static str,
        /// The error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A migration differs from the one that was executed.
    #[error("migration {number} of schema {schema} was edited after it had run")]
    Edited {
        /// The schema.
        schema: &'static str,
        /// The migration.
        number: i32,
    },
    /// The schema was migrated by a newer build.
    #[error("schema {schema} was migrated to {found} by a newer build; this one knows {known}")]
    Newer {
        /// The schema.
        schema: &'static str,
        /// The last executed migration.
        found: i32,
        /// The last migration of this build.
        known: i32,
    },
}

/// Migrates a schema. Several processes may do so at the same time: one executes, the others wait.
/// Each call is one transaction.
pub async fn migrate(
    client: &mut Client,
    schema: &'static str,
    migrations: &[Migration],
) -> Result<(), MigrationError> {
    let failed = |source| MigrationError::Database { schema, source };
    let transaction = client.transaction().await.map_err(failed)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock(hashtextextended('kontor migrations', 0))", &[])
        .await
        .map_err(failed)?;
    transaction
        .batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS {schema}.migrations (
                 number integer PRIMARY KEY,
                 name text NOT NULL,
                 digest bytea NOT NULL,
                 ran_at timestamptz NOT NULL DEFAULT now()
             );"
        ))
        .await
        .map_err(failed)?;
    let ran = transaction
        .query(&format!("SELECT number, digest FROM {schema}.migrations ORDER BY number"), &[])
        .await
        .map_err(failed)?;
    let known = migrations.last().map_or(0, |migration| migration.number);
    if let Some(found) = ran.last().map(|row| row.get::<_, i32>(0))
        && found > known
    {
        return Err(MigrationError::Newer { schema, found, known });
    }
    for migration in migrations {
        let number = migration.number;
        let digest = Sha256::digest(migration.sql).to_vec();
        match ran.iter().find(|row| row.get::<_, i32>(0) == number) {
            Some(row) if row.get::<_, Vec<u8>>(1) == digest => {}
            Some(_) => return Err(MigrationError::Edited { schema, number }),
            None => {
                transaction.batch_execute(migration.sql).await.map_err(failed)?;
                transaction
                    .execute(
                        &format!(
                            "INSERT INTO {schema}.migrations (number, name, digest)
                             VALUES ($1, $2, $3)"
                        ),
                        &[&number, &migration.name, &digest],
                    )
                    .await
                    .map_err(failed)?;
                tracing::info!(schema, number, name = migration.name, "migrated");
            }
        }
    }
    transaction.commit().await.map_err(failed)
}
