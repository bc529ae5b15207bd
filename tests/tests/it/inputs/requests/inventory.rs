//! Accepted requests of stock and warehouses.

use serde_json::{Value, json};

use super::Requests;
use crate::journeys::{created, done};

impl Requests {
    pub(super) async fn of_inventory(
        &self,
        segments: &[&str],
    ) -> Option<(&'static str, String, Value)> {
        let (id, body) = match segments {
            ["stock"] => {
                let level = json!({ "sku": "RICE", "available": "100", "expected": "2099-12-31" });
                (String::new(), json!({ "levels": [level] }))
            }
            ["stock", "feed"] => {
                let (product, warehouse) = (self.product_body(), self.warehouse_body());
                created(self.instance().post("admin", "/v1/products", &product).await);
                created(self.instance().post("admin", "/v1/warehouses", &warehouse).await);
                let row = json!({ "reference": format!("F-{}", self.next()), "kind": "receipt",
                    "sku": product["sku"], "warehouse": warehouse["code"], "quantity": "5",
                    "lot": "L1", "best_before": "2099-12-31" });
                (String::new(), json!({ "rows": [row] }))
            }
            ["stock", "{id}", what] => {
                let (id, warehouse) = (self.product().await, self.warehouse().await);
                let receive = json!({ "warehouse": warehouse, "quantity": "10",
                    "reference": format!("PZ-{}", self.next()) });
                let path = format!("/v1/stock/{id}/receive");
                done(self.instance().post("admin", &path, &receive).await);
                let reference = format!("R-{}", self.next());
                let lot = json!({ "code": "L1", "best_before": "2099-12-31" });
                let body = match *what {
                    "receive" => json!({ "warehouse": warehouse, "quantity": "5", "lot": lot,
                        "reference": reference }),
                    "adjust" => json!({ "warehouse": warehouse, "change": "2", "lot": lot,
                        "reason": "found", "note": "Na regale", "reference": reference }),
                    "count" => json!({ "warehouse": warehouse, "counted": "7", "lot": lot,
                        "reference": reference }),
                    "transfer" => json!({ "from": warehouse, "to": self.warehouse().await,
                        "quantity": "3", "reference": reference }),
                    "withdraw" => json!({ "warehouse": warehouse, "quantity": "1",
                        "reference": reference }),
                    "take-back" => json!({ "warehouse": warehouse, "quantity": "1", "lot": lot,
                        "disposition": "restock", "order": self.order().await,
                        "reference": reference }),
                    "expect" => json!({ "receipt": "PO/1", "warehouse": warehouse,
                        "quantity": "5", "on": "2099-12-31" }),
                    "cancel-expected" => json!({ "receipt": "PO/1" }),
                    "settings" => json!({ "negative_allowed": false, "lots_required": true }),
                    _ => return None,
                };
                (id, body)
            }
            ["warehouses"] => (String::new(), self.warehouse_body()),
            ["warehouses", "{id}", what @ ("rename" | "close" | "reopen")] => {
                let is_rename = *what == "rename";
                let body = if is_rename { json!({ "name": "Magazyn" }) } else { json!({}) };
                (self.warehouse().await, body)
            }
            _ => return None,
        };
        Some(("admin", id, body))
    }

    fn warehouse_body(&self) -> Value {
        json!({ "code": format!("W{}", self.next()), "name": "Magazyn",
            "address": { "street": "Prosta 1", "postal_code": "00-950", "city": "Warszawa",
                "country": "PL" } })
    }

    pub(super) async fn warehouse(&self) -> String {
        created(self.instance().post("admin", "/v1/warehouses", &self.warehouse_body()).await)
    }
}
