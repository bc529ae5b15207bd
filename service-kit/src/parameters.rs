//! Query parameters of every route: only those of the OpenAPI document, each at most once.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    position::WAIT_FOR,
    problem::{FieldError, Problem},
};

/// The query parameters of each method and route.
#[derive(Debug, Default)]
pub(crate) struct Parameters(HashMap<(String, String), BTreeSet<String>>);

/// The previous name of `wait_for`, and of `from` in the live feed.
const AFTER: &str = "after";

impl Parameters {
    /// The parameters in a document.
    pub(crate) fn of(document: &Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let names = parameters
                    .filter(|parameter| parameter["in"] == "query")
                    .filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned()));
                ((method.to_uppercase(), path.clone()), names.collect())
            })
        });
        Self(operations.collect())
    }

    /// The error of a query, if the route is in the document.
    fn check(&self, method: &Method, route: &str, query: &str) -> Result<(), Problem> {
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        let Some(known) = self.0.get(&(method.to_owned(), route.to_owned())) else { return Ok(()) };
        let mut seen = BTreeSet::new();
        for (name, _) in form_urlencoded::parse(query.as_bytes()) {
            if !known.contains(name.as_ref()) {
                return Err(unknown(&name, known));
            }
            if !seen.insert(name.to_string()) {
                return Err(invalid(&name, "is given more than once".to_owned()));
            }
        }
        Ok(())
    }
}

fn unknown(name: &str, known: &BTreeSet<String>) -> Problem {
    let expected = match (name, known.contains(WAIT_FOR), known.contains("from")) {
        (AFTER, true, _) => format!("is called `{WAIT_FOR}` now"),
        (AFTER, false, true) => "is called `from` now".to_owned(),
        (WAIT_FOR, ..) => "this query reads no read model, so wait_for is not supported".to_owned(),
        _ if known.is_empty() => "unknown field: there are no query parameters here".to_owned(),
        _ => {
            let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("unknown field, expected one of {}", names.join(", "))
        }
    };
    invalid(name, expected)
}

fn invalid(name: &str, detail: String) -> Problem {
    let name: String = name.chars().take(100).collect();
    Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
        .detail("the query does not match its parameters")
        .field(FieldError::parameter(name, detail))
}

/// Refuses unknown parameters, so that a misspelt filter does not return all items.
pub(crate) async fn check(parameters: Arc<Parameters>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    if let (Some(query), Some(route)) = (request.uri().query(), route)
        && let Err(problem) = parameters.check(request.method(), route.as_str(), query)
    {
        return problem.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(route: &str, query: &str, says: Option<&str>) {
        let named = |names: &[&str]| {
            let named = names.iter().map(|name| json!({ "in": "query", "name": name }));
            json!({ "get": { "parameters": named.collect::<Vec<_>>() } })
        };
        let document = json!({ "paths": {
            "/list": named(&["status", "wait_for"]),
            "/live": named(&["from"]),
            "/events": named(&[]),
        }});
        let found = Parameters::of(&document).check(&Method::GET, route, query);
        let found = found.map_err(|problem| serde_json::to_value(problem).unwrap());
        match says {
            None => assert_eq!(found, Ok(())),
            Some(says) => {
                let problem = found.unwrap_err();
                assert_eq!(problem["code"], "query.invalid");
                assert!(
                    problem["errors"][0]["detail"].as_str().unwrap().contains(says),
                    "{problem}"
                );
            }
        }
    }

    #[test]
    fn only_parameters_that_are_documented_are_taken_each_once() {
        check("/list", "status=open&wait_for=3", None);
        check("/list", "stat%75s=open", None);
        check("/list", "colour=blue", Some("expected one of `status`, `wait_for`"));
        check("/list", "status=open&status=open", Some("more than once"));
        check("/list", "after=3", Some("called `wait_for` now"));
        check("/live", "after=3", Some("called `from` now"));
        check("/live", "wait_for=3", Some("wait_for is not supported"));
        check("/events", "after=3", Some("no query parameters"));
        check("/health/live", "anything=goes", None);
    }
}
