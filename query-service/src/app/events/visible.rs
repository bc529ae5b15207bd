//! Events as a company sees them: no gaps reveal hidden events, and actors and companies of the
//! seller's side are shown as `seller`.

use std::collections::BTreeSet;

use domain::{Employee, OfCompany, history::is_partly_hidden};
use service_kit::problem::Problem;
use uuid::Uuid;

use super::{Event, problem};
use crate::Queries;

const SELLER: &str = "seller";

/// Removes from events what a company may not see.
pub(super) async fn redacted(queries: &Queries, events: Vec<Event>) -> Result<Vec<Event>, Problem> {
    let ids = |kind: &str| -> Vec<Uuid> {
        let ids: BTreeSet<Uuid> = events.iter().filter_map(|event| id_of(event, kind)).collect();
        ids.into_iter().collect()
    };
    let employees = queries.log.newest_many::<Employee>(&ids("employee")).await;
    let employees = employees.map_err(|error| problem(&error))?;
    let keys = queries.access.of_companies(&ids("key")).await?;
    // Employees and keys of companies above it are hidden too; policies and timers belong to no
    // company.
    let is_shown = |event: &Event| match event.actor.split_once(':') {
        Some(("employee", _)) => id_of(event, "employee")
            .and_then(|id| employees.get(&id))
            .is_some_and(|employee| employee.state.company().is_some()),
        Some(("policy" | "timer", _)) => true,
        _ => id_of(event, "key").is_some_and(|id| keys.contains(&id)),
    };
    let redacted = |event: Event| Event {
        actor: if is_shown(&event) { event.actor } else { SELLER.to_owned() },
        version: event.version.filter(|_| !is_partly_hidden(&event.stream_type)),
        ..event
    };
    Ok(events.into_iter().map(redacted).collect())
}

/// The id of the actor, if it is of this kind.
fn id_of(event: &Event, kind: &str) -> Option<Uuid> {
    let (of_kind, id) = event.actor.split_once(':')?;
    id.parse().ok().filter(|_| of_kind == kind)
}
