//! Content of offers: prices, discounts, the approval that the seller needs, and the effects of an
//! ended offer.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use domain::{
    ApprovalRules, ApprovalRulesId, Employee, EmployeeId, Line, Lines, Money, Negotiation, Offer,
    OfferId, Percent, PricedBy, ProductId, Quantity, Reference, Role, Sku, UnitPrice,
    approval::{Matter, Reason, Request},
    money::MoneyError,
    negotiation,
    offer::{self, Break, Choice, OfferedLine, discounted},
    product::PackagingName,
};
use event_log::Work;
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};

use crate::{
    app::{
        pricing::pricing_context::Sale,
        sales::{
            lines::{self, LineRequest, below},
            ordering,
        },
    },
    failure::{Failure, refusal},
};

/// A line of an offer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferLineRequest")]
pub struct OfferedRequest {
    /// The seller's SKU.
    pub sku: Option<Sku>,
    /// The product code of the company, or of a company above it; instead of `sku`.
    pub code: Option<Reference>,
    /// The quantity, in units of the product or of `packaging`.
    pub quantity: Quantity,
    /// The packaging in which the quantity is given, such as `carton`.
    pub packaging: Option<PackagingName>,
    /// Net price of one unit before discounts; without it, the listed price of the company.
    pub unit_price: Option<UnitPrice>,
    /// A discount of this line.
    pub discount: Option<Percent>,
    /// Prices for other quantities, before discounts; the smallest quantity first.
    #[serde(default)]
    pub breaks: Vec<Break>,
    /// The largest quantity that can be ordered; required with prices for other quantities.
    pub at_most: Option<Quantity>,
    /// Whether the company may omit the line.
    #[serde(default)]
    pub choice: Choice,
    /// The day of delivery.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub deliver_on: Option<Date>,
    /// The cost of one unit to the seller, never shown to the company.
    pub unit_cost: Option<UnitPrice>,
}

impl OfferedRequest {
    /// A quantity of a product at its listed price.
    pub(crate) fn plain(sku: Sku, quantity: Quantity) -> Self {
        Self {
            sku: Some(sku),
            code: None,
            quantity,
            packaging: None,
            unit_price: None,
            discount: None,
            breaks: Vec::new(),
            at_most: None,
            choice: Choice::Needed,
            deliver_on: None,
            unit_cost: None,
        }
    }

    fn line_request(&self) -> LineRequest {
        LineRequest {
            sku: self.sku.clone(),
            code: self.code.clone(),
            quantity: self.quantity,
            packaging: self.packaging,
            unit_price: self.unit_price,
        }
    }
}

/// Priced lines of an offer.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) lines: Lines<OfferedLine>,
    /// The largest discount of a line from the listed price.
    pub(crate) discount: Option<Percent>,
    /// The cost of one unit per product.
    pub(crate) unit_costs: BTreeMap<ProductId, UnitPrice>,
}

/// Finds and prices the products of lines, with the discounts of each line and of the offer.
pub(crate) async fn offered(
    work: &mut Work,
    requests: &[OfferedRequest],
    sale: Sale,
    off_all: Option<Percent>,
) -> Result<Offered, Failure> {
    for (index, request) in requests.iter().enumerate() {
        must_come(request.deliver_on, sale.on, format!("/lines/{index}/deliver_on"))?;
    }
    let line_requests: Vec<LineRequest> =
        requests.iter().map(OfferedRequest::line_request).collect();
    let (lines, context) = lines::with_pricing_context(work, &line_requests, sale).await?;
    let listed = |line: &Line, quantity: Quantity| {
        lines::listed(work, context.as_ref()?, line.product, quantity)
    };
    let mut discount = None;
    let offered = lines.into_iter().zip(requests).map(|(line, request)| {
        let off = || request.discount.into_iter().chain(off_all);
        let listed_price = listed(&line, line.quantity);
        let is_agreed = request.unit_price.is_some() || off().next().is_some();
        let line = Line {
            unit_price: discounted(line.unit_price, off()),
            priced_by: if is_agreed { Some(PricedBy::Agreed {}) } else { line.priced_by },
            deliver_on: request.deliver_on,
            ..line
        };
        let breaks: Vec<Break> = request
            .breaks
            .iter()
            .map(|price| Break { unit_price: discounted(price.unit_price, off()), ..*price })
            .collect();
        if is_agreed {
            discount = discount.max(below(listed_price, line.unit_price));
        }
        for price in &breaks {
            let of_list = listed(&line, price.at_least);
            discount = discount.max(below(of_list, price.unit_price));
        }
        OfferedLine {
            line,
            listed: listed_price,
            discount: request.discount,
            breaks,
            at_most: request.at_most,
            choice: request.choice,
        }
    });
    let lines = lines::document(offered.collect())?;
    let unit_costs = unit_costs(&lines, requests)?;
    Ok(Offered { lines, discount, unit_costs })
}

/// Refuses delivery days in the past.
pub(crate) fn must_come(day: Option<Date>, today: Date, pointer: String) -> Result<(), Problem> {
    match day {
        Some(day) if day < today => {
            let field = FieldError::at(pointer, format!("{day} is over"));
            Err(lines::refused(vec![(None, field)]))
        }
        Some(_) | None => Ok(()),
    }
}

/// The cost per product; lines with the same product must give the same cost.
fn unit_costs(
    lines: &[OfferedLine],
    requests: &[OfferedRequest],
) -> Result<BTreeMap<ProductId, UnitPrice>, Problem> {
    let mut costs = BTreeMap::new();
    for (index, (line, request)) in lines.iter().zip(requests).enumerate() {
        let Some(cost) = request.unit_cost else { continue };
        if costs.insert(line.line.product, cost).is_some_and(|other| other != cost) {
            let field = FieldError::at(
                format!("/lines/{index}/unit_cost"),
                "differs from the cost in another line with the same product",
            );
            return Err(lines::refused(vec![(None, field)]));
        }
    }
    Ok(costs)
}

/// A proposal of the seller's employee that may need approval.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    /// The employee.
    pub(crate) by: Option<EmployeeId>,
    /// The lines, as far as rules depend on their products.
    pub(crate) lines: Vec<Line>,
    /// The net sum.
    pub(crate) net: Money,
    /// The largest discount of a line from the listed price.
    pub(crate) discount: Option<Percent>,
    /// The time.
    pub(crate) now: Timestamp,
}

/// The approval that the seller's rules and the employee's discount limit require.
pub(crate) async fn approval_needed(
    work: &mut Work,
    Intent { by, lines, net, discount, now }: Intent,
) -> Result<Option<Request>, Failure> {
    let mut limits = Vec::new();
    if let Some(by) = by {
        let sender = work.load::<Employee>(by).await?.person().map_err(|e| refusal(&e))?;
        let beyond = discount.filter(|discount| !sender.discount.allows(*discount));
        limits.extend(beyond.map(|percent| Reason::Discount { percent }));
    }
    let rules = work.load::<ApprovalRules>(ApprovalRulesId::of(None)).await?;
    let rules = rules.rules().unwrap_or_default().to_vec();
    let categories = ordering::categories(work, &rules, &lines).await?;
    let matter = Matter { net, categories, address: None, cost_centre: None, discount };
    Ok(Request::about(&matter, &rules, limits, Role::SalesManager, (by, now)))
}

/// Reports a sum that exceeds the limit of money.
pub(crate) fn too_large(error: MoneyError) -> Failure {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.sum_too_large")
        .field(FieldError::at("/lines", error.to_string()))
        .into()
}

/// Gives a command to an offer. If the offer ends, its negotiation is closed.
pub(crate) async fn decide(
    work: &mut Work,
    id: OfferId,
    command: offer::Command,
) -> Result<(), Failure> {
    let negotiation = match work.load::<Offer>(id).await? {
        Offer::Open(open) => open.negotiation,
        Offer::Undrafted | Offer::Drafted(_) | Offer::Accepted { .. } | Offer::Closed { .. } => {
            None
        }
    };
    work.decide::<Offer>(id, command).await?;
    let stands = matches!(work.get::<Offer>(id), Some(Offer::Open(_)));
    if let Some(negotiation) = negotiation.filter(|_| !stands) {
        work.decide::<Negotiation>(negotiation, negotiation::Command::Close).await?;
    }
    work.answer(id);
    Ok(())
}
