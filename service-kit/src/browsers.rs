//! CORS for configured origins, and compression of responses.

use std::{fmt, str::FromStr};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
};
use tower_http::{
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    cors::{AllowOrigin, CorsLayer},
};

use crate::{idempotency, position, telemetry};

/// The origins whose pages may call the API; none unless set.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<HeaderValue>);

/// Text that is not a list of origins.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no origin: write scheme://host or scheme://host:port, separated by commas")]
pub struct NoOrigin(String);

impl FromStr for Origins {
    type Err = NoOrigin;

    /// Parses exact origins, separated by commas. `*` is not supported.
    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let read = |origin: &str| {
            let is_origin = ["https://", "http://"].iter().any(|scheme| {
                origin.strip_prefix(scheme).is_some_and(|host| {
                    !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' '])
                })
            });
            // Browsers send it in lower case.
            let value = HeaderValue::from_str(&origin.to_ascii_lowercase());
            value.ok().filter(|_| is_origin).ok_or_else(|| NoOrigin(origin.to_owned()))
        };
        origins.map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let origins: Vec<_> = self.0.iter().filter_map(|origin| origin.to_str().ok()).collect();
        formatter.write_str(&origins.join(","))
    }
}

/// Responses smaller than this number of bytes are not compressed.
const SHORT: u64 = 1024;
/// The time in seconds for which a browser may cache a preflight response.
const REMEMBERED: std::time::Duration = std::time::Duration::from_mins(10);

/// Adds both to all routes. Event streams are not compressed, because compression would delay
/// events.
pub(crate) fn serve(router: Router, origins: Origins) -> Router {
    let worth_it = SizeAbove::new(SHORT)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new("application/pdf"))
        .and(NotForContentType::const_new(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ));
    let router = router.layer(CompressionLayer::new().gzip(true).compress_when(worth_it));
    if origins.0.is_empty() {
        return router;
    }
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.0))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            HeaderName::from_static("last-event-id"),
            idempotency::NAME,
            position::POSITION,
            telemetry::CORRELATION,
        ])
        .expose_headers([
            header::CONTENT_DISPOSITION,
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            position::POSITION,
            telemetry::CORRELATION,
        ])
        .max_age(REMEMBERED);
    router.layer(cors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact() {
        let origins = |text: &str| text.parse::<Origins>().map(|origins| origins.to_string());
        assert_eq!(origins("").unwrap(), "");
        let two = "https://shop.example.pl, http://localhost:3000";
        assert_eq!(origins(two).unwrap(), "https://shop.example.pl,http://localhost:3000");
        for wrong in ["*", "https://*", "shop.example.pl", "https://shop.pl/", "https://a b"] {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }
}
