//! Who sends a command, under which key, as part of what.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use domain::{ActorId, EmployeeId, Side};
use event_log::Envelope;
use service_kit::{
    access::{self, Access, Principal},
    idempotency::IdempotencyKey,
    problem::Problem,
    roles,
    telemetry::Correlation,
};
use uuid::Uuid;

roles! {
    /// The seller's people who sell.
    Sales: Admin, Sales, SalesManager;
    /// The seller's people who decide what is sold at which price.
    Pricing: Admin, SalesManager;
    /// The seller's people who keep the books.
    Books: Admin, Accounting;
    /// The seller's people who decide how far a company is trusted.
    Trust: Admin, SalesManager, Accounting;
    /// Those who say where goods go: the seller's people, or a company for itself.
    AddressBook: Admin, Sales, SalesManager, CompanyAdmin;
    /// Those who let goods leave.
    Dispatch: Admin, SalesManager, Warehouse;
    /// Those who answer for a company.
    Buyers: CompanyAdmin, Purchaser;
    /// Those of a company who look at what it is offered.
    Shoppers: CompanyAdmin, Purchaser, Approver;
    /// Those who order: a company's people, or the seller's for them.
    Ordering: Admin, Sales, SalesManager, CompanyAdmin, Purchaser;
    /// Those who look after employees: the seller's admin after all, a company's after its own.
    Staffing: Admin, CompanyAdmin;
    /// Those who go on leave and name who stands in for them in the meantime.
    Leave: Admin, Sales, SalesManager, CompanyAdmin, Approver;
    /// Those who answer for what a company's purchasers do, or may stand in for one who does: the
    /// domain says who was asked.
    Superiors: CompanyAdmin, Purchaser, Approver;
    /// The same of either side.
    Approving: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// Those who talk with the other side about what is offered.
    OfferTalk: Admin, Sales, SalesManager, CompanyAdmin, Purchaser, Approver;
    /// Those who talk about what was ordered.
    OrderTalk: Admin, Sales, SalesManager, Warehouse, Accounting, CompanyAdmin, Purchaser, Approver;
    /// Those who talk about what is owed.
    InvoiceTalk: Admin, Sales, SalesManager, Accounting, CompanyAdmin, Purchaser, Approver;
    /// Those who look behind the scenes.
    Audit: Admin, Auditor;
    /// The operator.
    Operator: Admin;
    /// Those who look into what the operator has to mend.
    Oversight: Admin, Auditor;
}

/// A caller with one of the roles of `A`.
pub(crate) type By<A> = access::By<A, Caller>;

/// Somebody with a command.
#[derive(Debug, Clone)]
pub struct Caller {
    principal: Principal,
    key: IdempotencyKey,
    correlation: Correlation,
}

impl Caller {
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

impl AsRef<Principal> for Caller {
    fn as_ref(&self) -> &Principal {
        &self.principal
    }
}

impl OperationInput for Caller {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Principal::operation_input(ctx, operation);
        IdempotencyKey::operation_input(ctx, operation);
    }
}
