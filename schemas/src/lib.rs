//! Published contracts: the JSON Schema of every event type, generated from the types of `domain`.

pub mod compatibility;

use std::collections::BTreeMap;

use domain::history;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of every event type at its current version, by name, such as
/// `offer.sent.v1`.
pub fn events() -> BTreeMap<String, Value> {
    let mut events = BTreeMap::new();
    for (_, of) in history::events_by_aggregate() {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let schema = (of.schema)(&mut generator).to_value();
        let definitions = generator.take_definitions(false);
        for (event_type, version) in of.types {
            let variant = event_type.trim_start_matches(of.aggregate).trim_start_matches('.');
            let name = format!("{event_type}.v{version}");
            events.insert(name.clone(), of_one(&schema, &definitions, variant, &name));
        }
    }
    events
}

/// The file of an event type and version: `sales/offer/sent.v1.json` of `offer.sent.v1`.
/// `None` if no context has such an aggregate.
pub fn file(name: &str) -> Option<String> {
    let (aggregate, event) = name.split_once('.')?;
    let context = history::context_of(aggregate)?;
    Some(format!("{context}/{aggregate}/{event}.json"))
}

/// The schema of one event: its variant in the schema of the aggregate's events, with the
/// definitions that the variant refers to.
fn of_one(events: &Value, definitions: &Map<String, Value>, variant: &str, name: &str) -> Value {
    let variants = events["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
    let variant = variants.iter().find(|other| other["properties"]["type"]["const"] == variant);
    let mut schema = variant.cloned().unwrap_or_else(|| json!({ "not": {} }));
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("urn:kontor:event:{name}"));
    schema["title"] = json!(name);
    open(&mut schema);
    let used = used_definitions(&schema, definitions);
    if !used.is_empty() {
        schema["$defs"] = json!(used);
    }
    schema
}

/// Removes `additionalProperties`: a later build may add fields, which consumers must ignore. (The
/// types refuse unknown fields only because commands use them as well.)
fn open(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("additionalProperties");
            fields.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

fn used_definitions(schema: &Value, all: &Map<String, Value>) -> BTreeMap<String, Value> {
    let mut used = BTreeMap::new();
    let mut remaining = vec![schema.clone()];
    while let Some(schema) = remaining.pop() {
        for name in references(&schema) {
            if !used.contains_key(&name) {
                remaining.push(all[&name].clone());
                let mut definition = all[&name].clone();
                open(&mut definition);
                used.insert(name.clone(), definition);
            }
        }
    }
    used
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("$ref", Value::String(target)) => {
                    target.strip_prefix("#/$defs/").map(str::to_owned).into_iter().collect()
                }
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
