//! `/v1/policies`: the positions of policies, and their refused reactions.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::{Audit, Operator};
use service_kit::{
    input::{Body, PathId, Query},
    page::{Page, PageRequest},
    problem::{FieldError, Problem},
};

use super::Nothing;
use crate::{
    Services,
    failure::log_problem,
    http::access::By,
    policies::{self, PolicyError, Progress},
    policy_refusals::{self, Cursor, Filter, Refusal, RefusalState, RetryError},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/policies",
            get_with(list, |o| o.id("policy.list").summary("List policies with their positions")),
        )
        .api_route(
            "/v1/policies/refusals",
            get_with(refusals, |o| {
                o.id("policy.refusals").summary("List refused reactions of policies, newest first")
            }),
        )
        .api_route(
            "/v1/policies/refusals/{id}/retry",
            post_with(retry, |o| {
                o.id("policy.retry")
                    .summary("Retry a refused reaction; it is executed at most once")
            }),
        )
}

async fn list(
    State(services): State<Services>,
    _: By<Operator>,
) -> Result<Json<Vec<Progress>>, Problem> {
    policies::progress(&services).await.map(Json).map_err(problem)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Only this policy.
    policy: Option<String>,
    /// Only this status.
    state: Option<RefusalState>,
}

async fn refusals(
    State(services): State<Services>,
    _: By<Audit>,
    Query(List { limit, cursor, policy, state }): Query<List>,
) -> Result<Json<Page<Refusal>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<Cursor>()?);
    if let Some(policy) = &policy
        && !policies::NAMES.contains(&policy.as_str())
    {
        let wrong = format!("must be one of {}", policies::NAMES.join(", "));
        return Err(Problem::new(StatusCode::BAD_REQUEST, "policy.unknown")
            .field(FieldError::parameter("policy", wrong)));
    }
    let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let client = services.views.client().await.map_err(|error| problem(error.into()))?;
    let items =
        policy_refusals::list(&client, &Filter { policy, state }, cursor.as_ref(), one_more)
            .await
            .map_err(|error| problem(error.into()))?;
    Ok(Json(Page::of(items, limit, |refusal| (refusal.event.position, refusal.policy.clone()))))
}

async fn retry(
    State(services): State<Services>,
    By { who: caller, .. }: By<Operator>,
    PathId(id): PathId,
    Body { value: Nothing {}, .. }: Body<Nothing>,
) -> Result<Json<Refusal>, Problem> {
    let retried = policy_refusals::retry(&services, id, &caller.name()).await;
    retried.map(Json).map_err(|error| match error {
        RetryError::Missing => Problem::not_found(),
        RetryError::UnknownPolicy(_) => {
            Problem::new(StatusCode::CONFLICT, "policy.unknown").detail(error.to_string())
        }
        RetryError::NoEvent(_) => {
            Problem::new(StatusCode::CONFLICT, "policy.event_unreadable").detail(error.to_string())
        }
        RetryError::Policy(error) => problem(error),
    })
}

fn problem(error: PolicyError) -> Problem {
    match error {
        PolicyError::Unavailable(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the read models are unavailable"
            );
            Problem::unavailable("the read models are unavailable")
        }
        PolicyError::Log(error) => log_problem(&error),
        PolicyError::Conflict => Problem::new(StatusCode::CONFLICT, "conflict")
            .detail("concurrent modification, retries exhausted; repeat the request")
            .retry_after(1),
        error => Problem::internal(&error),
    }
}
