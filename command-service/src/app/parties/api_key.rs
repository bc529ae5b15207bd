//! API keys: create keys of employees and systems.

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

/// A key to create.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateApiKey")]
pub struct Create {
    pub name: domain::Name,
    /// The role; an employee's key has the role of the employee.
    #[serde(default)]
    pub role: Option<Role>,
    /// The company of a buyer's key that belongs to no employee.
    #[serde(default)]
    pub company: Option<Uuid>,
    /// The employee to whom the key belongs.
    #[serde(default)]
    pub employee: Option<EmployeeId>,
}

/// A created key. The secret is shown only once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedApiKey")]
pub struct Made {
    pub id: Uuid,
    pub key: String,
}

/// Creates a key. It is not an event, because its secret is not stored.
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
                .detail("a company may create keys only for its employees")
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

/// The current state of an active employee, read from the database: the cache of this process may
/// be outdated.
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

/// Revokes the key again if the employee left or changed role while the key was being created,
/// since the policy `employee_keeps_keys` may already have handled that event.
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

/// The role of an employee's key.
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
