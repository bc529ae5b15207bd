//! The aggregate of these tests: an account that cannot be overdrawn.

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use domain::{CompanyId, OfCompany, Upcaster};
use event_log::{Append, Envelope, NewEvent, StreamWrite};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) balance: i64,
    pub(crate) holder: Option<CompanyId>,
}

#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// One event for each amount.
    Deposit(Vec<i64>),
    Withdraw(i64),
    /// Succeeds once; then it has been done already.
    Belong(CompanyId),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    Deposited { amount: i64 },
    Withdrawn { amount: i64 },
    Belonged { holder: CompanyId },
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Error {
    #[error("the balance is {0}")]
    Overdrawn(i64),
    #[error("the log failed: {0}")]
    Log(String),
}

impl From<event_log::WorkError<Error>> for Error {
    fn from(error: event_log::WorkError<Error>) -> Self {
        match error {
            event_log::WorkError::Refused(error) => error,
            event_log::WorkError::Log(error) => error.into(),
        }
    }
}

impl From<event_log::Error> for Error {
    fn from(error: event_log::Error) -> Self {
        Self::Log(error.to_string())
    }
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::Deposited { .. } => "account.deposited",
            Self::Withdrawn { .. } => "account.withdrawn",
            Self::Belonged { .. } => "account.belonged",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        match self {
            Self::Withdrawn { .. } => "2",
            Self::Deposited { .. } | Self::Belonged { .. } => "1",
        }
        .to_owned()
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        match command {
            Command::Deposit(amounts) => {
                for amount in amounts {
                    sink.write(Event::Deposited { amount }, self).await;
                }
            }
            Command::Withdraw(amount) if self.balance < amount => {
                return Err(Error::Overdrawn(self.balance));
            }
            Command::Withdraw(amount) => sink.write(Event::Withdrawn { amount }, self).await,
            Command::Belong(_) if self.holder.is_some() => {}
            Command::Belong(holder) => sink.write(Event::Belonged { holder }, self).await,
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Deposited { amount } => self.balance += amount,
            Event::Withdrawn { amount } => self.balance -= amount,
            Event::Belonged { holder } => self.holder = Some(holder),
        }
    }
}

impl OfCompany for Account {
    /// The first version called the amount a sum.
    const UPCASTERS: &'static [Upcaster] = &[Upcaster {
        event_type: "account.withdrawn",
        from: 1,
        upcast: |stored| serde_json::json!({ "type": "withdrawn", "amount": stored["sum"] }),
    }];

    fn company(&self) -> Option<CompanyId> {
        self.holder
    }
}

/// A person's command that need not be remembered.
pub(crate) fn envelope() -> Envelope {
    let command_id = Uuid::now_v7();
    Envelope {
        command_id,
        remember: None,
        actor: "key:test".to_owned(),
        correlation_id: command_id,
        causation_id: None,
    }
}

/// A client's command: its id and the digest of what it says.
pub(crate) fn remembered(command_id: Uuid, says: u8) -> Envelope {
    Envelope { command_id, remember: Some([says; 32]), ..envelope() }
}

/// One deposit of 1, decided at a version.
pub(crate) fn deposit(stream_id: Uuid, expected: u64) -> StreamWrite {
    StreamWrite {
        stream_type: Account::TYPE,
        stream_id,
        expected,
        company_id: None,
        events: vec![NewEvent {
            event_type: "account.deposited".into(),
            schema_version: 1,
            payload: r#"{"type":"deposited","amount":1}"#.to_owned(),
        }],
    }
}

/// An append of some writes, decided on some reads.
pub(crate) fn append(
    envelope: Envelope,
    writes: Vec<StreamWrite>,
    reads: Vec<(Uuid, u64)>,
) -> Append {
    let answer = writes.first().map_or((Uuid::nil(), 0), |write| (write.stream_id, write.expected));
    Append { envelope, writes, reads, answer }
}
