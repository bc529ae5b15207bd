//! Assortments, with the columns that an import knows.

use std::collections::HashMap;

use axum::extract::State;
use domain::{Audience, CompanyId, ProductId, Selection, assortment::Verdict};
use projections::views::{
    assortments::{self, Rule},
    catalogue, companies,
};
use service_kit::{download::Download, input::Query, problem::Problem, sheet::Cell};

use super::Wish;
use crate::{
    Queries,
    asker::{By, Sales, problem},
};

const HEADER: &[&str] = &["company_reference", "group", "sku", "category", "verdict"];
const VIEWS: &[&str] =
    &[assortments::PROJECTION.name, catalogue::PROJECTION.name, companies::PROJECTION.name];

pub(super) async fn export(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Sales>,
    Query(Wish { format }): Query<Wish>,
) -> Result<Download, Problem> {
    let client = asker.client(&queries, VIEWS).await?;
    let rules = assortments::list(&client, None, None, i64::MAX).await.map_err(problem)?;
    let firms = companies::list(&client, companies::Filter::default(), None, i64::MAX).await;
    let references: HashMap<CompanyId, String> = firms
        .map_err(problem)?
        .into_iter()
        .filter_map(|firm| Some((firm.id, firm.profile.reference?.to_string())))
        .collect();
    let named = rules.iter().filter_map(|rule| match rule.selection {
        Selection::Product { product } => Some(product.0),
        Selection::Everything | Selection::Category { .. } => None,
    });
    let named: Vec<uuid::Uuid> = named.collect();
    let skus = catalogue::skus(&client, &named).await.map_err(problem)?;
    // A company without a number of the seller's cannot be named in a sheet.
    let rows = rules.iter().filter_map(|rule| row(rule, &references, &skus)).collect();
    Download::sheet("assortments", HEADER, rows, format).await
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
