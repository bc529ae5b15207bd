//! The lines of a request, and the products that they name.

use std::collections::HashSet;

use axum::http::StatusCode;
use domain::{
    Claim, CompanyId, Currency, Line, Lines, Percent, Product, ProductCode, ProductCodeId,
    ProductId, Quantity, Reference, Sku, UnitPrice, assortment, claim,
    pricing::PricedBy,
    product::{self, PackagingName},
};
use event_log::Work;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    counter::Counter,
    failure::{Failure, refusal},
    firms,
};

/// So much of a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineRequest {
    /// The seller's code of it.
    sku: Option<Sku>,
    /// What the company, or a firm above it, calls it; instead of `sku`.
    code: Option<Reference>,
    /// How much of it: in its units, or in those of `packaging`.
    quantity: Quantity,
    /// In what it is counted, such as `carton`.
    packaging: Option<PackagingName>,
    /// Net price of one unit; only the seller's people can agree on one. Without it, the price
    /// that the company's agreements and lists make holds.
    unit_price: Option<UnitPrice>,
}

/// Who says what a line costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prices {
    /// Agreements and lists alone.
    Listed,
    /// The request, and agreements and lists where it says nothing.
    Agreed,
    /// The request alone: every line must have a price.
    Given,
}

/// What the lines are for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sale {
    /// To whom.
    pub(crate) company: CompanyId,
    /// In which currency.
    pub(crate) currency: Currency,
    /// Who says what they cost.
    pub(crate) prices: Prices,
    /// The day of the document: the tax is that of this day.
    pub(crate) on: Date,
}

/// Lines with their prices.
#[derive(Debug)]
pub(crate) struct Priced {
    pub(crate) lines: Lines,
    /// How far the price that was agreed on lies below what agreements and lists make, in the line
    /// where it does most; all of it where they make none.
    pub(crate) discount: Option<Percent>,
}

/// Finds the products of lines, with two queries at most, and prices them. All lines that are
/// wrong are named at once.
pub(crate) async fn price(
    work: &mut Work,
    requests: &[LineRequest],
    sale: Sale,
) -> Result<Priced, Failure> {
    let Sale { prices, .. } = sale;
    let products = products(work, requests, sale.company).await?;
    let found: Vec<ProductId> = products.iter().flatten().copied().collect();
    let counter = match prices {
        Prices::Listed | Prices::Agreed => Some(Counter::open(work, sale, found).await?),
        Prices::Given => None,
    };
    let mut lines: Vec<Line> = Vec::with_capacity(requests.len());
    let mut discount = None;
    let mut wrong = Vec::new();
    for (index, (request, product)) in requests.iter().zip(products).enumerate() {
        let field = |name, detail: String| FieldError::at(format!("/lines/{index}/{name}"), detail);
        match (prices, request.unit_price) {
            (Prices::Listed, Some(_)) => {
                let detail = "only the seller can agree on a price".to_owned();
                wrong.push((None, field("unit_price", detail)));
            }
            (Prices::Given, None) => {
                wrong.push((None, field("unit_price", "is needed".to_owned())));
            }
            (Prices::Listed | Prices::Agreed, None) | (Prices::Agreed | Prices::Given, Some(_)) => {
            }
        }
        let named = match (&request.sku, &request.code) {
            (Some(_), None) => "sku",
            (None, Some(_)) => "code",
            (Some(_), Some(_)) | (None, None) => {
                let detail = "a line names its product by one of sku and code".to_owned();
                wrong.push((None, field("sku", detail)));
                continue;
            }
        };
        let Some(product) = product.and_then(|id| work.get::<Product>(id)) else {
            wrong.push((None, field(named, "there is no such product".to_owned())));
            continue;
        };
        if counter.as_ref().is_some_and(|counter| !counter.shows(work, product)) {
            wrong.push(match prices {
                // To whoever must not see it, it does not exist.
                Prices::Listed => (None, field(named, "there is no such product".to_owned())),
                Prices::Agreed | Prices::Given => {
                    let error = assortment::Error::Outside;
                    (Some(refusal(&error)), field(named, error.to_string()))
                }
            });
            continue;
        }
        match line(work, counter.as_ref(), product, request, sale) {
            Ok(line) => {
                discount = discount.max(taken_off(work, counter.as_ref(), product, &line));
                lines.push(line);
            }
            Err(error) => {
                let name = match error {
                    product::Error::Indivisible { .. }
                    | product::Error::QuantityNotOrdered { .. } => "quantity",
                    product::Error::NotPackedSo { .. } => "packaging",
                    _ => named,
                };
                let detail = error.to_string();
                wrong.push((Some(refusal(&error)), field(name, detail)));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(refused(wrong).into());
    }
    let lines = Lines::try_from(lines).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.count_invalid")
            .field(FieldError::at("/lines", error.to_string()))
    })?;
    Ok(Priced { lines, discount })
}

/// How far an agreed price lies below what agreements and lists make; nothing for other prices.
fn taken_off(
    work: &Work,
    counter: Option<&Counter>,
    product: &Product,
    line: &Line,
) -> Option<Percent> {
    if line.priced_by != Some(PricedBy::Agreed {}) {
        return None;
    }
    let listed = counter?.price(work, product.item().ok()?, line.quantity);
    match listed {
        Some((listed, _)) => Percent::taken_off(listed.amount(), line.unit_price.amount()),
        None => Some(Percent::ALL),
    }
}

/// What was sold once is credited in any quantity, also when it is not for sale any more.
fn line(
    work: &Work,
    counter: Option<&Counter>,
    product: &Product,
    request: &LineRequest,
    Sale { currency, prices, on, .. }: Sale,
) -> Result<Line, product::Error> {
    let item = match prices {
        Prices::Listed | Prices::Agreed => product.on_sale()?,
        Prices::Given => product.item()?,
    };
    let quantity = match request.packaging {
        Some(packaging) => item.unpacked(request.quantity, packaging)?,
        None => request.quantity,
    };
    if prices != Prices::Given {
        item.can_be_ordered(quantity)?;
    }
    let agreed = request.unit_price.map(|price| (price, PricedBy::Agreed {}));
    let price = agreed.or_else(|| counter?.price(work, item, quantity));
    item.line(quantity, currency, price, on)
}

/// The products that lines name, in their order; `None` where a code means nothing.
async fn products(
    work: &mut Work,
    requests: &[LineRequest],
    company: CompanyId,
) -> Result<Vec<Option<ProductId>>, Failure> {
    if requests.is_empty() || requests.len() > Lines::MAX {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.count_invalid")
            .field(FieldError::at("/lines", domain::line::LinesError.to_string()))
            .into());
    }
    let claim = |sku: &Sku| claim::Value::Sku(sku.clone()).id().0;
    let skus = requests.iter().filter_map(|request| request.sku.as_ref());
    work.load_many::<Claim>(skus.map(claim).collect::<HashSet<_>>()).await?;
    let codes: Vec<&Reference> =
        requests.iter().filter_map(|request| request.code.as_ref()).collect();
    let firms = if codes.is_empty() { vec![] } else { firms::line_of(work, company).await? };
    let theirs = |firm: &CompanyId, code: &Reference| ProductCodeId::of(*firm, code).0;
    let streams: HashSet<Uuid> =
        codes.iter().flat_map(|code| firms.iter().map(|firm| theirs(firm, code))).collect();
    work.load_many::<ProductCode>(streams).await?;
    let meant = |code: &Reference| {
        firms.iter().find_map(|firm| work.get::<ProductCode>(theirs(firm, code))?.product())
    };
    let held = |sku: &Sku| work.get::<Claim>(claim(sku))?.holder().map(ProductId);
    let found: Vec<Option<ProductId>> = requests
        .iter()
        .map(|request| {
            request.sku.as_ref().and_then(held).or_else(|| meant(request.code.as_ref()?))
        })
        .collect();
    work.load_many::<Product>(found.iter().flatten().map(|id| id.0)).await?;
    Ok(found)
}

/// One problem for all wrong lines: the domain's when every line breaks the same rule.
fn refused(wrong: Vec<(Option<Problem>, FieldError)>) -> Problem {
    /// As many as anybody reads.
    const MOST: usize = 50;
    let first = wrong.first().and_then(|(problem, _)| problem.clone());
    let same = first.filter(|first| {
        wrong.iter().all(|(problem, _)| problem.as_ref().is_some_and(|p| p.code() == first.code()))
    });
    let problem = same.unwrap_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.invalid")
            .detail(format!("{} of the lines cannot be sold like this", wrong.len()))
    });
    wrong.into_iter().take(MOST).fold(problem, |problem, (_, field)| problem.field(field))
}
