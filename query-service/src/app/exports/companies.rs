//! Export of companies, with the columns of the import.

use std::collections::HashMap;

use deadpool_postgres::Object;
use domain::CompanyId;
use futures::FutureExt;
use projections::views::parties::companies::{self, Company, Filter};
use service_kit::permissions::Sales;
use service_kit::{problem::Problem, sheet::Cell};

use super::{LIMIT, PAGE, Read, Sheet, next_after, pages};
use crate::{
    Queries,
    asker::{Asker, problem},
};

const HEADER: &[&str] = &[
    "reference",
    "tax_id",
    "name",
    "payment_term",
    "parent_reference",
    "group",
    "vat_number",
    "street",
    "postal_code",
    "city",
    "country",
    "bank_account",
    "credit_limit",
    "credit_currency",
];

/// Companies.
pub async fn companies(queries: &Queries, asker: &Asker) -> Result<Sheet, Problem> {
    asker.require::<Sales>()?;
    let place = LIMIT.take(asker.key()).await?;
    drop(asker.client(queries, &[companies::PROJECTION.name]).await?);
    let all = pages(queries.clone(), |client, after| read(client, after).boxed());
    Ok(Sheet { name: "companies", header: HEADER, rows: all, place })
}

async fn read(client: Object, after: Option<i64>) -> Read {
    let all = companies::list(&client, Filter::default(), after, PAGE).await.map_err(problem)?;
    let parents = all.iter().filter_map(|company| company.parent);
    let parents: Vec<uuid::Uuid> = parents.map(|parent| parent.0).collect();
    let references = companies::references(&client, &parents).await.map_err(problem)?;
    let rows = all.iter().flat_map(|company| rows(company, &references)).collect();
    Ok((rows, next_after(&all, |company| company.created)))
}

/// A company has one row per bank account or credit limit, and at least one; other values are only
/// in its first row.
fn rows(company: &Company, references: &HashMap<CompanyId, String>) -> Vec<Vec<Cell>> {
    let Company { profile, bank_accounts, credit_limits, billing_address, .. } = company;
    let limits: Vec<_> = credit_limits.values().collect();
    let count = bank_accounts.len().max(limits.len()).max(1);
    let own_term = (!company.payment_term_inherited).then(|| company.payment_term.to_string());
    (0..count)
        .map(|index| {
            let first = index == 0;
            let once = |text: Option<String>| Cell::text(text.filter(|_| first));
            let address = billing_address.as_ref();
            vec![
                Cell::text(profile.reference.as_ref().map(ToString::to_string)),
                Cell::Text(profile.tax_id.to_string()),
                Cell::Text(profile.name.to_string()),
                once(own_term.clone()),
                once(company.parent.and_then(|parent| references.get(&parent).cloned())),
                once(company.group.as_ref().map(ToString::to_string)),
                once(company.vat_number.as_ref().map(|number| number.as_str().to_owned())),
                once(address.map(|address| address.street().to_string())),
                once(address.map(|address| address.postal_code().to_string())),
                once(address.map(|address| address.city().to_string())),
                once(address.map(|address| address.country().as_str().to_owned())),
                Cell::text(bank_accounts.get(index).map(ToString::to_string)),
                limits.get(index).map_or(Cell::Blank, |limit| Cell::Number(limit.amount())),
                Cell::text(limits.get(index).map(|limit| limit.currency().code())),
            ]
        })
        .collect()
}
