//! Accepted requests of requests for quotation, carts, order lists and standing orders.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::Requests;
use crate::journeys::{created, done, today};

impl Requests {
    pub(super) async fn of_standing_order(
        &self,
        segments: &[&str],
    ) -> Option<(&'static str, String, Value)> {
        let today = today();
        let later = |days: i64| today.checked_add(days.days()).unwrap();
        let mut plan = json!({ "name": "Kawa", "currency": "PLN",
            "lines": [{ "sku": "RICE", "quantity": "10", "unit_price": "2.00" }],
            "schedule": { "starts_on": later(10), "recurrence": { "kind": "every_days", "days": 10 },
                "non_working_days": "keep", "ends": { "kind": "after_orders", "count": 12 } },
            "destination": { "address": self.address, "cost_centre": "MPK-1" },
            "reference": "ZS/{year}/{number}", "placed_by": self.employee,
            "unavailable_lines": "leave_out", "notice_days": 3, "prices_fixed_until": later(90) });
        let change = plan.clone();
        plan["company"] = json!(self.table.shop.grocer);
        if segments == ["standing-orders"] {
            return Some(("admin", String::new(), plan));
        }
        let id = created(self.instance().post("admin", "/v1/standing-orders", &plan).await);
        let body = match segments[1..] {
            ["{id}", "change"] => change,
            ["{id}", "pause" | "end"] => json!({ "reason": "Remont" }),
            ["{id}", "resume"] => json!({}),
            ["{id}", "skip" | "restore"] => json!({ "date": later(20) }),
            ["{id}", "change-date"] => json!({ "date": later(20), "on": later(21),
                "lines": [{ "sku": "RICE", "quantity": "5" }] }),
            _ => return None,
        };
        Some(("admin", id, body))
    }

    pub(super) async fn of_quotation_request(
        &self,
        segments: &[&str],
    ) -> Option<(&'static str, String, Value)> {
        let (role, body) = match segments[1..] {
            [] => {
                let body = json!({ "currency": "PLN", "answer_by": "2099-12-31",
                    "delivery_address": self.address, "message": "Prosimy o ofertę",
                    "lines": [{ "sku": "RICE", "quantity": "10", "unit_price": "1.90",
                        "note": "pilne", "delivery_on": "2099-12-31" }],
                    "attachments": [{ "name": "plan.pdf", "url": "https://example.pl/plan.pdf" }] });
                return Some(("Ewa", String::new(), body));
            }
            ["{id}", "assign"] => ("admin", json!({ "representative": self.salesman })),
            ["{id}", "decline"] => ("admin", json!({ "reason": "Brak towaru" })),
            ["{id}", "take"] => ("Tomasz", json!({})),
            ["{id}", "withdraw"] => ("Ewa", json!({ "reason": "Nieaktualne" })),
            _ => return None,
        };
        let asked = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "10" }] });
        let id = created(self.instance().post("Ewa", "/v1/quotation-requests", &asked).await);
        Some((role, id, body))
    }

    /// A cart of Ewa's with a line of rice.
    async fn cart(&self) -> String {
        let instance = self.instance();
        let open = json!({ "name": "Kuchnia", "currency": "PLN", "shared": true });
        let cart = created(instance.post("Ewa", "/v1/carts", &open).await);
        let rows = json!({ "rows": [{ "sku": "RICE", "quantity": "10" }] });
        done(instance.post("Ewa", &format!("/v1/carts/{cart}/lines"), &rows).await);
        cart
    }

    pub(super) async fn of_cart(&self, segments: &[&str]) -> Option<(&'static str, String, Value)> {
        let body = match segments[1..] {
            [] => json!({ "name": "Kuchnia", "currency": "PLN", "shared": true }),
            ["{id}", "lines"] => json!({ "rows": [
                { "sku": "RICE", "quantity": "1,5 szt", "packaging": "szt", "note": "Kuchnia" },
                { "gtin": "5901234123457", "quantity": "2" }, { "code": "KAWA", "quantity": "3" },
                { "identifier": "COFFEE", "quantity": "4" }] }),
            ["{id}", "lines", "change"] => {
                json!({ "lines": [{ "line": 1, "quantity": "12", "note": "Kuchnia" }] })
            }
            ["{id}", "lines", "remove"] => json!({ "lines": [1] }),
            ["{id}", "lines", "from"] => json!({ "kind": "cart", "cart": self.cart().await }),
            ["{id}", "copy" | "order-list"] => json!({ "name": "Kopia", "shared": true }),
            ["{id}", "merge"] => json!({ "into": self.cart().await }),
            ["{id}", "order"] => json!({ "lines": [1], "reference": format!("K-{}", self.next()),
                "destination": { "address": self.address, "cost_centre": "Kuchnia" } }),
            ["{id}", "quotation-request"] => json!({ "message": "Dzień dobry",
                "answer_by": "2099-01-01", "delivery_address": self.address }),
            ["{id}", "rename"] => json!({ "name": "Biuro" }),
            ["{id}", "clear" | "discard" | "share" | "unshare"] => json!({}),
            _ => return None,
        };
        let id = if segments.len() == 1 { String::new() } else { self.cart().await };
        Some(("Ewa", id, body))
    }

    pub(super) async fn of_order_list(
        &self,
        segments: &[&str],
    ) -> Option<(&'static str, String, Value)> {
        let make = json!({ "name": "Co tydzień", "shared": true });
        let rows = json!({ "rows": [{ "sku": "RICE", "quantity": "10", "note": "Kuchnia" }] });
        let body = match segments[1..] {
            [] => return Some(("Ewa", String::new(), make)),
            ["{id}", "lines"] => rows.clone(),
            ["{id}", "lines", "change"] => {
                json!({ "lines": [{ "line": 1, "quantity": "12", "note": "Biuro" }] })
            }
            ["{id}", "lines", "remove"] => json!({ "lines": [1] }),
            ["{id}", "rename"] => json!({ "name": "Co miesiąc" }),
            ["{id}", "discard" | "share" | "unshare"] => json!({}),
            _ => return None,
        };
        let id = created(self.instance().post("Ewa", "/v1/order-lists", &make).await);
        done(self.instance().post("Ewa", &format!("/v1/order-lists/{id}/lines"), &rows).await);
        Some(("Ewa", id, body))
    }
}
