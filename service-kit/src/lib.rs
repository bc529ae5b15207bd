//! Plumbing without business nouns: problem documents, credentials, telemetry, configuration.

pub mod migrations;
