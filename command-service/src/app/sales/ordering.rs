//! Placing orders: destination and employee checks, spending limits, required approvals.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::{
    ApprovalRules, ApprovalRulesId, CategoryId, CompanyId, Currency, Destination, Employee,
    EmployeeId, Line, Lines, Money, Order, OrderId, Product, Role, Spending, SpendingId,
    approval::{Matter, Request, Rule},
    employee::Person,
    order::{self, Terms},
    spending,
};
use event_log::Work;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use service_kit::problem::{FieldError, Problem};

use crate::{
    app::{
        catalogue::category_paths,
        parties::company_hierarchy,
        pricing::pricing_context::Prices,
        sales::{
            credit_account,
            order_checks::{self, Assent},
        },
    },
    caller::Caller,
    failure::{Failure, names_nothing, refusal},
};

/// Who placed an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderOrigin {
    /// The company, in Kontor or by accepting an offer: its approval rules apply.
    Company,
    /// The seller, after the company ordered by other means: no approval is needed unless the buyer
    /// is known.
    Seller,
}

impl OrderOrigin {
    /// The origin of an order that the caller places.
    pub(crate) fn of(caller: &Caller) -> Self {
        if caller.company().is_some() { Self::Company } else { Self::Seller }
    }

    /// The prices of the order: only the seller may agree on others than the listed ones.
    pub(crate) fn prices(self) -> Prices {
        match self {
            Self::Company => Prices::Listed,
            Self::Seller => Prices::Agreed,
        }
    }
}

/// Checks that the company has the delivery address and that the employee may order for this
/// destination.
pub(crate) async fn admit(
    work: &mut Work,
    company: CompanyId,
    employee: Option<EmployeeId>,
    destination: &Destination,
) -> Result<(), Failure> {
    if let Some(address) = destination.address {
        let line = company_hierarchy::line_of(work, company).await?;
        if !company_hierarchy::deliver_to(work, &line, &address) {
            return Err(names_nothing("/destination/address", "address").into());
        }
    }
    if let Some(employee) = employee {
        let person = work.load::<Employee>(employee).await?.person().map_err(|e| refusal(&e))?;
        if person.company != Some(company) {
            return Err(refusal(&domain::employee::Error::Unengaged).into());
        }
        person.scope.admits(destination).map_err(|error| refusal(&error))?;
    }
    Ok(())
}

/// Places an order, with the approval that rules or limits require, and reserves credit for it. Without
/// credit it is on hold.
pub(crate) async fn place(
    work: &mut Work,
    id: OrderId,
    terms: Terms,
    origin: OrderOrigin,
    assent: Assent,
    (on, now): (Date, Timestamp),
) -> Result<(), Failure> {
    order_checks::check(work, id, &terms, assent, on).await?;
    let approval = match (origin, terms.placed_by) {
        (OrderOrigin::Seller, None) => None,
        (OrderOrigin::Company, _) | (OrderOrigin::Seller, Some(_)) => {
            needed(work, id, &terms, (on, now)).await?.map(Box::new)
        }
    };
    let placed = order::Command::Place { terms: terms.clone(), on, approval };
    work.decide::<Order>(id, placed).await?;
    let reasons = credit_account::reserve(work, id, &terms, now).await?;
    if !reasons.is_empty() {
        work.decide::<Order>(id, order::Command::HoldForCredit { reasons }).await?;
    }
    work.answer(id);
    Ok(())
}

async fn needed(
    work: &mut Work,
    order: OrderId,
    terms: &Terms,
    (on, now): (Date, Timestamp),
) -> Result<Option<Request>, Failure> {
    let proposed = ProposedOrder {
        company: terms.company,
        by: terms.placed_by,
        lines: &terms.lines,
        net: net(&terms.lines, terms.currency)?,
        destination: &terms.destination,
    };
    let request = approval_needed(work, proposed, (on, now)).await?;
    if let Some(by) = terms.placed_by
        && work.load::<Employee>(by).await?.person().is_ok()
    {
        let (company, net) = (terms.company, proposed.net);
        let today = now.to_zoned(TimeZone::UTC).date();
        let count = spending::Command::Count { company, order, net, on, today };
        work.decide::<Spending>(SpendingId::of(by), count).await?;
    }
    Ok(request)
}

/// An order that is not yet placed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProposedOrder<'a> {
    pub(crate) company: CompanyId,
    /// Who orders, if known.
    pub(crate) by: Option<EmployeeId>,
    pub(crate) lines: &'a [Line],
    /// Net value.
    pub(crate) net: Money,
    pub(crate) destination: &'a Destination,
}

/// The approval that an order needs by the rules of the company and the limits of the employee.
pub(crate) async fn approval_needed(
    work: &mut Work,
    proposed: ProposedOrder<'_>,
    (on, now): (Date, Timestamp),
) -> Result<Option<Request>, Failure> {
    let ProposedOrder { company, by, lines, net, destination } = proposed;
    let mut limits = Vec::new();
    if let Some(by) = by
        && let Ok(person) = work.load::<Employee>(by).await?.person()
    {
        let person: Person = person.clone();
        limits = work.load::<Spending>(SpendingId::of(by)).await?.beyond(&person, net, on);
    }
    let rules = rules_of(work, company).await?;
    let matter = Matter {
        net,
        categories: categories(work, &rules, lines).await?,
        address: destination.address,
        cost_centre: destination.cost_centre.clone(),
        discount: None,
    };
    Ok(Request::about(&matter, &rules, limits, Role::Approver, (by, now)))
}

/// The net sum of the lines.
pub(crate) fn net(lines: &Lines, currency: Currency) -> Result<Money, Failure> {
    lines.net(currency).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.sum_too_large")
            .field(FieldError::at("/lines", error.to_string()))
            .into()
    })
}

/// The approval rules of a company: its own, else those of the nearest company above it that has
/// some.
async fn rules_of(work: &mut Work, company: CompanyId) -> Result<Vec<Rule>, Failure> {
    let line = company_hierarchy::line_of(work, company).await?;
    let ids: Vec<_> =
        line.into_iter().map(|company| ApprovalRulesId::of(Some(company)).0).collect();
    work.load_many::<ApprovalRules>(&ids).await?;
    let nearest = ids.iter().find_map(|id| work.get::<ApprovalRules>(*id)?.rules());
    Ok(nearest.unwrap_or_default().to_vec())
}

/// The categories of the products and all categories above them, if a rule needs them.
pub(crate) async fn categories(
    work: &mut Work,
    rules: &[Rule],
    lines: &[Line],
) -> Result<BTreeSet<CategoryId>, Failure> {
    if rules.iter().all(|rule| rule.when.categories.is_empty()) {
        return Ok(BTreeSet::new());
    }
    let products: BTreeSet<_> = lines.iter().map(|line| line.product).collect();
    work.load_many::<Product>(products.iter().map(|product| product.0)).await?;
    let products: Vec<_> = products.into_iter().collect();
    category_paths::load(work, &products).await?;
    let paths = products.into_iter().flat_map(|product| category_paths::paths(work, product));
    Ok(paths.flatten().collect())
}

/// Gives a command to a placed order. Amounts that will not be shipped are removed from the
/// employee's spending and from the credit account.
pub(crate) async fn decide(
    work: &mut Work,
    id: OrderId,
    command: order::Command,
) -> Result<(), Failure> {
    let before = work.load::<Order>(id).await?;
    let placed_by = before.terms().ok().and_then(|terms| terms.placed_by);
    let account = before.terms().ok().map(|terms| (terms.company, terms.currency));
    let shipped = before.net_of_shipped();
    work.decide::<Order>(id, command).await?;
    let given_back = match work.get::<Order>(id) {
        Some(Order::Refused { .. } | Order::Cancelled { .. }) => {
            Some(spending::Command::GiveBack { order: id })
        }
        Some(Order::Shipped { rest_cancelled: true, .. }) => {
            shipped.map(|to| spending::Command::Reduce { order: id, to })
        }
        _ => None,
    };
    let is_closed = match work.get::<Order>(id) {
        Some(Order::Refused { .. } | Order::Cancelled { .. }) => true,
        Some(Order::Shipped { rest_cancelled, .. }) => *rest_cancelled,
        _ => false,
    };
    if let Some(account) = account.filter(|_| is_closed) {
        credit_account::free(work, id, account).await?;
    }
    if let Some((by, given_back)) = placed_by.zip(given_back) {
        work.decide::<Spending>(SpendingId::of(by), given_back).await?;
    }
    work.answer(id);
    Ok(())
}
