//! A process's side of its connections to the model of PostgreSQL, which break at every point:
//! before the server has heard, before it has acted, or before it was heard.

use std::{collections::HashMap, future::pending, time::Duration};

use jiff::Timestamp;
use kontor_tests::note;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::{
    backend::{Answer, Call, Question, Service},
    postgres::{ModelError, Postgres, Refusal, Rows},
};
use crate::{
    Error, Position, RecordedEvent,
    relay::stream::Log,
    suspension::Suspension,
    writer::{
        Advance,
        batch::{Batch, Remembered},
        session::{Attempt, Failure, Head, Session},
    },
};

/// A writer's connection.
pub(super) struct ModelSession {
    postgres: Postgres,
    /// The way to the server; `None` once it is known to be cut.
    wire: Option<mpsc::UnboundedSender<Call>>,
    head: Head,
}

impl ModelSession {
    /// Asks, and waits for the answer.
    async fn ask(&mut self, question: Question) -> Result<Answer, Refusal> {
        let world = self.postgres.world.clone();
        let Some(wire) = &self.wire else { return Err(lost()) };
        if world.strikes(0.03) {
            note!(world, "a question is lost");
            return Err(self.cut());
        }
        // Where it matters most.
        let breaks =
            world.strikes(if matches!(question, Question::Commit(_)) { 0.15 } else { 0.03 });
        let silent = !breaks && world.strikes(0.01);
        // What is on its way when the wire breaks may arrive long after.
        let late = (breaks || silent) && world.bool(0.5);
        let travels = world.moment(if late { 30_000 } else { 3 });
        let (answer, answered) = oneshot::channel();
        let call = Call { question, arrives: Instant::now() + travels, answer };
        if wire.send(call).is_err() {
            return Err(self.cut());
        }
        if silent {
            note!(world, "the server falls silent");
            pending::<()>().await;
        }
        if breaks {
            world.pass(8).await;
            note!(world, "an answer is lost");
            return Err(self.cut());
        }
        let Ok(answer) = answered.await else { return Err(self.cut()) };
        world.pass(3).await;
        answer
    }

    async fn done(&mut self, question: Question) -> Attempt<Self> {
        self.ask(question).await.map(drop)
    }

    async fn ask_head(&mut self, question: Question) -> Attempt<Self> {
        let Answer::Head(head) = self.ask(question).await? else { unreachable!() };
        self.head = head;
        Ok(())
    }

    /// The server notices sooner or later, or as good as never.
    fn cut(&mut self) -> Refusal {
        if let Some(wire) = self.wire.take() {
            let world = &self.postgres.world;
            let notices = world.moment(if world.bool(0.8) { 6_000 } else { 7_200_000 });
            tokio::spawn(async move {
                sleep(notices).await;
                drop(wire);
            });
        }
        lost()
    }
}

fn lost() -> Refusal {
    Failure::Lost(ModelError("the wire is cut"))
}

impl Drop for ModelSession {
    /// A machine that vanishes closes no connections.
    fn drop(&mut self) {
        let alive = tokio::runtime::Handle::try_current().is_ok();
        if alive && self.postgres.world.strikes(0.2) {
            self.cut();
        }
    }
}

impl Session for ModelSession {
    type Server = Postgres;
    type Error = ModelError;

    async fn open(postgres: &Postgres) -> Attempt<Self, Self> {
        postgres.world.pass(5).await;
        let (id, end) = postgres.admit().ok_or_else(lost)?;
        let (wire, calls) = mpsc::unbounded_channel();
        tokio::spawn(Service::run(postgres.clone(), id, end, calls));
        let (postgres, wire) = (postgres.clone(), Some(wire));
        let mut session = Self { head: postgres.current_head(), postgres, wire };
        session.ask_head(Question::Head).await?;
        Ok(session)
    }

    fn is_closed(&self) -> bool {
        self.wire.as_ref().is_none_or(mpsc::UnboundedSender::is_closed)
    }

    fn head(&self) -> Head {
        self.head
    }

    async fn fence(&mut self) -> Attempt<Self> {
        self.ask_head(Question::Fence).await
    }

    async fn holds(&mut self, batch: &Batch, head: Position) -> Attempt<Self, bool> {
        let Some(first) = batch.writes().find_map(|(_, _, ids)| ids.first().copied()) else {
            return Ok(false);
        };
        let question = Question::EventAt(Position(head.0 + 1));
        let Answer::Event(event) = self.ask(question).await? else { unreachable!() };
        Ok(event == Some(first))
    }

    async fn lock_head(&mut self) -> Attempt<Self, Head> {
        self.ask_head(Question::Lock).await?;
        Ok(self.head)
    }

    async fn versions(&mut self, streams: &[Uuid]) -> Attempt<Self, HashMap<Uuid, u64>> {
        let question = Question::Versions(streams.to_vec());
        let Answer::Versions(versions) = self.ask(question).await? else { unreachable!() };
        Ok(versions)
    }

    async fn outcomes(&mut self, ids: &[Uuid]) -> Attempt<Self, HashMap<Uuid, Remembered>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let question = Question::Outcomes(ids.to_vec());
        let Answer::Outcomes(outcomes) = self.ask(question).await? else { unreachable!() };
        let remembered =
            |(digest, outcome): ([u8; 32], _)| Remembered { digest: digest.to_vec(), outcome };
        Ok(outcomes.into_iter().map(|(id, known)| (id, remembered(known))).collect())
    }

    async fn commit(
        &mut self,
        batch: &mut Batch,
        advance: Advance,
        recorded_at: Timestamp,
    ) -> Attempt<Self> {
        let head = self.head;
        batch.about_to_send(head.position);
        let written = |(append, outcome, ids): (&crate::Append, _, &[Uuid])| {
            (append.clone(), outcome, ids.to_vec())
        };
        let appends = batch.writes().map(written).collect();
        self.done(match advance {
            Advance::Locked => Question::Copy,
            Advance::Expecting { head, streams, versions } => {
                let versions = versions.into_iter().map(i64::unsigned_abs);
                Question::Advance(head, streams.into_iter().zip(versions).collect())
            }
        })
        .await?;
        self.done(Question::Commit(Rows { after: head.position, recorded_at, appends })).await?;
        self.head.position = batch.last_position(head.position);
        self.head.recorded_at = recorded_at;
        Ok(())
    }

    async fn rollback(&mut self) -> Attempt<Self> {
        self.done(Question::Rollback).await
    }

    async fn evict(&mut self) -> Attempt<Self> {
        self.done(Question::Evict).await
    }
}

/// The log as the relay of a process reads it.
pub(super) struct ModelLog {
    pub(super) postgres: Postgres,
    pub(super) committed: watch::Receiver<Position>,
    pub(super) suspension: Suspension,
}

impl ModelLog {
    async fn travel(&self) -> Result<(), Error> {
        self.postgres.world.pass(5).await;
        self.postgres.gate().pass().await;
        if self.postgres.tables().down {
            return Err(Error::Unavailable);
        }
        if self.postgres.world.strikes(0.03) {
            sleep(Duration::from_secs(1)).await;
            return Err(Error::Unavailable);
        }
        Ok(())
    }
}

impl Log for ModelLog {
    fn committed(&self) -> watch::Receiver<Position> {
        self.committed.clone()
    }

    async fn head(&self) -> Result<Position, Error> {
        self.travel().await?;
        Ok(self.postgres.tables().head())
    }

    /// Small pages, so that there are many.
    async fn read(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, Error> {
        self.travel().await?;
        let most = (2 + self.postgres.world.index(8)).min(limit);
        let after = usize::try_from(after.0).unwrap();
        Ok(self.postgres.tables().events.iter().skip(after).take(most).cloned().collect())
    }

    fn is_suspended(&self) -> bool {
        self.suspension.reason().is_some()
    }

    fn suspend(&self, reason: &str) {
        self.suspension.begin(reason);
    }

    fn resume(&self) {
        self.suspension.end();
    }
}
