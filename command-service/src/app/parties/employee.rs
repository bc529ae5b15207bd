//! Employees: engagement, roles, limits, scope and substitutes.

use axum::http::StatusCode;
use domain::{
    Company, CompanyId, Currency, Employee, EmployeeId, Money, OfCompany, Role,
    employee::{Absence, Command, DiscountLimit, Period, Profile, Scope},
};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{access, problem::Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding, parties::company_hierarchy},
    caller::Caller,
    failure::{given, names_nothing, refusal},
};

/// An employee to engage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EngageEmployee")]
pub struct Engage {
    /// The company. The seller's admin gives it, and omits it for the seller's own employees; a
    /// company's admin engages for its own company.
    #[serde(default)]
    pub company: Option<CompanyId>,
    pub name: domain::Name,
    pub email: domain::Email,
    pub role: Role,
}

/// Engages an employee.
pub async fn engage(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Engage { company, name, email, role }: Engage,
) -> Result<Outcome, Problem> {
    let company = company.or(caller.company().map(CompanyId));
    caller.must_see(company)?;
    let id = EmployeeId(Uuid::now_v7());
    let profile = &Profile { name, email };
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                if let Some(company) = company {
                    let known = work.load::<Company>(company).await?.customer();
                    known.map_err(|error| refusal(&error))?;
                }
                work.decide::<Employee>(
                    id,
                    Command::Engage { id, company, profile: profile.clone(), role },
                )
                .await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Changes the name or e-mail address of an employee.
pub async fn note_profile(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    profile: Profile,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::NoteProfile { profile }).await
}

/// A role.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignEmployeeRole")]
pub struct AssignRole {
    pub role: Role,
}

/// Assigns a role to an employee.
pub async fn assign_role(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    AssignRole { role }: AssignRole,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::AssignRole { role }).await
}

/// The net amounts per order, day and month.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrantSpendingLimit")]
pub struct GrantLimit {
    pub per: Period,
    pub limit: Money,
}

/// Grants an employee a spending limit.
pub async fn grant_limit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    GrantLimit { per, limit }: GrantLimit,
) -> Result<Outcome, Problem> {
    let limit = given("/limit", limit)?;
    decide(services, caller, digest, id, Command::GrantLimit { per, limit }).await
}

/// The limit to lift.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LiftSpendingLimit")]
pub struct LiftLimit {
    pub per: Period,
    pub currency: Currency,
}

/// Lifts a spending limit of an employee.
pub async fn lift_limit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    LiftLimit { per, currency }: LiftLimit,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::LiftLimit { per, currency }).await
}

/// The maximum discount.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SetDiscountLimit")]
pub struct LimitDiscount {
    pub limit: DiscountLimit,
}

/// Sets an employee's discount limit without approval.
pub async fn limit_discount(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    LimitDiscount { limit }: LimitDiscount,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::LimitDiscount { limit }).await
}

/// Restricts an employee to delivery addresses and cost centres.
pub async fn restrict(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    scope: Scope,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Restrict { scope }).await
}

/// Names a substitute of an employee for some days.
pub async fn name_substitute(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    absence: Absence,
) -> Result<Outcome, Problem> {
    own_or_staffing(caller, id)?;
    decide(services, caller, digest, id, Command::NameSubstitute { absence }).await
}

/// Dismisses the substitute of an employee.
pub async fn dismiss_substitute(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
) -> Result<Outcome, Problem> {
    own_or_staffing(caller, id)?;
    decide(services, caller, digest, id, Command::DismissSubstitute).await
}

/// Employees name their own substitutes; those who manage employees name anybody's.
fn own_or_staffing(caller: &Caller, id: EmployeeId) -> Result<(), Problem> {
    let is_admin = caller.is(access::Role::Admin) || caller.is(access::Role::CompanyAdmin);
    if is_admin || caller.employee() == Some(id) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "employee.not_own")
        .detail("an employee may name only their own substitute; admins may name any"))
}

/// Records that an employee has left.
pub async fn leave(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Leave).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: EmployeeId,
    command: Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let employee = work.load::<Employee>(id).await?;
                caller.must_see(employee.company())?;
                let employer = employee.employer().map_err(|error| refusal(&error))?;
                if let Command::NameSubstitute { absence: Absence { substitute, .. } } = command {
                    let other = work.load::<Employee>(*substitute).await?.person();
                    if other.ok().is_none_or(|person| person.company != employer) {
                        return Err(names_nothing("/substitute", "employee").into());
                    }
                }
                if let (Command::Restrict { scope }, Some(company)) = (command, employer) {
                    let line = company_hierarchy::line_of(work, company).await?;
                    let is_place = |id| company_hierarchy::deliver_to(work, &line, id);
                    if !scope.addresses.iter().all(is_place) {
                        return Err(names_nothing("/addresses", "address").into());
                    }
                }
                work.decide::<Employee>(id, command.clone()).await?;
                Ok(())
            })
        })
        .await
}
