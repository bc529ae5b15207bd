//! Orders: place, approve, refuse. Confirming and cancelling also concern stock: see
//! `inventory::order_reservation`.

use axum::http::StatusCode;
use domain::{
    CompanyId, Currency, Destination, EmployeeId, Lines, Money, Note, OfCompany, Order, OrderId,
    PaymentTerm, Reference, Side, order,
};
use event_log::{Outcome, Work};
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{
        Services, deciding,
        parties::company_hierarchy,
        pricing::pricing_context::Sale,
        sales::{
            approvals::{self, Answered, ApprovalRequest, Approve, NeedsApproval, Refuse},
            lines::{self, LineRequest},
            offering::{self, Intent},
            order_checks::Assent,
            ordering::{self, OrderOrigin},
        },
    },
    caller::Caller,
    failure::{Failure, given, happened},
};

/// An order to place.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PlaceOrder")]
pub struct Place {
    /// The company that orders; not needed with a buyer's key.
    #[serde(default)]
    pub company: Option<CompanyId>,
    pub currency: Currency,
    pub lines: Vec<LineRequest>,
    /// The company's own order number.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// Delivery address and cost centre, as far as given.
    #[serde(default)]
    pub destination: Destination,
    /// The employee of the company who orders, when the seller enters the order; taken from the key
    /// of an employee.
    #[serde(default)]
    pub placed_by: Option<EmployeeId>,
    /// The day of the order, when the seller enters it later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub placed_on: Option<Date>,
    /// The company's own term when not given; only the seller may choose another.
    #[serde(default)]
    pub payment_term: Option<PaymentTerm>,
    /// The day on which the company would like to have it.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub wished_on: Option<Date>,
    /// What the company says about it.
    #[serde(default)]
    pub note: Option<Note>,
    /// The gross total that the client has seen; when it is another one, nothing is placed.
    #[serde(default)]
    pub expected_total: Option<Money>,
    /// Places it although the company has used the same number within 30 days.
    #[serde(default)]
    pub confirm_repeated_reference: bool,
}

/// Places an order.
pub async fn place(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Place,
) -> Result<Outcome, Problem> {
    let company = company(caller, &request)?;
    if let Some(placed_on) = request.placed_on {
        happened("/placed_on", placed_on, services.clock.today())?;
    }
    if let Some(expected) = request.expected_total {
        given("/expected_total", expected)?;
    }
    let (id, today, now) = (OrderId(Uuid::now_v7()), services.clock.today(), services.clock.now());
    let (origin, buyer) = (OrderOrigin::of(caller), caller.buying_employee());
    let prices = origin.prices();
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Place { currency, placed_on, payment_term, .. } = *request;
                let own = company_hierarchy::buying_term(work, company).await?;
                let (on, placed_by) = (placed_on.unwrap_or(today), buyer.or(request.placed_by));
                ordering::admit(work, company, placed_by, &request.destination).await?;
                let sale = Sale { company, currency, prices, on };
                let priced = priced(work, &request.lines, sale, (caller.employee(), now)).await?;
                let terms = order::Terms {
                    company,
                    currency,
                    lines: priced,
                    payment_term: payment_term.unwrap_or(own),
                    source: order::Source::Direct,
                    reference: request.reference.clone(),
                    placed_by,
                    destination: request.destination.clone(),
                    delivery_terms: None,
                    wished_on: request.wished_on,
                    note: request.note.clone(),
                };
                let assent = Assent {
                    expected_total: request.expected_total,
                    repeated_reference: request.confirm_repeated_reference,
                    below_minimum: false,
                };
                ordering::place(work, id, terms, origin, assent, (on, now)).await
            })
        })
        .await
}

/// Prices the lines. A manual price that is further below the listed price than the employee may
/// grant requires an offer, which a superior can approve.
pub(crate) async fn priced(
    work: &mut Work,
    requests: &[LineRequest],
    sale: Sale,
    (by, now): (Option<EmployeeId>, Timestamp),
) -> Result<Lines, Failure> {
    let (lines, context) = lines::with_pricing_context(work, requests, sale).await?;
    let manual = lines.iter().zip(requests).filter(|(_, request)| request.unit_price.is_some());
    let discount = manual.filter_map(|(line, _)| {
        let listed = lines::listed(work, context.as_ref()?, line.product, line.quantity);
        lines::below(listed, line.unit_price)
    });
    let discount = discount.max();
    let lines = lines::document(lines)?;
    let net = ordering::net(&lines, sale.currency)?;
    if discount.is_some() {
        let intent = Intent { by, lines: lines.to_vec(), net, discount, now };
        if offering::approval_needed(work, intent).await?.is_some() {
            return Err(Problem::new(StatusCode::CONFLICT, "order.needs_offer")
                .detail("these prices need the approval of a superior: make an offer with them")
                .into());
        }
    }
    Ok(lines)
}

/// The company of the order. A buyer orders for its own company, on its agreed terms, today; the
/// seller names the company.
fn company(caller: &Caller, place: &Place) -> Result<CompanyId, Problem> {
    let Some(own) = caller.company() else {
        return place.company.ok_or_else(|| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "order.company_missing")
                .field(FieldError::at("/company", "is needed"))
        });
    };
    caller.must_see(Some(place.company.map_or(own, Uuid::from)))?;
    let seller_only = [
        ("/placed_by", place.placed_by.is_some()),
        ("/placed_on", place.placed_on.is_some()),
        ("/payment_term", place.payment_term.is_some()),
    ];
    caller.must_not_set("order.seller_only", &seller_only)?;
    Ok(CompanyId(own))
}

/// The reason of a cancellation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CancelOrder")]
pub struct Cancel {
    #[serde(default)]
    pub reason: Option<Note>,
}

/// Gives a command of a caller to an order. Confirming and cancelling also concern stock:
/// `inventory::order_reservation` calls this.
pub(crate) async fn decide(
    work: &mut Work,
    caller: &Caller,
    id: OrderId,
    command: order::Command,
) -> Result<(), Failure> {
    let order = work.load::<Order>(id).await?;
    caller.must_see(order.company())?;
    // A buyer cannot cancel an order that the seller has confirmed.
    let is_confirmed = matches!(order, Order::Confirmed { .. });
    if caller.company().is_some() && is_confirmed {
        return Err(Problem::new(StatusCode::CONFLICT, "order.already_confirmed")
            .detail("the order is confirmed: ask the seller to cancel it")
            .into());
    }
    ordering::decide(work, id, command).await
}

/// Approves an order.
pub async fn approve(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderId,
    request: Approve,
) -> Result<Outcome, Problem> {
    approvals::answer(services, caller, digest, id, request.into()).await
}

/// Refuses an order that awaits approval.
pub async fn refuse(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderId,
    request: Refuse,
) -> Result<Outcome, Problem> {
    approvals::answer(services, caller, digest, id, request.into()).await
}

impl NeedsApproval for OrderId {
    const REQUESTS_AGAIN: bool = false;

    async fn request(self, work: &mut Work, _: Side) -> Result<ApprovalRequest, Failure> {
        let order = work.load::<Order>(self).await?;
        let pending = order.pending().ok().cloned();
        let company = order.company().ok_or_else(Problem::not_found)?;
        Ok(ApprovalRequest { approvers_of: Some(company), buyer: Some(company), pending })
    }

    async fn decide(
        self,
        work: &mut Work,
        _: Side,
        answered: Answered,
        _: Date,
    ) -> Result<(), Failure> {
        let command = match answered {
            Answered::Approved(verdict) => order::Command::Approve(verdict),
            Answered::Refused(verdict) => order::Command::Refuse(verdict),
        };
        ordering::decide(work, self, command).await
    }
}
