//! Export of assortment rules, with the columns of the import.

use std::collections::HashMap;

use deadpool_postgres::Object;
use domain::{Audience, CompanyId, ProductId, Selection, assortment::Verdict};
use futures::FutureExt;
use projections::views::{
    catalogue::{
        assortments::{self, Rule},
        catalogue,
    },
    parties::companies,
};
use service_kit::permissions::Sales;
use service_kit::{problem::Problem, sheet::Cell};

use super::{LIMIT, PAGE, Read, Sheet, next_after, pages};
use crate::{
    Queries,
    asker::{Asker, problem},
};

const HEADER: &[&str] = &["company_reference", "group", "sku", "category", "verdict"];
const VIEWS: &[&str] =
    &[assortments::PROJECTION.name, catalogue::PROJECTION.name, companies::PROJECTION.name];

/// Assortment rules.
pub async fn assortments(queries: &Queries, asker: &Asker) -> Result<Sheet, Problem> {
    asker.require::<Sales>()?;
    let place = LIMIT.take(asker.key()).await?;
    drop(asker.client(queries, VIEWS).await?);
    let rules = pages(queries.clone(), |client, after| read(client, after).boxed());
    Ok(Sheet { name: "assortments", header: HEADER, rows: rules, place })
}

async fn read(client: Object, after: Option<i64>) -> Read {
    let rules = assortments::list(&client, None, after, PAGE).await.map_err(problem)?;
    let companies = rules.iter().filter_map(|rule| match rule.audience {
        Audience::Company { company } => Some(company.0),
        Audience::Group { .. } | Audience::Everyone => None,
    });
    let companies: Vec<uuid::Uuid> = companies.collect();
    let references = companies::references(&client, &companies).await.map_err(problem)?;
    let named = rules.iter().filter_map(|rule| match rule.selection {
        Selection::Product { product } => Some(product.0),
        Selection::Everything | Selection::Category { .. } => None,
    });
    let named: Vec<uuid::Uuid> = named.collect();
    let skus = catalogue::skus(&client, &named).await.map_err(problem)?;
    // A company without a reference of the seller cannot be named in a sheet.
    let rows = rules.iter().filter_map(|rule| row(rule, &references, &skus)).collect();
    Ok((rows, next_after(&rules, |rule| rule.ruled)))
}

fn row(
    Rule { audience, selection, verdict, .. }: &Rule,
    references: &HashMap<CompanyId, String>,
    skus: &HashMap<ProductId, String>,
) -> Option<Vec<Cell>> {
    let (company, group) = match audience {
        Audience::Everyone => (None, None),
        Audience::Group { group } => (None, Some(group.to_string())),
        Audience::Company { company } => (Some(references.get(company)?.clone()), None),
    };
    let (sku, category) = match selection {
        Selection::Everything => (None, None),
        Selection::Category { category } => (None, Some(category.to_string())),
        Selection::Product { product } => (Some(skus.get(product)?.clone()), None),
    };
    let verdict = match verdict {
        Verdict::Allowed => "allowed",
        Verdict::Denied => "denied",
    };
    Some(vec![
        Cell::text(company),
        Cell::text(group),
        Cell::text(sku),
        Cell::text(category),
        Cell::Text(verdict.to_owned()),
    ])
}
