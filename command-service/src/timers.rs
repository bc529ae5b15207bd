//! Deadlines: what happens because a day has come.

use std::time::Duration;

use cqrs_es::Aggregate;
use domain::{OfCompany, Offer, Order, Refusal, offer, order};
use event_log::{Envelope, ExecuteError};
use futures::FutureExt;
use projections::views::{
    approvals::{self, Subject},
    offers,
};
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
                    if let Err(error) = escalate(&services).await {
                        tracing::warn!(error, "approvals that took too long could not escalate");
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
        let command = offer::Command::Expire { today };
        expired += usize::from(fire::<Offer>(services, "offers", id.0, command_id, command).await?);
    }
    Ok(expired)
}

/// Asks somebody else too about what has waited too long for approval; says about how many.
pub async fn escalate(services: &Services) -> Result<usize, String> {
    let at = services.clock.now();
    let failed = |error: &dyn std::error::Error| error.to_string();
    let client = services.views.client().await.map_err(|error| failed(&error))?;
    let overdue = approvals::overdue(&client, at).await.map_err(|error| failed(&error))?;
    let mut escalated = 0;
    for approval in overdue {
        let (id, step) = (approval.id, approval.decisions.len() + 1);
        let command_id = Uuid::new_v5(&id, format!("escalate/{step}").as_bytes());
        let is_done = match approval.subject {
            Subject::Order => {
                let command = order::Command::Escalate { at };
                fire::<Order>(services, "approvals", id, command_id, command).await?
            }
            Subject::Offer => {
                let command = offer::Command::Escalate { at };
                fire::<Offer>(services, "approvals", id, command_id, command).await?
            }
        };
        escalated += usize::from(is_done);
    }
    Ok(escalated)
}

/// Gives a command because its time has come; `false` when it has been answered in the meantime.
async fn fire<A>(
    services: &Services,
    timer: &str,
    id: Uuid,
    command_id: Uuid,
    command: A::Command,
) -> Result<bool, String>
where
    A: Aggregate<Services = (), Command: Clone + Send + Sync, Error: Refusal + Send>
        + OfCompany
        + Clone
        + 'static,
{
    let envelope = Envelope {
        command_id,
        remember: None,
        actor: format!("timer:{timer}"),
        correlation_id: command_id,
        causation_id: None,
    };
    let result = services
        .log
        .execute(&envelope, |work| {
            let command = command.clone();
            async move {
                work.decide::<A>(id, command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await;
    match result {
        Ok(_) => Ok(true),
        // The read model was behind.
        Err(ExecuteError::Refused(Failure::Refused(_)) | ExecuteError::Conflict) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}
