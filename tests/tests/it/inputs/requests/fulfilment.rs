//! Accepted requests of shipments, pick lists and returns.

use serde_json::{Value, json};

use super::Requests;
use crate::journeys::{created, done, today};

impl Requests {
    /// Of a shipment that is prepared, packed or on its way, with all of an order in it.
    pub(super) async fn of_shipment(
        &self,
        segments: &[&str],
    ) -> Option<(&'static str, String, Value)> {
        let instance = self.instance();
        let lines = json!([{ "sku": "RICE", "quantity": "10" }]);
        let order = self.table.shop.confirmed_order(lines).await;
        let items = json!([{ "line": 1, "quantity": "10" }]);
        let prepare = json!({ "orders": [{ "order": order, "items": items }], "courier": "DPD" });
        if segments == ["prepare"] {
            return Some(("admin", String::new(), prepare));
        }
        let id = created(instance.post("admin", "/v1/shipments/prepare", &prepare).await);
        let act = async |what: &str, body: Value| {
            done(instance.post("admin", &format!("/v1/shipments/{id}/{what}"), &body).await);
        };
        let parcels = json!([{ "weight_grams": 10_500, "tracking": "000124",
            "dimensions": { "length_mm": 600, "width_mm": 400, "height_mm": 300 },
            "contents": [{ "order": order, "line": 1, "quantity": "10" }] }]);
        let now = jiff::Timestamp::now();
        let body = match segments {
            ["{id}", "cancel"] => json!({}),
            ["{id}", "pack"] => json!({ "parcels": parcels }),
            ["{id}", "dispatch"] => {
                act("pack", json!({ "parcels": parcels })).await;
                json!({ "courier": "DPD", "tracking": "000125",
                    "dispatched_on": today() })
            }
            ["{id}", "deliver"] => {
                act("dispatch", json!({})).await;
                json!({ "received_by": "Jan Nowak", "at": now, "document": { "name": "pod.pdf",
                    "url": "https://example.pl/pod.pdf" } })
            }
            ["{id}", "fail"] => {
                act("dispatch", json!({})).await;
                json!({ "reason": "absent", "at": now, "note": "Zamknięte" })
            }
            ["{id}", "return-to-sender"] => {
                act("dispatch", json!({})).await;
                json!({ "at": now, "note": "Nie odebrano" })
            }
            _ => return None,
        };
        Some(("admin", id, body))
    }

    pub(super) async fn of_pick_list(
        &self,
        segments: &[&str],
    ) -> Option<(&'static str, String, Value)> {
        let instance = self.instance();
        let lines = json!([{ "sku": "RICE", "quantity": "10" }]);
        let order = self.table.shop.confirmed_order(lines).await;
        let create = json!({ "header": { "warehouse": "MAG-1", "wave": "1", "route": "A" },
            "orders": [{ "order": order, "items": [{ "line": 1, "quantity": "8" }] }] });
        if segments.is_empty() {
            return Some(("admin", String::new(), create));
        }
        let id = created(instance.post("admin", "/v1/pick-lists", &create).await);
        let picks = json!({ "picks": [{ "line": 1, "quantity": "7", "short": "damaged",
            "note": "Rozdarte" }] });
        let body = match segments {
            ["{id}", "pick"] => picks,
            ["{id}", "complete"] => {
                let path = format!("/v1/pick-lists/{id}/pick");
                done(instance.post("admin", &path, &picks).await);
                json!({})
            }
            ["{id}", "cancel"] => json!({ "reason": "Inwentaryzacja" }),
            _ => return None,
        };
        Some(("admin", id, body))
    }

    /// A return that is as far as the route needs it.
    pub(super) async fn of_goods_return(
        &self,
        segments: &[&str],
    ) -> Option<(&'static str, String, Value)> {
        let today = today();
        let lines = json!([{ "line": 1, "quantity": "4" }]);
        let [_, "{id}", what] = segments else {
            return Some(("admin", String::new(), self.return_body("complaint").await));
        };
        let id = self.goods_return(&self.return_body("return").await).await;
        let act = async |what: &str, body: Value| {
            let path = format!("/v1/returns/{id}/{what}");
            done(self.instance().post("admin", &path, &body).await);
        };
        let received = json!({ "lines": lines, "received_on": today });
        let found = json!({ "lines": [{ "line": 1, "restock": "1", "second_choice": "1",
            "scrap": "1", "send_back": "1" }], "note": "Otwarte" });
        if !matches!(*what, "authorise" | "refuse" | "withdraw") {
            act("authorise", json!({})).await;
        }
        if matches!(*what, "inspect" | "credit" | "replace") {
            act("receive", received.clone()).await;
        }
        if matches!(*what, "credit" | "replace") {
            act("inspect", found.clone()).await;
        }
        let body = match *what {
            "authorise" => json!({ "lines": [{ "line": 1, "quantity": "3", "reason": "Otwarte" }],
                "transport": "label", "note": "W kartonie",
                "labels": [{ "name": "etykieta.pdf", "url": "https://example.pl/e.pdf" }] }),
            "refuse" | "close" => json!({ "reason": "Za późno" }),
            "withdraw" => json!({ "reason": "Pomyłka" }),
            "send" => json!({ "transport": "label", "courier": "DPD", "tracking": "000123",
                "sent_on": today }),
            "receive" => received,
            "inspect" => found,
            "credit" => json!({ "lines": [{ "line": 1, "quantity": "2" }], "reason": "Zwrot",
                "issued_on": today }),
            "replace" => json!({ "lines": [{ "line": 1, "quantity": "2" }], "reason": "Wymiana",
                "destination": { "address": self.address, "cost_centre": "MPK-1" },
                "reference": format!("W-{}", self.next()) }),
            _ => return None,
        };
        Some(("admin", id, body))
    }

    pub(super) async fn return_body(&self, kind: &str) -> Value {
        let invoice = self.invoice().await;
        let line = json!({ "invoice_line": 1, "quantity": "4", "reason": "damaged",
            "note": "Rozbite", "attachments": [
                { "name": "zdjecie.jpg", "url": "https://example.pl/z.jpg" }] });
        let mut body = json!({ "invoice": invoice["id"], "kind": kind, "note": "Prosimy o odbiór",
            "requested_on": today(), "lines": [line] });
        if kind == "complaint" {
            let mut wrong = body["lines"][0].clone();
            wrong["reason"] = json!("wrong_price");
            wrong["claimed_price"] = json!("1.50");
            body["lines"].as_array_mut().unwrap().push(wrong);
        }
        body
    }

    pub(super) async fn goods_return(&self, body: &Value) -> String {
        created(self.instance().post("admin", "/v1/returns", body).await)
    }
}
