//! The contracts that are checked in are those of the types, and every event ever frozen is read.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use domain::Event;
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names(name: &str) -> BTreeSet<String> {
    fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|file| file.strip_suffix(".json").unwrap().to_owned())
        .collect()
}

fn current() -> BTreeSet<String> {
    Event::types().map(|(event_type, version)| format!("{event_type}.v{version}")).collect()
}

/// `KONTOR_BLESS=1` writes the schemas of new events; landed ones are never rewritten.
#[test]
fn landed_schemas_are_those_of_the_types() {
    let schemas = schemas::events();
    assert_eq!(schemas.keys().cloned().collect::<BTreeSet<_>>(), current());
    for (name, schema) in schemas {
        let path = folder("events").join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if !path.exists() && std::env::var_os("KONTOR_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let landed = fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{name} has no landed schema: run with KONTOR_BLESS=1"));
        assert_eq!(text, landed, "{name} has changed: make a new version instead");
    }
}

#[test]
fn every_event_has_a_schema_and_a_frozen_sample() {
    assert!(names("events").is_superset(&current()));
    assert!(names("samples").is_superset(&current()));
    assert_eq!(names("events"), names("samples"));
}

#[test]
fn frozen_samples_are_read_and_written_back_byte_for_byte() {
    for name in names("samples") {
        let sample = fs::read_to_string(folder("samples").join(format!("{name}.json"))).unwrap();
        let (event_type, version) = name.rsplit_once(".v").unwrap();
        let event = Event::read(event_type, version.parse().unwrap(), &sample)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(serde_json::to_string(&event).unwrap(), sample, "{name}");
    }
}

#[test]
fn frozen_samples_fit_their_schemas() {
    for name in names("samples") {
        let read = |folder_name: &str| -> Value {
            let path = folder(folder_name).join(format!("{name}.json"));
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
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

/// The stream's contract names every event.
#[test]
fn asyncapi_names_every_event() {
    let text = fs::read_to_string(folder("asyncapi.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let messages = document["components"]["messages"].as_object().unwrap();
    let named: BTreeSet<String> = messages.keys().cloned().collect();
    assert_eq!(named, current());
}
