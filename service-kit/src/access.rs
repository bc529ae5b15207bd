//! Authentication and roles: API keys, their roles and companies.

use std::{
    collections::{HashMap, HashSet},
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aide::OperationInput;
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use deadpool_postgres::Pool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{migrations::Migration, postgres, problem::Problem};

/// The migrations of schema `access`, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "access", sql: include_str!("../migrations/0001_access.sql") },
    Migration { number: 2, name: "employee", sql: include_str!("../migrations/0002_employee.sql") },
];

/// The role of an API key: that of its employee (`domain::Role`), or of a connected system. What a
/// role may do is in [`crate::permissions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Seller: everything.
    Admin,
    /// Seller: offers and orders.
    Sales,
    /// Seller: offers, orders and prices.
    SalesManager,
    /// Seller: shipments.
    Warehouse,
    /// Seller: invoices and payments.
    Accounting,
    /// Buyer: everything of its company.
    CompanyAdmin,
    /// Buyer: orders.
    Purchaser,
    /// Buyer: approvals.
    Approver,
    /// A connected system: reads the event history, of its company if it has one.
    Integrator,
    /// Reads everything, and changes nothing.
    Auditor,
}

impl KeyRole {
    /// All roles.
    pub const ALL: [Self; 10] = [
        Self::Admin,
        Self::Sales,
        Self::SalesManager,
        Self::Warehouse,
        Self::Accounting,
        Self::CompanyAdmin,
        Self::Purchaser,
        Self::Approver,
        Self::Integrator,
        Self::Auditor,
    ];

    /// Its name in JSON and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Sales => "sales",
            Self::SalesManager => "sales_manager",
            Self::Warehouse => "warehouse",
            Self::Accounting => "accounting",
            Self::CompanyAdmin => "company_admin",
            Self::Purchaser => "purchaser",
            Self::Approver => "approver",
            Self::Integrator => "integrator",
            Self::Auditor => "auditor",
        }
    }

    /// Whether it is a role of a company, not of the seller.
    pub const fn is_buyer(self) -> bool {
        matches!(self, Self::CompanyAdmin | Self::Purchaser | Self::Approver)
    }
}

impl std::str::FromStr for KeyRole {
    type Err = AccessError;

    fn from_str(name: &str) -> Result<Self, AccessError> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or(AccessError::UnknownRole)
    }
}

/// A permission: the roles that have it. It is a type, so that the signature of a handler states
/// who may call it.
pub trait Allowed: Send + Sync + 'static {
    /// The roles.
    const ROLES: &'static [KeyRole];
}

/// The caller as `W`, with one of the roles of `A`. Other roles are refused before the body is
/// read, and the OpenAPI document names the roles.
pub struct By<A, W = Principal> {
    /// The caller.
    pub who: W,
    roles: PhantomData<fn() -> A>,
}

impl<S, A, W> FromRequestParts<S> for By<A, W>
where
    S: Send + Sync,
    A: Allowed,
    W: FromRequestParts<S, Rejection = Problem> + AsRef<Principal>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let who = W::from_request_parts(parts, state).await?;
        who.as_ref().require(A::ROLES)?;
        Ok(Self { who, roles: PhantomData })
    }
}

impl<A: Allowed, W: OperationInput> OperationInput for By<A, W> {
    fn operation_input(
        ctx: &mut aide::generate::GenContext,
        operation: &mut aide::openapi::Operation,
    ) {
        W::operation_input(ctx, operation);
        let names: Vec<&str> = A::ROLES.iter().map(|role| role.name()).collect();
        operation.description = Some(format!("Roles: {}.", names.join(", ")));
    }
}

/// The caller: the holder of a valid key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The id of the key.
    pub key: Uuid,
    /// The role.
    pub role: KeyRole,
    /// The company to which it is restricted; `None` for the seller.
    pub company: Option<Uuid>,
    /// The employee to whom the key belongs, if it belongs to one.
    pub employee: Option<Uuid>,
}

impl Principal {
    /// Refuses callers whose role is not one of these.
    pub fn require(&self, roles: &[KeyRole]) -> Result<(), Problem> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        Err(Problem::new(StatusCode::FORBIDDEN, "role_not_allowed").detail(format!(
            "requires one of the roles {}; the key has {}",
            names.join(", "),
            self.role.name()
        )))
    }

    /// Answers `not_found` for a resource of a company that the caller may not see.
    pub fn must_see(&self, company: Option<Uuid>) -> Result<(), Problem> {
        match self.company {
            Some(own) if company != Some(own) => Err(Problem::not_found()),
            Some(_) | None => Ok(()),
        }
    }

    /// The actor of events: the employee, or the key if it has no employee.
    pub fn actor(&self) -> String {
        match self.employee {
            Some(employee) => format!("employee:{employee}"),
            None => format!("key:{}", self.key),
        }
    }
}

/// A key without its secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApiKey {
    /// Its id.
    pub id: Uuid,
    /// Its label.
    pub name: String,
    /// The role.
    pub role: KeyRole,
    /// The company to which it is restricted.
    pub company: Option<Uuid>,
    /// The employee to whom the key belongs, if it belongs to one.
    pub employee: Option<Uuid>,
    /// Whether it is revoked.
    pub revoked: bool,
}

/// A key to create.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// Its label.
    pub name: &'a str,
    /// The role.
    pub role: KeyRole,
    /// The company to which it is restricted.
    pub company: Option<Uuid>,
    /// The employee to whom the key belongs, if it belongs to one.
    pub employee: Option<Uuid>,
}

/// Why an operation on keys failed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Unknown role.
    #[error("the role must be one of {}", KeyRole::ALL.map(KeyRole::name).join(", "))]
    UnknownRole,
    /// A buyer without a company, or a seller with one.
    #[error("a buyer's key needs a company, and a seller's must not have one")]
    CompanyDoesNotFit,
    /// It was created before, and its secret was shown then.
    #[error(
        "this key was created before, and its secret is shown only once: revoke {id} and create another"
    )]
    AlreadyMade {
        /// The key.
        id: Uuid,
    },
    /// PostgreSQL returned an error.
    #[error("PostgreSQL reported an error about API keys")]
    Database(#[from] tokio_postgres::Error),
    /// PostgreSQL cannot be reached.
    #[error("PostgreSQL cannot be reached")]
    Unavailable(#[from] deadpool_postgres::PoolError),
}

/// The keys. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    pool: Pool,
    /// A cache of recently used keys, so that a request costs no query; a revoked key is refused
    /// after [`Access::MEMORY`].
    seen: Arc<Mutex<HashMap<Uuid, Seen>>>,
}

type Seen = (Instant, Digest32, Principal);
type Digest32 = [u8; 32];

const CREATE: &str = "\
    WITH made AS (
        INSERT INTO access.api_keys (id, secret_sha256, name, role, company_id)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING RETURNING id),
    theirs AS (
        INSERT INTO access.employee_keys (key_id, employee_id)
        SELECT id, $6 FROM made WHERE $6::uuid IS NOT NULL)
    SELECT id FROM made";
const FIND: &str = "\
    SELECT secret_sha256, role, company_id, employee_id
    FROM access.api_keys LEFT JOIN access.employee_keys ON key_id = id
    WHERE id = $1 AND revoked_at IS NULL";
const FIND_ALL: &str = "\
    SELECT id, role, company_id, employee_id
    FROM access.api_keys LEFT JOIN access.employee_keys ON key_id = id
    WHERE id = ANY($1) AND revoked_at IS NULL";
const OF_COMPANIES: &str =
    "SELECT id FROM access.api_keys WHERE id = ANY($1) AND company_id IS NOT NULL";
const LIST: &str = "\
    SELECT id, name, role, company_id, employee_id, revoked_at IS NOT NULL
    FROM access.api_keys LEFT JOIN access.employee_keys ON key_id = id
    WHERE $1::uuid IS NULL OR company_id = $1 ORDER BY id";
const SHOW: &str = "\
    SELECT id, name, role, company_id, employee_id, revoked_at IS NOT NULL
    FROM access.api_keys LEFT JOIN access.employee_keys ON key_id = id
    WHERE id = $1";
const REVOKE: &str = "\
    UPDATE access.api_keys SET revoked_at = coalesce(revoked_at, now())
    WHERE id = $1 AND ($2::uuid IS NULL OR company_id = $2)";
const REVOKE_ALL: &str = "\
    UPDATE access.api_keys SET revoked_at = coalesce(revoked_at, now())
    FROM access.employee_keys WHERE key_id = id AND employee_id = $1";
const ASSIGN_ROLE: &str = "\
    UPDATE access.api_keys SET role = $2
    FROM access.employee_keys WHERE key_id = id AND employee_id = $1";

impl Access {
    /// The time to live of the cache.
    pub const MEMORY: Duration = Duration::from_secs(5);

    /// The keys in a database whose schema `access` is migrated.
    pub fn new(pool: Pool) -> Self {
        Self { pool, seen: Arc::default() }
    }

    /// Creates a key with this id, once. The result is the only copy of its secret.
    pub async fn create(&self, id: Uuid, key: NewKey<'_>) -> Result<String, AccessError> {
        let NewKey { name, role, company, employee } = key;
        let fits = role.is_buyer() == company.is_some() || role == KeyRole::Integrator;
        if !fits {
            return Err(AccessError::CompanyDoesNotFit);
        }
        let secret: Digest32 = rand::random();
        let digest = digest(&secret).to_vec();
        let client = self.pool.get().await?;
        let made = client
            .query_opt(CREATE, &[&id, &digest, &name, &role.name(), &company, &employee])
            .await?;
        if made.is_none() {
            return Err(AccessError::AlreadyMade { id });
        }
        Ok(format!("kontor_{}_{}", id.simple(), URL_SAFE_NO_PAD.encode(secret)))
    }

    /// All keys, or those of one company, oldest first.
    pub async fn list(&self, company: Option<Uuid>) -> Result<Vec<ApiKey>, AccessError> {
        let rows = self.pool.get().await?.query(LIST, &[&company]).await?;
        rows.iter().map(api_key).collect()
    }

    /// A key, also a revoked one.
    pub async fn show(&self, id: Uuid) -> Result<Option<ApiKey>, AccessError> {
        let row = self.pool.get().await?.query_opt(SHOW, &[&id]).await?;
        row.as_ref().map(api_key).transpose()
    }

    /// Revokes a key; `false` if it does not exist or belongs to another company.
    pub async fn revoke(&self, id: Uuid, company: Option<Uuid>) -> Result<bool, AccessError> {
        let revoked = self.pool.get().await?.execute(REVOKE, &[&id, &company]).await?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        Ok(revoked > 0)
    }

    /// Revokes all keys of an employee.
    pub async fn revoke_all(&self, employee: Uuid) -> Result<(), AccessError> {
        self.pool.get().await?.execute(REVOKE_ALL, &[&employee]).await?;
        self.forget(employee);
        Ok(())
    }

    /// Changes the role of the keys of an employee.
    pub async fn assign_role(&self, employee: Uuid, role: KeyRole) -> Result<(), AccessError> {
        self.pool.get().await?.execute(ASSIGN_ROLE, &[&employee, &role.name()]).await?;
        self.forget(employee);
        Ok(())
    }

    fn forget(&self, employee: Uuid) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, (_, _, principal)| principal.employee != Some(employee));
    }

    /// The principals of those keys that are valid, read from the database.
    pub async fn principals(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Principal>, AccessError> {
        let rows = self.pool.get().await?.query(FIND_ALL, &[&keys]).await?;
        rows.iter()
            .map(|row| {
                let key = row.get(0);
                let role = row.get::<_, &str>(1).parse()?;
                let (company, employee) = (row.get(2), row.get(3));
                Ok((key, Principal { key, role, company, employee }))
            })
            .collect()
    }

    /// The keys among some that belong to companies, also revoked ones.
    pub async fn of_companies(&self, keys: &[Uuid]) -> Result<HashSet<Uuid>, AccessError> {
        let rows = self.pool.get().await?.query(OF_COMPANIES, &[&keys]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The principal of a key; `None` if it is not valid.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Principal>, AccessError> {
        let Some((id, shown)) = parts(token) else { return Ok(None) };
        let remembered = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.get(&id).filter(|(at, ..)| at.elapsed() < Self::MEMORY).cloned()
        };
        let (known, principal) = match remembered {
            Some((_, known, principal)) => (known, principal),
            None => {
                let client = self.pool.get().await?;
                let statement = client.prepare_cached(FIND).await?;
                let Some(row) = client.query_opt(&statement, &[&id]).await? else {
                    return Ok(None);
                };
                let mut known = Digest32::default();
                known.copy_from_slice(row.get(0));
                let role = row.get::<_, &str>(1).parse()?;
                let (company, employee) = (row.get(2), row.get(3));
                let principal = Principal { key: id, role, company, employee };
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.retain(|_, (at, ..)| at.elapsed() < Self::MEMORY);
                seen.insert(id, (Instant::now(), known, principal.clone()));
                (known, principal)
            }
        };
        Ok(same(&known, &shown).then_some(principal))
    }
}

fn api_key(row: &Row) -> Result<ApiKey, AccessError> {
    Ok(ApiKey {
        id: row.get(0),
        name: row.get(1),
        role: row.get::<_, &str>(2).parse()?,
        company: row.get(3),
        employee: row.get(4),
        revoked: row.get(5),
    })
}

/// The id of a token and the digest of its secret.
fn parts(token: &str) -> Option<(Uuid, Digest32)> {
    let (id, secret) = token.strip_prefix("kontor_")?.split_once('_')?;
    let secret = URL_SAFE_NO_PAD.decode(secret).ok().filter(|secret| secret.len() == 32)?;
    Some((id.parse().ok()?, digest(&secret)))
}

fn digest(secret: &[u8]) -> Digest32 {
    Sha256::digest(secret).into()
}

/// Compares in constant time.
fn same(a: &Digest32, b: &Digest32) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

impl<S: Send + Sync> FromRequestParts<S> for Principal
where
    Access: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
            .map(|(_, token)| token.trim());
        let unauthenticated = || {
            Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated")
                .detail("send a valid API key as Authorization: Bearer kontor_…")
        };
        let token = token.ok_or_else(unauthenticated)?;
        match Access::from_ref(state).authenticate(token).await {
            Ok(principal) => principal.ok_or_else(unauthenticated),
            Err(error) => Err(Problem::from(error)),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::CompanyDoesNotFit | AccessError::UnknownRole => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "api_key.company_does_not_fit")
                    .detail(error.to_string())
            }
            AccessError::AlreadyMade { .. } => {
                Self::new(StatusCode::CONFLICT, "api_key.already_made").detail(error.to_string())
            }
            AccessError::Unavailable(_) => Self::unavailable("the API keys are unavailable"),
            AccessError::Database(ref cause) if postgres::is_unavailable(cause) => {
                Self::unavailable("the API keys are unavailable")
            }
            AccessError::Database(_) => Self::internal(&error),
        }
    }
}

impl OperationInput for Principal {
    fn operation_input(
        _: &mut aide::generate::GenContext,
        operation: &mut aide::openapi::Operation,
    ) {
        operation.security.push([("api_key".to_owned(), Vec::new())].into_iter().collect());
    }
}
