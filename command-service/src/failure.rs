//! Why a command came to nothing, and how that is answered.

use axum::http::StatusCode;
use domain::{Money, Refusal, RefusalKind, day};
use event_log::{ExecuteError, WorkError};
use jiff::civil::Date;
use service_kit::problem::{FieldError, Problem};

/// Why a decision was not made.
#[derive(Debug)]
pub enum Failure {
    /// The answer to give.
    Refused(Box<Problem>),
    /// The log failed.
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

/// A broken rule of the domain.
pub(crate) fn refusal(error: &impl Refusal) -> Problem {
    let status = match error.kind() {
        RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::State => StatusCode::CONFLICT,
        RefusalKind::Missing => StatusCode::NOT_FOUND,
    };
    Problem::new(status, error.code()).detail(error.to_string())
}

/// A broken rule of the domain that is about a field of the body.
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

/// An amount that somebody gives: refused beyond the largest that may be given.
pub(crate) fn given(pointer: &str, amount: Money) -> Result<Money, Problem> {
    amount.within_ceiling().map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.code())
            .detail(error.to_string())
            .field(FieldError::at(pointer, error.to_string()))
    })
}

/// The day of something that has happened: refused when it is still to come.
pub(crate) fn happened(pointer: &str, day: Date, today: Date) -> Result<Date, Problem> {
    day::happened(day, today).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "day.in_future")
            .detail(error.to_string())
            .field(FieldError::at(pointer, error.to_string()))
    })
}

/// A field that names something that does not exist.
pub(crate) fn names_nothing(pointer: impl Into<String>, what: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.names_nothing")
        .field(FieldError::at(pointer, format!("there is no such {what}")))
}

/// A command that was not executed.
pub(crate) fn problem<E: Into<Problem>>(error: ExecuteError<E>) -> Problem {
    match error {
        ExecuteError::Refused(refused) => refused.into(),
        ExecuteError::Conflict => Problem::new(StatusCode::CONFLICT, "conflict")
            .detail("others kept changing the same at the same time; try again")
            .retry_after(1),
        ExecuteError::KeyReused => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key.reused").detail(
                "this Idempotency-Key was used for another request, or for one whose answer \
                     was lost when history was recovered: look whether it was carried out",
            )
        }
        ExecuteError::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "command.too_large")
            .detail("the command would record too much at once"),
        ExecuteError::Log(error) => log_problem(&error),
    }
}

pub(crate) fn log_problem(error: &event_log::Error) -> Problem {
    if let event_log::Error::BehindStream(reason) = error {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "log.behind_stream")
            .detail(format!("no commands are taken until an operator has decided: {reason}"))
            .retry_after(60);
    }
    if error.is_transient() {
        tracing::warn!(error = error as &dyn std::error::Error, "the log is not available");
        Problem::unavailable("the log does not answer; ask again with the same Idempotency-Key")
    } else {
        Problem::internal(error)
    }
}
