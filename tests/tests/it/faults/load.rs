//! The load: clients that send commands and repeat each until it is acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kontor_tests::torture;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::{
    instance::{Address, Instance, PATIENCE},
    journeys::{created, done},
};

/// Customers for whom everybody trades, so that clients get in each other's way.
const CUSTOMERS: [(&str, &str); 3] =
    [("Delikatesy", "5260250274"), ("Hotel", "1111111111"), ("Piekarnia", "5252248481")];

/// How long a client waits before it asks again, with the same key, perhaps another instance.
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);

/// Clients at work.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    acknowledged: watch::Receiver<usize>,
    clients: Vec<JoinHandle<Vec<Acknowledged>>>,
    customers: Vec<String>,
}

/// A command that was acknowledged, and what should have come of it.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    /// The event that it records.
    pub(crate) event: &'static str,
    /// Of which of the customers.
    pub(crate) customer: usize,
    /// What the customer owes more by it, in złoty.
    pub(crate) owes: i64,
    /// `id`, `version` and `position`.
    pub(crate) answer: Value,
}

/// All that was acknowledged, which is all that was ever asked.
pub(crate) struct Ledger {
    pub(crate) commands: Vec<Acknowledged>,
    /// Their ids.
    pub(crate) customers: Vec<String>,
}

impl Load {
    /// Prepares something to trade with, and starts to, at all of the instances.
    pub(crate) async fn start(instances: &[Instance]) -> Self {
        let instance = &instances[0];
        let product = json!({
            "sku": "HOUR", "name": "Hour", "unit": "piece", "vat_rate": "zw",
            "prices": [{ "currency": "PLN", "price": "10.00" }],
        });
        let product = created(instance.post("admin", "/v1/products", &product).await);
        done(instance.post("admin", &format!("/v1/products/{product}/publish"), &json!({})).await);
        let mut customers = Vec::new();
        for (name, nip) in CUSTOMERS {
            customers.push(crate::journeys::register(instance, name, nip, 14).await);
        }
        Self::start_for(instances, customers)
    }

    /// Starts to trade with customers of an earlier load.
    pub(crate) fn start_for(instances: &[Instance], customers: Vec<String>) -> Self {
        let (over, (count, acknowledged)) = (Arc::new(AtomicBool::new(false)), watch::channel(0));
        let mut chance = torture::chance();
        let clients = (0..12).map(|_| {
            let client = Client {
                http: reqwest::Client::builder().timeout(ANSWERED_WITHIN).build().unwrap(),
                instances: instances.iter().map(Instance::address).collect(),
                key: instances[0].key("admin").to_owned(),
                customers: customers.clone(),
                chance: StdRng::from_rng(&mut chance),
                count: count.clone(),
                ledger: Vec::new(),
            };
            tokio::spawn(client.trade(over.clone()))
        });
        Self { clients: clients.collect(), over, acknowledged, customers }
    }

    /// Waits until so many more commands have been acknowledged; the load must go on.
    pub(crate) async fn goes_on(&self, commands: usize) {
        let mut count = self.acknowledged.clone();
        let goal = *count.borrow() + commands;
        let reached = timeout(PATIENCE, count.wait_for(|count| *count >= goal)).await;
        assert!(reached.is_ok_and(|count| count.is_ok()), "no command comes through any more");
    }

    /// Lets every client bring its last command to its end.
    pub(crate) async fn finish(self) -> Ledger {
        self.over.store(true, Ordering::Relaxed);
        let mut commands = Vec::new();
        for client in self.clients {
            commands.extend(client.await.unwrap());
        }
        Ledger { commands, customers: self.customers }
    }
}

struct Client {
    http: reqwest::Client,
    instances: Vec<Address>,
    key: String,
    customers: Vec<String>,
    chance: StdRng,
    count: watch::Sender<usize>,
    ledger: Vec<Acknowledged>,
}

impl Client {
    async fn trade(mut self, over: Arc<AtomicBool>) -> Vec<Acknowledged> {
        while !over.load(Ordering::Relaxed) {
            match self.chance.random_range(0..4) {
                0 => self.draft_a_product().await,
                1 => self.pay().await,
                // All notes of a month take their numbers from one stream.
                2 => self.credit().await,
                _ => self.order_and_ship().await,
            }
        }
        self.ledger
    }

    async fn draft_a_product(&mut self) {
        let sku = format!("S-{:016X}", self.chance.next_u64());
        let body = json!({ "sku": sku, "name": sku, "unit": "piece", "vat_rate": "23" });
        self.acknowledged("product.drafted", "/v1/products", &body, (0, 0)).await;
    }

    async fn pay(&mut self) {
        let (customer, amount) = self.customer_and_amount();
        let body = json!({
            "company": self.customers[customer], "method": "transfer",
            "amount": { "amount": format!("{amount}.00"), "currency": "PLN" },
        });
        self.acknowledged("payment.booked", "/v1/payments", &body, (customer, -amount)).await;
    }

    async fn credit(&mut self) {
        let (customer, amount) = self.customer_and_amount();
        let body = json!({
            "company": self.customers[customer], "currency": "PLN", "reason": "Rabat",
            "lines": [{ "sku": "HOUR", "quantity": amount.to_string(), "unit_price": "1.00" }],
        });
        let path = "/v1/credit-notes";
        self.acknowledged("invoice.credit_note_issued", path, &body, (customer, -amount)).await;
    }

    /// Which invoices it by itself.
    async fn order_and_ship(&mut self) {
        let (customer, hours) = self.customer_and_amount();
        let body = json!({
            "company": self.customers[customer], "currency": "PLN",
            "lines": [{ "sku": "HOUR", "quantity": hours.to_string() }],
        });
        let order = self.acknowledged("order.placed", "/v1/orders", &body, (customer, 0)).await;
        let confirm = format!("/v1/orders/{order}/confirm");
        self.acknowledged("order.confirmed", &confirm, &json!({}), (customer, 0)).await;
        let owes = (customer, 10 * hours);
        let body = json!({ "order": order });
        self.acknowledged("shipment.dispatched", "/v1/shipments", &body, owes).await;
    }

    fn customer_and_amount(&mut self) -> (usize, i64) {
        (self.chance.random_range(0..self.customers.len()), self.chance.random_range(1..50))
    }

    /// Asks until it is acknowledged, always under the same key; sometimes once more, which must
    /// be answered the same. Says the id of what it was about.
    async fn acknowledged(
        &mut self,
        event: &'static str,
        path: &str,
        body: &Value,
        (customer, owes): (usize, i64),
    ) -> String {
        let key = format!("{:032x}", self.chance.random::<u128>());
        let answer = self.answer(path, &key, body).await;
        if self.chance.random_ratio(1, 8) {
            assert_eq!(self.answer(path, &key, body).await, answer, "{path} asked again");
        }
        let id = answer["id"].as_str().unwrap().to_owned();
        self.ledger.push(Acknowledged { event, customer, owes, answer });
        self.count.send_modify(|count| *count += 1);
        id
    }

    async fn answer(&mut self, path: &str, key: &str, body: &Value) -> Value {
        loop {
            let instance = self.instances.choose(&mut self.chance).unwrap().url();
            let request = self.http.post(format!("{instance}{path}")).bearer_auth(&self.key);
            let request = request.header("Idempotency-Key", key).json(body);
            let answer = async {
                let response = request.send().await?;
                Ok::<_, reqwest::Error>((response.status().as_u16(), response.text().await?))
            };
            match answer.await {
                Ok((200 | 201, text)) => return serde_json::from_str(&text).unwrap(),
                Ok((503, _)) | Err(_) => {}
                // Too many others changed the same.
                Ok((409, text)) if text.contains(r#""code":"conflict""#) => {}
                Ok((status, text)) => panic!("{path}: {status} {text}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
