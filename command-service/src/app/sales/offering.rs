//! How an offer comes to say what it says, who at the seller must stand behind it, and what ends
//! with it.

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

/// A line to offer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OfferLineRequest")]
pub struct OfferedRequest {
    /// The seller's code of the product.
    pub sku: Option<Sku>,
    /// What the company, or a firm above it, calls it; instead of `sku`.
    pub code: Option<Reference>,
    /// How much of it: in its units, or in those of `packaging`.
    pub quantity: Quantity,
    /// In what it is counted, such as `carton`.
    pub packaging: Option<PackagingName>,
    /// Net price of one unit before discounts; without it, what the company's agreements and lists
    /// make.
    pub unit_price: Option<UnitPrice>,
    /// What comes off for this line.
    pub discount: Option<Percent>,
    /// Prices for other quantities, before discounts; the smallest quantity first.
    #[serde(default)]
    pub breaks: Vec<Break>,
    /// The largest quantity that the company can take, which prices for other quantities need.
    pub at_most: Option<Quantity>,
    /// Whether the company must take it.
    #[serde(default)]
    pub choice: Choice,
    /// The day on which it arrives.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub deliver_on: Option<Date>,
    /// What one unit costs the seller; the company never sees it.
    pub unit_cost: Option<UnitPrice>,
}

impl OfferedRequest {
    /// So much of a product, as agreements and lists price it.
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

/// Lines as they are offered.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) lines: Lines<OfferedLine>,
    /// How far a price lies below what agreements and lists make, where it does most.
    pub(crate) discount: Option<Percent>,
    /// What one unit of a product costs the seller.
    pub(crate) unit_costs: BTreeMap<ProductId, UnitPrice>,
}

/// Finds the products of lines and prices them, with what comes off each line and off all of them.
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
    let (lines, counter) = lines::with_pricing_context(work, &line_requests, sale).await?;
    let listed = |line: &Line, quantity: Quantity| {
        lines::listed(work, counter.as_ref()?, line.product, quantity)
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

/// Nothing arrives on a day that is over.
pub(crate) fn must_come(day: Option<Date>, today: Date, pointer: String) -> Result<(), Problem> {
    match day {
        Some(day) if day < today => {
            let field = FieldError::at(pointer, format!("{day} is over"));
            Err(lines::refused(vec![(None, field)]))
        }
        Some(_) | None => Ok(()),
    }
}

/// What products cost the seller: one cost each, in however many lines they stand.
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
                "is not what another line says that the product costs",
            );
            return Err(lines::refused(vec![(None, field)]));
        }
    }
    Ok(costs)
}

/// Something that somebody at the seller wants to put before a company.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    /// Who.
    pub(crate) by: Option<EmployeeId>,
    /// The lines, as far as rules look at their products.
    pub(crate) lines: Vec<Line>,
    /// What that costs, without tax.
    pub(crate) net: Money,
    /// How far a price lies below what agreements and lists make, where it does most.
    pub(crate) discount: Option<Percent>,
    /// When.
    pub(crate) now: Timestamp,
}

/// Who at the seller must agree first, by its rules and by how much the sender may take off.
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

/// A sum of lines that no money holds.
pub(crate) fn too_large(error: MoneyError) -> Failure {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.sum_too_large")
        .field(FieldError::at("/lines", error.to_string()))
        .into()
}

/// Gives a command to an offer. Where that ends it, its negotiation ends too.
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
