//! Expires offers whose last day has passed.

use domain::offer;
use projections::{
    ReadError,
    views::sales::offers::{self, Lapsed},
};
use uuid::Uuid;

use super::{Fault, PAGE, Timer, fire};
use crate::app::{Services, deciding, sales::offering};

pub(super) struct Offers(pub(super) Services);

impl Timer for Offers {
    const NAME: &'static str = "offers";
    type Item = Lapsed;

    async fn page(&self, after: Option<&Lapsed>) -> Result<Vec<Lapsed>, ReadError> {
        let client = self.0.views.client().await?;
        offers::lapsed(&client, self.0.clock.today(), after, PAGE).await
    }

    fn id(item: &Lapsed) -> Uuid {
        item.id.0
    }

    async fn fire(&self, item: &Lapsed) -> Result<bool, Fault> {
        let (id, today) = (item.id, self.0.clock.today());
        // An extended offer expires on another day.
        let command_id = Uuid::new_v5(&id.0, format!("expire/{today}").as_bytes());
        fire(&self.0, Self::NAME, command_id, &|work| {
            deciding(offering::decide(work, id, offer::Command::Expire { today }))
        })
        .await
    }
}
