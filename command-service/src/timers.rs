//! Deadlines: what happens because a day has come.
//!
//! A timer goes through all that is due, page by page. What fails is recorded, shown and passed
//! over; it is tried again in the next round.

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

/// How often deadlines are looked at.
const PERIOD: Duration = Duration::from_mins(1);

/// How many items are read at once.
const PAGE: usize = 500;

/// What happens to items of one kind when their time has come.
trait Timer: Send + Sync + 'static {
    /// What the items are, as actor, task and label of metrics.
    const NAME: &'static str;

    /// Something whose time has come.
    type Item: Send + Sync;

    /// What is due and follows an item in a fixed order, at most [`PAGE`] items.
    fn page(
        &self,
        after: Option<&Self::Item>,
    ) -> impl Future<Output = Result<Vec<Self::Item>, ReadError>> + Send;

    /// Which aggregate it is.
    fn id(item: &Self::Item) -> Uuid;

    /// Gives the command whose time has come; `false` when it was given before.
    fn fire(&self, item: &Self::Item) -> impl Future<Output = Result<bool, Fault>> + Send;
}

/// Why nothing came of an item.
#[derive(Debug)]
enum Fault {
    /// A rule forbids it, or others keep changing the same: the read model may be behind.
    Refused(String),
    /// The item cannot be read or written.
    Failed(String),
    /// The log takes no commands at the moment: no other item would fare better.
    Unavailable(event_log::Error),
}

/// Why a round ended before all that is due was gone through.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// What is due is not known.
    #[error("what is due cannot be read")]
    Page(#[from] ReadError),
    /// No command is taken.
    #[error("no command can be given")]
    Log(#[from] event_log::Error),
}

/// Watches deadlines until the supervisor is cancelled; says of each timer how it is.
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
                    tracing::warn!(timer = T::NAME, error, "a round of a timer was not finished");
                }
                failing.round_ended(ended.err().map(|error| explained(&error)));
                tokio::time::sleep(PERIOD).await;
            }
        }
    });
    shown
}

/// Goes through all that is due once; says to how many items something happened.
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

/// Closes the offers whose last day is over; says how many.
pub async fn expire_offers(services: &Services, failing: &Failing) -> Result<usize, RoundError> {
    round(&Offers(services.clone()), failing).await
}

/// Reminds whose turn it is of a deadline on the day before, and stops negotiations in which nobody has
/// answered in time; says in how many something happened.
pub async fn watch_negotiations(services: &Services) -> Result<usize, RoundError> {
    round(&Negotiations(services.clone()), &Failing::new(Negotiations::NAME)).await
}

/// Asks somebody else too about what has waited too long for approval; says about how many.
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

/// Gives a command because its time has come.
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

    /// Items 0 to 1,199, of which some fail whenever they are tried.
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
        assert_eq!(fired, (0..1_200).collect::<Vec<_>>(), "each once, whatever fails before");
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
        // Two rounds in which it is not due any more.
        failing.round_begins();
        failing.round_ended(None);
        assert_eq!(failing.state(), State::Ok);
    }
}
