//! Data that a restored server needs and that cannot be derived from the event log.

use event_log::backup::Companion;
use tokio_postgres::{Client, NoTls};

/// API keys (with digests of their secrets) and the checkpoints of policies: without these,
/// policies would start again at the first event and repeat refused reactions.
pub(super) const COMPANIONS: [Companion; 5] = [
    Companion {
        table: "access.api_keys",
        columns: "id, secret_sha256, name, role, company_id, created_at, revoked_at",
        rows: "SELECT id, secret_sha256, name, role, company_id, created_at, revoked_at \
            FROM access.api_keys ORDER BY id",
        // A key that is revoked on either side stays revoked.
        present: "ON CONFLICT (id) DO UPDATE \
            SET revoked_at = coalesce(api_keys.revoked_at, excluded.revoked_at)",
    },
    Companion {
        table: "access.employee_keys",
        columns: "key_id, employee_id",
        rows: "SELECT key_id, employee_id FROM access.employee_keys ORDER BY key_id",
        present: "ON CONFLICT (key_id) DO NOTHING",
    },
    Companion {
        table: "policy.checkpoints",
        columns: "policy, position",
        rows: "SELECT policy, least(position, {last}) FROM policy.checkpoints",
        present: "ON CONFLICT (policy) DO UPDATE SET position = excluded.position",
    },
    Companion {
        table: "policy.refusals",
        columns: "policy, position, event_id, code, refused_at",
        rows: "SELECT policy, position, event_id, code, refused_at FROM policy.refusals \
            WHERE position <= {last}",
        present: "",
    },
    Companion {
        table: "policy.attempts",
        columns: "policy, position, attempt, tried_at, tried_by, code, detail, done_at",
        // An attempt that succeeded after the end of the backup is open again in the backup.
        rows: "SELECT policy, position, attempt, tried_at, tried_by, code, detail, done_at \
            FROM policy.attempts WHERE position <= {last} AND coalesce(done_at, 0) <= {last}",
        present: "",
    },
];

/// Connects as the owner of the schemas.
pub(super) async fn connect(database_url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
