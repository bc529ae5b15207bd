//! Who sends a command, under which key, as part of what.

use domain::{ActorId, EmployeeId, Side};
use event_log::Envelope;
use service_kit::{
    access::{self, Principal},
    idempotency::IdempotencyKey,
    problem::Problem,
    telemetry::Correlation,
};
use uuid::Uuid;

/// Somebody with a command.
#[derive(Debug, Clone)]
pub struct Caller {
    principal: Principal,
    key: IdempotencyKey,
    correlation: Correlation,
}

impl Caller {
    /// Whoever was authenticated as this principal, and names its command by this key.
    pub fn new(principal: Principal, key: IdempotencyKey, correlation: Correlation) -> Self {
        Self { principal, key, correlation }
    }

    /// Answers a thing of a company that the caller does not see exactly like a missing one.
    pub(crate) fn must_see(&self, company: Option<impl Into<Uuid>>) -> Result<(), Problem> {
        self.principal.must_see(company.map(Into::into))
    }

    /// The company for which the caller can act only; `None` for the seller's people.
    pub(crate) fn company(&self) -> Option<Uuid> {
        self.principal.company
    }

    /// The key that it shows.
    pub(crate) fn key_id(&self) -> Uuid {
        self.principal.key
    }

    /// On which side of the table it sits.
    pub(crate) fn side(&self) -> Side {
        if self.principal.role.is_buyer() { Side::Buyer } else { Side::Seller }
    }

    /// Who it is, as events record it: the employee, or the key where it is nobody's.
    pub(crate) fn actor(&self) -> ActorId {
        ActorId(self.principal.employee.unwrap_or(self.principal.key))
    }

    /// Who it is, as envelopes name it.
    pub(crate) fn name(&self) -> String {
        self.principal.actor()
    }

    /// The employee whose key it is.
    pub(crate) fn employee(&self) -> Option<EmployeeId> {
        self.principal.employee.map(EmployeeId)
    }

    /// Whether it has this role.
    pub(crate) fn is(&self, role: access::Role) -> bool {
        self.principal.role == role
    }

    /// The id of the command: the same whenever the caller names it by the same key.
    pub(crate) fn command_id(&self) -> Uuid {
        self.key.command_id(self.principal.key)
    }

    /// The envelope of a command with this digest; its outcome is remembered when the caller
    /// named the command.
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
