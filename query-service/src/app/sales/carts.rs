//! What companies are about to order.

use projections::views::{
    catalogue::catalogue,
    parties::employees,
    sales::carts::{self, Cart, CartLine, CartStatus, Filter, Viewer},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadCarts;
use service_kit::{
    page::{Listing, Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::one_more,
    asker::{Asker, problem},
};

const VIEWS: &[&str] =
    &[carts::PROJECTION.name, catalogue::PROJECTION.name, employees::PROJECTION.name];

/// Which carts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Those with this status; open ones when not given.
    pub status: Option<CartStatus>,
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Only the asker's own.
    pub mine: Option<bool>,
}

/// Carts without their lines, newest first. Private carts are shown to their owners alone.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter }: Listing<List>,
) -> Result<Page<Cart>, Problem> {
    asker.require::<ReadCarts>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let List { status, company, mine } = filter;
    let filter = Filter {
        status: Some(status.unwrap_or(CartStatus::Open)),
        company: asker.narrowed(company)?,
        own: mine == Some(true),
        ..anything(asker)
    };
    let client = asker.client(queries, VIEWS).await?;
    let items = carts::list(&client, filter, viewer(asker), cursor, one_more(limit)).await;
    Ok(Page::of(items.map_err(problem)?, limit, |cart| cart.created))
}

/// One cart without its lines.
pub async fn show(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Cart, Problem> {
    asker.require::<ReadCarts>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), ..anything(asker) };
    let cart = carts::head(&client, filter, viewer(asker)).await.map_err(problem)?;
    cart.ok_or_else(Problem::not_found)
}

/// The lines of a cart, in the order of their numbers.
pub async fn lines(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    page: PageRequest,
) -> Result<Page<CartLine>, Problem> {
    asker.require::<ReadCarts>()?;
    let (limit, cursor) = page.read::<i32>()?;
    let client = asker.client(queries, VIEWS).await?;
    let filter = Filter { id: Some(id), ..anything(asker) };
    let cart = carts::head(&client, filter, viewer(asker)).await.map_err(problem)?;
    cart.ok_or_else(Problem::not_found)?;
    let lines = carts::lines(&client, id, viewer(asker), cursor, one_more(limit)).await;
    Ok(Page::of(lines.map_err(problem)?, limit, |line| line.line))
}

/// Everything that the asker sees.
fn anything(asker: &Asker) -> Filter {
    Filter { id: None, company: asker.company(), status: None, actor: asker.actor(), own: false }
}

pub(super) fn viewer(asker: &Asker) -> Viewer {
    match asker.company() {
        Some(_) => Viewer::Buyer,
        None => Viewer::Seller,
    }
}
