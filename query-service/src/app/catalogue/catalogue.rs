//! The catalogue of a company: the products that it sees, at its prices.

mod count;
mod search;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use domain::{Currency, ProductId, Reference, pricing::Step, product, stock::Level};
use jiff::civil::Date;
use projections::{
    views::{
        catalogue::{
            assortments,
            catalogue::{self, CatalogueItem, Line, Order, Sought},
            categories, product_codes,
        },
        inventory::stock,
        parties::companies,
        pricing::{discounts, price_agreements, prices},
    },
    words::SearchWords,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use service_kit::permissions::ReadTrade;
use service_kit::{
    page::{self, Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use self::search::{Finder, Next, Search};
use crate::{
    Queries,
    app::{invalid, names_nothing},
    asker::{Asker, problem},
    catalogue_context::{CatalogueContext, CatalogueFilter},
    reading::Reading,
};

pub use self::count::{BrandCount, CategoryCount, Count, Counts, count};

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

/// The maximum number of characters of a search.
const MOST_TYPED: usize = 200;

/// Which products to list. A page can be shorter than its limit and still have a next page.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The company; a buyer's own company when not given.
    pub company: Option<Uuid>,
    /// The currency of the prices; PLN when not given.
    pub currency: Option<Currency>,
    /// The category; products of its subcategories are included.
    pub category: Option<Uuid>,
    /// The brand, ignoring case and diacritics.
    pub brand: Option<String>,
    /// Only products in stock.
    #[serde(default)]
    pub in_stock: bool,
    /// Words of the name, brand, attributes or description, in any inflection and also as prefixes;
    /// or a code, of which the company's own come first. If no product matches, the most similar
    /// words are searched.
    pub q: Option<String>,
    /// The sort order; when not given, by relevance for a search, otherwise by name.
    pub order: Option<OrderName>,
}

impl List {
    /// The query, without its page.
    fn digest(&self) -> u64 {
        let Self { company, currency, category, brand, in_stock, q, order } = self;
        let mut hasher = DefaultHasher::new();
        (company, currency, category, brand, in_stock, q, order).hash(&mut hasher);
        hasher.finish()
    }
}

#[derive(Debug, Clone, Copy, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CatalogueOrder")]
#[allow(
    missing_docs,
    reason = "self-explanatory names; comments would change the OpenAPI document"
)]
pub enum OrderName {
    Name,
    Sku,
    Newest,
}

/// Products as a company sees them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CataloguePage")]
pub struct CataloguePage {
    /// The page.
    #[serde(flatten)]
    pub page: Page<Listed>,
    /// The words that were searched instead, because no product matches the given ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// A product as a company sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogueEntry")]
pub struct Listed {
    #[serde(flatten)]
    #[schemars(with = "Shown<'_>")]
    line: Kept,
    /// The product code of the company, or of a company above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_code: Option<Reference>,
    /// The stock level; missing if none was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<Level>,
    /// The currency of the prices.
    pub currency: Currency,
    /// Net price of one unit at the minimum order quantity; missing if there is no price.
    pub prices: Vec<Step>,
}

/// The data of a product that is the same for all companies.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown<'a> {
    /// Its id.
    pub id: ProductId,
    /// Its description.
    #[serde(flatten)]
    pub description: product::Description,
    /// Its details, without texts.
    #[serde(flatten)]
    pub details: Cow<'a, product::Details>,
}

/// A cached line as of a day, with links only to products that the company sees.
#[derive(Debug)]
struct Kept {
    line: Arc<Line>,
    today: Date,
    seen: Arc<BTreeSet<ProductId>>,
}

impl Listed {
    /// The data that is the same for all companies.
    pub fn product(&self) -> Shown<'_> {
        self.line.shown()
    }
}

impl Kept {
    fn shown(&self) -> Shown<'_> {
        let CatalogueItem { id, details, .. } = &self.line.item;
        let details = match details.others().next() {
            None => Cow::Borrowed(details),
            Some(_) => Cow::Owned(details.clone().naming_only(&self.seen)),
        };
        let description = self.line.item.described(self.today);
        Shown { id: *id, description, details }
    }
}

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

/// The start of the next page, and the query it belongs to.
#[derive(Debug, Serialize, Deserialize)]
struct Continued {
    of: u64,
    next: Next,
}

/// The products that a company sees, at its prices.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter }: Listing<List>,
) -> Result<CataloguePage, Problem> {
    asker.require::<ReadTrade>()?;
    let of = filter.digest();
    let List { company, currency, category, brand, in_stock, q, order } = filter;
    let (limit, next) = page.read::<Continued>()?;
    let next = match next {
        Some(continued) if continued.of != of => return Err(page::other_cursor()),
        next => next.map(|continued| continued.next),
    };
    let words = words(q.as_deref())?;
    let currency = currency.unwrap_or(Currency::Pln);
    let (reading, context) = context(queries, asker, company, currency).await?;
    let brand = brand.map(|name| catalogue::brand(&name));
    let (filter, order) = (CatalogueFilter { category, brand, in_stock }, order.map(Order::from));
    let search = match words {
        Some(words) => {
            let own = context.means(&reading.client, &words.code()).await.map_err(problem)?;
            let within = context.within(filter);
            let sought = Sought { words, own, within, order, deep: false };
            let client = queries.views.client().await.map_err(problem)?;
            Some(Search { client, sought, instead: false })
        }
        None => None,
    };
    let range = context.range(&reading, filter).await.map_err(problem)?;
    let by = order.unwrap_or(Order::Name);
    let mut finder = Finder { reading: &reading, context: &context, range: &range, by, search };
    let (lines, next) = finder.find(next, limit).await?;
    let today = queries.clock.today();
    let ids: Vec<ProductId> = lines.iter().map(|line| line.item.id).collect();
    let (levels, changed) = (&reading.memory.levels, reading.changed.stock);
    let others = lines.iter().flat_map(|line| line.item.details.others());
    let (steps, mut names, levels, seen) = futures::try_join!(
        context.prices(&reading, &lines, today),
        context.names(&reading.client, &ids),
        levels.of(&reading.client, changed, &ids),
        catalogue::visible(&reading.client, others, context.assortment_ids()),
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
    let instead = finder.search.filter(|search| search.instead).map(|search| search.text());
    let next = next.map(|next| Continued { of, next });
    Ok(CataloguePage { page: Page::ending(items.collect(), next.as_ref()), instead })
}

/// The company of the query: a buyer's own company, or the given one.
async fn context(
    queries: &Queries,
    asker: &Asker,
    company: Option<Uuid>,
    currency: Currency,
) -> Result<(Reading, CatalogueContext), Problem> {
    let unnamed = |detail| names_nothing("company", detail);
    let company = asker.narrowed(company)?.ok_or_else(|| unnamed("is required"))?;
    let reading = asker.reading(queries, VIEWS).await?;
    let context =
        CatalogueContext::of(&reading, &queries.log, company, currency).await.map_err(problem)?;
    let context = context.ok_or_else(|| unnamed("no such company"))?;
    Ok((reading, context))
}

fn words(q: Option<&str>) -> Result<Option<SearchWords>, Problem> {
    let Some(q) = q else { return Ok(None) };
    if q.chars().count() > MOST_TYPED {
        return Err(invalid("q", format!("must have at most {MOST_TYPED} characters")));
    }
    let words = SearchWords::parse(q);
    words.map(Some).ok_or_else(|| invalid("q", "must contain a letter or a digit"))
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
