//! What can be asked of the platform, by context: a function for each use case, which loads, decides
//! and appends.
//!
//! HTTP handlers, imports, policies and timers call what is here, never the other way round. A use
//! case takes the services, who asks, a digest of what is asked, and what is asked. It refuses what
//! is another company's; which roles may ask at all is for its callers to check.

#![expect(
    missing_docs,
    reason = "what is written on a field of a request becomes part of the OpenAPI document"
)]

pub mod billing;
pub mod catalogue;
pub mod fulfilment;
pub mod inventory;
pub mod messaging;
pub mod parties;
pub mod pricing;
pub mod sales;

use std::marker::PhantomData;

use cqrs_es::Aggregate;
use domain::{OfCompany, Refusal};
use event_log::{Envelope, EventLog, ExecuteError, Executed, Outcome, Work};
use futures::future::BoxFuture;
use projections::Views;
use service_kit::{access::Access, clock::Clock, problem::Problem};
use uuid::Uuid;

use crate::{
    caller::Caller,
    failure::{Failure, problem},
};

/// What every use case, policy and timer works with. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// History.
    pub log: EventLog,
    /// Read models, for the facts that decisions need.
    pub views: Views,
    /// API keys.
    pub access: Access,
    /// What day it is.
    pub clock: Clock,
}

/// How a command is decided in a unit of work. It may be called several times: what it needs, it
/// borrows.
pub(crate) type Decide<'d, 'c> =
    dyn for<'w> Fn(&'w mut Work) -> Deciding<'w, 'c> + Send + Sync + 'd;

/// A decision under way. It borrows its unit of work for `'w`, and what [`Decide`] has captured for
/// `'c`, which is longer. An async closure would say the same, but the compiler cannot prove that
/// its future is `Send`.
pub(crate) struct Deciding<'w, 'c> {
    future: BoxFuture<'w, Result<(), Failure>>,
    outlives: PhantomData<&'w &'c ()>,
}

/// The decision that a future makes.
pub(crate) fn deciding<'w, 'c>(
    future: impl Future<Output = Result<(), Failure>> + Send + 'w,
) -> Deciding<'w, 'c> {
    Deciding { future: Box::pin(future), outlives: PhantomData }
}

/// [`Decide`] as the log takes it.
struct Decision<'a, 'd, 'c> {
    decide: &'a Decide<'d, 'c>,
    clock: &'a Clock,
}

impl event_log::Decide<(), Failure> for Decision<'_, '_, '_> {
    fn decide<'w>(&'w self, work: &'w mut Work) -> BoxFuture<'w, Result<(), Failure>> {
        work.lend(self.clock.clone());
        (self.decide)(work).future
    }
}

impl Services {
    /// Executes a caller's command, whose request has this digest: once, however often it is sent.
    pub(crate) async fn execute(
        &self,
        caller: &Caller,
        digest: [u8; 32],
        decide: &Decide<'_, '_>,
    ) -> Result<Outcome, Problem> {
        let executed = self.execute_in_turn(&caller.envelope(digest), &[], decide).await;
        Ok(executed.map_err(problem)?.outcome)
    }

    /// Executes a command as [`EventLog::execute_in_turn`] does. Compiled once for all use cases.
    pub(crate) async fn execute_in_turn(
        &self,
        envelope: &Envelope,
        streams: &[Uuid],
        decide: &Decide<'_, '_>,
    ) -> Result<Executed<()>, ExecuteError<Failure>> {
        let decision = Decision { decide, clock: &self.clock };
        self.log.execute_decision(envelope, streams, &decision).await
    }

    /// Gives one command to one aggregate. A buyer's key commands what is its own company's alone.
    pub(crate) async fn decide<A>(
        &self,
        caller: &Caller,
        digest: [u8; 32],
        id: impl Into<Uuid>,
        command: A::Command,
    ) -> Result<Outcome, Problem>
    where
        A: Aggregate<Services = (), Command: Clone + Send + Sync, Error: Refusal + Send>
            + OfCompany
            + Clone
            + 'static,
    {
        let (id, command) = (id.into(), &command);
        self.execute(caller, digest, &|work| {
            deciding(async move {
                caller.must_see(work.load::<A>(id).await?.company())?;
                Ok(work.decide::<A>(id, command.clone()).await?)
            })
        })
        .await
    }
}
