//! Where read models changed last, so that what was read from them can be remembered.

use deadpool_postgres::Object;
use event_log::Position;

use crate::{Projection, ReadError};

const CHANGED: &str = "
    SELECT projection, changed FROM view.checkpoints WHERE projection = ANY($1)";

/// The last event that changed each of some read models.
///
/// What is read after this was asked, and remembered beside the answer, holds for as long as the
/// answer stays the same.
pub async fn changed<const N: usize>(
    client: &Object,
    of: [Projection; N],
) -> Result<[Position; N], ReadError> {
    let statement = client.prepare_cached(CHANGED).await?;
    let names = of.map(|projection| projection.name);
    let mut changed = [Position::START; N];
    for row in client.query(&statement, &[&names.as_slice()]).await? {
        let at = names.iter().position(|name| *name == row.get::<_, &str>(0));
        let at = at.ok_or(ReadError::Malformed)?;
        changed[at] = Position(row.get::<_, i64>(1).unsigned_abs());
    }
    Ok(changed)
}
