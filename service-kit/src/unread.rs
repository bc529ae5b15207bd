//! What a request still had to say when its answer was ready: listened to, within bounds.
//!
//! A client that is still sending when the connection closes sees a broken pipe instead of the
//! answer, and that the answer was `413` or `401` is just what it needs to know.

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

/// How much is listened to, in bytes: who sends more finds the connection closed.
const MOST: usize = 64 << 20;
/// For how long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers when the whole body has come in, even if nobody wanted it.
pub(crate) async fn hear_out(request: Request, next: Next) -> Response {
    // A client that asked before sending will not send what it is refused.
    let asked = request.headers().contains_key(header::EXPECT);
    if asked || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (give_back, given_back) = oneshot::channel();
    let request = request.map(|body| {
        Body::from_stream(Lent { rest: Some(body.into_data_stream()), give_back: Some(give_back) })
    });
    let response = next.run(request).await;
    if let Ok(rest) = given_back.await {
        // Silence or too much: the client has had its chance.
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

/// A body that comes back when its reader lets go of it.
struct Lent {
    rest: Option<BodyDataStream>,
    give_back: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.rest {
            Some(rest) => rest.poll_next_unpin(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(rest), Some(give_back)) = (self.rest.take(), self.give_back.take()) {
            // Nobody waits for it when the client has gone.
            let _ = give_back.send(rest);
        }
    }
}
