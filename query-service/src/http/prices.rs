//! `/v1/prices`: what a company pays, and why. It is answered from history itself, by the rule that
//! orders and offers are priced by.

use std::collections::HashMap;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::{
    Audience, Category, CategoryId, Claim, Company, CompanyId, Currency, Discount, DiscountId,
    Percent, Price, PriceAgreement, Product, ProductId, Purchases, PurchasesId, Quantity, Sku,
    audience::Member,
    claim, discount,
    pricing::{self, Place, Question, Resolution},
};
use event_log::{EventLog, Loaded};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{input::Query, problem::Problem};
use std::sync::Arc;
use uuid::Uuid;

use super::names_nothing;
use crate::{
    Queries,
    asker::{By, Sales},
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new().api_route(
        "/v1/prices/explain",
        get_with(explain, |o| {
            o.id("price.explain").summary("What a company pays for a product, and every rule why")
        }),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Explain {
    /// Who buys.
    company: CompanyId,
    /// What.
    sku: Sku,
    /// How much of it, in its units; 1 when not given.
    quantity: Option<Quantity>,
    /// In which currency; PLN when not given.
    currency: Option<Currency>,
    /// On which day; today when not given. The rules are those that are agreed on now.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    at: Option<Date>,
}

async fn explain(
    State(queries): State<Queries>,
    By { .. }: By<Sales>,
    Query(Explain { company, sku, quantity, currency, at }): Query<Explain>,
) -> Result<Json<Resolution>, Problem> {
    let log = &queries.log;
    let currency = currency.unwrap_or(Currency::Pln);
    let audiences = audiences(log, company).await?;
    let claim = log.load::<Claim>(claim::Value::Sku(sku).id().0).await.map_err(failed)?;
    let missing = || names_nothing("sku", "there is no such product");
    let id = claim.state.holder().ok_or_else(missing)?;
    let product = log.load::<Product>(id).await.map_err(failed)?;
    let item = product.state.item().map_err(|_| missing())?;
    let paths = paths(log, &item.details().categories).await?;
    let places = pricing::places(&audiences, ProductId(id), &paths, currency);
    let ids: Vec<Uuid> = places.iter().map(|place| place.id().0).collect();
    let prices = log.load_many::<Price>(&ids).await.map_err(failed)?;
    let named = prices.values().flat_map(|price| price.state.agreements().map(Uuid::from));
    let agreements: Vec<Uuid> = named.collect();
    let agreements = log.load_many::<PriceAgreement>(&agreements).await.map_err(failed)?;
    let on = at.unwrap_or_else(|| queries.clock.today());
    let question = Question {
        on,
        earned: earned(log, company, &audiences, on).await?,
        floor: item.floor(currency),
        quantity: quantity.unwrap_or(Quantity::ONE),
        base: item.base_price(currency),
        candidates: places
            .iter()
            .flat_map(|place| candidates(place, &prices, &agreements))
            .collect(),
    };
    Ok(Json(pricing::resolve(&question)))
}

/// What a company has earned by its purchases.
async fn earned(
    log: &EventLog,
    company: CompanyId,
    audiences: &[Audience],
    on: Date,
) -> Result<Option<Percent>, Problem> {
    let kinds = [discount::Kind::Turnover, discount::Kind::Orders];
    let ids: Vec<Uuid> = audiences
        .iter()
        .flat_map(|audience| kinds.map(|kind| DiscountId::of(audience, kind).0))
        .collect();
    let found = log.load_many::<Discount>(&ids).await.map_err(failed)?;
    let programmes = ids.iter().filter_map(|id| found.get(id)?.state.programme());
    let id = PurchasesId::of(company).0;
    let purchases = log.load::<Purchases>(id).await.map_err(failed)?;
    Ok(discount::earned(programmes, &purchases.state, on))
}

type States<A> = HashMap<Uuid, Arc<Loaded<A>>>;

fn candidates<'a>(
    place: &'a Place,
    prices: &'a States<Price>,
    agreements: &'a States<PriceAgreement>,
) -> impl Iterator<Item = pricing::Candidate<'a>> {
    let rules = prices.get(&place.id().0).map_or(&[][..], |price| price.state.rules());
    rules
        .iter()
        .filter_map(|rule| Some(place.candidate(rule, &agreements.get(&rule.agreement.0)?.state)))
}

async fn audiences(log: &EventLog, company: CompanyId) -> Result<Vec<Audience>, Problem> {
    let mut members = Vec::new();
    let mut next = Some(company);
    while let Some(id) = next {
        let firm = log.load::<Company>(id.0).await.map_err(failed)?;
        let missing = |_| names_nothing("company", "there is no such company");
        let customer = firm.state.customer().map_err(missing)?;
        members.push(Member { company: id, group: customer.group.clone() });
        next = customer.parent.filter(|_| members.len() <= Company::MOST_ABOVE);
    }
    Ok(Audience::of(&members))
}

/// Each category with those above it, nearest first.
async fn paths(log: &EventLog, categories: &[CategoryId]) -> Result<Vec<Vec<CategoryId>>, Problem> {
    let mut paths = Vec::new();
    for category in categories {
        let (mut path, mut next) = (Vec::new(), Some(*category));
        while let Some(id) = next {
            path.push(id);
            let category = log.load::<Category>(id.0).await.map_err(failed)?;
            let above = category.state.branch().ok().and_then(|branch| branch.parent);
            next = above.filter(|_| path.len() <= Category::MOST_ABOVE);
        }
        paths.push(path);
    }
    Ok(paths)
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
fn failed(error: event_log::Error) -> Problem {
    if error.is_transient() {
        Problem::unavailable("history does not answer")
    } else {
        Problem::internal(&error)
    }
}
