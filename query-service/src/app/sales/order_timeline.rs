//! All that happened to an order.

use domain::OrderId;
use projections::views::sales::order_timeline::{self, TimelineEntry, Wanted};
use service_kit::permissions::{ReadAccounts, ReadTrade};
use service_kit::{
    access::Allowed,
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{events::Actors, one_more},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[order_timeline::PROJECTION.name];

/// What happened to an order, also in its shipments and invoices, the oldest first. Invoices and
/// payments are shown to those who read accounts.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    page: PageRequest,
) -> Result<Page<TimelineEntry>, Problem> {
    asker.require::<ReadTrade>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let order = OrderId(id);
    let company = order_timeline::company(&client, order).await.map_err(problem)?;
    let company = company.ok_or_else(Problem::not_found)?;
    if asker.company().is_some_and(|own| own != company.0) {
        return Err(Problem::not_found());
    }
    let wanted = Wanted {
        accounts: ReadAccounts::ROLES.contains(&asker.role()),
        internal: asker.company().is_none(),
    };
    let after = cursor.unwrap_or(0);
    let entries = order_timeline::list(&client, order, wanted, after, one_more(limit)).await;
    let mut entries = entries.map_err(problem)?;
    if asker.company().is_some() {
        let actors = entries.iter().map(|entry| entry.actor.as_str());
        let actors = Actors::of(queries, actors).await?;
        for entry in &mut entries {
            entry.actor = actors.shown(std::mem::take(&mut entry.actor));
        }
    }
    Ok(Page::of(entries, limit, |entry| entry.position))
}
