//! The source document of an offer, as far as its company may see it: its own documents, but no
//! internal ones and none of other companies.

use std::collections::HashSet;

use cqrs_es::Aggregate;
use domain::{OfCompany, Order, QuotationRequest, offer::Origin};
use projections::ReadError;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{Queries, asker::problem};

/// Removes the source documents that a company may not see from its offers.
pub(super) async fn redacted<'o>(
    queries: &Queries,
    company: Uuid,
    origins: impl Iterator<Item = &'o mut Option<Origin>> + Send,
) -> Result<(), Problem> {
    let mut origins: Vec<&mut Option<Origin>> = origins.collect();
    let (mut requests, mut copied, mut orders) = (vec![], vec![], vec![]);
    for origin in origins.iter().filter_map(|origin| **origin) {
        match origin {
            Origin::Request { request } => requests.push(request.0),
            Origin::Offer { offer } => copied.push(offer.0),
            Origin::Order { order } => orders.push(order.0),
            Origin::Template { .. } | Origin::List { .. } => {}
        }
    }
    let is_own =
        |company_of: Option<domain::CompanyId>| company_of.map(Uuid::from) == Some(company);
    let requests =
        those::<QuotationRequest>(queries, &requests, |asked| is_own(asked.company())).await?;
    let copied = those::<domain::Offer>(queries, &copied, |offer| {
        is_own(offer.company()) && offer.is_disclosed()
    })
    .await?;
    let orders = those::<Order>(queries, &orders, |order| is_own(order.company())).await?;
    for origin in &mut origins {
        **origin = origin.filter(|origin| match origin {
            Origin::Request { request } => requests.contains(&request.0),
            Origin::Offer { offer } => copied.contains(&offer.0),
            Origin::Order { order } => orders.contains(&order.0),
            Origin::Template { .. } | Origin::List { .. } => false,
        });
    }
    Ok(())
}

/// The items of a list that match a predicate.
async fn those<A: Aggregate + OfCompany + Clone + 'static>(
    queries: &Queries,
    ids: &[Uuid],
    holds: impl Fn(&A) -> bool,
) -> Result<HashSet<Uuid>, Problem> {
    let loaded = queries.log.newest_many::<A>(ids).await;
    let loaded = loaded.map_err(|error| problem(ReadError::Log(error)))?;
    Ok(loaded.into_iter().filter(|(_, thing)| holds(&thing.state)).map(|(id, _)| id).collect())
}
