//! Deadlines: what happens because a day has come.

use std::time::Duration;

use domain::{Offer, offer};
use event_log::{Envelope, ExecuteError};
use futures::FutureExt;
use projections::views::offers;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Services, failure::Failure};

/// How often deadlines are looked at.
const PERIOD: Duration = Duration::from_secs(60);

/// Watches deadlines until cancelled.
pub fn start(services: &Services, cancel: &CancellationToken) {
    let (services, cancel) = (services.clone(), cancel.clone());
    tokio::spawn(async move {
        cancel
            .run_until_cancelled(async {
                loop {
                    if let Err(error) = expire_offers(&services).await {
                        tracing::warn!(error, "offers that lapsed could not be closed");
                    }
                    tokio::time::sleep(PERIOD).await;
                }
            })
            .await;
    });
}

/// Closes the offers whose last day is over; says how many.
pub async fn expire_offers(services: &Services) -> Result<usize, String> {
    let today = services.clock.today();
    let failed = |error: &dyn std::error::Error| error.to_string();
    let client = services.views.client().await.map_err(|error| failed(&error))?;
    let lapsed = offers::lapsed(&client, today).await.map_err(|error| failed(&error))?;
    let mut expired = 0;
    for id in lapsed {
        let command_id = Uuid::new_v5(&id.0, b"expire");
        let envelope = Envelope {
            command_id,
            remember: None,
            actor: "timer:offers".to_owned(),
            correlation_id: command_id,
            causation_id: None,
        };
        let result = services
            .log
            .execute(&envelope, |work| {
                async move {
                    work.decide::<Offer>(id, offer::Command::Expire { today }).await?;
                    Ok::<_, Failure>(())
                }
                .boxed()
            })
            .await;
        match result {
            Ok(_) => expired += 1,
            // Answered in the meantime: the read model was behind.
            Err(ExecuteError::Refused(Failure::Refused(_)) | ExecuteError::Conflict) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(expired)
}
