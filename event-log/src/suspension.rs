//! Whether the log takes commands at all: one that is known to have lost its end must not, or
//! history would fork under those who have seen that end.

use metrics::gauge;
use tokio::sync::watch;

/// Why no commands are taken, if none are. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Suspension(watch::Sender<Option<String>>);

impl Suspension {
    /// Commands are taken.
    pub(crate) fn none() -> Self {
        Self(watch::Sender::new(None))
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Takes no more commands.
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

    /// Takes commands again; says whether it had not.
    pub(crate) fn end(&self) -> bool {
        let ended = self.0.send_if_modified(|present| present.take().is_some());
        if ended {
            gauge!("kontor_log_behind_stream").set(0.0);
            tracing::info!("commands are taken again: log and stream agree");
        }
        ended
    }
}
