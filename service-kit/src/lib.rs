//! Plumbing without business nouns: problem documents, credentials, telemetry, configuration.

pub mod access;
pub mod browsers;
pub mod clock;
pub mod concurrency;
pub mod connections;
pub mod document;
pub mod download;
pub mod health;
pub mod idempotency;
pub mod input;
pub mod json_limits;
mod json_shape;
pub mod metric;
pub mod migrations;
pub mod page;
mod parameters;
pub mod position;
pub mod postgres;
pub mod problem;
mod scrape;
pub mod server;
pub mod sheet;
pub mod supervisor;
pub mod telemetry;
mod unread;
pub mod upload;
mod welcome;
