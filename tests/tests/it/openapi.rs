//! Properties of the OpenAPI document, checked for every operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    contract::{Contract, Operation},
    instance::{Answer, Instance},
};

const SOME_ID: &str = "01985c2e-7a10-7cc1-8d3a-6f2b1c9e4a55";

impl Operation<'_> {
    /// A path of it, with ids of nothing.
    fn at(&self) -> String {
        self.path.replace("{id}", SOME_ID)
    }

    fn name(&self) -> &str {
        self.described["operationId"].as_str().unwrap()
    }

    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.described["parameters"].as_array().into_iter().flatten()
    }

    fn queried(&self) -> impl Iterator<Item = &Value> {
        self.parameters().filter(|parameter| parameter["in"] == "query")
    }

    fn body(&self) -> Option<&Value> {
        self.described["requestBody"]["content"].get("application/json")
    }

    /// A key that may do it: made once for each role.
    async fn key(&self, instance: &mut Instance, company: &String) -> String {
        let roles = self.described["description"].as_str().unwrap();
        let roles = roles.rsplit_once("Roles: ").unwrap().1;
        let role = roles.split([',', '.']).next().unwrap().trim().to_owned();
        let is_buyer = ["company_admin", "purchaser", "approver"].contains(&role.as_str());
        if is_buyer && !instance.has_key(&role) {
            instance.make_key(&role, &role, Some(company)).await;
        }
        role
    }
}

async fn instance() -> (Instance, String) {
    let instance = Instance::start().await;
    let body = json!({
        "name": "Piekarnia Pod Dębem",
        "tax_id": { "kind": "nip", "number": "5260250274" },
        "payment_term": { "kind": "net", "days": 14 },
    });
    let company = instance.post("admin", "/v1/companies", &body).await.body["id"].clone();
    (instance, company.as_str().unwrap().to_owned())
}

/// Bodies of a schema with everything in them, one for each variant of any choice, and where their
/// objects stand: those with named fields, and those whose keys are free.
struct Bodies<'a> {
    contract: &'a Contract,
    variant: usize,
    variants: usize,
    objects: BTreeMap<String, bool>,
}

impl Bodies<'_> {
    fn value(&mut self, schema: &Value, at: &str, depth: usize) -> Value {
        let contract = self.contract;
        if depth > 24 {
            return Value::Null;
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        let mut fields = Map::new();
        if schema.get("$ref").is_some() {
            match self.value(contract.resolved(schema), at, depth + 1) {
                Value::Object(more) => fields.extend(more),
                value => return value,
            }
        }
        for keyword in ["oneOf", "anyOf", "allOf"] {
            let Some(branches) = schema[keyword].as_array() else { continue };
            let branches: Vec<_> =
                branches.iter().filter(|branch| branch["type"] != "null").collect();
            self.variants = self.variants.max(branches.len());
            match self.value(branches[self.variant % branches.len()], at, depth + 1) {
                Value::Object(more) => fields.extend(more),
                value => return value,
            }
        }
        let kind = match &schema["type"] {
            Value::Array(types) => types[0].as_str(),
            kind => kind.as_str(),
        };
        match kind {
            Some("object") => {
                let named = schema["properties"].as_object();
                self.objects.insert(at.to_owned(), named.is_some() || fields.is_empty());
                for (name, property) in named.into_iter().flatten() {
                    let value = self.value(property, &format!("{at}/{name}"), depth + 1);
                    fields.insert(name.clone(), value);
                }
                if let Some(others @ Value::Object(_)) = schema.get("additionalProperties") {
                    self.objects.insert(at.to_owned(), false);
                    fields.insert(
                        "en".to_owned(),
                        self.value(others, &format!("{at}/en"), depth + 1),
                    );
                }
                Value::Object(fields)
            }
            Some("array") => {
                json!([self.value(&schema["items"], &format!("{at}/0"), depth + 1)])
            }
            Some("boolean") => json!(true),
            Some("integer" | "number") => json!(1),
            Some(_) => match schema["format"].as_str() {
                Some("uuid") => json!(SOME_ID),
                Some("date") => json!("2026-10-01"),
                Some("date-time") => json!("2026-10-01T12:00:00Z"),
                _ => json!("text"),
            },
            None => Value::Object(fields),
        }
    }
}

/// The bodies of an operation, with the places of their objects.
fn bodies(contract: &Contract, schema: &Value) -> Vec<(Value, BTreeMap<String, bool>)> {
    let (mut bodies, mut variant) = (Vec::new(), 0);
    loop {
        let mut making = Bodies { contract, variant, variants: 1, objects: BTreeMap::new() };
        let body = making.value(schema, "", 0);
        bodies.push((body, making.objects));
        variant += 1;
        if variant >= making.variants {
            return bodies;
        }
    }
}

#[track_caller]
fn points_at(answer: &Answer, pointer: &str, what: &str) {
    let pointers: Vec<_> = answer.body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error["pointer"].as_str())
        .collect();
    assert!([400, 422].contains(&answer.status), "{what}: {answer:?}");
    assert!(pointers.contains(&pointer), "{what}: not at {pointer:?}: {:#}", answer.body);
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_at_every_depth() {
    let (mut instance, company) = instance().await;
    let contract = instance.contract().await;
    let (mut tried, mut seen) = (0, BTreeSet::new());
    for operation in contract.operations() {
        let Some(json) = operation.body() else { continue };
        let key = operation.key(&mut instance, &company).await;
        let ask = async |body: &Value| {
            instance.ask(&key, operation.method, &operation.at(), Some(body)).await
        };
        for (body, objects) in bodies(contract, &json["schema"]) {
            for (place, is_named) in objects {
                let object = body.pointer(&place).unwrap().as_object().unwrap();
                let fields: Vec<_> = object.keys().cloned().collect();
                if !seen.insert((operation.name().to_owned(), place.clone(), fields)) {
                    continue;
                }
                tried += 1;
                let what = format!("{} {place:?}", operation.name());
                let mut array = body.clone();
                *array.pointer_mut(&place).unwrap() = object.values().cloned().collect();
                points_at(&ask(&array).await, &place, &format!("{what} as an array"));
                if is_named {
                    let mut unknown = body.clone();
                    unknown.pointer_mut(&place).unwrap()["not_a_field"] = json!(1);
                    let pointer = format!("{place}/not_a_field");
                    points_at(
                        &ask(&unknown).await,
                        &pointer,
                        &format!("{what} with an unknown field"),
                    );
                }
            }
        }
    }
    assert!(tried > 250, "{tried} objects are too few: the walk sees nothing");
}

#[tokio::test]
async fn a_key_that_stands_twice_is_refused() {
    let instance = Instance::start().await;
    let twice = r#"{"name":"A","name":"B","tax_id":{"kind":"nip","number":"5260250274"}}"#;
    let answer = instance.send("admin", "/v1/companies", "application/json", twice).await;
    points_at(&answer, "/name", "twice");
    let inside = r#"{"texts":{"en":"one","en":"two"}}"#;
    let path = format!("/v1/products/{SOME_ID}/texts");
    let answer = instance.send("admin", &path, "application/json", inside).await;
    points_at(&answer, "/texts/en", "twice in a map");
}

#[track_caller]
fn blames(answer: &Answer, parameter: &str, what: &str) {
    assert!([400, 422].contains(&answer.status), "{what}: {answer:?}");
    let blamed = &answer.body["errors"][0]["parameter"];
    assert_eq!(blamed, parameter, "{what}: {:#}", answer.body);
}

/// A value that a parameter takes, and one that it refuses, where there is one.
fn values(contract: &Contract, parameter: &Value) -> (String, Option<&'static str>) {
    let schema = contract.resolved(&parameter["schema"]);
    if let Some(first) = schema["enum"].get(0) {
        return (first.as_str().unwrap().to_owned(), Some("nonsense"));
    }
    let (taken, refused) = match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("integer"), _) => ("1", Some("nonsense")),
        (Some("boolean"), _) => ("true", Some("nonsense")),
        (_, Some("uuid")) => (SOME_ID, Some("nonsense")),
        (_, Some("date")) => ("2026-10-01", Some("nonsense")),
        (_, Some("date-time")) => ("2026-10-01T12:00:00Z", Some("nonsense")),
        (_, _) if schema.get("pattern").is_some() => ("1", Some("non sense")),
        _ => ("1", None),
    };
    (taken.to_owned(), refused)
}

#[tokio::test]
async fn a_query_that_says_nonsense_is_refused() {
    let (mut instance, company) = instance().await;
    let contract = instance.contract().await;
    for operation in contract.operations() {
        let key = operation.key(&mut instance, &company).await;
        let body = operation.body().map(|json| json["example"].clone());
        let ask = async |query: String| {
            let path = format!("{}?{query}", operation.at());
            instance.ask(&key, operation.method, &path, body.as_ref()).await
        };
        let name = operation.name();
        blames(&ask("colour=blue".to_owned()).await, "colour", &format!("{name}: unknown"));
        blames(&ask("after=1".to_owned()).await, "after", &format!("{name}: after"));
        let known: Vec<_> = operation.queried().collect();
        if !known.iter().any(|parameter| parameter["name"] == "wait_for") {
            blames(&ask("wait_for=1".to_owned()).await, "wait_for", &format!("{name}: wait_for"));
        }
        let required = known.iter().filter(|parameter| parameter["required"] == true);
        let required: Vec<_> = required
            .map(|parameter| (parameter["name"].as_str().unwrap(), values(contract, parameter).0))
            .collect();
        for parameter in &known {
            let wanted = parameter["name"].as_str().unwrap();
            let others = required.iter().filter(|(name, _)| *name != wanted);
            let others: Vec<_> = others.map(|(name, value)| format!("&{name}={value}")).collect();
            let others = others.concat();
            let (taken, refused) = values(contract, parameter);
            let twice = ask(format!("{wanted}={taken}&{wanted}={taken}{others}")).await;
            blames(&twice, wanted, &format!("{name}: {wanted} twice"));
            if let Some(refused) = refused {
                let answer = ask(format!("{wanted}={refused}{others}")).await;
                blames(&answer, wanted, &format!("{name}: {wanted}={refused}"));
            }
        }
    }
    // Text that is a choice all the same.
    for (path, parameter) in [
        ("/v1/events?aggregate=nonsense", "aggregate"),
        ("/v1/events?type=order.placed,nonsense", "type"),
    ] {
        blames(&instance.get("admin", path).await, parameter, path);
    }
}

#[tokio::test]
async fn what_the_document_lacks_is_seen() {
    let instance = Instance::start().await;
    let contract = instance.contract().await;
    let document = &contract.document;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_numbered = base != name && schemas.contains_key(base);
        assert!(!is_numbered, "{name}: two schemas have the name {base}");
        assert!(!name.contains('_'), "{name} is made of a type's parameters");
    }
    assert!(document["servers"][0]["url"].is_string());
    assert!(document["info"]["license"].is_object());
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone())
        .map(|n| n.to_string())
        .collect();
    let mut names = BTreeSet::new();
    for operation in contract.operations() {
        let (name, described) = (operation.name(), operation.described);
        assert!(names.insert(name.to_owned()), "{name} is the id of two operations");
        assert!(tags.contains(&described["tags"][0].to_string()), "{name} has no tag");
        assert!(described["summary"].is_string(), "{name} has no summary");
        let mut statuses = vec!["400", "401", "403", "503"];
        if operation.path.contains("{id}") {
            statuses.push("404");
        }
        if operation.method != "get" {
            statuses.extend(["409", "422"]);
        }
        for status in statuses {
            let content = &described["responses"][status]["content"];
            let problem = &content["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{name} {status}");
        }
        for (status, answer) in described["responses"].as_object().unwrap() {
            for (media, content) in answer["content"].as_object().into_iter().flatten() {
                assert!(content["schema"].is_object(), "{name} {status} {media} has no schema");
            }
        }
        for parameter in operation.parameters() {
            let described = parameter["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{name}: {} is not described", parameter["name"]);
            if parameter["name"] == "limit" {
                let schema = &parameter["schema"];
                let bounds = (&schema["minimum"], &schema["maximum"], &schema["default"]);
                assert_eq!(bounds, (&json!(1), &json!(200), &json!(50)), "{name}");
            }
        }
        if let Some(json) = operation.body() {
            let errors: Vec<_> = contract
                .validator(&json["schema"])
                .iter_errors(&json["example"])
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "the example of {name}: {errors:#?} {:#}", json["example"]);
        }
        if described["requestBody"].is_object() {
            for (media, content) in described["requestBody"]["content"].as_object().unwrap() {
                assert!(content["schema"].is_object(), "{name} {media} has no schema");
            }
        }
    }
}

/// Whatever the example is about may be missing; what it says can be read.
#[tokio::test]
async fn every_example_can_be_sent() {
    let (mut instance, company) = instance().await;
    let contract = instance.contract().await;
    for operation in contract.operations() {
        let Some(json) = operation.body() else { continue };
        let key = operation.key(&mut instance, &company).await;
        let answer =
            instance.ask(&key, operation.method, &operation.at(), Some(&json["example"])).await;
        let code = answer.body["code"].as_str().unwrap_or_default();
        let name = operation.name();
        assert!(
            !code.starts_with("body.") || code == "body.names_nothing",
            "the example of {name} cannot be read: {:#}",
            answer.body
        );
    }
}

/// Requests are read, answers are written: what is not required to be read has no default that
/// generators of clients take for a promise.
#[tokio::test]
async fn bodies_have_no_defaults_and_no_open_objects() {
    let instance = Instance::start().await;
    let contract = instance.contract().await;
    let schemas = contract.document["components"]["schemas"].as_object().unwrap();
    let mut unread: Vec<Value> = contract
        .operations()
        .filter_map(|operation| Some(operation.body()?["schema"].clone()))
        .collect();
    let mut read = BTreeSet::new();
    while let Some(schema) = unread.pop() {
        let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next())
        else {
            match &schema {
                Value::Object(fields) => {
                    assert!(!fields.contains_key("default"), "{schema}");
                    unread.extend(fields.values().cloned());
                }
                Value::Array(items) => unread.extend(items.iter().cloned()),
                _ => {}
            }
            continue;
        };
        if read.insert(name.to_owned()) {
            unread.push(schemas[name].clone());
        }
    }
    let order = &schemas["PlaceOrder"];
    assert_eq!(order["required"], json!(["currency", "lines"]));
    assert_eq!(order["additionalProperties"], false);
}
