//! How an answer says that read models leave something out: a header that counts it.

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

/// How many things the read models of an answer leave out that its asker may know of; absent when they
/// leave out none.
pub const SET_ASIDE: HeaderName = HeaderName::from_static("kontor-set-aside");

/// Counts what the answer to one request leaves out.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeftOut(Arc<AtomicUsize>);

impl LeftOut {
    /// The count of a request.
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

/// Puts the header on answers that leave something out.
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

/// The ids in a path and its parameters: what a request is about.
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
