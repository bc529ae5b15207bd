//! Who asks, and how much it may see.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, request::Parts},
};
use deadpool_postgres::Object;
use domain::{ActorId, EmployeeId, Side};
use event_log::Position;
use projections::{ReadError, SetAside, buyer};
use service_kit::{
    access::{self, Access, Allowed, Principal, Role},
    position::{self, WaitFor},
    postgres,
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Queries,
    left_out::{self, LeftOut},
    reading::Reading,
};

/// An asker with the permission `A`.
pub(crate) type By<A> = access::By<A, Asker>;

/// Somebody with a question.
#[derive(Debug, Clone)]
pub struct Asker {
    principal: Principal,
    wait_for: WaitFor,
    /// What the request names.
    named: Vec<Uuid>,
    left_out: LeftOut,
}

impl Asker {
    /// Somebody who has shown who they are, and wants to see what had happened until a position.
    pub fn new(principal: Principal, wait_for: WaitFor) -> Self {
        Self { principal, wait_for, named: Vec::new(), left_out: LeftOut::default() }
    }

    /// Says which things the question is about: where one of them was set aside, it is refused.
    #[must_use]
    pub fn about(self, named: Vec<Uuid>) -> Self {
        Self { named, ..self }
    }

    /// How many things the read models have left out of the answers so far that it may know of.
    pub fn left_out(&self) -> usize {
        self.left_out.count()
    }

    /// Refuses an asker with none of the roles of `A`.
    pub(crate) fn require<A: Allowed>(&self) -> Result<(), Problem> {
        self.require_one_of(A::ROLES)
    }

    /// Refuses an asker with none of these roles.
    pub(crate) fn require_one_of(&self, roles: &[Role]) -> Result<(), Problem> {
        self.principal.require(roles)
    }

    /// The only company that it sees.
    pub(crate) fn company(&self) -> Option<Uuid> {
        self.principal.company
    }

    /// The employee whose key it is.
    pub(crate) fn employee(&self) -> Option<EmployeeId> {
        self.principal.employee.map(EmployeeId)
    }

    /// Whose work is its own.
    pub(crate) fn key(&self) -> Uuid {
        self.principal.key
    }

    /// What it may do.
    pub(crate) fn role(&self) -> Role {
        self.principal.role
    }

    /// On which side of the table it sits.
    pub(crate) fn side(&self) -> Side {
        if self.principal.role.is_buyer() { Side::Buyer } else { Side::Seller }
    }

    /// As events record it: the employee, or the key where it is nobody's.
    pub(crate) fn actor(&self) -> ActorId {
        ActorId(self.principal.employee.unwrap_or(self.principal.key))
    }

    /// Narrows a wish to what it may see: its own company, or whichever it asks for when it sees
    /// all. Another company's is answered like one that does not exist.
    pub(crate) fn narrowed(&self, wanted: Option<Uuid>) -> Result<Option<Uuid>, Problem> {
        match (self.principal.company, wanted) {
            (Some(own), Some(other)) if own != other => Err(Problem::not_found()),
            (Some(own), _) => Ok(Some(own)),
            (None, wanted) => Ok(wanted),
        }
    }

    /// A connection to read models that show what the asker has seen.
    pub(crate) async fn client(
        &self,
        queries: &Queries,
        views: &[&str],
    ) -> Result<Object, Problem> {
        self.seen(queries, views).await?;
        queries.views.client().await.map_err(problem)
    }

    /// The same for the catalogue.
    pub(crate) async fn reading(
        &self,
        queries: &Queries,
        views: &[&str],
    ) -> Result<Reading, Problem> {
        self.seen(queries, views).await?;
        let client = queries.catalogue_pool.get().await.map_err(|error| problem(error.into()))?;
        Reading::open(client, queries.memory.clone()).await.map_err(problem)
    }

    /// Waits until read models show what the asker has seen; refuses what they have set aside.
    async fn seen(&self, queries: &Queries, views: &[&str]) -> Result<(), Problem> {
        if let Some(position) = self.wait_for.0 {
            queries.views.wait(views, Position(position)).await.map_err(problem)?;
        }
        for view in views {
            let aside = queries.views.set_aside(&[view], self.company());
            let asked =
                |aside: &&SetAside| self.asks_for(aside.key) && !buyer::is_copied(view, aside);
            if let Some(asked) = aside.iter().find(asked) {
                return Err(set_aside(asked.position));
            }
            self.left_out.add(aside.len());
        }
        Ok(())
    }

    /// Whether the request is about this one thing: it names it, or whoever asks is it.
    fn asks_for(&self, id: Uuid) -> bool {
        self.company() == Some(id) || self.named.contains(&id)
    }
}

/// What is asked for is not shown: an event of it could not be applied.
fn set_aside(position: Position) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "read_model.set_aside").detail(format!(
        "the read model cannot show the event at position {position} and leaves out what it is of, \
         until an operator has mended it; history has it all"
    ))
}

/// A query that came to nothing.
#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(crate) fn problem(error: ReadError) -> Problem {
    match &error {
        ReadError::Beyond { .. } => {
            position::invalid(FieldError::parameter("wait_for", error.to_string()))
        }
        ReadError::Behind { reached, wanted } => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "read_model.behind")
                .detail(format!("the read model shows position {reached}, not yet {wanted}"))
                .retry_after(1)
        }
        ReadError::Unavailable(_) => Problem::unavailable("the read models do not answer"),
        ReadError::Database(cause) if postgres::is_unavailable(cause) => {
            Problem::unavailable("the read models do not answer")
        }
        ReadError::Log(cause) if cause.is_transient() => {
            Problem::unavailable("history does not answer")
        }
        ReadError::Database(_) | ReadError::Malformed | ReadError::Log(_) => {
            Problem::internal(&error)
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker
where
    Access: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, state).await?;
        let wait_for = WaitFor::from_request_parts(parts, state).await?;
        let asker = Self::new(principal, wait_for).about(left_out::named(&parts.uri));
        Ok(Self { left_out: LeftOut::of(parts), ..asker })
    }
}

impl AsRef<Principal> for Asker {
    fn as_ref(&self) -> &Principal {
        &self.principal
    }
}

impl OperationInput for Asker {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Principal::operation_input(ctx, operation);
        WaitFor::operation_input(ctx, operation);
    }
}
