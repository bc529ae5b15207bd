//! API keys: who may come in.

use axum::http::StatusCode;
use domain::{Employee, EmployeeId, OfCompany, employee::Person};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    access::{NewKey, Role},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    app::Services,
    caller::Caller,
    failure::{Failure, problem, refusal},
};

/// A key to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateApiKey")]
pub struct Create {
    pub name: domain::Name,
    /// What it may do; an employee's key may do what the employee may.
    #[serde(default)]
    pub role: Option<Role>,
    /// For a buyer's key that is no employee's: its company.
    #[serde(default)]
    pub company: Option<Uuid>,
    /// Whose it is.
    #[serde(default)]
    pub employee: Option<EmployeeId>,
}

/// A key that was made; the secret is shown this once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedApiKey")]
pub struct Made {
    pub id: Uuid,
    pub key: String,
}

/// Creates a key. It is no event: its secret is known to nobody but whoever asked for it.
pub async fn create(
    services: &Services,
    caller: &Caller,
    request: Create,
) -> Result<Made, Problem> {
    let Create { name, role, company, employee } = request;
    let name = name.as_str();
    let key = match employee {
        Some(id) => {
            let theirs = [("/role", role.is_some()), ("/company", company.is_some())];
            if let Some((pointer, _)) = theirs.into_iter().find(|(_, given)| *given) {
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "api_key.of_employee")
                    .field(FieldError::at(pointer, "is the employee's")));
            }
            let person = person(services, caller, id).await?;
            let company = person.company.map(Uuid::from);
            NewKey { name, role: role_of(person.role), company, employee: Some(id.0) }
        }
        None if caller.company().is_some() => {
            return Err(Problem::new(StatusCode::FORBIDDEN, "api_key.needs_employee")
                .detail("a company makes keys for its employees")
                .field(FieldError::at("/employee", "is needed")));
        }
        None => {
            let role = role.ok_or_else(|| {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "api_key.role_missing")
                    .field(FieldError::at("/role", "is needed"))
            })?;
            NewKey { name, role, company, employee: None }
        }
    };
    let id = caller.command_id();
    let secret = services.access.create(id, key).await?;
    if let Some(employee) = employee {
        follow(services, caller, employee, (id, key.role)).await?;
    }
    Ok(Made { id, key: secret })
}

/// Somebody at work, as of now: a process that remembers what is no longer so is not enough here.
async fn person(services: &Services, caller: &Caller, id: EmployeeId) -> Result<Person, Problem> {
    let rehearsed = services.log.rehearse(|work| {
        let caller = caller.clone();
        async move {
            let employee = work.load::<Employee>(id).await?;
            caller.must_see(employee.company())?;
            let person = employee.person().map_err(|error| refusal(&error))?;
            Ok::<_, Failure>(person.clone())
        }
        .boxed()
    });
    rehearsed.await.map_err(problem)
}

/// Whoever left, or got another role, while a key of theirs was made: the policy that keeps their
/// keys may have passed before there was this one.
async fn follow(
    services: &Services,
    caller: &Caller,
    id: EmployeeId,
    (key, made): (Uuid, Role),
) -> Result<(), Problem> {
    match person(services, caller, id).await {
        Ok(person) if role_of(person.role) == made => Ok(()),
        Ok(person) => Ok(services.access.assign_role(id.0, role_of(person.role)).await?),
        Err(problem) => {
            services.access.revoke(key, None).await?;
            Err(problem)
        }
    }
}

/// What an employee's key may do.
pub(crate) fn role_of(role: domain::Role) -> Role {
    match role {
        domain::Role::Admin => Role::Admin,
        domain::Role::Sales => Role::Sales,
        domain::Role::SalesManager => Role::SalesManager,
        domain::Role::Warehouse => Role::Warehouse,
        domain::Role::Accounting => Role::Accounting,
        domain::Role::CompanyAdmin => Role::CompanyAdmin,
        domain::Role::Purchaser => Role::Purchaser,
        domain::Role::Approver => Role::Approver,
    }
}
