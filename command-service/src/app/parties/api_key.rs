//! API keys: create, list, show and revoke keys of employees and systems.

use axum::http::StatusCode;
use domain::{Employee, EmployeeId, OfCompany, employee::Person};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    access::{ApiKey, KeyRole, NewKey},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    app::{Services, deciding_value},
    caller::Caller,
    failure::refusal,
};

/// A key to create.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateApiKey")]
pub struct Create {
    pub name: domain::Name,
    /// The role; an employee's key has the role of the employee.
    #[serde(default)]
    pub role: Option<KeyRole>,
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
    services
        .rehearse(&|work| {
            deciding_value(async move {
                let employee = work.load::<Employee>(id).await?;
                caller.must_see(employee.company())?;
                let person = employee.person().map_err(|error| refusal(&error))?;
                Ok(person.clone())
            })
        })
        .await
}

/// Revokes the key again if the employee left or changed role while the key was being created,
/// since the policy `employee_keeps_keys` may already have handled that event.
async fn follow(
    services: &Services,
    caller: &Caller,
    id: EmployeeId,
    (key, made): (Uuid, KeyRole),
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

/// The keys without their secrets, oldest first; a company lists its own.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<ApiKey>, Problem> {
    Ok(services.access.list(caller.company()).await?)
}

/// A key without its secret, also a revoked one.
pub async fn show(services: &Services, id: Uuid) -> Result<ApiKey, Problem> {
    services.access.show(id).await?.ok_or_else(Problem::not_found)
}

/// Revokes a key; a company revokes its own.
pub async fn revoke(services: &Services, caller: &Caller, id: Uuid) -> Result<(), Problem> {
    let is_revoked = services.access.revoke(id, caller.company()).await?;
    if is_revoked { Ok(()) } else { Err(Problem::not_found()) }
}

/// The role of an employee's key, which has the same name.
pub(crate) fn role_of(role: domain::Role) -> KeyRole {
    match role {
        domain::Role::Admin => KeyRole::Admin,
        domain::Role::Sales => KeyRole::Sales,
        domain::Role::SalesManager => KeyRole::SalesManager,
        domain::Role::Warehouse => KeyRole::Warehouse,
        domain::Role::Accounting => KeyRole::Accounting,
        domain::Role::CompanyAdmin => KeyRole::CompanyAdmin,
        domain::Role::Purchaser => KeyRole::Purchaser,
        domain::Role::Approver => KeyRole::Approver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The roles of keys are those of employees, and the two of connected systems.
    #[test]
    fn key_roles_are_those_of_employees_and_of_systems() {
        let mut roles = domain::Role::ALL.map(role_of).to_vec();
        for (role, key_role) in domain::Role::ALL.into_iter().zip(&roles) {
            assert_eq!(serde_json::to_value(role).unwrap(), key_role.name());
            assert_eq!(role.is_buyer(), key_role.is_buyer(), "{role:?}");
        }
        roles.extend([KeyRole::Integrator, KeyRole::Auditor]);
        assert_eq!(roles, KeyRole::ALL);
    }
}
