//! Example bodies: given for an operation, or generated from its schema and given values.

use serde_json::{Map, Value};

use super::{About, SCHEMAS};

/// The sources of examples.
pub(super) struct Examples {
    bodies: Value,
    values: Value,
    schemas: Value,
}

/// Below this depth, only required fields are included.
const DEPTH: usize = 8;

impl Examples {
    pub(super) fn of(about: &About, schemas: Value) -> Self {
        let read = |text| serde_json::from_str(text).expect("given examples are JSON");
        Self { bodies: read(about.bodies), values: read(about.values), schemas }
    }

    /// An example body of an operation.
    pub(super) fn body(&self, operation: &str, schema: &Value) -> Value {
        match self.bodies.get(operation) {
            Some(given) => given.clone(),
            None => self.value(schema, 0),
        }
    }

    fn value(&self, schema: &Value, depth: usize) -> Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|target| target.strip_prefix(SCHEMAS))
        {
            return match self.values.get(name) {
                Some(given) => given.clone(),
                None => self.value(&self.schemas[name], depth + 1),
            };
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(first) = schema["enum"].get(0) {
            return first.clone();
        }
        for keyword in ["oneOf", "anyOf", "allOf"] {
            if let Some(first) = schema[keyword].get(0) {
                let mut value = self.value(first, depth + 1);
                if let (Value::Object(fields), true) =
                    (&mut value, schema.get("properties").is_some())
                {
                    fields.extend(self.fields(schema, depth));
                }
                return value;
            }
        }
        let kind = match &schema["type"] {
            Value::Array(types) => types.first().and_then(Value::as_str).unwrap_or_default(),
            kind => kind.as_str().unwrap_or_default(),
        };
        match kind {
            "object" => Value::Object(self.fields(schema, depth)),
            "array" => Value::Array(vec![self.value(&schema["items"], depth + 1)]),
            "boolean" => true.into(),
            "integer" | "number" => match schema["minimum"].as_i64() {
                Some(least @ 1..) => least.into(),
                _ => 1.into(),
            },
            "string" => match schema["format"].as_str() {
                Some("uuid") => "01985c2e-7a10-7cc1-8d3a-6f2b1c9e4a55".into(),
                Some("date") => "2026-10-01".into(),
                Some("date-time") => "2026-10-01T12:00:00Z".into(),
                _ => "text".into(),
            },
            _ => Value::Null,
        }
    }

    /// The required fields of an object; all fields if none is required.
    fn fields(&self, schema: &Value, depth: usize) -> Map<String, Value> {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let required: Vec<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let all = required.is_empty() && depth < DEPTH;
        properties
            .iter()
            .filter(|(name, _)| all || required.contains(&name.as_str()))
            .map(|(name, property)| (name.clone(), self.value(property, depth + 1)))
            .collect()
    }
}
