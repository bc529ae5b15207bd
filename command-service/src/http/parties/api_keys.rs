//! `/v1/api-keys`: who may come in.

use aide::axum::{ApiRouter, IntoApiResponse, routing::get_with};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::NoContent,
};
use domain::{Employee, EmployeeId, OfCompany, employee::Person};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    access::{ApiKey, NewKey, Role},
    input::{Body, PathId},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Services,
    caller::Caller,
    failure::{Failure, problem, refusal},
    http::access::{Audit, By, Staffing},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/api-keys",
            get_with(list, |o| {
                o.id("api_key.list")
                    .summary("List API keys without their secrets; a company lists its own")
            })
            .post_with(create, |o| {
                o.id("api_key.create")
                    .summary("Create an API key")
                    .response_with::<201, Json<Made>, _>(|r| {
                        r.description("its secret, this once: asking again is refused")
                    })
            }),
        )
        .api_route(
            "/v1/api-keys/{id}",
            get_with(show, |o| {
                o.id("api_key.show").summary("Show the owner of an API key, also of a revoked one")
            })
            .delete_with(revoke, |o| o.id("api_key.revoke").summary("Revoke an API key")),
        )
}

/// A key to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreateApiKey")]
struct Create {
    name: domain::Name,
    /// What it may do; an employee's key may do what the employee may.
    #[serde(default)]
    role: Option<Role>,
    /// For a buyer's key that is no employee's: its company.
    #[serde(default)]
    company: Option<Uuid>,
    /// Whose it is.
    #[serde(default)]
    employee: Option<EmployeeId>,
}

/// A key that was made; the secret is shown this once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CreatedApiKey")]
struct Made {
    id: Uuid,
    key: String,
}

/// History names those who acted by a key that is nobody's as `key:<id>`.
async fn show(
    State(services): State<Services>,
    _: By<Audit>,
    PathId(id): PathId,
) -> Result<Json<ApiKey>, Problem> {
    services.access.show(id).await?.map(Json).ok_or_else(Problem::not_found)
}

async fn create(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    Body { value, .. }: Body<Create>,
) -> Result<impl IntoApiResponse, Problem> {
    let Create { name, role, company, employee } = value;
    let name = name.as_str();
    let key = match employee {
        Some(id) => {
            let theirs = [("/role", role.is_some()), ("/company", company.is_some())];
            if let Some((pointer, _)) = theirs.into_iter().find(|(_, given)| *given) {
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "api_key.of_employee")
                    .field(FieldError::at(pointer, "is the employee's")));
            }
            let person = person(&services, &caller, id).await?;
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
        follow(&services, &caller, employee, (id, key.role)).await?;
    }
    let location = [(header::LOCATION, format!("/v1/api-keys/{id}"))];
    Ok((StatusCode::CREATED, location, Json(Made { id, key: secret })))
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

async fn list(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
) -> Result<Json<Vec<ApiKey>>, Problem> {
    Ok(Json(services.access.list(caller.company()).await?))
}

async fn revoke(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
) -> Result<NoContent, Problem> {
    if services.access.revoke(id, caller.company()).await? {
        Ok(NoContent)
    } else {
        Err(Problem::not_found())
    }
}
