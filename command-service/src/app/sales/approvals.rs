//! Answers to approval requests: the caller's employee, and those for whom the employee
//! substitutes.

use axum::http::StatusCode;
use domain::{
    CompanyId, Employee, EmployeeId, Note, Side,
    approval::{Pending, Speaker, Verdict},
    employee::Person,
};
use event_log::{Outcome, Work};
use jiff::{Timestamp, civil::Date};
use projections::views::parties::employees;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding, parties::company_hierarchy},
    caller::Caller,
    failure::{Failure, refusal},
};

/// Approves a step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApproveStep")]
pub struct Approve {
    /// The number of the step, counted from 1.
    pub step: u32,
    /// `request.at` of the request that was read. Required for offers and negotiations, which may
    /// request approval again.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    #[serde(default)]
    pub note: Option<Note>,
}

/// Refuses a step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RefuseStep")]
pub struct Refuse {
    /// The number of the step, counted from 1.
    pub step: u32,
    /// `request.at` of the request that was read. Required for offers and negotiations, which may
    /// request approval again.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    pub reason: Note,
}

/// An answer to a step, and the reason.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    is_approval: bool,
    step: u32,
    asked_at: Option<Timestamp>,
    note: Option<Note>,
}

impl From<Approve> for Answer {
    fn from(Approve { step, asked_at, note }: Approve) -> Self {
        Self { is_approval: true, step, asked_at, note }
    }
}

impl From<Refuse> for Answer {
    fn from(Refuse { step, asked_at, reason }: Refuse) -> Self {
        Self { is_approval: false, step, asked_at, note: Some(reason) }
    }
}

impl Answer {
    /// Refuses an answer without `asked_at`.
    fn having_read(self) -> Result<Self, Problem> {
        if self.asked_at.is_some() {
            return Ok(self);
        }
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.invalid").field(FieldError::at(
            "/asked_at",
            "is required: the `request.at` of the request that was read",
        )))
    }
}

/// A document that needs approval, by its id.
pub(crate) trait NeedsApproval: Copy + Send + Sync {
    /// Whether it may request approval again, so that an answer must name the request.
    const REQUESTS_AGAIN: bool;

    /// Loads what is needed to answer the request of this side.
    fn request(
        self,
        work: &mut Work,
        side: Side,
    ) -> impl Future<Output = Result<ApprovalRequest, Failure>> + Send;

    /// Gives the document the answer of this side.
    fn decide(
        self,
        work: &mut Work,
        side: Side,
        answered: Answered,
        today: Date,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The approval request of a document.
pub(crate) struct ApprovalRequest {
    /// The company whose employees approve, or those of a company above it; `None` for the seller.
    pub(crate) approvers_of: Option<CompanyId>,
    /// The company that must be able to buy when the document is approved.
    pub(crate) buyer: Option<CompanyId>,
    /// The pending request, if there is one.
    pub(crate) pending: Option<Pending>,
}

/// An answer in the form that the domain takes.
pub(crate) enum Answered {
    Approved(Verdict),
    Refused(Verdict),
}

/// Approves or refuses a step of a document as the caller's employee.
pub(crate) async fn answer<D: NeedsApproval>(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    document: D,
    answer: Answer,
) -> Result<Outcome, Problem> {
    let answer = if D::REQUESTS_AGAIN { answer.having_read()? } else { answer };
    let approver = &Approver::of(services, caller, answer).await?;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let ApprovalRequest { approvers_of, buyer, pending } =
                    document.request(work, caller.side()).await?;
                let companies = match approvers_of {
                    None => vec![],
                    Some(company) => {
                        let companies = company_hierarchy::line_of(work, company).await?;
                        if !companies.iter().any(|company| caller.company() == Some(company.0)) {
                            return Err(Problem::not_found().into());
                        }
                        companies
                    }
                };
                let verdict = approver.verdict(work, companies, pending).await?;
                let answered = if approver.answer.is_approval {
                    if let Some(buyer) = buyer {
                        // A suspended company cannot buy.
                        company_hierarchy::buying_term(work, buyer).await?;
                    }
                    Answered::Approved(verdict)
                } else {
                    Answered::Refused(verdict)
                };
                document.decide(work, caller.side(), answered, approver.today).await
            })
        })
        .await
}

/// The employee who answers a request.
#[derive(Debug, Clone)]
struct Approver {
    who: EmployeeId,
    /// Employees who may have named the caller as substitute, according to the read model.
    absent: Vec<Uuid>,
    answer: Answer,
    at: Timestamp,
    today: Date,
}

impl Approver {
    /// The employee of the caller. Only keys of employees may approve, so that the approver is
    /// known.
    async fn of(services: &Services, caller: &Caller, answer: Answer) -> Result<Self, Problem> {
        let who = caller.employee().ok_or_else(|| {
            Problem::new(StatusCode::FORBIDDEN, "approval.needs_employee")
                .detail("approvals need the key of an employee")
        })?;
        let today = services.clock.today();
        let unavailable = |_| Problem::unavailable("the read models are unavailable");
        let client = services.views.client().await.map_err(unavailable)?;
        let absent = employees::replaced_by(&client, who, today).await.map_err(unavailable)?;
        let absent = absent.iter().map(|employee| employee.id.0).collect();
        Ok(Self { who, absent, answer, at: services.clock.now(), today })
    }

    /// The answer as a domain value, based on facts that the append asserts. `pending` says who may
    /// answer.
    async fn verdict(
        &self,
        work: &mut Work,
        companies: Vec<CompanyId>,
        pending: Option<Pending>,
    ) -> Result<Verdict, Failure> {
        let Self { who, absent, answer, at, today } = self;
        let Answer { step, asked_at, note, .. } = answer.clone();
        let by = work.load::<Employee>(*who).await?.person().map_err(|error| refusal(&error))?;
        let by = by.clone();
        work.load_many::<Employee>(absent).await?;
        let absent: Vec<Person> = absent
            .iter()
            .filter_map(|id| work.get::<Employee>(*id)?.person().ok())
            .cloned()
            .collect();
        let named: Vec<EmployeeId> = pending.iter().flat_map(Pending::named).collect();
        work.load_many::<Employee>(named.iter().map(|id| id.0)).await?;
        let has_left = |id: &EmployeeId| matches!(work.get(*id), Some(Employee::Left { .. }));
        let gone = named.into_iter().filter(has_left).collect();
        let speaker = Box::new(Speaker { by, absent, gone, today: *today });
        Ok(Verdict { step, asked_at, speaker, companies, at: *at, note })
    }
}
