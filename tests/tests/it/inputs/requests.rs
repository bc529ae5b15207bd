//! For every POST route with a JSON body a request that is accepted, around which values are
//! changed.

mod fulfilment;
mod inventory;
mod sales;

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::{
    instance::{Instance, eventually},
    journeys::{asked, created, done, stamp, today},
    sales::negotiations::Table,
};

/// A request that is accepted as it stands.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) role: &'static str,
    pub(super) path: String,
    pub(super) body: Value,
}

/// Two companies, the seller's people, and what requests are about.
pub(super) struct Requests {
    pub(super) table: Table,
    category: String,
    employee: String,
    salesman: String,
    address: String,
    numbered: AtomicU32,
}

/// Routes that change what holds for everybody: they come after all the others.
pub(super) const FOR_ALL: [&str; 7] = [
    "/v1/assortments/allow",
    "/v1/assortments/deny",
    "/v1/assortments/lift",
    "/v1/approval-rules",
    "/v1/discounts/end",
    "/v1/discounts/offer",
    "/v1/territories",
];

fn pln(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "PLN" })
}

fn rules() -> Value {
    json!({ "rules": [{ "name": "Powyżej 900", "when": { "above": [pln("900.00")] },
        "steps": [{ "by": { "kind": "role", "role": "company_admin" } }] }] })
}

impl Requests {
    pub(super) async fn prepare() -> Self {
        let mut table = Table::laid().await;
        let grocer = table.shop.grocer.clone();
        let employee = table.shop.instance.engage("Olga", "purchaser", Some(&grocer)).await;
        let salesman = table.shop.instance.engage("Karol", "sales", None).await;
        let address = uuid::Uuid::now_v7().to_string();
        let instance = table.instance();
        let title = json!({ "title": { "name": "Napoje" } });
        let category = created(instance.post("admin", "/v1/categories", &title).await);
        let place = json!({ "id": address, "label": "Rampa", "address": place() });
        let path = format!("/v1/companies/{grocer}/delivery-addresses");
        done(instance.post("admin", &path, &place).await);
        Self { table, category, employee, salesman, address, numbered: AtomicU32::new(1) }
    }

    pub(super) fn instance(&self) -> &Instance {
        self.table.instance()
    }

    /// Ids of things that are there, by what the names of fields hold.
    pub(super) fn ids(&self) -> Vec<(&'static str, String)> {
        let shop = &self.table.shop;
        vec![
            ("company", shop.grocer.clone()),
            ("parent", self.category.clone()),
            ("categor", self.category.clone()),
            ("representative", self.salesman.clone()),
            ("everywhere", self.salesman.clone()),
            ("employee", self.employee.clone()),
            ("placed_by", self.employee.clone()),
            ("address", self.address.clone()),
            ("request", self.table.request.clone()),
            ("offer", self.table.offer.clone()),
        ]
    }

    /// A number that no other thing of this test has.
    fn next(&self) -> u32 {
        self.numbered.fetch_add(1, Ordering::Relaxed)
    }

    /// The request for a route; none where it has none yet.
    pub(super) async fn of(&self, route: &str) -> Option<Request> {
        let segments: Vec<&str> = route.trim_start_matches("/v1/").split('/').collect();
        let request = match segments[0] {
            "companies" => self.of_company(&segments).await?,
            "products" => self.of_product(&segments).await?,
            "employees" => self.of_employee(&segments).await?,
            "conversations" => self.of_conversation(&segments).await?,
            "offers" => self.of_offer(&segments).await?,
            "negotiations" => self.of_negotiation(&segments).await?,
            "orders" | "shipments" => self.of_order(&segments).await?,
            "pick-lists" => self.of_pick_list(&segments[1..]).await?,
            "quotation-requests" => self.of_quotation_request(&segments).await?,
            "carts" => self.of_cart(&segments).await?,
            "order-lists" => self.of_order_list(&segments).await?,
            "price-agreements" => self.of_price_agreement(&segments).await?,
            "standing-orders" => self.of_standing_order(&segments).await?,
            "payments" | "credit-notes" => self.of_money(&segments).await?,
            "returns" => self.of_goods_return(&segments).await?,
            "stock" | "warehouses" => self.of_inventory(&segments).await?,
            _ => self.of_other(&segments).await?,
        };
        let (role, id, body) = request;
        let path = route.replace("{id}", &id);
        Some(Request { role, path, body })
    }

    async fn of_company(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let body = match segments[1..] {
            [] => return Some(("admin", String::new(), self.company_body())),
            ["{id}", "approval-rules"] => rules(),
            ["{id}", "bank-accounts"] => account(),
            ["{id}", "bank-accounts", "check" | "drop"] => {
                let company = self.company_with("bank-accounts", &account()).await;
                return Some(("admin", company, account()));
            }
            ["{id}", "billing-address"] => json!({ "address": place() }),
            ["{id}", "credit-grace"] => json!({ "days": 7 }),
            ["{id}", "credit-grace", "lift"] => {
                let grace = json!({ "days": 7 });
                return Some(("admin", self.company_with("credit-grace", &grace).await, json!({})));
            }
            ["{id}", "credit-limit"] => json!({ "limit": pln("5000.00") }),
            ["{id}", "credit-limit" | "minimum-order", "lift"] => json!({ "currency": "PLN" }),
            ["{id}", "delivery-addresses"] => {
                json!({ "id": uuid::Uuid::now_v7(), "label": "Rampa", "address": place() })
            }
            ["{id}", "delivery-addresses", "drop"] => {
                let id = uuid::Uuid::now_v7();
                let there = json!({ "id": id, "label": "Rampa", "address": place() });
                let company = self.company_with("delivery-addresses", &there).await;
                return Some(("admin", company, json!({ "id": id })));
            }
            ["{id}", "group"] => json!({ "group": "hotels" }),
            ["{id}", "minimum-order"] => json!({ "minimum": pln("100.00") }),
            ["{id}", "prepayment" | "verify"] | ["{id}", "prepayment", "waive"] => json!({}),
            ["{id}", "parent"] => json!({ "parent": self.table.shop.hotel }),
            ["{id}", "payment-term"] => json!({ "payment_term": { "kind": "net", "days": 30,
                "early": { "days": 7, "discount": "2" } } }),
            ["{id}", "payment-term" | "approval-rules", "inherit"] => {
                let below = json!({ "parent": self.table.shop.hotel });
                return Some(("admin", self.company_with("parent", &below).await, json!({})));
            }
            ["{id}", "product-codes"] => json!({ "codes": [{ "code": "K-1", "sku": "RICE" }] }),
            ["{id}", "product-codes", "drop"] => {
                let codes = json!({ "codes": [{ "code": "K-1", "sku": "RICE" }] });
                let company = self.company_with("product-codes", &codes).await;
                return Some(("admin", company, json!({ "codes": ["K-1"] })));
            }
            ["{id}", "reinstate"] => {
                let why = json!({ "reason": "Zaległości" });
                return Some(("admin", self.company_with("suspend", &why).await, json!({})));
            }
            ["{id}", "rename"] => json!({ "name": "Nowa nazwa" }),
            ["{id}", "suspend"] => json!({ "reason": "Zaległości" }),
            ["{id}", "vat-number"] => json!({ "vat_number": "PL5260250274" }),
            _ => return None,
        };
        Some(("admin", self.company().await, body))
    }

    async fn of_product(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let other = || async { self.product().await };
        let body = match segments[1..] {
            [] => return Some(("admin", String::new(), self.product_body())),
            ["{id}", "categories"] => json!({ "categories": [self.category] }),
            ["{id}", "character"] => json!({ "brand": "Kontor", "family": "F-1", "attributes": {
                "colour": { "kind": "text", "value": "niebieski" },
                "weight": { "kind": "number", "value": "1.5", "unit": "kg" } } }),
            ["{id}", "classification"] => {
                json!({ "annex_15": true, "cn": "09011100", "pkwiu": "10.83" })
            }
            ["{id}", "floor"] => json!({ "currency": "PLN", "price": "1.00" }),
            ["{id}", "images"] => json!({ "images": ["https://example.pl/a.png"] }),
            ["{id}", "packing"] => json!({ "minimum": "2", "multiple": "2",
                "packagings": [{ "name": "carton", "holds": "12", "gtin": "5901234123457" }] }),
            ["{id}", "parts"] => {
                json!({ "parts": [{ "product": other().await, "quantity": "2" }] })
            }
            ["{id}", "price"] => json!({ "currency": "PLN", "price": "12.50" }),
            ["{id}", "publish"] => {
                let body = self.product_body();
                let id = created(self.instance().post("admin", "/v1/products", &body).await);
                return Some(("admin", id, json!({})));
            }
            ["{id}", "return-term"] => json!({ "days": 30 }),
            ["{id}", "rename"] => {
                json!({ "name": "Inna nazwa", "translations": { "en": "Other" } })
            }
            ["{id}", "substitutes"] => json!({ "substitutes": [other().await] }),
            ["{id}", "texts"] => json!({ "texts": { "pl": "Opis" } }),
            ["{id}", "vat-rate"] => json!({ "vat_rate": "8", "from": "2027-01-01" }),
            ["{id}", "withdraw"] => json!({ "successor": other().await }),
            _ => return None,
        };
        Some(("admin", self.product().await, body))
    }

    async fn of_employee(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let grocer = &self.table.shop.grocer;
        let body = match segments[1..] {
            [] => {
                let body = json!({ "company": grocer, "name": "Jan Nowak", "role": "purchaser",
                    "email": format!("jan{}@example.pl", self.next()) });
                return Some(("admin", String::new(), body));
            }
            ["{id}", "discount-limit"] => {
                let limit = json!({ "limit": { "kind": "up_to", "percent": "5" } });
                return Some(("admin", self.employee(None, "sales").await, limit));
            }
            ["{id}", "leave"] | ["{id}", "substitute", "dismiss"] => json!({}),
            ["{id}", "limits"] => json!({ "per": "day", "limit": pln("500.00") }),
            ["{id}", "limits", "lift"] => json!({ "per": "day", "currency": "PLN" }),
            ["{id}", "profile"] => json!({ "name": "Ewa Nowak",
                "email": format!("ewa{}@example.pl", self.next()) }),
            ["{id}", "role"] => json!({ "role": "approver" }),
            ["{id}", "scope"] => json!({ "addresses": [self.address], "cost_centres": ["MPK-1"] }),
            ["{id}", "substitute"] => json!({ "from": "2026-12-01", "until": "2099-12-24",
                "substitute": self.employee }),
            _ => return None,
        };
        Some(("admin", self.employee(Some(grocer), "purchaser").await, body))
    }

    async fn of_conversation(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let [subject, "{id}", what] = segments[1..] else { return None };
        let id = match subject {
            "invoices" => self.invoice().await["id"].as_str().unwrap().to_owned(),
            "negotiations" => self.negotiation(false).await,
            "offers" => self.table.shop.sent_offer().await,
            "orders" => self.order().await,
            "returns" => self.goods_return(&self.return_body("return").await).await,
            _ => return None,
        };
        let message = json!({ "text": "Dzień dobry", "attachments": [{ "name": "plan.pdf",
            "url": "https://example.pl/plan.pdf", "media_type": "application/pdf", "size": 1000,
            "sha256": "0".repeat(64) }] });
        if what == "read" {
            let path = format!("/v1/conversations/{subject}/{id}/messages");
            let sent = self.instance().post("Ewa", &path, &message).await;
            assert!(sent.status < 300, "{sent:?}");
            return Some(("admin", id, json!({ "up_to": 1 })));
        }
        Some(("admin", id, message))
    }

    async fn of_offer(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let shop = &self.table.shop;
        let (role, body) = match segments[1..] {
            [] => return Some(("admin", String::new(), self.offer_body())),
            ["{id}", "draft"] => {
                let body = self.offer_body();
                let id = created(self.instance().post("admin", "/v1/offers", &body).await);
                return Some(("admin", id, body));
            }
            ["{id}", "send"] => {
                let body = self.offer_body();
                let id = created(self.instance().post("admin", "/v1/offers", &body).await);
                return Some(("admin", id, json!({})));
            }
            ["{id}", "accept"] => {
                let offer = shop.sent_offer().await;
                let mut body = stamp(self.instance(), &offer).await;
                body["destination"] = json!({ "address": self.address, "cost_centre": "MPK-1" });
                return Some(("Ewa", offer, body));
            }
            ["{id}", "approve" | "disapprove"] => {
                let (offer, mut body) = self.offer_to_approve().await;
                if segments[2] == "disapprove" {
                    body["reason"] = json!("Za tanio");
                } else {
                    body["note"] = json!("Zgoda");
                }
                return Some(("Maria", offer, body));
            }
            ["{id}", "contract"] => {
                let offer = shop.sent_offer().await;
                let stamp = stamp(self.instance(), &offer).await;
                let path = format!("/v1/offers/{offer}/accept");
                done(self.instance().post("grocer", &path, &stamp).await);
                let body =
                    json!({ "name": "Kontrakt", "from": "2099-01-01", "until": "2099-12-31" });
                return Some(("admin", offer, body));
            }
            ["{id}", "extend"] => ("admin", json!({ "valid_until": "2099-12-31" })),
            ["{id}", "negotiate"] => ("Ewa", json!({ "revision": 1, "say": saying() })),
            ["{id}", "reject"] => ("Ewa", json!({ "reason": "Za drogo" })),
            ["{id}", "view"] => ("Ewa", json!({ "revision": 1 })),
            ["{id}", "withdraw"] => ("admin", json!({ "reason": "Pomyłka" })),
            _ => return None,
        };
        Some((role, shop.sent_offer().await, body))
    }

    async fn of_negotiation(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let ["{id}", what] = segments[1..] else { return None };
        if matches!(what, "approve" | "disapprove") {
            let offer = self.table.shop.sent_offer().await;
            let say = json!({ "revision": 1, "say": { "lines": [
                { "line": 1, "quantity": "100", "unit_price": "8.90" }] } });
            let path = format!("/v1/offers/{offer}/negotiate");
            let negotiation = created(self.instance().post("Ewa", &path, &say).await);
            let mut body = asked(self.instance(), "Anna", &negotiation).await;
            if what == "disapprove" {
                body["reason"] = json!("Za dużo");
            } else {
                body["note"] = json!("Zgoda");
            }
            return Some(("Anna", negotiation, body));
        }
        let negotiation = self.negotiation(what != "propose").await;
        let body = match what {
            "agree" => json!({ "round": 2, "message": "Zgoda" }),
            "break-off" => json!({ "reason": "Za drogo" }),
            "propose" => json!({ "round": 2, "say": saying() }),
            "reopen" => {
                let path = format!("/v1/negotiations/{negotiation}/propose");
                let say = json!({ "round": 2, "say": { "agree_to_conditions": true,
                    "lines": [{ "line": 1, "unit_price": "8.95" }] } });
                done(self.instance().post("admin", &path, &say).await);
                json!({ "conditions": true })
            }
            "resume" => {
                let path = format!("/v1/negotiations/{negotiation}/break-off");
                done(self.instance().post("Ewa", &path, &json!({})).await);
                json!({})
            }
            _ => return None,
        };
        Some(("admin", negotiation, body))
    }

    async fn of_order(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let today = today();
        Some(match segments {
            ["orders"] => {
                let body = json!({ "company": self.table.shop.grocer, "currency": "PLN",
                    "lines": [{ "sku": "RICE", "quantity": "10", "unit_price": "2.00" }],
                    "destination": { "address": self.address, "cost_centre": "MPK-1" },
                    "placed_on": today, "reference": format!("Z-{}", self.next()),
                    "payment_term": { "kind": "net", "days": 14 }, "wished_on": "2099-12-31",
                    "note": "Proszę o awizację", "confirm_repeated_reference": true });
                ("admin", String::new(), body)
            }
            ["orders", "{id}", "cancel"] => {
                ("admin", self.order().await, json!({ "reason": "Pomyłka" }))
            }
            ["orders", "{id}", "promise"] => {
                let lines = json!([{ "sku": "RICE", "quantity": "10" }]);
                let order = self.table.shop.confirmed_order(lines).await;
                ("admin", order, json!({ "available_on": "2099-01-01", "transit_days": 2 }))
            }
            ["orders", "{id}", "confirm"] => {
                let body = json!({ "warehouse": self.warehouse().await, "priority": 3 });
                ("admin", self.order().await, body)
            }
            ["orders", "{id}", "release-credit-hold" | "refuse-credit-hold"] => {
                let limit = json!({ "limit": pln("0.00") });
                let company = self.company_with("credit-limit", &limit).await;
                let order = json!({ "company": company, "currency": "PLN",
                    "lines": [{ "sku": "RICE", "quantity": "10" }] });
                let order = created(self.instance().post("admin", "/v1/orders", &order).await);
                ("admin", order, json!({ "reason": "Uzgodnione" }))
            }
            ["orders", "{id}", what @ ("approve" | "refuse")] => {
                let order = json!({ "currency": "PLN",
                    "lines": [{ "sku": "COFFEE", "quantity": "60" }] });
                let order = created(self.instance().post("Ewa", "/v1/orders", &order).await);
                let mut body = asked(self.instance(), "Anna", &order).await;
                let said = if *what == "approve" { "note" } else { "reason" };
                body[said] = json!("Rozumiem");
                ("Anna", order, body)
            }
            ["shipments"] => {
                let lines = json!([{ "sku": "RICE", "quantity": "10" },
                    { "sku": "COFFEE", "quantity": "10" }]);
                let order = self.table.shop.confirmed_order(lines).await;
                let body = json!({ "order": order, "courier": "DPD", "tracking": "000123",
                    "dispatched_on": today,
                    "items": [{ "line": 1, "quantity": "4" }] });
                ("admin", String::new(), body)
            }
            ["shipments", rest @ ..] => return self.of_shipment(rest).await,
            _ => return None,
        })
    }

    async fn of_price_agreement(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let header = json!({ "name": "Cennik", "currency": "PLN", "from": "2099-01-01",
            "until": "2099-12-31", "audience": { "kind": "company", "company": self.company().await } });
        if segments.len() == 1 {
            return Some(("admin", String::new(), header));
        }
        let id = created(self.instance().post("admin", "/v1/price-agreements", &header).await);
        let product = self.product().await;
        let price = json!({ "selection": { "kind": "product", "product": product },
            "days": { "from": "2099-02-01", "until": "2099-11-30" },
            "breaks": [{ "value": { "kind": "fixed", "price": "9.00" } },
                { "at_least": "10", "value": { "kind": "fixed", "price": "8.00" } }] });
        let act = async |what: &str, body: &Value| {
            let path = format!("/v1/price-agreements/{id}/{what}");
            done(self.instance().post("admin", &path, body).await);
        };
        let body = match segments[1..] {
            ["{id}", "activate"] => json!({}),
            ["{id}", "end"] => {
                act("activate", &json!({})).await;
                json!({})
            }
            ["{id}", "shorten"] => {
                act("activate", &json!({})).await;
                json!({ "until": "2099-06-30" })
            }
            ["{id}", "prices"] => json!({ "prices": [price] }),
            ["{id}", "prices", "withdraw"] => {
                let selection = price["selection"].clone();
                act("prices", &json!({ "prices": [price] })).await;
                json!({ "selection": selection })
            }
            _ => return None,
        };
        Some(("admin", id, body))
    }

    async fn of_money(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let today = today();
        let grocer = &self.table.shop.grocer;
        Some(match segments {
            ["payments"] => {
                let body = json!({ "company": grocer, "amount": pln("10.00"), "method": "transfer",
                    "booked_on": today, "title": "FV" });
                ("admin", String::new(), body)
            }
            ["payments", "{id}", "allocate"] => {
                let body =
                    json!({ "company": grocer, "method": "transfer", "amount": pln("0.05") });
                let id = created(self.instance().post("admin", "/v1/payments", &body).await);
                let invoice = self.invoice().await;
                ("admin", id, json!({ "invoice": invoice["id"], "amount": pln("0.01") }))
            }
            ["credit-notes"] => {
                let invoice = self.invoice().await;
                let body = json!({ "company": grocer, "corrects": invoice["id"], "currency": "PLN",
                    "issued_on": today, "reason": "Zwrot",
                    "lines": [{ "sku": "RICE", "quantity": "4", "unit_price": "2.00" }] });
                ("admin", String::new(), body)
            }
            _ => return None,
        })
    }

    async fn of_other(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let company = async || json!({ "kind": "company", "company": self.company().await });
        let rule = async || {
            json!({ "audience": company().await,
                "selection": { "kind": "product", "product": self.product().await } })
        };
        let template = json!({ "name": "Szablon", "currency": "PLN", "valid_days": 14,
            "message": "Dzień dobry", "lines": [{ "sku": "RICE", "quantity": "10" }] });
        let title = json!({ "title": { "name": format!("Dział {}", self.next()),
            "translations": { "en": "Department" } } });
        let category =
            async || created(self.instance().post("admin", "/v1/categories", &title).await);
        let (id, body) = match segments {
            ["api-keys"] => (String::new(), json!({ "name": "erp", "role": "integrator" })),
            ["approval-rules"] => {
                let rules = json!({ "rules": [{ "name": "Ponad 90 %",
                    "when": { "discount_above": "90" },
                    "steps": [{ "by": { "kind": "role", "role": "admin" } }] }] });
                (String::new(), rules)
            }
            ["assortments", _] => (String::new(), rule().await),
            ["categories"] => (String::new(), title),
            ["categories", "{id}", "rename"] => (category().await, title),
            ["categories", "{id}", "move"] => {
                (category().await, json!({ "parent": self.category }))
            }
            ["categories", "{id}", "close"] => (category().await, json!({})),
            ["discounts", "offer"] => {
                (String::new(), json!({ "audience": company().await, "programme": programme() }))
            }
            ["discounts", "end"] => {
                let audience = company().await;
                let offered = json!({ "audience": audience, "programme": programme() });
                done(self.instance().post("admin", "/v1/discounts/offer", &offered).await);
                (String::new(), json!({ "audience": audience, "kind": "turnover" }))
            }
            ["offer-templates"] => (String::new(), template),
            ["offer-templates", "{id}", "keep"] => {
                let id = self.instance().post("admin", "/v1/offer-templates", &template).await;
                (created(id), template)
            }
            ["offer-templates", "{id}", "drop"] => {
                let id = self.instance().post("admin", "/v1/offer-templates", &template).await;
                (created(id), json!({}))
            }
            ["policies", "refusals", "{id}", "retry"] => (uuid::Uuid::nil().to_string(), json!({})),
            ["territories"] => {
                let territory = json!({ "name": "Północ", "postal_codes": ["80-0"],
                    "countries": ["PL"], "groups": ["hotels"], "companies": [self.table.shop.hotel],
                    "representatives": [self.salesman] });
                let body = json!({ "territories": [territory], "everywhere": [self.salesman] });
                (String::new(), body)
            }
            _ => return None,
        };
        Some(("admin", id, body))
    }

    fn company_body(&self) -> Value {
        let number = self.next();
        json!({ "name": "Piekarnia", "reference": format!("P-{number}"),
            "tax_id": { "kind": "foreign", "country": "NO", "number": format!("NO{number}") },
            "payment_term": { "kind": "net", "days": 7 } })
    }

    async fn company(&self) -> String {
        created(self.instance().post("admin", "/v1/companies", &self.company_body()).await)
    }

    /// A company of which something was said before.
    async fn company_with(&self, what: &str, body: &Value) -> String {
        let company = self.company().await;
        let path = format!("/v1/companies/{company}/{what}");
        done(self.instance().post("admin", &path, body).await);
        company
    }

    fn product_body(&self) -> Value {
        json!({ "sku": format!("P-{}", self.next()), "name": "Herbata", "unit": "piece",
            "vat_rate": "23", "prices": [{ "currency": "PLN", "price": "10.00" }] })
    }

    async fn product(&self) -> String {
        let id = created(self.instance().post("admin", "/v1/products", &self.product_body()).await);
        done(
            self.instance().post("admin", &format!("/v1/products/{id}/publish"), &json!({})).await,
        );
        id
    }

    async fn employee(&self, company: Option<&str>, role: &str) -> String {
        let body = json!({ "company": company, "name": "Jan Nowak", "role": role,
            "email": format!("nowak{}@example.pl", self.next()) });
        created(self.instance().post("admin", "/v1/employees", &body).await)
    }

    fn offer_body(&self) -> Value {
        json!({ "company": self.table.shop.grocer, "currency": "PLN", "valid_until": "2099-12-31",
            "divisible": true, "discount": "1", "message": "Dzień dobry", "note": "Do 8.80",
            "delivery_terms": { "incoterm": "DAP", "place": "Gdynia" },
            "payment_term": { "kind": "net", "days": 14 },
            "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": "9.00",
                "unit_cost": "7.00", "discount": "1", "at_most": "100", "deliver_on": "2099-12-01",
                "breaks": [{ "at_least": "50", "unit_price": "8.50" }] }] })
    }

    /// An offer that waits for the sales manager, and what names the step.
    async fn offer_to_approve(&self) -> (String, Value) {
        let instance = self.instance();
        let body = json!({ "company": self.table.shop.grocer, "currency": "PLN",
            "valid_until": "2099-12-31",
            "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": "9.00" }] });
        let offer = created(instance.post("Tomasz", "/v1/offers", &body).await);
        done(instance.post("Tomasz", &format!("/v1/offers/{offer}/send"), &json!({})).await);
        let step = asked(instance, "Maria", &offer).await;
        (offer, step)
    }

    /// A negotiation in which it is the seller's turn.
    async fn negotiation(&self, agrees: bool) -> String {
        let offer = self.table.shop.sent_offer().await;
        let say = json!({ "revision": 1, "say": { "agree_to_conditions": agrees,
            "lines": [{ "line": 1, "unit_price": "8.90" }] } });
        created(self.instance().post("Ewa", &format!("/v1/offers/{offer}/negotiate"), &say).await)
    }

    async fn order(&self) -> String {
        let order = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "10" }] });
        created(self.instance().post("grocer", "/v1/orders", &order).await)
    }

    async fn invoice(&self) -> Value {
        let lines = json!([{ "sku": "RICE", "quantity": "10" }]);
        let order = self.table.shop.confirmed_order(lines).await;
        let shipment = json!({ "order": order });
        let shipment = created(self.instance().post("warehouse", "/v1/shipments", &shipment).await);
        let path = format!("/v1/invoices?company={}", self.table.shop.grocer);
        eventually("the invoice is issued", async || {
            let invoices = self.instance().all("admin", &path).await;
            invoices.into_iter().find(|invoice| invoice["shipment"] == json!(shipment))
        })
        .await
    }
}

fn account() -> Value {
    json!({ "account": "61109010140000071219812874" })
}

fn programme() -> Value {
    json!({ "days": 30, "tiers": { "kind": "turnover",
        "tiers": [{ "at_least": pln("1000.00"), "percent": "2" }] } })
}

fn place() -> Value {
    json!({ "recipient": "Magazyn", "street": "Portowa 1", "postal_code": "81-001",
        "city": "Gdynia", "country": "PL" })
}

fn saying() -> Value {
    json!({ "lines": [{ "line": 1, "quantity": "11", "unit_price": "8.80",
        "deliver_on": "2099-05-01" }], "message": "Proponujemy", "answer_by": "2099-12-01",
        "payment_term": { "kind": "net", "days": 21 },
        "delivery_terms": { "incoterm": "DAP", "place": "Gdynia" } })
}
