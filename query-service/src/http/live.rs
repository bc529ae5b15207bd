//! `/v1/live`: events as server-sent events, as they are recorded.

use std::{convert::Infallible, time::Duration};

use aide::{
    OperationInput, OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{self, MediaType, Operation, SchemaObject},
};
use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderName, HeaderValue, StatusCode, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use domain::Side;
use event_log::Position;
use futures::stream;
use schemars::{JsonSchema, json_schema};
use serde::Deserialize;
use service_kit::permissions::{ReadAccounts, ReadNegotiations, ReadTrade};
use service_kit::{
    access::{Allowed, Role},
    document::header_parameter,
    input::Query,
    position::never_behind,
    problem::{FieldError, Problem},
};
use tokio::sync::mpsc;

use crate::{
    Queries,
    app::messaging::conversations::conversation_subjects,
    asker::By,
    live::{Happened, Watching},
};

/// Buffering by a proxy would delay events.
const UNGATHERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
/// The interval of comments that keep an idle connection alive.
const BEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/live",
        get_with(watch, |o| {
            never_behind(o)
                .id("live.watch")
                .summary("Stream events as they are recorded, as server-sent events from `from` on")
        }),
    )
}

/// Where to start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Watch {
    /// Start after this position; without it, at the head of the log.
    from: Option<u64>,
}

async fn watch(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    LastEventId(last): LastEventId,
    Query(Watch { from }): Query<Watch>,
) -> Result<Frames, Problem> {
    let role = asker.role();
    let things = known_by(role);
    // Auditors take part in no conversation, but read those of both sides.
    let reads_history = matches!(role, Role::Integrator | Role::Auditor);
    let watching = Watching {
        company: asker.company(),
        // An integrator of a company has the view of the buyer.
        side: if asker.company().is_some() { Side::Buyer } else { asker.side() },
        whole: reads_history,
        conversations: if reads_history { things.clone() } else { conversation_subjects(role) },
        things,
    };
    let from = from.map(Position).max(last);
    Ok(Frames(queries.live.watch(asker.as_ref(), watching, from).await?))
}

/// The aggregate types whose events a role may receive: those that it may read.
fn known_by(role: Role) -> Vec<&'static str> {
    let kinds = [
        ("offer", ReadTrade::ROLES),
        ("negotiation", ReadNegotiations::ROLES),
        ("order", ReadTrade::ROLES),
        ("invoice", ReadAccounts::ROLES),
        ("standing_order", ReadTrade::ROLES),
        ("goods_return", ReadTrade::ROLES),
    ];
    kinds.into_iter().filter(|(_, roles)| roles.contains(&role)).map(|(kind, _)| kind).collect()
}

/// The position of the last event that the client received before its connection ended.
struct LastEventId(Option<Position>);

const LAST_EVENT_ID: &str = "Last-Event-ID";

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(LAST_EVENT_ID) else { return Ok(Self(None)) };
        let position = value.to_str().ok().and_then(|text| text.parse().ok()).map(Position);
        let position = position.ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "position.invalid").field(FieldError::header(
                LAST_EVENT_ID,
                "must be a position: a whole number from 0",
            ))
        })?;
        Ok(Self(Some(position)))
    }
}

impl OperationInput for LastEventId {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        header_parameter(
            operation,
            LAST_EVENT_ID,
            "Continue after this position; also as the query parameter `from`. Without it, start at the head of the log.",
            json_schema!({ "type": "integer", "format": "int64", "minimum": 0 }),
        );
    }
}

/// A stream of frames.
struct Frames(mpsc::Receiver<sse::Event>);

impl IntoResponse for Frames {
    fn into_response(self) -> Response {
        let Self(mut frames) = self;
        let frames = stream::poll_fn(move |context| {
            frames.poll_recv(context).map(|frame| frame.map(Ok::<_, Infallible>))
        });
        let beat = KeepAlive::new().interval(BEAT);
        ([UNGATHERED], Sse::new(frames).keep_alive(beat)).into_response()
    }
}

impl OperationOutput for Frames {
    type Inner = Happened;

    fn operation_response(ctx: &mut GenContext, _: &mut Operation) -> Option<openapi::Response> {
        let json_schema = ctx.schema.subschema_for::<Happened>();
        let schema = SchemaObject { json_schema, external_docs: None, example: None };
        let frames = MediaType { schema: Some(schema), ..MediaType::default() };
        Some(openapi::Response {
            description: "Frames whose data is this, whose id is its position and whose event is \
                          its type. The first one is `live` and names the position alone."
                .to_owned(),
            content: [("text/event-stream".to_owned(), frames)].into_iter().collect(),
            ..openapi::Response::default()
        })
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        Self::operation_response(ctx, operation)
            .map(|response| (Some(StatusCode::OK.as_u16()), response))
            .into_iter()
            .collect()
    }
}
