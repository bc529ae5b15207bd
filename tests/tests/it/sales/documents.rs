//! An offer as PDF: its extracted text.

use serde_json::{Value, json};

use crate::{
    instance::Instance,
    journeys::{Shop, accept, created, done, refused},
};

/// The words of a document, with one plain space between them.
pub(crate) async fn words(instance: &Instance, who: &str, path: &str) -> String {
    words_of(&instance.file(who, path).await)
}

/// The same of a file.
pub(crate) fn words_of(pdf: &[u8]) -> String {
    assert!(pdf.starts_with(b"%PDF-"));
    let text = pdf_extract::extract_text_from_mem(pdf).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(text: &str, all: &[&str]) {
    for expected in all {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
}

/// Of coffee 100 at list price less 10 percent, and rice if wanted; all of it less 5 percent.
fn coffee(company: &str) -> Value {
    json!({
        "company": company, "valid_until": "2099-12-31", "discount": "5",
        "delivery_terms": { "incoterm": "DAP", "place": "Gdynia" },
        "message": "Dziękujemy za zapytanie #1.",
        "note": "Schodzimy najwyżej do 8.00",
        "lines": [
            { "sku": "COFFEE", "quantity": "100", "discount": "10", "deliver_on": "2099-05-01",
                "breaks": [{ "at_least": "500", "unit_price": "9.00" }], "at_most": "1000" },
            { "sku": "RICE", "quantity": "1000", "choice": { "kind": "optional" } },
        ],
    })
}

#[tokio::test]
async fn the_figures_of_an_offer_are_in_its_document() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    shop.instance.engage("Tomasz Śliwa", "sales", None).await;
    let instance = &shop.instance;
    let named = json!({ "name": "Kawa ziarnista", "translations": { "en": "Coffee beans" } });
    let products = instance.all("admin", "/v1/products").await;
    let coffees = products.iter().find(|product| product["sku"] == "COFFEE").unwrap();
    let rename = format!("/v1/products/{}/rename", coffees["id"].as_str().unwrap());
    done(instance.post("admin", &rename, &named).await);
    let moved = json!({ "street": "ul. Długa 1", "postal_code": "80-001", "city": "Gdańsk",
        "country": "PL" });
    let moved = json!({ "address": moved });
    let path = format!("/v1/companies/{grocer}/billing-address");
    done(instance.post("admin", &path, &moved).await);

    let offer = created(instance.post("Tomasz Śliwa", "/v1/offers", &coffee(&grocer)).await);
    let pdf = format!("/v1/offers/{offer}/pdf");
    let draft = format!("{pdf}?wait_for={}", instance.settled().await);
    says(&words(instance, "sales", &draft).await, &["Szkic, jeszcze niewysłany", "wersja 1"]);
    refused(&instance.get("grocer", &draft).await, 404, "not_found");
    done(instance.post("sales", &format!("/v1/offers/{offer}/send"), &json!({})).await);

    // 100 × 8.55 (10.00 less 10, less 5 percent) at 23 percent; 1,000 × 1.90 if wanted.
    let sent = format!("{pdf}?wait_for={}", instance.settled().await);
    let polish = words(instance, "grocer", &sent).await;
    let shown = instance.get("grocer", &format!("/v1/offers/{offer}")).await.body;
    says(
        &polish,
        &[
            "Oferta",
            shown["number"].as_str().unwrap(),
            "Hurtownia Przykładowa sp. z o.o.",
            "Delikatesy",
            "ul. Długa 1",
            "80-001 Gdańsk",
            "NIP 5260250274",
            "31.12.2099",
            "przelew 14 dni",
            "DAP Gdynia (Incoterms 2020)",
            "Tomasz Śliwa",
            "Dziękujemy za zapytanie #1.",
            "Kawa ziarnista",
            "COFFEE · dostawa 01.05.2099",
            "100 szt.",
            "10,00",
            "−10 % −5 %",
            "8,55",
            "od 500: 7,695; najwyżej 1 000",
            "opcja",
            "(1 900,00)",
            "23 % 855,00 196,65",
            "Razem brutto 1 051,65 PLN",
            "rabaty o wartości 145,00 PLN",
        ],
    );
    assert!(!polish.contains("Schodzimy"), "what is said inside stays there: {polish}");
    let shown = instance.get("grocer", &format!("/v1/offers/{offer}")).await.body;
    // It breaks where the column ends.
    let digest = shown["digest"].as_str().unwrap();
    says(&polish.replace(' ', ""), &[digest]);
    let english = words(instance, "grocer", &format!("{pdf}?language=en")).await;
    says(&english, &["Offer", "Coffee beans", "from 500: 7.695", "Total gross 1,051.65 PLN"]);

    another_revision(&shop, &offer, &pdf).await;
}

/// Revisions stay as they were; one that is being written is the seller's business.
async fn another_revision(shop: &Shop, offer: &str, pdf: &str) {
    let instance = &shop.instance;
    let mut dearer = coffee(&shop.grocer);
    dearer["discount"] = Value::Null;
    done(instance.post("sales", &format!("/v1/offers/{offer}/draft"), &dearer).await);
    let third = format!("{pdf}?revision=2&wait_for={}", instance.settled().await);
    says(&words(instance, "sales", &third).await, &["Szkic", "Razem brutto 1 107,00 PLN"]);
    refused(&instance.get("grocer", &third).await, 422, "query.names_nothing");
    done(instance.post("sales", &format!("/v1/offers/{offer}/send"), &json!({})).await);

    let after = instance.settled().await;
    let first = words(instance, "grocer", &format!("{pdf}?revision=1&wait_for={after}")).await;
    says(&first, &["Zastąpiona nowszą wersją", "wersja 1", "Razem brutto 1 051,65 PLN"]);
    let second = words(instance, "grocer", pdf).await;
    says(&second, &["wersja 2", "Razem brutto 1 107,00 PLN"]);
    assert!(!second.contains("Zastąpiona"), "{second}");

    refused(&instance.get("hotel", pdf).await, 404, "not_found");
    refused(&instance.get("grocer", &format!("{pdf}?language=de")).await, 400, "query.invalid");
    done(accept(instance, "grocer", offer).await);
    let accepted = format!("{pdf}?wait_for={}", instance.settled().await);
    says(&words(instance, "grocer", &accepted).await, &["Przyjęta", "Razem brutto 1 107,00 PLN"]);
}
