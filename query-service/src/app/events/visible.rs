//! Events as a company sees them: no gaps reveal hidden events, and actors and companies of the
//! seller's side are shown as `seller`.

use std::collections::{BTreeSet, HashSet};

use domain::{Employee, OfCompany, history::is_partly_hidden};
use service_kit::problem::Problem;
use uuid::Uuid;

use super::{Event, problem};
use crate::Queries;

const SELLER: &str = "seller";

/// Those of some actors whom a company is shown.
#[derive(Debug)]
pub(crate) struct Actors {
    /// Employees of companies, and keys that belong to companies.
    shown: HashSet<Uuid>,
}

impl Actors {
    /// Looks up whom of these a company is shown: the people and keys of companies above it too.
    pub(crate) async fn of<'a>(
        queries: &Queries,
        actors: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Self, Problem> {
        let ids = |kind: &str| -> Vec<Uuid> {
            let ids: BTreeSet<Uuid> =
                actors.clone().filter_map(|actor| id_of(actor, kind)).collect();
            ids.into_iter().collect()
        };
        let employees = queries.log.newest_many::<Employee>(&ids("employee")).await;
        let employees = employees.map_err(|error| problem(&error))?;
        let engaged = employees
            .iter()
            .filter(|(_, employee)| employee.state.company().is_some())
            .map(|(id, _)| *id);
        let keys = queries.access.of_companies(&ids("key")).await?;
        Ok(Self { shown: engaged.chain(keys).collect() })
    }

    /// The actor as a company is told of it. Policies and timers are nobody's.
    pub(crate) fn shown(&self, actor: String) -> String {
        let is_shown = match actor.split_once(':') {
            Some(("policy" | "timer", _)) => true,
            Some((_, id)) => id.parse().is_ok_and(|id: Uuid| self.shown.contains(&id)),
            None => false,
        };
        if is_shown { actor } else { SELLER.to_owned() }
    }
}

/// Events without what a company may not know.
pub(super) async fn redacted(queries: &Queries, events: Vec<Event>) -> Result<Vec<Event>, Problem> {
    let actors = Actors::of(queries, events.iter().map(|event| event.actor.as_str())).await?;
    let redacted = |event: Event| Event {
        actor: actors.shown(event.actor),
        version: event.version.filter(|_| !is_partly_hidden(&event.stream_type)),
        ..event
    };
    Ok(events.into_iter().map(redacted).collect())
}

/// The id of an actor, where that is of this kind.
fn id_of(actor: &str, kind: &str) -> Option<Uuid> {
    let (of_kind, id) = actor.split_once(':')?;
    id.parse().ok().filter(|_| of_kind == kind)
}
