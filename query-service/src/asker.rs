//! Who asks, and how much it may see.

use std::marker::PhantomData;

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use deadpool_postgres::Object;
use event_log::Position;
use projections::ReadError;
use service_kit::{
    access::{Access, Allowed, Principal, Role, describe_roles},
    position::After,
    problem::Problem,
};
use uuid::Uuid;

use crate::Queries;

/// Everybody reads the trade that it may see.
pub(crate) struct Trade;

impl Allowed for Trade {
    const ROLES: &'static [Role] = &Role::ALL;
}

/// Who reads what is owed and paid.
pub(crate) struct Money;

impl Allowed for Money {
    const ROLES: &'static [Role] = &[
        Role::Admin,
        Role::Sales,
        Role::SalesManager,
        Role::Accounting,
        Role::CompanyAdmin,
        Role::Purchaser,
        Role::Approver,
        Role::Integrator,
        Role::Auditor,
    ];
}

/// Who reads history.
pub(crate) struct History;

impl Allowed for History {
    const ROLES: &'static [Role] = &[Role::Admin, Role::Integrator, Role::Auditor];
}

/// An asker with one of the roles of `A`.
pub(crate) struct By<A> {
    pub(crate) asker: Asker,
    roles: PhantomData<fn() -> A>,
}

impl<S: Send + Sync, A: Allowed> FromRequestParts<S> for By<A>
where
    Access: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asker = Asker::from_request_parts(parts, state).await?;
        asker.principal.require(A::ROLES)?;
        Ok(Self { asker, roles: PhantomData })
    }
}

impl<A: Allowed> OperationInput for By<A> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Asker::operation_input(ctx, operation);
        describe_roles(operation, A::ROLES);
    }
}

/// Somebody with a question.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    principal: Principal,
    after: After,
}

impl Asker {
    /// The only company that it sees.
    pub(crate) fn company(&self) -> Option<Uuid> {
        self.principal.company
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
        if let Some(position) = self.after.0 {
            queries.views.wait(views, Position(position)).await.map_err(problem)?;
        }
        queries.views.client().await.map_err(problem)
    }
}

/// A query that came to nothing.
#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(crate) fn problem(error: ReadError) -> Problem {
    match &error {
        ReadError::Behind { reached, wanted } => {
            Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "read_model.behind")
                .detail(format!("the read model shows position {reached}, not yet {wanted}"))
                .retry_after(1)
        }
        ReadError::Unavailable(_) => Problem::unavailable("the read models do not answer"),
        ReadError::Database(cause) if cause.code().is_none() => {
            Problem::unavailable("the read models do not answer")
        }
        ReadError::Database(_) | ReadError::Malformed => Problem::internal(&error),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker
where
    Access: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self {
            principal: Principal::from_request_parts(parts, state).await?,
            after: After::from_request_parts(parts, state).await?,
        })
    }
}

impl OperationInput for Asker {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Principal::operation_input(ctx, operation);
        After::operation_input(ctx, operation);
    }
}
