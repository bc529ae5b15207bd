//! Values at and beyond the limits of a JSON schema, for each field of a body.

use rand::{RngExt, rngs::StdRng};
use serde_json::{Map, Value, json};

/// Values for one field, the hardest first: sent until one is accepted.
pub(super) struct Family {
    /// A JSON pointer.
    pub(super) pointer: String,
    /// What they have in common.
    pub(super) name: &'static str,
    pub(super) values: Vec<Value>,
}

/// Finds the fields of bodies and makes values for them.
pub(super) struct Mutations<'a> {
    /// `components/schemas` of the OpenAPI document.
    schemas: &'a Value,
    random: StdRng,
    /// Ids of things that are there, by what the name of a field holds.
    ids: Vec<(&'static str, String)>,
    found: Vec<Family>,
}

/// One thing named twice in a list.
pub(super) const TWICE: &str = "twice";
/// Long texts under as many languages as there are.
pub(super) const IN_ALL_LANGUAGES: &str = "in all languages";

const LENGTHS: [usize; 9] = [40_000, 10_000, 4_000, 1_000, 200, 100, 64, 40, 20];
const COUNTS: [usize; 7] = [20_000, 5_000, 1_000, 200, 100, 50, 20];
const LANGUAGES: &str = "pl en de fr es it cs sk uk ru lt lv et fi sv da nb nl pt ro hu bg hr sl el tr \
    he ar ja ko zh";

impl<'a> Mutations<'a> {
    pub(super) fn new(
        schemas: &'a Value,
        random: StdRng,
        ids: Vec<(&'static str, String)>,
    ) -> Self {
        Self { schemas, random, ids, found: Vec::new() }
    }

    /// Every family for every field that a schema names, around a body that is accepted.
    pub(super) fn of(&mut self, schema: &'a Value, body: &Value) -> Vec<Family> {
        self.walk(schema, Some(body), "", "");
        std::mem::take(&mut self.found)
    }

    fn add(&mut self, pointer: &str, name: &'static str, values: Vec<Value>) {
        self.found.push(Family { pointer: pointer.to_owned(), name, values });
    }

    fn walk(&mut self, schema: &'a Value, value: Option<&Value>, pointer: &str, field: &str) {
        let schema = self.resolved(schema);
        if let Some(variants) = variants(schema) {
            self.walk_variants(variants, value, pointer, field);
        } else if let Some(all) = schema["allOf"].as_array() {
            for part in all {
                self.walk(part, value, pointer, field);
            }
        } else if schema.get("const").is_some() {
        } else if let Some(words) = schema["enum"].as_array() {
            for word in words {
                self.add(pointer, "word", vec![word.clone()]);
            }
        } else if schema.get("properties").is_some() || is(schema, "object") {
            self.walk_object(schema, value, pointer);
        } else if is(schema, "array") {
            self.walk_array(schema, value, pointer, field);
        } else if is(schema, "string") {
            self.walk_text(schema, value, pointer);
        } else if is(schema, "integer") || is(schema, "number") {
            let big =
                json!([u64::MAX, i64::MAX, u32::MAX, i32::MAX, 65_535, 32_767, 366, 255, 100, 12]);
            self.add(pointer, "large number", big.as_array().unwrap().clone());
            self.add(pointer, "zero", vec![json!(0)]);
            self.add(pointer, "negative number", vec![json!(i64::MIN), json!(-1)]);
        } else if is(schema, "boolean") {
            self.add(pointer, "true", vec![json!(true)]);
            self.add(pointer, "false", vec![json!(false)]);
        }
    }

    fn walk_variants(
        &mut self,
        variants: &'a [Value],
        value: Option<&Value>,
        pointer: &str,
        field: &str,
    ) {
        for variant in variants {
            if value.is_some_and(|value| self.fits(variant, value)) {
                self.walk(variant, value, pointer, field);
            } else {
                let sample = self.sample(variant, field, 0);
                if value.is_none() && !sample.is_null() {
                    self.walk(variant, Some(&sample), pointer, field);
                }
                self.add(pointer, "variant", vec![sample]);
            }
        }
    }

    fn walk_object(&mut self, schema: &'a Value, value: Option<&Value>, pointer: &str) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let inner = value.and_then(|value| value.get(name)).filter(|value| !value.is_null());
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            let sample;
            let inner = match inner {
                Some(inner) => inner,
                None => {
                    sample = self.sample(property, name, 0);
                    self.add(&pointer, "given", vec![sample.clone()]);
                    &sample
                }
            };
            self.walk(property, Some(inner), &pointer, name);
        }
        let Some(of) = schema.get("additionalProperties").filter(|of| of.is_object()) else {
            return;
        };
        let value = self.sample(of, "", 0);
        let map = |keys: Vec<String>, value: &Value| {
            Value::Object(keys.into_iter().map(|key| (key, value.clone())).collect())
        };
        let languages: Vec<String> = LANGUAGES.split_whitespace().map(str::to_owned).collect();
        if value.is_string() {
            for script in SCRIPTS {
                let texts = LENGTHS.iter().map(|length| {
                    let text = script.1(&mut self.random, *length);
                    map(languages.clone(), &json!(text))
                });
                let texts = texts.collect();
                self.add(pointer, IN_ALL_LANGUAGES, texts);
            }
        }
        let keys = LENGTHS.iter().map(|length| hexadecimal(&mut self.random, *length));
        let long: Vec<_> = keys.map(|key| map(vec![key], &value)).collect();
        self.add(pointer, "long key", long);
        let many = COUNTS
            .iter()
            .map(|count| map((0..*count).map(|number| format!("key{number}")).collect(), &value));
        let many = many.collect();
        self.add(pointer, "many keys", many);
        if let Some((key, inner)) =
            map(languages, &value).as_object().and_then(|map| map.iter().next())
        {
            self.walk(of, Some(inner), &format!("{pointer}/{key}"), "");
        }
    }

    fn walk_array(&mut self, schema: &'a Value, value: Option<&Value>, pointer: &str, field: &str) {
        let items = &schema["items"];
        let sample;
        let first = match value.and_then(|value| value.get(0)) {
            Some(first) => first,
            None => {
                sample = self.sample(items, field, 0);
                &sample
            }
        };
        self.add(pointer, "empty", vec![json!([])]);
        self.add(pointer, TWICE, vec![json!([first, first])]);
        self.add(pointer, "three times", vec![json!([first, first, first])]);
        let many = COUNTS.iter().map(|count| Value::Array(vec![first.clone(); *count]));
        let many = many.collect();
        self.add(pointer, "many", many);
        self.walk(items, Some(first), &format!("{pointer}/0"), field);
    }

    fn walk_text(&mut self, schema: &Value, value: Option<&Value>, pointer: &str) {
        let decimal = value
            .and_then(Value::as_str)
            .is_some_and(|text| text.parse::<rust_decimal::Decimal>().is_ok());
        match schema["format"].as_str() {
            Some("date") => {
                let late = ["9999-12-31", "2999-12-31", "2100-01-01", "2030-12-31"];
                let early = ["-009999-01-01", "0001-01-01", "1900-01-01", "2000-02-29"];
                self.add(pointer, "late day", late.map(|day| json!(day)).into());
                self.add(pointer, "early day", early.map(|day| json!(day)).into());
            }
            Some("date-time") => {
                let times =
                    ["9999-12-30T22:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"];
                self.add(pointer, "instant", times.map(|time| json!(time)).into());
            }
            Some("uuid") => {
                let ids = [uuid::Uuid::nil(), uuid::Uuid::max()];
                self.add(pointer, "id", ids.map(|id| json!(id)).into());
            }
            _ if decimal => {
                let large = [28, 24, 20, 15, 12, 10, 8, 6, 4].map(|digits| "9".repeat(digits));
                let fine = ["0.000000000001", "0.00000001", "0.0001", "0.001", "0.01", "0.1"];
                let odd = ["0", "-0", "-1", "1.1000000000000000", "0001", "1e3", "+1", "١"];
                let half = ["0.005", "0.015", "33.335", "1.5"];
                self.add(pointer, "large decimal", large.map(|text| json!(text)).into());
                self.add(pointer, "fine decimal", fine.map(|text| json!(text)).into());
                self.add(pointer, "half", half.map(|text| json!(text)).into());
                for text in odd {
                    self.add(pointer, "odd decimal", vec![json!(text)]);
                }
            }
            _ => {
                let given =
                    schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok());
                let lengths = match given {
                    Some(most) => vec![most, most / 2, most / 4],
                    None => LENGTHS.to_vec(),
                };
                for (name, write) in SCRIPTS {
                    let random = &mut self.random;
                    let texts = lengths.iter().map(|length| json!(write(random, *length)));
                    let texts = texts.collect();
                    self.add(pointer, name, texts);
                }
                for text in ODD {
                    self.add(pointer, "odd text", vec![json!(text)]);
                }
            }
        }
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str();
        match reference.and_then(|reference| reference.strip_prefix("#/components/schemas/")) {
            Some(name) => self.resolved(&self.schemas[name]),
            None => schema,
        }
    }

    /// Whether a value is of a variant: by its type, and by the words that are given in it.
    fn fits(&self, schema: &'a Value, value: &Value) -> bool {
        let schema = self.resolved(schema);
        if let Some(variants) = variants(schema) {
            return variants.iter().any(|variant| self.fits(variant, value));
        }
        if schema["enum"].as_array().is_some_and(|words| words.contains(value)) {
            return true;
        }
        match value {
            Value::Object(fields) => {
                let mut properties = schema["properties"].as_object().into_iter().flatten();
                is(schema, "object")
                    && properties.all(|(name, property)| {
                        property.get("const").is_none_or(|word| fields.get(name) == Some(word))
                    })
            }
            Value::Array(_) => is(schema, "array"),
            Value::String(_) => match schema.get("const") {
                Some(word) => word == value,
                None => is(schema, "string") && schema.get("enum").is_none(),
            },
            Value::Number(_) => is(schema, "integer") || is(schema, "number"),
            Value::Bool(_) => is(schema, "boolean"),
            Value::Null => is(schema, "null"),
        }
    }

    /// A value that a schema allows.
    fn sample(&self, schema: &'a Value, field: &str, depth: usize) -> Value {
        let schema = self.resolved(schema);
        if let Some(word) = schema.get("const") {
            return word.clone();
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        if let Some([first, ..]) = variants(schema) {
            return self.sample(first, field, depth);
        }
        if let Some(all) = schema["allOf"].as_array() {
            return self.sample(&all[0], field, depth);
        }
        if depth < 6 && (schema.get("properties").is_some() || is(schema, "object")) {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object();
            let properties = properties.into_iter().flatten();
            let needed = properties.filter(|(name, _)| required.contains(&json!(name)));
            let object: Map<_, _> =
                needed.map(|(name, of)| (name.clone(), self.sample(of, name, depth + 1))).collect();
            return Value::Object(object);
        }
        if depth < 6 && is(schema, "array") {
            return json!([self.sample(&schema["items"], field, depth + 1)]);
        }
        if is(schema, "integer") || is(schema, "number") {
            return schema
                .get("minimum")
                .filter(|least| **least != json!(0))
                .cloned()
                .unwrap_or(json!(1));
        }
        if is(schema, "boolean") {
            return json!(true);
        }
        if is(schema, "null") {
            return Value::Null;
        }
        self.sample_text(schema, field)
    }

    fn sample_text(&self, schema: &'a Value, field: &str) -> Value {
        let pattern = schema["pattern"].as_str().unwrap_or_default();
        json!(match schema["format"].as_str() {
            Some("uuid") => {
                let known = self.ids.iter().find(|(name, _)| field.contains(name));
                known.map_or_else(|| uuid::Uuid::max().to_string(), |(_, id)| id.clone())
            }
            Some("date") => "2026-06-01".to_owned(),
            Some("date-time") => "2026-06-01T12:00:00Z".to_owned(),
            Some("email") => "somebody@example.pl".to_owned(),
            _ if pattern.starts_with("^https") => "https://example.pl/picture.png".to_owned(),
            _ if pattern.starts_with("^[A-Z]{2}$") => "PL".to_owned(),
            _ if pattern.contains("[0-9]{1,") => "1".to_owned(),
            _ if field == "sku" => "RICE".to_owned(),
            _ => "some text".to_owned(),
        })
    }
}

type Write = fn(&mut StdRng, usize) -> String;

/// Texts of a length in characters, at random so that nothing compresses them.
const SCRIPTS: [(&str, Write); 7] = [
    ("long word", hexadecimal),
    ("long Hangul", |random, length| characters(random, length, &[('\u{ac00}', '\u{d7a3}')])),
    ("four-byte characters", |random, length| {
        characters(random, length, &[('\u{1f300}', '\u{1f64f}'), ('\u{20000}', '\u{2a000}')])
    }),
    ("combining characters", |random, length| {
        characters(random, length, &[('a', 'z'), ('\u{300}', '\u{36f}'), ('\u{300}', '\u{36f}')])
    }),
    ("right to left", |random, length| {
        characters(random, length, &[('\u{5d0}', '\u{5ea}'), ('\u{627}', '\u{64a}')])
    }),
    ("short words", |random, length| {
        let words: String = (0..=length / 5)
            .map(|_| characters(random, 4, &[('a', 'z'), ('0', '9'), ('ą', 'ż')]) + " ")
            .collect();
        words.chars().take(length.max(1) - 1).chain(['x']).collect()
    }),
    ("separators", |random, length| {
        const MARKS: [char; 16] =
            [',', ';', '\t', '"', '\'', '|', '/', '\\', '.', ' ', '-', '_', ':', '%', '&', '@'];
        (0..length).map(|_| MARKS[random.random_range(0..MARKS.len())]).collect()
    }),
];

const ODD: [&str; 14] = [
    "",
    " ",
    "a\u{0}b",
    "a\nb",
    "a\u{200b}b",
    "a\u{feff}b",
    "\u{202e}abc\u{202c}",
    "a\u{2028}b",
    "=1+1",
    "<b>&amp;</b>",
    "%s ${x} {{x}} #let x = 1",
    "\u{fb01}\u{212b}\u{ff21}",
    "I\u{307}\u{131}\u{df}",
    "' OR 1=1; --",
];

fn hexadecimal(random: &mut StdRng, length: usize) -> String {
    (0..length).map(|_| char::from(b"0123456789abcdef"[random.random_range(0..16)])).collect()
}

fn characters(random: &mut StdRng, length: usize, ranges: &[(char, char)]) -> String {
    (0..length)
        .map(|_| {
            let (from, to) = ranges[random.random_range(0..ranges.len())];
            char::from_u32(random.random_range(u32::from(from)..=u32::from(to))).unwrap_or('x')
        })
        .collect()
}

fn variants(schema: &Value) -> Option<&[Value]> {
    schema["oneOf"].as_array().or(schema["anyOf"].as_array()).map(Vec::as_slice)
}

fn is(schema: &Value, kind: &str) -> bool {
    let kinds = &schema["type"];
    kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.contains(&json!(kind)))
}
