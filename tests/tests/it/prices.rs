//! What each company pays: lists, contracts, and the answer that explains itself.

use serde_json::{Value, json};

use crate::{
    house::Answer,
    journeys::{Shop, created, done, refused, register},
};

impl Shop {
    async fn agreement(&self, name: &str, audience: Value, yields: bool) -> String {
        let header =
            json!({ "name": name, "audience": audience, "currency": "PLN", "yields": yields });
        let id = created(self.house.post("manager", "/v1/price-agreements", &header).await);
        self.agreement_is(&id, "activate").await;
        id
    }

    async fn agreement_is(&self, id: &str, what: &str) {
        let path = format!("/v1/price-agreements/{id}/{what}");
        done(self.house.post("manager", &path, &json!({})).await);
    }

    async fn prices(&self, agreement: &str, prices: Value) -> Answer {
        let path = format!("/v1/price-agreements/{agreement}/prices");
        self.house.post("manager", &path, &json!({ "prices": prices })).await
    }

    /// What a company pays for rice, and the rule that made it so.
    async fn explained(&self, company: &str, quantity: &str) -> Value {
        let path = format!("/v1/prices/explain?company={company}&sku=RICE&quantity={quantity}");
        let answer = self.house.get("sales", &path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    async fn pays(&self, role: &str, company: &str, quantity: &str, price: &str) {
        let explained = self.explained(company, quantity).await;
        assert_eq!(explained["price"], price, "{explained}");
        let order = json!({
            "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": quantity }],
        });
        let order = created(self.house.post(role, "/v1/orders", &order).await);
        let head = self.house.settled().await;
        let order = self.house.get(role, &format!("/v1/orders/{order}?after={head}")).await.body;
        let line = &order["lines"][0];
        assert_eq!(line["unit_price"], price, "{role}");
        assert_eq!(line["priced_by"], explained["made_by"], "the order says which rule it was");
    }
}

fn fixed(price: &str) -> Value {
    json!({ "kind": "fixed", "price": price })
}

#[tokio::test]
async fn each_company_pays_what_it_agreed_on() {
    let mut shop = Shop::open().await;
    shop.house.make_key("manager", "sales_manager", None).await;
    let branch = register(&shop.house, "Hotel Gdynia", "9999999999", 7).await;
    shop.house.make_key("branch", "purchaser", Some(&branch)).await;
    let (hotel, grocer) = (shop.hotel.clone(), shop.grocer.clone());
    for (path, body) in [
        (format!("/v1/companies/{branch}/parent"), json!({ "parent": hotel })),
        (format!("/v1/companies/{grocer}/group"), json!({ "group": "shops" })),
    ] {
        done(shop.house.post("sales", &path, &body).await);
    }
    let rice = shop.house.get("admin", "/v1/products?sku=RICE").await.body["items"][0].clone();
    let of_rice = json!({ "kind": "product", "product": rice["id"] });
    let base = rice["base_prices"]["PLN"].as_str().unwrap().to_owned();
    shop.pays("grocer", &grocer, "10", &base).await;

    let list = shop.agreement("Cennik", json!({ "kind": "everyone" }), false).await;
    let breaks = json!([{ "value": fixed("4.00") }, { "at_least": "100", "value": fixed("3.50") }]);
    done(shop.prices(&list, json!([{ "selection": of_rice, "breaks": breaks }])).await);
    let shops = shop.agreement("Sklepy", json!({ "kind": "group", "group": "shops" }), false).await;
    let off = json!([{ "value": { "kind": "percent_off", "percent": "10" } }]);
    let everything = json!({ "kind": "everything" });
    done(shop.prices(&shops, json!([{ "selection": everything, "breaks": off }])).await);
    let to_hotel = json!({ "kind": "company", "company": hotel });
    let contract = shop.agreement("Hotel", to_hotel, true).await;
    let breaks = json!([{ "value": fixed("3.80") }]);
    done(shop.prices(&contract, json!([{ "selection": of_rice, "breaks": breaks }])).await);

    shop.pays("grocer", &grocer, "10", "3.60").await;
    shop.pays("grocer", &grocer, "100", "3.15").await;
    shop.pays("hotel", &hotel, "10", "3.80").await;
    shop.pays("branch", &branch, "10", "3.80").await;
    // The contract says that a lower price for more people beats it.
    shop.pays("branch", &branch, "100", "3.50").await;
    let explained = shop.explained(&branch, "10").await;
    let told: Vec<(&Value, &Value)> = explained["considered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["agreement"], &one["verdict"]))
        .collect();
    let (won, lost) = (json!("won"), json!("less_specific_audience"));
    assert_eq!(told, [(&json!(contract), &won), (&json!(list), &lost)]);

    // Two rules of equal rank: the second is refused, and nothing of its request is recorded.
    let other = shop.agreement("Cennik 2", json!({ "kind": "everyone" }), false).await;
    let breaks = json!([{ "value": fixed("1.00") }]);
    let prices = json!([
        { "selection": everything, "breaks": breaks }, { "selection": of_rice, "breaks": breaks },
    ]);
    let answer = shop.prices(&other, prices).await;
    refused(&answer, 409, "price.equal_rank");
    assert_eq!(answer.body["errors"][0]["pointer"], "/prices/1");
    let path = format!("/v1/price-agreements/{other}/prices");
    assert_eq!(shop.house.all("sales", &path).await.len(), 0);

    // What ends, or is taken back, holds no more.
    shop.agreement_is(&shops, "end").await;
    shop.pays("grocer", &grocer, "10", "4.00").await;
    let path = format!("/v1/price-agreements/{list}/prices/withdraw");
    done(shop.house.post("manager", &path, &json!({ "selection": of_rice })).await);
    shop.pays("grocer", &grocer, "10", &base).await;
    let agreements = shop.house.all("sales", "/v1/price-agreements").await;
    let statuses: Vec<&Value> = agreements.iter().map(|agreement| &agreement["status"]).collect();
    assert_eq!(statuses, ["active", "ended", "active", "active"]);
    let contracts = format!("/v1/price-agreements?company={hotel}");
    assert_eq!(shop.house.all("sales", &contracts).await.len(), 1);
    let path = format!("/v1/price-agreements/{contract}/prices");
    assert_eq!(shop.house.all("sales", &path).await[0]["breaks"][0]["value"], fixed("3.80"));

    // An offer's price is what the seller says, else what is agreed.
    let offer = json!({
        "company": hotel, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [
            { "sku": "RICE", "quantity": "1" },
            { "sku": "RICE", "quantity": "1", "unit_price": "3.33" },
        ],
    });
    let offer = created(shop.house.post("sales", "/v1/offers", &offer).await);
    let head = shop.house.settled().await;
    let offer = shop.house.get("sales", &format!("/v1/offers/{offer}?after={head}")).await.body;
    // The contract yields, now to the base price.
    assert_eq!(offer["lines"][0]["unit_price"], base);
    assert_eq!(offer["lines"][1]["unit_price"], "3.33");
    assert_eq!(offer["lines"][1]["priced_by"], json!({ "kind": "agreed" }));

    for (query, parameter) in [
        (format!("company={hotel}&sku=NONE"), "sku"),
        ("company=00000000-0000-7000-8000-000000000bad&sku=RICE".to_owned(), "company"),
    ] {
        let answer = shop.house.get("sales", &format!("/v1/prices/explain?{query}")).await;
        refused(&answer, 422, "query.names_nothing");
        assert_eq!(answer.body["errors"][0]["parameter"], parameter);
    }
}

#[tokio::test]
async fn prices_come_and_go_as_a_sheet() {
    let mut shop = Shop::open().await;
    shop.house.make_key("manager", "sales_manager", None).await;
    let list = shop.agreement("Cennik", json!({ "kind": "everyone" }), false).await;
    let sheet = format!(
        "agreement;sku;at_least;price;percent_off;from\n\
         {list};RICE;;4,00;;\n{list};RICE;100;3,5;;\n{list};NONE;;1;;\n{list};;;;10;2030-01-01\n\
         {list};RICE;;9;9;\n"
    );
    let import = async |sheet: String, wish: &str| {
        let path = format!("/v1/imports/prices?{wish}");
        shop.house.send("manager", &path, "text/csv", sheet).await
    };
    let answer = import(sheet.clone(), "").await;
    refused(&answer, 422, "import.rows_refused");
    let pointers: Vec<&Value> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/rows/4", "/rows/6/price"]);
    let answer = import(sheet, "mode=skip_bad").await;
    assert_eq!((&answer.body["changed"], &answer.body["refused"]), (&json!(3), &json!(2)));
    let grocer = shop.grocer.clone();
    shop.pays("grocer", &grocer, "10", "4.00").await;
    shop.pays("grocer", &grocer, "100", "3.50").await;
    shop.house.settled().await;
    let file = shop.house.file("sales", &format!("/v1/exports/prices?agreement={list}")).await;
    let again = import(String::from_utf8(file).unwrap(), "").await;
    assert_eq!(again.body["unchanged"], 3, "{again:?}");
}
