//! `kontor import`: replays trade from elsewhere through the ordinary commands of the HTTP API.

pub mod api;
pub mod document;
pub mod online_retail;
pub mod rejects;
