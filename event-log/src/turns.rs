//! Turns: fair queues at streams that many commands of this process want to write.
//!
//! After a conflict at a stream a command joins the queues of all streams at which it has had
//! conflicts, and gets its turn when it is the first in each of them. The queues are ordered by the
//! arrival of the commands, so the oldest command is next. A command never waits while it has a
//! turn, so there is no deadlock.

use std::collections::{BTreeSet, HashMap};

use tokio::sync::oneshot;
use uuid::Uuid;

/// The number of a command, in the order of arrival.
pub(crate) type Ticket = u64;

/// The queues of contested streams. A stream without commands has no entry.
#[derive(Default)]
pub(crate) struct Turns {
    lines: HashMap<Uuid, Line>,
    waiting: HashMap<Ticket, Waiting>,
}

#[derive(Default)]
struct Line {
    holder: Option<Ticket>,
    queue: BTreeSet<Ticket>,
}

struct Waiting {
    streams: BTreeSet<Uuid>,
    called: oneshot::Sender<()>,
}

impl Turns {
    /// Whether another command has the turn at a stream, or waits for it.
    pub(crate) fn is_anothers(&self, stream: Uuid, ticket: Ticket) -> bool {
        self.lines.get(&stream).is_some_and(|line| line.holder != Some(ticket))
    }

    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.lines.is_empty() && self.waiting.is_empty()
    }

    /// Joins the queues of streams and leaves those of `before`. `None` if it is its turn already;
    /// else the receiver is notified.
    pub(crate) fn enter(
        &mut self,
        ticket: Ticket,
        streams: &BTreeSet<Uuid>,
        before: &BTreeSet<Uuid>,
    ) -> Option<oneshot::Receiver<()>> {
        self.remove(ticket, before);
        for stream in streams {
            self.lines.entry(*stream).or_default().queue.insert(ticket);
        }
        let (called, call) = oneshot::channel();
        self.waiting.insert(ticket, Waiting { streams: streams.clone(), called });
        self.call_first(streams);
        self.call_first(before);
        self.waiting.contains_key(&ticket).then_some(call)
    }

    /// Leaves the queues, and notifies the commands that are next.
    pub(crate) fn leave(&mut self, ticket: Ticket, streams: &BTreeSet<Uuid>) {
        self.remove(ticket, streams);
        self.call_first(streams);
    }

    fn remove(&mut self, ticket: Ticket, streams: &BTreeSet<Uuid>) {
        self.waiting.remove(&ticket);
        for stream in streams {
            let Some(line) = self.lines.get_mut(stream) else { continue };
            line.queue.remove(&ticket);
            if line.holder == Some(ticket) {
                line.holder = None;
            }
            if line.holder.is_none() && line.queue.is_empty() {
                self.lines.remove(stream);
            }
        }
    }

    /// Notifies the first command of each of these queues if it is the first in all of its queues.
    fn call_first(&mut self, streams: &BTreeSet<Uuid>) {
        for stream in streams {
            let first = self.lines.get(stream).and_then(|line| line.queue.first().copied());
            let Some(ticket) = first else { continue };
            let may = |stream: &Uuid| {
                let line = &self.lines[stream];
                line.holder.is_none() && line.queue.first() == Some(&ticket)
            };
            if !self.waiting[&ticket].streams.iter().all(may) {
                continue;
            }
            let waiting = self.waiting.remove(&ticket).expect("who is in a line waits");
            for stream in &waiting.streams {
                let line = self.lines.get_mut(stream).expect("it is in this line");
                line.queue.remove(&ticket);
                line.holder = Some(ticket);
            }
            // The receiver was dropped: the command is about to leave its queues.
            let _ = waiting.called.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(ids: &[u128]) -> BTreeSet<Uuid> {
        ids.iter().map(|id| Uuid::from_u128(*id)).collect()
    }

    fn enter(turns: &mut Turns, ticket: Ticket, ids: &[u128]) -> Option<oneshot::Receiver<()>> {
        turns.enter(ticket, &streams(ids), &BTreeSet::new())
    }

    fn is_called(call: &mut Option<oneshot::Receiver<()>>) -> bool {
        call.as_mut().unwrap().try_recv().is_ok()
    }

    #[test]
    fn the_oldest_is_next_whenever_it_came() {
        let mut turns = Turns::default();
        assert!(enter(&mut turns, 3, &[1]).is_none());
        let mut fifth = enter(&mut turns, 5, &[1]);
        let mut first = enter(&mut turns, 1, &[1]);
        turns.leave(3, &streams(&[1]));
        assert!(is_called(&mut first));
        assert!(!is_called(&mut fifth));
        turns.leave(1, &streams(&[1]));
        assert!(is_called(&mut fifth));
        turns.leave(5, &streams(&[1]));
        assert!(turns.is_idle());
    }

    #[test]
    fn who_wants_two_streams_gets_both_at_once() {
        let mut turns = Turns::default();
        assert!(enter(&mut turns, 1, &[1]).is_none());
        assert!(enter(&mut turns, 2, &[2]).is_none());
        let mut both = enter(&mut turns, 3, &[1, 2]);
        let mut after = enter(&mut turns, 4, &[2]);
        turns.leave(2, &streams(&[2]));
        assert!(!is_called(&mut both), "the first stream is not free");
        assert!(!is_called(&mut after), "an older command waits for the second");
        turns.leave(1, &streams(&[1]));
        assert!(is_called(&mut both));
        turns.leave(3, &streams(&[1, 2]));
        assert!(is_called(&mut after));
    }

    /// A younger command that waits yields to an older one that needs more streams.
    #[test]
    fn who_wants_more_stays_in_line() {
        let mut turns = Turns::default();
        assert!(enter(&mut turns, 1, &[1]).is_none());
        let mut second = enter(&mut turns, 2, &[1]);
        assert!(turns.enter(1, &streams(&[1, 2]), &streams(&[1])).is_none(), "both are free");
        assert!(!is_called(&mut second));
        turns.leave(1, &streams(&[1, 2]));
        assert!(is_called(&mut second));
    }

    #[test]
    fn who_waits_no_more_is_passed_over() {
        let mut turns = Turns::default();
        assert!(enter(&mut turns, 1, &[1]).is_none());
        drop(enter(&mut turns, 2, &[1, 2]));
        let mut third = enter(&mut turns, 3, &[2]);
        turns.leave(2, &streams(&[1, 2]));
        assert!(is_called(&mut third));
        assert!(!turns.is_anothers(Uuid::from_u128(2), 3));
        assert!(turns.is_anothers(Uuid::from_u128(1), 3));
    }
}
