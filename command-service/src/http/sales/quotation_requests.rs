//! `/v1/quotation-requests`: what companies want prices for, and who sees to it.

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    AddressId, Attachments, CompanyId, Currency, Employee, EmployeeId, Message, Note,
    QuotationRequest, QuotationRequestId,
    employee::Person,
    quotation_request::{Command, Error, Inquiry},
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    app::{
        Services,
        parties::{company_hierarchy, representatives},
        pricing::pricing_context::Requester,
        sales::quotation_lines::{self, QuotationLineRequest},
    },
    caller::Caller,
    failure::{Failure, names_nothing, problem, refusal_at},
    http::{
        Created, Done, Nothing,
        access::{Buyers, By, Ordering, Pricing, Sales},
    },
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/quotation-requests",
            post_with(request, |o| {
                o.id("quotation_request.request").summary("Request a quotation")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/assign",
            post_with(assign, |o| {
                o.id("quotation_request.assign")
                    .summary("Assign a request for quotation to an employee of sales")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/take",
            post_with(take, |o| {
                o.id("quotation_request.take").summary(
                    "Take a request for quotation that nobody has, or whose holder is absent",
                )
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/decline",
            post_with(decline, |o| {
                o.id("quotation_request.decline").summary("Decline a request for quotation")
            }),
        )
        .api_route(
            "/v1/quotation-requests/{id}/withdraw",
            post_with(withdraw, |o| {
                o.id("quotation_request.withdraw").summary("Withdraw a request for quotation")
            }),
        )
}

/// What is wanted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RequestQuotation")]
struct Ask {
    /// For which company; a buyer's key knows it.
    #[serde(default)]
    company: Option<CompanyId>,
    currency: Currency,
    /// At most 500.
    lines: Vec<QuotationLineRequest>,
    /// What else is to be said.
    #[serde(default)]
    message: Option<Message>,
    /// The day by which the answer is wanted.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    answer_by: Option<Date>,
    /// Where the goods would go: an address of the company, or of a firm above it.
    #[serde(default)]
    delivery_address: Option<AddressId>,
    /// Drawings, lists and the like, where they stand.
    #[serde(default)]
    attachments: Attachments,
}

async fn request(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    Body { value, digest }: Body<Ask>,
) -> Result<Created, Problem> {
    let (company, requester) = whose(&caller, value.company)?;
    let id = QuotationRequestId(Uuid::now_v7());
    let (by, today) = (caller.actor(), services.clock.today());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let value = value.clone();
            async move {
                let inquiry = inquiry(work, value, company, requester).await?;
                let delivery_address = inquiry.delivery_address;
                let command = Command::Request { inquiry: Box::new(inquiry), by, today };
                let requested = work.decide::<QuotationRequest>(id, command).await;
                requested.map_err(|error| refusal_at(error, pointer))?;
                representatives::assign(work, id, company, delivery_address, today).await?;
                work.answer(id);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/quotation-requests", done.outcome))
}

/// A buyer asks for its own company; the seller's people say for whom.
fn whose(caller: &Caller, named: Option<CompanyId>) -> Result<(CompanyId, Requester), Problem> {
    let Some(own) = caller.company() else {
        let missing = || {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "quotation_request.company_missing")
                .field(FieldError::at("/company", "is needed"))
        };
        return Ok((named.ok_or_else(missing)?, Requester::Seller));
    };
    caller.must_see(Some(named.map_or(own, Uuid::from)))?;
    Ok((CompanyId(own), Requester::Company))
}

async fn inquiry(
    work: &mut Work,
    request: Ask,
    company: CompanyId,
    requester: Requester,
) -> Result<Inquiry, Failure> {
    let Ask { currency, lines, message, answer_by, delivery_address, attachments, .. } = request;
    // Who buys nothing is offered nothing.
    company_hierarchy::buying_term(work, company).await?;
    if let Some(address) = delivery_address {
        let line = company_hierarchy::line_of(work, company).await?;
        if !company_hierarchy::deliver_to(work, &line, &address) {
            return Err(names_nothing("/delivery_address", "address").into());
        }
    }
    let lines = quotation_lines::understood(work, &lines, company, requester).await?;
    Ok(Inquiry { company, currency, lines, message, answer_by, delivery_address, attachments })
}

/// The field that a rule is about.
fn pointer(error: &Error) -> Option<String> {
    match error {
        Error::AnswerByOutOfRange => Some("/answer_by".to_owned()),
        Error::DeliveryOutOfRange { line } => Some(format!("/lines/{}/delivery_on", line - 1)),
        Error::Unrequested
        | Error::AlreadyRequested
        | Error::InOtherHands
        | Error::AlreadyAnswered
        | Error::TooManyOffers
        | Error::Closed => None,
    }
}

/// To whom.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignRepresentative")]
struct AssignTo {
    representative: EmployeeId,
}

async fn assign(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: AssignTo { representative }, digest }: Body<AssignTo>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            async move {
                let person = work.load::<Employee>(representative).await?.person();
                if !person.is_ok_and(Person::looks_after_companies) {
                    return Err(names_nothing("/representative", "representative").into());
                }
                let command = Command::Assign { representative };
                work.decide::<QuotationRequest>(id, command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

async fn take(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    let by = caller.employee().ok_or_else(|| {
        Problem::new(StatusCode::FORBIDDEN, "quotation_request.needs_employee")
            .detail("only employees look after requests: use a key that was made for one")
    })?;
    let today = services.clock.today();
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            async move {
                let request = work.load::<QuotationRequest>(id).await?;
                let holder = request.open().ok().and_then(|asked| asked.representative);
                let is_free = match holder {
                    Some(holder) => {
                        let holder = work.load::<Employee>(holder).await?.person();
                        !holder.is_ok_and(|person| {
                            person.looks_after_companies() && person.substitute(today).is_none()
                        })
                    }
                    None => true,
                };
                work.decide::<QuotationRequest>(id, Command::Take { by, is_free }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Why not, as the company reads it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeclineQuotationRequest")]
struct Decline {
    reason: Note,
}

async fn decline(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Decline { reason }, digest }: Body<Decline>,
) -> Result<Done, Problem> {
    let command = Command::Decline { reason };
    Ok(services.decide::<QuotationRequest>(&caller, digest, id, command).await?.into())
}

/// Why not.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawQuotationRequest")]
struct Withdraw {
    #[serde(default)]
    reason: Option<Note>,
}

async fn withdraw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Buyers>,
    PathId(id): PathId,
    Body { value: Withdraw { reason }, digest }: Body<Withdraw>,
) -> Result<Done, Problem> {
    let command = Command::Withdraw { by: caller.actor(), reason };
    Ok(services.decide::<QuotationRequest>(&caller, digest, id, command).await?.into())
}
