//! Example data of a new Kontor: a Polish wholesaler with forty-one products and five customers,
//! and one document of every kind. Sent as ordinary commands with fixed idempotency keys, so
//! loading it twice changes nothing.

use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::import::api::{Api, Done};

/// The roles of the first customer's employees, under which their keys are stored and printed.
pub const BUYERS: [&str; 3] = ["purchaser", "company_admin", "approver"];

const PRODUCTS: &str = include_str!("../seed/products.csv");
const COMPANIES: &str = include_str!("../seed/companies.csv");

#[derive(Deserialize)]
struct Product {
    sku: String,
    name: String,
    gtin: Option<String>,
    unit: String,
    vat_rate: String,
    price: String,
}

#[derive(Deserialize)]
struct Company {
    reference: String,
    name: String,
    nip: String,
    payment_days: u16,
}

/// Loads the data through the API with an admin's key; returns a key of the first customer for each
/// of [`BUYERS`].
pub async fn run(api: &Api) -> anyhow::Result<[String; 3]> {
    for product in csv::Reader::from_reader(PRODUCTS.as_bytes()).deserialize() {
        publish(api, product?).await?;
    }
    let mut companies = Vec::new();
    for company in csv::Reader::from_reader(COMPANIES.as_bytes()).deserialize() {
        companies.push(register(api, company?).await?);
    }
    let [grocer, hotel, bakery, ..] = companies[..] else {
        anyhow::bail!("the seed has too few companies");
    };
    let mut keys = [const { String::new() }; 3];
    for (key, role) in keys.iter_mut().zip(BUYERS) {
        *key = buyer_key(api, role, grocer).await?;
    }
    accepted_offer(api, &api.with_key(&keys[0]), grocer).await?;
    waiting_order(api, hotel).await?;
    negotiated_offer(api, bakery).await?;
    open_request(api, hotel).await?;
    Ok(keys)
}

async fn publish(api: &Api, product: Product) -> anyhow::Result<()> {
    let Product { sku, name, gtin, unit, vat_rate, price } = product;
    let body = json!({
        "sku": sku, "name": name, "gtin": gtin, "unit": unit, "vat_rate": vat_rate,
        "prices": [{ "currency": "PLN", "price": price }],
    });
    let product = send(api, "/v1/products", &format!("product/{sku}"), &body).await?;
    let path = format!("/v1/products/{}/publish", product.id);
    send(api, &path, &format!("product/{sku}/publish"), &json!({})).await?;
    Ok(())
}

async fn register(api: &Api, company: Company) -> anyhow::Result<Uuid> {
    let Company { reference, name, nip, payment_days } = company;
    let body = json!({
        "name": name,
        "tax_id": { "kind": "nip", "number": nip },
        "reference": reference,
        "payment_term": { "kind": "net", "days": payment_days },
    });
    Ok(send(api, "/v1/companies", &format!("company/{reference}"), &body).await?.id)
}

async fn buyer_key(api: &Api, role: &str, company: Uuid) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Made {
        key: String,
    }
    let body = json!({ "name": "kontor up", "role": role, "company": company });
    let made: Made = api.post("/v1/api-keys", &body).await?;
    Ok(made.key)
}

/// An offer that was accepted, confirmed, dispatched, invoiced and paid in part.
async fn accepted_offer(api: &Api, buyer: &Api, company: Uuid) -> anyhow::Result<()> {
    let offer = json!({
        "company": company,
        "currency": "PLN",
        "valid_until": "2099-12-31",
        "lines": [
            { "sku": "HK-1001", "quantity": "24", "unit_price": "58.90" },
            { "sku": "HK-1008", "quantity": "10", "unit_price": "28.50" },
            { "sku": "HK-1025", "quantity": "7.5" },
            { "sku": "HK-1041", "quantity": "1" },
        ],
    });
    let offer = send(api, "/v1/offers", "deal/offer", &offer).await?.id;
    let sent = send(api, &format!("/v1/offers/{offer}/send"), "deal/send", &json!({})).await?;
    let accept = format!("/v1/offers/{offer}/accept");
    let stamp = last_stamp(buyer, offer, sent.position).await?;
    let accepted = send(buyer, &accept, "deal/accept", &json!(stamp)).await?;
    policies(api, accepted.position).await?;
    let order = domain::OrderId::of_offer(domain::OfferId(offer));
    let confirm = format!("/v1/orders/{order}/confirm");
    send(api, &confirm, "deal/confirm", &json!({})).await?;
    let shipment = json!({
        "order": order, "courier": "Kurier Wschodni", "tracking": "KW-0001-2026",
    });
    let shipment = send(api, "/v1/shipments", "deal/shipment", &shipment).await?;
    policies(api, shipment.position).await?;
    let payment = json!({
        "company": company,
        "amount": { "amount": "1000.00", "currency": "PLN" },
        "method": "transfer",
        "title": "Zaliczka na poczet faktury",
    });
    let payment = send(api, "/v1/payments", "deal/payment", &payment).await?;
    policies(api, payment.position).await
}

/// The revision and digest of an offer that its company sees.
async fn last_stamp(buyer: &Api, offer: Uuid, after: u64) -> anyhow::Result<domain::offer::Stamp> {
    let stamp = buyer.query(&format!("/v1/offers/{offer}?wait_for={after}")).await?;
    stamp.ok_or_else(|| anyhow::anyhow!("the offer {offer} is not shown"))
}

/// An order that was placed and confirmed, to be dispatched.
async fn waiting_order(api: &Api, company: Uuid) -> anyhow::Result<()> {
    let order = json!({
        "company": company,
        "currency": "PLN",
        "reference": "ZAM/2026/118",
        "lines": [
            { "sku": "HK-1030", "quantity": "40" },
            { "sku": "HK-1031", "quantity": "25" },
        ],
    });
    let order = send(api, "/v1/orders", "hotel/order", &order).await?.id;
    let confirm = format!("/v1/orders/{order}/confirm");
    send(api, &confirm, "hotel/confirm", &json!({})).await?;
    Ok(())
}

/// An offer that was sent and improved for a larger quantity; the customer must answer.
async fn negotiated_offer(api: &Api, company: Uuid) -> anyhow::Result<()> {
    let offer = json!({
        "company": company,
        "currency": "PLN",
        "valid_until": "2099-12-31",
        "lines": [
            { "sku": "HK-1006", "quantity": "500", "unit_price": "2.49" },
            { "sku": "HK-1007", "quantity": "300", "unit_price": "2.79" },
        ],
    });
    let offer = send(api, "/v1/offers", "bakery/offer", &offer).await?.id;
    send(api, &format!("/v1/offers/{offer}/send"), "bakery/send", &json!({})).await?;
    let say = json!({
        "lines": [{ "line": 1, "quantity": "1000", "unit_price": "2.39" }],
        "message": "Przy tysiącu sztuk możemy zejść z ceny.",
    });
    let opening = json!({ "revision": 1, "say": say });
    let negotiate = format!("/v1/offers/{offer}/negotiate");
    send(api, &negotiate, "bakery/negotiate", &opening).await?;
    Ok(())
}

/// A quotation request that awaits an offer.
async fn open_request(api: &Api, company: Uuid) -> anyhow::Result<()> {
    let request = json!({
        "company": company,
        "currency": "PLN",
        "lines": [
            { "sku": "HK-1001", "quantity": "200", "unit_price": "51.00" },
            { "wanted": "Filiżanki 250 ml z naszym znakiem", "quantity": "300" },
        ],
        "message": "W marcu otwieramy nowy hotel. Prosimy o ofertę.",
    });
    send(api, "/v1/quotation-requests", "hotel/request", &request).await?;
    Ok(())
}

async fn send(api: &Api, path: &str, key: &str, body: &Value) -> anyhow::Result<Done> {
    api.command(path, &format!("seed/{key}"), body)
        .await?
        .map_err(|refused| anyhow::anyhow!("the seed was refused at {path}: {}", refused.reason()))
}

/// Waits until policies have reacted to all events up to a position.
async fn policies(api: &Api, position: u64) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Progress {
        position: u64,
    }
    loop {
        let policies: Option<Vec<Progress>> = api.query("/v1/policies").await?;
        let policies = policies.context("this Kontor has no policies")?;
        if policies.iter().all(|policy| policy.position >= position) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
