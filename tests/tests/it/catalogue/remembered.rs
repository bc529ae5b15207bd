//! The cache of the catalogue never shows outdated data.

use serde_json::{Value, json};

use crate::{
    catalogue::catalogue::Stock,
    journeys::{created, done},
};

impl Stock {
    /// The first page of the grocer: what a product is called, costs, and how much there is of it.
    async fn coffee(&self) -> Vec<Value> {
        let head = self.shop.instance.settled().await;
        let page =
            self.shop.instance.get("grocer", &format!("/v1/catalogue?wait_for={head}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap();
        let Some(coffee) = items.iter().find(|item| item["sku"] == "KAW-01") else {
            return vec![];
        };
        let said = |what: &str| coffee[what].clone();
        let (price, stock) = (&coffee["prices"][0]["price"], &coffee["stock"]["available"]);
        vec![said("name"), price.clone(), stock.clone(), said("own_code")]
    }

    async fn does(&self, path: &str, body: &Value) {
        let role = if path == "/v1/stock" { "warehouse" } else { "admin" };
        done(self.shop.instance.post(role, path, body).await);
    }
}

#[tokio::test]
async fn what_has_changed_is_shown_at_once() {
    let stock = Stock::open().await;
    let grocer = stock.shop.grocer.clone();
    let instance = &stock.shop.instance;
    let coffee = stock.id("KAW-01").await;
    let product = json!({ "kind": "product", "product": coffee });
    let drinks = json!({ "kind": "category", "category": stock.categories["Napoje"] });
    let dishes = json!({ "kind": "category", "category": stock.categories["Naczynia"] });
    let shops = json!({ "kind": "group", "group": "shops" });
    let header = json!({ "name": "Shops", "audience": shops, "currency": "PLN", "yields": false });
    let list = created(instance.post("manager", "/v1/price-agreements", &header).await);
    let list = format!("/v1/price-agreements/{list}");
    let prices = |selection: &Value, price: &str| {
        let breaks = json!([{ "value": { "kind": "fixed", "price": price } }]);
        json!({ "prices": [{ "selection": selection, "breaks": breaks }] })
    };
    let rule = |audience: &Value, selection: &Value| json!({ "audience": audience, "selection": selection });
    let code = json!({ "codes": [{ "code": "K1", "sku": "KAW-01" }] });
    let level =
        |available: &str| json!({ "levels": [{ "sku": "KAW-01", "available": available }] });
    let company = |what: &str| format!("/v1/companies/{grocer}/{what}");
    let of_coffee = |what: &str| format!("/v1/products/{coffee}/{what}");
    let category = |name: &str| format!("/v1/categories/{}/move", stock.categories[name]);
    let under = |name: &str| json!({ "parent": stock.categories[name] });
    let nothing = Value::Null;
    let at = |price: &str| json!(["Kawa Gęś", price, "8", null]);
    let first = "Kawa ziarnista Gęś";
    let everything = json!({ "kind": "everything" });

    assert_eq!(
        stock.coffee().await,
        json!([first, "40.00", nothing, nothing]).as_array().unwrap()[..]
    );
    for (path, body, shown) in [
        (
            of_coffee("rename"),
            json!({ "name": "Kawa Gęś" }),
            json!(["Kawa Gęś", "40.00", nothing, nothing]),
        ),
        (
            of_coffee("price"),
            json!({ "currency": "PLN", "price": "41.00" }),
            json!(["Kawa Gęś", "41.00", nothing, nothing]),
        ),
        ("/v1/stock".to_owned(), level("7"), json!(["Kawa Gęś", "41.00", "7", nothing])),
        ("/v1/stock".to_owned(), level("8"), at("41.00")),
        (company("product-codes"), code, json!(["Kawa Gęś", "41.00", "8", "K1"])),
        (company("product-codes/drop"), json!({ "codes": ["K1"] }), at("41.00")),
        // A list that is not the grocer's, then one that is, and what happens in it.
        (format!("{list}/prices"), prices(&product, "30.00"), at("41.00")),
        (format!("{list}/activate"), json!({}), at("41.00")),
        (company("group"), json!({ "group": "shops" }), at("30.00")),
        (format!("{list}/prices"), prices(&product, "31.00"), at("31.00")),
        (format!("{list}/prices"), prices(&drinks, "20.00"), at("31.00")),
        (format!("{list}/prices/withdraw"), json!({ "selection": product }), at("20.00")),
        (format!("{list}/prices"), prices(&product, "32.00"), at("32.00")),
        (format!("{list}/prices/withdraw"), json!({ "selection": product }), at("20.00")),
        (category("Kawy"), under("Naczynia"), at("41.00")),
        // What the group sees: by category, wherever that stands, and product by product.
        ("/v1/assortments/deny".to_owned(), rule(&shops, &everything), json!([])),
        ("/v1/assortments/allow".to_owned(), rule(&shops, &drinks), json!([])),
        (category("Kawy"), under("Napoje"), at("20.00")),
        ("/v1/assortments/deny".to_owned(), rule(&shops, &product), json!([])),
        ("/v1/assortments/lift".to_owned(), rule(&shops, &product), at("20.00")),
        ("/v1/assortments/lift".to_owned(), rule(&shops, &drinks), json!([])),
        ("/v1/assortments/allow".to_owned(), rule(&shops, &dishes), json!([])),
        ("/v1/assortments/allow".to_owned(), rule(&shops, &product), at("20.00")),
        (format!("{list}/end"), json!({}), at("41.00")),
        (of_coffee("withdraw"), json!({}), json!([])),
    ] {
        stock.does(&path, &body).await;
        let shown = shown.as_array().unwrap();
        assert_eq!(&stock.coffee().await, shown, "{path} {body}");
        assert_eq!(&stock.coffee().await, shown, "{path} {body}, once more");
    }
}
