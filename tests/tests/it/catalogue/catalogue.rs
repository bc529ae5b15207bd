//! The catalogue of a company: visible products, prices and search.

use serde_json::{Value, json};

use crate::journeys::{Shop, created, done, refused};

/// Code, name, brand, category, price.
const PRODUCTS: [(&str, &str, &str, &str, &str); 9] = [
    ("KAW-01", "Kawa ziarnista Gęś", "Żubr", "Kawy", "40.00"),
    ("KAW-02", "Kawa mielona", "Łoś", "Kawy", "30.00"),
    ("KAW-03/X", "Kawa rozpuszczalna", "łoś", "Kawy", "20.00"),
    ("HER-01", "Herbata czarna", "Żubr", "Herbaty", "12.00"),
    ("HER-02", "Herbata zielona do kawy", "", "Herbaty", "14.00"),
    ("KUB-01", "Kubek do kawy", "Żubr", "Naczynia", "9.00"),
    ("KUB-02", "Filiżanka", "", "Naczynia", "11.00"),
    ("MYD-01", "Mydło w płynie", "", "", "7.00"),
    ("MYD-02", "Mydełko", "", "", "3.00"),
];

pub(crate) struct Stock {
    pub(crate) shop: Shop,
    pub(crate) categories: std::collections::BTreeMap<&'static str, String>,
}

impl Stock {
    pub(crate) async fn open() -> Self {
        let mut shop = Shop::open().await;
        shop.instance.make_key("manager", "sales_manager", None).await;
        let mut categories = std::collections::BTreeMap::new();
        for (name, parent) in [
            ("Spożywcze", None),
            ("Napoje", Some("Spożywcze")),
            ("Kawy", Some("Napoje")),
            ("Herbaty", Some("Napoje")),
            ("Naczynia", None),
        ] {
            let parent = parent.map(|parent| &categories[parent]);
            let category = json!({ "title": { "name": name }, "parent": parent });
            let id = created(shop.instance.post("manager", "/v1/categories", &category).await);
            categories.insert(name, id);
        }
        let stock = Self { shop, categories };
        for (sku, name, brand, category, price) in PRODUCTS {
            stock.product(sku, name, brand, category, price).await;
        }
        stock
    }

    async fn product(&self, sku: &str, name: &str, brand: &str, category: &str, price: &str) {
        let product = json!({
            "sku": sku, "name": name, "unit": "piece", "vat_rate": "23",
            "prices": [{ "currency": "PLN", "price": price }],
        });
        let id = created(self.shop.instance.post("manager", "/v1/products", &product).await);
        if !brand.is_empty() {
            self.change(&id, "character", json!({ "brand": brand })).await;
        }
        if !category.is_empty() {
            let categories = json!({ "categories": [self.categories[category]] });
            self.change(&id, "categories", categories).await;
        }
        self.change(&id, "publish", json!({})).await;
    }

    async fn change(&self, product: &str, what: &str, body: Value) {
        let path = format!("/v1/products/{product}/{what}");
        done(self.shop.instance.post("manager", &path, &body).await);
    }

    pub(crate) async fn id(&self, sku: &str) -> String {
        let head = self.shop.instance.settled().await;
        let path = format!("/v1/products?sku={sku}&wait_for={head}");
        let answer = self.shop.instance.get("manager", &path).await;
        answer.body["items"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn rule(&self, what: &str, audience: Value, selection: Value) {
        let rule = json!({ "audience": audience, "selection": selection });
        done(self.shop.instance.post("manager", &format!("/v1/assortments/{what}"), &rule).await);
    }

    /// The codes that a query finds, page by page.
    async fn found(&self, role: &str, query: &str) -> Vec<String> {
        let head = self.shop.instance.settled().await;
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/catalogue?wait_for={head}&limit=2&{query}{cursor}");
            let page = self.shop.instance.get(role, &path).await;
            assert_eq!(page.status, 200, "{page:?}");
            for product in page.body["items"].as_array().unwrap() {
                found.push(product["sku"].as_str().unwrap().to_owned());
            }
            let Some(next) = page.body["next_cursor"].as_str() else { return found };
            cursor = format!("&cursor={next}");
        }
    }

    async fn counts(&self, role: &str, query: &str) -> Value {
        let head = self.shop.instance.settled().await;
        let path = format!("/v1/catalogue/counts?wait_for={head}&{query}");
        let answer = self.shop.instance.get(role, &path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }
}

fn counted(counts: &Value, of: &str, name: &str) -> i64 {
    let all = counts[of].as_array().unwrap();
    let one = all.iter().find(|one| one["name"] == name);
    one.map_or(0, |one| one["products"].as_i64().unwrap())
}

#[tokio::test]
async fn what_is_sold_is_found() {
    let stock = Stock::open().await;
    let coffees = ["KAW-01", "KAW-02", "KAW-03/X"];
    for (query, found) in [
        // Words in whatever form, with or without diacritics, and as far as they were typed.
        ("q=KAWY%20ziarnistej", &["KAW-01"][..]),
        ("q=ges", &["KAW-01"]),
        ("q=g%C4%99%C5%9B", &["KAW-01"]),
        ("q=rozpuszcz", &["KAW-03/X"]),
        ("q=mydla", &["MYD-01"]),
        ("q=fili%C5%BCanki", &["KUB-02"]),
        // A brand, a code, a part of it, a number.
        ("q=los", &["KAW-02", "KAW-03/X"]),
        ("q=kaw-03%2Fx", &["KAW-03/X"]),
        ("q=KAW03X", &["KAW-03/X"]),
        ("q=her&order=sku", &["HER-01", "HER-02"]),
        // It could be a code and is none: words, on every page.
        ("q=01%20%C5%BBubr&order=sku", &["HER-01", "KAW-01", "KUB-01"]),
        // A word that is mistyped.
        ("q=hrebata&order=sku", &["HER-01", "HER-02"]),
        ("q=kawa%20zairnista", &["KAW-01"]),
        ("q=xyzzyplugh", &[]),
        // Names that begin with the word come before those that only have it.
        ("q=kawa", &["KAW-02", "KAW-01", "KAW-03/X", "KUB-01", "HER-02"]),
        // Filters, and their order.
        ("q=kawa&order=name", &["HER-02", "KAW-02", "KAW-03/X", "KAW-01", "KUB-01"]),
        ("brand=ZUBR", &["HER-01", "KAW-01", "KUB-01"]),
        ("brand=ZUBR&q=kawy&order=sku", &["KAW-01", "KUB-01"]),
    ] {
        let mut seen = stock.found("grocer", query).await;
        let mut wanted = found.to_vec();
        if query == "q=kawa" {
            // Equally good matches are sorted by name.
            seen.truncate(3);
            seen.sort();
            wanted = coffees.to_vec();
        }
        assert_eq!(seen, wanted, "{query}");
    }
    let drinks = &stock.categories["Napoje"];
    let in_drinks = format!("category={drinks}&order=sku");
    let all = ["HER-01", "HER-02", "KAW-01", "KAW-02", "KAW-03/X"];
    assert_eq!(stock.found("grocer", &in_drinks).await, all);
    let newest = stock.found("grocer", &format!("category={drinks}&order=newest")).await;
    assert_eq!(newest.first().unwrap(), "HER-02");
    let branded = format!("category={drinks}&brand=%C5%BBubr");
    assert_eq!(stock.found("grocer", &branded).await, ["HER-01", "KAW-01"]);
    let coffee_only = format!("{in_drinks}&q=kawa");
    assert_eq!(stock.found("grocer", &coffee_only).await, &all[1..]);
    assert_eq!(stock.found("grocer", "").await.len(), PRODUCTS.len() + 3);

    let counts = stock.counts("grocer", "").await;
    assert_eq!(counts["products"], PRODUCTS.len() + 3);
    let number = |of, name| counted(&counts, of, name);
    assert_eq!(number("categories", "Spożywcze"), 5);
    assert_eq!(number("categories", "Kawy"), 3);
    assert_eq!(number("brands", "Żubr"), 3);
    assert_eq!(number("brands", "łoś"), 2, "however it is written");
    let counts = stock.counts("grocer", &format!("category={drinks}&q=kwa%20cazrna")).await;
    assert_eq!(counts["products"], 0, "{counts}");
    let counts = stock.counts("grocer", "q=hrebata").await;
    assert_eq!((&counts["products"], &counts["instead"]), (&json!(2), &json!("herbata")));

    // Everything follows its product and its category.
    let instance = &stock.shop.instance;
    let path = format!("/v1/categories/{drinks}/move");
    let to = json!({ "parent": stock.categories["Naczynia"] });
    done(instance.post("manager", &path, &to).await);
    let (tea, mug) = (stock.id("HER-01").await, stock.id("KUB-01").await);
    stock.change(&tea, "rename", json!({ "name": "Yerba mate" })).await;
    stock.change(&tea, "character", json!({ "brand": "Łoś" })).await;
    stock.change(&mug, "withdraw", json!({})).await;
    let counts = stock.counts("grocer", "").await;
    let number = |of, name| counted(&counts, of, name);
    assert_eq!(number("categories", "Spożywcze"), 0);
    assert_eq!(number("categories", "Naczynia"), 6);
    assert_eq!((number("brands", "Żubr"), number("brands", "Łoś")), (1, 3));
    let dishes = format!("category={}&order=sku", stock.categories["Naczynia"]);
    let moved = ["HER-01", "HER-02", "KAW-01", "KAW-02", "KAW-03/X", "KUB-02"];
    assert_eq!(stock.found("grocer", &dishes).await, moved);
    let food = format!("category={}", stock.categories["Spożywcze"]);
    assert_eq!(stock.found("grocer", &food).await, Vec::<String>::new());
    assert_eq!(stock.found("grocer", "q=czarna").await, Vec::<String>::new());
    assert_eq!(stock.found("grocer", "q=mate").await, ["HER-01"]);
    assert_eq!(
        stock.found("grocer", "brand=los&order=sku").await,
        ["HER-01", "KAW-02", "KAW-03/X"]
    );
}

#[tokio::test]
async fn each_company_sees_its_own_assortment() {
    let stock = Stock::open().await;
    let (grocer, hotel) = (stock.shop.grocer.clone(), stock.shop.hotel.clone());
    let of = |company: &str| json!({ "kind": "company", "company": company });
    let category = |name| json!({ "kind": "category", "category": stock.categories[name] });
    let product = async |sku| json!({ "kind": "product", "product": stock.id(sku).await });
    let everything = json!({ "kind": "everything" });

    // The hotel sees drinks without teas, one of these by itself, and a soap.
    stock.rule("deny", of(&hotel), everything.clone()).await;
    stock.rule("allow", of(&hotel), category("Napoje")).await;
    stock.rule("deny", of(&hotel), category("Herbaty")).await;
    for sku in ["HER-02", "MYD-01"] {
        stock.rule("allow", of(&hotel), product(sku).await).await;
    }
    // The grocer sees all but one coffee and the dishes.
    stock.rule("deny", of(&grocer), product("KAW-02").await).await;
    stock.rule("deny", of(&grocer), category("Naczynia")).await;

    let listed = ["HER-02", "KAW-01", "KAW-02", "KAW-03/X", "MYD-01"];
    assert_eq!(stock.found("hotel", "order=sku").await, listed);
    assert_eq!(stock.found("hotel", "q=herbata").await, ["HER-02"]);
    assert_eq!(stock.found("hotel", "q=kubek").await, Vec::<String>::new());
    let drinks = format!("category={}&order=sku", stock.categories["Spożywcze"]);
    assert_eq!(stock.found("hotel", &drinks).await, &listed[..4]);
    let dishes = format!("category={}", stock.categories["Naczynia"]);
    for role in ["hotel", "grocer"] {
        assert_eq!(stock.found(role, &dishes).await, Vec::<String>::new());
    }
    assert_eq!(stock.found("grocer", "q=kawa&order=sku").await, ["HER-02", "KAW-01", "KAW-03/X"]);
    for (role, company, products, drinks, coffees) in
        [("hotel", &hotel, 5, 4, 3), ("grocer", &grocer, PRODUCTS.len(), 4, 2)]
    {
        let counts = stock.counts(role, "").await;
        assert_eq!(counts["products"], products, "{role}: {counts}");
        assert_eq!(counted(&counts, "categories", "Napoje"), drinks);
        assert_eq!(counted(&counts, "categories", "Kawy"), coffees);
        // The seller sees it with the company's eyes.
        assert_eq!(stock.counts("sales", &format!("company={company}")).await, counts);
        let as_company = stock.found("sales", &format!("company={company}&order=sku")).await;
        assert_eq!(as_company, stock.found(role, "order=sku").await);
        assert_eq!(stock.found(role, "").await.len(), products);
    }

    let instance = &stock.shop.instance;
    refused(
        &instance.get("hotel", &format!("/v1/catalogue?company={grocer}")).await,
        404,
        "not_found",
    );
    for path in ["/v1/catalogue", "/v1/catalogue/counts"] {
        refused(&instance.get("sales", path).await, 422, "query.names_nothing");
        let nobody = format!("{path}?company=00000000-0000-7000-8000-000000000bad");
        refused(&instance.get("sales", &nobody).await, 422, "query.names_nothing");
        let long = "a".repeat(201);
        for q in ["%27%26%21", "", long.as_str()] {
            refused(&instance.get("hotel", &format!("{path}?q={q}")).await, 400, "query.invalid");
        }
    }
    let first = instance.get("hotel", "/v1/catalogue?limit=1").await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    let other = format!("/v1/catalogue?q=kawa&cursor={cursor}");
    refused(&instance.get("hotel", &other).await, 400, "page.cursor_invalid");
}

#[tokio::test]
async fn the_catalogue_shows_what_an_order_would_cost() {
    let stock = Stock::open().await;
    let instance = &stock.shop.instance;
    let fixed = |price: &str| json!({ "kind": "fixed", "price": price });
    let coffee = stock.id("KAW-01").await;
    let (product, drinks) = (
        json!({ "kind": "product", "product": coffee }),
        json!({ "kind": "category", "category": stock.categories["Napoje"] }),
    );
    let (grocer, hotel) = (stock.shop.grocer.clone(), stock.shop.hotel.clone());
    done(
        instance
            .post("sales", &format!("/v1/companies/{grocer}/group"), &json!({ "group": "shops" }))
            .await,
    );
    let everything = json!({ "kind": "everything" });
    for (audience, yields, prices) in [
        (
            json!({ "kind": "everyone" }),
            false,
            json!([{ "selection": product, "breaks": [
                { "value": fixed("39.00") }, { "at_least": "100", "value": fixed("30.00") },
            ] }]),
        ),
        (
            json!({ "kind": "group", "group": "shops" }),
            false,
            json!([
                { "selection": drinks, "breaks": [
                    { "at_least": "10", "value": { "kind": "percent_off", "percent": "10" } },
                ] },
                { "selection": everything, "breaks": [
                    { "at_least": "50", "value": { "kind": "amount_off", "amount": "0.50" } },
                ] },
            ]),
        ),
        (
            json!({ "kind": "company", "company": hotel }),
            true,
            json!([{ "selection": product, "breaks": [{ "value": fixed("35.00") }] }]),
        ),
    ] {
        let header =
            json!({ "name": "A", "audience": audience, "currency": "PLN", "yields": yields });
        let id = created(instance.post("manager", "/v1/price-agreements", &header).await);
        let path = format!("/v1/price-agreements/{id}");
        done(instance.post("manager", &format!("{path}/activate"), &json!({})).await);
        let prices = json!({ "prices": prices });
        done(instance.post("manager", &format!("{path}/prices"), &prices).await);
    }
    stock.change(&coffee, "packing", json!({ "minimum": "4", "multiple": "2" })).await;

    let head = instance.settled().await;
    let mut seen = 0;
    for (role, company) in [("grocer", &grocer), ("hotel", &hotel)] {
        for product in instance.all(role, &format!("/v1/catalogue?wait_for={head}")).await {
            let sku = product["sku"].as_str().unwrap();
            let steps = product["prices"].as_array().unwrap();
            assert!(!steps.is_empty(), "{product}");
            for quantity in [1_u32, 4, 9, 10, 49, 50, 100, 1_000] {
                let reached = |step: &&Value| {
                    step["at_least"].as_str().unwrap().parse::<u32>().unwrap() <= quantity
                };
                let Some(step) = steps.iter().rfind(reached) else {
                    assert!(quantity < 4 && sku == "KAW-01");
                    continue;
                };
                let path =
                    format!("/v1/prices/explain?company={company}&sku={sku}&quantity={quantity}");
                let explained = instance.get("sales", &path).await.body;
                assert_eq!(step["price"], explained["price"], "{role} {sku} {quantity}");
                seen += 1;
            }
        }
    }
    assert!(seen > 150, "{seen}");
    let coffee =
        &instance.get("hotel", &format!("/v1/catalogue?q=KAW-01&wait_for={head}")).await.body;
    assert_eq!(
        coffee["items"][0]["prices"],
        json!([{ "at_least": "4", "price": "35.00" }, { "at_least": "100", "price": "30.00" }])
    );
}

#[tokio::test]
async fn the_catalogue_shows_what_there_is() {
    let stock = Stock::open().await;
    let instance = &stock.shop.instance;
    let report = async |levels: Value| {
        instance.post("warehouse", "/v1/stock", &json!({ "levels": levels })).await
    };
    let levels = json!([
        { "sku": "KAW-01", "available": "12" },
        { "sku": "KAW-02", "available": "0", "expected": "2030-01-02" },
        { "sku": "KUB-01", "available": "1.5" },
    ]);
    done(report(levels.clone()).await);
    done(report(levels).await);
    assert_eq!(stock.found("grocer", "in_stock=true&order=sku").await, ["KAW-01", "KUB-01"]);
    let coffees = format!("category={}&in_stock=true", stock.categories["Kawy"]);
    assert_eq!(stock.found("grocer", &coffees).await, ["KAW-01"]);
    assert_eq!(stock.found("grocer", "q=kubek&in_stock=true").await, ["KUB-01"]);
    let counts = stock.counts("grocer", "").await;
    assert_eq!((&counts["products"], &counts["in_stock"]), (&json!(12), &json!(2)));
    let counts = stock.counts("grocer", "in_stock=true&q=kawa").await;
    assert_eq!((&counts["products"], &counts["in_stock"]), (&json!(2), &json!(2)), "{counts}");

    let listed = instance.get("grocer", "/v1/catalogue?q=KAW-02").await.body;
    let level = json!({ "available": "0", "expected": "2030-01-02" });
    assert_eq!(listed["items"][0]["stock"], level);
    let listed = instance.get("grocer", "/v1/catalogue?q=HER-01").await.body;
    assert_eq!(listed["items"][0]["stock"], Value::Null, "the warehouse has said nothing");

    done(report(json!([{ "sku": "KAW-01", "available": "0" }])).await);
    assert_eq!(stock.found("grocer", "in_stock=true").await, ["KUB-01"]);
    let all = instance.all("warehouse", "/v1/stock").await;
    let levels: Vec<(&Value, &Value)> =
        all.iter().map(|one| (&one["sku"], &one["available"])).collect();
    let (none, some) = (json!("0"), json!("1.5"));
    let [one, two, mug] = [json!("KAW-01"), json!("KAW-02"), json!("KUB-01")];
    assert_eq!(levels, [(&two, &none), (&mug, &some), (&one, &none)]);

    let missing = report(json!([
        { "sku": "KAW-01", "available": "3" }, { "sku": "NONE", "available": "3" },
    ]));
    let missing = missing.await;
    refused(&missing, 422, "body.names_nothing");
    assert_eq!(missing.body["errors"][0]["pointer"], "/levels/1/sku");
    refused(&report(json!([{ "sku": "KAW-01", "available": "-1" }])).await, 422, "body.invalid");
    refused(&report(json!([])).await, 422, "stock.count_invalid");
    assert_eq!(stock.found("grocer", "in_stock=true").await, ["KUB-01"], "all or none");
    let compared = instance.run(&["projections", "compare", "all"]);
    assert!(compared.lines().all(|line| line.trim_end().ends_with("equal")), "{compared}");
}

#[tokio::test]
async fn a_company_orders_by_its_own_codes() {
    let mut stock = Stock::open().await;
    let (grocer, hotel) = (stock.shop.grocer.clone(), stock.shop.hotel.clone());
    let instance = &mut stock.shop.instance;
    let branch = crate::journeys::register(instance, "Hotel Gdynia", "9999999999", 7).await;
    instance.make_key("branch", "purchaser", Some(&branch)).await;
    let parent = json!({ "parent": hotel });
    done(instance.post("sales", &format!("/v1/companies/{branch}/parent"), &parent).await);
    let instance = &stock.shop.instance;
    let codes_of = |company: &str| format!("/v1/companies/{company}/product-codes");
    let codes = json!({ "codes": [
        { "code": "B/77-a", "sku": "KAW-01" }, { "code": "B/78", "sku": "KUB-01" },
    ] });
    done(instance.post("hotel", &codes_of(&hotel), &codes).await);
    let own = json!({ "codes": [{ "code": "B/78", "sku": "KUB-02" }] });
    done(instance.post("sales", &codes_of(&branch), &own).await);
    let others = json!({ "codes": [{ "code": "KAW", "sku": "MYD-01" }] });
    done(instance.post("grocer", &codes_of(&grocer), &others).await);

    // It finds, sees and orders by them; the branch has those of the hotel too.
    assert_eq!(stock.found("hotel", "q=b77").await, ["KAW-01"]);
    assert_eq!(stock.found("branch", "q=B%2F77-A").await, ["KAW-01"]);
    assert_eq!(stock.found("grocer", "q=b77a").await, Vec::<String>::new());
    assert_eq!(stock.found("grocer", "q=kaw").await[0], "MYD-01", "its own comes first");
    assert_eq!(stock.counts("hotel", "q=b77").await["products"], 1);
    let listed = instance.get("branch", "/v1/catalogue?q=KAW-01").await.body;
    assert_eq!(listed["items"][0]["own_code"], "B/77-a");
    for (role, code, sku) in
        [("hotel", "B/78", "KUB-01"), ("branch", "B/78", "KUB-02"), ("branch", "B/77-a", "KAW-01")]
    {
        let order = json!({ "currency": "PLN", "lines": [{ "code": code, "quantity": "2" }] });
        let order = created(instance.post(role, "/v1/orders", &order).await);
        let head = instance.settled().await;
        let order = instance.get(role, &format!("/v1/orders/{order}?wait_for={head}")).await.body;
        assert_eq!(order["lines"][0]["sku"], sku, "{role} {code}");
    }
    for (role, line, pointer) in [
        ("grocer", json!({ "code": "B/78", "quantity": "1" }), "/lines/0/code"),
        ("hotel", json!({ "code": "B/78", "sku": "KUB-01", "quantity": "1" }), "/lines/0/sku"),
        ("hotel", json!({ "quantity": "1" }), "/lines/0/sku"),
    ] {
        let order = json!({ "currency": "PLN", "lines": [line] });
        let answer = instance.post(role, "/v1/orders", &order).await;
        refused(&answer, 422, "lines.invalid");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
    }

    // What is dropped means nothing; another company's codes are nobody else's.
    let drop = json!({ "codes": ["B/78"] });
    done(instance.post("branch", &format!("{}/drop", codes_of(&branch)), &drop).await);
    let head = instance.settled().await;
    let path = format!("{}?wait_for={head}", codes_of(&branch));
    let listed = instance.all("branch", &path).await;
    assert_eq!(listed.len(), 0);
    let listed = instance.all("hotel", &codes_of(&hotel)).await;
    assert_eq!((&listed[1]["code"], &listed[1]["sku"]), (&json!("B/78"), &json!("KUB-01")));
    let unknown = json!({ "codes": ["NONE"] });
    let path = format!("{}/drop", codes_of(&hotel));
    refused(&instance.post("hotel", &path, &unknown).await, 404, "product_code.free");
    refused(&instance.post("grocer", &codes_of(&hotel), &codes).await, 404, "not_found");
    refused(&instance.get("grocer", &codes_of(&hotel)).await, 404, "not_found");
    let nothing = json!({ "codes": [{ "code": "X", "sku": "NONE" }] });
    let answer = instance.post("hotel", &codes_of(&hotel), &nothing).await;
    refused(&answer, 422, "body.names_nothing");
    assert_eq!(answer.body["errors"][0]["pointer"], "/codes/0/sku");
}

#[tokio::test]
async fn stock_codes_and_assortments_come_as_sheets() {
    let stock = Stock::open().await;
    let instance = &stock.shop.instance;
    let grocer = &stock.shop.grocer;
    let import = async |what: &str, sheet: String| {
        let path = format!("/v1/imports/{what}");
        instance.send("admin", &path, "text/csv", sheet).await
    };
    let companies = "reference;tax_id;name;payment_term\nN-1;5252248481;Bar;net 7\n";
    let answer = import("companies", companies.to_owned()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let head = instance.settled().await;
    let path = format!("/v1/companies?reference=N-1&wait_for={head}");
    let bar = instance.get("sales", &path).await.body["items"][0].clone();
    let bar = bar["id"].as_str().unwrap().to_owned();
    for (what, sheet, changed) in [
        ("stock", "sku;available;expected\nKAW-01;1,5;\nKAW-02;0;2030-01-02\n".to_owned(), 2),
        ("product-codes", "company_reference;code;sku\nN-1;K1;KAW-01\n".to_owned(), 1),
        (
            "assortments",
            format!(
                "company_reference;group;sku;category;verdict\nN-1;;;;denied\nN-1;;;{};allowed\n\
                 N-1;;KUB-01;;allowed\n;shops;KAW-01;;denied\n",
                stock.categories["Kawy"]
            ),
            4,
        ),
    ] {
        let again = sheet.clone();
        let answer = import(what, sheet).await;
        assert_eq!((answer.status, &answer.body["changed"]), (200, &json!(changed)), "{answer:?}");
        let answer = import(what, again).await;
        assert_eq!(answer.body["unchanged"], changed, "{what}");
    }
    let products = format!(
        "sku;name;unit;vat_rate;price;floor;currency;category;minimum;multiple;status\n\
         NEW-1;Nowość;piece;23;5,00;4,50;PLN;{};4;2;published\n",
        stock.categories["Naczynia"]
    );
    let answer = import("products", products).await;
    assert_eq!((answer.status, &answer.body["changed"]), (200, &json!(1)), "{answer:?}");
    // What goes out can come in again and changes nothing, also of what is sold no more.
    stock.change(&stock.id("NEW-1").await, "withdraw", json!({})).await;
    for (what, rows) in [("products", 13), ("assortments", 4)] {
        let head = instance.settled().await;
        let sheet = instance.file("admin", &format!("/v1/exports/{what}?wait_for={head}")).await;
        let answer = import(what, String::from_utf8(sheet).unwrap()).await;
        assert_eq!((answer.status, &answer.body["unchanged"]), (200, &json!(rows)), "{answer:?}");
    }
    let seen = format!("company={bar}&order=sku");
    assert_eq!(stock.found("sales", &seen).await, ["KAW-01", "KAW-02", "KAW-03/X", "KUB-01"]);
    assert_eq!(stock.found("sales", &format!("company={bar}&q=k1")).await, ["KAW-01"]);
    assert_eq!(stock.found("sales", &format!("company={grocer}&in_stock=true")).await, ["KAW-01"]);
    for (what, sheet, code) in [
        ("stock", "sku;available\nNONE;1\n", "import.product_missing"),
        ("stock", "sku;available\nKAW-01;\n", "import.cell_missing"),
        ("product-codes", "company_reference;code;sku\nN-9;K1;KAW-01\n", "import.company_missing"),
        ("assortments", "sku;category;verdict\nKAW-01;;maybe\n", "import.cell_invalid"),
        (
            "assortments",
            "company_reference;group;verdict\nN-1;shops;denied\n",
            "import.cell_invalid",
        ),
    ] {
        let answer = import(what, sheet.to_owned()).await;
        refused(&answer, 422, "import.rows_refused");
        assert!(answer.body.to_string().contains(code), "{answer:?}");
    }
}

/// To a company, what it must not see does not exist, whichever way it asks.
#[tokio::test]
async fn what_is_hidden_shows_nowhere() {
    let stock = Stock::open().await;
    let instance = &stock.shop.instance;
    let grocer = json!({ "kind": "company", "company": stock.shop.grocer });
    let dishes = json!({ "kind": "category", "category": stock.categories["Naczynia"] });
    stock.rule("deny", grocer, dishes).await;
    let draft = json!({ "sku": "DRF-1", "name": "Niewydanium", "unit": "piece", "vat_rate": "23",
        "prices": [{ "currency": "PLN", "price": "1.00" }] });
    created(instance.post("manager", "/v1/products", &draft).await);

    // A word of it is no correction of another.
    let head = instance.settled().await;
    for q in ["kbuek", "niewydaniumm"] {
        for path in ["/v1/catalogue", "/v1/catalogue/counts"] {
            let answer = instance.get("grocer", &format!("{path}?q={q}&wait_for={head}")).await;
            assert_eq!((answer.status, &answer.body["instead"]), (200, &Value::Null), "{answer:?}");
        }
    }
    let answer = instance.get("hotel", &format!("/v1/catalogue?q=kbuek&wait_for={head}")).await;
    assert_eq!(answer.body["instead"], "kubek");
    for (hidden, visible) in [("KAW-99", "kaw 99"), ("KBU-01", "kbu")] {
        let answer = instance.get("grocer", &format!("/v1/catalogue?q={hidden}")).await;
        assert_eq!(answer.body["instead"], Value::Null, "no code is another's, as {visible}");
    }
    // It has no name and no price.
    let asked = |sku: &str| {
        let order = json!({ "currency": "PLN", "lines": [{ "sku": sku, "quantity": "1" }] });
        let path = format!("/v1/companies/{}/product-codes", stock.shop.grocer);
        let codes = json!({ "codes": [{ "code": "X", "sku": sku }] });
        [
            ("/v1/quotation-requests".to_owned(), order.clone()),
            ("/v1/orders".to_owned(), order),
            (path, codes),
        ]
    };
    for (path, nothing) in asked("NOPE") {
        let nothing = instance.post("grocer", &path, &nothing).await;
        assert_eq!(nothing.status, 422, "{nothing:?}");
        for sku in ["KUB-01", "DRF-1"] {
            for (_, hidden) in asked(sku).into_iter().filter(|(of, _)| *of == path) {
                let hidden = instance.post("grocer", &path, &hidden).await;
                assert_eq!((hidden.status, &hidden.body), (422, &nothing.body), "{path} {sku}");
            }
        }
    }
    // It stands for nothing else.
    let (coffee, tea, mug) =
        (stock.id("KAW-01").await, stock.id("HER-01").await, stock.id("KUB-01").await);
    stock.change(&coffee, "substitutes", json!({ "substitutes": [mug, tea] })).await;
    let head = instance.settled().await;
    for (role, others) in [("grocer", json!([tea])), ("hotel", json!([mug, tea]))] {
        let listed =
            instance.get(role, &format!("/v1/catalogue?q=KAW-01&wait_for={head}")).await.body;
        assert_eq!(listed["items"][0]["substitutes"], others, "{role}");
        let product = instance.get(role, &format!("/v1/products/{coffee}")).await.body;
        assert_eq!(product["substitutes"], others, "{role}");
    }
    // It does not stand in front of what is seen.
    let row = |number: u32| {
        let category = if number < 1_200 { "Naczynia" } else { "Napoje" };
        let category = &stock.categories[category];
        format!("RUR-{number};Rurka;piece;23;1,00;PLN;{category};published\n")
    };
    let header = "sku;name;unit;vat_rate;price;currency;category;status\n".to_owned();
    let sheet: String = std::iter::once(header).chain((0..1_203).map(row)).collect();
    let answer = instance.send("admin", "/v1/imports/products", "text/csv", sheet).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let head = instance.settled().await;
    for (role, seen) in [("grocer", 3), ("hotel", 50)] {
        let page = instance.get(role, &format!("/v1/catalogue?q=rurka&wait_for={head}")).await.body;
        assert_eq!(page["items"].as_array().unwrap().len(), seen, "{role}");
    }
    // What no page ever said, and what no text holds, is said to be wrong.
    let first = instance.get("hotel", "/v1/catalogue?order=name&limit=1").await.body;
    let of_another = format!("order=sku&cursor={}", first["next_cursor"].as_str().unwrap());
    let nul = "cursor=eyJvZiI6MCwibmV4dCI6eyJBZnRlciI6WyJcdTAwMDAiLDFdfX0";
    for cursor in [of_another.as_str(), nul] {
        let answer = instance.get("hotel", &format!("/v1/catalogue?{cursor}")).await;
        refused(&answer, 400, "page.cursor_invalid");
    }
    for path in ["/v1/products?sku=%00", "/v1/orders?status=%00", "/v1/events?type=%00"] {
        refused(&instance.get("admin", path).await, 400, "query.invalid");
    }
}
