//! `/v1/territories`: who at the seller looks after which companies.

use std::collections::BTreeSet;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Company, Employee, EmployeeId, Territories, TerritoriesId,
    employee::Person,
    territories::{Command, Error, Map},
};
use event_log::Work;
use futures::FutureExt;
use service_kit::{input::Body, problem::Problem};
use uuid::Uuid;

use crate::{
    Services,
    failure::{Failure, names_nothing, problem, refusal_at},
    http::Done,
    http::access::{By, Pricing},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new().api_route(
        "/v1/territories",
        post_with(draw, |o| {
            o.id("territories.draw")
                .summary("Set which representatives look after which companies, all at once")
        }),
    )
}

async fn draw(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: map, digest }: Body<Map>,
) -> Result<Done, Problem> {
    let id = TerritoriesId::sellers();
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let map = map.clone();
            async move {
                let command = Command::Draw { map: map.clone() };
                let drawn = work.decide::<Territories>(id, command).await;
                drawn.map_err(|error| refusal_at(error, |error| Some(pointer(error))))?;
                // After its size is known to be sensible.
                exist(work, &map).await?;
                work.answer(id);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// The field that a rule is about.
fn pointer(error: &Error) -> String {
    match error {
        Error::TooMany => "/territories".to_owned(),
        Error::Territory { place, flaw: _ } => format!("/territories/{place}"),
        Error::Everywhere { flaw: _ } => "/everywhere".to_owned(),
    }
}

/// Whether those who are to look after companies do that, and the companies are there.
async fn exist(work: &mut Work, map: &Map) -> Result<(), Failure> {
    let people: BTreeSet<Uuid> = map.representatives().map(Uuid::from).collect();
    work.load_many::<Employee>(&people).await?;
    let companies = map.territories.iter().flat_map(|territory| &territory.companies);
    let companies: BTreeSet<Uuid> = companies.map(|company| company.0).collect();
    work.load_many::<Company>(&companies).await?;
    let stranger = |people: &[EmployeeId]| {
        people.iter().position(|id| {
            let person = work.get::<Employee>(*id).and_then(|employee| employee.person().ok());
            !person.is_some_and(Person::looks_after_companies)
        })
    };
    let nobody = |list: String, place| names_nothing(format!("{list}/{place}"), "representative");
    for (index, territory) in map.territories.iter().enumerate() {
        if let Some(place) = stranger(&territory.representatives) {
            return Err(nobody(format!("/territories/{index}/representatives"), place).into());
        }
        let is_there = |id| work.get::<Company>(id).is_some_and(|firm| firm.customer().is_ok());
        if !territory.companies.iter().all(|id| is_there(*id)) {
            return Err(names_nothing(format!("/territories/{index}/companies"), "company").into());
        }
    }
    match stranger(&map.everywhere) {
        Some(place) => Err(nobody("/everywhere".to_owned(), place).into()),
        None => Ok(()),
    }
}
