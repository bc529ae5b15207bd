//! What a cart costs now, who must agree when it is ordered, and what has changed since its lines
//! were written.

use std::collections::{BTreeSet, HashMap};

use axum::http::StatusCode;
use domain::{
    AddressId, CartId, CostCentre, Currency, Destination, Line, Money, ProductId, Quantity, Sku,
    UnitPrice, approval,
    cart::{Contents, Head},
    purchase_lines::PurchaseLine,
    stock::Level,
    vat,
};
use event_log::Work;
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::problem::Problem;

use super::{contents, requester, sale};
use crate::{
    app::{
        Services, deciding_value,
        sales::{
            offerings::{self, Alternative, Offering, Refused},
            ordering::{self, ProposedOrder},
        },
    },
    caller::Caller,
    failure::Failure,
};

/// Where the goods would go: approvals depend on it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// One of the delivery addresses of the company or of a firm above it.
    pub address: Option<AddressId>,
    /// The cost centre that would pay.
    pub cost_centre: Option<CostCentre>,
}

/// What a cart costs and would need if it were ordered now. Nothing is promised.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "CartTotals")]
pub struct CartTotals {
    /// The cart.
    pub id: CartId,
    /// The currency of all prices.
    pub currency: Currency,
    /// How many lines can be ordered.
    pub orderable: usize,
    /// How many cannot; `changes` says why.
    pub not_orderable: usize,
    /// The sums over the lines that can be ordered, as their invoice would have them.
    pub totals: vat::Totals,
    /// Who must agree before it is confirmed; missing when nobody must.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<approval::Request>,
    /// What has changed since lines were written, in the order of their numbers.
    pub changes: Vec<LineNews>,
}

/// What has changed for a line since it was written.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "CartLineNews")]
pub struct LineNews {
    /// Its number.
    pub line: u32,
    /// The product.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// What has changed.
    #[serde(flatten)]
    pub news: News,
}

/// What has changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "CartNews")]
pub enum News {
    /// One unit costs something else.
    PriceChanged {
        /// What it cost when the line was written; missing when it had no price.
        #[serde(skip_serializing_if = "Option::is_none")]
        was: Option<UnitPrice>,
        /// What it costs now.
        now: UnitPrice,
    },
    /// The quantity is not ordered any more; the least one above it is.
    QuantityNotOrdered {
        /// The next larger quantity that is ordered.
        above: Quantity,
    },
    /// Less is there than the line asks for.
    StockShort {
        /// What is there.
        stock: Level,
    },
    /// The product cannot be ordered.
    NotOrderable {
        /// The stable code of the reason, as for rows that are added.
        code: String,
        /// The reason, in words.
        detail: String,
        /// What is sold instead, its successor first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        instead: Vec<Alternative>,
    },
}

/// Says what a cart costs now, who must agree, and what has changed.
pub async fn totals(
    services: &Services,
    caller: &Caller,
    id: CartId,
    Ask { address, cost_centre }: Ask,
) -> Result<CartTotals, Problem> {
    let (today, now) = (services.clock.today(), services.clock.now());
    let destination = &Destination { address, cost_centre };
    services
        .rehearse(&|work| {
            deciding_value(async move {
                let cart = contents(work, caller, id).await?;
                of(services, work, caller, (id, cart), destination, (today, now)).await
            })
        })
        .await
}

async fn of(
    services: &Services,
    work: &mut Work,
    caller: &Caller,
    (id, Contents { head, lines }): (CartId, Contents),
    destination: &Destination,
    (today, now): (Date, Timestamp),
) -> Result<CartTotals, Failure> {
    let Head { company, currency, .. } = head;
    let products: BTreeSet<ProductId> = lines.iter().map(|line| line.product).collect();
    let products = products.into_iter().collect();
    let sale = sale(&head, today);
    let offered = offerings::of_products(services, work, products, sale, requester(caller)).await?;
    let mut changes = Vec::new();
    let mut good: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        let (news, orderable) = news_of(line, &offered);
        let (product, sku) = (line.product, &line.sku);
        changes.extend(news.into_iter().map(|news| {
            let (line, sku) = (line.line, sku.clone());
            LineNews { line, product, sku, news }
        }));
        good.extend(orderable);
    }
    let too_large = |error: domain::money::MoneyError| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.sum_too_large")
            .detail(error.to_string())
    };
    let totals = vat::Totals::of(&good, currency).map_err(too_large)?;
    let by = caller.buying_employee();
    let is_asked = caller.company().is_some() && !good.is_empty();
    let approval = if is_asked {
        let net: Money = totals.net.within_ceiling().map_err(too_large)?;
        let proposed = ProposedOrder { company, by, lines: &good, net, destination };
        ordering::approval_needed(work, proposed, (today, now)).await?
    } else {
        None
    };
    Ok(CartTotals {
        id,
        currency,
        orderable: good.len(),
        not_orderable: lines.len() - good.len(),
        totals,
        approval,
        changes,
    })
}

/// What has changed for a line, and the line as it would be ordered.
fn news_of(
    line: &PurchaseLine,
    offered: &HashMap<ProductId, Result<Offering, Refused>>,
) -> (Vec<News>, Option<Line>) {
    let offering = match &offered[&line.product] {
        Ok(offering) => offering,
        Err(Refused { why, instead, .. }) => {
            let (code, detail) = (why.code.clone().into_owned(), why.detail.clone());
            return (vec![News::NotOrderable { code, detail, instead: instead.clone() }], None);
        }
    };
    let mut news = Vec::new();
    if let Some(stock) = offering.stock
        && stock.available.0.is_none_or(|available| available < line.quantity)
    {
        news.push(News::StockShort { stock });
    }
    let above = offering.packing.rounded_up(line.quantity);
    if above != line.quantity {
        news.push(News::QuantityNotOrdered { above });
        return (news, None);
    }
    let Some((unit_price, priced_by)) = offering.price(line.quantity) else {
        let sku = offering.sku.clone();
        news.push(News::NotOrderable {
            code: "row.no_price".to_owned(),
            detail: format!("the product {sku} has no price in this quantity"),
            instead: vec![],
        });
        return (news, None);
    };
    if line.unit_price != Some(unit_price) {
        news.push(News::PriceChanged { was: line.unit_price, now: unit_price });
    }
    let line = Line {
        product: offering.product,
        sku: offering.sku.clone(),
        name: offering.name.clone(),
        quantity: line.quantity,
        unit_price,
        vat_rate: offering.vat_rate,
        priced_by: Some(priced_by),
        deliver_on: None,
    };
    (news, Some(line))
}
