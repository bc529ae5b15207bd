//! Deadlines: what happens because a day has come.

use std::time::Duration;

use domain::{Negotiation, Offer, Order, negotiation, offer, order};
use event_log::{Envelope, ExecuteError, Work};
use futures::{FutureExt, future::BoxFuture};
use projections::views::{
    approvals::{self, Subject},
    negotiations, offers,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Services, failure::Failure, negotiating, offering};

/// How often deadlines are looked at.
const PERIOD: Duration = Duration::from_mins(1);

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
                    if let Err(error) = watch_negotiations(&services).await {
                        tracing::warn!(error, "deadlines of negotiations could not be watched");
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
    let client = services.views.client().await.map_err(|error| failed(&error))?;
    let lapsed = offers::lapsed(&client, today).await.map_err(|error| failed(&error))?;
    let mut expired = 0;
    for id in lapsed {
        // An offer that was extended lapses on another day.
        let command_id = Uuid::new_v5(&id.0, format!("expire/{today}").as_bytes());
        let is_done = fire(services, "offers", command_id, |work| {
            offering::decide(work, id, offer::Command::Expire { today }).boxed()
        });
        expired += usize::from(is_done.await?);
    }
    Ok(expired)
}

/// Reminds whose turn it is of a deadline on the day before, and stops talks in which nobody has
/// answered in time; says in how many something happened.
pub async fn watch_negotiations(services: &Services) -> Result<usize, String> {
    let today = services.clock.today();
    let client = services.views.client().await.map_err(|error| failed(&error))?;
    let due = negotiations::due(&client, today).await.map_err(|error| failed(&error))?;
    let mut happened = 0;
    for negotiations::Due { id, is_over, .. } in due {
        let (name, command) = if is_over {
            ("expire", negotiation::Command::Expire { today })
        } else {
            ("remind", negotiation::Command::Remind { today })
        };
        let command_id = Uuid::new_v5(&id.0, format!("{name}/{today}").as_bytes());
        let is_done = fire(services, "negotiations", command_id, |work| {
            negotiating::decide(work, id, command.clone(), today).boxed()
        });
        happened += usize::from(is_done.await?);
    }
    Ok(happened)
}

/// Asks somebody else too about what has waited too long for approval; says about how many.
pub async fn escalate(services: &Services) -> Result<usize, String> {
    let at = services.clock.now();
    let client = services.views.client().await.map_err(|error| failed(&error))?;
    let overdue = approvals::overdue(&client, at).await.map_err(|error| failed(&error))?;
    let mut escalated = 0;
    for approval in overdue {
        let (id, subject, step) = (approval.id, approval.subject, approval.decisions.len() + 1);
        let command_id = Uuid::new_v5(&id, format!("escalate/{step}").as_bytes());
        let is_done = fire(services, "approvals", command_id, |work| {
            escalate_one(work, subject, id, at).boxed()
        });
        escalated += usize::from(is_done.await?);
    }
    Ok(escalated)
}

async fn escalate_one(
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

fn failed(error: &dyn std::error::Error) -> String {
    error.to_string()
}

/// Gives a command because its time has come; `false` when it has been answered in the meantime.
async fn fire<F>(
    services: &Services,
    timer: &str,
    command_id: Uuid,
    decide: F,
) -> Result<bool, String>
where
    F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<(), Failure>> + Send + Sync,
{
    let envelope = Envelope {
        command_id,
        remember: None,
        actor: format!("timer:{timer}"),
        correlation_id: command_id,
        causation_id: None,
    };
    match services.log.execute(&envelope, decide).await {
        Ok(_) => Ok(true),
        // The read model was behind.
        Err(ExecuteError::Refused(Failure::Refused(_)) | ExecuteError::Conflict) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}
