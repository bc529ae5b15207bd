//! What may change in a landed schema: something is added, and all that was said stays true.
//!
//! Stored events are read for ever, and integrators read tomorrow's events with yesterday's schema.
//! So whatever the landed schema accepts is still accepted, what was always there still is, and a
//! new field is optional. Anything else is a new version.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Why `new` cannot take the place of `landed`, one line each with a JSON pointer; empty when it
/// can. A keyword that is not known here must not change.
pub fn breaks(landed: &Value, new: &Value) -> Vec<String> {
    let mut breaks = Vec::new();
    Comparison { landed_root: landed, new_root: new }.compare("", landed, new, &mut breaks);
    breaks
}

struct Comparison<'a> {
    landed_root: &'a Value,
    new_root: &'a Value,
}

/// What explains a schema but changes nothing of what it accepts.
const WORDS: [&str; 6] = ["$defs", "$id", "$schema", "default", "description", "title"];

impl<'a> Comparison<'a> {
    fn compare(&self, at: &str, landed: &'a Value, new: &'a Value, breaks: &mut Vec<String>) {
        let (landed, new) = (resolved(self.landed_root, landed), resolved(self.new_root, new));
        if landed.get("oneOf").is_some() || new.get("oneOf").is_some() {
            return self.compare_variants("oneOf", at, landed, new, breaks);
        }
        if landed.get("anyOf").is_some() || new.get("anyOf").is_some() {
            return self.compare_variants("anyOf", at, landed, new, breaks);
        }
        let (Some(landed), Some(new)) = (landed.as_object(), new.as_object()) else {
            if landed != new {
                breaks.push(format!("{at}: {landed} has become {new}"));
            }
            return;
        };
        let keywords: BTreeSet<&String> = landed.keys().chain(new.keys()).collect();
        for keyword in keywords {
            match (keyword.as_str(), landed.get(keyword), new.get(keyword)) {
                ("properties", before, after) => {
                    self.compare_properties(at, before, after, breaks);
                }
                ("required", before, after) => compare_required(at, before, after, landed, breaks),
                ("items", Some(before), Some(after)) => {
                    self.compare(&format!("{at}/items"), before, after, breaks);
                }
                (keyword, before, after) if may_become(keyword, before, after) => {}
                (keyword, before, after) => {
                    let shown = |value: Option<&Value>| {
                        value.map_or("nothing".to_owned(), Value::to_string)
                    };
                    breaks.push(format!(
                        "{at}: {keyword} was {}, is {}",
                        shown(before),
                        shown(after)
                    ));
                }
            }
        }
    }

    /// Each landed variant must still be there; others may have come.
    fn compare_variants(
        &self,
        keyword: &str,
        at: &str,
        landed: &'a Value,
        new: &'a Value,
        breaks: &mut Vec<String>,
    ) {
        for variant in variants(keyword, landed) {
            let closest = variants(keyword, new)
                .into_iter()
                .map(|candidate| {
                    let mut breaks = Vec::new();
                    self.compare(&format!("{at}/{keyword}"), variant, candidate, &mut breaks);
                    breaks
                })
                .min_by_key(Vec::len);
            match closest {
                Some(found) => breaks.extend(found),
                None => breaks.push(format!("{at}: no variant is left")),
            }
        }
    }

    fn compare_properties(
        &self,
        at: &str,
        landed: Option<&'a Value>,
        new: Option<&'a Value>,
        breaks: &mut Vec<String>,
    ) {
        let none = Map::new();
        let landed = landed.and_then(Value::as_object).unwrap_or(&none);
        for (name, before) in landed {
            match new.and_then(|new| new.get(name)) {
                Some(after) => self.compare(&format!("{at}/{name}"), before, after, breaks),
                None => breaks.push(format!("{at}/{name} is gone")),
            }
        }
    }
}

fn compare_required(
    at: &str,
    landed: Option<&Value>,
    new: Option<&Value>,
    schema: &Map<String, Value>,
    breaks: &mut Vec<String>,
) {
    let names = |list: Option<&Value>| -> BTreeSet<String> {
        let names = list.and_then(Value::as_array).into_iter().flatten();
        names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    let (before, after) = (names(landed), names(new));
    for name in before.difference(&after) {
        let is_gone = schema.get("properties").is_none_or(|known| known.get(name).is_none());
        if !is_gone {
            breaks.push(format!("{at}/{name} is no longer always there"));
        }
    }
    for name in after.difference(&before) {
        breaks.push(format!("{at}/{name} is demanded, but stored events lack it"));
    }
}

/// Whether a keyword accepts after the change all that it accepted before.
fn may_become(keyword: &str, landed: Option<&Value>, new: Option<&Value>) -> bool {
    match keyword {
        _ if landed == new || WORDS.contains(&keyword) => true,
        "additionalProperties" => landed == Some(&Value::Bool(false)) || new.is_none(),
        "maximum" | "maxLength" | "maxItems" => new.is_none() || both(landed, new, i64::le),
        "minimum" | "minLength" | "minItems" => new.is_none() || both(landed, new, i64::ge),
        "enum" => match (landed.and_then(Value::as_array), new.and_then(Value::as_array)) {
            (Some(landed), Some(new)) => landed.iter().all(|value| new.contains(value)),
            _ => false,
        },
        _ => false,
    }
}

fn both(landed: Option<&Value>, new: Option<&Value>, holds: fn(&i64, &i64) -> bool) -> bool {
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    number(landed).zip(number(new)).is_some_and(|(landed, new)| holds(&landed, &new))
}

fn variants<'a>(keyword: &str, schema: &'a Value) -> Vec<&'a Value> {
    match schema.get(keyword).and_then(Value::as_array) {
        Some(variants) => variants.iter().collect(),
        None => vec![schema],
    }
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target =
        schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    target.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn landed() -> Value {
        json!({
            "title": "tea.sold.v1", "type": "object",
            "properties": {
                "type": { "const": "sold" },
                "price": { "$ref": "#/$defs/Price", "description": "Net." },
                "grams": { "type": "integer", "minimum": 1, "maximum": 500 },
                "note": { "type": "string", "maxLength": 10 },
                "terms": { "oneOf": [
                    { "type": "object", "required": ["kind"],
                      "properties": { "kind": { "const": "cash" } } },
                    { "type": "object", "required": ["kind", "days"],
                      "properties": { "kind": { "const": "net" }, "days": { "type": "integer" } } },
                ] },
                "leaves": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            },
            "required": ["type", "price", "grams"],
            "$defs": { "Price": { "type": "string", "pattern": "^[0-9]+$" } },
        })
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), then: &[&str]) {
        let mut new = landed();
        change(&mut new);
        assert_eq!(breaks(&landed(), &new), then);
    }

    #[test]
    fn adding_breaks_nothing() {
        check(|_| (), &[]);
        check(|new| new["description"] = json!("Tea."), &[]);
        check(|new| new["properties"]["origin"] = json!({ "type": "string" }), &[]);
        check(|new| new["properties"]["grams"]["maximum"] = json!(1000), &[]);
        check(|new| new["properties"]["leaves"]["minItems"] = json!(0), &[]);
        check(
            |new| {
                let terms = new["properties"]["terms"]["oneOf"].as_array_mut().unwrap();
                terms.insert(
                    0,
                    json!({ "type": "object", "required": ["kind"],
                    "properties": { "kind": { "const": "barter" } } }),
                );
            },
            &[],
        );
        check(
            |new| {
                new["$defs"]["Price"]["description"] = json!("In full.");
            },
            &[],
        );
    }

    #[test]
    fn anything_else_does() {
        check(
            |new| new["properties"]["type"]["const"] = json!("bought"),
            &["/type: const was \"sold\", is \"bought\""],
        );
        check(
            |new| {
                new["properties"].as_object_mut().unwrap().remove("note");
            },
            &["/note is gone"],
        );
        check(
            |new| new["required"] = json!(["type", "price"]),
            &["/grams is no longer always there"],
        );
        check(
            |new| new["required"] = json!(["type", "price", "grams", "note"]),
            &["/note is demanded, but stored events lack it"],
        );
        check(
            |new| new["properties"]["grams"]["maximum"] = json!(400),
            &["/grams: maximum was 500, is 400"],
        );
        check(
            |new| new["properties"]["note"]["minLength"] = json!(1),
            &["/note: minLength was nothing, is 1"],
        );
        check(
            |new| new["$defs"]["Price"]["pattern"] = json!("^[1-9]+$"),
            &["/price: pattern was \"^[0-9]+$\", is \"^[1-9]+$\""],
        );
        check(
            |new| new["properties"]["leaves"]["items"]["type"] = json!("integer"),
            &["/leaves/items: type was \"string\", is \"integer\""],
        );
        check(
            |new| {
                new["properties"]["terms"]["oneOf"].as_array_mut().unwrap().remove(0);
            },
            &[
                "/terms/oneOf/kind: const was \"cash\", is \"net\"",
                "/terms/oneOf/days is demanded, but stored events lack it",
            ],
        );
        check(
            |new| new["additionalProperties"] = json!(false),
            &[": additionalProperties was nothing, is false"],
        );
        check(|new| new["uniqueItems"] = json!(true), &[": uniqueItems was nothing, is true"]);
    }
}
