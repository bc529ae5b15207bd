//! Which company holds the account of another: limits, and the company tree, decide it. What companies
//! have in an account moves to another in the append that changes the holder.

use domain::{
    Company, CompanyId, CreditAccount, Currency, Money,
    company::Command as CompanyCommand,
    credit_account::{Change, Command, Entry},
};
use event_log::{Outcome, Work};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use super::{account_of, facts_of, holder, line_of};
use crate::{
    app::{Services, deciding, parties::trees},
    caller::Caller,
    failure::{Failure, given},
};

/// The most entries of one event.
const MOST_ENTRIES: usize = 5_000;

/// A credit limit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantCredit {
    /// The limit.
    pub limit: Money,
}

/// Grants a company a credit limit in one currency.
pub async fn grant_credit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    GrantCredit { limit }: GrantCredit,
) -> Result<Outcome, Problem> {
    let limit = given("/limit", limit)?;
    services.execute(caller, digest, &|work| deciding(grant(work, id, limit))).await
}

/// The currency of the limit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftCreditLimit {
    /// The currency.
    pub currency: Currency,
}

/// Lifts the credit limit of a company in one currency.
pub async fn lift_credit_limit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    LiftCreditLimit { currency }: LiftCreditLimit,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let command = CompanyCommand::LiftCreditLimit { currency };
                limited(work, id, currency, command).await
            })
        })
        .await
}

/// The parent company; `null` removes the company from its parent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinParent {
    /// The parent company.
    pub parent: Option<CompanyId>,
}

/// Sets the parent of a company, or none.
pub async fn join_parent(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    JoinParent { parent }: JoinParent,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                work.lend(services.views.clone());
                join(work, id, parent).await
            })
        })
        .await
}

/// Grants a limit: companies below without a nearer one are under it from now on.
pub(crate) async fn grant(work: &mut Work, id: CompanyId, limit: Money) -> Result<(), Failure> {
    limited(work, id, limit.currency(), CompanyCommand::GrantCredit { limit }).await
}

async fn limited(
    work: &mut Work,
    id: CompanyId,
    currency: Currency,
    command: CompanyCommand,
) -> Result<(), Failure> {
    let before = holder_of(work, id, currency).await?;
    let events = work.events();
    work.decide::<Company>(id, command).await?;
    if work.events() > events {
        regroup(work, id, &[(before, currency)]).await?;
        let after = holder_of(work, id, currency).await?;
        if is_used(work, id, after, currency) {
            let facts = facts_of(work, after, currency);
            let review = Command { facts, change: Change::Review };
            work.decide::<CreditAccount>(facts.account(), review).await?;
        }
    }
    Ok(())
}

/// Lets a company belong to another, or to nobody.
pub(crate) async fn join(
    work: &mut Work,
    id: CompanyId,
    parent: Option<CompanyId>,
) -> Result<(), Failure> {
    let mut before = Vec::with_capacity(Currency::ALL.len());
    for currency in Currency::ALL {
        before.push((holder_of(work, id, currency).await?, currency));
    }
    let events = work.events();
    trees::join(work, id, parent).await?;
    if work.events() > events {
        regroup(work, id, &before).await?;
    }
    Ok(())
}

async fn holder_of(
    work: &mut Work,
    company: CompanyId,
    currency: Currency,
) -> Result<CompanyId, Failure> {
    let line = line_of(work, company).await?;
    Ok(holder(work, &line, currency))
}

/// A company that begins in this unit of work has nothing in an account that is not loaded.
fn is_used(work: &Work, company: CompanyId, holder: CompanyId, currency: Currency) -> bool {
    let account = account_of(holder, currency);
    !work.is_new::<Company>(company) || work.get::<CreditAccount>(account).is_some()
}

/// Moves what is in the accounts in which a company was to the accounts of the present holders.
async fn regroup(
    work: &mut Work,
    id: CompanyId,
    before: &[(CompanyId, Currency)],
) -> Result<(), Failure> {
    let mut changed = Vec::new();
    for &(holder, currency) in before {
        if holder_of(work, id, currency).await? != holder && is_used(work, id, holder, currency) {
            changed.push((holder, currency));
        }
    }
    let accounts = changed.iter().map(|(holder, currency)| account_of(*holder, *currency).0);
    work.load_many::<CreditAccount>(accounts.collect::<Vec<Uuid>>()).await?;
    for (from, currency) in changed {
        let account = work.load::<CreditAccount>(account_of(from, currency)).await?;
        let companies: Vec<CompanyId> = account.companies().collect();
        work.load_many::<Company>(companies.iter().map(|company| company.0)).await?;
        for company in companies {
            let to = holder_of(work, company, currency).await?;
            if to != from {
                hand_over(work, company, (from, to), currency).await?;
            }
        }
    }
    Ok(())
}

/// What a company has in one account is in another from now on.
async fn hand_over(
    work: &mut Work,
    company: CompanyId,
    (from, to): (CompanyId, CompanyId),
    currency: Currency,
) -> Result<(), Failure> {
    let facts = facts_of(work, from, currency);
    let account = work.load::<CreditAccount>(facts.account()).await?;
    let entries: Vec<Entry> = account.entries_of(company);
    let leave = Command { facts, change: Change::Leave { company, to } };
    work.decide::<CreditAccount>(facts.account(), leave).await?;
    for entries in entries.chunks(MOST_ENTRIES) {
        let facts = facts_of(work, to, currency);
        let entries = entries.to_vec();
        let join = Command { facts, change: Change::Join { company, from, entries } };
        work.decide::<CreditAccount>(facts.account(), join).await?;
    }
    Ok(())
}
