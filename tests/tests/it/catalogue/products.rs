//! Products: categories, details and order quantities.

use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused};

impl Shop {
    async fn rice(&self) -> Value {
        let head = self.instance.settled().await;
        let path = format!("/v1/products?sku=RICE&wait_for={head}");
        let listed = self.instance.get("manager", &path).await.body["items"][0].clone();
        let path = format!("/v1/products/{}", listed["id"].as_str().unwrap());
        self.instance.get("manager", &path).await.body
    }

    async fn product(&self, sku: &str) -> String {
        let product = json!({
            "sku": sku, "name": sku, "unit": "piece", "vat_rate": "23",
            "prices": [{ "currency": "PLN", "price": "10.00" }],
        });
        created(self.instance.post("manager", "/v1/products", &product).await)
    }

    async fn category(&self, name: &str, parent: Option<&String>) -> String {
        let category = json!({ "title": { "name": name }, "parent": parent });
        created(self.instance.post("manager", "/v1/categories", &category).await)
    }
}

async fn shop() -> Shop {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    shop
}

#[tokio::test]
async fn a_product_shows_all_that_is_known_of_it() {
    let shop = shop().await;
    let id = shop.rice().await["id"].as_str().unwrap().to_owned();
    let (food, other) = (shop.category("Żywność", None).await, shop.product("OTHER").await);
    let grain = shop.category("Zboża", Some(&food)).await;
    let changes = [
        ("rename", json!({ "name": "Ryż basmati", "translations": { "en": "Basmati rice" } })),
        ("texts", json!({ "texts": { "pl": "Ryż.\nDługi." } })),
        (
            "character",
            json!({ "brand": "Kupiec", "family": "ryż", "attributes": {
                "waga": { "kind": "number", "value": "1", "unit": "kg" } } }),
        ),
        ("categories", json!({ "categories": [grain] })),
        (
            "packing",
            json!({
                "packagings": [{ "name": "carton", "holds": "10", "gtin": "15901234123454" }],
                "minimum": "5", "multiple": "5",
            }),
        ),
        ("vat-rate", json!({ "from": "2030-01-01", "vat_rate": "8" })),
        ("classification", json!({ "pkwiu": "10.61.1", "cn": "10063098", "annex_15": true })),
        ("images", json!({ "images": ["https://img.example/rice.jpg"] })),
        ("substitutes", json!({ "substitutes": [other] })),
    ];
    for (what, body) in &changes {
        done(shop.instance.post("manager", &format!("/v1/products/{id}/{what}"), body).await);
    }
    done(
        shop.instance
            .post("manager", &format!("/v1/products/{id}/withdraw"), &json!({ "successor": other }))
            .await,
    );
    let rice = shop.rice().await;
    for (field, value) in [
        ("name", json!("Ryż basmati")),
        ("translations", json!({ "en": "Basmati rice" })),
        ("texts", json!({ "pl": "Ryż.\nDługi." })),
        ("character", changes[2].1.clone()),
        ("categories", json!([grain])),
        ("packing", changes[4].1.clone()),
        ("vat_rates", json!({ "2030-01-01": "8" })),
        ("classification", changes[6].1.clone()),
        ("images", json!(["https://img.example/rice.jpg"])),
        ("substitutes", json!([other])),
        ("successor", json!(other)),
        ("status", json!("withdrawn")),
    ] {
        assert_eq!(rice[field], value, "{field}");
    }
    let of = format!("/v1/products?category={grain}");
    assert_eq!(shop.instance.all("manager", &of).await.len(), 1);
    let of = format!("/v1/products?category={food}");
    assert_eq!(shop.instance.all("manager", &of).await.len(), 0, "it stands in its own category");
    let below = shop.instance.all("manager", &format!("/v1/categories?parent={food}")).await;
    assert_eq!(below[0]["title"]["name"], "Zboża");
    assert_eq!(shop.instance.all("manager", "/v1/categories?roots=true").await.len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    let shop = shop().await;
    let id = shop.rice().await["id"].as_str().unwrap().to_owned();
    let part = shop.product("PART").await;
    let bundle = shop.product("BUNDLE").await;
    let parts = json!({ "parts": [{ "product": part, "quantity": "2" }] });
    done(shop.instance.post("manager", &format!("/v1/products/{bundle}/parts"), &parts).await);
    let closed = shop.category("Stare", None).await;
    done(
        shop.instance.post("manager", &format!("/v1/categories/{closed}/close"), &json!({})).await,
    );
    let nowhere = "00000000-0000-7000-8000-000000000bad";
    let gtin =
        |gtin: &str| json!({ "packagings": [{ "name": "pack", "holds": "6", "gtin": gtin }] });
    done(
        shop.instance
            .post("manager", &format!("/v1/products/{part}/packing"), &gtin("15901234123454"))
            .await,
    );
    for (what, body, status, code, pointer) in [
        (
            "categories",
            json!({ "categories": [nowhere] }),
            422,
            "category.unopened",
            "/categories/0",
        ),
        ("categories", json!({ "categories": [closed] }), 409, "category.closed", "/categories/0"),
        (
            "substitutes",
            json!({ "substitutes": [nowhere] }),
            422,
            "product.undrafted",
            "/substitutes/0",
        ),
        ("withdraw", json!({ "successor": nowhere }), 422, "product.undrafted", "/successor"),
        (
            "parts",
            json!({ "parts": [{ "product": bundle, "quantity": "1" }] }),
            409,
            "product.part_is_bundle",
            "/parts/0/product",
        ),
        (
            "parts",
            json!({ "parts": [{ "product": part, "quantity": "0.5" }] }),
            422,
            "product.indivisible",
            "/parts/0/quantity",
        ),
        ("images", json!({ "images": ["http://img"] }), 422, "body.invalid", "/images/0"),
        ("classification", json!({ "cn": "1" }), 422, "body.invalid", "/cn"),
    ] {
        let answer =
            shop.instance.post("manager", &format!("/v1/products/{id}/{what}"), &body).await;
        refused(&answer, status, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{what}");
    }
    let (path, body) = (format!("/v1/products/{id}/packing"), gtin("15901234123454"));
    refused(&shop.instance.post("manager", &path, &body).await, 409, "claim.held");
    let root = shop.category("A", None).await;
    let below = shop.category("B", Some(&root)).await;
    let (path, body) = (format!("/v1/categories/{root}/move"), json!({ "parent": below }));
    refused(&shop.instance.post("manager", &path, &body).await, 409, "category.parent_is_below");
}

#[tokio::test]
async fn what_is_ordered_comes_in_its_quantities() {
    let shop = shop().await;
    let id = shop.rice().await["id"].as_str().unwrap().to_owned();
    let packing = json!({
        "packagings": [{ "name": "carton", "holds": "12" }], "minimum": "12", "multiple": "6",
    });
    done(shop.instance.post("manager", &format!("/v1/products/{id}/packing"), &packing).await);
    let order = async |line: Value| {
        let order = json!({ "currency": "PLN", "lines": [line] });
        shop.instance.post("grocer", "/v1/orders", &order).await
    };
    let answer = order(json!({ "sku": "RICE", "quantity": "20" })).await;
    refused(&answer, 422, "product.quantity_not_ordered");
    assert_eq!(answer.body["errors"][0]["pointer"], "/lines/0/quantity");
    assert!(answer.body["detail"].as_str().unwrap().ends_with("18 or 24"), "{answer:?}");
    let answer = order(json!({ "sku": "RICE", "quantity": "1", "packaging": "pallet" })).await;
    refused(&answer, 422, "product.not_packed_so");
    assert_eq!(answer.body["errors"][0]["pointer"], "/lines/0/packaging");

    let placed =
        created(order(json!({ "sku": "RICE", "quantity": "2", "packaging": "carton" })).await);
    let head = shop.instance.settled().await;
    let placed =
        shop.instance.get("grocer", &format!("/v1/orders/{placed}?wait_for={head}")).await.body;
    assert_eq!(placed["lines"][0]["quantity"], "24");
    assert_eq!(placed["lines"][0]["vat_rate"], "5");

    // From its day on another rate holds.
    let rate = json!({ "from": "2020-01-01", "vat_rate": "8" });
    done(shop.instance.post("manager", &format!("/v1/products/{id}/vat-rate"), &rate).await);
    let placed = created(order(json!({ "sku": "RICE", "quantity": "12" })).await);
    let head = shop.instance.settled().await;
    let placed =
        shop.instance.get("grocer", &format!("/v1/orders/{placed}?wait_for={head}")).await.body;
    assert_eq!(placed["lines"][0]["vat_rate"], "8");
    assert_eq!(shop.rice().await["vat_rate"], "8", "the rate of today");
}

#[tokio::test]
async fn products_come_as_a_sheet() {
    let shop = shop().await;
    let sheet = "sku;name;gtin;unit;vat_rate;brand;price;currency;status\n\
        RICE;Ryż biały;;;;;;;\nTEA;Herbata;5901234123457;pack;23;Posti;7,99;PLN;published\n\
        SALT;Sól;;piece;8;;;;published\nSUGAR;Cukier;;cube;8;;;;\n";
    let import = async |sheet: String| {
        let path = "/v1/imports/products?mode=skip_bad";
        shop.instance.send("manager", path, "text/csv", sheet).await.body
    };
    let answer = import(sheet.to_owned()).await;
    let codes: Vec<(&Value, &Value)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["row"], &error["code"]))
        .collect();
    assert_eq!(
        codes,
        [
            (&json!(2), &json!("import.cell_missing")),
            (&json!(2), &json!("import.cell_missing")),
            (&json!(4), &json!("product.no_price")),
            (&json!(5), &json!("import.cell_invalid")),
        ]
    );
    assert_eq!((&answer["changed"], &answer["refused"]), (&json!(1), &json!(3)));
    let head = shop.instance.settled().await;
    let tea =
        shop.instance.get("grocer", &format!("/v1/products?sku=TEA&wait_for={head}")).await.body;
    let tea = &tea["items"][0];
    assert_eq!(tea["base_prices"]["PLN"], "7.99");
    assert_eq!(tea["character"]["brand"], "Posti");
    // What a row had begun before it was refused was taken back.
    let salt = shop.instance.get("manager", "/v1/products?sku=SALT").await.body;
    assert_eq!(salt["items"], json!([]));
    let again = sheet.replace("Herbata", "Herbata czarna");
    assert_eq!(import(again).await["changed"], 1);
    let taxed = sheet.replace("pack;23", "pack;8");
    assert_eq!(import(taxed).await["errors"][2]["code"], "import.product_differs");
}

/// What was agreed on paying, and what annex 15 asks for, stands on the invoice.
#[tokio::test]
async fn an_invoice_says_how_it_is_paid() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("manager", "sales_manager", None).await;
    let path = format!("/v1/companies/{}/payment-term", shop.grocer);
    let early = json!({ "discount": "2", "days": 10 });
    let term = json!({ "payment_term": { "kind": "net", "days": 30, "early": early } });
    done(shop.instance.post("sales", &path, &term).await);
    let steel = shop.product("STEEL").await;
    for (what, body) in [("classification", json!({ "annex_15": true })), ("publish", json!({}))] {
        done(shop.instance.post("manager", &format!("/v1/products/{steel}/{what}"), &body).await);
    }
    for (quantity, split, to_pay) in [
        // 15,006.00 and 14,993.70 with their tax.
        ("1220", Some(true), "14705.88"),
        ("1219", None, "14693.83"),
    ] {
        let lines = json!([{ "sku": "STEEL", "quantity": quantity }]);
        let order = shop.confirmed_order(lines).await;
        let dispatch = json!({ "order": order, "dispatched_on": "2026-03-20" });
        let invoice = shop.dispatch(dispatch).await;
        assert_eq!(invoice["split_payment"].as_bool(), split, "{invoice}");
        let early = json!({ "until": "2026-03-30",
            "to_pay": { "amount": to_pay, "currency": "PLN" } });
        assert_eq!(invoice["early"], early, "{invoice}");
    }
}
