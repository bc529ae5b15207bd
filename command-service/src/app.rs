//! The use cases of the platform, by context: one function each, which loads, decides and appends.
//!
//! HTTP handlers, imports, policies and timers call these functions, never the other way round. A
//! use case takes the services, the caller, a digest of the request, and the request. It refuses
//! access to data of another company; its callers check the caller's role.

#![expect(missing_docs, reason = "doc comments of request fields are part of the OpenAPI document")]

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

/// The dependencies of every use case, policy and timer. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The event log.
    pub log: EventLog,
    /// The read models, for facts that decisions need.
    pub views: Views,
    /// API keys.
    pub access: Access,
    /// The current day and time.
    pub clock: Clock,
}

/// Decides a command in a unit of work. It may be called several times, so it borrows its inputs.
pub(crate) type Decide<'d, 'c> =
    dyn for<'w> Fn(&'w mut Work) -> Deciding<'w, 'c> + Send + Sync + 'd;

/// A decision in progress. It borrows its unit of work for `'w`, and the captures of [`Decide`] for
/// the longer `'c`. An async closure would be simpler, but the compiler cannot prove that its
/// future is `Send`.
pub(crate) struct Deciding<'w, 'c> {
    future: BoxFuture<'w, Result<(), Failure>>,
    outlives: PhantomData<&'w &'c ()>,
}

/// Boxes the future of a decision.
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
    /// Executes a caller's command, whose request has this digest, once per idempotency key.
    pub(crate) async fn execute(
        &self,
        caller: &Caller,
        digest: [u8; 32],
        decide: &Decide<'_, '_>,
    ) -> Result<Outcome, Problem> {
        let executed = self.execute_in_turn(&caller.envelope(digest), &[], decide).await;
        Ok(executed.map_err(problem)?.outcome)
    }

    /// Executes a command with [`EventLog::execute_in_turn`]. Not generic, so it is compiled once.
    pub(crate) async fn execute_in_turn(
        &self,
        envelope: &Envelope,
        streams: &[Uuid],
        decide: &Decide<'_, '_>,
    ) -> Result<Executed<()>, ExecuteError<Failure>> {
        let decision = Decision { decide, clock: &self.clock };
        self.log.execute_decision(envelope, streams, &decision).await
    }

    /// Gives one command to one aggregate. A buyer may command only aggregates of its own company.
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
