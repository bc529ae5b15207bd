//! `kontor import online-retail`: imports the UCI Online Retail export through ordinary commands.
//! Customers become companies, stock codes products, invoices orders that are shipped and invoiced
//! on their day, and `C` invoices credit notes.
//!
//! Every command has an idempotency key derived from the document's number, so an import that is
//! interrupted or repeated ends in the same state.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use domain::Currency;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    api::{Api, Done, Refused},
    country,
    document::{self, Document, DocumentLine, Export, Kind},
    rejects::{self, Reject},
};

/// The options of the import.
#[derive(Debug, Clone)]
pub struct OnlineRetail {
    /// The export, as CSV or gzipped CSV.
    pub file: PathBuf,
    /// The currency of its prices.
    pub currency: Currency,
    /// The file for refused lines.
    pub rejects: PathBuf,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Documents in the export with at least one acceptable line.
    pub documents: usize,
    /// Documents that were imported, now or before.
    pub imported: usize,
    /// Lines in the export.
    pub lines: u64,
    /// Lines that were refused.
    pub refused: usize,
    /// Commands sent.
    pub commands: usize,
    /// How long it took.
    pub took: Duration,
    /// The position of its last event.
    pub position: u64,
}

/// The number of documents imported concurrently.
const AT_ONCE: usize = 64;
/// The company of documents without a customer.
const UNNAMED: &str = "unnamed";

/// Runs the import against a running Kontor, and returns when its read models include all of it.
pub async fn run(api: &Api, import: &OnlineRetail) -> anyhow::Result<Summary> {
    let started = Instant::now();
    let export = read(import)?;
    let lines = export.lines;
    let mut run = Run { api, import, commands: 0, position: 0, rejects: export.rejects };
    let companies = run.companies(&export.documents).await?;
    run.products(&export.documents).await?;
    let imported = run.documents(&export.documents, &companies).await?;
    run.settle().await?;
    let Run { commands, position, mut rejects, .. } = run;
    rejects::write(&import.rejects, &mut rejects)
        .with_context(|| format!("cannot write {}", import.rejects.display()))?;
    Ok(Summary {
        documents: export.documents.len(),
        imported,
        lines,
        refused: rejects.len(),
        commands,
        took: started.elapsed(),
        position,
    })
}

fn read(import: &OnlineRetail) -> anyhow::Result<Export> {
    let open = || format!("cannot read {}", import.file.display());
    let file = File::open(&import.file).with_context(open)?;
    let input: Box<dyn Read> = if is_gzip(&import.file) {
        Box::new(flate2::read::GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    document::read(input, import.currency).with_context(open)
}

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// An import in progress.
struct Run<'a> {
    api: &'a Api,
    import: &'a OnlineRetail,
    commands: usize,
    position: u64,
    rejects: Vec<Reject>,
}

/// The result of one document.
struct Ended {
    commands: usize,
    position: u64,
    rejects: Vec<Reject>,
}

impl Run<'_> {
    /// Registers every customer, and the company of documents without one.
    async fn companies(&mut self, documents: &[Document]) -> anyhow::Result<HashMap<String, Uuid>> {
        let mut customers: Vec<(String, &str)> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        for document in documents {
            let customer = document.customer.as_deref().unwrap_or(UNNAMED);
            if seen.insert(customer) {
                customers.push((customer.to_owned(), &document.country));
            }
        }
        let bar = bar("customers", customers.len());
        let api = self.api;
        let registered: Vec<(String, Done)> = stream::iter(customers)
            .map(|(customer, country)| {
                let bar = &bar;
                async move {
                    let done = register(api, &customer, country).await?;
                    bar.inc(1);
                    anyhow::Ok((customer, done))
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        bar.finish_and_clear();
        self.commands += registered.len();
        self.note_positions(registered.iter().map(|(_, done)| done.position));
        Ok(registered.into_iter().map(|(customer, done)| (customer, done.id)).collect())
    }

    /// Drafts, prices and publishes every stock code, at the price of its first line.
    async fn products(&mut self, documents: &[Document]) -> anyhow::Result<()> {
        let mut products: Vec<(&str, String, String)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for line in documents.iter().flat_map(|document| &document.lines) {
            let place = *places.entry(&line.stock_code).or_insert_with(|| {
                let price = line.unit_price.to_string();
                products.push((&line.stock_code, line.description.clone(), price));
                products.len() - 1
            });
            if products[place].1.is_empty() {
                products[place].1.clone_from(&line.description);
            }
        }
        let bar = bar("products", products.len());
        let (api, currency) = (self.api, self.import.currency);
        let published: Vec<(usize, u64)> = stream::iter(products)
            .map(|(stock_code, name, price)| {
                let bar = &bar;
                async move {
                    let published = publish(api, stock_code, &name, currency, &price).await?;
                    bar.inc(1);
                    anyhow::Ok(published)
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        bar.finish_and_clear();
        self.commands += published.iter().map(|(commands, _)| commands).sum::<usize>();
        self.note_positions(published.into_iter().map(|(_, position)| position));
        Ok(())
    }

    /// Imports invoices concurrently, then credit notes one after the other, since they share one
    /// series of numbers. Returns the number of imported documents.
    async fn documents(
        &mut self,
        documents: &[Document],
        companies: &HashMap<String, Uuid>,
    ) -> anyhow::Result<usize> {
        let bar = bar("documents", documents.len());
        let (api, currency) = (self.api, self.import.currency);
        let company =
            |document: &Document| companies[document.customer.as_deref().unwrap_or(UNNAMED)];
        let mut imported = 0;
        for (kind, at_once) in [(Kind::Sale, AT_ONCE), (Kind::Credit, 1)] {
            let of_kind: Vec<_> = documents
                .iter()
                .filter(|document| document.kind == kind)
                .map(|document| (document, company(document)))
                .collect();
            let ended: Vec<Ended> = stream::iter(of_kind)
                .map(|(document, company)| {
                    let bar = &bar;
                    async move {
                        let ended = trade(api, document, company, currency).await?;
                        bar.inc(1);
                        anyhow::Ok(ended)
                    }
                })
                .buffered(at_once)
                .try_collect()
                .await?;
            for Ended { commands, position, rejects } in ended {
                imported += usize::from(rejects.is_empty());
                self.commands += commands;
                self.note_positions([position]);
                self.rejects.extend(rejects);
            }
        }
        bar.finish_and_clear();
        Ok(imported)
    }

    /// Waits until every dispatch has its invoice and the read models include it.
    async fn settle(&mut self) -> anyhow::Result<()> {
        #[derive(Deserialize)]
        struct Progress {
            position: u64,
            head: u64,
        }
        let bar = bar("invoices", 0);
        let head = loop {
            let policies: Option<Vec<Progress>> = self.api.query("/v1/policies").await?;
            let policies = policies.context("this Kontor has no policies")?;
            if policies.iter().all(|policy| policy.position >= self.position) {
                break policies.iter().map(|policy| policy.head).max().unwrap_or(self.position);
            }
            bar.tick();
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        bar.finish_and_clear();
        // The read models may lag; this query waits for them.
        let path = format!("/v1/account-balances?limit=1&wait_for={head}");
        let _: Option<serde_json::Value> = self.api.query(&path).await?;
        self.position = head;
        Ok(())
    }

    fn note_positions(&mut self, positions: impl IntoIterator<Item = u64>) {
        self.position = positions.into_iter().fold(self.position, u64::max);
    }
}

async fn register(api: &Api, customer: &str, country: &str) -> anyhow::Result<Done> {
    let body = json!({
        "name": format!("Customer {customer}"),
        "tax_id": { "kind": "foreign", "country": country::code(country), "number": customer },
        "reference": customer,
        "payment_term": { "kind": "net", "days": 30 },
    });
    let key = format!("online-retail/company/{customer}");
    match api.command("/v1/companies", &key, &body).await? {
        Ok(done) => Ok(done),
        // Another export may have registered this customer with another country.
        Err(refused) if is_known(&refused) => {
            let path = format!("/v1/companies?reference={customer}");
            existing(api, &path).await?.context("the customer is known but not shown")
        }
        Err(refused) => anyhow::bail!("customer {customer}: {}", refused.reason()),
    }
}

/// The number of commands, and the position of the last event.
async fn publish(
    api: &Api,
    stock_code: &str,
    name: &str,
    currency: Currency,
    price: &str,
) -> anyhow::Result<(usize, u64)> {
    let body = json!({
        "sku": stock_code,
        "name": if name.is_empty() { stock_code } else { name },
        "unit": "piece",
        // Export rate: documents add up to the original totals.
        "vat_rate": "0",
        "prices": [{ "currency": currency, "price": price }],
    });
    let key = format!("online-retail/product/{stock_code}");
    let product = match api.command("/v1/products", &key, &body).await? {
        Ok(done) => done,
        Err(refused) if is_known(&refused) => {
            let path = format!("/v1/products?sku={}", percent_encoded(stock_code));
            existing(api, &path).await?.context("the product is known but not shown")?
        }
        Err(refused) => anyhow::bail!("stock code {stock_code:?}: {}", refused.reason()),
    };
    let path = format!("/v1/products/{}/publish", product.id);
    let published = api.command(&path, &format!("{key}/publish"), &json!({})).await?;
    let published =
        published.map_err(|refused| anyhow::anyhow!("{stock_code:?}: {}", refused.reason()))?;
    Ok((2, published.position))
}

/// The commands of one document; a document is refused as a whole.
async fn trade(
    api: &Api,
    document: &Document,
    company: Uuid,
    currency: Currency,
) -> anyhow::Result<Ended> {
    let lines: Vec<_> = document
        .lines
        .iter()
        .map(|line| {
            json!({
                "sku": line.stock_code,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            })
        })
        .collect();
    let (number, on) = (&document.number, document.on);
    let key = |step: &str| format!("online-retail/document/{number}/{step}");
    let mut ended = Ended { commands: 0, position: 0, rejects: Vec::new() };
    let mut send = async |path: &str, step: &str, body: serde_json::Value| {
        ended.commands += 1;
        let result = api.command(path, &key(step), &body).await?;
        match &result {
            Ok(done) => ended.position = ended.position.max(done.position),
            Err(refused) => ended.rejects = refused_lines(document, refused),
        }
        anyhow::Ok(result.ok())
    };
    match document.kind {
        Kind::Sale => {
            let order = json!({
                "company": company, "currency": currency, "lines": lines,
                "reference": number, "placed_on": on,
            });
            if let Some(order) = send("/v1/orders", "order", order).await? {
                let confirm = format!("/v1/orders/{}/confirm", order.id);
                if send(&confirm, "confirm", json!({})).await?.is_some() {
                    let shipment = json!({ "order": order.id, "dispatched_on": on });
                    send("/v1/shipments", "shipment", shipment).await?;
                }
            }
        }
        Kind::Credit => {
            let credit = json!({
                "company": company, "currency": currency, "lines": lines,
                "reason": number, "issued_on": on,
            });
            send("/v1/credit-notes", "credit-note", credit).await?;
        }
    }
    Ok(ended)
}

/// All lines of a refused document: the invalid ones with their errors, the others with a reference
/// to them.
fn refused_lines(document: &Document, refused: &Refused) -> Vec<Reject> {
    let blamed: HashMap<usize, &str> = refused
        .errors
        .iter()
        .filter_map(|error| {
            let index = error.pointer.as_ref()?.strip_prefix("/lines/")?.split('/').next()?;
            Some((index.parse().ok()?, error.detail.as_str()))
        })
        .collect();
    let reject = |(index, line): (usize, &DocumentLine)| Reject {
        line: line.line,
        document: document.number.clone(),
        reason: match blamed.get(&index) {
            Some(detail) => format!("{}: {detail}", refused.code),
            None => format!("the document was refused: {}", refused.reason()),
        },
        fields: line.fields.clone(),
    };
    document.lines.iter().enumerate().map(reject).collect()
}

/// Whether a refusal means that the resource exists already.
fn is_known(refused: &Refused) -> bool {
    matches!(refused.code.as_str(), "claim.held" | "idempotency_key.reused")
}

async fn existing(api: &Api, path: &str) -> anyhow::Result<Option<Done>> {
    #[derive(Deserialize)]
    struct Found {
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        id: Uuid,
    }
    let found: Option<Found> = api.query(path).await?;
    let item = found.and_then(|found| found.items.into_iter().next());
    Ok(item.map(|item| Done { id: item.id, position: 0 }))
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn bar(what: &'static str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>10} {bar:40} {pos}/{len} {per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style).with_message(what)
}
