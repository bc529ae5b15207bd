//! Compares the shape of a JSON body with its schema: objects are objects, with only the fields
//! that the schema names.
//!
//! Serde's derived types also read a struct from an array, ignore unknown fields inside tagged and
//! flattened types, and accept duplicate keys of a map. So the body is compared with the schema of
//! the type before it is deserialised.

use std::{
    any::TypeId,
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, LazyLock, RwLock},
};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::problem::FieldError;

/// JSON in which no object has duplicate keys.
#[derive(Debug)]
pub(crate) struct Unique(pub(crate) Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        let mut array = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Unique(Value::Array(array)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Unique, A::Error> {
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            let Unique(value) = fields.next_value_seed(ValueOf { key: &key, object: &object })?;
            object.insert(key, value);
        }
        Ok(Unique(Value::Object(object)))
    }
}

/// The value of a key that must not be a duplicate: refused here, where the path of the error ends
/// with the key.
struct ValueOf<'a> {
    key: &'a str,
    object: &'a Map<String, Value>,
}

impl<'de> DeserializeSeed<'de> for ValueOf<'_> {
    type Value = Unique;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unique, D::Error> {
        if self.object.contains_key(self.key) {
            let key: String = self.key.chars().take(100).collect();
            return Err(D::Error::custom(format!("duplicate field `{key}`")));
        }
        Unique::deserialize(deserializer)
    }
}

/// The errors in the shape of a body that should be a `T`.
pub(crate) fn check<T: JsonSchema + 'static>(body: &Value) -> Vec<FieldError> {
    Shape::of::<T>().check(body)
}

/// The schema of a type in the form used for comparison.
struct Shape {
    root: Value,
}

static SHAPES: LazyLock<RwLock<HashMap<TypeId, Arc<Shape>>>> = LazyLock::new(RwLock::default);

impl Shape {
    /// The shape of a type: computed once and kept, one per type of body.
    fn of<T: JsonSchema + 'static>() -> Arc<Self> {
        let id = TypeId::of::<T>();
        let kept =
            SHAPES.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&id).cloned();
        kept.unwrap_or_else(|| {
            let schema =
                SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
            let shape = Arc::new(Self { root: schema.to_value() });
            let mut shapes = SHAPES.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            shapes.entry(id).or_insert(shape).clone()
        })
    }

    fn check(&self, body: &Value) -> Vec<FieldError> {
        let mut found = Found::default();
        self.place(&self.root, body, "", &mut found);
        found.errors
    }

    /// Compares a value with its schema: an object may have only fields that some part of the
    /// schema names.
    fn place(&self, schema: &Value, value: &Value, at: &str, found: &mut Found) {
        let names = self.part(schema, value, at, found);
        let (Value::Object(fields), Names::Only(names)) = (value, names) else { return };
        for name in fields.keys().filter(|name| !names.contains(name.as_str())) {
            let known: Vec<_> =
                names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
            let expected = if known.is_empty() {
                "there are no fields".to_owned()
            } else {
                format!(
                    "expected {}{}",
                    if known.len() > 1 { "one of " } else { "" },
                    known.join(", ")
                )
            };
            let name_shown: String = name.chars().take(100).collect();
            found.error(below(at, name), format!("unknown field `{name_shown}`, {expected}"));
        }
    }

    /// Compares the parts of a value. An error inside does not select another branch, unless it is
    /// in the tag.
    fn inside(&self, schema: &Value, value: &Value, at: &str, found: &mut Found) {
        let mut inside = Found::default();
        self.place(schema, value, at, &mut inside);
        if schema.get("const").is_none() {
            inside.mismatches = inside.mismatches.min(1);
        }
        found.add(inside);
    }

    /// Compares a value with one of several schemas that apply together; returns the fields of an
    /// object that it knows.
    fn part<'s>(
        &'s self,
        schema: &'s Value,
        value: &Value,
        at: &str,
        found: &mut Found,
    ) -> Names<'s> {
        let Some(schema) = schema.as_object().filter(|schema| says_something(schema)) else {
            return Names::Any;
        };
        if let Some(types) = schema.get("type") {
            compare_type(types, value, at, found);
        }
        if schema.get("const").is_some_and(|only| only != value) {
            found.mismatches += OTHER;
        }
        let listed = schema.get("enum").and_then(Value::as_array);
        if listed.is_some_and(|listed| !listed.contains(value)) {
            found.mismatches += OTHER;
        }
        let mut names = Names::Only(BTreeSet::new());
        match value {
            Value::Object(fields) => names = self.fields(schema, fields, at, found),
            Value::Array(items) => self.items(schema, items, at, found),
            _ => {}
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str)
            && let Some(target) = target.strip_prefix('#').and_then(|path| self.root.pointer(path))
        {
            names = names.and(self.part(target, value, at, found));
        }
        for part in list(schema, "allOf") {
            names = names.and(self.part(part, value, at, found));
        }
        for keyword in ["oneOf", "anyOf"] {
            let branches = list(schema, keyword);
            if !branches.is_empty() {
                names = names.and(self.closest(branches, value, at, found));
            }
        }
        names
    }

    /// Compares with the branch of a choice that has the fewest errors.
    fn closest<'s>(
        &'s self,
        branches: &'s [Value],
        value: &Value,
        at: &str,
        found: &mut Found,
    ) -> Names<'s> {
        let compared = branches.iter().map(|branch| {
            let mut found = Found::default();
            let names = self.part(branch, value, at, &mut found);
            (found, names)
        });
        let Some((closest, names)) =
            compared.min_by_key(|(found, _)| (found.mismatches, found.count))
        else {
            return Names::Any;
        };
        if closest.mismatches >= OTHER {
            // No branch matches: serde's message describes best what is expected.
            found.mismatches += OTHER;
            return Names::Any;
        }
        found.add(closest);
        names
    }

    fn fields<'s>(
        &'s self,
        schema: &'s Map<String, Value>,
        fields: &Map<String, Value>,
        at: &str,
        found: &mut Found,
    ) -> Names<'s> {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, value) in fields {
            if let Some(property) = properties.unwrap_or(&none).get(name) {
                self.inside(property, value, &below(at, name), found);
            }
        }
        let missing = list(schema, "required")
            .iter()
            .filter(|name| name.as_str().is_some_and(|name| !fields.contains_key(name)));
        found.mismatches += missing.count();
        let others = ["additionalProperties", "patternProperties"];
        let others =
            others.into_iter().filter_map(|keyword| match (keyword, schema.get(keyword)?) {
                (_, Value::Bool(false)) => None,
                ("patternProperties", Value::Object(patterns)) => patterns.values().next(),
                (_, other) => Some(other),
            });
        let mut names =
            Names::Only(properties.into_iter().flat_map(Map::keys).map(String::as_str).collect());
        for other in others {
            for (name, value) in fields {
                if !properties.is_some_and(|known| known.contains_key(name)) {
                    self.inside(other, value, &below(at, name), found);
                }
            }
            names = Names::Any;
        }
        names
    }

    fn items(&self, schema: &Map<String, Value>, items: &[Value], at: &str, found: &mut Found) {
        let first = list(schema, "prefixItems");
        let rest = schema.get("items");
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or(rest) {
                self.inside(schema, item, &format!("{at}/{index}"), found);
            }
        }
    }
}

/// The weight of a wrong type, which is more than any number of missing fields.
const OTHER: usize = 1_000_000;
/// The maximum number of listed errors.
const MOST_ERRORS: usize = 20;
/// The maximum number of known names in an error.
const MOST_NAMED: usize = 30;

/// The errors found in a value.
#[derive(Default)]
struct Found {
    errors: Vec<FieldError>,
    count: usize,
    /// The errors that serde will report too, used to compare branches.
    mismatches: usize,
}

impl Found {
    fn error(&mut self, at: String, detail: String) {
        self.count += 1;
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(FieldError::at(at, detail));
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.mismatches += other.mismatches;
        let room = MOST_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
    }
}

/// The fields of an object that schemas know.
enum Names<'s> {
    Any,
    Only(BTreeSet<&'s str>),
}

impl Names<'_> {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(mut names), Self::Only(others)) => {
                names.extend(others);
                Self::Only(names)
            }
            _ => Self::Any,
        }
    }
}

fn compare_type(types: &Value, value: &Value, at: &str, found: &mut Found) {
    let one = std::slice::from_ref(types);
    let types = types.as_array().map_or(one, Vec::as_slice);
    let is = |name: &str| match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(_) => name == "number" || name == "integer",
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    };
    if types.iter().filter_map(Value::as_str).any(is) {
        return;
    }
    if value.is_array() && types.iter().any(|name| name == "object") {
        found.error(at.to_owned(), "must be an object, not an array".to_owned());
    } else {
        found.mismatches += OTHER;
    }
}

/// Whether a schema has more than annotations.
fn says_something(schema: &Map<String, Value>) -> bool {
    const WORDS: [&str; 5] = ["title", "description", "default", "examples", "$schema"];
    schema.keys().any(|keyword| !WORDS.contains(&keyword.as_str()))
}

fn list<'s>(schema: &'s Map<String, Value>, keyword: &str) -> &'s [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    struct Outer {
        _name: Option<String>,
        _inner: Option<Inner>,
        #[serde(default)]
        _list: Vec<Inner>,
        #[serde(flatten)]
        _more: More,
        _term: Option<Term>,
        #[serde(default)]
        _by_name: std::collections::BTreeMap<String, Inner>,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Inner {
        _a: Option<u8>,
    }

    #[derive(Deserialize, JsonSchema)]
    struct More {
        _extra: Option<u8>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Term {
        Prepaid,
        Within { _days: u8 },
        Of(#[allow(dead_code, reason = "only its shape is looked at")] Inner),
    }

    #[track_caller]
    fn check_outer(body: &Value, pointers: &[&str]) {
        let errors = check::<Outer>(body);
        let found: Vec<_> = errors.iter().map(|error| error.pointer.as_deref().unwrap()).collect();
        assert_eq!(found, pointers, "{body}: {errors:?}");
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        check_outer(&json!({}), &[]);
        check_outer(&json!(["name"]), &[""]);
        check_outer(&json!({ "_inner": [1] }), &["/_inner"]);
        check_outer(&json!({ "_inner": null, "_list": [{ "_a": 1 }, [1]] }), &["/_list/1"]);
        check_outer(&json!({ "_term": ["within", 3] }), &["/_term"]);
        check_outer(&json!({ "_by_name": { "a/b": [1], "c": { "_a": 2 } } }), &["/_by_name/a~1b"]);
    }

    #[test]
    fn a_field_that_no_schema_names_is_unknown_at_any_depth() {
        check_outer(&json!({ "_name": "a", "_extra": 1 }), &[]);
        check_outer(&json!({ "colour": 1 }), &["/colour"]);
        check_outer(&json!({ "_list": [{ "x": 1 }] }), &["/_list/0/x"]);
        check_outer(&json!({ "_term": { "kind": "prepaid", "_days": 1 } }), &["/_term/_days"]);
        check_outer(&json!({ "_term": { "kind": "within", "_days": 1 } }), &[]);
        check_outer(&json!({ "_term": { "kind": "of", "_a": 1 } }), &[]);
        check_outer(&json!({ "_term": { "kind": "of", "_a": 1, "b": 1 } }), &["/_term/b"]);
        check_outer(&json!({ "_term": { "kind": "within", "_days": "x", "b": 1 } }), &["/_term/b"]);
        // Serde reports the valid values of a tag.
        check_outer(&json!({ "_term": { "kind": "other", "b": 1 } }), &[]);
    }

    #[test]
    fn a_key_stands_once_in_an_object() {
        let unique = |text: &str| serde_json::from_str::<Unique>(text).map(|unique| unique.0);
        assert_eq!(unique(r#"{"a":[1,-2,1.5,"x",null,true]}"#).unwrap()["a"][3], "x");
        let error = unique(r#"{"a":[{"b":1,"c":2,"b":1}]}"#).unwrap_err().to_string();
        assert!(error.starts_with("duplicate field `b`"), "{error}");
        let escaped = unique(r#"{"a":1,"\u0061":1}"#).unwrap_err().to_string();
        assert!(escaped.starts_with("duplicate field `a`"), "{escaped}");
    }
}
