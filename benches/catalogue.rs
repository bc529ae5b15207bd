//! The personal catalogue over HTTP, beside a plain indexed SELECT of as many rows.

mod client;
mod fill;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use cqrs_es::DomainEvent;
use deadpool_postgres::Pool;
use domain::{
    AgreementId, Audience, Currency, PriceId, ProductId, Selection, StockId,
    price::{self, Break, Days, Subject, Value},
    product, stock,
};
use event_log::{Append, Envelope, EventLog, LogConfig, NewEvent, StreamWrite};
use projections::Views;
use query_service::{Live, Queries};
use service_kit::{
    access::{self, Access, KeyRole, NewKey},
    clock::Clock,
    migrations::migrate,
    postgres,
};
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{
    client::Connection,
    fill::{ADJECTIVES, NOUNS, Size},
};
use crate::{
    Failure,
    database::fresh,
    table::{Table, median, whole},
};

const CLIENTS: u64 = 32;
const MEASURE: Duration = Duration::from_secs(10);
const SMALL: Size = Size { products: 80_000, companies: 500, lists: 20, prices_of_each: 10_000 };
const FULL: Size =
    Size { products: 800_000, companies: 5_000, lists: 200, prices_of_each: 100_000 };

pub(crate) async fn measure(server: &str, full: bool, table: &mut Table) -> Result<(), Failure> {
    let size = if full { FULL } else { SMALL };
    let (mut database, url) = fresh(server).await?;
    EventLog::migrate(&mut database).await?;
    migrate(&mut database, "access", access::MIGRATIONS).await?;
    let log = EventLog::open(&LogConfig::new(&url)).await?;
    let pool = postgres::pool(&url, "bench", 24)?;
    let views = Views::open(pool.clone(), log.clone()).await?;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    views.wait(&["catalogue", "prices"], event_log::Position(0)).await?;
    set_up(&database).await?;
    let started = Instant::now();
    fill::fill(&database, size).await?;
    let what = format!(
        "catalogue: {} products, {} companies, {} lists of {} prices, filled in",
        whole(size.products as f64),
        whole(size.companies as f64),
        size.lists,
        whole(size.prices_of_each as f64)
    );
    table.beside(&what, format!("{:.0} s", started.elapsed().as_secs_f64()));

    let access = Access::new(postgres::pool(&url, "bench access", 2)?);
    let key = NewKey { name: "bench", role: KeyRole::Sales, company: None, employee: None };
    let secret = access.create(Uuid::now_v7(), key).await?;
    let clock = Clock::system(Clock::WARSAW)?;
    let catalogue_pool = postgres::steady_pool(&url, "bench catalogue", 4)?;
    let router: axum::Router = query_service::router(Queries {
        views,
        catalogue_pool,
        memory: Arc::default(),
        log: log.clone(),
        live: Live::start(log.clone(), access.clone(), &cancel).await?,
        access,
        clock,
        letterhead: None,
    })
    .into();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let shop = Shop { address: listener.local_addr()?, secret: Arc::new(secret), size };
    tokio::spawn(async { axum::serve(listener, router).await });

    pages(&shop, &pool, &log, table).await?;
    searches(&shop, table).await?;
    counts(&shop, table).await?;
    change(&shop, &log, table).await?;
    cancel.cancel();
    Ok(())
}

/// Waits until the runner has made its tables.
async fn set_up(database: &Client) -> Result<(), Failure> {
    const MADE: &str = "SELECT count(*) FROM view.checkpoints";
    let all = i64::try_from(projections::views::ALL.len())?;
    while database.query_one(MADE, &[]).await?.get::<_, i64>(0) < all {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Where it is served.
#[derive(Clone)]
struct Shop {
    address: std::net::SocketAddr,
    secret: Arc<String>,
    size: Size,
}

impl Shop {
    async fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(self.address, &self.secret).await
    }

    fn company(&self, draw: u64) -> String {
        md5(&format!("f{}", 1 + draw % self.size.companies.unsigned_abs()))
    }
}

/// First pages of fifty: half of a category, half of all that the company sees. At a pace, as fast as
/// they are answered, and so again while the seller works.
async fn pages(shop: &Shop, pool: &Pool, log: &EventLog, table: &mut Table) -> Result<(), Failure> {
    let page = |shop: &Shop, draw: u64| {
        let company = shop.company(draw);
        match draw / 7 % 2 {
            0 => format!("/v1/catalogue?company={company}"),
            _ => {
                let category = md5(&format!("c{}", 9 + draw / 14 % 96));
                format!("/v1/catalogue?company={company}&category={category}")
            }
        }
    };
    let page = Arc::new(page);
    let ask = |pace: Option<Duration>| {
        let (shop, page) = (shop.clone(), page.clone());
        latencies(CLIENTS, pace, move |_| {
            let (shop, page) = (shop.clone(), page.clone());
            async move {
                let mut connection = shop.connect().await?;
                Ok(async move |draw: u64| connection.get(&page(&shop, draw)).await.map(|_| ()))
            }
        })
    };
    // Once for nothing: a catalogue is asked for days, and what is asked often is in memory then.
    ask(None).await?;
    let paced = Latencies::of(ask(Some(PACE)).await?);
    let measured = ask(None).await?;
    let work = tokio::spawn(work(log.clone(), shop.size));
    let meanwhile = ask(None).await?;
    if work.is_finished() {
        work.await??;
    } else {
        work.abort();
    }
    let products = shop.size.products;
    let plain = latencies(CLIENTS, None, |_| {
        let pool = pool.clone();
        async move {
            Ok(async move |draw: u64| {
                let client = pool.get().await?;
                let statement = client.prepare_cached(PLAIN).await?;
                let from = i64::try_from(draw % products.unsigned_abs())?;
                client.query(&statement, &[&from]).await?;
                Ok(())
            })
        }
    })
    .await?;
    let (ours, plain) = (Latencies::of(measured), Latencies::of(plain));
    let meanwhile = Latencies::of(meanwhile);
    table.beside("page of 50 priced rows, 32 clients, 20 pages a second each", paced.summary());
    table.at_most("— p99", paced.p99(), paced.at(99), (20_000.0, "20 ms"));
    table.beside("page of 50 priced rows, 32 clients, without a pause", ours.summary());
    table.at_most("— p99", ours.p99(), ours.at(99), (20_000.0, "20 ms"));
    table.beside(
        "the same while 30 prices, levels and pictures change a second",
        meanwhile.summary(),
    );
    table.beside("plain indexed SELECT of 50 rows, 32 clients", plain.summary());
    let ratio = ours.at(50) / plain.at(50);
    table.beside("— page beside it, median", format!("{ratio:.1} ×"));
    Ok(())
}

/// The seller at work: ten times a second a price of everyone's list, a product's stock, and another's
/// pictures change.
async fn work(log: EventLog, size: Size) -> Result<(), Failure> {
    let mut often = tokio::time::interval(Duration::from_millis(100));
    let agreement = AgreementId(md5("a0").parse()?);
    for number in 1..size.products {
        often.tick().await;
        let product = |step: i64| {
            Ok::<_, Failure>(ProductId(
                md5(&format!("p{}", number * step % size.products)).parse()?,
            ))
        };
        let (priced, stocked, pictured) = (product(7)?, product(11)?, product(13)?);
        let selection = Selection::Product { product: priced };
        let of = Subject { audience: Audience::Everyone, selection, currency: Currency::Pln };
        let breaks = vec![Break { at_least: None, value: Value::Fixed { price: "7.77".parse()? } }];
        let id = ("price", PriceId::of(&of).0);
        let agreed = price::Event::Agreed { of, agreement, days: Days::default(), breaks };
        record(&log, id, 0, &agreed).await?;
        let available = "40".parse()?;
        let reported = stock::Event::Reported { product: stocked, available, expected: None };
        record(&log, ("stock", StockId::of(stocked).0), 0, &reported).await?;
        let pictures = product::Event::Pictured { images: Vec::new() };
        record(&log, ("product", pictured.0), 0, &pictures).await?;
    }
    Ok(())
}

/// The same rows as a page has, from an index, with nothing to decide.
const PLAIN: &str = "
    SELECT id, sku, name, gtin, unit, vat_rate, status, base_prices, created, details
    FROM view.catalogue WHERE created > $1 ORDER BY created LIMIT 50";

async fn searches(shop: &Shop, table: &mut Table) -> Result<(), Failure> {
    for (what, words) in [
        ("two words", two_words as fn(u64, Size) -> String),
        ("one common word", common_word),
        ("as typed, two letters", two_letters),
        ("a code", code),
        ("a typo", typo),
    ] {
        let search = move |shop: &Shop, draw: u64| {
            let words = words(draw / 3, shop.size);
            format!("/v1/catalogue?company={}&q={words}", shop.company(draw))
        };
        let search = Arc::new(search);
        let measured = latencies(2, None, |_| {
            let (shop, search) = (shop.clone(), search.clone());
            async move {
                let mut connection = shop.connect().await?;
                Ok(async move |draw: u64| connection.get(&search(&shop, draw)).await.map(|_| ()))
            }
        })
        .await?;
        let measured = Latencies::of(measured);
        let what = format!("search, {what}, 2 clients, p99");
        table.at_most(&what, measured.p99(), measured.at(99), (50_000.0, "50 ms"));
    }
    Ok(())
}

/// One of some words.
fn picked(words: &[&'static str; 40], draw: u64) -> &'static str {
    words[usize::try_from(draw % 40).unwrap_or(0)]
}

fn two_words(draw: u64, _: Size) -> String {
    format!("{}+{}", picked(&NOUNS, draw), picked(&ADJECTIVES, draw / 40))
}

fn common_word(draw: u64, _: Size) -> String {
    picked(if draw.is_multiple_of(2) { &NOUNS } else { &ADJECTIVES }, draw / 2).to_owned()
}

fn two_letters(draw: u64, _: Size) -> String {
    picked(&NOUNS, draw)[..2].to_owned()
}

fn code(draw: u64, size: Size) -> String {
    let number = draw / 4 % size.products.unsigned_abs();
    match draw % 4 {
        0 => format!("SKU-{number}"),
        1 => format!("sku{number}"),
        2 => format!("SKU-{}", number / 100),
        _ => format!("{number:013}"),
    }
}

/// The second and the third letter the other way round, alone or beside another word.
fn typo(draw: u64, _: Size) -> String {
    let word = picked(&NOUNS, draw);
    let typed = format!("{}{}{}{}", &word[..1], &word[2..3], &word[1..2], &word[3..]);
    if draw.is_multiple_of(3) {
        format!("{typed}+{}", picked(&ADJECTIVES, draw / 40))
    } else {
        typed
    }
}

async fn counts(shop: &Shop, table: &mut Table) -> Result<(), Failure> {
    for (what, query) in [("of everything", ""), ("of a word", "&q=kawa")] {
        let measured = latencies(1, None, |_| {
            let shop = shop.clone();
            async move {
                let mut connection = shop.connect().await?;
                Ok(async move |draw: u64| {
                    let company = shop.company(draw);
                    let path = format!("/v1/catalogue/counts?company={company}{query}");
                    connection.get(&path).await.map(|_| ())
                })
            }
        })
        .await?;
        let measured = Latencies::of(measured);
        table.beside(&format!("counts by category and brand {what}, p99"), measured.p99());
    }
    Ok(())
}

/// From the commit of a price to the first page that shows it.
async fn change(shop: &Shop, log: &EventLog, table: &mut Table) -> Result<(), Failure> {
    let mut connection = shop.connect().await?;
    let group = 1 % (shop.size.lists * 3 / 4);
    let company = md5(&format!("f{group}"));
    let path = format!("/v1/catalogue?company={company}&q=SKU-777");
    let product = ProductId(md5("p777").parse()?);
    let audience = Audience::Group { group: format!("g{group}").parse()? };
    let of =
        Subject { audience, selection: Selection::Product { product }, currency: Currency::Pln };
    let mut seconds = Vec::new();
    for round in 0..20_u64 {
        let price = format!("{}.17", 5_000 + round);
        let breaks = vec![Break { at_least: None, value: Value::Fixed { price: price.parse()? } }];
        let agreement = AgreementId(md5(&format!("a{group}")).parse()?);
        let agreed =
            price::Event::Agreed { of: of.clone(), agreement, days: Days::default(), breaks };
        let started = Instant::now();
        record(log, ("price", PriceId::of(&of).0), round, &agreed).await?;
        while !connection.get(&path).await?.contains(&price) {
            if started.elapsed() > Duration::from_secs(30) {
                return Err("a price never became visible".into());
            }
        }
        seconds.push(started.elapsed().as_secs_f64());
    }
    let middle = median(seconds.clone());
    let worst = seconds.into_iter().fold(0.0, f64::max);
    table.beside("a price, from its commit to the page, median", format!("{:.1} ms", middle * 1e3));
    table.at_most("— the slowest of 20", format!("{:.1} ms", worst * 1e3), worst, (1.0, "1 s"));
    Ok(())
}

/// Appends an event as version `after` + 1 of its stream.
async fn record(
    log: &EventLog,
    (stream_type, stream_id): (&'static str, Uuid),
    after: u64,
    event: &impl DomainEvent,
) -> Result<(), Failure> {
    let id = Uuid::now_v7();
    let envelope = Envelope {
        command_id: id,
        remember: None,
        actor: "bench".to_owned(),
        correlation_id: id,
        causation_id: None,
    };
    let event = NewEvent {
        event_type: event.event_type().into(),
        schema_version: event.event_version().parse()?,
        payload: serde_json::to_string(event)?,
    };
    let write = StreamWrite {
        stream_type,
        stream_id,
        expected: after,
        company_id: None,
        events: vec![event],
    };
    let append = Append { envelope, writes: vec![write], reads: Vec::new(), answer: (id, 0) };
    log.append(append).await?;
    Ok(())
}

/// Runs so many clients, one request after the other, and says how long each took, in microseconds.
///
/// With a pace, each asks once in so long a time; when an answer comes late, the next question does,
/// and the time that it waited counts.
async fn latencies<F, C>(
    clients: u64,
    pace: Option<Duration>,
    client: impl Fn(u64) -> F,
) -> Result<(Vec<u64>, Duration), Failure>
where
    F: Future<Output = Result<C, Failure>>,
    C: AsyncFnMut(u64) -> Result<(), Failure> + 'static,
{
    let local = tokio::task::LocalSet::new();
    let mut tasks: JoinSet<Result<Vec<u64>, Failure>> = JoinSet::new();
    let next = Arc::new(AtomicU64::new(1));
    for number in 0..clients {
        let (mut ask, next) = (client(number).await?, next.clone());
        let run = async move {
            let started = Instant::now();
            let mut taken = Vec::new();
            // They begin one after the other, not all at once.
            let offset = |pace: Duration| pace.mul_f64(number as f64 / clients as f64);
            let mut due = pace.map(|pace| started + offset(pace));
            while started.elapsed() < MEASURE + WARM_UP {
                // Numbers without a pattern, the same in every run.
                let draw = next.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let asked = match due {
                    None => Instant::now(),
                    Some(due) => {
                        tokio::time::sleep_until(due.into()).await;
                        due
                    }
                };
                due = pace.and_then(|pace| due?.checked_add(pace));
                ask(draw >> 20).await?;
                if started.elapsed() > WARM_UP {
                    taken.push(u64::try_from(asked.elapsed().as_micros())?);
                }
            }
            Ok(taken)
        };
        tasks.spawn_local_on(run, &local);
    }
    local
        .run_until(async {
            let mut all = Vec::new();
            while let Some(taken) = tasks.join_next().await {
                all.extend(taken??);
            }
            Ok((all, MEASURE))
        })
        .await
}

/// How often a client asks when it asks at a pace.
const PACE: Duration = Duration::from_millis(50);
const WARM_UP: Duration = Duration::from_secs(5);

struct Latencies {
    sorted: Vec<u64>,
    over: Duration,
}

impl Latencies {
    fn of((mut taken, over): (Vec<u64>, Duration)) -> Self {
        taken.sort_unstable();
        Self { sorted: taken, over }
    }

    /// In microseconds.
    fn at(&self, percent: usize) -> f64 {
        let index = self.sorted.len() * percent / 100;
        self.sorted.get(index).map_or(f64::INFINITY, |micros| *micros as f64)
    }

    fn p99(&self) -> String {
        format!("{:.1} ms", self.at(99) / 1e3)
    }

    fn summary(&self) -> String {
        let rate = self.sorted.len() as f64 / self.over.as_secs_f64();
        format!("{}/s, median {:.1} ms, p99 {}", whole(rate), self.at(50) / 1e3, self.p99())
    }
}

/// The id that the filled tables have for a name.
fn md5(name: &str) -> String {
    Uuid::from_bytes(*md5::compute(name)).to_string()
}
