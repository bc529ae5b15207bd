//! Credit accounts: what the companies under one limit have ordered and received and not paid.

pub mod holders;
pub mod holds;

use domain::{
    Company, CompanyId, CreditAccount, CreditAccountId, Currency, Money, Order, OrderId,
    ShipmentId,
    company::Customer,
    credit_account::{self, Change, Command, Facts, HoldReason},
    order::Terms,
};
use event_log::Work;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use service_kit::clock::Clock;

use crate::{
    app::parties::company_hierarchy,
    failure::{Failure, refusal},
};

/// What an account with a company in it is decided on.
pub(crate) async fn facts(
    work: &mut Work,
    company: CompanyId,
    currency: Currency,
) -> Result<Facts, Failure> {
    let line = line_of(work, company).await?;
    Ok(facts_of(work, holder(work, &line, currency), currency))
}

/// The company and the companies above it. History may know of companies that were never registered.
async fn line_of(work: &mut Work, company: CompanyId) -> Result<Vec<CompanyId>, Failure> {
    match company_hierarchy::line_of(work, company).await {
        Err(Failure::Refused(_)) => Ok(vec![company]),
        line => line,
    }
}

/// The nearest company of a line that has a limit, else the top of the line.
fn holder(work: &Work, line: &[CompanyId], currency: Currency) -> CompanyId {
    let has_limit = |id: &&CompanyId| {
        customer(work, **id).is_some_and(|it| it.credit_limits.contains_key(&currency))
    };
    let [first, ..] = line else { unreachable!("a line begins with its company") };
    *line.iter().find(has_limit).or(line.last()).unwrap_or(first)
}

fn facts_of(work: &Work, holder: CompanyId, currency: Currency) -> Facts {
    let limit = customer(work, holder).and_then(|it| it.credit_limits.get(&currency)).copied();
    Facts { holder, currency, limit, today: today(work) }
}

fn customer(work: &Work, company: CompanyId) -> Option<&Customer> {
    work.get::<Company>(company)?.customer().ok()
}

/// The seller's day.
fn today(work: &Work) -> Date {
    let clock = work.lent::<Clock>();
    clock.map_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date(), Clock::today)
}

/// Changes the account of a company.
pub(crate) async fn change(
    work: &mut Work,
    (company, currency): (CompanyId, Currency),
    change: Change,
) -> Result<(), Failure> {
    let facts = facts(work, company, currency).await?;
    work.decide::<CreditAccount>(facts.account(), Command { facts, change }).await?;
    Ok(())
}

/// Reserves credit for an order that is placed; says why it is put on hold, if it is.
pub(crate) async fn reserve(
    work: &mut Work,
    order: OrderId,
    terms: &Terms,
    at: Timestamp,
) -> Result<Vec<HoldReason>, Failure> {
    let (company, currency) = (terms.company, terms.currency);
    let amount = terms.gross().map_err(|error| refusal(&credit_account::Error::from(error)))?;
    let facts = facts(work, company, currency).await?;
    let grace_days = grace_days(work, company).await?;
    let account = work.load::<CreditAccount>(facts.account()).await?;
    let reasons = account.hold_reasons((company, amount, grace_days), facts);
    let reasons = reasons.map_err(|error| refusal(&error))?;
    let change = Change::Reserve { company, order, amount, at, grace_days, may_hold: true };
    work.decide::<CreditAccount>(facts.account(), Command { facts, change }).await?;
    Ok(reasons)
}

/// The grace period of a company: its own, else that of the nearest company above it that has one.
async fn grace_days(work: &mut Work, company: CompanyId) -> Result<Option<u16>, Failure> {
    let line = line_of(work, company).await?;
    let mut own = line.iter().filter_map(|id| customer(work, *id)?.credit_terms.grace);
    Ok(own.next().map(domain::company::GraceDays::days))
}

/// Moves what leaves of an order from what is reserved to what is delivered and not invoiced.
pub(crate) async fn deliver(
    work: &mut Work,
    order: OrderId,
    terms: &Terms,
    (shipment, amount): (ShipmentId, Money),
) -> Result<(), Failure> {
    let (company, currency) = (terms.company, terms.currency);
    let is_last = !matches!(work.load::<Order>(order).await?, Order::Confirmed { .. });
    line_of(work, company).await?;
    let is_prepaid = customer(work, company).is_some_and(|it| it.credit_terms.prepayment);
    let deliver = Change::Deliver { company, order, shipment, amount, is_last, is_prepaid };
    change(work, (company, currency), deliver).await
}

/// Frees what is reserved for an order.
pub(crate) async fn free(
    work: &mut Work,
    order: OrderId,
    (company, currency): (CompanyId, Currency),
) -> Result<(), Failure> {
    change(work, (company, currency), Change::Free { company, order }).await
}

/// The account of a holder.
fn account_of(holder: CompanyId, currency: Currency) -> CreditAccountId {
    CreditAccountId::of(holder, currency)
}
