//! Timers: commands that are due at a time.
//!
//! A timer goes through all due items, page by page. A failed item is recorded, shown in health,
//! and retried in the next round.

mod approvals;
mod failing;
mod negotiations;
mod offers;
mod standing_orders;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use event_log::{Envelope, ExecuteError, Executed};
use futures::FutureExt;
use projections::ReadError;
use service_kit::{
    health::{State, explained},
    supervisor::{Supervisor, panic_message},
};
use uuid::Uuid;

pub use self::failing::Failing;
use self::{
    approvals::Approvals, negotiations::Negotiations, offers::Offers,
    standing_orders::StandingOrders,
};
use crate::{
    app::{Decide, Services},
    failure::Failure,
};

/// The interval of rounds.
const PERIOD: Duration = Duration::from_mins(1);

/// The number of items per page.
const PAGE: usize = 500;

/// A timer for items of one kind.
trait Timer: Send + Sync + 'static {
    /// Its name as actor, task and metric label.
    const NAME: &'static str;

    /// A due item.
    type Item: Send + Sync;

    /// Due items after an item in a fixed order, at most [`PAGE`].
    fn page(
        &self,
        after: Option<&Self::Item>,
    ) -> impl Future<Output = Result<Vec<Self::Item>, ReadError>> + Send;

    /// The id of the aggregate.
    fn id(item: &Self::Item) -> Uuid;

    /// Gives the due command; `false` if it was given before.
    fn fire(&self, item: &Self::Item) -> impl Future<Output = Result<bool, Fault>> + Send;
}

/// Why an item failed.
#[derive(Debug)]
enum Fault {
    /// Refused by a rule or by exhausted retries: the read model may lag.
    Refused(String),
    /// The item cannot be read or written.
    Failed(String),
    /// The log accepts no commands, so other items would fail too.
    Unavailable(event_log::Error),
}

/// Why a round was not completed.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The due items cannot be read.
    #[error("the due items cannot be read")]
    Page(#[from] ReadError),
    /// The log accepts no commands.
    #[error("the log accepts no commands")]
    Log(#[from] event_log::Error),
}

/// Runs the timers until the supervisor is cancelled; reports the health of each.
pub fn start(
    services: &Services,
    supervisor: &Supervisor,
) -> Vec<(&'static str, impl Fn() -> State + Send + Sync + use<>)> {
    let failing = [
        keep(supervisor, Offers(services.clone())),
        keep(supervisor, Negotiations(services.clone())),
        keep(supervisor, Approvals(services.clone())),
        keep(supervisor, StandingOrders(services.clone())),
    ];
    failing.map(|failing| (failing.timer(), move || failing.state())).into()
}

fn keep<T: Timer>(supervisor: &Supervisor, timer: T) -> Arc<Failing> {
    let (timer, failing) = (Arc::new(timer), Arc::new(Failing::new(T::NAME)));
    let shown = failing.clone();
    supervisor.run(format!("timer {}", T::NAME), move || {
        let (timer, failing) = (timer.clone(), failing.clone());
        async move {
            loop {
                let ended = round(&*timer, &failing).await;
                if let Err(error) = &ended {
                    let error = error as &dyn std::error::Error;
                    tracing::warn!(timer = T::NAME, error, "a round of a timer was not completed");
                }
                failing.round_ended(ended.err().map(|error| explained(&error)));
                tokio::time::sleep(PERIOD).await;
            }
        }
    });
    shown
}

/// Executes one round; returns the number of changed items.
async fn round<T: Timer>(timer: &T, failing: &Failing) -> Result<usize, RoundError> {
    failing.round_begins();
    let mut happened = 0;
    let mut after = None;
    loop {
        let mut page = timer.page(after.as_ref()).await?;
        for item in &page {
            let fired = AssertUnwindSafe(async { timer.fire(item).await }).catch_unwind().await;
            let id = T::id(item);
            match fired {
                Ok(Ok(is_new)) => {
                    happened += usize::from(is_new);
                    failing.succeeded(id);
                }
                Ok(Err(Fault::Unavailable(error))) => return Err(error.into()),
                Ok(Err(Fault::Refused(why))) => failing.failed(id, why, true),
                Ok(Err(Fault::Failed(why))) => failing.failed(id, why, false),
                Err(panic) => {
                    failing.failed(id, format!("panicked: {}", panic_message(&*panic)), false);
                }
            }
        }
        let is_last = page.len() < PAGE;
        after = page.pop();
        if is_last {
            return Ok(happened);
        }
    }
}

/// Expires offers whose last day has passed; returns their number.
pub async fn expire_offers(services: &Services, failing: &Failing) -> Result<usize, RoundError> {
    round(&Offers(services.clone()), failing).await
}

/// Reminds of deadlines of negotiations on the day before, and expires negotiations without an
/// answer; returns the number of changed negotiations.
pub async fn watch_negotiations(services: &Services) -> Result<usize, RoundError> {
    round(&Negotiations(services.clone()), &Failing::new(Negotiations::NAME)).await
}

/// Escalates approval requests whose time limit has passed; returns their number.
pub async fn escalate(services: &Services) -> Result<usize, RoundError> {
    round(&Approvals(services.clone()), &Failing::new(Approvals::NAME)).await
}

/// Announces and places what standing orders order; says at how many something happened.
pub async fn run_standing_orders(
    services: &Services,
    failing: &Failing,
) -> Result<usize, RoundError> {
    round(&StandingOrders(services.clone()), failing).await
}

/// Gives a due command.
async fn fire(
    services: &Services,
    timer: &str,
    command_id: Uuid,
    decide: &Decide<'_, '_>,
) -> Result<bool, Fault> {
    let envelope = Envelope {
        command_id,
        remember: None,
        actor: format!("timer:{timer}"),
        correlation_id: command_id,
        causation_id: None,
    };
    match services.execute_in_turn(&envelope, &[], decide).await {
        Ok(Executed { value, .. }) => Ok(value.is_some()),
        Err(ExecuteError::Refused(Failure::Refused(problem))) => {
            Err(Fault::Refused(format!("{}: {}", problem.code(), problem.words())))
        }
        Err(ExecuteError::Refused(Failure::Log(error)) | ExecuteError::Log(error)) => {
            let is_general =
                error.is_transient() || matches!(error, event_log::Error::BehindStream(_));
            if is_general {
                Err(Fault::Unavailable(error))
            } else {
                Err(Fault::Failed(explained(&error)))
            }
        }
        Err(error @ ExecuteError::Conflict) => Err(Fault::Refused(error.to_string())),
        Err(error @ (ExecuteError::KeyReused | ExecuteError::TooLarge)) => {
            Err(Fault::Failed(error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Items 0 to 1,199, some of which always fail.
    struct Numbers {
        fails: fn(u64) -> bool,
        fired: Mutex<Vec<u64>>,
    }

    impl Timer for Numbers {
        const NAME: &'static str = "numbers";
        type Item = u64;

        async fn page(&self, after: Option<&u64>) -> Result<Vec<u64>, ReadError> {
            let first = after.map_or(0, |after| after + 1);
            Ok((first..1_200).take(PAGE).collect())
        }

        fn id(item: &u64) -> Uuid {
            Uuid::from_u128(u128::from(*item))
        }

        async fn fire(&self, item: &u64) -> Result<bool, Fault> {
            self.fired.lock().unwrap().push(*item);
            assert!(!(self.fails)(*item) || item.is_multiple_of(2), "odd {item}");
            if (self.fails)(*item) { Err(Fault::Failed(format!("even {item}"))) } else { Ok(true) }
        }
    }

    #[tokio::test]
    async fn what_fails_is_recorded_and_everything_else_is_done() {
        let fails = |item| item < 600;
        let (numbers, failing) =
            (Numbers { fails, fired: Mutex::default() }, Failing::new(Numbers::NAME));
        assert_eq!(round(&numbers, &failing).await.unwrap(), 600);
        let fired = std::mem::take(&mut *numbers.fired.lock().unwrap());
        assert_eq!(
            fired,
            (0..1_200).collect::<Vec<_>>(),
            "each once, regardless of failures before it"
        );
        failing.round_ended(None);
        let State::Degraded { detail } = failing.state() else { panic!("600 items fail") };
        assert!(detail.starts_with("600 of numbers fail"), "{detail}");
        assert!(detail.contains(&format!("{}: even 0", Uuid::nil())), "{detail}");
        assert!(detail.contains(": panicked: odd 1"), "{detail}");

        let mended = Numbers { fails: |_| false, ..numbers };
        assert_eq!(round(&mended, &failing).await.unwrap(), 1_200);
        failing.round_ended(None);
        assert_eq!(failing.state(), State::Ok);
    }

    #[tokio::test]
    async fn a_refusal_is_shown_when_it_comes_again() {
        struct Refused;
        impl Timer for Refused {
            const NAME: &'static str = "refused";
            type Item = ();

            async fn page(&self, _: Option<&()>) -> Result<Vec<()>, ReadError> {
                Ok(vec![()])
            }

            fn id((): &()) -> Uuid {
                Uuid::nil()
            }

            async fn fire(&self, (): &()) -> Result<bool, Fault> {
                Err(Fault::Refused("offer.not_open: the offer is not open".to_owned()))
            }
        }
        let failing = Failing::new(Refused::NAME);
        for shown in [false, true] {
            round(&Refused, &failing).await.unwrap();
            failing.round_ended(None);
            assert_eq!(failing.state() != State::Ok, shown);
        }
        // Two rounds in which it is not due.
        failing.round_begins();
        failing.round_ended(None);
        assert_eq!(failing.state(), State::Ok);
    }
}
