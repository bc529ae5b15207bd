//! Answers to approval requests: the caller's employee, and those for whom the employee
//! substitutes.

use axum::http::StatusCode;
use domain::{
    CompanyId, Employee, EmployeeId, Note,
    approval::{Pending, Speaker, Verdict},
    employee::Person,
};
use event_log::Work;
use jiff::{Timestamp, civil::Date};
use projections::views::parties::employees;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    Services,
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

/// The step that is answered, and the reason.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    step: u32,
    asked_at: Option<Timestamp>,
    note: Option<Note>,
}

impl From<Approve> for Answer {
    fn from(Approve { step, asked_at, note }: Approve) -> Self {
        Self { step, asked_at, note }
    }
}

impl From<Refuse> for Answer {
    fn from(Refuse { step, asked_at, reason }: Refuse) -> Self {
        Self { step, asked_at, note: Some(reason) }
    }
}

impl Answer {
    /// Refuses an answer without `asked_at`.
    pub(crate) fn having_read(self) -> Result<Self, Problem> {
        if self.asked_at.is_some() {
            return Ok(self);
        }
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.invalid").field(FieldError::at(
            "/asked_at",
            "is required: the `request.at` of the request that was read",
        )))
    }
}

/// The employee who answers a request.
#[derive(Debug, Clone)]
pub(crate) struct Approver {
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
    pub(crate) async fn of(
        services: &Services,
        caller: &Caller,
        answer: Answer,
    ) -> Result<Self, Problem> {
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
    pub(crate) async fn verdict(
        &self,
        work: &mut Work,
        companies: Vec<CompanyId>,
        pending: Option<Pending>,
    ) -> Result<Verdict, Failure> {
        let Self { who, absent, answer, at, today } = self;
        let Answer { step, asked_at, note } = answer.clone();
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
