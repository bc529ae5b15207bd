//! `employees`: employees with role, limits, scope and substitute.

use std::collections::BTreeMap;

use domain::{
    CompanyId, Currency, EmployeeId, Event, Money, Role,
    employee::{self, Absence, DiscountLimit, Period, Person, Profile, Scope},
    parties,
};
use event_log::RecordedEvent;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, name_of, word},
};

/// Employees by id.
pub const PROJECTION: Projection = Projection {
    name: "employees",
    schema: "
        CREATE TABLE employees (
            id uuid PRIMARY KEY,
            -- Nothing at the seller.
            company_id uuid,
            profile jsonb NOT NULL,
            role text NOT NULL,
            -- By period, then by currency.
            limits jsonb NOT NULL DEFAULT '{\"order\": {}, \"day\": {}, \"month\": {}}',
            discount jsonb NOT NULL DEFAULT '{\"kind\": \"free\"}',
            scope jsonb NOT NULL DEFAULT '{}',
            substitute_id uuid,
            absent_from date,
            absent_until date,
            has_left boolean NOT NULL DEFAULT false,
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON employees (company_id, created);
        CREATE INDEX ON employees (substitute_id)",
    tables: &["employees"],
    reads: &["employee"],
    aside: aside::stream,
    apply,
    build: build::EMPLOYEES,
};

const ENGAGE: &str = "
    INSERT INTO employees (id, company_id, profile, role, created) VALUES ($1, $2, $3, $4, $5)";
const NOTE_PROFILE: &str = "UPDATE employees SET profile = $2 WHERE id = $1";
const ASSIGN_ROLE: &str = "UPDATE employees SET role = $2 WHERE id = $1";
const GRANT: &str =
    "UPDATE employees SET limits = jsonb_set(limits, ARRAY[$2, $3::text], $4) WHERE id = $1";
const LIFT: &str = "UPDATE employees SET limits = limits #- ARRAY[$2, $3::text] WHERE id = $1";
const LIMIT_DISCOUNT: &str = "UPDATE employees SET discount = $2 WHERE id = $1";
const RESTRICT: &str = "UPDATE employees SET scope = $2 WHERE id = $1";
const SUBSTITUTE: &str = "
    UPDATE employees SET substitute_id = $2, absent_from = $3, absent_until = $4 WHERE id = $1";
const LEAVE: &str = "UPDATE employees SET has_left = true WHERE id = $1";
const LIST: &str = "
    SELECT id, company_id, profile, role, limits, discount, scope, substitute_id, absent_from,
        absent_until, has_left, created
    FROM view.employees
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR company_id = $2)
        AND ($3::bigint IS NULL OR created > $3)
        AND ($4::uuid IS NULL OR substitute_id = $4
            AND $5 BETWEEN absent_from AND absent_until AND NOT has_left)
    ORDER BY created LIMIT $6";

const GONE: &str = "SELECT id FROM view.employees WHERE id = ANY($1) AND has_left";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    use employee::Event as E;
    let Event::Parties(parties::Event::Employee(event)) = event else { return vec![] };
    let id = recorded.stream_id;
    vec![match event {
        E::Engaged { id, company, profile, role } => change!(
            ENGAGE,
            id.0,
            company.map(Uuid::from),
            Json(profile.clone()),
            name_of(role),
            recorded.position.0.cast_signed()
        ),
        E::ProfileNoted { profile } => change!(NOTE_PROFILE, id, Json(profile.clone())),
        E::RoleAssigned { role } => change!(ASSIGN_ROLE, id, name_of(role)),
        E::LimitGranted { per, limit } => {
            change!(GRANT, id, name_of(per), limit.currency().code(), Json(*limit))
        }
        E::LimitLifted { per, currency } => change!(LIFT, id, name_of(per), currency.code()),
        E::DiscountLimited { limit } => change!(LIMIT_DISCOUNT, id, Json(*limit)),
        E::Restricted { scope } => change!(RESTRICT, id, Json(scope.clone())),
        E::SubstituteNamed { absence: Absence { substitute, from, until } } => {
            change!(SUBSTITUTE, id, Some(substitute.0), Some(*from), Some(*until))
        }
        E::SubstituteDismissed {} => {
            change!(SUBSTITUTE, id, None::<Uuid>, None::<Date>, None::<Date>)
        }
        E::Left {} => change!(LEAVE, id),
    }]
}

/// A current or former employee of a company or of the seller.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Employee {
    /// The id.
    pub id: EmployeeId,
    /// The company; missing for the seller's employees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyId>,
    /// Name and e-mail address.
    #[serde(flatten)]
    pub profile: Profile,
    /// The role.
    pub role: Role,
    /// The spending limits without approval, by period and currency.
    pub limits: BTreeMap<Period, BTreeMap<Currency, Money>>,
    /// The discount limit without approval.
    pub discount: DiscountLimit,
    /// The delivery addresses and cost centres for which the employee may order.
    pub scope: Scope,
    /// The substitute and the days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absence: Option<Absence>,
    /// Whether the employee has left.
    pub has_left: bool,
    /// The position of the engagement; lists are sorted by it.
    #[serde(skip)]
    pub created: i64,
}

impl Employee {
    /// The domain's data of an active employee; `None` if the employee has left.
    pub fn person(&self) -> Option<Person> {
        let Self { id, company, profile, role, limits, discount, scope, absence, .. } =
            self.clone();
        (!self.has_left).then_some(Person {
            id,
            company,
            profile,
            role,
            limits,
            discount,
            scope,
            absence,
        })
    }
}

/// Which employees to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only this employee.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
}

/// Employees in order of engagement, after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: Filter,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Employee>, ReadError> {
    found(client, filter, cursor, None, limit).await
}

/// The employees for whom an employee substitutes on a day.
pub async fn replaced_by(
    client: &Client,
    substitute: EmployeeId,
    on: Date,
) -> Result<Vec<Employee>, ReadError> {
    found(client, Filter::default(), None, Some((substitute, on)), i64::MAX).await
}

/// The employees among some who have left.
pub async fn gone(client: &Client, of: &[EmployeeId]) -> Result<Vec<EmployeeId>, ReadError> {
    if of.is_empty() {
        return Ok(vec![]);
    }
    let of: Vec<Uuid> = of.iter().map(|employee| employee.0).collect();
    let rows = client.query(GONE, &[&of]).await?;
    Ok(rows.iter().map(|row| EmployeeId(row.get(0))).collect())
}

async fn found(
    client: &Client,
    Filter { id, company }: Filter,
    cursor: Option<i64>,
    replaced_by: Option<(EmployeeId, Date)>,
    limit: i64,
) -> Result<Vec<Employee>, ReadError> {
    let (substitute, on) = replaced_by.map(|(employee, on)| (employee.0, on)).unzip();
    let rows = client.query(LIST, &[&id, &company, &cursor, &substitute, &on, &limit]).await?;
    rows.iter().map(employee_of).collect()
}

fn employee_of(row: &Row) -> Result<Employee, ReadError> {
    let absence = match (
        row.get::<_, Option<Uuid>>("substitute_id"),
        row.get("absent_from"),
        row.get("absent_until"),
    ) {
        (Some(substitute), Some(from), Some(until)) => {
            Some(Absence { substitute: EmployeeId(substitute), from, until })
        }
        _ => None,
    };
    Ok(Employee {
        id: EmployeeId(row.get("id")),
        company: row.get::<_, Option<Uuid>>("company_id").map(CompanyId),
        profile: json(row, "profile")?,
        role: word(row, "role")?,
        limits: json(row, "limits")?,
        discount: json(row, "discount")?,
        scope: json(row, "scope")?,
        absence,
        has_left: row.get("has_left"),
        created: row.get("created"),
    })
}
