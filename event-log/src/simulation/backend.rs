//! The server's side of a connection: what is asked is done in order, when it arrives, whoever is
//! still there to hear the answer.

use std::{collections::HashMap, time::Duration};

use kontor_tests::note;
use tokio::{
    sync::{OwnedMutexGuard, mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::postgres::{ModelError, Postgres, Refusal, Rows};
use crate::{
    Outcome, Position,
    writer::session::{Failure, Head},
};

/// What a session asks.
pub(super) enum Question {
    /// Where does the log end?
    Head,
    /// `UPDATE log.head SET epoch = epoch + 1`
    Fence,
    /// `BEGIN; SELECT … FOR UPDATE`
    Lock,
    /// Which event stands at a position?
    EventAt(Position),
    Versions(Vec<Uuid>),
    Outcomes(Vec<Uuid>),
    /// `BEGIN; log.advance`, and the COPY begins.
    Advance(Head, Vec<(Uuid, u64)>),
    /// The COPY begins under the lock.
    Copy,
    /// The rows, the outcomes and `COMMIT`
    Commit(Rows),
    Rollback,
    Evict,
}

pub(super) enum Answer {
    Done,
    Head(Head),
    Event(Option<Uuid>),
    Versions(HashMap<Uuid, u64>),
    Outcomes(HashMap<Uuid, ([u8; 32], Outcome)>),
}

/// A question on its way.
pub(super) struct Call {
    pub(super) question: Question,
    pub(super) arrives: Instant,
    pub(super) answer: oneshot::Sender<Result<Answer, Refusal>>,
}

/// A connection, as the server sees it.
pub(super) struct Service {
    postgres: Postgres,
    id: u64,
    transaction: Transaction,
}

enum Transaction {
    None,
    Open {
        /// The lock of the head row; it goes with the transaction.
        _head: OwnedMutexGuard<()>,
        /// A server that waits for rows does so for ever.
        copies: bool,
    },
    /// It has failed: its locks are free, and nothing but its end is taken.
    Failed,
}

impl Service {
    /// `idle_in_transaction_session_timeout`
    const IDLE: Duration = Duration::from_secs(5);

    pub(super) async fn run(
        postgres: Postgres,
        id: u64,
        end: CancellationToken,
        calls: mpsc::UnboundedReceiver<Call>,
    ) {
        let mut service = Self { postgres, id, transaction: Transaction::None };
        if end.run_until_cancelled(service.serve(calls)).await.is_none() {
            note!(service.postgres.world, "backend {id} is terminated");
        }
        service.postgres.tables().backends.remove(&id);
    }

    /// Until its client is gone, or has been idle in a transaction for too long.
    async fn serve(&mut self, mut calls: mpsc::UnboundedReceiver<Call>) {
        loop {
            let next = async {
                let call = calls.recv().await?;
                sleep_until(call.arrives).await;
                Some(call)
            };
            self.report(true);
            let next = match self.transaction {
                Transaction::None | Transaction::Open { copies: true, .. } => next.await,
                _ => timeout(Self::IDLE, next).await.unwrap_or(None),
            };
            self.report(false);
            let Some(Call { question, answer, .. }) = next else { return };
            self.postgres.gate().pass().await;
            let given = self.answer(question).await;
            if given.is_err() && !matches!(self.transaction, Transaction::None) {
                self.transaction = Transaction::Failed;
            }
            // It may be terminated after the commit and before the answer.
            self.postgres.world.pass(2).await;
            let _ = answer.send(given);
        }
    }

    /// What others can see in `pg_stat_activity`.
    fn report(&self, reads: bool) {
        if let Some(backend) = self.postgres.tables().backends.get_mut(&self.id) {
            backend.reads = reads;
            match self.transaction {
                Transaction::None => backend.began = None,
                _ => backend.began = backend.began.or_else(|| Some(Instant::now())),
            }
        }
    }

    async fn answer(&mut self, question: Question) -> Result<Answer, Refusal> {
        if matches!(self.transaction, Transaction::Failed)
            && !matches!(question, Question::Rollback | Question::Evict)
        {
            return Err(Failure::Refused(ModelError("25P02")));
        }
        match question {
            Question::Head => return Ok(Answer::Head(self.postgres.current_head())),
            Question::Fence => {
                let _head = self.postgres.take_head().await?;
                self.postgres.raise_epoch();
                return Ok(Answer::Head(self.postgres.current_head()));
            }
            Question::Lock => {
                self.begin(false).await?;
                return Ok(Answer::Head(self.postgres.current_head()));
            }
            Question::EventAt(Position(at)) => {
                let tables = self.postgres.tables();
                let event = tables.events.iter().find(|event| event.position.0 == at);
                return Ok(Answer::Event(event.map(|event| event.event_id)));
            }
            Question::Versions(ids) => return Ok(Answer::Versions(self.postgres.versions(&ids))),
            Question::Outcomes(ids) => return Ok(Answer::Outcomes(self.postgres.remembered(&ids))),
            Question::Advance(expected, beliefs) => {
                self.begin(true).await?;
                self.postgres.check(expected, &beliefs)?;
            }
            Question::Copy => match &mut self.transaction {
                Transaction::Open { copies, .. } => *copies = true,
                _ => panic!("a COPY without a transaction"),
            },
            Question::Commit(rows) => {
                let open = matches!(self.transaction, Transaction::Open { copies: true, .. });
                assert!(open, "rows without a COPY");
                self.postgres.commit(&rows)?;
                self.transaction = Transaction::None;
            }
            Question::Rollback => self.transaction = Transaction::None,
            Question::Evict => {
                self.transaction = Transaction::None;
                self.postgres.evict();
            }
        }
        Ok(Answer::Done)
    }

    /// `BEGIN`, and waits for the head.
    async fn begin(&mut self, copies: bool) -> Result<(), Refusal> {
        assert!(matches!(self.transaction, Transaction::None), "a transaction within another");
        // Until it has the lock, its failure leaves a failed transaction.
        self.transaction = Transaction::Failed;
        let head = self.postgres.take_head().await?;
        self.transaction = Transaction::Open { _head: head, copies };
        Ok(())
    }
}
