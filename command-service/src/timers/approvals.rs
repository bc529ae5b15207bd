//! Escalates approval requests whose time limit has passed.

use domain::{Negotiation, Offer, Order, negotiation, offer, order};
use event_log::Work;
use projections::{
    ReadError,
    views::sales::approvals::{self, Overdue, Subject},
};
use uuid::Uuid;

use super::{Fault, PAGE, Timer, fire};
use crate::{
    app::{Services, deciding},
    failure::Failure,
};

pub(super) struct Approvals(pub(super) Services);

impl Timer for Approvals {
    const NAME: &'static str = "approvals";
    type Item = Overdue;

    async fn page(&self, after: Option<&Overdue>) -> Result<Vec<Overdue>, ReadError> {
        let client = self.0.views.client().await?;
        approvals::overdue(&client, self.0.clock.now(), after, PAGE).await
    }

    fn id(item: &Overdue) -> Uuid {
        item.id
    }

    async fn fire(&self, item: &Overdue) -> Result<bool, Fault> {
        let Overdue { id, subject, step, .. } = *item;
        let Some(subject) = subject else {
            return Err(Fault::Failed("this build does not know its kind".to_owned()));
        };
        let at = self.0.clock.now();
        let command_id = Uuid::new_v5(&id, format!("escalate/{step}").as_bytes());
        fire(&self.0, Self::NAME, command_id, &|work| deciding(escalate(work, subject, id, at)))
            .await
    }
}

async fn escalate(
    work: &mut Work,
    subject: Subject,
    id: Uuid,
    at: jiff::Timestamp,
) -> Result<(), Failure> {
    match subject {
        Subject::Order => work.decide::<Order>(id, order::Command::Escalate { at }).await?,
        Subject::Offer => work.decide::<Offer>(id, offer::Command::Escalate { at }).await?,
        Subject::Negotiation => {
            let command = negotiation::Command::Escalate { at };
            work.decide::<Negotiation>(id, command).await?;
        }
    }
    Ok(())
}
