//! Replay of all history into all read models, from empty tables.

use std::time::Instant;

use deadpool_postgres::{Manager, Pool};
use domain::{
    ActorId, Company, CompanyId, Currency, Invoice, InvoiceId, Line, Lines, Order, OrderId,
    Payment, PaymentId, PaymentTerm, Product, ProductId, Series, Shipment, ShipmentId, VatRate,
    company, invoice, order, payment, product, series, shipment,
};
use event_log::{Envelope, EventLog, Work, WorkError};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use jiff::civil::{Date, date};
use projections::Views;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Failure,
    database::{fresh, with_log},
    table::{Table, whole},
};

const COMPANIES: u128 = 100;
const PRODUCTS: u128 = 500;
/// Each of nine events: an order of four lines, confirmed and shipped, its shipment, its invoice with
/// a number, and its payment with the allocation. Stock and credit do not move.
const TRADES: u128 = 12_000;
/// How many are written at once.
const AT_ONCE: usize = 64;
const ON: Date = date(2026, 3, 20);

pub(crate) async fn measure(server: &str, table: &mut Table) -> Result<(), Failure> {
    let (mut client, url) = fresh(server).await?;
    let log = with_log(&mut client, &url).await?;
    write_history(&log).await?;
    client.batch_execute("ANALYZE log.events; CHECKPOINT").await?;
    let events = log.head().await?;
    let pool = Pool::builder(Manager::new(url.parse()?, NoTls)).max_size(40).build()?;
    // A process that starts has none of the history in memory.
    let log = EventLog::open(&event_log::LogConfig::new(url)).await?;
    let started = Instant::now();
    let views = Views::open(pool, log).await?;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    for projection in projections::views::ALL {
        let mut status = views.status(projection.name).ok_or("a read model is missing")?;
        status.wait_for(|status| status.position >= events).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    cancel.cancel();
    let rate = events.0 as f64 / seconds;
    let what =
        format!("replay of {} events into {} read models", events.0, projections::views::ALL.len());
    table.at_least(&what, format!("{}/s", whole(rate)), rate, (50_000.0, "50,000/s"));
    Ok(())
}

async fn write_history(log: &EventLog) -> Result<(), Failure> {
    let companies = (0..COMPANIES).map(|n| execute(log, move |work| register(work, n).boxed()));
    stream::iter(companies).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let products = (0..PRODUCTS).map(|n| execute(log, move |work| publish(work, n).boxed()));
    stream::iter(products).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let trades = (0..TRADES).map(|n| trade(log, n));
    stream::iter(trades).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

async fn execute<F>(log: &EventLog, decide: F) -> Result<(), Failure>
where
    F: for<'w> Fn(&'w mut Work) -> futures::future::BoxFuture<'w, Result<(), Refused>>
        + Send
        + Sync,
{
    let command_id = Uuid::now_v7();
    let envelope = Envelope {
        command_id,
        remember: None,
        actor: "key:bench".to_owned(),
        correlation_id: command_id,
        causation_id: None,
    };
    log.execute(&envelope, decide).await.map_err(|error| format!("{error:?}"))?;
    Ok(())
}

/// A command of this history that was refused: a defect of the benchmark.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Log(#[from] event_log::Error),
    #[error("{0}")]
    Rule(String),
}

impl<E: std::fmt::Debug> From<WorkError<E>> for Refused {
    fn from(error: WorkError<E>) -> Self {
        match error {
            WorkError::Log(error) => Self::Log(error),
            WorkError::Refused(error) => Self::Rule(format!("{error:?}")),
        }
    }
}

fn company_id(number: u128) -> CompanyId {
    CompanyId(Uuid::from_u128(0xC0_0000 + number % COMPANIES))
}

fn product_id(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(0xB0_0000 + number % PRODUCTS))
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Refused> {
    text.parse().map_err(|_| Refused::Rule(format!("{text:?} is refused")))
}

async fn register(work: &mut Work, number: u128) -> Result<(), Refused> {
    let id = company_id(number);
    let tax_id = serde_json::json!({
        "name": format!("Hurtownia {number}"),
        "tax_id": { "kind": "foreign", "country": "DE", "number": format!("DE{number:09}") },
    });
    let profile = serde_json::from_value(tax_id).map_err(|e| Refused::Rule(e.to_string()))?;
    let command = company::Command::Register { id, profile, payment_term: PaymentTerm::net(14) };
    work.decide::<Company>(id, command).await?;
    let verify = company::Command::Verify { by: ActorId(Uuid::nil()), on: ON };
    work.decide::<Company>(id, verify).await?;
    Ok(())
}

async fn publish(work: &mut Work, number: u128) -> Result<(), Refused> {
    let id = product_id(number);
    let description = product::Description {
        sku: parsed(&format!("SKU-{number}"))?,
        name: parsed(&format!("Kawa ziarnista {number}"))?,
        gtin: None,
        unit: product::Unit::Piece,
        vat_rate: VatRate::Basic,
    };
    work.decide::<Product>(id, product::Command::Draft { id, description }).await?;
    let price = product::Command::Price { currency: Currency::Pln, price: parsed("12.50")? };
    work.decide::<Product>(id, price).await?;
    work.decide::<Product>(id, product::Command::Publish).await?;
    Ok(())
}

fn lines(number: u128) -> Result<Lines, Refused> {
    let line = |place: u128| {
        Ok(Line {
            product: product_id(number * 7 + place),
            sku: parsed(&format!("SKU-{}", (number * 7 + place) % PRODUCTS))?,
            name: parsed("Kawa ziarnista")?,
            quantity: parsed(&(1 + place).to_string())?,
            unit_price: parsed("12.50")?,
            vat_rate: VatRate::Basic,
            priced_by: None,
            deliver_on: None,
        })
    };
    let lines = (0..4).map(line).collect::<Result<Vec<_>, Refused>>()?;
    Lines::try_from(lines).map_err(|error| Refused::Rule(error.to_string()))
}

/// An order and what follows from it, in the commands that a user and the policies give.
async fn trade(log: &EventLog, number: u128) -> Result<(), Failure> {
    let id = |kind: u128| Uuid::from_u128((kind << 64) + number);
    let (order, shipment) = (OrderId(id(1)), ShipmentId(id(2)));
    let (bill, paid) = (InvoiceId(id(3)), PaymentId(id(4)));
    execute(log, |work| place(work, order, number).boxed()).await?;
    execute(log, |work| {
        async move {
            work.decide::<Order>(order, order::Command::Confirm).await?;
            Ok(())
        }
        .boxed()
    })
    .await?;
    execute(log, |work| dispatch(work, order, shipment, number).boxed()).await?;
    execute(log, |work| issue(work, (order, shipment, bill), number).boxed()).await?;
    execute(log, |work| pay(work, bill, paid, number).boxed()).await
}

async fn place(work: &mut Work, id: OrderId, number: u128) -> Result<(), Refused> {
    let terms = serde_json::json!({
        "company": company_id(number), "currency": "PLN", "lines": lines(number)?,
        "payment_term": PaymentTerm::net(14), "source": { "kind": "direct" },
    });
    let terms = serde_json::from_value(terms).map_err(|error| Refused::Rule(error.to_string()))?;
    let command = order::Command::Place { terms, on: ON, approval: None };
    Ok(work.decide::<Order>(id, command).await?)
}

async fn dispatch(
    work: &mut Work,
    order: OrderId,
    shipment: ShipmentId,
    number: u128,
) -> Result<(), Refused> {
    work.decide::<Order>(order, order::Command::Ship { shipment, items: None, on: ON }).await?;
    let dispatch = serde_json::json!({
        "company": company_id(number), "order": order, "currency": "PLN",
        "lines": lines(number)?, "payment_term": PaymentTerm::net(14), "on": ON,
    });
    let dispatch =
        serde_json::from_value(dispatch).map_err(|error| Refused::Rule(error.to_string()))?;
    Ok(work.decide::<Shipment>(shipment, shipment::Command::Dispatch(dispatch)).await?)
}

async fn issue(
    work: &mut Work,
    (order, shipment, id): (OrderId, ShipmentId, InvoiceId),
    of: u128,
) -> Result<(), Refused> {
    let kind = series::Kind::Invoice;
    let series = kind.series(ON);
    let next = work.load::<Series>(series).await?.next(kind, ON);
    let number = next.map_err(|error| Refused::Rule(error.to_string()))?;
    let take = series::Command::Take { kind, on: ON, document: id };
    work.decide::<Series>(series, take).await?;
    let sale = invoice::Sale {
        company: company_id(of),
        order,
        shipment,
        currency: Currency::Pln,
        lines: lines(of)?,
        payment_term: PaymentTerm::net(14),
        annex_15: false,
        on: ON,
    };
    Ok(work.decide::<Invoice>(id, invoice::Command::Issue { number, sale }).await?)
}

async fn pay(
    work: &mut Work,
    invoice: InvoiceId,
    id: PaymentId,
    number: u128,
) -> Result<(), Refused> {
    let invoiced = work.load::<Invoice>(invoice).await?;
    let amount = invoiced.open().map_err(|error| Refused::Rule(error.to_string()))?.0;
    let booking = payment::Booking {
        company: company_id(number),
        amount,
        method: payment::Method::Transfer,
        on: ON,
        names: None,
        title: None,
    };
    work.decide::<Payment>(id, payment::Command::Book(booking)).await?;
    work.decide::<Payment>(id, payment::Command::Allocate { invoice, amount }).await?;
    let command = invoice::Command::AllocatePayment { payment: id, amount };
    Ok(work.decide::<Invoice>(invoice, command).await?)
}
