//! Reads the unread rest of a request body before the connection closes, within limits.
//!
//! A client that is still sending when the connection closes gets a broken pipe instead of the
//! response, such as `413` or `401`.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt};
use tokio::sync::oneshot;

/// The maximum number of bytes read; above it, the connection is closed.
const MOST: usize = 64 << 20;
/// The maximum time of reading.
const PATIENCE: Duration = Duration::from_secs(5);

/// Responds after the whole body has arrived, even if the handler did not read it.
pub(crate) async fn read_whole_body(request: Request, next: Next) -> Response {
    // A client that sent `Expect: 100-continue` does not send a refused body.
    let asked = request.headers().contains_key(header::EXPECT);
    if asked || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (give_back, given_back) = oneshot::channel();
    let request = request.map(|body| {
        Body::from_stream(ReturnedBody {
            rest: Some(body.into_data_stream()),
            give_back: Some(give_back),
        })
    });
    let response = next.run(request).await;
    if let Ok(rest) = given_back.await {
        // Timeout or limit: the connection is closed.
        let _ = tokio::time::timeout(PATIENCE, discard(rest)).await;
    }
    response
}

async fn discard(mut rest: BodyDataStream) {
    let mut heard = 0;
    while let Some(Ok(chunk)) = rest.next().await {
        heard += chunk.len();
        if heard > MOST {
            return;
        }
    }
}

/// A body that is returned when its reader drops it.
struct ReturnedBody {
    rest: Option<BodyDataStream>,
    give_back: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for ReturnedBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.rest {
            Some(rest) => rest.poll_next_unpin(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for ReturnedBody {
    fn drop(&mut self) {
        if let (Some(rest), Some(give_back)) = (self.rest.take(), self.give_back.take()) {
            // The receiver is gone if the client has disconnected.
            let _ = give_back.send(rest);
        }
    }
}
