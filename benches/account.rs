//! The aggregate of the benchmark: an account with one small event a command.

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    balance: i64,
}

pub(crate) enum Command {
    Deposit { amount: i64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    Deposited { amount: i64, balance: i64 },
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        "account.deposited".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = Command;
    type Event = Event;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        let Command::Deposit { amount } = command;
        sink.write(Event::Deposited { amount, balance: self.balance + amount }, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        let Event::Deposited { balance, .. } = event;
        self.balance = balance;
    }
}

impl domain::OfCompany for Account {
    fn company(&self) -> Option<domain::CompanyId> {
        None
    }
}
