//! The plan of a standing order: its lines looked up, its prices fixed where the seller says so.

use axum::http::StatusCode;
use domain::{
    CompanyId, Currency, Line, Order, OrderId, order,
    standing_order::{Error, Plan, StandingLine},
};
use event_log::{Work, WorkError};
use projections::views::sales::orders;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use super::{Change, Day, Origin, Start, checked_count, refused};
use crate::{
    app::{
        Services,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, Sale},
        sales::{
            lines::{self, LineRequest},
            order as ordered, ordering,
        },
    },
    caller::Caller,
    failure::{Failure, names_nothing},
};

/// Who plans for whom, and when.
pub(super) struct Planner<'a> {
    pub(super) caller: &'a Caller,
    pub(super) day: Day,
    pub(super) company: CompanyId,
}

impl Planner<'_> {
    /// The plan that is asked for. A buyer orders as itself, at listed prices; lines of the plan
    /// before that stay as they were keep the prices that the seller has fixed for them.
    pub(super) async fn plan(
        &self,
        work: &mut Work,
        request: &Change,
        before: Option<&Plan>,
    ) -> Result<Plan, Failure> {
        let is_buyer = self.caller.company().is_some();
        let seller_only = [
            ("/placed_by", request.placed_by.is_some()),
            ("/prices_fixed_until", request.prices_fixed_until.is_some()),
        ];
        self.caller.must_not_set("standing_order.seller_only", &seller_only)?;
        checked_count(&request.lines)?;
        company_hierarchy::buying_term(work, self.company).await?;
        let placed_by = if is_buyer {
            self.caller.employee()
        } else {
            request.placed_by.or_else(|| before?.placed_by)
        };
        ordering::admit(work, self.company, placed_by, &request.destination).await?;
        let mut plan = Plan {
            name: request.name.clone(),
            currency: request.currency,
            lines: vec![],
            schedule: request.schedule.clone(),
            destination: request.destination.clone(),
            reference: request.reference.clone(),
            placed_by,
            unavailable_lines: request.unavailable_lines,
            notice_days: request.notice_days,
            prices_fixed_until: request.prices_fixed_until,
        };
        match (request.prices_fixed_until, before) {
            (Some(until), _) if until < self.day.today => {
                return Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "standing_order.day_passed",
                )
                .field(FieldError::at("/prices_fixed_until", "the day is over"))
                .into());
            }
            (Some(_), _) => plan.lines = self.fixed(work, request).await?,
            (None, Some(before)) if is_buyer && before.currency == plan.currency => {
                let lines = self.lines(work, &request.lines, plan.currency).await?;
                plan.lines = kept(lines, before);
                let keeps = plan.lines.iter().any(|line| line.unit_price.is_some());
                plan.prices_fixed_until = before.prices_fixed_until.filter(|_| keeps);
            }
            (None, _) => {
                let lines = self.lines(work, &request.lines, plan.currency).await?;
                plan.lines = lines.into_iter().map(|line| standing(line, false)).collect();
            }
        }
        Ok(plan)
    }

    /// Lines that can be had today at what agreements and lists make.
    pub(super) async fn lines(
        &self,
        work: &mut Work,
        requests: &[LineRequest],
        currency: Currency,
    ) -> Result<Vec<Line>, Failure> {
        let is_priced = requests.iter().any(|request| request.unit_price.is_some());
        if self.caller.company().is_none() && is_priced {
            return Err(refused(WorkError::Refused(Error::FixedPrices)));
        }
        let sale = self.sale(currency);
        Ok(lines::with_pricing_context(work, requests, sale).await?.0)
    }

    /// Lines whose prices the seller fixes, as far as who says so may go.
    async fn fixed(&self, work: &mut Work, request: &Change) -> Result<Vec<StandingLine>, Failure> {
        let sale = self.sale(request.currency);
        let by = (self.caller.employee(), self.day.now);
        let lines = ordered::priced(work, &request.lines, sale, by).await?;
        Ok(lines.iter().map(|line| standing(line.clone(), true)).collect())
    }

    fn sale(&self, currency: Currency) -> Sale {
        let is_buyer = self.caller.company().is_some();
        let prices = if is_buyer { Prices::Listed } else { Prices::Agreed };
        Sale { company: self.company, currency, prices, on: self.day.today }
    }
}

/// Lines with the prices that the seller has fixed for the same quantities.
pub(super) fn kept(lines: Vec<Line>, before: &Plan) -> Vec<StandingLine> {
    let kept = |line: Line| StandingLine {
        unit_price: before.price_fixed_for(line.product, line.quantity),
        ..standing(line, false)
    };
    lines.into_iter().map(kept).collect()
}

fn standing(line: Line, is_fixed: bool) -> StandingLine {
    StandingLine {
        product: line.product,
        sku: line.sku,
        name: line.name,
        quantity: line.quantity,
        unit_price: is_fixed.then_some(line.unit_price),
    }
}

/// For which company a standing order is, and the whole of what it says, with what it is made of.
pub(super) async fn filled(
    services: &Services,
    caller: &Caller,
    start: Start,
) -> Result<(CompanyId, Change), Problem> {
    let terms = match start.from {
        None => None,
        Some(Origin::Order { order }) => Some(terms_of(services, caller, order).await?),
    };
    let missing = |pointer: &str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "standing_order.incomplete")
            .field(FieldError::at(pointer, "is needed"))
    };
    let own = caller.company();
    let said = start.company.or_else(|| own.map(CompanyId));
    let company = said.or_else(|| Some(terms.as_ref()?.company));
    let company = company.ok_or_else(|| missing("/company"))?;
    caller.must_see(Some(company))?;
    let currency = start.currency.or_else(|| Some(terms.as_ref()?.currency));
    let lines = match &terms {
        Some(terms) if start.lines.is_empty() => terms.lines.iter().map(again).collect(),
        Some(_) | None => start.lines,
    };
    // Where the goods of one company go is not for another one.
    let terms = terms.filter(|terms| terms.company == company);
    let destination = start.destination.or_else(|| Some(terms?.destination));
    let change = Change {
        name: start.name,
        currency: currency.ok_or_else(|| missing("/currency"))?,
        lines,
        schedule: start.schedule,
        destination: destination.unwrap_or_default(),
        reference: start.reference,
        placed_by: start.placed_by,
        unavailable_lines: start.unavailable_lines,
        notice_days: start.notice_days,
        prices_fixed_until: start.prices_fixed_until,
    };
    Ok((company, change))
}

/// The same product in the same quantity.
fn again(line: &Line) -> LineRequest {
    LineRequest {
        sku: Some(line.sku.clone()),
        code: None,
        quantity: line.quantity,
        packaging: None,
        unit_price: None,
    }
}

/// What an order says that the caller sees. One that has ended keeps it in the read model alone.
async fn terms_of(
    services: &Services,
    caller: &Caller,
    order: OrderId,
) -> Result<order::Terms, Problem> {
    let nothing = || names_nothing("/from", "order");
    let loaded = services.log.load::<Order>(order.0).await.map_err(Failure::from)?;
    let terms = match loaded.state.terms() {
        Ok(terms) => terms.clone(),
        Err(_) => {
            let unavailable = || Problem::unavailable("the read models do not answer");
            let head = services.log.head().await.map_err(Failure::from)?;
            let view = [orders::PROJECTION.name];
            services.views.wait(&view, head).await.map_err(|_| unavailable())?;
            let client = services.views.client().await.map_err(|_| unavailable())?;
            let filter = orders::Filter { id: Some(order.0), ..orders::Filter::default() };
            let found = orders::list(&client, &filter, None, 1).await.map_err(|_| unavailable())?;
            found.into_iter().next().ok_or_else(nothing)?.terms
        }
    };
    let is_theirs = caller.company().is_none_or(|own| own == Uuid::from(terms.company));
    if is_theirs { Ok(terms) } else { Err(nothing()) }
}
