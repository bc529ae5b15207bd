//! Changes the role of an employee's keys, and revokes them when the employee leaves.

use domain::{
    Event, parties,
    policies::employee_keeps_keys::{Keys, react},
};
use futures::FutureExt;
use projections::ReadError;
use service_kit::access::AccessError;

use crate::{
    app::parties::api_key::role_of,
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "employee_keeps_keys",
    // In the order of events: the later role applies.
    at_once: 1,
    reads: "employee",
    concerns: |event| match event {
        Event::Parties(parties::Event::Employee(event)) => react(event).is_some(),
        _ => false,
    },
    react: |reaction| follow(reaction).boxed(),
};

async fn follow(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Parties(parties::Event::Employee(event)) = reaction.event else { return Ok(()) };
    let (access, employee) = (&reaction.services.access, reaction.recorded.stream_id);
    let followed = match react(event) {
        None => return Ok(()),
        Some(Keys::Open(role)) => access.assign_role(employee, role_of(role)).await,
        Some(Keys::Revoked) => access.revoke_all(employee).await,
    };
    followed.map_err(|error| match error {
        AccessError::Database(error) => ReadError::Database(error).into(),
        AccessError::Unavailable(error) => ReadError::Unavailable(error).into(),
        AccessError::UnknownRole
        | AccessError::CompanyDoesNotFit
        | AccessError::AlreadyMade { .. } => ReadError::Malformed.into(),
    })
}
