//! Who answers a request for approval: the caller's employee, with those they may stand in for.

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

/// Yes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApproveStep")]
pub struct Approve {
    /// To which step, counted from 1.
    pub step: u32,
    /// `request.at` of what was read, which an offer and a negotiation need: they may ask anew.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    #[serde(default)]
    pub note: Option<Note>,
}

/// No.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RefuseStep")]
pub struct Refuse {
    /// To which step, counted from 1.
    pub step: u32,
    /// `request.at` of what was read, which an offer and a negotiation need: they may ask anew.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    pub reason: Note,
}

/// To what somebody says yes or no, and why.
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
    /// Refuses an answer that does not say what was read.
    pub(crate) fn having_read(self) -> Result<Self, Problem> {
        if self.asked_at.is_some() {
            return Ok(self);
        }
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.invalid")
            .field(FieldError::at("/asked_at", "is needed: the `request.at` of what was read")))
    }
}

/// What somebody says to a request.
#[derive(Debug, Clone)]
pub(crate) struct Approver {
    who: EmployeeId,
    /// Those who may have named them; the read model only says where to look.
    absent: Vec<Uuid>,
    answer: Answer,
    at: Timestamp,
    today: Date,
}

impl Approver {
    /// Hears a caller. Only employees decide: an approval by a key that is nobody's would say
    /// nothing of who agreed.
    pub(crate) async fn of(
        services: &Services,
        caller: &Caller,
        answer: Answer,
    ) -> Result<Self, Problem> {
        let who = caller.employee().ok_or_else(|| {
            Problem::new(StatusCode::FORBIDDEN, "approval.needs_employee")
                .detail("only employees approve: use a key that was made for one")
        })?;
        let today = services.clock.today();
        let unavailable = |_| Problem::unavailable("the read models do not answer");
        let client = services.views.client().await.map_err(unavailable)?;
        let absent = employees::replaced_by(&client, who, today).await.map_err(unavailable)?;
        let absent = absent.iter().map(|employee| employee.id.0).collect();
        Ok(Self { who, absent, answer, at: services.clock.now(), today })
    }

    /// The same as the domain hears it, on facts that the append asserts. What is `pending` says who
    /// was asked.
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
