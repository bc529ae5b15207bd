//! Reminds of deadlines of negotiations, and expires those without an answer.

use domain::negotiation;
use projections::{
    ReadError,
    views::sales::negotiations::{self, Due},
};
use uuid::Uuid;

use super::{Fault, PAGE, Timer, fire};
use crate::app::{Services, deciding, sales::negotiating};

pub(super) struct Negotiations(pub(super) Services);

impl Timer for Negotiations {
    const NAME: &'static str = "negotiations";
    type Item = Due;

    async fn page(&self, after: Option<&Due>) -> Result<Vec<Due>, ReadError> {
        let client = self.0.views.client().await?;
        negotiations::due(&client, self.0.clock.today(), after, PAGE).await
    }

    fn id(item: &Due) -> Uuid {
        item.id.0
    }

    async fn fire(&self, item: &Due) -> Result<bool, Fault> {
        let (id, today) = (item.id, self.0.clock.today());
        let (name, command) = if item.is_over {
            ("expire", negotiation::Command::Expire { today })
        } else {
            ("remind", negotiation::Command::Remind { today })
        };
        let command_id = Uuid::new_v5(&id.0, format!("{name}/{today}").as_bytes());
        fire(&self.0, Self::NAME, command_id, &|work| {
            deciding(negotiating::decide(work, id, command.clone(), today))
        })
        .await
    }
}
