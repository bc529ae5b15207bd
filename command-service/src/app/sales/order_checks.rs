//! What placing an order checks besides prices, limits and approvals: the least value, the total that
//! the client saw, and whether the company's own number repeats.

use axum::http::StatusCode;
use domain::{
    Company, Money, Order, OrderId, OrderReference, OrderReferenceId,
    order::{Source, Terms},
    order_reference,
    vat::Totals,
};
use event_log::{Work, WorkError};
use jiff::civil::Date;
use service_kit::problem::{FieldError, Problem};

use crate::failure::{Failure, refusal, refusal_at};

/// What a client has seen and agrees to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Assent {
    /// The gross total that it saw; another one is refused.
    pub(crate) expected_total: Option<Money>,
    /// Whether the company's own number may be that of another order.
    pub(crate) repeated_reference: bool,
    /// Whether the order may be below the least value of the company.
    pub(crate) below_minimum: bool,
}

/// Refuses an order that fails a check; notes its number.
pub(crate) async fn check(
    work: &mut Work,
    id: OrderId,
    terms: &Terms,
    assent: Assent,
    on: Date,
) -> Result<(), Failure> {
    if let Some(expected) = assent.expected_total {
        is_expected(terms, expected)?;
    }
    if !assent.below_minimum {
        reaches_minimum(work, terms).await?;
    }
    use_reference(work, id, terms, assent.repeated_reference, on).await
}

fn is_expected(terms: &Terms, expected: Money) -> Result<(), Failure> {
    let totals = Totals::of(&terms.lines, terms.currency)
        .map_err(|error| refusal(&domain::order::Error::from(error)))?;
    let Totals { net, vat, gross, .. } = totals;
    if gross == expected {
        return Ok(());
    }
    let difference = gross.minus(expected).map_or_else(
        |_| format!("the order is in {}", gross.currency()),
        |difference| format!("the difference is {difference}"),
    );
    let detail =
        format!("the total is {gross} ({net} and {vat} VAT), not {expected}: {difference}");
    Err(Problem::new(StatusCode::CONFLICT, "order.total_changed")
        .detail(detail.clone())
        .field(FieldError::at("/expected_total", detail))
        .into())
}

/// An accepted offer has the value that was agreed.
async fn reaches_minimum(work: &mut Work, terms: &Terms) -> Result<(), Failure> {
    if matches!(terms.source, Source::Offer { .. }) {
        return Ok(());
    }
    let company = work.load::<Company>(terms.company).await?;
    let customer = company.customer().map_err(|error| refusal(&error))?;
    let Some(minimum) = customer.credit_terms.minimum_orders.get(&terms.currency).copied() else {
        return Ok(());
    };
    let net = terms.lines.net(terms.currency);
    let net = net.map_err(|error| refusal(&domain::order::Error::from(error)))?;
    if net.amount() >= minimum.amount() {
        return Ok(());
    }
    let detail = format!("the net value is {net}; an order has at least {minimum}");
    Err(Problem::new(StatusCode::CONFLICT, "order.below_minimum")
        .detail(detail.clone())
        .field(FieldError::at("/lines", detail))
        .into())
}

/// The number of an order that was cancelled or refused is free again.
async fn use_reference(
    work: &mut Work,
    order: OrderId,
    terms: &Terms,
    may_repeat: bool,
    on: Date,
) -> Result<(), Failure> {
    let Some(reference) = terms.reference.clone() else { return Ok(()) };
    let company = terms.company;
    let id = OrderReferenceId::of(company, &reference);
    let mut may_repeat = may_repeat;
    if let Some(earlier) = work.load::<OrderReference>(id).await?.order() {
        let earlier = work.load::<Order>(earlier).await?;
        may_repeat |= matches!(earlier, Order::Cancelled { .. } | Order::Refused { .. });
    }
    let command = order_reference::Command::Use { company, reference, order, on, may_repeat };
    work.decide::<OrderReference>(id, command)
        .await
        .map_err(|error: WorkError<_>| refusal_at(error, |_| Some("/reference".to_owned())))?;
    Ok(())
}
