//! Quotation requests: submit, assign, decline and withdraw.

use axum::http::StatusCode;
use domain::{
    ActorId, AddressId, Attachments, CompanyId, Currency, Employee, EmployeeId, Message, Note,
    QuotationRequest, QuotationRequestId,
    employee::Person,
    quotation_request::{Command, Error, Inquiry},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{
        Services,
        catalogue::assortment_context::Requester,
        deciding,
        parties::{company_hierarchy, representatives},
        sales::quotation_lines::{self, QuotationLineRequest},
    },
    caller::Caller,
    failure::{Failure, names_nothing, refusal_at},
};

/// A quotation request to submit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RequestQuotation")]
pub struct Ask {
    /// The company; not needed with a buyer's key.
    #[serde(default)]
    pub company: Option<CompanyId>,
    pub currency: Currency,
    /// At most 500 lines.
    pub lines: Vec<QuotationLineRequest>,
    /// A note.
    #[serde(default)]
    pub message: Option<Message>,
    /// The day by which the company needs the answer.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
    /// The delivery address: an address of the company, or of a company above it.
    #[serde(default)]
    pub delivery_address: Option<AddressId>,
    /// URLs of drawings, lists and the like.
    #[serde(default)]
    pub attachments: Attachments,
}

/// Requests a quotation.
pub async fn request(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Ask,
) -> Result<Outcome, Problem> {
    let (company, requester) = whose(caller, request.company)?;
    let id = QuotationRequestId(Uuid::now_v7());
    let (by, today) = (caller.actor(), services.clock.today());
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(request_in(work, id, request, (company, requester), (by, today)))
        })
        .await
}

/// Requests a quotation in a unit of work.
pub(super) async fn request_in(
    work: &mut Work,
    id: QuotationRequestId,
    request: &Ask,
    (company, requester): (CompanyId, Requester),
    (by, today): (ActorId, Date),
) -> Result<(), Failure> {
    let inquiry = inquiry(work, request.clone(), company, requester).await?;
    let delivery_address = inquiry.delivery_address;
    let command = Command::Request { inquiry: Box::new(inquiry), by, today };
    let requested = work.decide::<QuotationRequest>(id, command).await;
    requested.map_err(|error| refusal_at(error, pointer))?;
    let chosen = representatives::assign(work, id, company, delivery_address, today).await?;
    if let Some(representative) = chosen {
        let command = Command::Assign { representative };
        work.decide::<QuotationRequest>(id, command).await?;
    }
    work.answer(id);
    Ok(())
}

/// The company of the request. A buyer requests for its own company; the seller names it.
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
    // Suspended companies cannot request quotations.
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

/// The request field to which a rule belongs.
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

/// The employee.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignRepresentative")]
pub struct AssignTo {
    pub representative: EmployeeId,
}

/// Assigns a quotation request to a sales employee.
pub async fn assign(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: QuotationRequestId,
    AssignTo { representative }: AssignTo,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let person = work.load::<Employee>(representative).await?.person();
                if !person.is_ok_and(Person::can_represent_companies) {
                    return Err(names_nothing("/representative", "representative").into());
                }
                let command = Command::Assign { representative };
                work.decide::<QuotationRequest>(id, command).await?;
                Ok(())
            })
        })
        .await
}

/// Assigns an unassigned quotation request, or one whose assignee is absent, to the caller.
pub async fn take(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: QuotationRequestId,
) -> Result<Outcome, Problem> {
    let by = caller.employee().ok_or_else(|| {
        Problem::new(StatusCode::FORBIDDEN, "quotation_request.needs_employee")
            .detail("only the key of an employee can take a request")
    })?;
    let today = services.clock.today();
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let request = work.load::<QuotationRequest>(id).await?;
                let holder = request.open().ok().and_then(|asked| asked.representative);
                let is_free = match holder {
                    Some(holder) => {
                        let holder = work.load::<Employee>(holder).await?.person();
                        !holder.is_ok_and(|person| {
                            person.can_represent_companies() && person.substitute(today).is_none()
                        })
                    }
                    None => true,
                };
                work.decide::<QuotationRequest>(id, Command::Take { by, is_free }).await?;
                Ok(())
            })
        })
        .await
}

/// The reason, shown to the company.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DeclineQuotationRequest")]
pub struct Decline {
    pub reason: Note,
}

/// Declines a quotation request.
pub async fn decline(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: QuotationRequestId,
    Decline { reason }: Decline,
) -> Result<Outcome, Problem> {
    let command = Command::Decline { reason };
    services.decide::<QuotationRequest>(caller, digest, id, command).await
}

/// The reason.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawQuotationRequest")]
pub struct Withdraw {
    #[serde(default)]
    pub reason: Option<Note>,
}

/// Withdraws a quotation request.
pub async fn withdraw(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: QuotationRequestId,
    Withdraw { reason }: Withdraw,
) -> Result<Outcome, Problem> {
    let command = Command::Withdraw { by: caller.actor(), reason };
    services.decide::<QuotationRequest>(caller, digest, id, command).await
}
