//! Read your writes: a command returns a position, and a query waits for it.

use aide::{OperationInput, openapi::ReferenceOr, transform::TransformOperation};
use axum::{
    extract::FromRequestParts,
    http::{HeaderName, StatusCode, request::Parts},
};
use schemars::json_schema;

use crate::{
    document::{header_parameter, query_parameter},
    problem::{FieldError, Problem},
};

/// The header with a position, in responses of commands and in queries.
pub const POSITION: HeaderName = HeaderName::from_static("kontor-position");

/// The query parameter with the same meaning.
pub(crate) const WAIT_FOR: &str = "wait_for";

/// The position that a query must have reached: `wait_for=` or the header; the greater of both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitFor(pub Option<u64>);

/// The problem of an invalid position, or of one after the head.
pub fn invalid(field: FieldError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "position.invalid").field(field)
}

impl<S: Send + Sync> FromRequestParts<S> for WaitFor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let wrong = "must be a position: a whole number from 0";
        let parameter = form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == WAIT_FOR)
            .map(|(_, text)| {
                text.parse::<u64>().map_err(|_| invalid(FieldError::parameter(WAIT_FOR, wrong)))
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
        _: &mut aide::generate::GenContext,
        operation: &mut aide::openapi::Operation,
    ) {
        let what = "Wait until this position, as returned by a command, is reached;";
        let position = || json_schema!({ "type": "integer", "format": "int64", "minimum": 0 });
        let header = format!("{what} also as the query parameter `{WAIT_FOR}`.");
        header_parameter(operation, "Kontor-Position", &header, position());
        let query = format!("{what} also as the header `Kontor-Position`.");
        query_parameter(operation, WAIT_FOR, &query, position());
    }
}

/// Removes `wait_for` from the document of an operation that always reads the current state.
pub fn never_behind(mut operation: TransformOperation) -> TransformOperation {
    operation.inner_mut().parameters.retain(|parameter| {
        let ReferenceOr::Item(parameter) = parameter else { return true };
        let name = &parameter.parameter_data_ref().name;
        name != WAIT_FOR && name != "Kontor-Position"
    });
    operation
}
