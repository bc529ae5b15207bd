//! Who sends a command, under which key, as part of what.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use domain::ActorId;
use event_log::Envelope;
use service_kit::{
    access::{Access, Principal, Role},
    idempotency::IdempotencyKey,
    problem::Problem,
    telemetry::Correlation,
};
use uuid::Uuid;

/// The seller's people who sell.
pub(crate) const SALES: &[Role] = &[Role::Admin, Role::Sales, Role::SalesManager];
/// The seller's people who decide what is sold at which price.
pub(crate) const PRICING: &[Role] = &[Role::Admin, Role::SalesManager];
/// The seller's people who keep the books.
pub(crate) const BOOKS: &[Role] = &[Role::Admin, Role::Accounting];
/// Those who let goods leave.
pub(crate) const DISPATCH: &[Role] = &[Role::Admin, Role::SalesManager, Role::Warehouse];
/// Those who answer for a company.
pub(crate) const BUYERS: &[Role] = &[Role::CompanyAdmin, Role::Purchaser];
/// Those who order: a company's people, or the seller's for them.
pub(crate) const ORDERING: &[Role] =
    &[Role::Admin, Role::Sales, Role::SalesManager, Role::CompanyAdmin, Role::Purchaser];
/// The operator.
pub(crate) const ADMIN: &[Role] = &[Role::Admin];

/// Somebody with a command.
#[derive(Debug, Clone)]
pub struct Caller {
    principal: Principal,
    key: IdempotencyKey,
    correlation: Correlation,
}

impl Caller {
    /// Refuses everybody whose role is not among these.
    pub(crate) fn require(&self, roles: &[Role]) -> Result<(), Problem> {
        self.principal.require(roles)
    }

    /// Answers a thing of a company that the caller does not see exactly like a missing one.
    pub(crate) fn must_see(&self, company: Option<impl Into<Uuid>>) -> Result<(), Problem> {
        self.principal.must_see(company.map(Into::into))
    }

    /// The company for which the caller can act only; `None` for the seller's people.
    pub(crate) fn company(&self) -> Option<Uuid> {
        self.principal.company
    }

    /// Who it is, as events record it.
    pub(crate) fn actor(&self) -> ActorId {
        ActorId(self.principal.key)
    }

    /// The envelope of a command with this digest; its outcome is remembered when the caller
    /// named the command.
    pub(crate) fn envelope(&self, digest: [u8; 32]) -> Envelope {
        Envelope {
            command_id: self.key.command_id(self.principal.key),
            remember: self.key.0.is_some().then_some(digest),
            actor: self.principal.actor(),
            correlation_id: self.correlation.0,
            causation_id: None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Access: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self {
            principal: Principal::from_request_parts(parts, state).await?,
            key: IdempotencyKey::from_request_parts(parts, state).await?,
            correlation: Correlation::from_request_parts(parts, state).await?,
        })
    }
}

impl OperationInput for Caller {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Principal::operation_input(ctx, operation);
        IdempotencyKey::operation_input(ctx, operation);
    }
}
