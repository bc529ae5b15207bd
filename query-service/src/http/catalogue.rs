//! `/v1/catalogue`: what a company sees of all that is sold, and what it pays for it.

mod count;

use std::{collections::BTreeMap, sync::Arc};

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use deadpool_postgres::Object;
use domain::{Currency, ProductId, Reference, pricing::Step, product, stock::Level};
use projections::{
    ReadError,
    views::{
        assortments,
        catalogue::{self, Line, Lines, Order, Place, Sought, Within},
        categories, companies, discounts, price_agreements, prices, product_codes, stock,
    },
    words::Wanted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    input::Query,
    page::{self, Page, PageRequest},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{Asker, By, Trade, problem},
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

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
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
    /// Its id.
    id: ProductId,
    /// What it is.
    #[serde(flatten)]
    description: product::Description,
    /// What else is known of it, without its texts.
    #[serde(flatten)]
    details: product::Details,
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

/// Where the next page begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Next {
    /// After a place in the order.
    After(Place),
    /// After so many matches of words; of others than those asked for, perhaps.
    Skip(i64, Option<String>),
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Trade>,
    Query(list): Query<List>,
) -> Result<Json<Shelf>, Problem> {
    let List { limit, cursor, company, currency, category, brand, in_stock, q, order } = list;
    let page = PageRequest { limit, cursor };
    let (limit, next) = (page.limit()?, page.cursor::<Next>()?);
    let words = words(q.as_deref())?;
    let currency = currency.unwrap_or(Currency::Pln);
    let (client, shopper) = shopper(&queries, &asker, company, currency).await?;
    let wanted = match words {
        Some(words) => Some(Search::of(&client, &shopper, words).await.map_err(problem)?),
        None => None,
    };
    let brand = brand.map(|name| catalogue::brand(&name));
    let wish = Wish { category, brand, in_stock };
    let searching = match &wanted {
        Some(_) => Some(queries.views.client().await.map_err(problem)?),
        None => None,
    };
    let range = shopper.range(&client, wish).await.map_err(problem)?;
    let (order, within) = (order.map(Order::from), shopper.within(wish));
    let mut look = Look {
        client: &client,
        lines: &queries.lines,
        searching: searching.as_ref().unwrap_or(&client),
        shopper: &shopper,
        range: &range,
        within: &within,
        order,
        wanted,
    };
    let (lines, next) = look.find(next, limit).await?;
    let today = queries.clock.today();
    let (firms, ids) = (shopper.firms(), lines.iter().map(|line| line.item.id).collect::<Vec<_>>());
    let (steps, mut codes, stock) = futures::try_join!(
        shopper.prices(&client, &lines, today),
        product_codes::of_products(&client, &firms, &ids),
        stock::levels(&client, &ids),
    )
    .map_err(problem)?;
    let items = lines.iter().zip(steps).map(|(line, prices)| Listed {
        id: line.item.id,
        own_code: codes.remove(&line.item.id),
        stock: stock.get(&line.item.id).copied(),
        description: line.item.description.clone(),
        details: line.item.details.clone(),
        currency,
        prices,
    });
    let instead = match look.wanted {
        Some(Search { words, instead: true, .. }) => Some(words.words().join(" ")),
        Some(Search { instead: false, .. }) | None => None,
    };
    Ok(Json(Shelf { page: Page::ending(items.collect(), next.as_ref()), instead }))
}

/// Words that are searched.
struct Search {
    words: Wanted,
    /// The products that the company calls so.
    own: Vec<Uuid>,
    /// Whether they stand for others, which nothing has.
    instead: bool,
}

impl Search {
    async fn of(client: &Object, shopper: &Shopper, words: Wanted) -> Result<Self, ReadError> {
        let own = product_codes::meant(client, &shopper.firms(), &words.code()).await?;
        Ok(Self { words, own, instead: false })
    }

    /// Words that stand for others.
    fn instead(words: Wanted) -> Self {
        Self { words, own: Vec::new(), instead: true }
    }
}

/// A look for products.
struct Look<'a> {
    client: &'a Object,
    lines: &'a Lines,
    /// Plans each search by itself.
    searching: &'a Object,
    shopper: &'a Shopper,
    range: &'a Range,
    within: &'a Within,
    order: Option<Order>,
    wanted: Option<Search>,
}

impl Look<'_> {
    /// The first products that the company sees, and where the next page begins.
    async fn find(
        &mut self,
        next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>), Problem> {
        match (&mut self.wanted, &next) {
            (None, None | Some(Next::After(_))) | (Some(_), None) => {}
            (Some(search), Some(Next::Skip(_, instead))) => {
                if let Some(words) = instead.as_deref().and_then(Wanted::parse) {
                    *search = Search::instead(words);
                }
            }
            (None, Some(Next::Skip(..))) | (Some(_), Some(Next::After(_))) => {
                return Err(page::other_cursor());
            }
        }
        let first = next.is_none();
        let found = self.seen(next, limit).await.map_err(problem)?;
        if first && found.0.is_empty() && self.corrected().await.map_err(problem)? {
            return self.seen(None, limit).await.map_err(problem);
        }
        Ok(found)
    }

    async fn seen(
        &self,
        mut next: Option<Next>,
        limit: usize,
    ) -> Result<(Vec<Arc<Line>>, Option<Next>), ReadError> {
        let (mut seen, mut looked_at, mut size) = (Vec::new(), 0, limit + 1);
        loop {
            let lines = self.some(next.as_ref(), size).await?;
            let ended = lines.len() < size;
            looked_at += lines.len();
            let sees = self.shopper.sees(self.client, &lines).await?;
            for (line, sees) in lines.into_iter().zip(sees) {
                if seen.len() == limit {
                    return Ok((seen, next));
                }
                next = Some(self.behind(&line, next.as_ref()));
                if sees {
                    seen.push(line);
                }
            }
            if ended {
                return Ok((seen, None));
            }
            if looked_at >= MOST_LOOKED_AT {
                return Ok((seen, next));
            }
            size = (size * 4).min(1_000);
        }
    }

    /// Products where the company looks, whether it sees them or not.
    async fn some(&self, next: Option<&Next>, size: usize) -> Result<Vec<Arc<Line>>, ReadError> {
        let Range { places, also } = self.range;
        let (sought, size) = (Sought { places, also }, i64::try_from(size).unwrap_or(i64::MAX));
        match (&self.wanted, next) {
            (Some(search), next) => {
                let skip = if let Some(Next::Skip(skip, _)) = next { *skip } else { 0 };
                let asked = (&search.words, search.own.as_slice());
                let (order, within) = (self.order, self.within);
                catalogue::search(self.searching, asked, within, order, skip, size).await
            }
            (None, Some(Next::After(place))) => {
                catalogue::page((self.client, self.lines), sought, self.by(), Some(place), size)
                    .await
            }
            (None, Some(Next::Skip(..)) | None) => {
                catalogue::page((self.client, self.lines), sought, self.by(), None, size).await
            }
        }
    }

    fn behind(&self, line: &Line, next: Option<&Next>) -> Next {
        match &self.wanted {
            None => Next::After(line.place(self.by())),
            Some(Search { words, instead, .. }) => {
                let skipped = if let Some(Next::Skip(skip, _)) = next { *skip } else { 0 };
                Next::Skip(skipped + 1, instead.then(|| words.words().join(" ")))
            }
        }
    }

    fn by(&self) -> Order {
        self.order.unwrap_or(Order::Name)
    }

    /// Takes the nearest words that there are for those that nothing has.
    async fn corrected(&mut self) -> Result<bool, ReadError> {
        let Some(search) = &mut self.wanted else { return Ok(false) };
        let corrected = corrected(self.client, &search.words).await?;
        let found = corrected.is_some();
        if let Some(words) = corrected {
            *search = Search::instead(words);
        }
        Ok(found)
    }
}

/// Who looks at the catalogue: a buyer's own company, or the one that is named.
async fn shopper(
    queries: &Queries,
    asker: &Asker,
    company: Option<Uuid>,
    currency: Currency,
) -> Result<(Object, Shopper), Problem> {
    let unnamed = |detail| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query.names_nothing")
            .field(FieldError::parameter("company", detail))
    };
    let company = asker.narrowed(company)?.ok_or_else(|| unnamed("must say who looks"))?;
    let client = asker.shelves(queries, VIEWS).await?;
    let shopper = Shopper::of((&client, &queries.log), company, currency).await.map_err(problem)?;
    let shopper = shopper.ok_or_else(|| unnamed("there is no such company"))?;
    Ok((client, shopper))
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
