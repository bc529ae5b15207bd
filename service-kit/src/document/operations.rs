//! The common parts of all operations of a document: tag, errors, headers, bounds of pages, and an
//! example of the body.

use serde_json::{Map, Value, json};

use super::{About, example::Examples, operations, schemas};
use crate::{page, position::WAIT_FOR};

/// Completes the operations of a document.
pub(super) fn complete(document: &mut Value, about: &About) {
    let examples = Examples::of(about, document["components"]["schemas"].clone());
    for (path, method, operation) in operations(document) {
        operation.insert("tags".to_owned(), json!([tag(path, about)]));
        complete_parameters(operation);
        let answers = answers(path, method, operation);
        complete_answers(operation, &answers);
        if has_parameter(operation, "query", Some(WAIT_FOR)) {
            add_header(operation, about.read_model_header);
        }
        complete_body(operation, &examples);
    }
}

/// The tag of a path's resource.
fn tag(path: &str, about: &About) -> &'static str {
    let resource = path.split('/').nth(2).unwrap_or_default();
    let group = about.tags.iter().find(|group| group.resources.contains(&resource));
    group.unwrap_or_else(|| panic!("no tag has the resource {resource} of {path}")).name
}

fn complete_parameters(operation: &mut Map<String, Value>) {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    let Value::Array(parameters) = parameters else { return };
    for parameter in parameters.iter_mut() {
        if let Some(schema) = parameter.get_mut("schema") {
            schemas::simplify(schema);
            without_null(schema);
        }
        if parameter["in"] == "query"
            && (parameter["name"] == "limit" || parameter["name"] == "cursor")
        {
            let (description, schema) = page::described(parameter["name"] == "limit");
            parameter["description"] = json!(description);
            parameter["schema"] = schema;
        }
        if parameter["in"] == "path" && parameter["name"] == "id" {
            parameter["description"] = json!("The id.");
        }
    }
    parameters.push(json!({
        "name": "X-Correlation-Id",
        "in": "header",
        "description": "The correlation id of all events that this request causes; a new one when not given.",
        "schema": { "type": "string", "format": "uuid" },
    }));
}

/// A parameter is absent, never null.
fn without_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    let branches = fields.get("anyOf").and_then(Value::as_array);
    let meant = branches.map(|branches| {
        branches.iter().filter(|branch| branch["type"] != "null").cloned().collect::<Vec<_>>()
    });
    if let Some([Value::Object(only)]) = meant.as_deref() {
        fields.remove("anyOf");
        fields.extend(only.clone());
    }
}

/// Whether an operation has a parameter in this place, with this name.
fn has_parameter(operation: &Map<String, Value>, place: &str, name: Option<&str>) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters.into_iter().flatten().any(|parameter| {
        parameter["in"] == place && name.is_none_or(|name| parameter["name"] == name)
    })
}

/// Adds a header with a number to the successful response.
fn add_header(operation: &mut Map<String, Value>, (name, description): (&str, &str)) {
    if let Some(Value::Object(headers)) = operation["responses"]["200"].get_mut("headers") {
        let schema = json!({ "type": "integer", "minimum": 1 });
        headers.insert(name.to_owned(), json!({ "description": description, "schema": schema }));
    }
}

/// The errors of an operation, by status.
fn answers(path: &str, method: &str, operation: &Map<String, Value>) -> Vec<u16> {
    let has = |place, name| has_parameter(operation, place, name);
    let is_command = method != "get";
    let has_body = operation.contains_key("requestBody");
    let mut answers = vec![400, 401, 403, 500, 503];
    if has("path", None) || has("query", Some("company")) || is_command {
        answers.push(404);
    }
    if has_body {
        answers.extend([413, 415]);
    }
    // Some documents can only be rendered in some states.
    if is_command || path.ends_with("/pdf") {
        answers.push(409);
    }
    if is_command || has("query", None) {
        answers.push(422);
    }
    if is_crowded(path) {
        answers.push(429);
    }
    answers.sort_unstable();
    answers
}

/// Whether the number of concurrent requests is limited.
fn is_crowded(path: &str) -> bool {
    ["/v1/live", "/v1/imports/", "/v1/exports/", "/pdf"].iter().any(|part| path.contains(part))
}

fn complete_answers(operation: &mut Map<String, Value>, failures: &[u16]) {
    let answers = operation.entry("responses").or_insert_with(|| json!({}));
    let Value::Object(answers) = answers else { return };
    answers.remove("default");
    for status in failures {
        let code = axum::http::StatusCode::from_u16(*status).ok();
        let reason = code.and_then(|code| code.canonical_reason()).unwrap_or_default();
        answers.insert(
            status.to_string(),
            json!({
                "description": format!("{reason}: a problem document; match on its code."),
                "content": {
                    "application/problem+json": {
                        "schema": { "$ref": "#/components/schemas/Problem" },
                    },
                },
            }),
        );
    }
    for (status, answer) in answers {
        let Value::Object(headers) = answer
            .as_object_mut()
            .expect("an answer is an object")
            .entry("headers")
            .or_insert_with(|| json!({}))
        else {
            continue;
        };
        headers.insert(
            "X-Correlation-Id".to_owned(),
            json!({
                "description": "The correlation id of all events that this request has caused.",
                "schema": { "type": "string", "format": "uuid" },
            }),
        );
        if status == "429" || status == "503" {
            headers.insert(
                "Retry-After".to_owned(),
                json!({
                    "description": "The number of seconds after which to repeat the request.",
                    "schema": { "type": "integer", "minimum": 0 },
                }),
            );
        }
    }
}

fn complete_body(operation: &mut Map<String, Value>, examples: &Examples) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let Some(body) = operation.get_mut("requestBody") else { return };
    if let Some(json) = body["content"].get_mut("application/json") {
        json["example"] = examples.body(&id, &json["schema"]);
    }
}
