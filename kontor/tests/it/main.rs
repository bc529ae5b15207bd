//! The binary's promises about its private servers, kept by the real programs.

#![allow(clippy::unwrap_used, missing_docs)]

mod servers;
