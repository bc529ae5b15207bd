//! Published contracts: the JSON Schema of every event, checked against the types.

pub mod compatibility;

use std::collections::BTreeMap;

use domain::{
    approval_rules, assortment, category, claim, company, conversation, discount, employee,
    invoice, negotiation, offer, offer_template, order, payment, price, price_agreement, product,
    product_code, purchases, quotation_request, series, shipment, spending, stock, territories,
    tree, warehouse,
};
use schemars::{Schema, generate::SchemaSettings};
use serde_json::{Value, json};

/// The JSON Schema (2020-12) of every event type at its current version, by file name, such as
/// `offer.sent.v1`.
pub fn events() -> BTreeMap<String, Value> {
    let mut events = BTreeMap::new();
    for (aggregate, types, schema) in [
        ("approval_rules", approval_rules::Event::TYPES, schema::<approval_rules::Event>()),
        ("assortment", assortment::Event::TYPES, schema::<assortment::Event>()),
        ("category", category::Event::TYPES, schema::<category::Event>()),
        ("claim", claim::Event::TYPES, schema::<claim::Event>()),
        ("company", company::Event::TYPES, schema::<company::Event>()),
        ("conversation", conversation::Event::TYPES, schema::<conversation::Event>()),
        ("discount", discount::Event::TYPES, schema::<discount::Event>()),
        ("employee", employee::Event::TYPES, schema::<employee::Event>()),
        ("invoice", invoice::Event::TYPES, schema::<invoice::Event>()),
        ("negotiation", negotiation::Event::TYPES, schema::<negotiation::Event>()),
        ("offer", offer::Event::TYPES, schema::<offer::Event>()),
        ("offer_template", offer_template::Event::TYPES, schema::<offer_template::Event>()),
        ("order", order::Event::TYPES, schema::<order::Event>()),
        ("payment", payment::Event::TYPES, schema::<payment::Event>()),
        ("price", price::Event::TYPES, schema::<price::Event>()),
        ("price_agreement", price_agreement::Event::TYPES, schema::<price_agreement::Event>()),
        ("product", product::Event::TYPES, schema::<product::Event>()),
        ("product_code", product_code::Event::TYPES, schema::<product_code::Event>()),
        ("purchases", purchases::Event::TYPES, schema::<purchases::Event>()),
        (
            "quotation_request",
            quotation_request::Event::TYPES,
            schema::<quotation_request::Event>(),
        ),
        ("series", series::Event::TYPES, schema::<series::Event>()),
        ("shipment", shipment::Event::TYPES, schema::<shipment::Event>()),
        ("spending", spending::Event::TYPES, schema::<spending::Event>()),
        ("stock", stock::Event::TYPES, schema::<stock::Event>()),
        ("territories", territories::Event::TYPES, schema::<territories::Event>()),
        ("tree", tree::Event::TYPES, schema::<tree::Event>()),
        ("warehouse", warehouse::Event::TYPES, schema::<warehouse::Event>()),
    ] {
        for (event_type, version) in types {
            let name = event_type.trim_start_matches(aggregate).trim_start_matches('.');
            let file = format!("{event_type}.v{version}");
            events.insert(file.clone(), of_one(&schema, name, &file));
        }
    }
    events
}

fn schema<T: schemars::JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// The schema of one event out of its aggregate's: the variant, with the definitions it needs.
fn of_one(aggregate: &Schema, name: &str, file: &str) -> Value {
    let root = aggregate.as_value();
    let variants = root["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
    let variant = variants.iter().find(|variant| variant["properties"]["type"]["const"] == name);
    let mut schema = variant.cloned().unwrap_or_else(|| json!({ "not": {} }));
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("urn:kontor:event:{file}"));
    schema["title"] = json!(file);
    open(&mut schema);
    let used = used_definitions(&schema, &root["$defs"]);
    if !used.is_empty() {
        schema["$defs"] = json!(used);
    }
    schema
}

/// A later build may add a field: who reads events leaves out what it does not know. That this
/// build refuses unknown fields where it reads commands' parts is nobody else's business.
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

fn used_definitions(schema: &Value, all: &Value) -> BTreeMap<String, Value> {
    let mut used = BTreeMap::new();
    let mut unread = vec![schema.clone()];
    while let Some(schema) = unread.pop() {
        for name in references(&schema) {
            if !used.contains_key(&name) {
                unread.push(all[&name].clone());
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
