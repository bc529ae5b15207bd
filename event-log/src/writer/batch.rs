//! A batch: the requests of one transaction, and their results.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use metrics::{counter, histogram};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Request, Trust};
use crate::{
    AppendError, Appended, Error, Outcome, Position, append::Append, pending::QueuedAppend,
};

/// The requests; every attempt decides each of them again.
pub(crate) struct Batch {
    entries: Vec<Entry>,
    /// The head after which the last attempt was sent to PostgreSQL.
    sent: Option<Position>,
}

struct Entry {
    request: Request,
    /// Created once, so that a batch can be found in the log after a lost connection.
    event_ids: Vec<Uuid>,
    verdict: Verdict,
}

enum Verdict {
    Undecided,
    /// Written if this attempt commits.
    Accepted(Outcome),
    /// Not written by this attempt; the next one decides again.
    Declined(Result<Appended, AppendError>),
    /// Final: its outcome is stored in PostgreSQL.
    Settled(Result<Appended, AppendError>),
}

/// The stored outcome of a command id.
pub(crate) struct Remembered {
    pub(crate) digest: Vec<u8>,
    pub(crate) outcome: Outcome,
}

impl Batch {
    pub(crate) fn new(requests: Vec<Request>) -> Self {
        let entries = requests
            .into_iter()
            .map(|request| Entry {
                event_ids: (0..request.append.len()).map(|_| Uuid::now_v7()).collect(),
                request,
                verdict: Verdict::Undecided,
            })
            .collect();
        Self { entries, sent: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How long its oldest request has waited.
    pub(crate) fn waited(&self) -> Duration {
        let oldest = self.entries.iter().map(|entry| entry.request.since).min();
        oldest.as_ref().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Every stream that is written or read.
    pub(crate) fn streams(&self) -> Vec<Uuid> {
        let mut streams: Vec<Uuid> = self.entries.iter().flat_map(Entry::streams).collect();
        streams.sort_unstable();
        streams.dedup();
        streams
    }

    /// Every command id whose outcome is to be stored.
    pub(crate) fn command_ids(&self) -> Vec<Uuid> {
        self.entries.iter().filter_map(|entry| Some(entry.remember()?.0)).collect()
    }

    /// Streams that are not in `known`, with the versions that the accepted requests expect before
    /// the batch. A stream that is expected to be new and is written here is left out: its first
    /// version is unique in the log.
    pub(crate) fn beliefs(&self, known: &HashMap<Uuid, u64>) -> (Vec<Uuid>, Vec<i64>) {
        let mut seen: HashSet<Uuid> = HashSet::new();
        let mut beliefs = (Vec::new(), Vec::new());
        for (entry, _) in self.accepted() {
            let append = &entry.request.append;
            let written = append.written().map(|write| (write.stream_id, write.expected, true));
            let read = append.reads.iter().map(|&(stream, version)| (stream, version, false));
            for (stream, version, is_written) in written.chain(read) {
                let unknown = !known.contains_key(&stream) && seen.insert(stream);
                if unknown && (version > 0 || !is_written) {
                    beliefs.0.push(stream);
                    beliefs.1.push(version.cast_signed());
                }
            }
        }
        beliefs
    }

    /// Decides, in order of arrival, which requests hold, given the head and the versions before
    /// the batch. A request that fails does not affect the others in the batch. `false` when a
    /// request has seen more than `known`: others have written, and nothing is decided.
    #[must_use]
    pub(super) fn decide(
        &mut self,
        head: Position,
        known: &HashMap<Uuid, u64>,
        trust: Trust,
    ) -> bool {
        let mut position = head;
        let mut written: HashMap<Uuid, u64> = HashMap::new();
        let mut read: HashMap<Uuid, u64> = HashMap::new();
        let mut taken: HashMap<Uuid, ([u8; 32], Outcome)> = HashMap::new();
        // Appends that this attempt does not write.
        let mut declined: HashSet<u64> = HashSet::new();
        for entry in &mut self.entries {
            let number = entry.request.handed.as_ref().map(QueuedAppend::number);
            // Until it is accepted.
            declined.extend(number);
            if matches!(entry.verdict, Verdict::Settled(_)) {
                continue;
            }
            if let Some((command_id, digest)) = entry.remember()
                && let Some((first_digest, outcome)) = taken.get(&command_id)
            {
                entry.verdict = Verdict::Declined(if *first_digest == digest {
                    Ok(Appended::Before(*outcome))
                } else {
                    Err(AppendError::KeyReused)
                });
                continue;
            }
            // Before versions are compared: they may be equal by chance.
            if entry.request.handed.as_ref().is_some_and(|handed| handed.is_void(&declined)) {
                entry.verdict = Verdict::Declined(Err(AppendError::BaseNotWritten));
                continue;
            }
            let append = &entry.request.append;
            let present = |stream: Uuid, expected: u64| {
                let version = written.get(&stream).or_else(|| known.get(&stream)).copied();
                match trust {
                    // If two requests of one batch expect different versions of a stream that is
                    // not cached, the first one is assumed to be right.
                    Trust::Unknown => {
                        version.or_else(|| read.get(&stream).copied()).unwrap_or(expected)
                    }
                    Trust::Nothing => version.unwrap_or(0),
                }
            };
            let stale = entry
                .expectations()
                .find(|&(stream, expected)| present(stream, expected) != expected);
            if let Some((stream_id, expected)) = stale {
                if trust == Trust::Unknown && expected > present(stream_id, expected) {
                    return false;
                }
                entry.verdict = Verdict::Declined(Err(AppendError::Conflict { stream_id }));
                continue;
            }
            read.extend(entry.expectations());
            for write in append.written().filter(|write| !write.events.is_empty()) {
                written.insert(write.stream_id, write.expected + write.events.len() as u64);
            }
            position.0 += append.len() as u64;
            let (stream_id, version) = append.answer;
            let version = written_version(append, stream_id).unwrap_or(version);
            let outcome = Outcome { stream_id, version, position };
            if let Some((command_id, digest)) = entry.remember() {
                taken.insert(command_id, (digest, outcome));
            }
            entry.verdict = Verdict::Accepted(outcome);
            if let Some(number) = number {
                declined.remove(&number);
            }
        }
        true
    }

    /// The ids of commands whose conflict may come from their own earlier execution.
    pub(crate) fn conflicting_command_ids(&self) -> Vec<Uuid> {
        let conflicting = self.entries.iter().filter(|entry| {
            let Verdict::Declined(Err(error)) = &entry.verdict else { return false };
            matches!(error, AppendError::Conflict { .. } | AppendError::BaseNotWritten)
        });
        conflicting.filter_map(|entry| Some(entry.remember()?.0)).collect()
    }

    /// Answers the requests whose commands were executed before.
    pub(crate) fn answer_remembered(&mut self, remembered: &HashMap<Uuid, Remembered>) {
        for entry in &mut self.entries {
            if let Some((command_id, digest)) = entry.remember()
                && let Some(first) = remembered.get(&command_id)
            {
                entry.verdict = Verdict::Settled(if first.digest == digest {
                    Ok(Appended::Before(first.outcome))
                } else {
                    Err(AppendError::KeyReused)
                });
            }
        }
    }

    /// The accepted appends, each with its outcome and the ids of its events.
    pub(crate) fn writes(&self) -> impl Iterator<Item = (&Append, Outcome, &[Uuid])> {
        self.accepted()
            .map(|(entry, outcome)| (&entry.request.append, outcome, entry.event_ids.as_slice()))
    }

    /// The streams written, each with the version it then has; later entries win.
    pub(crate) fn written(&self) -> impl Iterator<Item = (Uuid, u64)> {
        self.accepted()
            .flat_map(|(entry, _)| entry.request.append.written())
            .filter(|write| !write.events.is_empty())
            .map(|write| (write.stream_id, write.expected + write.events.len() as u64))
    }

    /// The number of events.
    pub(crate) fn events(&self) -> usize {
        self.accepted().map(|(entry, _)| entry.event_ids.len()).sum()
    }

    pub(crate) fn accepted_is_empty(&self) -> bool {
        self.accepted().next().is_none()
    }

    fn accepted(&self) -> impl Iterator<Item = (&Entry, Outcome)> {
        self.entries.iter().filter_map(|entry| match entry.verdict {
            Verdict::Accepted(outcome) => Some((entry, outcome)),
            Verdict::Undecided | Verdict::Declined(_) | Verdict::Settled(_) => None,
        })
    }

    /// Records that the batch is about to be sent, to be written after `head`.
    pub(crate) fn about_to_send(&mut self, head: Position) {
        self.sent = Some(head);
    }

    /// The head after which the last attempt was sent.
    pub(crate) fn sent(&self) -> Option<Position> {
        self.sent
    }

    /// The position of its last event when its first follows `head`.
    pub(crate) fn last_position(&self, head: Position) -> Position {
        Position(head.0 + self.events() as u64)
    }

    /// Answers every decided request and leaves the batch empty.
    pub(crate) fn answer(&mut self) {
        let latency = histogram!("kontor_append_seconds");
        for Entry { request, event_ids, verdict } in self.entries.drain(..) {
            let Request { handed, reply, since, .. } = request;
            let answer = match verdict {
                Verdict::Accepted(outcome) => {
                    if let Some(handed) = handed {
                        handed.written();
                    }
                    Ok(Appended::Now { outcome, event_ids })
                }
                Verdict::Declined(answer) | Verdict::Settled(answer) => {
                    if let Some(handed) = handed
                        && matches!(answer, Err(AppendError::Conflict { .. }))
                    {
                        handed.conflicted();
                    }
                    answer
                }
                Verdict::Undecided => Err(Error::Unavailable.into()),
            };
            if matches!(answer, Err(AppendError::Conflict { .. })) {
                counter!("kontor_append_conflicts_total").increment(1);
            }
            latency.record(since.elapsed());
            // The caller may have been cancelled; the events are written all the same.
            let _ = reply.send(answer);
        }
    }

    /// PostgreSQL cannot be reached: the result of the requests is unknown.
    pub(crate) fn give_up(self) {
        self.fail(|| Error::Unavailable);
    }

    /// Writing is suspended.
    pub(crate) fn suspend(self, reason: &str) {
        self.fail(|| Error::BehindStream(reason.to_owned()));
    }

    fn fail(self, error: impl Fn() -> Error) {
        for Entry { request: Request { handed, reply, .. }, .. } in self.entries {
            // Its pending states fail before its caller can retry.
            drop(handed);
            let _ = reply.send(Err(error().into()));
        }
    }

    /// One batch per request, or the batch itself if it has a single request.
    pub(crate) fn split(self) -> Result<Vec<Vec<Request>>, Self> {
        if self.entries.len() <= 1 {
            return Err(self);
        }
        Ok(self.entries.into_iter().map(|entry| vec![entry.request]).collect())
    }

    /// Answers a single request with the error of PostgreSQL.
    pub(crate) fn refuse(mut self, error: impl Into<Error>) {
        if let Some(Entry { request: Request { handed, reply, .. }, .. }) = self.entries.pop() {
            drop(handed);
            let _ = reply.send(Err(error.into().into()));
        }
    }
}

impl Entry {
    /// The command id and digest, when the outcome is to be remembered.
    fn remember(&self) -> Option<(Uuid, [u8; 32])> {
        let envelope = &self.request.append.envelope;
        Some((envelope.command_id, envelope.remember?))
    }

    /// Each stream written or read, with the version the decision saw.
    fn expectations(&self) -> impl Iterator<Item = (Uuid, u64)> {
        let append = &self.request.append;
        let writes = append.written().map(|write| (write.stream_id, write.expected));
        writes.chain(append.reads.iter().copied())
    }

    fn streams(&self) -> impl Iterator<Item = Uuid> {
        self.expectations().map(|(stream, _)| stream)
    }
}

fn written_version(append: &Append, stream: Uuid) -> Option<u64> {
    let write = append.written().find(|write| write.stream_id == stream)?;
    Some(write.expected + write.events.len() as u64)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::{Envelope, NewEvent, StreamWrite, append::reads};

    /// What the writer does with an append of an event for each of so many new streams.
    fn reads_for(streams: u128) -> u64 {
        let event = NewEvent {
            event_type: "account.opened".into(),
            schema_version: 1,
            payload: "{}".to_owned(),
        };
        let write = |id: u128| StreamWrite {
            stream_type: "account",
            stream_id: Uuid::from_u128(id),
            expected: 0,
            company_id: None,
            events: vec![event.clone()],
        };
        let append = Append {
            envelope: Envelope {
                command_id: Uuid::nil(),
                remember: Some([0; 32]),
                actor: String::new(),
                correlation_id: Uuid::nil(),
                causation_id: None,
            },
            writes: (1..=streams).map(write).collect(),
            reads: vec![(Uuid::nil(), 0)],
            answer: (Uuid::from_u128(streams), 0),
        };
        reads::taken();
        assert!(!append.is_too_large());
        let request = Request::new(append, None, oneshot::channel().0);
        let mut batch = Batch::new(vec![request]);
        let known = HashMap::new();
        assert!(batch.decide(Position(0), &known, Trust::Unknown));
        assert_eq!(batch.beliefs(&known).0, [Uuid::nil()], "new streams need no proof");
        assert_eq!(batch.written().count(), batch.events());
        assert_eq!(batch.streams().len(), batch.events() + 1);
        reads::taken()
    }

    /// An append of twice as many streams takes twice the work, not four times.
    #[test]
    fn work_grows_with_an_append_as_it_does() {
        let (small, large) = (reads_for(500), reads_for(1_000));
        assert!(large <= 2 * small, "{small} looks became {large}");
    }
}
