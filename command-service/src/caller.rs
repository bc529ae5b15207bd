//! The caller of a command: principal, idempotency key and command id.

use axum::http::StatusCode;
use domain::{ActorId, EmployeeId, Side};
use event_log::Envelope;
use service_kit::{
    access::{self, Principal},
    idempotency::IdempotencyKey,
    problem::{FieldError, Problem},
    telemetry::Correlation,
};
use uuid::Uuid;

/// The caller of a command.
#[derive(Debug, Clone)]
pub struct Caller {
    principal: Principal,
    key: IdempotencyKey,
    correlation: Correlation,
}

impl Caller {
    /// A caller with an authenticated principal and an idempotency key.
    pub fn new(principal: Principal, key: IdempotencyKey, correlation: Correlation) -> Self {
        Self { principal, key, correlation }
    }

    /// Answers data of a company that the caller may not see with the same problem as missing data.
    pub(crate) fn must_see(&self, company: Option<impl Into<Uuid>>) -> Result<(), Problem> {
        self.principal.must_see(company.map(Into::into))
    }

    /// The company to which the caller is restricted; `None` for the seller's employees.
    pub(crate) fn company(&self) -> Option<Uuid> {
        self.principal.company
    }

    /// The caller's API key.
    pub(crate) fn key_id(&self) -> Uuid {
        self.principal.key
    }

    /// The caller's side.
    pub(crate) fn side(&self) -> Side {
        if self.principal.role.is_buyer() { Side::Buyer } else { Side::Seller }
    }

    /// The actor recorded in events: the employee, or the API key if it belongs to no employee.
    pub(crate) fn actor(&self) -> ActorId {
        ActorId(self.principal.employee.unwrap_or(self.principal.key))
    }

    /// The actor in the form that envelopes store.
    pub(crate) fn name(&self) -> String {
        self.principal.actor()
    }

    /// The employee to whom the key belongs.
    pub(crate) fn employee(&self) -> Option<EmployeeId> {
        self.principal.employee.map(EmployeeId)
    }

    /// The employee of a company who gives the command; `None` for the seller, and for a key that
    /// belongs to no employee.
    pub(crate) fn buying_employee(&self) -> Option<EmployeeId> {
        self.company().and(self.employee())
    }

    /// Refuses a buyer's request that sets a field that only the seller may set. Each field is named
    /// by its pointer, with whether the request sets it.
    pub(crate) fn must_not_set(
        &self,
        code: &'static str,
        fields: &[(&str, bool)],
    ) -> Result<(), Problem> {
        let set = fields.iter().find(|(_, is_set)| *is_set && self.company().is_some());
        set.map_or(Ok(()), |(pointer, _)| {
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code)
                .field(FieldError::at(*pointer, "only the seller can set this")))
        })
    }

    /// Whether the caller has this role.
    pub(crate) fn is(&self, role: access::KeyRole) -> bool {
        self.principal.role == role
    }

    /// The id of the command: derived from the idempotency key, if there is one.
    pub(crate) fn command_id(&self) -> Uuid {
        self.key.command_id(self.principal.key)
    }

    /// The envelope of a command with this request digest. Its outcome is stored if the caller gave
    /// an idempotency key.
    pub(crate) fn envelope(&self, digest: [u8; 32]) -> Envelope {
        Envelope {
            command_id: self.command_id(),
            remember: self.key.0.is_some().then_some(digest),
            actor: self.principal.actor(),
            correlation_id: self.correlation.0,
            causation_id: None,
        }
    }
}

impl AsRef<Principal> for Caller {
    fn as_ref(&self) -> &Principal {
        &self.principal
    }
}
