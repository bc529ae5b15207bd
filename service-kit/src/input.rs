//! Extractors for bodies, queries and paths, with detailed errors.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{StatusCode, header, request::Parts},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_path_to_error::{Path as FieldPath, Segment};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    document::as_request,
    json_limits,
    json_shape::{self, Unique},
    position::WAIT_FOR,
    problem::{FieldError, Problem},
};

/// A JSON body.
#[derive(Debug, Clone)]
pub struct Body<T> {
    /// The value.
    pub value: T,
    /// SHA-256 of method, path and body: equal requests have equal digests.
    pub digest: [u8; 32],
}

impl<S: Send + Sync, T: DeserializeOwned + JsonSchema + 'static> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.not_json")
                .field(FieldError::header("Content-Type", "must be application/json")));
        }
        let target = format!("{} {}\n", request.method(), request.uri().path());
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        json_limits::check(&bytes).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "body.too_much").detail(error.to_string())
        })?;
        let digest = Sha256::new().chain_update(target).chain_update(&bytes).finalize().into();
        Ok(Self { value: parse(&bytes)?, digest })
    }
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        as_request(ctx, |ctx| axum::Json::<T>::operation_input(ctx, operation));
    }
}

/// Reads a body with the shape of its schema: see [`json_shape`].
fn parse<T: DeserializeOwned + JsonSchema + 'static>(bytes: &[u8]) -> Result<T, Problem> {
    let Unique(json) = read(bytes)?;
    let errors = json_shape::check::<T>(&json);
    if !errors.is_empty() {
        return Err(errors.into_iter().fold(invalid(), Problem::field));
    }
    read(bytes)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        let error = error.into_inner();
        if error.is_data() {
            invalid().field(FieldError::at(pointer, without_place(&error)))
        } else {
            malformed(&error)
        }
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn invalid() -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.invalid")
        .detail("the body does not match its schema")
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "body.malformed").detail(error.to_string())
}

/// serde's message without "at line 1 column 20", since the pointer is more precise, and shortened.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
    message.chars().take(300).collect()
}

fn pointer(path: &FieldPath) -> String {
    use std::fmt::Write;
    path.iter().fold(String::new(), |mut pointer, segment| {
        // Writing to a string cannot fail.
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } => {
                write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Enum { .. } | Segment::Unknown => Ok(()),
        };
        pointer
    })
}

fn unread(rejection: BytesRejection) -> Problem {
    use axum::response::IntoResponse;
    let status = rejection.into_response().status();
    let code =
        if status == StatusCode::PAYLOAD_TOO_LARGE { "body.too_large" } else { "body.unreadable" };
    Problem::new(status, code)
}

/// Query parameters. `wait_for` is read by [`crate::position::WaitFor`] and ignored here.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let malformed = |error: serde_urlencoded::de::Error| {
            Problem::new(StatusCode::BAD_REQUEST, "query.invalid").detail(short(&error))
        };
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).map_err(malformed)?;
        if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains('\0')) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
                .field(FieldError::parameter(name.clone(), "must not have a NUL in it")));
        }
        let rest: Vec<_> = pairs.into_iter().filter(|(name, _)| name != WAIT_FOR).collect();
        let rest = serde_urlencoded::to_string(rest).map_err(|error| Problem::internal(&error))?;
        queried(&rest).map(Self)
    }
}

/// Names the invalid parameter; the detail names a missing one.
fn queried<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let parameter = match error.path().iter().next() {
            Some(Segment::Map { key }) => Some(key.clone()),
            _ => None,
        };
        let detail = short(error.inner());
        let problem = Problem::new(StatusCode::BAD_REQUEST, "query.invalid");
        match parameter {
            Some(name) => problem
                .detail("the query does not match its parameters")
                .field(FieldError::parameter(name, detail)),
            None => problem.detail(detail),
        }
    })
}

/// Shortens a long text.
fn short(error: &dyn std::error::Error) -> String {
    error.to_string().chars().take(300).collect()
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        as_request(ctx, |ctx| axum::extract::Query::<T>::operation_input(ctx, operation));
    }
}

/// The id in a path. A text that is not a UUID is answered like a missing resource.
#[derive(Debug, Clone, Copy)]
pub struct PathId(pub Uuid);

#[derive(Deserialize, JsonSchema)]
struct IdInPath {
    id: Uuid,
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::<IdInPath>::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0.id))
            .map_err(|_| Problem::not_found())
    }
}

impl OperationInput for PathId {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        as_request(ctx, |ctx| axum::extract::Path::<IdInPath>::operation_input(ctx, operation));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Listing;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ExampleQuery {
        #[serde(rename = "as")]
        _eyes: Option<Language>,
        _round: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Language {
        Pl,
    }

    #[track_caller]
    fn check(query: &str, parameter: Option<&str>, says: &str) {
        let problem = queried::<ExampleQuery>(query).map(|_| ()).unwrap_err();
        let problem = serde_json::to_value(&problem).unwrap();
        assert_eq!(problem["code"], "query.invalid");
        let detail = match parameter {
            Some(name) => {
                assert_eq!(problem["errors"][0]["parameter"], name, "{problem}");
                &problem["errors"][0]["detail"]
            }
            None => &problem["detail"],
        };
        assert!(detail.as_str().unwrap().contains(says), "{problem}");
    }

    #[test]
    fn a_query_names_the_parameter_to_blame() {
        check("_round=1&as=de", Some("as"), "unknown variant");
        check("_round=x", Some("_round"), "invalid digit");
        check("_round=1&colour=blue", Some("colour"), "unknown field");
        check("as=pl", None, "_round");
        queried::<ExampleQuery>("as=pl&_round=3").unwrap();
    }

    #[test]
    fn the_query_of_a_list_names_it_too() {
        for (query, parameter) in [
            ("_round=1&limit=many", "limit"),
            ("limit=1&_round=x", "_round"),
            ("_round=1&cursor=a&colour=blue", "colour"),
        ] {
            let problem = queried::<Listing<ExampleQuery>>(query).map(|_| ()).unwrap_err();
            let problem = serde_json::to_value(&problem).unwrap();
            assert_eq!(problem["errors"][0]["parameter"], parameter, "{problem}");
        }
    }
}
