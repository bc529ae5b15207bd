//! `/v1/employees`: engagement, roles, limits, scope and substitutes.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    EmployeeId,
    employee::{Absence, Profile, Scope},
};
use service_kit::permissions::{EmployeeAdministration, Leave};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        parties::employee::{self, AssignRole, Engage, GrantLimit, LiftLimit, LimitDiscount},
    },
    http::{Created, Done, Nothing, access::By},
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

async fn engage(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    Body { value, digest }: Body<Engage>,
) -> Result<Created, Problem> {
    let outcome = employee::engage(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/employees", outcome))
}

async fn note_profile(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<Profile>,
) -> Result<Done, Problem> {
    Ok(employee::note_profile(&services, &caller, digest, EmployeeId(id), value).await?.into())
}

async fn assign_role(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<AssignRole>,
) -> Result<Done, Problem> {
    Ok(employee::assign_role(&services, &caller, digest, EmployeeId(id), value).await?.into())
}

async fn grant_limit(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<GrantLimit>,
) -> Result<Done, Problem> {
    Ok(employee::grant_limit(&services, &caller, digest, EmployeeId(id), value).await?.into())
}

async fn lift_limit(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<LiftLimit>,
) -> Result<Done, Problem> {
    Ok(employee::lift_limit(&services, &caller, digest, EmployeeId(id), value).await?.into())
}

async fn limit_discount(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<LimitDiscount>,
) -> Result<Done, Problem> {
    Ok(employee::limit_discount(&services, &caller, digest, EmployeeId(id), value).await?.into())
}

async fn restrict(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<Scope>,
) -> Result<Done, Problem> {
    Ok(employee::restrict(&services, &caller, digest, EmployeeId(id), value).await?.into())
}

async fn name_substitute(
    State(services): State<Services>,
    By { who: caller, .. }: By<Leave>,
    PathId(id): PathId,
    Body { value, digest }: Body<Absence>,
) -> Result<Done, Problem> {
    Ok(employee::name_substitute(&services, &caller, digest, EmployeeId(id), value).await?.into())
}

async fn dismiss_substitute(
    State(services): State<Services>,
    By { who: caller, .. }: By<Leave>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(employee::dismiss_substitute(&services, &caller, digest, EmployeeId(id)).await?.into())
}

async fn leave(
    State(services): State<Services>,
    By { who: caller, .. }: By<EmployeeAdministration>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(employee::leave(&services, &caller, digest, EmployeeId(id)).await?.into())
}
