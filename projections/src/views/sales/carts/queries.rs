//! What can be asked of carts.

use domain::{
    ActorId, CartId, CompanyId, Currency, EmployeeId, Name, Note, ProductId, Quantity, Sku,
    UnitPrice, employee::Profile, product::PackagingName,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{
    ReadError,
    row::{json_or_none, name_of, parsed, word, word_or_none},
};

const LIST: &str = "
    SELECT cart.id, cart.company_id, owner_id, shared, name, currency, status, line_count, became,
        opened_at, changed_at, cart.created, changer.id AS changer_id,
        changer.company_id AS changer_company_id, changer.profile AS changer_profile
    FROM view.carts cart
    LEFT JOIN view.employees changer ON changer.id = cart.changed_by
    WHERE ($1::uuid IS NULL OR cart.id = $1) AND ($2::uuid IS NULL OR cart.company_id = $2)
        AND ($3::text IS NULL OR status = $3) AND (shared OR owner_id = $4)
        AND ($5::boolean IS NOT TRUE OR owner_id = $4)
        AND ($6::bigint IS NULL OR cart.created < $6)
    ORDER BY cart.created DESC LIMIT $7";
const LINES: &str = "
    SELECT line, product_id, wanted.sku, quantity, packaging, note, unit_price, changed_at,
        product.name, changer.id AS changer_id,
        changer.company_id AS changer_company_id, changer.profile AS changer_profile
    FROM view.cart_lines wanted
    LEFT JOIN view.catalogue product ON product.id = product_id
    LEFT JOIN view.employees changer ON changer.id = wanted.changed_by
    WHERE cart_id = $1 AND ($2::integer IS NULL OR line > $2) ORDER BY line LIMIT $3";
const OPEN: &str = "
    SELECT count(*) FROM (
        SELECT FROM view.carts WHERE company_id = $1 AND status = 'open' LIMIT $2) AS open";

/// A cart.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cart {
    /// Its id.
    pub id: CartId,
    /// For which company it is.
    pub company: CompanyId,
    /// Whose it is: an employee, or a key that is nobody's.
    pub owner: ActorId,
    /// Whether others of the company, and the seller, see and change it.
    pub shared: bool,
    /// What it is called.
    pub name: Name,
    /// In which currency its prices are.
    pub currency: Currency,
    /// What became of it.
    pub status: CartStatus,
    /// How many lines it has.
    pub line_count: i32,
    /// The order, quotation request or cart that its lines became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub became: Option<Uuid>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who changed it last.
    pub changed_by: Changer,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Where in the log it was opened; lists are in this order, newest first.
    #[serde(skip)]
    pub created: i64,
}

/// What became of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    /// It is filled.
    Open,
    /// It was ordered.
    Ordered,
    /// A quotation was requested for it.
    Requested,
    /// Its lines were put into another cart.
    Merged,
    /// It is not wanted any more.
    Discarded,
}

/// Who changed something, as a reader may know.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "CartChanger")]
pub enum Changer {
    /// Somebody of the company, or of one above it; for the seller also its own people.
    Employee {
        /// Who.
        id: EmployeeId,
        /// First and last name.
        name: Name,
    },
    /// Somebody of the seller.
    Seller {},
    /// A key that is nobody's.
    Key {},
}

/// Who reads: buyers learn no names of the seller's people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// A company.
    Buyer,
    /// The seller.
    Seller,
}

/// A line of a cart.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CartLine {
    /// Its number.
    pub line: u32,
    /// Of which product.
    pub product: ProductId,
    /// The product's code when the line was written.
    pub sku: Sku,
    /// What the product is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// How much of it, in its units.
    pub quantity: Quantity,
    /// In what it was counted, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packaging: Option<PackagingName>,
    /// What else is to be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Net price of one unit when the line was written. It is not promised: `totals` says what
    /// holds now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
    /// Who wrote it last.
    pub changed_by: Changer,
    /// When it was written last.
    pub changed_at: Timestamp,
}

/// Which carts are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// This one.
    pub id: Option<Uuid>,
    /// Those of this company.
    pub company: Option<Uuid>,
    /// Those of which this became.
    pub status: Option<CartStatus>,
    /// Who asks: of private carts only their own are shown.
    pub actor: ActorId,
    /// Only the asker's own.
    pub own: bool,
}

/// Carts, newest first, from before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: Filter,
    viewer: Viewer,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Cart>, ReadError> {
    let Filter { id, company, status, actor, own } = filter;
    let status = status.as_ref().map(name_of);
    let rows =
        client.query(LIST, &[&id, &company, &status, &actor.0, &own, &cursor, &limit]).await?;
    rows.iter().map(|row| cart_of(row, viewer)).collect()
}

/// One cart, if the asker sees it.
pub async fn head(
    client: &Client,
    filter: Filter,
    viewer: Viewer,
) -> Result<Option<Cart>, ReadError> {
    Ok(list(client, filter, viewer, None, 1).await?.pop())
}

/// The lines of a cart in the order of their numbers, from after `cursor`, at most `limit`.
pub async fn lines(
    client: &Client,
    cart: Uuid,
    viewer: Viewer,
    cursor: Option<i32>,
    limit: i64,
) -> Result<Vec<CartLine>, ReadError> {
    let rows = client.query(LINES, &[&cart, &cursor, &limit]).await?;
    rows.iter().map(|row| line_of(row, viewer)).collect()
}

/// How many open carts a company has, counted up to `most`.
pub async fn count_open(client: &Client, company: CompanyId, most: i64) -> Result<i64, ReadError> {
    Ok(client.query_one(OPEN, &[&company.0, &most]).await?.get(0))
}

fn cart_of(row: &Row, viewer: Viewer) -> Result<Cart, ReadError> {
    Ok(Cart {
        id: CartId(row.get("id")),
        company: CompanyId(row.get("company_id")),
        owner: ActorId(row.get("owner_id")),
        shared: row.get("shared"),
        name: word(row, "name")?,
        currency: parsed(row, "currency")?,
        status: word(row, "status")?,
        line_count: row.get("line_count"),
        became: row.get("became"),
        opened_at: row.get("opened_at"),
        changed_by: changer(row, viewer)?,
        changed_at: row.get("changed_at"),
        created: row.get("created"),
    })
}

fn line_of(row: &Row, viewer: Viewer) -> Result<CartLine, ReadError> {
    Ok(CartLine {
        line: row.get::<_, i32>("line").cast_unsigned(),
        product: ProductId(row.get("product_id")),
        sku: word(row, "sku")?,
        name: word_or_none(row, "name")?,
        quantity: parsed(row, "quantity")?,
        packaging: word_or_none(row, "packaging")?,
        note: word_or_none(row, "note")?,
        unit_price: row
            .get::<_, Option<&str>>("unit_price")
            .map(|price| price.parse().map_err(|_| ReadError::Malformed))
            .transpose()?,
        changed_by: changer(row, viewer)?,
        changed_at: row.get("changed_at"),
    })
}

pub(in crate::views::sales) fn changer(row: &Row, viewer: Viewer) -> Result<Changer, ReadError> {
    let id = row.get::<_, Option<Uuid>>("changer_id").map(EmployeeId);
    let profile: Option<Profile> = json_or_none(row, "changer_profile")?;
    let is_sellers = row.get::<_, Option<Uuid>>("changer_company_id").is_none();
    Ok(match id.zip(profile) {
        Some(_) if is_sellers && viewer == Viewer::Buyer => Changer::Seller {},
        Some((id, Profile { name, .. })) => Changer::Employee { id, name },
        None => Changer::Key {},
    })
}
