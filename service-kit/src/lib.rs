//! Plumbing without business nouns: problem documents, credentials, telemetry, configuration.

pub mod access;
pub mod clock;
pub mod connections;
pub mod download;
pub mod health;
pub mod idempotency;
pub mod input;
pub mod json_limits;
pub mod metric;
pub mod migrations;
pub mod page;
pub mod places;
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
