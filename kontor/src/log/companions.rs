//! What a restored server needs beside history, and cannot be derived from it.

use event_log::backup::Companion;
use tokio_postgres::{Client, NoTls};

/// Keys (their secrets' digests alone), and how far the policies have got: started anew from the
/// beginning, they would ask again for what was refused.
pub(super) const COMPANIONS: [Companion; 5] = [
    Companion {
        table: "access.api_keys",
        columns: "id, secret_sha256, name, role, company_id, created_at, revoked_at",
        rows: "SELECT id, secret_sha256, name, role, company_id, created_at, revoked_at \
            FROM access.api_keys ORDER BY id",
        // A key that either side has revoked stays so.
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
        // What was done beyond the end of the backup is open again in it.
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
