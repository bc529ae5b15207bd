//! `/metrics`: rendered on a blocking thread, once at a time, and cached for a moment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::problem::Problem;

/// The time to live of the cached text.
const KEPT: Duration = Duration::from_millis(250);

/// The metrics as text. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Scrape {
    render: Arc<dyn Fn() -> String + Send + Sync>,
    last: Arc<Mutex<Option<(Instant, Bytes)>>>,
}

impl Scrape {
    pub(crate) fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { render: Arc::new(render), last: Arc::default() }
    }

    pub(crate) async fn text(&self) -> Result<Bytes, Problem> {
        let mut last = self.last.clone().lock_owned().await;
        if let Some((at, text)) = &*last
            && at.elapsed() < KEPT
        {
            return Ok(text.clone());
        }
        let render = self.render.clone();
        // Rendering continues after its caller stopped waiting, and holds the lock until it is
        // done.
        let rendering = spawn_blocking(move || {
            let text = Bytes::from(render());
            *last = Some((Instant::now(), text.clone()));
            text
        });
        rendering.await.map_err(|panicked| Problem::internal(&panicked))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_at_once_is_given_one_text() {
        let rendered = Arc::new(AtomicUsize::new(0));
        let counted = rendered.clone();
        let scrape = Scrape::new(move || counted.fetch_add(1, Ordering::SeqCst).to_string());
        let texts = join_all((0..100).map(|_| scrape.text())).await;
        assert!(texts.iter().all(|text| text.as_ref().unwrap() == "0"));
        assert_eq!(rendered.load(Ordering::SeqCst), 1);
        tokio::time::sleep(KEPT).await;
        assert_eq!(scrape.text().await.unwrap(), "1");
    }
}
