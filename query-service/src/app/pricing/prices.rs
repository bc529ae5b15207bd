//! Explanation of a price. It is computed from the log, with the function that prices orders and
//! offers.

use std::{collections::HashMap, sync::Arc};

use cqrs_es::Aggregate;
use domain::{
    Audience, Category, CategoryId, Claim, Company, CompanyId, Currency, Discount, DiscountId,
    OfCompany, Percent, Price, PriceAgreement, Product, ProductId, Purchases, PurchasesId,
    Quantity, Sku,
    audience::Member,
    claim, discount,
    pricing::{self, Place, Question, Resolution},
};
use event_log::{At, EventLog, Loaded};
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::Sales;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{Queries, app::names_nothing, asker::Asker};

/// The price to explain.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// The company.
    pub company: CompanyId,
    /// The SKU.
    pub sku: Sku,
    /// The quantity in units of the product; 1 when not given.
    pub quantity: Option<Quantity>,
    /// The currency; PLN when not given.
    pub currency: Option<Currency>,
    /// A day, with the rules that apply now; or a time in the past, with the rules of that time.
    /// Now when not given.
    #[schemars(with = "Option<String>")]
    pub at: Option<When>,
}

/// A day, or a time in the past.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub enum When {
    /// That day, with the current rules.
    On(Date),
    /// That time, with the rules of that time.
    Then(Timestamp),
}

impl TryFrom<String> for When {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        // A time without an offset would be parsed as its day.
        let read = if text.contains(['T', 't', ' ']) {
            text.parse().map(Self::Then)
        } else {
            text.parse().map(Self::On)
        };
        read.map_err(|_| "must be a day (2026-03-20) or a time (2026-03-20T10:15:00Z)")
    }
}

/// The price of a product for a company, with every rule considered.
pub async fn explain(
    queries: &Queries,
    asker: &Asker,
    Explain { company, sku, quantity, currency, at }: Explain,
) -> Result<Resolution, Problem> {
    asker.require::<Sales>()?;
    let (on, at) = match at {
        None => (queries.clock.today(), At::Now),
        Some(When::On(day)) => (day, At::Now),
        Some(When::Then(instant)) => (queries.clock.day_of(instant), At::Instant(instant)),
    };
    let history = &History { log: &queries.log, at };
    let currency = currency.unwrap_or(Currency::Pln);
    let audiences = audiences(history, company).await?;
    let claim = history.load::<Claim>(claim::Value::Sku(sku).id().0).await?;
    let missing = || names_nothing("sku", "there is no such product");
    let id = claim.state.holder().ok_or_else(missing)?;
    let product = history.load::<Product>(id).await?;
    let item = product.state.item().map_err(|_| missing())?;
    let paths = paths(history, &item.details().categories).await?;
    let places = pricing::places(&audiences, ProductId(id), &paths, currency);
    let ids: Vec<Uuid> = places.iter().map(|place| place.id().0).collect();
    let prices = history.load_many::<Price>(&ids).await?;
    let named = prices.values().flat_map(|price| price.state.agreements().map(Uuid::from));
    let agreements: Vec<Uuid> = named.collect();
    let agreements = history.load_many::<PriceAgreement>(&agreements).await?;
    let question = Question {
        on,
        earned: earned(history, company, &audiences, on).await?,
        floor: item.floor(currency),
        quantity: quantity.unwrap_or(Quantity::ONE),
        base: item.base_price(currency),
        candidates: places
            .iter()
            .flat_map(|place| candidates(place, &prices, &agreements))
            .collect(),
    };
    Ok(pricing::resolve(&question))
}

/// The log up to a moment.
struct History<'a> {
    log: &'a EventLog,
    at: At,
}

impl History<'_> {
    async fn load<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        id: Uuid,
    ) -> Result<Arc<Loaded<A>>, Problem> {
        self.log.load_at(id, self.at).await.map_err(failed)
    }

    async fn load_many<A: Aggregate + OfCompany + Clone + 'static>(
        &self,
        ids: &[Uuid],
    ) -> Result<States<A>, Problem> {
        if self.at == At::Now {
            return self.log.newest_many(ids).await.map_err(failed);
        }
        let mut states = States::new();
        for &id in ids {
            states.insert(id, self.load(id).await?);
        }
        Ok(states)
    }
}

/// The discounts that a company has earned.
async fn earned(
    history: &History<'_>,
    company: CompanyId,
    audiences: &[Audience],
    on: Date,
) -> Result<Option<Percent>, Problem> {
    let kinds = [discount::Kind::Turnover, discount::Kind::Orders];
    let ids: Vec<Uuid> = audiences
        .iter()
        .flat_map(|audience| kinds.map(|kind| DiscountId::of(audience, kind).0))
        .collect();
    let found = history.load_many::<Discount>(&ids).await?;
    let programmes = ids.iter().filter_map(|id| found.get(id)?.state.programme());
    let id = PurchasesId::of(company).0;
    let purchases = history.load::<Purchases>(id).await?;
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

async fn audiences(history: &History<'_>, company: CompanyId) -> Result<Vec<Audience>, Problem> {
    let mut members = Vec::new();
    let mut next = Some(company);
    while let Some(id) = next {
        let company = history.load::<Company>(id.0).await?;
        let missing = |_| names_nothing("company", "there is no such company");
        let customer = company.state.customer().map_err(missing)?;
        members.push(Member { company: id, group: customer.group.clone() });
        let is_new = |parent: &CompanyId| members.iter().all(|member| member.company != *parent);
        next = customer.parent.filter(is_new);
    }
    Ok(Audience::of(&members))
}

/// Each category with those above it, nearest first.
async fn paths(
    history: &History<'_>,
    categories: &[CategoryId],
) -> Result<Vec<Vec<CategoryId>>, Problem> {
    let mut paths = Vec::new();
    for category in categories {
        let (mut path, mut next) = (Vec::new(), Some(*category));
        while let Some(id) = next {
            path.push(id);
            let category = history.load::<Category>(id.0).await?;
            let above = category.state.branch().ok().and_then(|branch| branch.parent);
            next = above.filter(|above| !path.contains(above));
        }
        paths.push(path);
    }
    Ok(paths)
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that `map_err` requires")]
fn failed(error: event_log::Error) -> Problem {
    if error.is_transient() {
        Problem::unavailable("the log is unavailable")
    } else {
        Problem::internal(&error)
    }
}
