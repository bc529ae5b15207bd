//! The extractor of a caller who has the permission that an endpoint requires.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use service_kit::{
    access::{self, Access, Principal},
    idempotency::IdempotencyKey,
    problem::Problem,
    telemetry::Correlation,
};

use crate::{Services, caller::Caller};

/// A caller with the permission `A`.
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
