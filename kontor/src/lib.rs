//! The one binary: up, serve, import, log, projections, token; embedded servers.
