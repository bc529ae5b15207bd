//! Announces what standing orders will order, and places it when its day has come.

use projections::{
    ReadError,
    views::sales::standing_orders::{self, Due},
};
use uuid::Uuid;

use super::{Fault, PAGE, Timer, fire};
use crate::app::{
    Services, deciding,
    sales::standing_order::{self, Day},
};

pub(super) struct StandingOrders(pub(super) Services);

impl Timer for StandingOrders {
    const NAME: &'static str = "standing_orders";
    type Item = Due;

    async fn page(&self, after: Option<&Due>) -> Result<Vec<Due>, ReadError> {
        let client = self.0.views.client().await?;
        standing_orders::due(&client, self.0.clock.today(), after, PAGE).await
    }

    fn id(item: &Due) -> Uuid {
        item.id.0
    }

    async fn fire(&self, item: &Due) -> Result<bool, Fault> {
        let (id, day) = (item.id, Day::of(&self.0));
        // What is due after the next event of the standing order is due anew.
        let command_id = Uuid::new_v5(&id.0, format!("run/{}", item.changed).as_bytes());
        fire(&self.0, Self::NAME, command_id, &|work| deciding(standing_order::run(work, id, day)))
            .await
    }
}
