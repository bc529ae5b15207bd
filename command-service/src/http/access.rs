//! Who may call an endpoint: sets of roles, and the caller as requests name it.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use service_kit::{
    access::{self, Access, Principal},
    idempotency::IdempotencyKey,
    problem::Problem,
    roles,
    telemetry::Correlation,
};

use crate::{Services, caller::Caller};

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

impl FromRef<Services> for Access {
    fn from_ref(services: &Services) -> Self {
        services.access.clone()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Access: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, state).await?;
        let key = IdempotencyKey::from_request_parts(parts, state).await?;
        let correlation = Correlation::from_request_parts(parts, state).await?;
        Ok(Self::new(principal, key, correlation))
    }
}

impl OperationInput for Caller {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Principal::operation_input(ctx, operation);
        IdempotencyKey::operation_input(ctx, operation);
    }
}
