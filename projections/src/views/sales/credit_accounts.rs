//! `credit_accounts`: what every company uses of a credit limit, and the orders that wait for credit.

use domain::{
    CompanyId, Currency, Event, Money, OrderId,
    credit_account::{self, HoldReason},
    sales,
};
use event_log::RecordedEvent;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, money, parsed},
};

/// Sums per company and currency, and the orders on hold.
///
/// Always: exposure = reserved + delivered + open − unallocated.
pub const PROJECTION: Projection = Projection {
    name: "credit_accounts",
    schema: "
        CREATE TABLE credit_accounts (
            company_id uuid NOT NULL,
            currency text NOT NULL CHECK (octet_length(currency) <= 3),
            -- The company whose account it is: this one, or one above it.
            holder_id uuid NOT NULL,
            reserved numeric NOT NULL DEFAULT 0,
            on_hold numeric NOT NULL DEFAULT 0,
            delivered numeric NOT NULL DEFAULT 0,
            open numeric NOT NULL DEFAULT 0,
            unallocated numeric NOT NULL DEFAULT 0,
            PRIMARY KEY (company_id, currency)
        );
        CREATE INDEX ON credit_accounts (holder_id, currency);
        -- The id of an account tells neither.
        CREATE TABLE credit_account_holders (
            account_id uuid PRIMARY KEY,
            holder_id uuid NOT NULL,
            currency text NOT NULL
        );
        CREATE TABLE credit_holds (
            order_id uuid PRIMARY KEY,
            company_id uuid NOT NULL,
            currency text NOT NULL CHECK (octet_length(currency) <= 3),
            amount numeric NOT NULL,
            reasons jsonb NOT NULL,
            placed_at timestamptz NOT NULL
        );
        CREATE INDEX ON credit_holds (company_id, currency, placed_at)",
    tables: &["credit_accounts", "credit_account_holders", "credit_holds"],
    reads: &["credit_account"],
    aside: aside::stream,
    apply,
    build: build::CREDIT_ACCOUNTS,
};

const OPEN_ACCOUNT: &str = "
    INSERT INTO credit_account_holders (account_id, holder_id, currency) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";
const ADD: &str = "
    INSERT INTO credit_accounts AS present
        (company_id, currency, holder_id, reserved, on_hold, delivered, open, unallocated)
    SELECT $1, $2, account.holder_id, $4, $5, $6, $7, $8
    FROM credit_account_holders account WHERE account.account_id = $3
    ON CONFLICT (company_id, currency) DO UPDATE SET
        holder_id = excluded.holder_id,
        reserved = present.reserved + excluded.reserved,
        on_hold = present.on_hold + excluded.on_hold,
        delivered = present.delivered + excluded.delivered,
        open = present.open + excluded.open,
        unallocated = present.unallocated + excluded.unallocated";
const MOVE: &str = "
    UPDATE credit_accounts SET holder_id = account.holder_id
    FROM credit_account_holders account
    WHERE account.account_id = $2 AND credit_accounts.company_id = $1
        AND credit_accounts.currency = account.currency";
const HOLD: &str = "
    INSERT INTO credit_holds (order_id, company_id, currency, amount, reasons, placed_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const RELEASE: &str = "DELETE FROM credit_holds WHERE order_id = $1";

/// The account of a company in every currency in which its line has a limit, or it has something.
const OF_COMPANY: &str = "
    WITH RECURSIVE line AS (
        SELECT id, parent_id, credit_limits, ARRAY[id] AS seen
        FROM view.companies WHERE id = $1
        UNION ALL
        SELECT above.id, above.parent_id, above.credit_limits, seen || above.id
        FROM line JOIN view.companies above ON above.id = line.parent_id
        WHERE above.id <> ALL(seen)),
    used AS (
        SELECT DISTINCT jsonb_object_keys(credit_limits) AS currency FROM line
        UNION SELECT currency FROM view.credit_accounts WHERE company_id = $1),
    held AS (
        SELECT currency, coalesce(
            (SELECT id FROM line WHERE credit_limits ? currency
                ORDER BY cardinality(seen) LIMIT 1),
            (SELECT id FROM line ORDER BY cardinality(seen) DESC LIMIT 1)) AS holder_id
        FROM used)
    SELECT held.currency, held.holder_id,
        (line.credit_limits -> held.currency ->> 'amount')::numeric AS credit_limit,
        greatest(least((SELECT coalesce(sum(reserved + delivered + open - unallocated), 0)
            FROM view.credit_accounts part
            WHERE part.holder_id = held.holder_id AND part.currency = held.currency), $2),
            -$2::numeric) AS exposure,
        least(coalesce(own.reserved, 0), $2) AS reserved,
        least(coalesce(own.on_hold, 0), $2) AS on_hold,
        least(coalesce(own.delivered, 0), $2) AS delivered,
        greatest(least(coalesce(own.open, 0), $2), -$2::numeric) AS open,
        greatest(least(coalesce(own.unallocated, 0), $2), -$2::numeric) AS unallocated
    FROM held JOIN line ON line.id = held.holder_id
        LEFT JOIN view.credit_accounts own
            ON own.company_id = $1 AND own.currency = held.currency
    ORDER BY held.currency";
/// Those that wait for the same limit, oldest first, as they are released.
const HOLDS: &str = "
    SELECT hold.order_id, hold.company_id, hold.currency, hold.amount, hold.reasons, hold.placed_at
    FROM view.credit_accounts part
        JOIN view.credit_holds hold
            ON hold.company_id = part.company_id AND hold.currency = part.currency
    WHERE part.holder_id = $1 AND part.currency = $2
        AND ($3::uuid IS NULL OR part.company_id = $3)
    ORDER BY hold.placed_at, hold.order_id LIMIT $4";

/// What an event adds to the sums of a company.
#[derive(Clone, Copy)]
struct Delta {
    reserved: Money,
    on_hold: Money,
    delivered: Money,
    open: Money,
    unallocated: Money,
}

impl Delta {
    fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { reserved: zero, on_hold: zero, delivered: zero, open: zero, unallocated: zero }
    }

    fn change(self, account: Uuid, company: CompanyId) -> Change {
        change!(
            ADD,
            company.0,
            self.open.currency().code(),
            account,
            self.reserved.amount(),
            self.on_hold.amount(),
            self.delivered.amount(),
            self.open.amount(),
            self.unallocated.amount()
        )
    }
}

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    use credit_account::Event as E;
    let Event::Sales(sales::Event::CreditAccount(event)) = event else { return vec![] };
    let account = recorded.stream_id;
    match event {
        E::Opened { holder, currency } => {
            vec![change!(OPEN_ACCOUNT, account, holder.0, currency.code())]
        }
        E::CompanyLeft { .. } => vec![],
        E::CompanyJoined { company, .. } => vec![change!(MOVE, company.0, account)],
        event => {
            let Some((company, delta)) = delta_of(event) else { return vec![] };
            std::iter::once(delta.change(account, company)).chain(hold_of(event)).collect()
        }
    }
}

fn delta_of(event: &credit_account::Event) -> Option<(CompanyId, Delta)> {
    use credit_account::Event as E;
    Some(match event {
        E::Opened { .. } | E::CompanyLeft { .. } | E::CompanyJoined { .. } => return None,
        E::Reserved { company, amount, held_for, .. } => {
            let none = Delta::none(amount.currency());
            let delta = if held_for.is_empty() {
                Delta { reserved: *amount, ..none }
            } else {
                Delta { on_hold: *amount, ..none }
            };
            (*company, delta)
        }
        E::HoldReleased { company, amount, .. } => {
            let none = Delta::none(amount.currency());
            (*company, Delta { on_hold: less(*amount), reserved: *amount, ..none })
        }
        E::Freed { company, amount, was_on_hold, .. } => {
            let none = Delta::none(amount.currency());
            let delta = if *was_on_hold {
                Delta { on_hold: less(*amount), ..none }
            } else {
                Delta { reserved: less(*amount), ..none }
            };
            (*company, delta)
        }
        E::Delivered { company, amount, from_reserved, .. } => {
            let none = Delta::none(amount.currency());
            (*company, Delta { reserved: less(*from_reserved), delivered: *amount, ..none })
        }
        E::Invoiced { company, amount, from_delivered, .. } => {
            let none = Delta::none(amount.currency());
            (*company, Delta { delivered: less(*from_delivered), open: *amount, ..none })
        }
        E::Credited { company, amount, .. } | E::Paid { company, amount, .. } => {
            (*company, Delta { unallocated: *amount, ..Delta::none(amount.currency()) })
        }
        E::Allocated { company, amount, .. } => {
            let none = Delta::none(amount.currency());
            (*company, Delta { open: less(*amount), unallocated: less(*amount), ..none })
        }
    })
}

/// What changes among the orders on hold.
fn hold_of(event: &credit_account::Event) -> Option<Change> {
    use credit_account::Event as E;
    match event {
        E::Reserved { company, order, amount, at, held_for, .. } if !held_for.is_empty() => {
            Some(change!(
                HOLD,
                order.0,
                company.0,
                amount.currency().code(),
                amount.amount(),
                Json(held_for.clone()),
                *at
            ))
        }
        E::HoldReleased { order, .. } | E::Freed { order, was_on_hold: true, .. } => {
            Some(change!(RELEASE, order.0))
        }
        E::Opened { .. }
        | E::Reserved { .. }
        | E::Freed { .. }
        | E::Delivered { .. }
        | E::Invoiced { .. }
        | E::Credited { .. }
        | E::Paid { .. }
        | E::Allocated { .. }
        | E::CompanyLeft { .. }
        | E::CompanyJoined { .. } => None,
    }
}

fn less(amount: Money) -> Money {
    Money::zero(amount.currency()).minus(amount).unwrap_or(amount)
}

/// What a company uses of a credit limit in one currency.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "CompanyCredit")]
pub struct Credit {
    /// In which currency.
    pub currency: Currency,
    /// The company whose limit it is: this one, or one above it. Only the seller sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<CompanyId>,
    /// The limit; missing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Money>,
    /// What all companies under the limit use of it. Only the seller sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Money>,
    /// What is left of the limit; negative when it is exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Money>,
    /// Orders of the company that have not left, without those on hold.
    pub reserved: Money,
    /// Orders of the company on hold.
    pub on_hold: Money,
    /// What left and is not invoiced yet.
    pub delivered: Money,
    /// What is open on its invoices.
    pub open: Money,
    /// Payments and credit notes that are not allocated to an invoice.
    pub unallocated: Money,
    /// The orders that wait for the limit, oldest first; a company sees its own.
    pub holds: Vec<Hold>,
}

/// An order on credit hold.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "CreditHold")]
pub struct Hold {
    /// The order.
    pub order: OrderId,
    /// Who ordered.
    pub company: CompanyId,
    /// Its gross sum.
    pub amount: Money,
    /// Why it is on hold.
    pub reasons: Vec<HoldReason>,
    /// When it was placed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub placed_at: Timestamp,
}

/// The most orders on hold that are shown.
const MOST_HOLDS: i64 = 200;

/// What a company uses of its credit limits, by currency; with what others use of them when
/// `whole` is said.
pub async fn of_company(
    client: &Client,
    company: Uuid,
    whole: bool,
) -> Result<Vec<Credit>, ReadError> {
    let rows = client.query(OF_COMPANY, &[&company, &Money::LARGEST_SUM]).await?;
    let mut credits = Vec::with_capacity(rows.len());
    for row in &rows {
        let currency: Currency = parsed(row, "currency")?;
        let holder: Uuid = row.get("holder_id");
        let own = (!whole).then_some(company);
        let holds = client.query(HOLDS, &[&holder, &currency.code(), &own, &MOST_HOLDS]).await?;
        let exposure = money(row, "exposure", currency)?;
        let limit = row.get::<_, Option<rust_decimal::Decimal>>("credit_limit");
        let limit = limit.map(|limit| Money::new(limit, currency)).transpose();
        let limit = limit.map_err(|_| ReadError::Malformed)?;
        let left = limit.map(|limit| limit.minus(exposure)).transpose();
        credits.push(Credit {
            currency,
            holder: whole.then_some(CompanyId(holder)),
            limit,
            exposure: whole.then_some(exposure),
            left: left.map_err(|_| ReadError::Malformed)?,
            reserved: money(row, "reserved", currency)?,
            on_hold: money(row, "on_hold", currency)?,
            delivered: money(row, "delivered", currency)?,
            open: money(row, "open", currency)?,
            unallocated: money(row, "unallocated", currency)?,
            holds: holds.iter().map(hold).collect::<Result<_, _>>()?,
        });
    }
    Ok(credits)
}

fn hold(row: &Row) -> Result<Hold, ReadError> {
    Ok(Hold {
        order: OrderId(row.get("order_id")),
        company: CompanyId(row.get("company_id")),
        amount: money(row, "amount", parsed(row, "currency")?)?,
        reasons: json(row, "reasons")?,
        placed_at: row.get("placed_at"),
    })
}
