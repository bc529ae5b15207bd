//! The positions of the last changes of prices, to invalidate cached rules.

use std::collections::HashMap;

use deadpool_postgres::Object;
use domain::{AgreementId, ProductId};
use event_log::Position;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::ReadError;

const SINCE: &str = "
    SELECT agreement_id, CASE WHEN of_product THEN selected END, agreed FROM view.prices
    WHERE agreed > $1 ORDER BY agreed LIMIT $2";

/// A key: an agreement, and a product or all selections of more than one product.
pub(super) type Subject = (AgreementId, Option<ProductId>);

/// The known positions of the last changes.
#[derive(Debug, Default)]
pub(super) struct Changes(RwLock<Known>);

#[derive(Debug, Default)]
pub(super) struct Known {
    /// Keys that are not in `last` have not changed after this position…
    since: Position,
    /// …up to this one.
    until: Position,
    last: HashMap<Subject, Position>,
}

impl Changes {
    /// The maximum number of keys: about 60 bytes each. Above it, the cache is cleared.
    const MOST: usize = 200_000;

    /// The state after everything up to a position was read.
    pub(super) async fn up_to(
        &self,
        client: &Object,
        position: Position,
    ) -> Result<RwLockReadGuard<'_, Known>, ReadError> {
        let known = self.0.read().await;
        if known.until >= position {
            return Ok(known);
        }
        drop(known);
        let mut known = self.0.write().await;
        if known.until == Position::START {
            // Nothing is cached yet.
            (known.since, known.until) = (position, position);
        } else if known.until < position {
            known.learn(client, position).await?;
        }
        Ok(known.downgrade())
    }
}

impl Known {
    /// The position of the last change of a key, or a later one after which it has not changed; a
    /// cached rule is valid while this position is unchanged.
    pub(super) fn last(&self, subject: Subject) -> Position {
        self.last.get(&subject).copied().unwrap_or(self.since)
    }

    async fn learn(&mut self, client: &Object, position: Position) -> Result<(), ReadError> {
        let room = Changes::MOST.saturating_sub(self.last.len());
        let most = i64::try_from(room + 1).unwrap_or(i64::MAX);
        let statement = client.prepare_cached(SINCE).await?;
        let rows = client.query(&statement, &[&self.until.0.cast_signed(), &most]).await?;
        if rows.len() > room {
            *self = Self { since: position, until: position, last: HashMap::new() };
            return Ok(());
        }
        for row in rows {
            let subject = (AgreementId(row.get(0)), row.get::<_, Option<_>>(1).map(ProductId));
            self.last.insert(subject, Position(row.get::<_, i64>(2).unsigned_abs()));
        }
        self.until = position;
        Ok(())
    }
}
