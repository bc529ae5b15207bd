//! Adding rows to a cart: each row is answered, accepted or refused.
//!
//! What rows mean is found out first, on current facts; then the cart alone decides, so that a
//! change of a price or a product meanwhile does not stop anybody: nothing is promised before the
//! cart is ordered.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use axum::http::StatusCode;
use domain::{
    Cart, CartId, Currency, Money, Name, Note, PricedBy, ProductId, Quantity, Sku, UnitPrice,
    cart::{Command, Contents},
    pricing::Step,
    product::{PackagingName, Unit},
    purchase_lines::{Changes, Mode, PurchaseLines, Wanted},
    stock::Level,
};
use futures::FutureExt;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::problem::{FieldError, Problem};
use sha2::{Digest, Sha256};

use super::{contents, requester, sale, seen};
use crate::{
    app::{
        Services,
        sales::{
            offerings::{self, Alternative, Meant, Offering, Refused, Resolved},
            purchase_rows::{PurchaseRow, RowRequest},
        },
    },
    caller::Caller,
    failure::{Failure, problem, refusal},
};

/// How many rows are added at once at most.
pub const MOST_ROWS: usize = PurchaseLines::MOST;

/// Rows to add.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AddCartLines")]
pub struct AddLines {
    /// Each is answered by itself.
    #[schemars(length(min = 1, max = 5_000))]
    pub rows: Vec<RowRequest>,
}

/// How rows are added.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOptions {
    /// What becomes of a line that is there already when a row wants more of its product. Rows of
    /// one request that want the same product are always added up.
    #[serde(default)]
    pub mode: Mode,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of rows: as many are accepted and refused as were given.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "AddedRows")]
pub struct AddedRows {
    /// The cart.
    pub id: CartId,
    /// Its version now; missing when nothing was recorded because nothing was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// A query with `wait_for` this position shows what was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Whether nothing was recorded because nothing was to be.
    pub dry_run: bool,
    /// Whether it had been done before under this Idempotency-Key. The rows are answered by what
    /// holds now.
    pub repeated: bool,
    /// How many rows were accepted.
    pub accepted: usize,
    /// How many were refused.
    pub refused: usize,
    /// The currency of the prices.
    pub currency: Currency,
    /// What the lines of the accepted rows cost now, without tax; each line counts once.
    pub net: Money,
    /// Each row, in the order in which they were given.
    pub rows: Vec<AnsweredRow>,
}

/// What became of a row.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum AnsweredRow {
    /// It is in the cart, or would be.
    Accepted(Box<AcceptedRow>),
    /// It is not.
    Refused(RefusedRow),
}

/// A row that is in the cart. Its prices hold now; they are not promised.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AcceptedRow {
    /// Its number.
    pub row: u32,
    /// The line of the cart; rows of the same product and note share one. Missing for a new line of
    /// a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The product.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// What it is called.
    pub name: Name,
    /// What one unit of it is.
    pub unit: Unit,
    /// What the row asks for, in units of the product.
    pub asked: Quantity,
    /// In what it was counted, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packaging: Option<PackagingName>,
    /// The quantity of the line, in units of the product.
    pub quantity: Quantity,
    /// What the quantity of the line was before it was rounded up to what is ordered of the product;
    /// missing when it is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounded_from: Option<Quantity>,
    /// What one unit costs now in this quantity, net.
    pub unit_price: UnitPrice,
    /// What makes this price.
    pub priced_by: PricedBy,
    /// From which quantity on a unit costs something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<Step>,
    /// What the line costs now, without tax.
    pub net: Money,
    /// How much there is of it, and when more is expected; missing while the warehouse has said
    /// nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<Level>,
}

/// A row that is not in the cart.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RefusedRow {
    /// Its number.
    pub row: u32,
    /// The stable code.
    pub code: String,
    /// What is wrong, in words.
    pub detail: String,
    /// Products with nearly the same code, the nearest first. They are looked up for the first 20
    /// unknown codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Alternative>,
    /// What is sold instead, its successor first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead: Vec<Alternative>,
}

/// Adds rows to a cart, or says what would happen.
pub async fn add(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    AddLines { rows }: AddLines,
    options: AddOptions,
) -> Result<AddedRows, Problem> {
    add_rows(services, caller, digest, id, PurchaseRow::read_all(&rows), options).await
}

/// Adds rows that were read.
pub async fn add_rows(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    rows: Vec<PurchaseRow>,
    options: AddOptions,
) -> Result<AddedRows, Problem> {
    if rows.is_empty() || rows.len() > MOST_ROWS {
        let detail = format!("1 to {MOST_ROWS} rows are added at once");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "rows.count_invalid")
            .field(FieldError::at("/rows", detail)));
    }
    let digest = match options.mode {
        Mode::Add => digest,
        // The same rows, but another request.
        Mode::Replace => {
            Sha256::new().chain_update(digest).chain_update("replace").finalize().into()
        }
    };
    let rows = Arc::new(rows);
    let (contents, resolved) = found_out(services, caller, id, &rows).await?;
    let wanted: Arc<Vec<Wanted>> = Arc::new(resolved.wanted());
    let answering = Answering { id, currency: contents.head.currency, rows: &rows, resolved };
    if options.dry_run {
        let changes = contents.lines.add(wanted.to_vec(), options.mode);
        let Changes { mut added, changed } = changes.map_err(|error| refusal(&error))?;
        // New lines get their numbers when they are recorded.
        for line in &mut added {
            line.line = 0;
        }
        let mut lines = contents.lines.by_likeness();
        lines.extend(
            added.iter().chain(&changed).map(|line| ((line.product, line.note.as_ref()), line)),
        );
        let places =
            answering.places(|likeness| lines.get(likeness).map(|line| (line.line, line.quantity)));
        let before = Sums::of(&contents.lines, options.mode);
        return Ok(AddedRows { dry_run: true, ..answering.answer(&places, &before) });
    }
    let before = Sums::of(&contents.lines, options.mode);
    let envelope = caller.envelope(digest);
    let executed = services.log.execute(&envelope, |work| {
        let (caller, wanted) = (caller.clone(), wanted.clone());
        async move {
            seen(work, &caller, id).await?;
            let add = Command::Add { wanted: wanted.to_vec(), mode: options.mode };
            work.decide::<Cart>(id, add).await?;
            work.answer(id);
            Ok::<_, Failure>(work.get::<Cart>(id).cloned())
        }
        .boxed()
    });
    let executed = executed.await.map_err(problem)?;
    let repeated = executed.value.is_none();
    let cart = match executed.value.flatten() {
        Some(cart) => cart,
        None => {
            let newest = services.log.newest::<Cart>(id.0).await.map_err(Failure::from)?;
            newest.state.clone()
        }
    };
    let lines = cart.contents().map(|contents| contents.lines.by_likeness()).unwrap_or_default();
    let places =
        answering.places(|likeness| lines.get(likeness).map(|line| (line.line, line.quantity)));
    let outcome = executed.outcome;
    Ok(AddedRows {
        version: Some(outcome.version),
        position: Some(outcome.position.0),
        repeated,
        ..answering.answer(&places, &before)
    })
}

/// The cart, and what rows mean to its company now.
async fn found_out(
    services: &Services,
    caller: &Caller,
    id: CartId,
    rows: &Arc<Vec<PurchaseRow>>,
) -> Result<(Contents, Resolved), Problem> {
    let today = services.clock.today();
    let found = services.log.rehearse(|work| {
        let (services, caller, rows) = (services.clone(), caller.clone(), rows.clone());
        async move {
            let contents = contents(work, &caller, id).await?;
            let (sale, requester) = (sale(&contents.head, today), requester(&caller));
            let resolved = offerings::resolve(&services, work, &rows, sale, requester).await?;
            Ok::<_, Failure>((contents, resolved))
        }
        .boxed()
    });
    found.await.map_err(problem)
}

impl Resolved {
    /// The accepted rows as wishes.
    fn wanted(&self) -> Vec<Wanted> {
        let wanted = |meant: &Meant| {
            let Meant { product, quantity, packaging, note } = meant.clone();
            Some(self.offerings.get(&product)?.wanted(quantity, packaging, note))
        };
        self.rows.iter().filter_map(|row| wanted(row.as_ref().ok()?)).collect()
    }
}

type Likeness<'a> = (ProductId, Option<&'a Note>);

/// The line of a row and its quantity.
type Place = Option<(u32, Quantity)>;

/// The quantities of lines before, where they are added to.
struct Sums(HashMap<(ProductId, Option<Note>), Decimal>);

impl Sums {
    fn of(lines: &PurchaseLines, mode: Mode) -> Self {
        let before = match mode {
            Mode::Add => lines.by_likeness(),
            Mode::Replace => HashMap::new(),
        };
        let sum =
            |((product, note), line): (Likeness<'_>, &domain::purchase_lines::PurchaseLine)| {
                ((product, note.cloned()), line.quantity.units())
            };
        Self(before.into_iter().map(sum).collect())
    }
}

/// What is needed to answer rows.
struct Answering<'a> {
    id: CartId,
    currency: Currency,
    rows: &'a [PurchaseRow],
    resolved: Resolved,
}

impl Answering<'_> {
    /// Where the accepted rows are, in the order of all rows.
    fn places(&self, of: impl Fn(&Likeness<'_>) -> Place) -> Vec<Place> {
        let place = |row: &Result<Meant, Refused>| {
            let meant = row.as_ref().ok()?;
            of(&(meant.product, meant.note.as_ref()))
        };
        self.resolved.rows.iter().map(place).collect()
    }

    fn answer(self, places: &[Place], before: &Sums) -> AddedRows {
        let Self { id, currency, rows, resolved: Resolved { rows: results, offerings } } = self;
        let mut asked = before.0.clone();
        for meant in results.iter().flatten() {
            let key = (meant.product, meant.note.clone());
            *asked.entry(key).or_default() += meant.quantity.units();
        }
        let mut net = Money::zero(currency);
        let mut counted = HashSet::new();
        let (mut accepted, mut refused) = (0, 0);
        let mut answers = Vec::with_capacity(rows.len());
        for ((row, result), place) in rows.iter().zip(results).zip(places) {
            let meant = match result {
                Ok(meant) => meant,
                Err(Refused { why, near, instead }) => {
                    refused += 1;
                    let (code, detail) = (why.code.into_owned(), why.detail);
                    let row = row.number;
                    answers.push(AnsweredRow::Refused(RefusedRow {
                        row,
                        code,
                        detail,
                        near,
                        instead,
                    }));
                    continue;
                }
            };
            accepted += 1;
            let offering = &offerings[&meant.product];
            let (line, quantity) = match place {
                Some((0, quantity)) => (None, *quantity),
                Some((line, quantity)) => (Some(*line), *quantity),
                // Somebody has removed it meanwhile.
                None => (None, offering.packing.rounded_up(meant.quantity)),
            };
            let key = (meant.product, meant.note.clone());
            let sum = asked.get(&key).and_then(|sum| Quantity::new(*sum).ok());
            let row = accepted_row(row.number, &meant, offering, (line, quantity), sum, currency);
            if counted.insert(key) {
                net = net.plus(row.net).unwrap_or(net);
            }
            answers.push(AnsweredRow::Accepted(Box::new(row)));
        }
        AddedRows {
            id,
            version: None,
            position: None,
            dry_run: false,
            repeated: false,
            accepted,
            refused,
            currency,
            net,
            rows: answers,
        }
    }
}

fn accepted_row(
    row: u32,
    meant: &Meant,
    offering: &Offering,
    (line, quantity): (Option<u32>, Quantity),
    sum: Option<Quantity>,
    currency: Currency,
) -> AcceptedRow {
    let first = &offering.steps[0];
    let (unit_price, priced_by) = offering
        .price(quantity)
        .unwrap_or_else(|| (first.price, first.made_by.clone().without_floor()));
    AcceptedRow {
        row,
        line,
        product: offering.product,
        sku: offering.sku.clone(),
        name: offering.name.clone(),
        unit: offering.unit,
        asked: meant.quantity,
        packaging: meant.packaging,
        quantity,
        rounded_from: sum
            .filter(|sum| offering.packing.rounded_up(*sum) == quantity && *sum != quantity),
        unit_price,
        priced_by,
        next_step: offering.next_step(quantity),
        net: currency.round_half_up(quantity.units() * unit_price.amount()),
        stock: offering.stock,
    }
}
