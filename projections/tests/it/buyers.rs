//! What documents keep of their company and of the delivery address: as it was when they were issued,
//! live and rebuilt.

use domain::OrderId;
use projections::{
    Projection, Views, rebuild,
    views::{billing::invoices, fulfilment::shipments, sales::orders},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{runner::caught_up, stored::Event, trade::Instance};

const DOCUMENTS: [Projection; 3] =
    [invoices::PROJECTION, orders::PROJECTION, shipments::PROJECTION];

fn address(street: &str) -> Value {
    json!({ "street": street, "postal_code": "80-001", "city": "Gdańsk", "country": "PL" })
}

fn place(label: &str) -> Value {
    json!({ "label": label, "address": address(label) })
}

/// A company whose events follow one another.
struct Company {
    last: Event,
}

impl Company {
    async fn register(instance: &Instance, name: &str) -> Self {
        let mut last = Event::sample("company", "registered");
        last.payload["profile"]["name"] = json!(name);
        last.company = Some(last.stream_id);
        last.append(instance).await;
        Self { last }
    }

    fn id(&self) -> Uuid {
        self.last.stream_id
    }

    async fn then(&mut self, instance: &Instance, name: &'static str, payload: Value) {
        self.last = self.last.then(name, payload);
        self.last.append(instance).await;
    }
}

/// An order of a company, which names a delivery address.
async fn order(instance: &Instance, company: Uuid, address: Option<Uuid>) -> Uuid {
    let mut placed = Event::sample("order", "placed");
    placed.payload["terms"]["company"] = json!(company);
    if let Some(address) = address {
        placed.payload["terms"]["destination"] = json!({ "address": address });
    }
    placed.append(instance).await;
    placed.stream_id
}

async fn ship(instance: &Instance, company: Uuid, order: Uuid) -> Uuid {
    let mut left = Event::sample("shipment", "dispatched");
    left.payload["dispatch"]["company"] = json!(company);
    left.payload["dispatch"]["order"] = json!(OrderId(order));
    left.append(instance).await;
    left.stream_id
}

/// An invoice and a credit note.
async fn charge(instance: &Instance, company: Uuid, number: u32) -> [Uuid; 2] {
    let mut invoice = Event::sample("invoice", "issued");
    let mut credit_note = Event::sample("invoice", "credit_note_issued");
    for (series, document) in [("FV", &mut invoice), ("FK", &mut credit_note)] {
        document.payload["company"] = json!(company);
        document.payload["number"] = json!(format!("{series}/2026/11/{number:04}"));
        document.append(instance).await;
    }
    [invoice.stream_id, credit_note.stream_id]
}

/// What a document shows: the buyer's name and street, and the label of the delivery address.
async fn shown(instance: &Instance, table: &str, id: Uuid) -> [Option<String>; 3] {
    let sql = format!("SELECT to_jsonb(document) FROM view.{table} document WHERE id = '{id}'");
    let row: Value = instance.client.query_one(&sql, &[]).await.unwrap().get(0);
    let text = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    [text("/buyer/name"), text("/buyer/billing_address/street"), text("/deliver_to/label")]
}

fn said(values: [&str; 3]) -> [Option<String>; 3] {
    values.map(|value| (!value.is_empty()).then(|| value.to_owned()))
}

async fn sound(views: &Views) {
    for projection in DOCUMENTS {
        let found = rebuild::compare(views, projection).await.unwrap();
        assert_eq!(found, [], "{}", projection.name);
    }
}

#[tokio::test]
async fn documents_keep_the_company_as_it_was() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    let (door, other) = (Uuid::now_v7(), Uuid::now_v7());
    let mut group = Company::register(&instance, "Group").await;
    let mut company = Company::register(&instance, "Before").await;
    let id = company.id();
    company.then(&instance, "billing_moved", json!({ "address": address("Old") })).await;
    company
        .then(&instance, "delivery_address_added", json!({ "id": door, "place": place("door") }))
        .await;
    group
        .then(
            &instance,
            "delivery_address_added",
            json!({ "id": other, "place": place("group's") }),
        )
        .await;
    let alone = order(&instance, id, Some(other)).await;
    company.then(&instance, "parent_joined", json!({ "parent": group.id() })).await;

    let [to_door, to_group, to_nowhere] = [
        order(&instance, id, Some(door)).await,
        order(&instance, id, Some(other)).await,
        order(&instance, id, None).await,
    ];
    let first = ship(&instance, id, to_door).await;
    let before = charge(&instance, id, 1).await;

    company.then(&instance, "renamed", json!({ "name": "After" })).await;
    company.then(&instance, "billing_moved", json!({ "address": address("New") })).await;
    company
        .then(&instance, "delivery_address_added", json!({ "id": door, "place": place("gate") }))
        .await;
    let second = ship(&instance, id, to_door).await;
    company.then(&instance, "delivery_address_dropped", json!({ "id": door })).await;
    let third = ship(&instance, id, to_door).await;
    let by_group = ship(&instance, id, to_group).await;
    company.then(&instance, "parent_left", json!({})).await;
    let no_group = ship(&instance, id, to_group).await;
    let after = charge(&instance, id, 2).await;
    let renamed = order(&instance, id, None).await;
    // Nobody has registered this one.
    let unknown = Uuid::now_v7();
    let nobody = order(&instance, unknown, Some(door)).await;
    let nobody_ships = ship(&instance, unknown, nobody).await;
    caught_up(&instance, &views).await;

    for (table, document, expected) in [
        ("orders", alone, ["Before", "Old", ""]),
        ("orders", to_door, ["Before", "Old", "door"]),
        ("orders", to_group, ["Before", "Old", "group's"]),
        ("orders", to_nowhere, ["Before", "Old", ""]),
        ("orders", renamed, ["After", "New", ""]),
        ("orders", nobody, ["", "", ""]),
        ("shipments", first, ["Before", "Old", "door"]),
        ("shipments", second, ["After", "New", "gate"]),
        ("shipments", third, ["After", "New", "door"]),
        ("shipments", by_group, ["After", "New", "group's"]),
        ("shipments", no_group, ["After", "New", "group's"]),
        ("shipments", nobody_ships, ["", "", ""]),
        ("invoices", before[0], ["Before", "Old", ""]),
        ("invoices", before[1], ["Before", "Old", ""]),
        ("invoices", after[0], ["After", "New", ""]),
        ("invoices", after[1], ["After", "New", ""]),
    ] {
        assert_eq!(shown(&instance, table, document).await, said(expected), "{table} {document}");
    }
    sound(&views).await;
    for projection in DOCUMENTS {
        rebuild::rebuild(&views, projection).await.unwrap();
    }
    assert_eq!(shown(&instance, "shipments", first).await, said(["Before", "Old", "door"]));
    sound(&views).await;
    assert_eq!(views.set_aside(&DOCUMENTS.map(|view| view.name), None), []);
    cancel.cancel();
}

/// What a company was called after an event that nobody can read, is not known; so its documents show
/// nothing of it from there on, nor those of the companies below it an address of it.
#[tokio::test]
async fn of_a_company_that_is_set_aside_nothing_is_copied() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    let gate = Uuid::now_v7();
    let mut group = Company::register(&instance, "Group").await;
    let mut company = Company::register(&instance, "Firm").await;
    let id = company.id();
    company.then(&instance, "parent_joined", json!({ "parent": group.id() })).await;
    group
        .then(&instance, "delivery_address_added", json!({ "id": gate, "place": place("gate") }))
        .await;
    let [known, group_order] =
        [order(&instance, id, Some(gate)).await, order(&instance, group.id(), Some(gate)).await];
    group.then(&instance, "framed", json!({})).await;
    let [later, group_later] =
        [order(&instance, id, Some(gate)).await, order(&instance, group.id(), Some(gate)).await];
    let [shipped, group_shipped] =
        [ship(&instance, id, known).await, ship(&instance, group.id(), group_order).await];
    let charged = charge(&instance, group.id(), 1).await;
    caught_up(&instance, &views).await;
    for (table, document, expected) in [
        ("orders", known, ["Firm", "", "gate"]),
        ("orders", group_order, ["Group", "", "gate"]),
        ("orders", later, ["Firm", "", ""]),
        ("orders", group_later, ["", "", ""]),
        ("shipments", shipped, ["Firm", "", "gate"]),
        ("shipments", group_shipped, ["", "", "gate"]),
        ("invoices", charged[0], ["", "", ""]),
        ("invoices", charged[1], ["", "", ""]),
    ] {
        assert_eq!(shown(&instance, table, document).await, said(expected), "{table} {document}");
    }
    sound(&views).await;
    cancel.cancel();
}
