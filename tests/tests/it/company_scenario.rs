//! A company scenario: a head office and two branches, with purchasers, limits, prices and
//! approvals.

use command_service::{Services, timers};
use event_log::{EventLog, LogConfig};
use futures::future::join_all;
use projections::Views;
use serde_json::{Value, json};
use service_kit::{access::Access, clock::Clock, postgres};

use crate::{
    instance::Instance,
    journeys::{Shop, accept, asked, created, done, refused, register},
};

/// A head office, Warsaw and Gdynia below it, and their people, each with a key of their own.
struct Company {
    shop: Shop,
    head: String,
    warsaw: String,
    gdynia: String,
    /// Head office: its admin, and an approver.
    anna: String,
    piotr: String,
    /// Warsaw: an approver, and a purchaser.
    marek: String,
    ewa: String,
}

impl Company {
    async fn open() -> Self {
        let mut shop = Shop::open().await;
        let instance = &mut shop.instance;
        let head = register(instance, "Hotele Bałtyk", "9999999999", 30).await;
        let warsaw = register(instance, "Hotel Warszawa", "2222222222", 7).await;
        let gdynia = register(instance, "Hotel Gdynia", "3333333333", 7).await;
        for branch in [&warsaw, &gdynia] {
            let path = format!("/v1/companies/{branch}/parent");
            done(instance.post("sales", &path, &json!({ "parent": head })).await);
        }
        let anna = instance.engage("Anna", "company_admin", Some(&head)).await;
        let piotr = instance.engage("Piotr", "approver", Some(&head)).await;
        let marek = instance.engage("Marek", "approver", Some(&warsaw)).await;
        let ewa = instance.engage("Ewa", "purchaser", Some(&warsaw)).await;
        instance.engage("Olga", "purchaser", Some(&gdynia)).await;
        instance.make_key("manager", "sales_manager", None).await;
        Self { shop, head, warsaw, gdynia, anna, piotr, marek, ewa }
    }

    fn instance(&self) -> &Instance {
        &self.shop.instance
    }

    /// Orders so many pieces of coffee at 10.00 and says what became of it.
    async fn orders(&self, who: &str, quantity: u32) -> (String, String) {
        let order = json!({ "currency": "PLN",
            "lines": [{ "sku": "COFFEE", "quantity": quantity.to_string() }] });
        let order = created(self.instance().post(who, "/v1/orders", &order).await);
        let status = self.status(&order).await;
        (order, status)
    }

    async fn status(&self, order: &str) -> String {
        let head = self.instance().settled().await;
        let order =
            self.instance().get("sales", &format!("/v1/orders/{order}?wait_for={head}")).await;
        order.body["status"].as_str().unwrap().to_owned()
    }

    async fn approve(&self, who: &str, order: &str, step: u32) -> crate::instance::Answer {
        let path = format!("/v1/orders/{order}/approve");
        self.instance().post(who, &path, &json!({ "step": step, "note": "Zgoda" })).await
    }

    /// The orders that wait for somebody.
    async fn inbox(&self, who: &str) -> Vec<String> {
        let head = self.instance().settled().await;
        let path = format!("/v1/approvals?mine=waiting&wait_for={head}");
        let waiting = self.instance().all(who, &path).await;
        waiting.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    /// What is sold to them, and at which prices.
    async fn agree_on_prices(&self) {
        // Prices: a contract of the head office, which its branches share, and a list of a group.
        for (audience, percent) in [
            (json!({ "kind": "company", "company": self.head }), "10"),
            (json!({ "kind": "group", "group": "hotels" }), "5"),
        ] {
            let list = json!({ "name": "Hotele", "audience": audience, "currency": "PLN" });
            let list =
                created(self.instance().post("manager", "/v1/price-agreements", &list).await);
            let price = json!({ "selection": { "kind": "everything" },
                "breaks": [{ "value": { "kind": "percent_off", "percent": percent } }] });
            let path = format!("/v1/price-agreements/{list}/prices");
            done(self.instance().post("manager", &path, &json!({ "prices": [price] })).await);
            let path = format!("/v1/price-agreements/{list}/activate");
            done(self.instance().post("manager", &path, &json!({})).await);
        }
        let path = format!("/v1/companies/{}/group", self.shop.hotel);
        done(self.instance().post("sales", &path, &json!({ "group": "hotels" })).await);
        // An assortment: what is for schools is not for hotels.
        let course =
            self.instance().get("admin", "/v1/products?sku=COURSE").await.body["items"][0].clone();
        let rule_out = json!({ "audience": { "kind": "company", "company": self.head },
            "selection": { "kind": "product", "product": course["id"] } });
        done(self.instance().post("manager", "/v1/assortments/deny", &rule_out).await);
    }

    async fn adopt(&self, who: &str, company: &str, rules: Value) {
        let path = format!("/v1/companies/{company}/approval-rules");
        done(self.instance().post(who, &path, &json!({ "rules": rules })).await);
    }
}

fn pln(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "PLN" })
}

fn rule(above: &str, steps: &Value) -> Value {
    json!({ "name": format!("Powyżej {above}"), "when": { "above": [pln(above)] }, "steps": steps })
}

#[tokio::test]
async fn a_company_with_two_branches_buys() {
    let mut company = Company::open().await;

    company.agree_on_prices().await;

    // Limits: Ewa orders up to 450 net at once and 900 a month without asking; the head office's
    // rule asks its own admin about anything above 5,000.
    for (per, limit) in [("order", "450.00"), ("month", "900.00")] {
        let path = format!("/v1/employees/{}/limits", company.ewa);
        let limit = json!({ "per": per, "limit": pln(limit) });
        refused(&company.instance().post("Marek", &path, &limit).await, 403, "role_not_allowed");
        refused(&company.instance().post("Anna", &path, &limit).await, 404, "not_found");
        done(company.instance().post("admin", &path, &limit).await);
    }
    let step = json!({ "by": { "kind": "role", "role": "company_admin" } });
    company.adopt("Anna", &company.head, json!([rule("5000.00", &json!([step]))])).await;

    // 50 pieces at 9.00 are within the limit, to the penny.
    let (first, status) = company.orders("Ewa", 50).await;
    assert_eq!(status, "placed");
    let shown = company.instance().get("Ewa", &format!("/v1/orders/{first}")).await.body;
    assert_eq!(
        (&shown["lines"][0]["unit_price"], &shown["placed_by"]),
        (&json!("9.00"), &json!(company.ewa))
    );
    let rule_made = &shown["lines"][0]["priced_by"];
    assert_eq!(rule_made["kind"], "rule", "the seller sees what made the price");
    let (hotel, _) = company.orders("hotel", 1).await;
    let hotel = company.instance().get("hotel", &format!("/v1/orders/{hotel}")).await.body;
    assert_eq!(hotel["lines"][0]["unit_price"], "9.50");
    let hidden = json!({ "currency": "PLN", "lines": [{ "sku": "COURSE", "quantity": "1" }] });
    refused(&company.instance().post("Ewa", "/v1/orders", &hidden).await, 422, "lines.invalid");

    // One more is not: a superior must agree, and the seller waits for that.
    let (big, status) = company.orders("Ewa", 51).await;
    assert_eq!(status, "awaiting_approval");
    let confirm = format!("/v1/orders/{big}/confirm");
    let early = company.instance().post("sales", &confirm, &json!({})).await;
    refused(&early, 409, "order.awaiting_approval");
    // Her own company's approver is asked, and those of the head office; nobody else sees it.
    for who in ["Marek", "Piotr", "Anna"] {
        assert_eq!(company.inbox(who).await, [big.as_str()], "{who}");
    }
    company.shop.instance.engage("Zofia", "approver", Some(&company.gdynia)).await;
    assert_eq!(company.inbox("Zofia").await, Vec::<String>::new());
    refused(&company.approve("Zofia", &big, 1).await, 404, "not_found");
    refused(&company.approve("Ewa", &big, 1).await, 409, "approval.own_request");
    company.shop.instance.make_key("nobody", "approver", Some(&company.warsaw)).await;
    refused(&company.approve("nobody", &big, 1).await, 403, "approval.needs_employee");
    let whole = company.instance().get("Piotr", &format!("/v1/approvals/{big}")).await.body;
    assert_eq!(whole["order"]["lines"][0]["quantity"], "51", "{whole}");
    assert_eq!(
        whole["request"]["reasons"][0],
        json!({ "kind": "limit", "per": "order", "limit": pln("450.00") })
    );
    assert_eq!(whole["request"]["reasons"][1]["per"], "month");
    done(company.approve("Piotr", &big, 1).await);
    done(company.approve("Piotr", &big, 1).await);
    assert_eq!(company.status(&big).await, "placed");
    done(company.instance().post("sales", &confirm, &json!({})).await);
    let whole = company.instance().get("Marek", &format!("/v1/approvals/{big}")).await.body;
    let decision = &whole["decisions"][0];
    assert_eq!((&decision["by"], &decision["note"]), (&json!(company.piotr), &json!("Zgoda")));
    let decided = company.instance().all("Piotr", "/v1/approvals?mine=decided").await;
    assert_eq!(decided.len(), 1);

    // The month is used up; what is refused, or cancelled, is given back.
    let (more, status) = company.orders("Ewa", 1).await;
    assert_eq!(status, "awaiting_approval");
    let path = format!("/v1/orders/{more}/refuse");
    let no = json!({ "step": 1, "reason": "Po budżecie" });
    done(company.instance().post("Marek", &path, &no).await);
    done(company.instance().post("Marek", &path, &no).await);
    assert_eq!(company.status(&more).await, "refused");
    let seen = company.instance().get("Ewa", &format!("/v1/orders/{more}")).await.body;
    assert_eq!(seen["reason"], "Po budżecie");
    done(company.instance().post("sales", &format!("/v1/orders/{big}/cancel"), &json!({})).await);
    let (_, status) = company.orders("Ewa", 49).await;
    assert_eq!(status, "placed", "450.00 and 441.00 of 900.00");

    // A rule of the head office holds in its branches, and nobody agrees to their own.
    let (huge, _) = company.orders("Olga", 600).await;
    refused(&company.approve("Piotr", &huge, 1).await, 409, "approval.not_asked");
    done(company.approve("Anna", &huge, 1).await);
    let (own, status) = company.orders("Anna", 600).await;
    assert_eq!(status, "awaiting_approval");
    refused(&company.approve("Anna", &own, 1).await, 409, "approval.own_request");
    // Unless the branch has its own.
    company.adopt("admin", &company.gdynia, json!([])).await;
    assert_eq!(company.orders("Olga", 600).await.1, "placed");
    let rules = |company: &str| format!("/v1/companies/{company}/approval-rules");
    let holding = company.instance().get("Ewa", &rules(&company.warsaw)).await.body;
    assert_eq!(holding["of"], json!(company.head));
    refused(&company.instance().get("Ewa", &rules(&company.gdynia)).await, 404, "not_found");

    // A suspended branch orders nothing, and nobody agrees to what it has ordered.
    let (late, _) = company.orders("Ewa", 60).await;
    let path = format!("/v1/companies/{}/suspend", company.warsaw);
    done(company.instance().post("accounting", &path, &json!({ "reason": "Zaległości" })).await);
    refused(&company.approve("Marek", &late, 1).await, 409, "company.suspended");
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    refused(&company.instance().post("Ewa", "/v1/orders", &order).await, 409, "company.suspended");
    created(company.instance().post("Olga", "/v1/orders", &order).await);
}

#[tokio::test]
async fn a_substitute_decides_and_time_escalates() {
    let company = Company::open().await;
    let instance = company.instance();
    // Marek first, and after two days his head office's admin too; then the admin.
    let marek = json!({ "kind": "employee", "employee": company.marek });
    let admin = json!({ "kind": "role", "role": "company_admin" });
    let escalation = json!({ "after_minutes": 2880, "to": admin });
    let steps = json!([{ "by": marek, "escalation": escalation }, { "by": admin }]);
    company.adopt("admin", &company.warsaw, json!([rule("100.00", &steps)])).await;

    // A colleague stands in while Marek is away: with his say, and no longer than that.
    let (order, status) = company.orders("Ewa", 20).await;
    assert_eq!(status, "awaiting_approval");
    assert_eq!(company.inbox("Marek").await, [order.as_str()]);
    let colleague = json!({ "name": "Jan", "email": "jan@example.pl", "role": "purchaser", "company": company.warsaw });
    let jan = created(instance.post("admin", "/v1/employees", &colleague).await);
    let absence = json!({ "substitute": jan, "from": "2020-01-01", "until": "2099-12-31" });
    let path = format!("/v1/employees/{}/substitute", company.marek);
    let foreign =
        json!({ "substitute": company.piotr, "from": "2020-01-01", "until": "2099-12-31" });
    refused(&instance.post("Marek", &path, &foreign).await, 422, "body.names_nothing");
    refused(&instance.post("Piotr", &path, &absence).await, 403, "employee.not_own");
    done(instance.post("Marek", &path, &absence).await);
    let mut company = company;
    let key = json!({ "name": "Jan", "employee": jan });
    company.shop.instance.keep_key("Jan", "admin", &key).await;
    assert_eq!(company.inbox("Jan").await, [order.as_str()]);
    refused(&company.approve("Jan", &order, 2).await, 409, "approval.step_not_reached");
    done(company.approve("Jan", &order, 1).await);
    done(company.approve("Jan", &order, 1).await);
    refused(&company.approve("Marek", &order, 1).await, 409, "approval.step_decided");
    refused(&company.approve("Jan", &order, 2).await, 409, "approval.not_asked");
    done(company.approve("Anna", &order, 2).await);
    assert_eq!(company.status(&order).await, "placed");
    let instance = company.instance();
    let whole = instance.get("Jan", &format!("/v1/approvals/{order}")).await.body;
    assert_eq!(whole["status"], "approved");
    assert_eq!(whole["decisions"][0]["by"], json!(jan));
    assert_eq!(whole["decisions"][0]["standing_in_for"], json!(company.marek));
    assert_eq!(whole["decisions"][1]["by"], json!(company.anna));
    let path = format!("/v1/employees/{}/substitute/dismiss", company.marek);
    done(instance.post("Marek", &path, &json!({})).await);

    // Nobody answers in time, so the next one is asked too.
    let (order, _) = company.orders("Ewa", 20).await;
    assert_eq!(company.inbox("Jan").await, Vec::<String>::new());
    assert_eq!(company.inbox("Anna").await, Vec::<String>::new());
    refused(&company.approve("Anna", &order, 1).await, 409, "approval.not_asked");
    let url = instance.run_file()["database_url"].as_str().unwrap().to_owned();
    let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
    let pool = |name| postgres::pool(&url, name, 2).unwrap();
    let views = Views::open(pool("test views"), log.clone()).await.unwrap();
    let access = Access::new(pool("test access"));
    let escalated = async |clock: Clock| {
        company.instance().settled_in("/v1/approvals").await;
        let (log, views, access) = (log.clone(), views.clone(), access.clone());
        timers::escalate(&Services { log, views, access, clock }).await.unwrap()
    };
    assert_eq!(escalated(Clock::system(Clock::WARSAW).unwrap()).await, 0);
    let later = || Clock::fixed("2098-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(escalated(later()).await, 1);
    assert_eq!(escalated(later()).await, 0, "it has done so already");
    assert_eq!(company.inbox("Anna").await, [order.as_str()]);
    done(company.approve("Anna", &order, 1).await);
    done(company.approve("Anna", &order, 2).await);
    assert_eq!(company.status(&order).await, "placed");

    // Marek goes for good: nothing that waits for him waits for ever.
    let (order, _) = company.orders("Ewa", 20).await;
    assert_eq!(company.inbox("Anna").await, Vec::<String>::new());
    let path = format!("/v1/employees/{}/leave", company.marek);
    done(company.instance().post("admin", &path, &json!({})).await);
    assert_eq!(company.inbox("Jan").await, Vec::<String>::new());
    assert_eq!(company.inbox("Anna").await, [order.as_str()]);
    refused(&company.approve("Piotr", &order, 1).await, 409, "approval.not_asked");
    done(company.approve("Anna", &order, 1).await);
}

/// Ten orders of 10.00 at once under a limit of 50.00 a day: five go through, five ask.
#[tokio::test]
async fn a_limit_holds_however_many_order_at_once() {
    let company = Company::open().await;
    let path = format!("/v1/employees/{}/limits", company.ewa);
    let limit = json!({ "per": "day", "limit": pln("50.00") });
    done(company.instance().post("admin", &path, &limit).await);
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "1" }] });
    let answers = join_all((0..10).map(async |number| {
        let instance = company.instance();
        let key = format!("order {number}");
        loop {
            let answer = instance.post_with_key("Ewa", "/v1/orders", &key, &order).await;
            // Others were faster too often: the key makes asking again safe.
            if answer.body["code"] != "conflict" {
                return created(answer);
            }
        }
    }));
    let orders = answers.await;
    company.instance().settled().await;
    let mut statuses = Vec::new();
    for order in &orders {
        statuses.push(company.status(order).await);
    }
    let placed = statuses.iter().filter(|status| *status == "placed").count();
    assert_eq!((placed, statuses.len()), (5, 10), "{statuses:?}");
    // An offer that Ewa accepts is her order too.
    let offer = json!({ "company": company.warsaw, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "1" }] });
    let offer = created(company.instance().post("sales", "/v1/offers", &offer).await);
    done(company.instance().post("sales", &format!("/v1/offers/{offer}/send"), &json!({})).await);
    done(accept(company.instance(), "Ewa", &offer).await);
    company.instance().settled().await;
    let orders = company.instance().all("Ewa", "/v1/orders?status=awaiting_approval").await;
    assert_eq!(orders.len(), 6);
    assert_eq!(orders[0]["source"], json!({ "kind": "offer", "offer": offer, "revision": 1 }));
    assert_eq!(orders[0]["placed_by"], json!(company.ewa));
}

/// Goods go to where, and are paid by whom, somebody may order for.
#[tokio::test]
async fn an_employee_orders_for_what_was_named() {
    let company = Company::open().await;
    let instance = company.instance();
    let id = "00000000-0000-7000-8000-00000000add1";
    let address = json!({ "id": id, "label": "Kuchnia", "address": {
        "street": "Długa 1", "postal_code": "00-001", "city": "Warszawa", "country": "PL" } });
    let path = format!("/v1/companies/{}/delivery-addresses", company.head);
    done(instance.post("admin", &path, &address).await);
    let scope = json!({ "addresses": [id], "cost_centres": ["Kuchnia"] });
    let path = format!("/v1/employees/{}/scope", company.ewa);
    done(instance.post("admin", &path, &scope).await);
    let order = |destination: Value| {
        json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }],
            "destination": destination })
    };
    let to = |cost_centre: &str| json!({ "address": id, "cost_centre": cost_centre });
    for destination in [json!({}), to("Bar"), json!({ "cost_centre": "Kuchnia" })] {
        let answer = instance.post("Ewa", "/v1/orders", &order(destination)).await;
        refused(&answer, 409, "employee.outside_scope");
    }
    let nowhere = json!({ "address": "00000000-0000-7000-8000-000000000bad" });
    let answer = instance.post("Olga", "/v1/orders", &order(nowhere)).await;
    refused(&answer, 422, "body.names_nothing");
    let placed = created(instance.post("Ewa", "/v1/orders", &order(to("Kuchnia"))).await);
    assert_eq!(company.status(&placed).await, "placed");
    // A cost centre can be watched.
    let watch = json!([{ "name": "Kuchnia", "when": { "cost_centres": ["Kuchnia"] },
        "steps": [{ "by": { "kind": "role", "role": "approver" } }] }]);
    company.adopt("admin", &company.warsaw, watch).await;
    let watched = created(instance.post("Ewa", "/v1/orders", &order(to("Kuchnia"))).await);
    assert_eq!(company.status(&watched).await, "awaiting_approval");
    let foreign = json!([{ "name": "Obca", "steps": [
        { "by": { "kind": "employee", "employee": company.marek } }] }]);
    let path = format!("/v1/companies/{}/approval-rules", company.gdynia);
    let answer = instance.post("admin", &path, &json!({ "rules": foreign })).await;
    refused(&answer, 422, "body.names_nothing");
}

/// Who leaves orders nothing and sees nothing; who is promoted decides.
#[tokio::test]
async fn keys_follow_their_employees() {
    let company = Company::open().await;
    let instance = company.instance();
    // A company's admin makes keys for its own people alone.
    let key = |employee: &str| json!({ "name": "another", "employee": employee });
    refused(&instance.post("Anna", "/v1/api-keys", &key(&company.ewa)).await, 404, "not_found");
    assert_eq!(instance.post("Anna", "/v1/api-keys", &key(&company.piotr)).await.status, 201);
    let nobodys = json!({ "name": "x", "role": "purchaser" });
    refused(&instance.post("Anna", "/v1/api-keys", &nobodys).await, 403, "api_key.needs_employee");
    let keys = instance.get("Anna", "/v1/api-keys").await.body;
    assert_eq!(keys.as_array().unwrap().len(), 3, "Anna's and two of Piotr's");
    let of_ewa = instance.get("admin", "/v1/api-keys").await.body;
    let of_ewa =
        of_ewa.as_array().unwrap().iter().find(|key| key["employee"] == json!(company.ewa));
    let of_ewa = of_ewa.unwrap()["id"].as_str().unwrap();
    assert_eq!(instance.knock("Anna", "delete", &format!("/v1/api-keys/{of_ewa}")).await, 404);

    let path = |what: &str| format!("/v1/employees/{}/{what}", company.ewa);
    done(instance.post("admin", &path("role"), &json!({ "role": "approver" })).await);
    instance.settled().await;
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    refused(&instance.post("Ewa", "/v1/orders", &order).await, 403, "role_not_allowed");
    done(instance.post("admin", &path("role"), &json!({ "role": "purchaser" })).await);
    instance.settled().await;
    let placed = instance.post("Ewa", "/v1/orders", &order).await;
    let history = instance.get("auditor", &format!("/v1/history/{}", created(placed))).await.body;
    assert_eq!(history["items"][0]["actor"], format!("employee:{}", company.ewa), "{history}");
    done(instance.post("admin", &path("leave"), &json!({})).await);
    instance.settled().await;
    assert_eq!(instance.knock("Ewa", "get", "/v1/orders").await, 401);
    refused(
        &instance.post("admin", &path("role"), &json!({ "role": "approver" })).await,
        409,
        "employee.left",
    );
}

/// A salesman gives up to five percent; beyond that his manager agrees, within her own limit.
#[tokio::test]
async fn a_large_discount_needs_the_managers_word() {
    let mut shop = Shop::open().await;
    let karol = shop.instance.engage("Karol", "sales", None).await;
    let hanna = shop.instance.engage("Hanna", "sales_manager", None).await;
    let instance = &shop.instance;
    let up_to = |percent: &str| json!({ "limit": { "kind": "up_to", "percent": percent } });
    for (who, percent) in [(&karol, "5"), (&hanna, "20")] {
        let path = format!("/v1/employees/{who}/discount-limit");
        done(instance.post("admin", &path, &up_to(percent)).await);
    }
    let draft = |price: &str| {
        json!({
            "company": shop.grocer, "currency": "PLN", "valid_until": "2099-12-31",
            "lines": [{ "sku": "RICE", "quantity": "1" },
                { "sku": "COFFEE", "quantity": "10", "unit_price": price }],
        })
    };
    let send = async |offer: &str| {
        done(instance.post("Karol", &format!("/v1/offers/{offer}/send"), &json!({})).await);
        let head = instance.settled().await;
        let shown = instance.get("sales", &format!("/v1/offers/{offer}?wait_for={head}")).await;
        shown.body["status"].as_str().unwrap().to_owned()
    };
    let small = created(instance.post("Karol", "/v1/offers", &draft("9.50")).await);
    assert_eq!(send(&small).await, "open");
    let large = created(instance.post("Karol", "/v1/offers", &draft("9.4999")).await);
    assert_eq!(send(&large).await, "awaiting_approval");
    assert_eq!(instance.get("grocer", &format!("/v1/offers/{large}")).await.status, 404);
    let waiting = instance.all("Hanna", "/v1/approvals?mine=waiting").await;
    assert_eq!(waiting[0]["id"], json!(large));
    assert_eq!(waiting[0]["request"]["discount"], "5.01", "rounded up: never just within");
    refused(
        &instance.get("grocer", "/v1/approvals?mine=waiting").await,
        422,
        "approval.needs_employee",
    );
    let path = |what: &str| format!("/v1/offers/{large}/{what}");
    let unseen = json!({ "revision": 1, "digest": "0".repeat(64) });
    refused(&instance.post("grocer", &path("accept"), &unseen).await, 404, "not_found");
    let read = asked(instance, "Hanna", &large).await;
    let mut no = read.clone();
    no["reason"] = json!("Za nisko");
    done(instance.post("Hanna", &path("disapprove"), &no).await);
    // What is asked anew she must read anew.
    done(instance.post("Karol", &path("draft"), &draft("1.00")).await);
    assert_eq!(send(&large).await, "awaiting_approval");
    refused(&instance.post("Hanna", &path("approve"), &read).await, 409, "approval.other_request");
    let unread = instance.post("Hanna", &path("approve"), &json!({ "step": 1 })).await;
    assert_eq!(unread.body["errors"][0]["pointer"], "/asked_at", "{unread:?}");
    done(instance.post("Karol", &path("draft"), &draft("9.4999")).await);
    assert_eq!(send(&large).await, "awaiting_approval");
    let read = asked(instance, "Hanna", &large).await;
    done(instance.post("Hanna", &path("approve"), &read).await);
    assert_eq!(send(&large).await, "open");
    // Without an offer nobody could agree.
    let order = |price: &str| {
        json!({ "company": shop.grocer, "currency": "PLN",
            "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": price }] })
    };
    refused(
        &instance.post("Karol", "/v1/orders", &order("9.4999")).await,
        409,
        "order.needs_offer",
    );
    created(instance.post("Karol", "/v1/orders", &order("9.50")).await);
    created(instance.post("admin", "/v1/orders", &order("7.00")).await);
    // Beyond her own limit she must not; the seller's rules can ask somebody else.
    let rules = json!({ "rules": [{ "name": "Ponad 20 %", "when": { "discount_above": "20" },
        "steps": [{ "by": { "kind": "role", "role": "admin" } }] }] });
    done(instance.post("admin", "/v1/approval-rules", &rules).await);
    instance.settled().await;
    assert_eq!(instance.get("sales", "/v1/approval-rules").await.body["rules"], rules["rules"]);
    refused(&instance.post("admin", "/v1/orders", &order("7.00")).await, 409, "order.needs_offer");
    let given_away = created(instance.post("Karol", "/v1/offers", &draft("7.00")).await);
    assert_eq!(send(&given_away).await, "awaiting_approval");
    let answer = asked(instance, "Hanna", &given_away).await;
    let approve = format!("/v1/offers/{given_away}/approve");
    refused(&instance.post("Hanna", &approve, &answer).await, 409, "approval.not_asked");
    done(instance.post("Karol", &format!("/v1/offers/{given_away}/withdraw"), &json!({})).await);
    let head = instance.settled().await;
    let approval =
        instance.get("sales", &format!("/v1/approvals/{given_away}?wait_for={head}")).await;
    assert_eq!(approval.body["status"], "void");
}
