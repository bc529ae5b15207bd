//! Read your writes: a command answers a position, a query waits for it.

use aide::OperationInput;
use axum::{
    extract::FromRequestParts,
    http::{HeaderName, StatusCode, request::Parts},
};

use crate::problem::{FieldError, Problem};

/// The header that carries a position, in answers to commands and in queries.
pub const POSITION: HeaderName = HeaderName::from_static("kontor-position");

/// The position that a query must have seen: `wait_for=` or the header; the greater of both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitFor(pub Option<u64>);

/// The answer to a position that is none, or that history has not got to.
pub fn invalid(field: FieldError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "position.invalid").field(field)
}

impl<S: Send + Sync> FromRequestParts<S> for WaitFor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let parameter = query.split('&').find_map(|pair| pair.strip_prefix("wait_for="));
        let wrong = "must be a position: a whole number from 0";
        let parameter = parameter
            .map(|text| {
                text.parse::<u64>().map_err(|_| invalid(FieldError::parameter("wait_for", wrong)))
            })
            .transpose()?;
        let header = parts
            .headers
            .get(POSITION)
            .map(|value| {
                value
                    .to_str()
                    .ok()
                    .and_then(|text| text.parse::<u64>().ok())
                    .ok_or_else(|| invalid(FieldError::header("Kontor-Position", wrong)))
            })
            .transpose()?;
        Ok(Self(parameter.max(header)))
    }
}

impl OperationInput for WaitFor {
    fn operation_input(
        ctx: &mut aide::generate::GenContext,
        operation: &mut aide::openapi::Operation,
    ) {
        crate::server::header_parameter(
            ctx,
            operation,
            "Kontor-Position",
            "Answer only once this position is seen; also as the query parameter `wait_for`.",
        );
    }
}
