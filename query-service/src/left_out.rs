//! The response header that counts the items omitted because they are set aside.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Uri, request::Parts},
    middleware::Next,
    response::Response,
};
use uuid::Uuid;

/// The number of items that the read models of an answer omit and that the asker may know of;
/// missing if there are none.
pub const SET_ASIDE: HeaderName = HeaderName::from_static("kontor-set-aside");

/// Counts the items that the answer to one request omits.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeftOut(Arc<AtomicUsize>);

impl LeftOut {
    /// The counter of a request.
    pub(crate) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Adds the header to answers that omit items.
pub(crate) async fn mark(mut request: Request, next: Next) -> Response {
    let left_out = LeftOut::default();
    request.extensions_mut().insert(left_out.clone());
    let mut response = next.run(request).await;
    let count = left_out.count();
    if count > 0 {
        response.headers_mut().insert(SET_ASIDE, HeaderValue::from(count));
    }
    response
}

/// The ids in the path and parameters of a request.
pub(crate) fn named(uri: &Uri) -> Vec<Uuid> {
    let parameters = uri.query().unwrap_or_default().split('&');
    let values = parameters.filter_map(|pair| pair.split_once('=').map(|(_, value)| value));
    let texts = uri.path().split('/').chain(values);
    texts.filter_map(|text| Uuid::try_parse(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_about_the_ids_that_it_names() {
        let [one, other] = [1, 2].map(Uuid::from_u128);
        let uri: Uri = format!("/v1/orders/{one}/lines?company={other}&limit=5&x").parse().unwrap();
        assert_eq!(named(&uri), [one, other]);
        assert!(named(&"/v1/orders".parse().unwrap()).is_empty());
    }
}
