//! Issued documents keep the data of their day, even if company, product or representative are
//! renamed later.

use serde_json::{Value, json};

use crate::{
    instance::Instance,
    journeys::{Shop, created, done},
    sales::documents::{words, words_of},
};

const DOOR: &str = "01970000-0000-7000-8000-0000000000d0";

fn address(street: &str) -> Value {
    json!({ "street": street, "postal_code": "80-001", "city": "Gdańsk", "country": "PL" })
}

async fn id_of_coffee(instance: &Instance) -> String {
    let products = instance.all("admin", "/v1/products").await;
    let coffee = products.iter().find(|product| product["sku"] == "COFFEE").unwrap();
    coffee["id"].as_str().unwrap().to_owned()
}

/// What can change, as it is called at one time.
struct Names {
    company: &'static str,
    vat_number: &'static str,
    billing: &'static str,
    delivery: Option<&'static str>,
    product: &'static str,
    english: &'static str,
    representative: &'static str,
}

const BEFORE: Names = Names {
    company: "Delikatesy Stare",
    vat_number: "PL5260250274",
    billing: "ul. Stara 1",
    delivery: Some("ul. Magazynowa 7"),
    product: "Kawa dawna",
    english: "Former coffee",
    representative: "Ewa Dawna",
};
const AFTER: Names = Names {
    company: "Delikatesy Nowe",
    vat_number: "DE136695976",
    billing: "ul. Nowa 2",
    delivery: None,
    product: "Kawa obecna",
    english: "Present coffee",
    representative: "Ewa Obecna",
};

impl Names {
    /// Calls everything so.
    async fn take_effect(&self, shop: &Shop, coffee: &str, representative: &str) {
        let Shop { instance, grocer, .. } = shop;
        let company = format!("/v1/companies/{grocer}");
        let (place, drop) = match self.delivery {
            Some(street) => {
                (json!({ "id": DOOR, "label": "Magazyn", "address": address(street) }), "")
            }
            None => (json!({ "id": DOOR }), "/drop"),
        };
        let profile = json!({ "name": self.representative, "email": "ewa@example.pl" });
        let called = json!({ "name": self.product, "translations": { "en": self.english } });
        for (path, body) in [
            (format!("{company}/rename"), json!({ "name": self.company })),
            (format!("{company}/vat-number"), json!({ "vat_number": self.vat_number })),
            (format!("{company}/billing-address"), json!({ "address": address(self.billing) })),
            (format!("{company}/delivery-addresses{drop}"), place),
            (format!("/v1/products/{coffee}/rename"), called),
            (format!("/v1/employees/{representative}/profile"), profile),
        ] {
            done(instance.post("admin", &path, &body).await);
        }
    }

    fn buyer(&self) -> Value {
        json!({
            "name": self.company,
            "tax_id": { "kind": "nip", "number": "5260250274" },
            "vat_number": self.vat_number,
            "billing_address": address(self.billing),
        })
    }

    #[track_caller]
    fn are_in(&self, text: &str, language: &str) {
        let product = if language == "en" { self.english } else { self.product };
        for expected in [self.company, self.billing, product, self.representative] {
            assert!(text.contains(expected), "{expected:?} is not in {text}");
        }
    }
}

/// An order that has left in part, its invoice and a credit note; paths of all four, with whether they
/// name a delivery address.
async fn trade(shop: &Shop, deliver: bool) -> [(String, bool); 4] {
    let Shop { instance, grocer, .. } = shop;
    let mut order = json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "10" }] });
    if deliver {
        order["destination"] = json!({ "address": DOOR });
    }
    let order = created(instance.post("grocer", "/v1/orders", &order).await);
    done(instance.post("sales", &format!("/v1/orders/{order}/confirm"), &json!({})).await);
    let part = json!({ "order": order, "items": [{ "line": 1, "quantity": "4" }] });
    let invoice = shop.dispatch(part).await;
    let credit_note = json!({ "company": grocer, "corrects": invoice["id"], "currency": "PLN",
        "lines": [{ "line": 1, "quantity": "1" }] });
    let credit_note = created(instance.post("accounting", "/v1/credit-notes", &credit_note).await);
    let [invoice, shipment] = ["id", "shipment"].map(|name| invoice[name].as_str().unwrap());
    [
        (format!("/v1/orders/{order}"), deliver),
        (format!("/v1/shipments/{shipment}"), deliver),
        (format!("/v1/invoices/{invoice}"), false),
        (format!("/v1/invoices/{credit_note}"), false),
    ]
}

/// All of these documents name this company, alone and in lists.
async fn name(
    instance: &Instance,
    documents: &[(String, bool)],
    buyer: &Value,
    deliver_to: &Value,
) {
    let head = instance.settled().await;
    for (path, deliver) in documents {
        let alone = instance.get("grocer", &format!("{path}?wait_for={head}")).await.body;
        let (list, id) = path.rsplit_once('/').unwrap();
        let listed = instance.all("grocer", list).await;
        let listed = listed.iter().find(|document| document["id"] == id).unwrap();
        for shown in [&alone, listed] {
            assert_eq!(&shown["buyer"], buyer, "{path}: {shown}");
            let expected = if *deliver { deliver_to } else { &Value::Null };
            assert_eq!(&shown["deliver_to"], expected, "{path}: {shown}");
        }
    }
}

fn offer(shop: &Shop) -> Value {
    json!({ "company": shop.grocer, "valid_until": "2099-12-31", "lines": [
        { "sku": "COFFEE", "quantity": "10" },
        // The same once more, at another price.
        { "sku": "COFFEE", "quantity": "90", "unit_price": "9.00" },
        { "sku": "RICE", "quantity": "5" },
    ] })
}

#[tokio::test]
async fn documents_of_the_past_show_what_was_true_then() {
    let mut shop = Shop::open().await;
    let ewa = shop.instance.engage("Ewa", "sales", None).await;
    let instance = &shop.instance;
    let coffee = id_of_coffee(instance).await;
    BEFORE.take_effect(&shop, &coffee, &ewa).await;
    let past = trade(&shop, true).await;
    let place = json!({ "label": "Magazyn", "address": address("ul. Magazynowa 7") });
    let id = created(instance.post("Ewa", "/v1/offers", &offer(&shop)).await);
    done(instance.post("sales", &format!("/v1/offers/{id}/send"), &json!({})).await);
    name(instance, &past, &BEFORE.buyer(), &place).await;
    let pdf = |language: &str, revision: u32| {
        format!("/v1/offers/{id}/pdf?language={language}&revision={revision}")
    };
    let files = async || {
        [instance.file("grocer", &pdf("pl", 1)).await, instance.file("grocer", &pdf("en", 1)).await]
    };
    let files_before = files().await;
    for (file, language) in files_before.iter().zip(["pl", "en"]) {
        BEFORE.are_in(&words_of(file), language);
    }

    AFTER.take_effect(&shop, &coffee, &ewa).await;
    // What left before the address was dropped, and what leaves after it: at the door of the order.
    let order = past[0].0.rsplit_once('/').unwrap().1;
    let rest = shop.dispatch(json!({ "order": order })).await;
    let rest = [(format!("/v1/shipments/{}", rest["shipment"].as_str().unwrap()), true)];
    let present = trade(&shop, false).await;
    name(instance, &past, &BEFORE.buyer(), &place).await;
    name(instance, &rest, &AFTER.buyer(), &place).await;
    name(instance, &present, &AFTER.buyer(), &Value::Null).await;
    let files_after = files().await;
    assert!(files_after == files_before, "the same to the byte: {}", words_of(&files_after[1]));

    // What is being written shows what is true now, and keeps that once it is sent.
    done(instance.post("Ewa", &format!("/v1/offers/{id}/draft"), &offer(&shop)).await);
    instance.settled().await;
    AFTER.are_in(&words(instance, "sales", &pdf("en", 2)).await, "en");
    done(instance.post("sales", &format!("/v1/offers/{id}/send"), &json!({})).await);
    instance.settled().await;
    AFTER.are_in(&words(instance, "grocer", &pdf("pl", 2)).await, "pl");

    let compared = instance.run(&["projections", "compare", "all"]);
    assert!(compared.lines().all(|line| line.trim_end().ends_with("equal")), "{compared}");
    for view in ["invoices", "orders", "shipments", "offers"] {
        instance.run(&["projections", "rebuild", view]);
    }
    name(instance, &past, &BEFORE.buyer(), &place).await;
    name(instance, &rest, &AFTER.buyer(), &place).await;
    BEFORE.are_in(&words(instance, "grocer", &pdf("en", 1)).await, "en");
}
