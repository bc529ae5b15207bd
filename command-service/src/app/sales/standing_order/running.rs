//! What a standing order does when a day has come: it is announced, and its order is placed.
//!
//! The order and its record are one append, so there is never one without the other. The id of the
//! order derives from the standing order and the date, so a date never gets two.

use axum::http::StatusCode;
use domain::{
    CompanyId, Line, Lines, OrderId, PricedBy, Product, Refusal, StandingOrder, StandingOrderId,
    assortment, order,
    product::Error as ProductError,
    standing_order::{Command, LeftOut, Outcome, Plan, Reason, StandingLine, UnavailableLines},
};
use event_log::Work;
use jiff::civil::Date;
use service_kit::problem::Problem;

use super::Day;
use crate::{
    app::{
        catalogue::assortment_context::Requester,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, PricingContext, Sale},
        sales::{
            lines,
            order_checks::Assent,
            ordering::{self, OrderOrigin},
        },
    },
    failure::Failure,
};

/// A date that is due, with all that its order needs.
struct Due {
    date: Date,
    plan: Plan,
    lines: Vec<StandingLine>,
    company: CompanyId,
    /// The number of orders with this one.
    number: u32,
}

/// Announces the next order if its day has come, and places the order that is due. What hinders an
/// order is recorded, and no other date waits for it.
pub(crate) async fn run(work: &mut Work, id: StandingOrderId, day: Day) -> Result<(), Failure> {
    let Day { today, .. } = day;
    work.decide::<StandingOrder>(id, Command::Announce { today }).await?;
    let Some(due) = due(work, id, today) else { return Ok(()) };
    let date = due.date;
    work.mark();
    let mut left_out = Vec::new();
    let outcome = match place(work, id, due, &mut left_out, day).await {
        Ok(order) => Outcome::Placed { order, left_out },
        Err(Failure::Refused(problem)) if problem.is_refusal() => {
            work.roll_back();
            let reasons = vec![reason(problem.code(), problem.words())];
            Outcome::Failed { reasons, left_out }
        }
        Err(failure) => return Err(failure),
    };
    work.decide::<StandingOrder>(id, Command::Record { date, outcome, today }).await?;
    work.answer(id);
    Ok(())
}

fn due(work: &Work, id: StandingOrderId, today: Date) -> Option<Due> {
    let Some(StandingOrder::Active(ongoing)) = work.get::<StandingOrder>(id) else { return None };
    let (run, _) = ongoing.due(today)?;
    Some(Due {
        date: run.date,
        plan: Plan { placed_by: run.placed_by, ..ongoing.plan.clone() },
        lines: run.lines.to_vec(),
        company: ongoing.company,
        number: ongoing.orders.saturating_add(1),
    })
}

async fn place(
    work: &mut Work,
    id: StandingOrderId,
    Due { date, plan, lines, company, number }: Due,
    left_out: &mut Vec<LeftOut>,
    Day { today, now }: Day,
) -> Result<OrderId, Failure> {
    let payment_term = company_hierarchy::buying_term(work, company).await?;
    ordering::admit(work, company, plan.placed_by, &plan.destination).await?;
    work.load_many::<Product>(lines.iter().map(|line| line.product.0)).await?;
    let sale = Sale { company, currency: plan.currency, prices: Prices::Listed, on: today };
    let products = lines.iter().map(|line| line.product).collect();
    let pricing_context = PricingContext::open(work, sale, products).await?;
    let mut found = Vec::with_capacity(lines.len());
    for (number, line) in (1..).zip(&lines) {
        match available(work, &pricing_context, &plan, line, today) {
            Ok(line) => found.push(line),
            Err(reason) => left_out.push(LeftOut {
                line: number,
                product: line.product,
                sku: line.sku.clone(),
                quantity: line.quantity,
                reason,
            }),
        }
    }
    let is_refused = match plan.unavailable_lines {
        UnavailableLines::LeaveOut => found.is_empty(),
        UnavailableLines::PlaceNothing => !left_out.is_empty(),
    };
    if is_refused {
        return Err(Problem::new(StatusCode::CONFLICT, "standing_order.lines_unavailable")
            .detail(format!("{} of {} lines cannot be had", left_out.len(), lines.len()))
            .into());
    }
    let lines: Lines = lines::document(found)?;
    let order = OrderId::of_standing_order(id, date);
    let terms = order::Terms {
        company,
        currency: plan.currency,
        lines,
        payment_term,
        source: order::Source::StandingOrder { standing_order: id, date },
        reference: plan.reference.as_ref().and_then(|pattern| pattern.reference(date, number)),
        placed_by: plan.placed_by,
        destination: plan.destination.clone(),
        delivery_terms: None,
        wished_on: None,
        note: None,
    };
    // Its reference may be the same on every date.
    let assent = Assent { repeated_reference: true, ..Assent::default() };
    ordering::place(work, order, terms, OrderOrigin::Company, assent, (today, now)).await?;
    Ok(order)
}

/// A line at its price, or why it cannot be had.
fn available(
    work: &Work,
    pricing_context: &PricingContext,
    plan: &Plan,
    line: &StandingLine,
    today: Date,
) -> Result<Line, Reason> {
    let because = |error: ProductError| reason(error.code(), &error.to_string());
    let product =
        work.get::<Product>(line.product).ok_or_else(|| because(ProductError::Undrafted))?;
    let item = product.on_sale().map_err(because)?;
    if !pricing_context.shows(work, product, Requester::Company) {
        let error = assortment::Error::Outside;
        return Err(reason(error.code(), &error.to_string()));
    }
    item.can_be_ordered(line.quantity).map_err(because)?;
    let fixed = plan.fixed_price(line, today).map(|price| (price, PricedBy::Agreed {}));
    let price = fixed.or_else(|| pricing_context.price(work, item, line.quantity));
    item.line(line.quantity, plan.currency, price, today).map_err(because)
}

/// The code of a broken rule, and the rule in words.
fn reason(code: &str, words: &str) -> Reason {
    let unknown = || "unknown".parse().expect("a word is a reference");
    Reason { code: code.parse().unwrap_or_else(|_| unknown()), detail: words.parse().ok() }
}
