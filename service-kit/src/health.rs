//! Health checks: liveness and readiness.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, http::StatusCode, response::IntoResponse};
use futures::future::{BoxFuture, join_all};
use serde::Serialize;

/// The state of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It works.
    Ok,
    /// It works less well; requests are still served.
    Degraded {
        /// The reason.
        detail: String,
    },
    /// Requests cannot be served.
    Failed {
        /// The reason.
        detail: String,
    },
}

type Check = Arc<dyn Fn() -> BoxFuture<'static, State> + Send + Sync>;

/// The parts on which readiness depends. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<Vec<(String, Check)>>>,
}

#[derive(Serialize)]
struct Report {
    ready: bool,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    name: String,
    #[serde(flatten)]
    state: State,
}

impl Health {
    /// Adds a part.
    pub fn register(
        &self,
        name: impl Into<String>,
        check: impl Fn() -> BoxFuture<'static, State> + Send + Sync + 'static,
    ) {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.push((name.into(), Arc::new(check)));
    }

    /// Checks every part: 200 if none has failed, else 503.
    pub async fn ready(&self) -> impl IntoResponse + use<> {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let parts: Vec<Part> = join_all(
            checks.into_iter().map(async |(name, check)| Part { name, state: check().await }),
        )
        .await;
        let ready = !parts.iter().any(|part| matches!(part.state, State::Failed { .. }));
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(Report { ready, parts }))
    }
}

/// An error with its causes, in one line.
pub fn explained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
