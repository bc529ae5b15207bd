//! `companies`: companies with their terms and addresses.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Object;
use domain::{
    Address, AddressId, Audience, CompanyId, Currency, Event, GroupCode, Iban, Money, PaymentTerm,
    VatNumber, audience::Member, company, parties,
};
use event_log::RecordedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, json_or_none, word, word_or_none},
};

/// Companies by id.
pub const PROJECTION: Projection = Projection {
    name: "companies",
    schema: "
        CREATE TABLE companies (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            tax_id jsonb NOT NULL,
            reference text CHECK (octet_length(reference) <= 400),
            standing jsonb NOT NULL,
            verified_on date,
            -- Null when that of the firm above it holds.
            payment_term jsonb,
            parent_id uuid,
            group_code text CHECK (octet_length(group_code) <= 256),
            vat_number text,
            billing_address jsonb,
            -- By address id.
            delivery_addresses jsonb NOT NULL DEFAULT '{}',
            bank_accounts jsonb NOT NULL DEFAULT '[]',
            -- By account: what the VAT white list said last.
            bank_account_checks jsonb NOT NULL DEFAULT '{}',
            -- By currency.
            credit_limits jsonb NOT NULL DEFAULT '{}',
            -- Null when that of the firm above it holds.
            credit_grace integer,
            prepayment boolean NOT NULL DEFAULT false,
            -- By currency.
            minimum_orders jsonb NOT NULL DEFAULT '{}',
            created bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON companies (reference);
        CREATE INDEX ON companies (parent_id);
        CREATE INDEX ON companies (group_code)",
    tables: &["companies"],
    reads: &["company"],
    aside: aside::stream,
    apply,
    build: build::COMPANIES,
};

const REGISTER: &str = "
    INSERT INTO companies (id, name, tax_id, reference, standing, payment_term, created)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const RENAME: &str = "UPDATE companies SET name = $2 WHERE id = $1";
const VERIFY: &str = "
    UPDATE companies SET standing = jsonb_build_object('kind', 'verified', 'on', $2::date),
        verified_on = $2 WHERE id = $1";
const SUSPEND: &str = "
    UPDATE companies SET standing = jsonb_strip_nulls(jsonb_build_object(
        'kind', 'suspended', 'reason', $2::text, 'verified_on', verified_on)) WHERE id = $1";
const REINSTATE: &str = "
    UPDATE companies SET standing = jsonb_strip_nulls(jsonb_build_object(
        'kind', CASE WHEN verified_on IS NULL THEN 'registered' ELSE 'verified' END,
        'on', verified_on)) WHERE id = $1";
const AGREE: &str = "UPDATE companies SET payment_term = $2 WHERE id = $1";
const INHERIT: &str = "UPDATE companies SET payment_term = NULL WHERE id = $1";
const NOTE_VAT_NUMBER: &str = "UPDATE companies SET vat_number = $2 WHERE id = $1";
const MOVE_BILLING: &str = "UPDATE companies SET billing_address = $2 WHERE id = $1";
const ADD_ADDRESS: &str = "
    UPDATE companies SET delivery_addresses = delivery_addresses || jsonb_build_object($2::text, $3::jsonb)
    WHERE id = $1";
const DROP_ADDRESS: &str = "
    UPDATE companies SET delivery_addresses = delivery_addresses - $2::text WHERE id = $1";
const ADD_ACCOUNT: &str = "
    UPDATE companies SET bank_accounts = bank_accounts || to_jsonb($2::text) WHERE id = $1";
const DROP_ACCOUNT: &str = "
    UPDATE companies SET bank_accounts = bank_accounts - $2::text,
        bank_account_checks = bank_account_checks - $2::text WHERE id = $1";
const CHECK_ACCOUNT: &str = "
    UPDATE companies SET bank_account_checks =
        bank_account_checks || jsonb_build_object($2::text, $3::jsonb) WHERE id = $1";
const JOIN_GROUP: &str = "UPDATE companies SET group_code = $2 WHERE id = $1";
const JOIN_PARENT: &str = "UPDATE companies SET parent_id = $2 WHERE id = $1";
const GRANT_CREDIT: &str = "
    UPDATE companies SET credit_limits = credit_limits || jsonb_build_object($2::text, $3::jsonb)
    WHERE id = $1";
const LIFT_LIMIT: &str = "
    UPDATE companies SET credit_limits = credit_limits - $2::text WHERE id = $1";
const AGREE_GRACE: &str = "UPDATE companies SET credit_grace = $2 WHERE id = $1";
const PREPAY: &str = "UPDATE companies SET prepayment = $2 WHERE id = $1";
const AGREE_MINIMUM: &str = "
    UPDATE companies SET minimum_orders = minimum_orders || jsonb_build_object($2::text, $3::jsonb)
    WHERE id = $1";
const LIFT_MINIMUM: &str = "
    UPDATE companies SET minimum_orders = minimum_orders - $2::text WHERE id = $1";
/// A company without a term of its own has that of the nearest company above it that has one.
const LIST: &str = "
    SELECT id, name, tax_id, reference, coalesce(payment_term, (
            WITH RECURSIVE above AS (
                SELECT company.payment_term, company.parent_id, ARRAY[company.id] AS seen
                UNION ALL
                SELECT parent.payment_term, parent.parent_id, seen || parent.id
                FROM above JOIN view.companies parent ON parent.id = above.parent_id
                WHERE above.payment_term IS NULL AND parent.id <> ALL(seen))
            SELECT payment_term FROM above WHERE payment_term IS NOT NULL)) AS valid_term,
        created, payment_term IS NULL AS inherits_term, standing, parent_id, group_code, vat_number,
        billing_address, delivery_addresses, bank_accounts, credit_limits, bank_account_checks,
        credit_grace, prepayment, minimum_orders
    FROM view.companies company
    WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR reference = $2)
        AND ($3::bigint IS NULL OR created > $3)
        AND ($5::uuid IS NULL OR parent_id = $5) AND ($6::text IS NULL OR group_code = $6)
    ORDER BY created LIMIT $4";

/// A company and the companies above it, nearest first. Trees of older builds may be higher than
/// [`domain::Company::MOST_ABOVE`].
const LINE: &str = "
    WITH RECURSIVE line AS (
        SELECT id, group_code, parent_id, ARRAY[id] AS seen FROM view.companies WHERE id = $1
        UNION ALL
        SELECT above.id, above.group_code, above.parent_id, seen || above.id
        FROM line CROSS JOIN LATERAL (
            -- One look into the index for each, whatever the planner thinks of their number.
            SELECT id, group_code, parent_id FROM view.companies WHERE id = line.parent_id LIMIT 1
        ) AS above
        WHERE above.id <> ALL(seen))
    SELECT id, group_code FROM line ORDER BY cardinality(seen)";
const BELOW: &str = "SELECT id, parent_id FROM view.companies WHERE parent_id = ANY($1)";

/// The audiences to which a company belongs, the most specific first.
pub async fn audiences(client: &Object, company: Uuid) -> Result<Vec<Audience>, ReadError> {
    let statement = client.prepare_cached(LINE).await?;
    let rows = client.query(&statement, &[&company]).await?;
    let members: Vec<Member> = rows
        .iter()
        .map(|row| Ok(Member { company: CompanyId(row.get(0)), group: word_or_none(row, 1)? }))
        .collect::<Result<_, ReadError>>()?;
    Ok(Audience::of(&members))
}

/// The children of some companies, each with its parent.
pub async fn right_below(
    client: &Client,
    companies: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, ReadError> {
    let rows = client.query(BELOW, &[&companies]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Parties(parties::Event::Company(event)) = event else { return vec![] };
    vec![changed(recorded, event)]
}

fn changed(recorded: &RecordedEvent, event: &company::Event) -> Change {
    use company::Event as E;
    let id = recorded.stream_id;
    match event {
        E::Registered { id, profile, payment_term } => change!(
            REGISTER,
            id.0,
            profile.name.to_string(),
            Json(profile.tax_id.clone()),
            profile.reference.as_ref().map(ToString::to_string),
            Json(company::Standing::Registered),
            Json(*payment_term),
            recorded.position.0.cast_signed()
        ),
        E::Renamed { name } => change!(RENAME, id, name.to_string()),
        E::Verified { on, .. } => change!(VERIFY, id, *on),
        E::Suspended { reason } => change!(SUSPEND, id, reason.to_string()),
        E::Reinstated {} => change!(REINSTATE, id),
        E::PaymentTermAgreed { payment_term } => change!(AGREE, id, Json(*payment_term)),
        E::PaymentTermInherited {} => change!(INHERIT, id),
        E::VatNumberNoted { vat_number } => {
            change!(NOTE_VAT_NUMBER, id, vat_number.as_str().to_owned())
        }
        E::BillingMoved { address } => change!(MOVE_BILLING, id, Json(address.clone())),
        E::DeliveryAddressAdded { id: address, place } => {
            change!(ADD_ADDRESS, id, address.to_string(), Json(place.clone()))
        }
        E::DeliveryAddressDropped { id: address } => change!(DROP_ADDRESS, id, address.to_string()),
        E::BankAccountAdded { account } => change!(ADD_ACCOUNT, id, account.to_string()),
        E::BankAccountDropped { account } => change!(DROP_ACCOUNT, id, account.to_string()),
        E::BankAccountChecked { account, list_of, listed } => {
            let check = company::Check { list_of: *list_of, listed: *listed };
            change!(CHECK_ACCOUNT, id, account.to_string(), Json(check))
        }
        E::GroupJoined { group } => change!(JOIN_GROUP, id, Some(group.to_string())),
        E::GroupLeft {} => change!(JOIN_GROUP, id, None::<String>),
        E::ParentJoined { parent } => change!(JOIN_PARENT, id, Some(parent.0)),
        E::ParentLeft {} => change!(JOIN_PARENT, id, None::<Uuid>),
        E::CreditGranted { limit } => {
            change!(GRANT_CREDIT, id, limit.currency().code(), Json(*limit))
        }
        E::CreditLimitLifted { currency } => change!(LIFT_LIMIT, id, currency.code()),
        E::CreditGraceAgreed { days } => change!(AGREE_GRACE, id, Some(i32::from(days.days()))),
        E::CreditGraceLifted {} => change!(AGREE_GRACE, id, None::<i32>),
        E::PrepaymentRequired {} => change!(PREPAY, id, true),
        E::PrepaymentWaived {} => change!(PREPAY, id, false),
        E::MinimumOrderAgreed { minimum } => {
            change!(AGREE_MINIMUM, id, minimum.currency().code(), Json(*minimum))
        }
        E::MinimumOrderLifted { currency } => change!(LIFT_MINIMUM, id, currency.code()),
    }
}

/// Which companies to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only this reference of the seller.
    pub reference: Option<&'a str>,
    /// Only direct subsidiaries of this company.
    pub parent: Option<Uuid>,
    /// Only this group.
    pub group: Option<&'a str>,
}

/// A company.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Its name, tax id and reference.
    #[serde(flatten)]
    pub profile: company::Profile,
    /// Its status.
    pub standing: company::Standing,
    /// Its payment term.
    pub payment_term: PaymentTerm,
    /// Whether the term is inherited from a company above it.
    pub payment_term_inherited: bool,
    /// Its parent.
    pub parent: Option<CompanyId>,
    /// Its group, whose prices and assortment it shares.
    pub group: Option<GroupCode>,
    /// Its EU VAT number.
    pub vat_number: Option<VatNumber>,
    /// Its billing address.
    pub billing_address: Option<Address>,
    /// Its delivery addresses, by id.
    pub delivery_addresses: BTreeMap<AddressId, company::DeliveryAddress>,
    /// Its bank accounts.
    pub bank_accounts: Vec<Iban>,
    /// The last result of the VAT white list, by account.
    pub bank_account_checks: BTreeMap<Iban, company::Check>,
    /// Its credit limits, by currency.
    pub credit_limits: BTreeMap<Currency, Money>,
    /// For how many days after its due date an invoice holds up no order; missing: that of the firm
    /// above it, else for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_grace_days: Option<i32>,
    /// Whether its goods leave only after they are paid.
    pub prepayment: bool,
    /// The least net value of an order, by currency.
    pub minimum_orders: BTreeMap<Currency, Money>,
    /// Where in the log it was registered; lists are in this order.
    #[serde(skip)]
    pub created: i64,
}

/// Companies in order of registration, after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    Filter { company, reference, parent, group }: Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Company>, ReadError> {
    let rows =
        client.query(LIST, &[&company, &reference, &cursor, &limit, &parent, &group]).await?;
    rows.iter().map(company_of).collect()
}

const REFERENCES: &str =
    "SELECT id, reference FROM view.companies WHERE id = ANY($1) AND reference IS NOT NULL";

/// The references of some companies that have one.
pub async fn references(
    client: &Client,
    ids: &[Uuid],
) -> Result<HashMap<CompanyId, String>, ReadError> {
    let rows = client.query(REFERENCES, &[&ids]).await?;
    Ok(rows.iter().map(|row| (CompanyId(row.get(0)), row.get(1))).collect())
}

fn company_of(row: &Row) -> Result<Company, ReadError> {
    Ok(Company {
        id: CompanyId(row.get("id")),
        profile: company::Profile {
            name: word(row, "name")?,
            tax_id: json(row, "tax_id")?,
            reference: word_or_none(row, "reference")?,
        },
        payment_term: json(row, "valid_term")?,
        created: row.get("created"),
        payment_term_inherited: row.get("inherits_term"),
        standing: json(row, "standing")?,
        parent: row.get::<_, Option<Uuid>>("parent_id").map(CompanyId),
        group: word_or_none(row, "group_code")?,
        vat_number: word_or_none(row, "vat_number")?,
        billing_address: json_or_none(row, "billing_address")?,
        delivery_addresses: json(row, "delivery_addresses")?,
        bank_accounts: json(row, "bank_accounts")?,
        credit_limits: json(row, "credit_limits")?,
        bank_account_checks: json(row, "bank_account_checks")?,
        credit_grace_days: row.get("credit_grace"),
        prepayment: row.get("prepayment"),
        minimum_orders: json(row, "minimum_orders")?,
    })
}
