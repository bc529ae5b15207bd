//! The source document of an offer: a quotation request, offer, order, template or price list. It
//! only fills values that a draft omits; decisions do not depend on it.

use axum::http::StatusCode;
use domain::{
    AgreementId, Currency, OfferTemplate, OfferTemplateId, Order, OrderId, Quantity,
    QuotationRequest, QuotationRequestId, Selection, Sku, UnitPrice,
    offer::{Break, Choice, Inside, OfferedLine, Origin, Proposal},
    price::{self, Value},
    quotation_request::RequestedProduct,
};
use jiff::{ToSpan, civil::Date};
use projections::views::{
    pricing::{price_agreements, prices},
    sales::{offers, orders},
};
use service_kit::problem::{FieldError, Problem};

use super::drafts::Draft;
use crate::{
    Services,
    app::sales::offering::OfferedRequest,
    failure::{Failure, names_nothing, refusal},
};

/// The draft, completed with values of its source document.
pub(super) async fn filled(
    services: &Services,
    draft: Draft,
    today: Date,
) -> Result<Draft, Problem> {
    match draft.from {
        None => Ok(draft),
        Some(Origin::Request { request }) => of_request(services, draft, request, today).await,
        Some(Origin::Offer { offer }) => of_offer(services, draft, offer.0, today).await,
        Some(Origin::Order { order }) => of_order(services, draft, order).await,
        Some(Origin::Template { template }) => of_template(services, draft, template, today).await,
        Some(Origin::List { agreement }) => of_list(services, draft, agreement).await,
    }
}

fn nothing(what: &str) -> Problem {
    names_nothing("/from", what)
}

/// The lines of a quotation request with products, at listed prices. The company's target prices
/// are not used, and lines described in words must be added by the seller.
async fn of_request(
    services: &Services,
    draft: Draft,
    request: QuotationRequestId,
    today: Date,
) -> Result<Draft, Problem> {
    let loaded = services.log.load::<QuotationRequest>(request.0).await.map_err(Failure::from)?;
    let asked = loaded.state.open().map_err(|error| refusal(&error))?;
    let inquiry = &asked.inquiry;
    let lines = inquiry.lines.iter().filter_map(|line| match &line.what {
        RequestedProduct::Product { sku, .. } => Some(OfferedRequest {
            deliver_on: line.delivery_on.filter(|day| *day >= today),
            ..OfferedRequest::plain(sku.clone(), line.quantity)
        }),
        RequestedProduct::Described { .. } => None,
    });
    Ok(Draft {
        company: draft.company.or(Some(inquiry.company)),
        currency: draft.currency.or(Some(inquiry.currency)),
        lines: or_else(draft.lines, || lines.collect()),
        representative: draft.representative.or(asked.representative),
        ..draft
    })
}

/// The lines and terms of another offer, at the same prices.
async fn of_offer(
    services: &Services,
    draft: Draft,
    offer: uuid::Uuid,
    today: Date,
) -> Result<Draft, Problem> {
    up_to_date(services, offers::PROJECTION.name).await?;
    let client = services.views.client().await.map_err(|_| unavailable())?;
    let filter = offers::Filter { id: Some(offer), ..offers::Filter::default() };
    let found = offers::list(&client, &filter, None, 1).await.map_err(|_| unavailable())?;
    let found = found.into_iter().next().ok_or_else(|| nothing("offer"))?;
    let inside = found.inside.map(|inside| inside.inside).unwrap_or_default();
    let Proposal { company, currency, lines, payment_term, delivery_terms, .. } = found.proposal;
    must_be_priced_in(currency, &draft)?;
    // Agreed prices and notes are not copied to an offer for another company.
    let is_to_the_same = draft.company.is_none_or(|other| other == company);
    let payment_term = is_to_the_same.then_some(payment_term);
    let message = found.proposal.message.filter(|_| is_to_the_same);
    Ok(Draft {
        company: draft.company.or(Some(company)),
        currency: draft.currency.or(Some(currency)),
        lines: or_else(draft.lines, || {
            lines.iter().map(|line| copied(line, &inside, today)).collect()
        }),
        payment_term: draft.payment_term.or(payment_term),
        delivery_terms: draft.delivery_terms.or(delivery_terms),
        divisible: draft.divisible || found.proposal.divisible,
        message: draft.message.or(message),
        ..draft
    })
}

/// A line at its price after discounts; a delivery day in the past is removed.
fn copied(offered: &OfferedLine, inside: &Inside, today: Date) -> OfferedRequest {
    let OfferedLine { line, breaks, at_most, choice, .. } = offered;
    OfferedRequest {
        unit_price: Some(line.unit_price),
        breaks: breaks.clone(),
        at_most: *at_most,
        choice: *choice,
        deliver_on: line.deliver_on.filter(|day| *day >= today),
        unit_cost: inside.unit_costs.get(&line.product).copied(),
        ..OfferedRequest::plain(line.sku.clone(), line.quantity)
    }
}

/// The products and quantities of an order, at current listed prices.
async fn of_order(services: &Services, draft: Draft, order: OrderId) -> Result<Draft, Problem> {
    let loaded = services.log.load::<Order>(order.0).await.map_err(Failure::from)?;
    let terms = match loaded.state.terms() {
        Ok(terms) => terms.clone(),
        // Closed orders keep their lines only in the read model.
        Err(_) => {
            up_to_date(services, orders::PROJECTION.name).await?;
            let client = services.views.client().await.map_err(|_| unavailable())?;
            let filter = orders::Filter { id: Some(order.0), ..orders::Filter::default() };
            let found = orders::list(&client, &filter, None, 1).await.map_err(|_| unavailable())?;
            found.into_iter().next().ok_or_else(|| nothing("order"))?.terms
        }
    };
    let lines =
        terms.lines.iter().map(|line| OfferedRequest::plain(line.sku.clone(), line.quantity));
    Ok(Draft {
        company: draft.company.or(Some(terms.company)),
        currency: draft.currency.or(Some(terms.currency)),
        lines: or_else(draft.lines, || lines.collect()),
        delivery_terms: draft.delivery_terms.or(terms.delivery_terms),
        ..draft
    })
}

async fn of_template(
    services: &Services,
    draft: Draft,
    template: OfferTemplateId,
    today: Date,
) -> Result<Draft, Problem> {
    let loaded = services.log.load::<OfferTemplate>(template.0).await.map_err(Failure::from)?;
    let template = loaded.state.template().map_err(|error| refusal(&error))?;
    must_be_priced_in(template.currency, &draft)?;
    let lines = template.lines.iter().map(|line| OfferedRequest {
        unit_price: line.unit_price,
        choice: if line.optional { Choice::Optional } else { Choice::Needed },
        ..OfferedRequest::plain(line.sku.clone(), line.quantity)
    });
    let valid_until = today.checked_add(i64::from(template.valid_days).days()).ok();
    Ok(Draft {
        currency: draft.currency.or(Some(template.currency)),
        lines: or_else(draft.lines, || lines.collect()),
        valid_until: draft.valid_until.or(valid_until),
        payment_term: draft.payment_term.or(template.payment_term),
        message: draft.message.or_else(|| template.message.clone()),
        ..draft
    })
}

/// The products with a fixed price in a price list, each in quantity one or in the smallest
/// quantity with a price, with the prices for larger quantities.
async fn of_list(
    services: &Services,
    draft: Draft,
    agreement: AgreementId,
) -> Result<Draft, Problem> {
    up_to_date(services, prices::PROJECTION.name).await?;
    let client = services.views.client().await.map_err(|_| unavailable())?;
    let found = price_agreements::list(&client, Some(agreement.0), None, None, 1).await;
    let found = found.map_err(|_| unavailable())?;
    let found = found.into_iter().next().ok_or_else(|| nothing("price agreement"))?;
    must_be_priced_in(found.header.currency, &draft)?;
    let listed = prices::with_skus(&client, agreement).await.map_err(|_| unavailable())?;
    let lines = listed.into_iter().filter_map(|(price, sku)| match price.selection {
        Selection::Product { .. } => of_price(sku?.parse().ok()?, &price.breaks),
        Selection::Category { .. } | Selection::Everything => None,
    });
    Ok(Draft {
        currency: draft.currency.or(Some(found.header.currency)),
        lines: or_else(draft.lines, || lines.collect()),
        ..draft
    })
}

fn of_price(sku: Sku, breaks: &[price::Break]) -> Option<OfferedRequest> {
    let fixed = |one: &price::Break| -> Option<(Option<Quantity>, UnitPrice)> {
        match one.value {
            Value::Fixed { price } => Some((one.at_least, price)),
            Value::PercentOff { .. } | Value::AmountOff { .. } => None,
        }
    };
    let mut fixed = breaks.iter().filter_map(fixed);
    let (least, unit_price) = fixed.next()?;
    let quantity = least.unwrap_or(Quantity::ONE);
    let more = fixed.filter_map(|(at_least, unit_price)| {
        Some(Break { at_least: at_least.filter(|at_least| *at_least > quantity)?, unit_price })
    });
    let breaks: Vec<Break> = more.collect();
    Some(OfferedRequest {
        unit_price: Some(unit_price),
        at_most: breaks.last().map(|last| last.at_least),
        breaks,
        ..OfferedRequest::plain(sku, quantity)
    })
}

fn or_else<T>(said: Vec<T>, other: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if said.is_empty() { other() } else { said }
}

/// Prices are not converted between currencies.
fn must_be_priced_in(currency: Currency, draft: &Draft) -> Result<(), Problem> {
    match draft.currency {
        Some(other) if other != currency && draft.lines.is_empty() => {
            let detail = format!("the currency of the source document is {currency}");
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "offer.other_currency")
                .field(FieldError::at("/currency", detail)))
        }
        Some(_) | None => Ok(()),
    }
}

/// Waits until a read model has reached the head.
async fn up_to_date(services: &Services, view: &'static str) -> Result<(), Problem> {
    let head = services.log.head().await.map_err(Failure::from)?;
    services.views.wait(&[view], head).await.map_err(|_| unavailable())
}

fn unavailable() -> Problem {
    Problem::unavailable("the read models are unavailable")
}
