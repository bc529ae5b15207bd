//! `/v1/employees`: who works for a company or for the seller, in which role and within which limits.

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    Company, CompanyId, Currency, Employee, EmployeeId, Money, OfCompany, Role,
    employee::{Absence, Command, DiscountLimit, Period, Profile, Scope},
};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    access,
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Services,
    app::parties::company_hierarchy,
    caller::Caller,
    failure::{Failure, given, names_nothing, problem, refusal},
    http::access::{By, Leave, Staffing},
    http::{Created, Done, Nothing},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/employees",
            post_with(engage, |o| o.id("employee.engage").summary("Engage an employee")),
        )
        .api_route(
            "/v1/employees/{id}/profile",
            post_with(note_profile, |o| {
                o.id("employee.note_profile")
                    .summary("Change the name or e-mail address of an employee")
            }),
        )
        .api_route(
            "/v1/employees/{id}/role",
            post_with(assign_role, |o| {
                o.id("employee.assign_role").summary("Assign a role to an employee")
            }),
        )
        .api_route(
            "/v1/employees/{id}/limits",
            post_with(grant_limit, |o| {
                o.id("employee.grant_limit").summary("Grant an employee a spending limit")
            }),
        )
        .api_route(
            "/v1/employees/{id}/limits/lift",
            post_with(lift_limit, |o| {
                o.id("employee.lift_limit").summary("Lift a spending limit of an employee")
            }),
        )
        .api_route(
            "/v1/employees/{id}/discount-limit",
            post_with(limit_discount, |o| {
                o.id("employee.limit_discount")
                    .summary("Set an employee's discount limit without approval")
            }),
        )
        .api_route(
            "/v1/employees/{id}/scope",
            post_with(restrict, |o| {
                o.id("employee.restrict")
                    .summary("Restrict an employee to delivery addresses and cost centres")
            }),
        )
        .api_route(
            "/v1/employees/{id}/substitute",
            post_with(name_substitute, |o| {
                o.id("employee.name_substitute")
                    .summary("Name a substitute of an employee for some days")
            }),
        )
        .api_route(
            "/v1/employees/{id}/substitute/dismiss",
            post_with(dismiss_substitute, |o| {
                o.id("employee.dismiss_substitute").summary("Dismiss the substitute of an employee")
            }),
        )
        .api_route(
            "/v1/employees/{id}/leave",
            post_with(leave, |o| {
                o.id("employee.leave").summary("Record that an employee has left")
            }),
        )
}

/// Somebody new.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EngageEmployee")]
struct Engage {
    /// At which company: the seller's admin says so, and nothing for the seller's own people; a
    /// company's admin engages for its own.
    #[serde(default)]
    company: Option<CompanyId>,
    name: domain::Name,
    email: domain::Email,
    role: Role,
}

async fn engage(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    Body { value: Engage { company, name, email, role }, digest }: Body<Engage>,
) -> Result<Created, Problem> {
    let company = company.or(caller.company().map(CompanyId));
    caller.must_see(company)?;
    let id = EmployeeId(Uuid::now_v7());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let profile = Profile { name: name.clone(), email: email.clone() };
            async move {
                if let Some(company) = company {
                    let known = work.load::<Company>(company).await?.customer();
                    known.map_err(|error| refusal(&error))?;
                }
                work.decide::<Employee>(id, Command::Engage { id, company, profile, role }).await?;
                work.answer(id);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/employees", done.outcome))
}

async fn note_profile(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
    Body { value: profile, digest }: Body<Profile>,
) -> Result<Done, Problem> {
    decide(&services, &caller, id, digest, Command::NoteProfile { profile }).await
}

/// Which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignEmployeeRole")]
struct AssignRole {
    role: Role,
}

async fn assign_role(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
    Body { value: AssignRole { role }, digest }: Body<AssignRole>,
) -> Result<Done, Problem> {
    decide(&services, &caller, id, digest, Command::AssignRole { role }).await
}

/// How much, net, in one order, a day or a month.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrantSpendingLimit")]
struct GrantLimit {
    per: Period,
    limit: Money,
}

async fn grant_limit(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
    Body { value: GrantLimit { per, limit }, digest }: Body<GrantLimit>,
) -> Result<Done, Problem> {
    let limit = given("/limit", limit)?;
    decide(&services, &caller, id, digest, Command::GrantLimit { per, limit }).await
}

/// Which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LiftSpendingLimit")]
struct LiftLimit {
    per: Period,
    currency: Currency,
}

async fn lift_limit(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
    Body { value: LiftLimit { per, currency }, digest }: Body<LiftLimit>,
) -> Result<Done, Problem> {
    decide(&services, &caller, id, digest, Command::LiftLimit { per, currency }).await
}

/// How much.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SetDiscountLimit")]
struct LimitDiscount {
    limit: DiscountLimit,
}

async fn limit_discount(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
    Body { value: LimitDiscount { limit }, digest }: Body<LimitDiscount>,
) -> Result<Done, Problem> {
    decide(&services, &caller, id, digest, Command::LimitDiscount { limit }).await
}

async fn restrict(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
    Body { value: scope, digest }: Body<Scope>,
) -> Result<Done, Problem> {
    decide(&services, &caller, id, digest, Command::Restrict { scope }).await
}

async fn name_substitute(
    State(services): State<Services>,
    By { who: caller, .. }: By<Leave>,
    PathId(id): PathId,
    Body { value: absence, digest }: Body<Absence>,
) -> Result<Done, Problem> {
    own_or_staffing(&caller, id)?;
    decide(&services, &caller, id, digest, Command::NameSubstitute { absence }).await
}

async fn dismiss_substitute(
    State(services): State<Services>,
    By { who: caller, .. }: By<Leave>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    own_or_staffing(&caller, id)?;
    decide(&services, &caller, id, digest, Command::DismissSubstitute).await
}

/// People name their own substitutes; those who look after employees name anybody's.
fn own_or_staffing(caller: &Caller, id: Uuid) -> Result<(), Problem> {
    let looks_after = caller.is(access::Role::Admin) || caller.is(access::Role::CompanyAdmin);
    if looks_after || caller.employee() == Some(EmployeeId(id)) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "employee.not_own")
        .detail("name a substitute of your own, or ask an admin"))
}

async fn leave(
    State(services): State<Services>,
    By { who: caller, .. }: By<Staffing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    decide(&services, &caller, id, digest, Command::Leave).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    digest: [u8; 32],
    command: Command,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, command) = (caller.clone(), command.clone());
            async move {
                let employee = work.load::<Employee>(id).await?;
                caller.must_see(employee.company())?;
                let employer = employee.employer().map_err(|error| refusal(&error))?;
                if let Command::NameSubstitute { absence: Absence { substitute, .. } } = &command {
                    let other = work.load::<Employee>(*substitute).await?.person();
                    if other.ok().is_none_or(|person| person.company != employer) {
                        return Err(names_nothing("/substitute", "employee").into());
                    }
                }
                if let (Command::Restrict { scope }, Some(company)) = (&command, employer) {
                    let line = company_hierarchy::line_of(work, company).await?;
                    let is_place = |id| company_hierarchy::deliver_to(work, &line, id);
                    if !scope.addresses.iter().all(is_place) {
                        return Err(names_nothing("/addresses", "address").into());
                    }
                }
                work.decide::<Employee>(id, command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}
