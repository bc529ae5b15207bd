//! Who answers a request for approval: the caller's employee, with those they may stand in for.

use axum::http::StatusCode;
use domain::{
    CompanyId, Employee, EmployeeId, Note,
    approval::{Speaker, Verdict},
    employee::Person,
};
use event_log::Work;
use jiff::{Timestamp, civil::Date};
use projections::views::employees;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    Services,
    caller::Caller,
    failure::{Failure, refusal},
};

/// What somebody says to a request.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    who: EmployeeId,
    /// Those who may have named them; the read model only says where to look.
    absent: Vec<Uuid>,
    step: u32,
    note: Option<Note>,
    at: Timestamp,
    today: Date,
}

impl Word {
    /// Hears a caller. Only employees decide: an approval by a key that is nobody's would say
    /// nothing of who agreed.
    pub(crate) async fn of(
        services: &Services,
        caller: &Caller,
        step: u32,
        note: Option<Note>,
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
        Ok(Self { who, absent, step, note, at: services.clock.now(), today })
    }

    /// The same as the domain hears it, on facts that the append asserts.
    pub(crate) async fn verdict(
        self,
        work: &mut Work,
        firms: Vec<CompanyId>,
    ) -> Result<Verdict, Failure> {
        let Self { who, absent, step, note, at, today } = self;
        let by = work.load::<Employee>(who).await?.person().map_err(|error| refusal(&error))?;
        let by = by.clone();
        work.load_many::<Employee>(&absent).await?;
        let absent: Vec<Person> = absent
            .iter()
            .filter_map(|id| work.get::<Employee>(*id)?.person().ok())
            .cloned()
            .collect();
        let speaker = Box::new(Speaker { by, absent, today });
        Ok(Verdict { step, speaker, firms, at, note })
    }
}
