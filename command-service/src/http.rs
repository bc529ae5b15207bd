//! The command endpoints, one file per resource in the folder of its context.

mod access;
mod billing;
mod catalogue;
mod fulfilment;
mod imports;
mod inventory;
mod messaging;
mod parties;
mod policies;
mod pricing;
mod sales;

use aide::{
    OperationOutput,
    axum::ApiRouter,
    generate::GenContext,
    openapi::{self, ReferenceOr},
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use event_log::Outcome;
use schemars::{JsonSchema, Schema, json_schema};
use serde::{Deserialize, Serialize};
use service_kit::position::POSITION;
use uuid::Uuid;

use crate::app::Services;

/// All command endpoints.
pub fn router(services: Services) -> ApiRouter {
    ApiRouter::new()
        .merge(parties::routes())
        .merge(catalogue::routes())
        .merge(pricing::routes())
        .merge(sales::routes())
        .merge(inventory::routes())
        .merge(fulfilment::routes())
        .merge(billing::routes())
        .merge(messaging::routes())
        .merge(imports::routes())
        .merge(policies::routes())
        .with_state(services)
}

/// The response of a command.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CommandResult")]
pub(crate) struct Done {
    /// The aggregate of the command.
    id: Uuid,
    /// Its version after the command.
    version: u64,
    /// A query with `wait_for` this position includes the effects of the command.
    position: u64,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self { id: outcome.stream_id, version: outcome.version, position: outcome.position.0 }
    }
}

/// The same without the version, for aggregates with internal steps of one side: the version would
/// reveal their number.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UnversionedCommandResult")]
pub(crate) struct Unversioned {
    /// The aggregate of the command.
    id: Uuid,
    /// A query with `wait_for` this position includes the effects of the command.
    position: u64,
}

impl From<Outcome> for Unversioned {
    fn from(outcome: Outcome) -> Self {
        Self { id: outcome.stream_id, position: outcome.position.0 }
    }
}

/// A JSON response with its position in a header.
macro_rules! answers {
    ($($answer:ty),+) => {$(
        impl IntoResponse for $answer {
            fn into_response(self) -> Response {
                ([(POSITION, HeaderValue::from(self.position))], Json(self)).into_response()
            }
        }

        impl OperationOutput for $answer {
            type Inner = Self;

            fn operation_response(
                ctx: &mut GenContext,
                operation: &mut openapi::Operation,
            ) -> Option<openapi::Response> {
                let mut response = Json::<Self>::operation_response(ctx, operation)?;
                let schema = json_schema!({ "type": "integer", "format": "int64", "minimum": 0 });
                let what = "The position of the command's events, for `wait_for`.";
                response.headers.insert("Kontor-Position".to_owned(), described(what, schema));
                Some(response)
            }

            fn inferred_responses(
                ctx: &mut GenContext,
                operation: &mut openapi::Operation,
            ) -> Vec<(Option<u16>, openapi::Response)> {
                let response = Self::operation_response(ctx, operation);
                response.map(|response| (Some(StatusCode::OK.as_u16()), response)).into_iter().collect()
            }
        }
    )+};
}

answers!(Done, Unversioned);

/// Documents a response header.
fn described(what: &str, json_schema: Schema) -> ReferenceOr<openapi::Header> {
    let schema = openapi::SchemaObject { json_schema, external_docs: None, example: None };
    ReferenceOr::Item(openapi::Header {
        description: Some(what.to_owned()),
        style: openapi::HeaderStyle::Simple,
        required: true,
        deprecated: None,
        format: openapi::ParameterSchemaOrContent::Schema(schema),
        example: None,
        examples: Default::default(),
        extensions: Default::default(),
    })
}

/// The response 201 with `Location`, for commands that create something.
#[derive(Debug)]
pub(crate) struct Created<D = Done> {
    location: String,
    done: D,
}

impl<D: From<Outcome>> Created<D> {
    /// Created in a collection such as `/v1/orders`.
    fn within(collection: &'static str, outcome: Outcome) -> Self {
        Self { location: format!("{collection}/{}", outcome.stream_id), done: outcome.into() }
    }
}

impl<D: IntoResponse> IntoResponse for Created<D> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(header::LOCATION, self.location)], self.done).into_response()
    }
}

impl<D: OperationOutput> OperationOutput for Created<D> {
    type Inner = D;

    fn operation_response(
        ctx: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Option<openapi::Response> {
        let mut response = D::operation_response(ctx, operation)?;
        let schema = json_schema!({ "type": "string", "format": "uri-reference" });
        let location = described("The path of the created resource.", schema);
        response.headers.insert("Location".to_owned(), location);
        Some(response)
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        Self::operation_response(ctx, operation)
            .map(|response| (Some(StatusCode::CREATED.as_u16()), response))
            .into_iter()
            .collect()
    }
}

/// The empty body of commands without parameters.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EmptyBody")]
pub(crate) struct Nothing {}
