//! The asker of a query, and what it may see.

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

/// An asker of a request.
#[derive(Debug, Clone)]
pub struct Asker {
    principal: Principal,
    wait_for: WaitFor,
    /// The ids in the request.
    named: Vec<Uuid>,
    left_out: LeftOut,
}

impl Asker {
    /// An authenticated principal, and the position that the answer must include.
    pub fn new(principal: Principal, wait_for: WaitFor) -> Self {
        Self { principal, wait_for, named: Vec::new(), left_out: LeftOut::default() }
    }

    /// Names the items that the query concerns: if one of them is set aside, the query is refused.
    #[must_use]
    pub fn about(self, named: Vec<Uuid>) -> Self {
        Self { named, ..self }
    }

    /// The number of items set aside in the read models of the answers so far that the asker may
    /// know of.
    pub fn left_out(&self) -> usize {
        self.left_out.count()
    }

    /// Refuses an asker without a role of `A`.
    pub(crate) fn require<A: Allowed>(&self) -> Result<(), Problem> {
        self.require_one_of(A::ROLES)
    }

    /// Refuses an asker without one of these roles.
    pub(crate) fn require_one_of(&self, roles: &[Role]) -> Result<(), Problem> {
        self.principal.require(roles)
    }

    /// The company to which the asker is restricted.
    pub(crate) fn company(&self) -> Option<Uuid> {
        self.principal.company
    }

    /// The employee to whom the key belongs.
    pub(crate) fn employee(&self) -> Option<EmployeeId> {
        self.principal.employee.map(EmployeeId)
    }

    /// The employee for filters with `mine`.
    pub(crate) fn key(&self) -> Uuid {
        self.principal.key
    }

    /// The role.
    pub(crate) fn role(&self) -> Role {
        self.principal.role
    }

    /// The side of the asker.
    pub(crate) fn side(&self) -> Side {
        if self.principal.role.is_buyer() { Side::Buyer } else { Side::Seller }
    }

    /// The actor as events record it: the employee, or the API key if it belongs to no employee.
    pub(crate) fn actor(&self) -> ActorId {
        ActorId(self.principal.employee.unwrap_or(self.principal.key))
    }

    /// Restricts a company filter to what the asker may see: its own company, or any for the
    /// seller. Another company is answered as one that does not exist.
    pub(crate) fn narrowed(&self, wanted: Option<Uuid>) -> Result<Option<Uuid>, Problem> {
        match (self.principal.company, wanted) {
            (Some(own), Some(other)) if own != other => Err(Problem::not_found()),
            (Some(own), _) => Ok(Some(own)),
            (None, wanted) => Ok(wanted),
        }
    }

    /// A connection to read models that include the position the asker waits for.
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

    /// Waits until read models have reached the position; refuses items that they have set aside.
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

    /// Whether the request concerns this item: it names it, or it is the asker's own company.
    fn asks_for(&self, id: Uuid) -> bool {
        self.company() == Some(id) || self.named.contains(&id)
    }
}

/// The problem of an item that is set aside, because one of its events could not be applied.
fn set_aside(position: Position) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "read_model.set_aside").detail(format!(
        "the read model cannot show the event at position {position} and leaves out what it is of, \
         until an operator has mended it; history has it all"
    ))
}

/// The problem of a failed query.
#[allow(clippy::needless_pass_by_value, reason = "the signature that `map_err` requires")]
pub(crate) fn problem(error: ReadError) -> Problem {
    match &error {
        ReadError::Beyond { .. } => {
            position::invalid(FieldError::parameter("wait_for", error.to_string()))
        }
        ReadError::Behind { reached, wanted } => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "read_model.behind")
                .detail(format!("the read model has reached position {reached}, not yet {wanted}"))
                .retry_after(1)
        }
        ReadError::Unavailable(_) => Problem::unavailable("the read models are unavailable"),
        ReadError::Database(cause) if postgres::is_unavailable(cause) => {
            Problem::unavailable("the read models are unavailable")
        }
        ReadError::Log(cause) if cause.is_transient() => {
            Problem::unavailable("the log is unavailable")
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
