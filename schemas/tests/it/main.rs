//! The committed schemas are those of the types, and every frozen sample is read.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use domain::Event;
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The file of an event such as `offer.sent.v1`.
fn file(kind: &str, name: &str) -> PathBuf {
    let file = schemas::file(name).unwrap_or_else(|| panic!("{name} is of no aggregate"));
    folder(kind).join(file)
}

/// The events that have a file, such as `offer.sent.v1`. Each file must be in the folder of its
/// aggregate, in the folder of its context.
fn names(kind: &str) -> BTreeSet<String> {
    let entries = |folder: &PathBuf| {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let contexts = entries(&folder(kind));
    let aggregates = contexts.iter().flat_map(entries).collect::<Vec<_>>();
    let files = aggregates.iter().flat_map(entries);
    files
        .map(|path| {
            let [aggregate, event] = [path.parent().unwrap().file_name(), path.file_stem()]
                .map(|part| part.unwrap().to_str().unwrap());
            let name = format!("{aggregate}.{event}");
            assert_eq!(path, file(kind, &name), "a file in the folder of another aggregate");
            name
        })
        .collect()
}

fn current() -> BTreeSet<String> {
    Event::types().map(|(event_type, version)| format!("{event_type}.v{version}")).collect()
}

/// `KONTOR_BLESS=1` writes the schemas of new events, and of events to which something was only
/// added. A change that breaks a committed schema is refused.
#[test]
fn landed_schemas_are_those_of_the_types() {
    let bless = std::env::var_os("KONTOR_BLESS").is_some();
    let schemas = schemas::events();
    assert_eq!(schemas.keys().cloned().collect::<BTreeSet<_>>(), current());
    for (name, schema) in schemas {
        let path = file("events", &name);
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if let Ok(landed) = fs::read_to_string(&path) {
            let landed = serde_json::from_str(&landed).unwrap();
            let breaks = schemas::compatibility::breaks(&landed, &schema);
            assert!(breaks.is_empty(), "{name}: make a new version instead: {breaks:#?}");
        }
        if bless {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let landed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, landed, "{name} is new or has grown: land it with KONTOR_BLESS=1");
    }
}

#[test]
fn every_event_has_a_schema_and_a_frozen_sample() {
    assert!(names("events").is_superset(&current()));
    assert!(names("samples").is_superset(&current()));
    assert_eq!(names("events"), names("samples"));
}

/// No committed version is removed, and each one can be upcast to the current version.
#[test]
fn every_version_is_read_as_the_current_one() {
    let landed = names("samples");
    for (event_type, version) in Event::types() {
        for version in 1..=version {
            let name = format!("{event_type}.v{version}");
            assert!(landed.contains(&name), "{name} is gone");
            let sample = fs::read_to_string(file("samples", &name)).unwrap();
            let event = Event::read(event_type, version, &sample);
            assert!(event.is_ok(), "{name}: {event:?}");
        }
    }
    let latest: BTreeMap<&str, u16> = Event::types().collect();
    for name in landed {
        let (event_type, version) = name.rsplit_once(".v").unwrap();
        let latest = latest.get(event_type).unwrap_or_else(|| panic!("{name} is not known"));
        assert!(version.parse::<u16>().unwrap() <= *latest, "{name} is newer than this build");
    }
}

#[test]
fn frozen_samples_are_read_and_written_back_byte_for_byte() {
    for name in current() {
        let sample = fs::read_to_string(file("samples", &name)).unwrap();
        let (event_type, version) = name.rsplit_once(".v").unwrap();
        let event = Event::read(event_type, version.parse().unwrap(), &sample)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(serde_json::to_string(&event).unwrap(), sample, "{name}");
    }
}

#[test]
fn frozen_samples_fit_their_schemas() {
    for name in names("samples") {
        let read = |kind: &str| -> Value {
            serde_json::from_str(&fs::read_to_string(file(kind, &name)).unwrap()).unwrap()
        };
        let validator = jsonschema::validator_for(&read("events")).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&read("samples")).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_newer_event_stops_the_reader() {
    assert!(Event::read("offer.sent", 2, r#"{"type":"sent","on":"2026-11-23"}"#).is_err());
    assert!(Event::read("offer.sung", 1, r#"{"type":"sung"}"#).is_err());
    assert!(Event::read("offer.sent", 1, r#"{"type":"sent"}"#).is_err());
}

/// `asyncapi.json` lists every event; `KONTOR_BLESS=1` writes the list.
#[test]
fn asyncapi_names_every_event() {
    let path = folder("asyncapi.json");
    let mut document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let landed = document.clone();
    let (messages, channel): (BTreeMap<String, Value>, BTreeMap<String, Value>) = names("events")
        .into_iter()
        .map(|name| {
            let message = json!({
                "name": name,
                "traits": [{ "$ref": "#/components/messageTraits/event" }],
                "payload": { "$ref": format!("events/{}", schemas::file(&name).unwrap()) },
            });
            let reference = json!({ "$ref": format!("#/components/messages/{name}") });
            ((name.clone(), message), (name, reference))
        })
        .unzip();
    document["components"]["messages"] = json!(messages);
    document["channels"]["history"]["messages"] = json!(channel);
    if std::env::var_os("KONTOR_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&document).unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
    } else {
        assert_eq!(document, landed, "land the new events with KONTOR_BLESS=1");
    }
}
