//! The schemas of a document: those of requests and responses are merged if equal, in a form that
//! client generators support.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{SCHEMAS, each, operations};

/// Adds the schemas of requests to those of responses. A request schema that differs from the
/// response schema of the same name is called `…Input`.
pub(super) fn merge(document: &mut Value, requests: Map<String, Value>) {
    let mut answers = taken(document);
    let mut requests = requests;
    for schema in answers.values_mut() {
        simplify(schema);
    }
    for schema in requests.values_mut() {
        simplify(schema);
        without_defaults(schema);
    }
    let differing = differing(&requests, &answers);
    for (name, mut schema) in requests {
        rename(&mut schema, &differing);
        close(&mut schema);
        let name = if differing.contains(&name) { format!("{name}Input") } else { name };
        answers.insert(name, schema);
    }
    for (_, _, operation) in operations(document) {
        for part in ["requestBody", "parameters"] {
            if let Some(part) = operation.get_mut(part) {
                rename(part, &differing);
            }
        }
    }
    name_variants(&mut answers);
    document["components"]["schemas"] = Value::Object(answers);
}

fn taken(document: &mut Value) -> Map<String, Value> {
    match document["components"]["schemas"].take() {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

/// Removes schemas that no operation refers to.
pub(super) fn drop_unused(document: &mut Value) {
    let mut schemas = taken(document);
    let mut unread: Vec<String> = Vec::new();
    each(document, &mut |fields| unread.extend(target(fields)));
    let mut used = BTreeSet::new();
    while let Some(name) = unread.pop() {
        if let Some(schema) = schemas.get_mut(&name)
            && used.insert(name)
        {
            each(schema, &mut |fields| unread.extend(target(fields)));
        }
    }
    schemas.retain(|name, _| used.contains(name));
    document["components"]["schemas"] = Value::Object(schemas);
}

/// The name of the schema that a reference names.
fn target(fields: &mut Map<String, Value>) -> Option<String> {
    let target = fields.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)?;
    Some(target.to_owned())
}

/// The request schemas that differ from the response schema of the same name, or refer to one that
/// does.
fn differing(requests: &Map<String, Value>, answers: &Map<String, Value>) -> BTreeSet<String> {
    let mut leads_to = BTreeMap::new();
    let mut differing = BTreeSet::new();
    for (name, schema) in requests {
        let Some(answer) = answers.get(name) else { continue };
        if comparable(schema) != comparable(answer) {
            differing.insert(name.clone());
        }
        let mut targets = BTreeSet::new();
        each(&mut schema.clone(), &mut |fields| targets.extend(target(fields)));
        leads_to.insert(name.clone(), targets);
    }
    loop {
        let more: Vec<_> = leads_to
            .iter()
            .filter(|(name, targets)| !differing.contains(*name) && !differing.is_disjoint(targets))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return differing;
        }
        differing.extend(more);
    }
}

/// The parts in which both kinds of schemas must be equal. Responses may have more fields in later
/// versions.
fn comparable(schema: &Value) -> Value {
    let mut schema = schema.clone();
    without_defaults(&mut schema);
    each(&mut schema, &mut |fields| {
        fields.remove("additionalProperties");
        fields.remove("unevaluatedProperties");
    });
    schema
}

fn rename(value: &mut Value, differing: &BTreeSet<String>) {
    each(value, &mut |fields| {
        if let Some(name) = target(fields)
            && differing.contains(&name)
        {
            fields.insert("$ref".to_owned(), json!(format!("{SCHEMAS}{name}Input")));
        }
    });
}

/// Removes defaults: generators treat a field with a default as always present, and some cannot
/// parse an object as a default.
pub(super) fn without_defaults(schema: &mut Value) {
    each_schema(schema, &mut |fields| {
        fields.remove("default");
    });
}

/// Calls a function for a schema and every schema inside it, but not for the maps of properties.
fn each_schema(schema: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(fields) = schema else { return };
    change(fields);
    for (keyword, inside) in fields.iter_mut() {
        match (keyword.as_str(), inside) {
            ("properties" | "patternProperties", Value::Object(properties)) => {
                for property in properties.values_mut() {
                    // An unrestricted schema: some generators support only the longer form.
                    if *property == Value::Bool(true) {
                        *property = json!({});
                    }
                    each_schema(property, change);
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(parts)) => {
                for part in parts {
                    each_schema(part, change);
                }
            }
            ("items" | "additionalProperties" | "not", inside) => each_schema(inside, change),
            _ => {}
        }
    }
}

/// Requests with unknown fields are refused: see [`crate::json_shape`].
fn close(schema: &mut Value) {
    let composed = ["allOf", "anyOf", "oneOf", "$ref"];
    let Some(fields) = schema.as_object_mut() else { return };
    let is_composed = composed.iter().any(|keyword| fields.contains_key(*keyword));
    if is_composed {
        if fields.contains_key("properties") {
            fields.remove("additionalProperties");
            fields.insert("unevaluatedProperties".to_owned(), json!(false));
        } else if let Some(Value::Array(branches)) = fields.get_mut("oneOf") {
            branches.iter_mut().for_each(close);
        }
    } else if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// Standard formats instead of Rust's, and lists of constants as one `enum`.
pub(super) fn simplify(schema: &mut Value) {
    each_schema(schema, &mut |fields| {
        let format = fields.get("format").and_then(Value::as_str).and_then(|format| match format {
            "uint8" | "uint16" | "int8" | "int16" => Some("int32"),
            "uint32" | "uint64" | "uint" => Some("int64"),
            _ => None,
        });
        if let Some(format) = format {
            fields.insert("format".to_owned(), json!(format));
        }
        if let Some((names, words)) = constants(fields) {
            fields.remove("oneOf");
            fields.insert("type".to_owned(), json!("string"));
            fields.insert("enum".to_owned(), json!(names));
            if !words.is_empty() {
                let description = fields.get("description").and_then(Value::as_str);
                let description = format!("{}\n\n{words}", description.unwrap_or_default());
                fields.insert("description".to_owned(), json!(description.trim()));
            }
        }
    });
}

/// The values of a choice of constants, and a list of their descriptions.
fn constants(fields: &Map<String, Value>) -> Option<(Vec<String>, String)> {
    let (mut names, mut words) = (Vec::new(), Vec::new());
    for branch in fields.get("oneOf")?.as_array()? {
        let listed = match (branch.get("const"), branch.get("enum")) {
            (Some(name), None) => std::slice::from_ref(name),
            (None, Some(Value::Array(listed))) => listed,
            _ => return None,
        };
        for name in listed {
            let name = name.as_str()?;
            if let Some(meaning) = branch.get("description").and_then(Value::as_str) {
                words.push(format!("- `{name}`: {}", meaning.replace('\n', " ")));
            }
            names.push(name.to_owned());
        }
    }
    Some((names, words.join("\n")))
}

/// Names the variants of a choice, and sets the discriminator field.
fn name_variants(schemas: &mut Map<String, Value>) {
    let choices: Vec<(String, String)> =
        schemas.iter().filter_map(|(name, schema)| Some((name.clone(), tag_of(schema)?))).collect();
    for (name, tag) in choices {
        let Some(Value::Array(branches)) = schemas[&name].get_mut("oneOf").map(Value::take) else {
            continue;
        };
        let (mut parts, mut mapping) = (Vec::new(), Map::new());
        let base = name.strip_suffix("Input").unwrap_or(&name);
        let suffix = &name[base.len()..];
        for branch in branches {
            let value = branch["properties"][&tag]["const"].as_str().unwrap_or_default().to_owned();
            let variant = format!("{base}{}{suffix}", camel_case(&value));
            let reference = format!("{SCHEMAS}{variant}");
            mapping.insert(value, json!(reference));
            parts.push(json!({ "$ref": reference }));
            let taken = schemas.insert(variant.clone(), branch);
            assert!(taken.is_none(), "two schemas are called {variant}");
        }
        schemas[&name]["oneOf"] = Value::Array(parts);
        schemas[&name]["discriminator"] = json!({ "propertyName": tag, "mapping": mapping });
    }
}

/// The field whose constant distinguishes the variants of a choice without other keywords.
fn tag_of(schema: &Value) -> Option<String> {
    let fields = schema.as_object()?;
    if fields.keys().any(|keyword| !["oneOf", "description"].contains(&keyword.as_str())) {
        return None;
    }
    let branches = fields.get("oneOf")?.as_array()?;
    let first = branches.first()?.get("properties")?.as_object()?;
    let is_discriminator = |tag: &&String| {
        branches.iter().all(|branch| branch["properties"][tag.as_str()]["const"].is_string())
    };
    first.keys().find(is_discriminator).cloned()
}

fn camel_case(name: &str) -> String {
    name.split(|c: char| !c.is_alphanumeric())
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters)
        })
        .collect()
}
