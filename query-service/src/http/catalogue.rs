//! `/v1/catalogue`: what a company sees of all that is sold, and what it pays for it.

mod count;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use deadpool_postgres::Object;
use domain::{Currency, ProductId, Reference, pricing::Step, product, stock::Level};
use jiff::civil::Date;
use projections::{
    ReadError,
    views::{
        assortments,
        catalogue::{self, CatalogueItem, Line, Order, Place, Places, Sought},
        categories, companies, discounts, price_agreements, prices, product_codes, stock,
    },
    words::Wanted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use service_kit::{
    input::Query,
    page::{self, Page, PageRequest},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{Asker, By, Trade, problem},
    reading::Reading,
    shopper::{Range, Shopper, Wish},
};

const VIEWS: &[&str] = &[
    assortments::PROJECTION.name,
    catalogue::PROJECTION.name,
    categories::PROJECTION.name,
    companies::PROJECTION.name,
    discounts::PROJECTION.name,
    price_agreements::PROJECTION.name,
    prices::PROJECTION.name,
    product_codes::PROJECTION.name,
    stock::PROJECTION.name,
];

/// The most characters of a search.
const MOST_TYPED: usize = 200;
/// How many products a page looks at, at most, for those that the company sees.
const MOST_LOOKED_AT: usize = 5_000;

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/catalogue",
            get_with(list, |o| {
                o.id("catalogue.list").summary("What a company sees, at its prices")
            }),
        )
        .api_route(
            "/v1/catalogue/counts",
            get_with(count::count, |o| {
                o.id("catalogue.count").summary("How much a company sees, by category and brand")
            }),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    /// At most so many items. A page can be shorter and have a next one all the same.
    limit: Option<u16>,
    cursor: Option<String>,
    /// Who looks; a buyer's own company when not given.
    company: Option<Uuid>,
    /// The currency of the prices; PLN when not given.
    currency: Option<Currency>,
    /// The category in which the products stand, or above theirs.
    category: Option<Uuid>,
    /// The brand, without regard to case and diacritics.
    brand: Option<String>,
    /// Only what is there to be sold.
    #[serde(default)]
    in_stock: bool,
    /// Words of the name, the brand, the attributes, the description, in whatever form and however
    /// they go on; or a code, the company's own first. When nothing has them, the nearest words that there are.
    q: Option<String>,
    /// In which order; words that are searched give their best matches first when it is not given,
    /// otherwise it is by name.
    order: Option<OrderName>,
}

impl List {
    /// What is asked for, whichever page of it.
    fn digest(&self) -> u64 {
        let Self { company, currency, category, brand, in_stock, q, order, .. } = self;
        let mut hasher = DefaultHasher::new();
        (company, currency, category, brand, in_stock, q, order).hash(&mut hasher);
        hasher.finish()
    }
}

#[derive(Debug, Clone, Copy, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OrderName {
    Name,
    Sku,
    Newest,
}

/// Products as a company sees them.
#[derive(Debug, Serialize, JsonSchema)]
struct Shelf {
    #[serde(flatten)]
    page: Page<Listed>,
    /// The words that were searched because nothing has those that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<String>,
}

/// A product as a company sees it.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    #[serde(flatten)]
    #[schemars(with = "Shown<'_>")]
    line: Kept,
    /// What the company calls it, or a firm above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_code: Option<Reference>,
    /// How much there is; missing while the warehouse has said nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    stock: Option<Level>,
    /// The currency of the prices.
    currency: Currency,
    /// What one unit costs, net, from the least quantity on that is ordered; none when it has no
    /// price.
    prices: Vec<Step>,
}

/// What every company sees of a product alike.
#[derive(Debug, Serialize, JsonSchema)]
struct Shown<'a> {
    /// Its id.
    id: ProductId,
    /// What it is.
    #[serde(flatten)]
    description: product::Description,
    /// What else is known of it, without its texts.
    #[serde(flatten)]
    details: Cow<'a, product::Details>,
}

/// A line that is remembered, shown as it is on a day, with those other products alone that are seen.
#[derive(Debug)]
struct Kept {
    line: Arc<Line>,
    today: Date,
    seen: Arc<BTreeSet<ProductId>>,
}

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CatalogueItem { id, details, .. } = &self.line.item;
        let details = match details.others().next() {
            None => Cow::Borrowed(details),
            Some(_) => Cow::Owned(details.clone().naming_only(&self.seen)),
        };
        let description = self.line.item.described(self.today);
        Shown { id: *id, description, details }.serialize(serializer)
    }
}

/// Where the next page begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Next {
    /// After a place in the order.
    After(Place),
    /// After so many matches of words, which were perhaps looked for in depth; of others than those
    /// asked for, perhaps.
    Skip(usize, bool, Option<String>),
}

/// Where the next page of a query begins, and of which one.
#[derive(Debug, Serialize, Deserialize)]
struct Continued {
    of: u64,
    next: Next,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(list): Query<List>,
) -> Result<Json<Shelf>, Problem> {
    let of = list.digest();
    let List { limit, cursor, company, currency, category, brand, in_stock, q, order } = list;
    let page = PageRequest { limit, cursor };
    let (limit, next) = (page.limit()?, page.cursor::<Continued>()?);
    let next = match next {
        Some(continued) if continued.of != of => return Err(page::other_cursor()),
        next => next.map(|continued| continued.next),
    };
    let words = words(q.as_deref())?;
    let currency = currency.unwrap_or(Currency::Pln);
    let (reading, shopper) = shopper(&queries, &asker, company, currency).await?;
    let brand = brand.map(|name| catalogue::brand(&name));
    let (wish, order) = (Wish { category, brand, in_stock }, order.map(Order::from));
    let search = match words {
        Some(words) => {
            let own = shopper.means(&reading.client, &words.code()).await.map_err(problem)?;
            let within = shopper.within(wish);
            let sought = Sought { words, own, within, order, deep: false };
            let client = queries.views.client().await.map_err(problem)?;
            Some(Search { client, sought, instead: false })
        }
        None => None,
    };
    let range = shopper.range(&reading, wish).await.map_err(problem)?;
    let by = order.unwrap_or(Order::Name);
    let mut look = Look { reading: &reading, shopper: &shopper, range: &range, by, search };
    let (lines, next) = look.find(next, limit).await?;
    let today = queries.clock.today();
    let ids: Vec<ProductId> = lines.iter().map(|line| line.item.id).collect();
    let (levels, changed) = (&reading.memory.levels, reading.changed.stock);
    let others = lines.iter().flat_map(|line| line.item.details.others());
    let (steps, mut names, levels, seen) = futures::try_join!(
        shopper.prices(&reading, &lines, today),
        shopper.names(&reading.client, &ids),
        levels.of(&reading.client, changed, &ids),
        catalogue::visible(&reading.client, others, shopper.assortment_ids()),
    )
    .map_err(problem)?;
    let seen = Arc::new(seen);
    let items = lines.into_iter().zip(steps).zip(levels).map(|((line, prices), stock)| Listed {
        own_code: names.remove(&line.item.id),
        line: Kept { line, today, seen: Arc::clone(&seen) },
        stock,
        currency,
        prices,
    });
    let instead = look.search.filter(|search| search.instead).map(|search| search.told());
    let next = next.map(|next| Continued { of, next });
    Ok(Json(Shelf { page: Page::ending(items.collect(), next.as_ref()), instead }))
}

/// Words that are searched.
struct Search {
    /// Plans each search by itself.
    client: Object,
    sought: Sought,
    /// Whether they stand for others, which nothing has.
    instead: bool,
}

impl Search {
    /// Searches words that stand for others.
    fn instead(&mut self, words: Wanted) {
        (self.sought.words, self.sought.own, self.instead) = (words, vec![], true);
    }

    fn told(&self) -> String {
        self.sought.words.words().join(" ")
    }
}

/// A look for products.
struct Look<'a> {
    reading: &'a Reading,
    shopper: &'a Shopper,
    range: &'a Range,
    by: Order,
    search: Option<Search>,
}

impl Look<'_> {
    /// The first products that the company sees, and where the next page begins.
    async fn find(
        &mut self,
        next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>), Problem> {
        match (&mut self.search, &next) {
            (None, None | Some(Next::After(_))) | (Some(_), None) => {}
            (Some(search), Some(Next::Skip(_, deep, instead))) => {
                search.sought.deep = *deep;
                if let Some(words) = instead.as_deref().and_then(Wanted::parse) {
                    search.instead(words);
                }
            }
            (None, Some(Next::Skip(..))) | (Some(_), Some(Next::After(_))) => {
                return Err(page::other_cursor());
            }
        }
        let first = next.is_none();
        let found = self.whole(next, limit).await.map_err(problem)?;
        if first && found.0.is_empty() && self.corrected().await.map_err(problem)? {
            let found = self.whole(None, limit).await.map_err(problem)?;
            // Words of what the company does not see are not told.
            if let Some(search) = self.search.as_mut().filter(|_| found.0.is_empty()) {
                search.instead = false;
            }
            return Ok(found);
        }
        Ok(found)
    }

    /// What is seen of the matches that are usually put in order; of many more, where so many of these
    /// are hidden that they would not fill a page.
    async fn whole(
        &mut self,
        next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>), ReadError> {
        let first = next.is_none();
        let (seen, next, looked_at) = self.seen(next, limit).await?;
        match &mut self.search {
            Some(search) if first && next.is_none() && looked_at >= catalogue::MOST_MATCHES => {
                search.sought.deep = true;
                let (seen, next, _) = self.seen(None, limit).await?;
                Ok((seen, next))
            }
            Some(_) | None => Ok((seen, next)),
        }
    }

    /// What is seen, where the next page begins, and how many were looked at.
    async fn seen(
        &self,
        mut next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>, usize), ReadError> {
        let (mut seen, mut looked_at, mut size) = (Vec::new(), 0, limit + 1);
        loop {
            let lines = self.some(next.as_ref(), size).await?;
            let ended = lines.len() < size;
            looked_at += lines.len();
            let sees = self.shopper.sees(&self.reading.client, &lines).await?;
            for (line, sees) in lines.into_iter().zip(sees) {
                if seen.len() == limit {
                    return Ok((seen, next, looked_at));
                }
                next = Some(self.behind(&line, next.as_ref()));
                if sees {
                    seen.push(line);
                }
            }
            if ended {
                return Ok((seen, None, looked_at));
            }
            if looked_at >= MOST_LOOKED_AT {
                return Ok((seen, next, looked_at));
            }
            size = (size * 4).min(1_000);
        }
    }

    /// Products where the company looks, whether it sees them or not.
    async fn some(&self, next: Option<&Next>, size: usize) -> Result<Vec<Arc<Line>>, ReadError> {
        let Reading { client, memory, changed } = self.reading;
        let Some(search) = &self.search else {
            let after = match next {
                Some(Next::After(place)) => Some(place),
                Some(Next::Skip(..)) | None => None,
            };
            let Range { places, also } = self.range;
            let from = (client, &memory.catalogue, changed.catalogue);
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            return catalogue::page(from, Places { any: places, also }, self.by, after, size).await;
        };
        let from = (&search.client, &memory.catalogue, changed.catalogue);
        catalogue::search(from, &search.sought, skipped(next), size).await
    }

    fn behind(&self, line: &Line, next: Option<&Next>) -> Next {
        match &self.search {
            None => Next::After(line.place(self.by)),
            Some(search) => {
                let instead = search.instead.then(|| search.told());
                Next::Skip(skipped(next) + 1, search.sought.deep, instead)
            }
        }
    }

    /// Takes the nearest words that there are for those that nothing has.
    async fn corrected(&mut self) -> Result<bool, ReadError> {
        let Some(search) = &mut self.search else { return Ok(false) };
        let corrected = corrected(&self.reading.client, &search.sought.words).await?;
        let found = corrected.is_some();
        if let Some(words) = corrected {
            search.instead(words);
        }
        Ok(found)
    }
}

fn skipped(next: Option<&Next>) -> usize {
    match next {
        Some(Next::Skip(skipped, ..)) => *skipped,
        Some(Next::After(_)) | None => 0,
    }
}

/// Who looks at the catalogue: a buyer's own company, or the one that is named.
async fn shopper(
    queries: &Queries,
    asker: &Asker,
    company: Option<Uuid>,
    currency: Currency,
) -> Result<(Reading, Shopper), Problem> {
    let unnamed = |detail| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query.names_nothing")
            .field(FieldError::parameter("company", detail))
    };
    let company = asker.narrowed(company)?.ok_or_else(|| unnamed("must say who looks"))?;
    let reading = asker.reading(queries, VIEWS).await?;
    let shopper = Shopper::of(&reading, &queries.log, company, currency).await.map_err(problem)?;
    let shopper = shopper.ok_or_else(|| unnamed("there is no such company"))?;
    Ok((reading, shopper))
}

fn words(q: Option<&str>) -> Result<Option<Wanted>, Problem> {
    let Some(q) = q else { return Ok(None) };
    let invalid = |detail| {
        Problem::new(StatusCode::BAD_REQUEST, "query.invalid")
            .field(FieldError::parameter("q", detail))
    };
    if q.chars().count() > MOST_TYPED {
        return Err(invalid(format!("must have at most {MOST_TYPED} characters")));
    }
    let words = Wanted::parse(q)
        .ok_or_else(|| invalid("must have a letter or a digit in it".to_owned()))?;
    Ok(Some(words))
}

/// The same words with the nearest that there are for those that nothing begins with.
async fn corrected(client: &Object, words: &Wanted) -> Result<Option<Wanted>, ReadError> {
    let nearest: BTreeMap<String, String> =
        catalogue::corrections(client, words).await?.into_iter().collect();
    Ok((!nearest.is_empty()).then(|| words.clone().with(|word| nearest.get(word).cloned())))
}

impl From<OrderName> for Order {
    fn from(name: OrderName) -> Self {
        match name {
            OrderName::Name => Self::Name,
            OrderName::Sku => Self::Sku,
            OrderName::Newest => Self::Newest,
        }
    }
}
