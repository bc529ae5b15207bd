//! Suspension of commands: a log that was restored to an earlier state must not accept commands,
//! because consumers have seen later events.

use metrics::gauge;
use tokio::sync::watch;

/// The reason of the suspension, if any. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Suspension(watch::Sender<Option<String>>);

impl Suspension {
    /// Not suspended.
    pub(crate) fn none() -> Self {
        Self(watch::Sender::new(None))
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Suspends commands.
    pub(crate) fn begin(&self, reason: &str) {
        let begun = self.0.send_if_modified(|present| {
            let begun = present.is_none();
            *present = Some(reason.to_owned());
            begun
        });
        if begun {
            gauge!("kontor_log_behind_stream").set(1.0);
            tracing::error!(reason, "no commands are taken: the log has lost its end");
        }
    }

    /// Ends the suspension; returns whether there was one.
    pub(crate) fn end(&self) -> bool {
        let ended = self.0.send_if_modified(|present| present.take().is_some());
        if ended {
            gauge!("kontor_log_behind_stream").set(0.0);
            tracing::info!("commands are taken again: log and stream agree");
        }
        ended
    }
}
