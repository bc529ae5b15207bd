//! `Idempotency-Key`: identifies a command, so that it can be sent again safely.

use aide::OperationInput;
use axum::{
    extract::FromRequestParts,
    http::{HeaderName, StatusCode, request::Parts},
};
use schemars::json_schema;
use uuid::Uuid;

use crate::problem::{FieldError, Problem};

/// The idempotency key of a request, if it has one.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<String>);

/// The same in the case in which header names are compared.
pub(crate) const NAME: HeaderName = HeaderName::from_static("idempotency-key");
const HEADER: &str = "Idempotency-Key";
const MAX: usize = 255;

/// The namespace of command ids: a random constant.
const NAMESPACE: Uuid = Uuid::from_u128(0x51ab_7a9e_0c3f_4f0b_8f52_cc97_1be4_2d60);

impl IdempotencyKey {
    /// The id of the command: the same for the same key of the same owner, a new one without key.
    pub fn command_id(&self, owner: Uuid) -> Uuid {
        match &self.0 {
            Some(key) => Uuid::new_v5(&NAMESPACE, format!("{owner}:{key}").as_bytes()),
            None => Uuid::now_v7(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(HEADER) else { return Ok(Self(None)) };
        match value.to_str() {
            Ok(key) if (1..=MAX).contains(&key.len()) => Ok(Self(Some(key.to_owned()))),
            Ok(_) | Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "idempotency_key.invalid")
                .field(FieldError::header(HEADER, "must be 1 to 255 visible ASCII characters"))),
        }
    }
}

impl OperationInput for IdempotencyKey {
    fn operation_input(
        _: &mut aide::generate::GenContext,
        operation: &mut aide::openapi::Operation,
    ) {
        crate::document::header_parameter(
            operation,
            HEADER,
            "The same key with the same body is executed once, however often it is sent.",
            json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": "^[ -~]+$" }),
        );
    }
}
