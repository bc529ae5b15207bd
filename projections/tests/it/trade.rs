//! A database of a test's own, its log and read models, and random trade on it.

use std::collections::BTreeMap;

use domain::{
    CompanyId, Currency, Invoice, InvoiceId, Line, Lines, Money, OrderId, Payment, PaymentId,
    PaymentTerm, ProductId, ShipmentId, VatRate, invoice, payment, series,
};
use event_log::{Envelope, EventLog, LogConfig, Work, WorkError};
use futures::{FutureExt, future::BoxFuture};
use projections::Views;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// A database, its log and its read models.
pub(crate) struct Instance {
    pub(crate) log: EventLog,
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Instance {
    pub(crate) async fn new() -> Self {
        let server = std::env::var("KONTOR_TEST_DATABASE_URL")
            .expect("run `make test`, which starts private servers");
        let name = format!("views_{}", Uuid::now_v7().simple());
        connect(&server).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}");
        let mut client = connect(&url).await;
        EventLog::migrate(&mut client).await.unwrap();
        let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
        Self { log, url, client }
    }

    /// Read models over this log, as one process has them.
    pub(crate) async fn views(&self) -> Views {
        let pool = service_kit::postgres::pool(&self.url, "test", 12).unwrap();
        Views::open(pool, self.log.clone()).await.unwrap()
    }

    /// Executes a command that must succeed.
    pub(crate) async fn execute<F>(&self, decide: F)
    where
        F: for<'w> Fn(&'w mut Work) -> BoxFuture<'w, Result<(), String>> + Send + Sync,
    {
        let command_id = Uuid::now_v7();
        let envelope = Envelope {
            command_id,
            remember: None,
            actor: "test".to_owned(),
            correlation_id: command_id,
            causation_id: None,
        };
        self.log.execute(&envelope, decide).await.unwrap();
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(crate) fn said<E: std::error::Error>(error: WorkError<E>) -> String {
    error.to_string()
}

/// What a company's account must show, counted apart from the read model: in grosze.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) invoiced: i64,
    pub(crate) credited: i64,
    pub(crate) paid: i64,
    pub(crate) open: i64,
    pub(crate) unallocated: i64,
}

/// Trades at random with a few companies and counts along.
pub(crate) async fn trade(
    instance: &Instance,
    seed: u64,
    steps: u32,
) -> BTreeMap<CompanyId, Account> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut accounts: BTreeMap<CompanyId, Account> = BTreeMap::new();
    let mut open: Vec<(CompanyId, InvoiceId, i64)> = Vec::new();
    let mut left: Vec<(CompanyId, PaymentId, i64)> = Vec::new();
    for step in 1..=steps {
        let company = CompanyId(Uuid::from_u128(random.random_range(1..=4)));
        let account = accounts.entry(company).or_default();
        let grosze = random.random_range(1..=50_000_i64);
        match random.random_range(0..4) {
            0 | 1 => {
                let id = InvoiceId(Uuid::from_u128(0x1_0000 + u128::from(step)));
                issue(instance, id, company, step, grosze).await;
                account.invoiced += grosze;
                account.open += grosze;
                open.push((company, id, grosze));
            }
            2 => {
                let id = PaymentId(Uuid::from_u128(0x2_0000 + u128::from(step)));
                book(instance, id, company, grosze).await;
                account.paid += grosze;
                account.unallocated += grosze;
                left.push((company, id, grosze));
            }
            _ => {
                let pair = left.iter_mut().find_map(|(payer, payment, rest)| {
                    let (_, invoice, due) = open
                        .iter_mut()
                        .find(|(charged, _, due)| charged == payer && *due > 0 && *rest > 0)?;
                    let amount = (*rest).min(*due);
                    *rest -= amount;
                    *due -= amount;
                    Some((*payer, *payment, *invoice, amount))
                });
                if let Some((payer, payment, invoice, amount)) = pair {
                    allocate(instance, payment, invoice, amount).await;
                    let account = accounts.entry(payer).or_default();
                    account.open -= amount;
                    account.unallocated -= amount;
                }
            }
        }
    }
    accounts.retain(|_, account| *account != Account::default());
    accounts
}

fn money(grosze: i64) -> Money {
    Money::new(Decimal::new(grosze, 2), Currency::Pln).unwrap()
}

async fn issue(instance: &Instance, id: InvoiceId, company: CompanyId, sequence: u32, grosze: i64) {
    let line = Line {
        product: ProductId(Uuid::from_u128(1)),
        sku: "A".parse().unwrap(),
        name: "A".parse().unwrap(),
        quantity: "1".parse().unwrap(),
        unit_price: domain::UnitPrice::new(Decimal::new(grosze, 2)).unwrap(),
        vat_rate: VatRate::Exempt,
        priced_by: None,
        deliver_on: None,
    };
    let sale = invoice::Sale {
        annex_15: false,
        company,
        order: OrderId(id.0),
        shipment: ShipmentId(id.0),
        currency: Currency::Pln,
        lines: Lines::try_from(vec![line]).unwrap(),
        payment_term: PaymentTerm::Immediate,
        on: "2026-03-20".parse().unwrap(),
    };
    let number = series::Number::try_from(format!("FV/2026/03/{sequence:04}")).unwrap();
    instance
        .execute(move |work| {
            let command = invoice::Command::Issue { number: number.clone(), sale: sale.clone() };
            async move { work.decide::<Invoice>(id, command).await.map_err(said) }.boxed()
        })
        .await;
}

async fn book(instance: &Instance, id: PaymentId, company: CompanyId, grosze: i64) {
    let booking = payment::Booking {
        company,
        amount: money(grosze),
        method: payment::Method::Transfer,
        on: "2026-03-21".parse().unwrap(),
        names: None,
        title: None,
    };
    instance
        .execute(move |work| {
            let command = payment::Command::Book(booking.clone());
            async move { work.decide::<Payment>(id, command).await.map_err(said) }.boxed()
        })
        .await;
}

async fn allocate(instance: &Instance, payment: PaymentId, invoice: InvoiceId, grosze: i64) {
    let amount = money(grosze);
    instance
        .execute(move |work| {
            async move {
                let command = payment::Command::Allocate { invoice, amount };
                work.decide::<Payment>(payment, command).await.map_err(said)?;
                let command = invoice::Command::AllocatePayment { payment, amount };
                work.decide::<Invoice>(invoice, command).await.map_err(said)
            }
            .boxed()
        })
        .await;
}
