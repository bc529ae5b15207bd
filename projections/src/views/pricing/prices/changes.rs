//! Which prices changed lately, so that no others are read again.

use std::collections::HashMap;

use deadpool_postgres::Object;
use domain::{AgreementId, ProductId};
use event_log::Position;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::ReadError;

const SINCE: &str = "
    SELECT agreement_id, CASE WHEN of_product THEN selected END, agreed FROM view.prices
    WHERE agreed > $1 ORDER BY agreed LIMIT $2";

/// What an agreement says of a product, or of all that is more than one.
pub(super) type Subject = (AgreementId, Option<ProductId>);

/// When which prices were agreed on or withdrawn last, as far as it has been asked.
#[derive(Debug, Default)]
pub(super) struct Changes(RwLock<Known>);

#[derive(Debug, Default)]
pub(super) struct Known {
    /// What is not in `last` has not changed after this…
    since: Position,
    /// …up to this.
    until: Position,
    last: HashMap<Subject, Position>,
}

impl Changes {
    /// Of how many subjects it is known at most: some 60 bytes each. When there are more, it begins
    /// anew.
    const MOST: usize = 200_000;

    /// What is known once everything up to a position is.
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
            // Nothing is remembered yet that could have changed.
            (known.since, known.until) = (position, position);
        } else if known.until < position {
            known.learn(client, position).await?;
        }
        Ok(known.downgrade())
    }
}

impl Known {
    /// The position of the last change of a subject, or one after which it has not changed: when
    /// nothing else is said later, what was read since still holds.
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
