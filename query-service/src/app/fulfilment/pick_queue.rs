//! What is confirmed and outstanding, and neither on an open pick list nor picked.

use domain::{CompanyId, Name, OrderId, ProductId, Sku, company::DeliveryAddress};
use jiff::civil::Date;
use projections::{
    DocumentNumber,
    buyer::Buyer,
    views::{
        fulfilment::pick_lists::{self, ByLine},
        sales::orders::{self, LineProgress, Order},
    },
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::permissions::ReadPicking;
use service_kit::{
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[orders::PROJECTION.name, pick_lists::PROJECTION.name];

/// An order of which goods are to be picked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PickQueueOrder")]
pub struct QueuedOrder {
    /// The order.
    pub order: OrderId,
    /// Its readable number.
    pub number: DocumentNumber,
    /// Whose it is.
    pub company: CompanyId,
    /// The company as it was when the order was placed; missing where history does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    /// Where its goods go, where the order names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<DeliveryAddress>,
    /// When it was placed.
    #[schemars(with = "String")]
    pub placed_on: Date,
    /// The lines of which something is to be picked.
    pub lines: Vec<QueuedLine>,
    /// Where in the log it was placed.
    #[serde(skip)]
    pub created: i64,
}

/// A line of which something is to be picked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PickQueueLine")]
pub struct QueuedLine {
    /// The line's number, counted from 1.
    pub line: u32,
    /// What is to be picked.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// Its name.
    pub name: Name,
    /// What is still to leave.
    pub outstanding: String,
    /// What of that is to be picked.
    pub to_pick: String,
}

/// What is to be picked, by order, the oldest first. A page may have fewer orders than asked for.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    page: PageRequest,
) -> Result<Page<QueuedOrder>, Problem> {
    asker.require::<ReadPicking>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let mut waiting = orders::waiting(&client, cursor, one_more(limit)).await.map_err(problem)?;
    let more = waiting.len() > limit;
    waiting.truncate(limit);
    let next = waiting.last().filter(|_| more).map(|order| order.created);
    let ids: Vec<Uuid> = waiting.iter().map(|order| order.id.0).collect();
    let picking = pick_lists::picking(&client, &ids).await.map_err(problem)?;
    let queued = waiting.into_iter().map(|order| queued(order, &picking));
    let items: Vec<QueuedOrder> = queued.filter(|order| !order.lines.is_empty()).collect();
    let page = Page::of(items, limit, |order| order.created);
    match page.next_cursor {
        Some(_) => Ok(page),
        None => Ok(Page::ending(page.items, next.as_ref())),
    }
}

fn queued(order: Order, picking: &[ByLine; 2]) -> QueuedOrder {
    let line = |progress: &LineProgress| {
        let line = order.terms.lines.line(progress.line)?;
        let to_pick = to_pick(order.id, progress, picking)?;
        Some(QueuedLine {
            line: progress.line,
            product: line.product,
            sku: line.sku.clone(),
            name: line.name.clone(),
            outstanding: progress.outstanding.clone(),
            to_pick: to_pick.normalize().to_string(),
        })
    };
    QueuedOrder {
        order: order.id,
        number: order.number,
        company: order.terms.company,
        lines: order.progress.iter().filter_map(line).collect(),
        buyer: order.buyer,
        deliver_to: order.deliver_to,
        placed_on: order.placed_on,
        created: order.created,
    }
}

/// As the domain's `Picking` counts it: what leaves is taken from what was picked first.
fn to_pick(
    order: OrderId,
    progress: &LineProgress,
    [assigned, picked]: &[ByLine; 2],
) -> Option<Decimal> {
    let of = |quantities: &ByLine| quantities.get(&(order, progress.line)).copied();
    let outstanding: Decimal = progress.outstanding.parse().ok()?;
    let shipped: Decimal = progress.shipped.parse().ok()?;
    let assigned = of(assigned).unwrap_or_default();
    let waiting = (of(picked).unwrap_or_default() - shipped).max(Decimal::ZERO);
    Some(outstanding - assigned - waiting).filter(|rest| *rest > Decimal::ZERO)
}
