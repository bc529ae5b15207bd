//! Lines of a request: their products and prices.

use std::collections::HashSet;

use axum::http::StatusCode;
use domain::{
    Claim, CompanyId, Line, Lines, Percent, PricedBy, Product, ProductCode, ProductCodeId,
    ProductId, Quantity, Reference, Sku, UnitPrice, assortment, claim,
    product::{self, Item, PackagingName},
};
use event_log::Work;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{
        catalogue::assortment_context::Requester,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, PricingContext, Sale},
    },
    failure::{Failure, refusal},
};

/// A quantity of a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRequest {
    /// The seller's SKU.
    pub sku: Option<Sku>,
    /// The product code of the company, or of a company above it; instead of `sku`.
    pub code: Option<Reference>,
    /// The quantity, in units of the product or of `packaging`.
    pub quantity: Quantity,
    /// The packaging in which the quantity is given, such as `carton`.
    pub packaging: Option<PackagingName>,
    /// Net price of one unit; only the seller may give one. Without it, the price comes from the
    /// company's price agreements and price lists.
    pub unit_price: Option<UnitPrice>,
}

/// Finds and prices the products of lines, with at most two queries for the products. All wrong
/// lines are reported at once.
pub(crate) async fn price(
    work: &mut Work,
    requests: &[LineRequest],
    sale: Sale,
) -> Result<Lines, Failure> {
    let (lines, _) = with_pricing_context(work, requests, sale).await?;
    document(lines)
}

/// Refuses documents without lines.
pub(crate) fn document<L>(lines: Vec<L>) -> Result<Lines<L>, Failure> {
    Lines::try_from(lines).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.count_invalid")
            .field(FieldError::at("/lines", error.to_string()))
            .into()
    })
}

/// The discount of a price from the listed price; 100 % if no list has a price.
pub(crate) fn below(listed: Option<UnitPrice>, price: UnitPrice) -> Option<Percent> {
    match listed {
        Some(listed) => Percent::taken_off(listed.amount(), price.amount()),
        None => Some(Percent::ALL),
    }
}

/// The listed price of one unit of a loaded product in a quantity.
pub(crate) fn listed(
    work: &Work,
    pricing_context: &PricingContext,
    product: ProductId,
    quantity: Quantity,
) -> Option<UnitPrice> {
    let item = work.get::<Product>(product)?.item().ok()?;
    Some(pricing_context.price(work, item, quantity)?.0)
}

/// The lines, and the pricing context in which they were priced; `None` if all prices come from the
/// request.
pub(crate) async fn with_pricing_context(
    work: &mut Work,
    requests: &[LineRequest],
    sale: Sale,
) -> Result<(Vec<Line>, Option<PricingContext>), Failure> {
    let Sale { prices, .. } = sale;
    if requests.is_empty() || requests.len() > Lines::MAX {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.count_invalid")
            .field(FieldError::at("/lines", domain::line::LinesError.to_string()))
            .into());
    }
    let names: Vec<Naming<'_>> =
        requests.iter().map(|one| Naming::by(one.sku.as_ref(), one.code.as_ref())).collect();
    let products = products(work, &names, sale.company).await?;
    let found: Vec<ProductId> = products.iter().flatten().copied().collect();
    let pricing_context = match prices {
        Prices::Listed | Prices::Agreed | Prices::Requested => {
            Some(PricingContext::open(work, sale, found).await?)
        }
        Prices::Given => None,
    };
    let requester = match prices {
        Prices::Listed | Prices::Requested => Requester::Company,
        Prices::Agreed | Prices::Given => Requester::Seller,
    };
    let mut lines: Vec<Line> = Vec::with_capacity(requests.len());
    let mut wrong = Vec::new();
    for (index, (request, product)) in requests.iter().zip(products).enumerate() {
        let field = |name, detail: String| FieldError::at(format!("/lines/{index}/{name}"), detail);
        match (prices, request.unit_price) {
            (Prices::Listed, Some(_)) => {
                let detail = "only the seller may give a price".to_owned();
                wrong.push((None, field("unit_price", detail)));
            }
            (Prices::Given, None) => {
                wrong.push((None, field("unit_price", "is needed".to_owned())));
            }
            (Prices::Listed | Prices::Agreed | Prices::Requested, None)
            | (Prices::Agreed | Prices::Requested | Prices::Given, Some(_)) => {}
        }
        let named = match (&request.sku, &request.code) {
            (Some(_), None) => "sku",
            (None, Some(_)) => "code",
            (Some(_), Some(_)) | (None, None) => {
                let detail = "give exactly one of sku and code".to_owned();
                wrong.push((None, field("sku", detail)));
                continue;
            }
        };
        let Some(product) = product.and_then(|id| work.get::<Product>(id)) else {
            wrong.push((None, field(named, "no product has this SKU or code".to_owned())));
            continue;
        };
        if pricing_context
            .as_ref()
            .is_some_and(|pricing_context| !pricing_context.shows(work, product, requester))
        {
            wrong.push(match requester {
                Requester::Company => {
                    (None, field(named, "no product has this SKU or code".to_owned()))
                }
                Requester::Seller => {
                    let error = assortment::Error::Outside;
                    (Some(refusal(&error)), field(named, error.to_string()))
                }
            });
            continue;
        }
        match line(work, pricing_context.as_ref(), product, request, sale) {
            Ok(line) => lines.push(line),
            Err(error) => {
                let (name, detail) = (field_of(&error, named), error.to_string());
                wrong.push((Some(refusal(&error)), field(name, detail)));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(refused(wrong).into());
    }
    Ok((lines, pricing_context))
}

/// The request field to which an error of a product belongs.
pub(crate) fn field_of(error: &product::Error, named: &'static str) -> &'static str {
    match error {
        product::Error::Indivisible { .. } | product::Error::QuantityNotOrdered { .. } => {
            "quantity"
        }
        product::Error::NotPackedSo { .. } => "packaging",
        _ => named,
    }
}

/// A published product in a valid order quantity.
pub(crate) fn so_much_of(
    product: &Product,
    quantity: Quantity,
    packaging: Option<PackagingName>,
) -> Result<(&Item, Quantity), product::Error> {
    let item = product.on_sale()?;
    let quantity = match packaging {
        Some(packaging) => item.unpacked(quantity, packaging)?,
        None => quantity,
    };
    item.can_be_ordered(quantity)?;
    Ok((item, quantity))
}

/// Sold products can be credited in any quantity, also after they are withdrawn.
fn line(
    work: &Work,
    pricing_context: Option<&PricingContext>,
    product: &Product,
    request: &LineRequest,
    Sale { currency, prices, on, .. }: Sale,
) -> Result<Line, product::Error> {
    let item = match prices {
        Prices::Listed | Prices::Agreed | Prices::Requested => product.on_sale()?,
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
    let price = agreed.or_else(|| pricing_context?.price(work, item, quantity));
    item.line(quantity, currency, price, on)
}

/// How a line names its product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Naming<'a> {
    /// By the seller's SKU.
    sku: Option<&'a Sku>,
    /// By the product code of the company or of a company above it.
    code: Option<&'a Reference>,
}

impl<'a> Naming<'a> {
    /// By either of them.
    pub(crate) fn by(sku: Option<&'a Sku>, code: Option<&'a Reference>) -> Self {
        Self { sku, code }
    }
}

/// The products that lines name, in order, with at most two queries; `None` for an unknown code.
pub(crate) async fn products(
    work: &mut Work,
    names: &[Naming<'_>],
    company: CompanyId,
) -> Result<Vec<Option<ProductId>>, Failure> {
    let claim = |sku: &Sku| claim::Value::Sku(sku.clone()).id().0;
    let skus = names.iter().filter_map(|name| name.sku);
    work.load_many::<Claim>(skus.map(claim).collect::<HashSet<_>>()).await?;
    let codes: Vec<&Reference> = names.iter().filter_map(|name| name.code).collect();
    let companies =
        if codes.is_empty() { vec![] } else { company_hierarchy::line_of(work, company).await? };
    let theirs = |company: &CompanyId, code: &Reference| ProductCodeId::of(*company, code).0;
    let streams: HashSet<Uuid> = codes
        .iter()
        .flat_map(|code| companies.iter().map(|company| theirs(company, code)))
        .collect();
    work.load_many::<ProductCode>(streams).await?;
    let meant = |code: &Reference| {
        companies
            .iter()
            .find_map(|company| work.get::<ProductCode>(theirs(company, code))?.product())
    };
    let held = |sku: &Sku| work.get::<Claim>(claim(sku))?.holder().map(ProductId);
    let found: Vec<Option<ProductId>> =
        names.iter().map(|name| name.sku.and_then(held).or_else(|| meant(name.code?))).collect();
    work.load_many::<Product>(found.iter().flatten().map(|id| id.0)).await?;
    Ok(found)
}

/// One problem for all wrong lines: with the code of the domain if all lines break the same rule.
pub(crate) fn refused(wrong: Vec<(Option<Problem>, FieldError)>) -> Problem {
    /// The maximum number of reported errors.
    const MOST: usize = 50;
    let first = wrong.first().and_then(|(problem, _)| problem.clone());
    let same = first.filter(|first| {
        wrong.iter().all(|(problem, _)| problem.as_ref().is_some_and(|p| p.code() == first.code()))
    });
    let problem = same.unwrap_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.invalid")
            .detail(format!("{} of the lines are invalid", wrong.len()))
    });
    wrong.into_iter().take(MOST).fold(problem, |problem, (_, field)| problem.field(field))
}
