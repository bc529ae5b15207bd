//! Territories: which representatives of the seller are assigned to which companies.

use std::collections::BTreeSet;

use domain::{
    Company, Employee, EmployeeId, Territories, TerritoriesId,
    employee::Person,
    territories::{Command, Error, Map},
};
use event_log::{Outcome, Work};
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, names_nothing, refusal_at},
};

/// Replaces the assignment of representatives to companies.
pub async fn draw(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    map: Map,
) -> Result<Outcome, Problem> {
    let id = TerritoriesId::sellers();
    let map = &map;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let command = Command::Draw { map: map.clone() };
                let decided = work.decide::<Territories>(id, command).await;
                decided.map_err(|error| refusal_at(error, |error| Some(pointer(error))))?;
                // After the number of entries was checked.
                exist(work, map).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// The request field to which a rule belongs.
fn pointer(error: &Error) -> String {
    match error {
        Error::TooMany => "/territories".to_owned(),
        Error::Territory { place, flaw: _ } => format!("/territories/{place}"),
        Error::Everywhere { flaw: _ } => "/everywhere".to_owned(),
    }
}

/// Checks that the representatives have a role that is assigned companies, and that the companies
/// exist.
async fn exist(work: &mut Work, map: &Map) -> Result<(), Failure> {
    let people: BTreeSet<Uuid> = map.representatives().map(Uuid::from).collect();
    work.load_many::<Employee>(&people).await?;
    let companies = map.territories.iter().flat_map(|territory| &territory.companies);
    let companies: BTreeSet<Uuid> = companies.map(|company| company.0).collect();
    work.load_many::<Company>(&companies).await?;
    let stranger = |people: &[EmployeeId]| {
        people.iter().position(|id| {
            let person = work.get::<Employee>(*id).and_then(|employee| employee.person().ok());
            !person.is_some_and(Person::can_represent_companies)
        })
    };
    let nobody = |list: String, place| names_nothing(format!("{list}/{place}"), "representative");
    for (index, territory) in map.territories.iter().enumerate() {
        if let Some(place) = stranger(&territory.representatives) {
            return Err(nobody(format!("/territories/{index}/representatives"), place).into());
        }
        let is_there =
            |id| work.get::<Company>(id).is_some_and(|company| company.customer().is_ok());
        if !territory.companies.iter().all(|id| is_there(*id)) {
            return Err(names_nothing(format!("/territories/{index}/companies"), "company").into());
        }
    }
    match stranger(&map.everywhere) {
        Some(place) => Err(nobody("/everywhere".to_owned(), place).into()),
        None => Ok(()),
    }
}
