//! Every field of every command with values at its limits: no accepted input may stop a read model,
//! make it differ from its rebuild, or make a list unreadable.
//!
//! Routes and fields come from the OpenAPI document, so new ones are included automatically;
//! `requests.rs` prepares the data that a route needs. `make test` sends every eighth value, `make
//! torture` all of them.

mod mutations;
mod requests;

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use kontor_tests::torture::{chance, is_long};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    mutations::{IN_ALL_LANGUAGES, Mutations, TWICE},
    requests::{FOR_ALL, Request, Requests},
};
use crate::{
    faults::sound::check_history,
    instance::{Answer, Instance, eventually},
};

/// One of so many families of values is sent in `make test`.
const SHARE: u64 = 8;

#[tokio::test]
async fn no_accepted_input_stops_a_read_model() {
    let requests = Requests::prepare().await;
    let document = requests.instance().get("admin", "/openapi.json").await.body;
    let mut walk = Walk::new(&requests);
    for (route, schema) in commands(&document) {
        walk.send_all(&route, &schema, &document["components"]["schemas"]).await;
    }
    let Walk { sent, accepted, failures, caused, .. } = walk;
    println!("{sent} requests, {accepted} of them accepted");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    check_read_models(requests.instance(), &caused).await;
    check_lists(requests.instance(), &document, &requests.table.shop.grocer).await;
    requests.instance().settled().await;
    check_history(requests.instance()).await;
    requests.instance().run(&["projections", "rebuild", "all"]);
}

/// Every POST route with a JSON body and the schema of that; those that concern everybody last.
fn commands(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut commands: Vec<_> = paths
        .iter()
        .filter_map(|(path, methods)| {
            let content = &methods["post"]["requestBody"]["content"]["application/json"];
            content.get("schema").map(|schema| (path.clone(), schema.clone()))
        })
        .collect();
    commands.sort_by_key(|(path, _)| (FOR_ALL.contains(&path.as_str()), path.clone()));
    commands
}

/// Routes of which no request is accepted here: the check needs a white list that was loaded, money
/// is allocated by itself as soon as there is an invoice, and no policy is refused.
const NEVER: [&str; 3] = [
    "/v1/companies/{id}/bank-accounts/check",
    "/v1/payments/{id}/allocate",
    "/v1/policies/refusals/{id}/retry",
];

const FOLLOWED: &str = "
    SELECT (SELECT min(position) FROM view.checkpoints) >= $1 OR EXISTS (TABLE view.failures)";
const FAILURES: &str = "
    SELECT f.projection, f.reason, e.event_type, e.correlation_id
    FROM view.failures f JOIN log.events e USING (position)";

/// What was sent, and what came of it.
struct Walk<'a> {
    requests: &'a Requests,
    random: StdRng,
    share: u64,
    sent: usize,
    accepted: usize,
    failures: Vec<String>,
    /// What each accepted request was, by its correlation id.
    caused: HashMap<Uuid, String>,
}

impl<'a> Walk<'a> {
    fn new(requests: &'a Requests) -> Self {
        Self {
            requests,
            random: if is_long() { chance() } else { StdRng::seed_from_u64(1) },
            share: if is_long() { 1 } else { SHARE },
            sent: 0,
            accepted: 0,
            failures: Vec::new(),
            caused: HashMap::new(),
        }
    }

    /// Sends the request of a route as it stands, and then changed in one field at a time.
    async fn send_all(&mut self, route: &str, schema: &Value, schemas: &Value) {
        let Some(request) = self.requests.of(route).await else {
            self.failures.push(format!("{route} has no request in requests.rs"));
            return;
        };
        let what = format!("{route} as it stands");
        let answer = self.send(&request, &request.body, &what).await;
        if answer.status >= 300 && !NEVER.contains(&route) {
            self.failures.push(format!("{what} is refused: {} {answer:?}", request.body));
            return;
        }
        let random = StdRng::seed_from_u64(self.random.random());
        let mut mutations = Mutations::new(schemas, random, self.requests.ids());
        let mut unused: Option<Request> = None;
        for family in mutations.of(schema, &request.body) {
            if !self.is_drawn(route, &family.pointer, family.name, &family.values) {
                continue;
            }
            for value in family.values {
                let request = match unused.take() {
                    Some(request) => request,
                    None => self.requests.of(route).await.unwrap(),
                };
                let mut body = request.body.clone();
                put(&mut body, &family.pointer, value);
                let what = format!("{route} {} {}", family.pointer, family.name);
                let answer = self.send(&request, &body, &what).await;
                if answer.status < 300 {
                    break;
                }
                unused = Some(request);
            }
        }
    }

    async fn send(&mut self, request: &Request, body: &Value, what: &str) -> Answer {
        let correlation = Uuid::now_v7();
        let Request { role, path, .. } = request;
        let answer = self.requests.instance().post_as(role, path, correlation, body).await;
        self.sent += 1;
        if answer.status < 300 {
            self.accepted += 1;
            self.caused.insert(correlation, format!("{what}: {}", short(body)));
        } else if answer.status >= 500 || answer.status == 403 {
            self.failures.push(format!("{what} is answered {answer:?}: {}", short(body)));
        }
        answer
    }

    /// Whether a family is in this run's share.
    fn is_drawn(&self, route: &str, pointer: &str, name: &str, values: &[Value]) -> bool {
        let mut hasher = DefaultHasher::new();
        (route, pointer, name, values.first().filter(|_| values.len() == 1).map(Value::to_string))
            .hash(&mut hasher);
        // What has stopped a read model once is always sent.
        [TWICE, IN_ALL_LANGUAGES].contains(&name) || hasher.finish().is_multiple_of(self.share)
    }
}

/// Puts a value at a JSON pointer, whatever is missing on the way.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut place = body;
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        place = match name.parse::<usize>() {
            Ok(index) => {
                if !place.is_array() {
                    *place = json!([]);
                }
                let items = place.as_array_mut().unwrap();
                if items.len() <= index {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[index]
            }
            Err(_) => {
                if !place.is_object() {
                    *place = json!({});
                }
                place.as_object_mut().unwrap().entry(name).or_insert(Value::Null)
            }
        };
    }
    *place = value;
}

fn short(body: &Value) -> String {
    body.to_string().chars().take(400).collect()
}

/// Every read model follows; what stops one is named by the request that caused it.
async fn check_read_models(instance: &Instance, caused: &HashMap<Uuid, String>) {
    let database = instance.database().await;
    let head = instance.head().await.unwrap().cast_signed();
    eventually("every read model follows or has failed", async || {
        let row = database.query_one(FOLLOWED, &[&head]).await.unwrap();
        row.get::<_, bool>(0).then_some(())
    })
    .await;
    let ready = instance.get("admin", "/health/ready").await.body;
    let bad: Vec<&Value> =
        ready["parts"].as_array().unwrap().iter().filter(|part| part["state"] != "ok").collect();
    if bad.is_empty() {
        return;
    }
    let failures = database.query(FAILURES, &[]).await.unwrap();
    let failures: BTreeMap<String, String> = failures
        .iter()
        .map(|row| {
            let by = caused.get(&row.get::<_, Uuid>(3));
            (row.get(0), format!("{}: {} by {by:?}", row.get::<_, &str>(1), row.get::<_, &str>(2)))
        })
        .collect();
    panic!("{bad:?}\n{failures:#?}");
}

/// Every list can be read to its end, and each of what it shows by itself.
async fn check_lists(instance: &Instance, document: &Value, company: &str) {
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        if methods.get("get").is_none() || path.contains('{') || path == "/v1/live" {
            continue;
        }
        let role = "admin";
        let parameters = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let is_paged = parameters.iter().any(|parameter| parameter["name"] == "cursor");
        let needs_more = parameters
            .iter()
            .any(|parameter| parameter["in"] == "query" && parameter["required"] == true);
        if needs_more {
            continue;
        }
        if !is_paged {
            let status = instance.knock(role, "get", path).await;
            assert!(status < 500, "{path} answers {status}");
            continue;
        }
        let items = match instance.get(role, path).await.status {
            // What a company sees: the seller must say which.
            422 => instance.all(role, &format!("{path}?company={company}")).await,
            _ => instance.all(role, path).await,
        };
        let one = format!("{path}/{{id}}");
        if paths.get(&one).is_some_and(|methods| methods.get("get").is_some()) {
            for item in items.iter().take(200) {
                let Some(id) = item["id"].as_str() else { continue };
                let answer = instance.get(role, &format!("{path}/{id}")).await;
                assert_eq!(answer.status, 200, "{path}/{id}: {answer:?}");
            }
        }
    }
}
