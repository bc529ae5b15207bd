//! Prices of companies: price lists, contracts, and the explanation of prices.

use serde_json::{Value, json};

use crate::{
    instance::Answer,
    journeys::{Shop, created, done, refused, register},
};

impl Shop {
    async fn agreement(&self, name: &str, audience: Value, yields: bool) -> String {
        let header =
            json!({ "name": name, "audience": audience, "currency": "PLN", "yields": yields });
        let id = created(self.instance.post("manager", "/v1/price-agreements", &header).await);
        self.agreement_is(&id, "activate").await;
        id
    }

    async fn agreement_is(&self, id: &str, what: &str) {
        let path = format!("/v1/price-agreements/{id}/{what}");
        done(self.instance.post("manager", &path, &json!({})).await);
    }

    async fn prices(&self, agreement: &str, prices: Value) -> Answer {
        let path = format!("/v1/price-agreements/{agreement}/prices");
        self.instance.post("manager", &path, &json!({ "prices": prices })).await
    }

    /// What a company pays for rice, and the rule that made it so.
    async fn explained(&self, company: &str, quantity: &str) -> Value {
        let path = format!("/v1/prices/explain?company={company}&sku=RICE&quantity={quantity}");
        let answer = self.instance.get("sales", &path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    async fn pays(&self, role: &str, company: &str, quantity: &str, price: &str) {
        let explained = self.explained(company, quantity).await;
        assert_eq!(explained["price"], price, "{explained}");
        let order = json!({
            "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": quantity }],
        });
        let order = created(self.instance.post(role, "/v1/orders", &order).await);
        let head = self.instance.settled().await;
        let order =
            self.instance.get(role, &format!("/v1/orders/{order}?wait_for={head}")).await.body;
        let line = &order["lines"][0];
        assert_eq!(line["unit_price"], price, "{role}");
        assert_eq!(line["priced_by"], explained["made_by"], "the order says which rule it was");
    }

    /// Whatever has changed since, each order is explained by what held when it was placed.
    async fn explains_the_past(&self) {
        let orders = self.instance.all_whole("sales", "/v1/orders").await;
        assert_eq!(orders.len(), 8);
        for order in orders {
            let history = format!("/v1/history/{}", order["id"].as_str().unwrap());
            let history = self.instance.get("auditor", &history).await.body;
            let (company, line) = (order["company"].as_str().unwrap(), &order["lines"][0]);
            let asked = format!(
                "company={company}&sku=RICE&quantity={}&at={}",
                line["quantity"].as_str().unwrap(),
                history["items"][0]["recorded_at"].as_str().unwrap()
            );
            let then = self.instance.get("sales", &format!("/v1/prices/explain?{asked}")).await;
            assert_eq!(then.status, 200, "{then:?}");
            let (then, said) = (&then.body, [&line["unit_price"], &line["priced_by"]]);
            assert_eq!([&then["price"], &then["made_by"]], said, "{asked}: {then}");
        }
        for (at, status) in [
            ("2020-01-01", 200),
            ("2020-01-01T00:00:00Z", 422),
            ("2020-01-01T00:00:00", 400),
            ("yesterday", 400),
        ] {
            let asked = format!("/v1/prices/explain?company={}&sku=RICE&at={at}", self.hotel);
            assert_eq!(self.instance.get("sales", &asked).await.status, status, "{at}");
        }
    }
}

fn fixed(price: &str) -> Value {
    json!({ "kind": "fixed", "price": price })
}

#[tokio::test]
async fn each_company_pays_what_it_agreed_on() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let branch = register(&shop.instance, "Hotel Gdynia", "9999999999", 7).await;
    shop.instance.make_key("branch", "purchaser", Some(&branch)).await;
    let (hotel, grocer) = (shop.hotel.clone(), shop.grocer.clone());
    for (path, body) in [
        (format!("/v1/companies/{branch}/parent"), json!({ "parent": hotel })),
        (format!("/v1/companies/{grocer}/group"), json!({ "group": "shops" })),
    ] {
        done(shop.instance.post("sales", &path, &body).await);
    }
    let rice = shop.instance.get("admin", "/v1/products?sku=RICE").await.body["items"][0].clone();
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
    let verdicts: Vec<(&Value, &Value)> = explained["considered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["agreement"], &one["verdict"]))
        .collect();
    let (won, lost) = (json!("won"), json!("less_specific_audience"));
    assert_eq!(verdicts, [(&json!(contract), &won), (&json!(list), &lost)]);

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
    assert_eq!(shop.instance.all("sales", &path).await.len(), 0);

    // What ends, or is taken back, holds no more.
    shop.agreement_is(&shops, "end").await;
    shop.pays("grocer", &grocer, "10", "4.00").await;
    let path = format!("/v1/price-agreements/{list}/prices/withdraw");
    done(shop.instance.post("manager", &path, &json!({ "selection": of_rice })).await);
    shop.pays("grocer", &grocer, "10", &base).await;
    let agreements = shop.instance.all("sales", "/v1/price-agreements").await;
    let statuses: Vec<&Value> = agreements.iter().map(|agreement| &agreement["status"]).collect();
    assert_eq!(statuses, ["active", "ended", "active", "active"]);
    let contracts = format!("/v1/price-agreements?company={hotel}");
    assert_eq!(shop.instance.all("sales", &contracts).await.len(), 1);
    let path = format!("/v1/price-agreements/{contract}/prices");
    assert_eq!(shop.instance.all("sales", &path).await[0]["breaks"][0]["value"], fixed("3.80"));

    // An offer's price is what the seller says, else what is agreed.
    let offer = json!({
        "company": hotel, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [
            { "sku": "RICE", "quantity": "1" },
            { "sku": "RICE", "quantity": "1", "unit_price": "3.33" },
        ],
    });
    let offer = created(shop.instance.post("sales", "/v1/offers", &offer).await);
    let head = shop.instance.settled().await;
    let offer =
        shop.instance.get("sales", &format!("/v1/offers/{offer}?wait_for={head}")).await.body;
    // The contract yields, now to the base price.
    assert_eq!(offer["lines"][0]["unit_price"], base);
    assert_eq!(offer["lines"][1]["unit_price"], "3.33");
    assert_eq!(offer["lines"][1]["priced_by"], json!({ "kind": "agreed" }));

    shop.explains_the_past().await;
    for (query, parameter) in [
        (format!("company={hotel}&sku=NONE"), "sku"),
        ("company=00000000-0000-7000-8000-000000000bad&sku=RICE".to_owned(), "company"),
    ] {
        let answer = shop.instance.get("sales", &format!("/v1/prices/explain?{query}")).await;
        refused(&answer, 422, "query.names_nothing");
        assert_eq!(answer.body["errors"][0]["parameter"], parameter);
    }
}

#[tokio::test]
async fn prices_come_and_go_as_a_sheet() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let list = shop.agreement("Cennik", json!({ "kind": "everyone" }), false).await;
    let sheet = format!(
        "agreement;sku;at_least;price;percent_off;from\n\
         {list};RICE;;4,00;;\n{list};RICE;100;3,5;;\n{list};NONE;;1;;\n{list};;;;10;2030-01-01\n\
         {list};RICE;;9;9;\n"
    );
    let import = async |sheet: String, options: &str| {
        let path = format!("/v1/imports/prices?{options}");
        shop.instance.send("manager", &path, "text/csv", sheet).await
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
    shop.instance.settled().await;
    let file = shop.instance.file("sales", &format!("/v1/exports/prices?agreement={list}")).await;
    let again = import(String::from_utf8(file).unwrap(), "").await;
    assert_eq!(again.body["unchanged"], 3, "{again:?}");
}

/// What the grocer's next coffee costs by itself, as the catalogue shows it and as an order says it,
/// and what made it so.
async fn coffee(shop: &Shop) -> (String, Value) {
    let head = shop.instance.settled().await;
    let listed =
        shop.instance.get("grocer", &format!("/v1/catalogue?q=COFFEE&wait_for={head}")).await;
    let shown = listed.body["items"][0]["prices"][0]["price"].clone();
    let path = format!("/v1/prices/explain?company={}&sku=COFFEE", shop.grocer);
    let mut explained = shop.instance.get("sales", &path).await.body;
    // A document does not say how low a price may go.
    explained["made_by"].as_object_mut().unwrap().remove("floor");
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "1" }] });
    let order = created(shop.instance.post("grocer", "/v1/orders", &order).await);
    let head = shop.instance.settled().await;
    let order =
        shop.instance.get("grocer", &format!("/v1/orders/{order}?wait_for={head}")).await.body;
    let line = &order["lines"][0];
    assert_eq!((&explained["price"], &line["unit_price"]), (&shown, &shown), "{explained}");
    assert_eq!(explained["made_by"], line["priced_by"], "the order says what made it so");
    (shown.as_str().unwrap().to_owned(), line["priced_by"].clone())
}

#[tokio::test]
async fn purchases_earn_a_discount() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let everyone = || json!({ "kind": "everyone" });
    let offer = async |audience: Value, days: u16, tiers: Value| {
        let programme = json!({ "days": days, "tiers": tiers });
        let offer = json!({ "audience": audience, "programme": programme });
        shop.instance.post("manager", "/v1/discounts/offer", &offer).await
    };
    let sum = |amount: &str| json!({ "amount": amount, "currency": "PLN" });
    let loyal = json!({ "kind": "turnover", "tiers": [
        { "at_least": sum("100.00"), "percent": "5" },
        { "at_least": sum("1000.00"), "percent": "7.5" },
    ] });
    done(offer(everyone(), 90, loyal.clone()).await);
    let often = json!({ "kind": "orders", "tiers": [{ "at_least": 2, "percent": "1" }] });
    done(offer(everyone(), 30, often).await);
    assert_eq!(coffee(&shop).await.0, "10.00");

    // Ten coffees are a hundred złoty: five percent, and after the second order one more.
    for (price, earned) in [("9.50", "5"), ("9.40", "6")] {
        let order = json!([{ "sku": "COFFEE", "quantity": "11" }]);
        let order = shop.confirmed_order(order).await;
        shop.dispatch(json!({ "order": order })).await;
        let (shown, made_by) = coffee(&shop).await;
        assert_eq!((shown.as_str(), made_by), (price, json!({ "kind": "base", "earned": earned })));
    }

    // A floor holds it up; a contract gives it only when it says so.
    let head = shop.instance.settled().await;
    let id = shop.instance.get("admin", &format!("/v1/products?sku=COFFEE&wait_for={head}")).await;
    let id = id.body["items"][0]["id"].as_str().unwrap().to_owned();
    let floor = |price: Value| json!({ "currency": "PLN", "price": price });
    let path = format!("/v1/products/{id}/floor");
    done(shop.instance.post("manager", &path, &floor(json!("9.45"))).await);
    let (shown, made_by) = coffee(&shop).await;
    assert_eq!(shown, "9.45");
    assert_eq!(made_by, json!({ "kind": "base", "earned": "6" }), "floors are the seller's affair");
    let shown = shop.instance.get("admin", &format!("/v1/products/{id}")).await.body;
    assert_eq!(shown["floors"], json!({ "PLN": "9.45" }));
    let shown = shop.instance.get("grocer", &format!("/v1/products/{id}")).await.body;
    assert_eq!(shown["floors"], Value::Null, "how low it may go is the seller's own affair");
    done(shop.instance.post("manager", &path, &floor(Value::Null)).await);
    let breaks = json!([{ "value": fixed("9.90") }]);
    let of_coffee = json!({ "kind": "product", "product": id });
    let prices = json!([{ "selection": of_coffee, "breaks": breaks }]);
    for (discounts, price) in [(false, "9.90"), (true, "9.306")] {
        let header = json!({
            "name": "K", "currency": "PLN", "discounts": discounts,
            "audience": { "kind": "company", "company": shop.grocer },
        });
        let contract =
            created(shop.instance.post("manager", "/v1/price-agreements", &header).await);
        shop.agreement_is(&contract, "activate").await;
        done(shop.prices(&contract, prices.clone()).await);
        assert_eq!(coffee(&shop).await.0, price);
        shop.agreement_is(&contract, "end").await;
    }

    // What is given back counts no more, and what is offered no more gives nothing.
    let credit = json!({ "company": shop.grocer, "currency": "PLN",
        "lines": [{ "sku": "COFFEE", "quantity": "11", "unit_price": "10.00" }] });
    created(shop.instance.post("accounting", "/v1/credit-notes", &credit).await);
    assert_eq!(coffee(&shop).await.0, "9.40", "of 214.50 there are 104.50 left");
    created(shop.instance.post("accounting", "/v1/credit-notes", &credit).await);
    assert_eq!(coffee(&shop).await.0, "9.90");
    let end = json!({ "audience": everyone(), "kind": "orders" });
    done(shop.instance.post("manager", "/v1/discounts/end", &end).await);
    assert_eq!(coffee(&shop).await.0, "10.00");
    assert_eq!(shop.instance.all("sales", "/v1/discounts").await.len(), 1);

    // A company's own programme stands before everyone's; rubbish is refused.
    let own = json!({ "kind": "company", "company": shop.grocer });
    let half = json!({ "kind": "turnover", "tiers": [
        { "at_least": sum("0.01"), "percent": "50" },
    ] });
    done(offer(own.clone(), 1, half).await);
    assert_eq!(coffee(&shop).await.0, "10.00", "nothing is left of what was bought");
    let twice = json!({ "kind": "orders", "tiers": [
        { "at_least": 2, "percent": "1" }, { "at_least": 2, "percent": "2" },
    ] });
    refused(&offer(own.clone(), 30, twice).await, 422, "discount.tier_twice");
    refused(&offer(own, 0, loyal.clone()).await, 422, "discount.days_invalid");
    let nobody = json!({ "kind": "company", "company": "00000000-0000-7000-8000-000000000bad" });
    refused(&offer(nobody, 90, loyal).await, 422, "body.names_nothing");
    let end = json!({ "audience": { "kind": "group", "group": "x" }, "kind": "orders" });
    let answer = shop.instance.post("manager", "/v1/discounts/end", &end).await;
    refused(&answer, 404, "discount.unoffered");
}

#[tokio::test]
async fn a_promotion_stands_beside_the_list() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let everything = json!({ "kind": "everything" });
    let list = shop.agreement("Cennik", json!({ "kind": "everyone" }), false).await;
    let breaks = json!([{ "value": { "kind": "percent_off", "percent": "5" } }]);
    done(shop.prices(&list, json!([{ "selection": everything, "breaks": breaks }])).await);
    assert_eq!(coffee(&shop).await.0, "9.50");
    let promotion = |from: &str, until: Value| {
        json!({
            "name": "Święta", "audience": { "kind": "everyone" }, "currency": "PLN",
            "promotion": true, "from": from, "until": until,
        })
    };
    let endless = promotion("2026-01-01", Value::Null);
    let answer = shop.instance.post("manager", "/v1/price-agreements", &endless).await;
    refused(&answer, 422, "price_agreement.promotion_without_end");
    let breaks = json!([{ "value": { "kind": "percent_off", "percent": "20" } }]);
    let prices = json!([{ "selection": everything, "breaks": breaks }]);
    for (from, until, price) in
        [("2098-01-01", "2099-01-01", "9.50"), ("2026-01-01", "2090-01-01", "8.00")]
    {
        let header = promotion(from, json!(until));
        let id = created(shop.instance.post("manager", "/v1/price-agreements", &header).await);
        shop.agreement_is(&id, "activate").await;
        done(shop.prices(&id, prices.clone()).await);
        assert_eq!(coffee(&shop).await.0, price, "{from}");
    }
    // Two promotions of equal rank are refused like two lists.
    let header = promotion("2026-06-01", json!("2091-01-01"));
    let id = created(shop.instance.post("manager", "/v1/price-agreements", &header).await);
    refused(&shop.prices(&id, prices).await, 409, "price.equal_rank");
    let path = format!("/v1/prices/explain?company={}&sku=COFFEE", shop.grocer);
    let explained = shop.instance.get("sales", &path).await.body;
    let verdicts: Vec<&str> = explained["considered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["verdict"].as_str().unwrap())
        .collect();
    assert!(verdicts.contains(&"won") && verdicts.contains(&"promotion"), "{explained}");
}

/// Next year's list is filled and activated while this year's holds.
#[tokio::test]
async fn a_list_follows_another() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let rice = shop.instance.get("admin", "/v1/products?sku=RICE").await.body["items"][0].clone();
    let of_rice = json!({ "kind": "product", "product": rice["id"] });
    let price =
        |price: &str| json!([{ "selection": of_rice, "breaks": [{ "value": fixed(price) }] }]);
    let first = shop.agreement("Teraz", json!({ "kind": "everyone" }), false).await;
    done(shop.prices(&first, price("4.00")).await);
    let next = json!({ "name": "Potem", "audience": { "kind": "everyone" }, "currency": "PLN",
        "from": "2099-01-01" });
    let next = created(shop.instance.post("manager", "/v1/price-agreements", &next).await);
    refused(&shop.prices(&next, price("5.00")).await, 409, "price.equal_rank");

    let shorten = async |until: &str| {
        let path = format!("/v1/price-agreements/{first}/shorten");
        shop.instance.post("manager", &path, &json!({ "until": until })).await
    };
    done(shorten("2098-12-31").await);
    refused(&shorten("2099-01-01").await, 409, "price_agreement.not_sooner");
    done(shop.prices(&next, price("5.00")).await);
    shop.agreement_is(&next, "activate").await;
    for (at, price) in [("2098-12-31", "4.00"), ("2099-01-01", "5.00")] {
        let path = format!("/v1/prices/explain?company={}&sku=RICE&at={at}", shop.grocer);
        assert_eq!(shop.instance.get("sales", &path).await.body["price"], price, "{at}");
    }
    let grocer = shop.grocer.clone();
    shop.pays("grocer", &grocer, "1", "4.00").await;
    // It is over at once when its last day was yesterday.
    done(shorten("2020-01-01").await);
    let head = shop.instance.settled().await;
    let listed =
        shop.instance.get("grocer", &format!("/v1/catalogue?q=RICE&wait_for={head}")).await;
    assert_eq!(listed.body["items"][0]["prices"][0]["price"], rice["base_prices"]["PLN"]);
}
