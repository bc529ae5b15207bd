//! Errors of commands, and their problem documents.

use axum::http::StatusCode;
use domain::{Money, Refusal, RefusalKind, day};
use event_log::{ExecuteError, WorkError};
use jiff::civil::Date;
use service_kit::problem::{FieldError, Problem};

/// Why a decision failed.
#[derive(Debug)]
pub enum Failure {
    /// A refusal, as the caller will see it.
    Refused(Box<Problem>),
    /// An error of the log.
    Log(event_log::Error),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<event_log::Error> for Failure {
    fn from(error: event_log::Error) -> Self {
        Self::Log(error)
    }
}

impl<E: Refusal> From<WorkError<E>> for Failure {
    fn from(error: WorkError<E>) -> Self {
        match error {
            WorkError::Refused(error) => refusal(&error).into(),
            WorkError::Log(error) => Self::Log(error),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(problem) => *problem,
            Failure::Log(error) => log_problem(&error),
        }
    }
}

/// The problem of a broken rule of the domain.
pub(crate) fn refusal(error: &impl Refusal) -> Problem {
    let status = match error.kind() {
        RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::State => StatusCode::CONFLICT,
        RefusalKind::Missing => StatusCode::NOT_FOUND,
    };
    Problem::new(status, error.code()).detail(error.to_string())
}

/// The problem of a broken rule of the domain, with the field of the request body.
pub(crate) fn refusal_at<E: Refusal>(
    error: WorkError<E>,
    pointer: impl FnOnce(&E) -> Option<String>,
) -> Failure {
    match error {
        WorkError::Refused(error) => {
            let problem = refusal(&error);
            match pointer(&error) {
                Some(pointer) => problem.field(FieldError::at(pointer, error.to_string())).into(),
                None => problem.into(),
            }
        }
        WorkError::Log(error) => Failure::Log(error),
    }
}

/// Checks an amount in a request against the largest accepted amount.
pub(crate) fn given(pointer: &str, amount: Money) -> Result<Money, Problem> {
    amount.within_ceiling().map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.code())
            .detail(error.to_string())
            .field(FieldError::at(pointer, error.to_string()))
    })
}

/// Checks that a day in a request is not in the future.
pub(crate) fn happened(pointer: &str, day: Date, today: Date) -> Result<Date, Problem> {
    day::happened(day, today).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "day.in_future")
            .detail(error.to_string())
            .field(FieldError::at(pointer, error.to_string()))
    })
}

/// The problem of a field that names something that does not exist.
pub(crate) fn names_nothing(pointer: impl Into<String>, what: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.names_nothing")
        .field(FieldError::at(pointer, format!("there is no such {what}")))
}

/// The problem of a command that was not executed.
pub(crate) fn problem<E: Into<Problem>>(error: ExecuteError<E>) -> Problem {
    match error {
        ExecuteError::Refused(refused) => refused.into(),
        ExecuteError::Conflict => Problem::new(StatusCode::CONFLICT, "conflict")
            .detail("concurrent modification, retries exhausted; repeat the request")
            .retry_after(1),
        ExecuteError::KeyReused => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key.reused").detail(
                "this Idempotency-Key was used for another request, or for one whose answer \
                     was lost when history was recovered: look whether it was carried out",
            )
        }
        ExecuteError::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "command.too_large")
            .detail("the command would append more than one append may contain"),
        ExecuteError::Log(error) => log_problem(&error),
    }
}

pub(crate) fn log_problem(error: &event_log::Error) -> Problem {
    if let event_log::Error::BehindStream(reason) = error {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "log.behind_stream")
            .detail(format!("commands are suspended until an operator intervenes: {reason}"))
            .retry_after(60);
    }
    if error.is_transient() {
        tracing::warn!(error = error as &dyn std::error::Error, "the log is not available");
        Problem::unavailable(
            "the log is unavailable; repeat the request with the same Idempotency-Key",
        )
    } else {
        Problem::internal(error)
    }
}
