//! Who may do what, for every route there is, and that companies do not see one another.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::journeys::{Shop, created, stamp};

const EVERYBODY: &str = "admin sales sales_manager warehouse accounting company_admin purchaser \
    approver integrator auditor";
const MONEY: &str = "admin sales sales_manager accounting company_admin purchaser approver \
    integrator auditor";
const SALES: &str = "admin sales sales_manager";
const PRICING: &str = "admin sales_manager";
const TRUST: &str = "admin sales_manager accounting";
const BOOKS: &str = "admin accounting";
const BUYERS: &str = "company_admin purchaser";
const ORDERING: &str = "admin sales sales_manager company_admin purchaser";
const STAFFING: &str = "admin company_admin";
const LEAVE: &str = "admin sales sales_manager company_admin approver";
const PEOPLE: &str = "admin sales sales_manager company_admin purchaser approver";
const APPROVING: &str = "admin sales sales_manager company_admin purchaser approver";
const DEALING: &str =
    "admin sales sales_manager company_admin purchaser approver integrator auditor";
const OFFER_TALK: &str = PEOPLE;
const ORDER_TALK: &str =
    "admin sales sales_manager warehouse accounting company_admin purchaser approver";
const INVOICE_TALK: &str = "admin sales sales_manager accounting company_admin purchaser approver";
const AUDIT: &str = "admin auditor";
const HISTORY: &str = "admin integrator auditor";

/// Every route with the roles that may use it.
const ROUTES: &[(&str, &str, &str)] = &[
    ("get", "/v1/account-balances", MONEY),
    ("get", "/v1/api-keys", STAFFING),
    ("post", "/v1/api-keys", STAFFING),
    ("get", "/v1/api-keys/{id}", AUDIT),
    ("delete", "/v1/api-keys/{id}", STAFFING),
    ("get", "/v1/approval-rules", SALES),
    ("post", "/v1/approval-rules", "admin"),
    ("get", "/v1/approvals", PEOPLE),
    ("get", "/v1/approvals/{id}", PEOPLE),
    ("get", "/v1/assortments", SALES),
    ("post", "/v1/assortments/allow", PRICING),
    ("post", "/v1/assortments/deny", PRICING),
    ("post", "/v1/assortments/lift", PRICING),
    ("get", "/v1/catalogue", EVERYBODY),
    ("get", "/v1/catalogue/counts", EVERYBODY),
    ("get", "/v1/categories", EVERYBODY),
    ("post", "/v1/categories", PRICING),
    ("get", "/v1/categories/{id}", EVERYBODY),
    ("post", "/v1/categories/{id}/close", PRICING),
    ("post", "/v1/categories/{id}/move", PRICING),
    ("post", "/v1/categories/{id}/rename", PRICING),
    ("get", "/v1/companies", EVERYBODY),
    ("post", "/v1/companies", SALES),
    ("get", "/v1/companies/{id}", EVERYBODY),
    ("get", "/v1/companies/{id}/approval-rules", PEOPLE),
    ("post", "/v1/companies/{id}/approval-rules", STAFFING),
    ("post", "/v1/companies/{id}/approval-rules/inherit", STAFFING),
    ("post", "/v1/companies/{id}/bank-accounts", BOOKS),
    ("post", "/v1/companies/{id}/bank-accounts/check", TRUST),
    ("post", "/v1/companies/{id}/bank-accounts/drop", BOOKS),
    ("post", "/v1/companies/{id}/billing-address", SALES),
    ("post", "/v1/companies/{id}/credit-limit", TRUST),
    ("post", "/v1/companies/{id}/credit-limit/lift", TRUST),
    ("post", "/v1/companies/{id}/delivery-addresses", "admin sales sales_manager company_admin"),
    (
        "post",
        "/v1/companies/{id}/delivery-addresses/drop",
        "admin sales sales_manager company_admin",
    ),
    ("post", "/v1/companies/{id}/group", SALES),
    ("post", "/v1/companies/{id}/parent", SALES),
    ("post", "/v1/companies/{id}/payment-term", SALES),
    ("post", "/v1/companies/{id}/payment-term/inherit", SALES),
    ("get", "/v1/companies/{id}/product-codes", EVERYBODY),
    ("post", "/v1/companies/{id}/product-codes", ORDERING),
    ("post", "/v1/companies/{id}/product-codes/drop", ORDERING),
    ("post", "/v1/companies/{id}/reinstate", TRUST),
    ("post", "/v1/companies/{id}/rename", SALES),
    ("post", "/v1/companies/{id}/suspend", TRUST),
    ("post", "/v1/companies/{id}/vat-number", SALES),
    ("post", "/v1/companies/{id}/verify", SALES),
    ("get", "/v1/conversations", ORDER_TALK),
    ("get", "/v1/conversations/invoices/{id}", INVOICE_TALK),
    ("post", "/v1/conversations/invoices/{id}/messages", INVOICE_TALK),
    ("post", "/v1/conversations/invoices/{id}/notes", INVOICE_TALK),
    ("post", "/v1/conversations/invoices/{id}/read", INVOICE_TALK),
    ("get", "/v1/conversations/negotiations/{id}", OFFER_TALK),
    ("post", "/v1/conversations/negotiations/{id}/messages", OFFER_TALK),
    ("post", "/v1/conversations/negotiations/{id}/notes", OFFER_TALK),
    ("post", "/v1/conversations/negotiations/{id}/read", OFFER_TALK),
    ("get", "/v1/conversations/offers/{id}", OFFER_TALK),
    ("post", "/v1/conversations/offers/{id}/messages", OFFER_TALK),
    ("post", "/v1/conversations/offers/{id}/notes", OFFER_TALK),
    ("post", "/v1/conversations/offers/{id}/read", OFFER_TALK),
    ("get", "/v1/conversations/orders/{id}", ORDER_TALK),
    ("post", "/v1/conversations/orders/{id}/messages", ORDER_TALK),
    ("post", "/v1/conversations/orders/{id}/notes", ORDER_TALK),
    ("post", "/v1/conversations/orders/{id}/read", ORDER_TALK),
    ("post", "/v1/credit-notes", BOOKS),
    ("get", "/v1/discounts", SALES),
    ("post", "/v1/discounts/end", PRICING),
    ("post", "/v1/discounts/offer", PRICING),
    ("get", "/v1/employees", PEOPLE),
    ("post", "/v1/employees", STAFFING),
    ("get", "/v1/employees/{id}", PEOPLE),
    ("post", "/v1/employees/{id}/discount-limit", STAFFING),
    ("post", "/v1/employees/{id}/leave", STAFFING),
    ("post", "/v1/employees/{id}/limits", STAFFING),
    ("post", "/v1/employees/{id}/limits/lift", STAFFING),
    ("post", "/v1/employees/{id}/profile", STAFFING),
    ("post", "/v1/employees/{id}/role", STAFFING),
    ("post", "/v1/employees/{id}/scope", STAFFING),
    ("post", "/v1/employees/{id}/substitute", LEAVE),
    ("post", "/v1/employees/{id}/substitute/dismiss", LEAVE),
    ("get", "/v1/events", HISTORY),
    ("get", "/v1/exports/assortments", SALES),
    ("get", "/v1/exports/companies", SALES),
    ("get", "/v1/exports/prices", SALES),
    ("get", "/v1/exports/products", SALES),
    ("get", "/v1/history/{id}", HISTORY),
    ("get", "/v1/history/{id}/state", "admin auditor"),
    ("post", "/v1/imports/assortments", PRICING),
    ("post", "/v1/imports/companies", SALES),
    ("post", "/v1/imports/prices", PRICING),
    ("post", "/v1/imports/product-codes", SALES),
    ("post", "/v1/imports/products", PRICING),
    ("post", "/v1/imports/stock", "admin sales_manager warehouse"),
    ("get", "/v1/inbox", PEOPLE),
    ("get", "/v1/invoices", MONEY),
    ("get", "/v1/invoices/{id}", MONEY),
    ("get", "/v1/negotiations", DEALING),
    ("get", "/v1/negotiations/{id}", DEALING),
    ("post", "/v1/negotiations/{id}/agree", ORDERING),
    ("post", "/v1/negotiations/{id}/approve", APPROVING),
    ("post", "/v1/negotiations/{id}/break-off", ORDERING),
    ("get", "/v1/negotiations/{id}/differences", DEALING),
    ("post", "/v1/negotiations/{id}/disapprove", APPROVING),
    ("post", "/v1/negotiations/{id}/propose", ORDERING),
    ("post", "/v1/negotiations/{id}/reopen", ORDERING),
    ("post", "/v1/negotiations/{id}/resume", ORDERING),
    ("get", "/v1/live", EVERYBODY),
    ("get", "/v1/offer-statistics", SALES),
    ("get", "/v1/offer-templates", SALES),
    ("post", "/v1/offer-templates", SALES),
    ("get", "/v1/offer-templates/{id}", SALES),
    ("post", "/v1/offer-templates/{id}/drop", SALES),
    ("post", "/v1/offer-templates/{id}/keep", SALES),
    ("get", "/v1/offers", EVERYBODY),
    ("post", "/v1/offers", SALES),
    ("get", "/v1/offers/{id}", EVERYBODY),
    ("post", "/v1/offers/{id}/accept", BUYERS),
    ("post", "/v1/offers/{id}/approve", SALES),
    ("post", "/v1/offers/{id}/contract", PRICING),
    ("post", "/v1/offers/{id}/disapprove", SALES),
    ("post", "/v1/offers/{id}/draft", SALES),
    ("post", "/v1/offers/{id}/extend", SALES),
    ("post", "/v1/offers/{id}/negotiate", ORDERING),
    ("get", "/v1/offers/{id}/pdf", EVERYBODY),
    ("post", "/v1/offers/{id}/reject", BUYERS),
    ("get", "/v1/offers/{id}/revisions", EVERYBODY),
    ("post", "/v1/offers/{id}/send", SALES),
    ("post", "/v1/offers/{id}/view", "company_admin purchaser approver"),
    ("post", "/v1/offers/{id}/withdraw", SALES),
    ("get", "/v1/orders", EVERYBODY),
    ("post", "/v1/orders", ORDERING),
    ("get", "/v1/orders/{id}", EVERYBODY),
    ("post", "/v1/orders/{id}/approve", "company_admin purchaser approver"),
    ("post", "/v1/orders/{id}/cancel", ORDERING),
    ("post", "/v1/orders/{id}/confirm", SALES),
    ("post", "/v1/orders/{id}/refuse", "company_admin purchaser approver"),
    ("get", "/v1/payments", MONEY),
    ("post", "/v1/payments", BOOKS),
    ("get", "/v1/payments/{id}", MONEY),
    ("post", "/v1/payments/{id}/allocate", BOOKS),
    ("get", "/v1/policies", "admin"),
    ("get", "/v1/policies/refusals", "admin auditor"),
    ("post", "/v1/policies/refusals/{id}/retry", "admin"),
    ("get", "/v1/price-agreements", SALES),
    ("post", "/v1/price-agreements", PRICING),
    ("get", "/v1/price-agreements/{id}", SALES),
    ("post", "/v1/price-agreements/{id}/activate", PRICING),
    ("post", "/v1/price-agreements/{id}/end", PRICING),
    ("get", "/v1/price-agreements/{id}/prices", SALES),
    ("post", "/v1/price-agreements/{id}/prices", PRICING),
    ("post", "/v1/price-agreements/{id}/shorten", PRICING),
    ("post", "/v1/price-agreements/{id}/prices/withdraw", PRICING),
    ("get", "/v1/prices/explain", SALES),
    ("get", "/v1/products", EVERYBODY),
    ("post", "/v1/products", PRICING),
    ("get", "/v1/products/{id}", EVERYBODY),
    ("post", "/v1/products/{id}/categories", PRICING),
    ("post", "/v1/products/{id}/character", PRICING),
    ("post", "/v1/products/{id}/classification", PRICING),
    ("post", "/v1/products/{id}/floor", PRICING),
    ("post", "/v1/products/{id}/images", PRICING),
    ("post", "/v1/products/{id}/packing", PRICING),
    ("post", "/v1/products/{id}/parts", PRICING),
    ("post", "/v1/products/{id}/price", PRICING),
    ("post", "/v1/products/{id}/publish", PRICING),
    ("post", "/v1/products/{id}/rename", PRICING),
    ("post", "/v1/products/{id}/substitutes", PRICING),
    ("post", "/v1/products/{id}/texts", PRICING),
    ("post", "/v1/products/{id}/vat-rate", PRICING),
    ("post", "/v1/products/{id}/withdraw", PRICING),
    ("get", "/v1/quotation-requests", EVERYBODY),
    ("post", "/v1/quotation-requests", ORDERING),
    ("get", "/v1/quotation-requests/{id}", EVERYBODY),
    ("post", "/v1/quotation-requests/{id}/assign", PRICING),
    ("post", "/v1/quotation-requests/{id}/decline", SALES),
    ("post", "/v1/quotation-requests/{id}/take", SALES),
    ("post", "/v1/quotation-requests/{id}/withdraw", BUYERS),
    ("get", "/v1/shipments", EVERYBODY),
    ("post", "/v1/shipments", "admin sales_manager warehouse"),
    ("get", "/v1/shipments/{id}", EVERYBODY),
    ("get", "/v1/stock", "admin sales sales_manager warehouse"),
    ("post", "/v1/stock", "admin sales_manager warehouse"),
    ("get", "/v1/territories", SALES),
    ("post", "/v1/territories", PRICING),
];

#[tokio::test]
async fn every_route_is_open_to_its_roles_alone() {
    let mut shop = Shop::open().await;
    let document = shop.house.get("admin", "/openapi.json").await.body;
    let mut served: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["operationId"].is_string(), "{method} {path} has no operation id");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            served.push((method.clone(), path.clone()));
        }
    }
    let mut known: Vec<(String, String)> =
        ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    served.sort();
    known.sort();
    assert_eq!(served, known, "every route has its case here");

    let grocer = shop.grocer.clone();
    for role in EVERYBODY.split_whitespace() {
        let company = ["company_admin", "purchaser", "approver"].contains(&role);
        shop.house.make_key(role, role, company.then_some(&grocer)).await;
    }
    for (method, path, roles) in ROUTES {
        let path = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
        for role in EVERYBODY.split_whitespace() {
            let allowed = roles.split_whitespace().any(|allowed| allowed == role);
            // An empty body is refused after the role, so nothing is done.
            let status = shop.house.knock(role, method, &path).await;
            assert_eq!(status != 403, allowed, "{role}: {method} {path} answers {status}");
            assert_ne!(status, 401, "{role}: {method} {path}");
        }
        assert_eq!(shop.house.knock("nobody", method, &path).await, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn a_key_is_made_once() {
    let shop = Shop::open().await;
    let body = json!({ "name": "erp", "role": "integrator" });
    let made = shop.house.post_with_key("admin", "/v1/api-keys", "erp-1", &body).await;
    let again = shop.house.post_with_key("admin", "/v1/api-keys", "erp-1", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("api_key.already_made")));
    let keys = shop.house.get("admin", "/v1/api-keys").await.body;
    assert_eq!(keys.as_array().unwrap().iter().filter(|key| key["name"] == "erp").count(), 1);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing() {
    let mut shop = Shop::open().await;
    shop.house.make_key("temp", "sales", None).await;
    assert_eq!(shop.house.knock("temp", "get", "/v1/orders").await, 200);
    let keys = shop.house.get("admin", "/v1/api-keys").await.body;
    let key = keys.as_array().unwrap().iter().find(|key| key["name"] == "temp").unwrap();
    let id = key["id"].as_str().unwrap();
    assert_eq!(shop.house.knock("admin", "delete", &format!("/v1/api-keys/{id}")).await, 204);
    assert_eq!(shop.house.knock("temp", "get", "/v1/orders").await, 401);
}

#[tokio::test]
async fn another_company_is_like_a_missing_one() {
    let shop = Shop::open().await;
    let Shop { house, grocer, .. } = &shop;
    let offer = shop.sent_offer().await;
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    let shipment = invoice["shipment"].as_str().unwrap();
    let payment = json!({ "company": grocer, "method": "cash",
        "amount": { "amount": "1.00", "currency": "PLN" } });
    let payment = created(house.post("accounting", "/v1/payments", &payment).await);
    house.settled().await;

    let invoice = invoice["id"].as_str().unwrap();
    let things = BTreeMap::from([
        ("/v1/companies", grocer.as_str()),
        ("/v1/offers", &offer),
        ("/v1/orders", &order),
        ("/v1/shipments", shipment),
        ("/v1/invoices", invoice),
        ("/v1/payments", &payment),
    ]);
    for (collection, id) in things {
        let own = house.get("grocer", &format!("{collection}/{id}")).await;
        assert_eq!(own.status, 200, "{collection}: {own:?}");
        let other = house.get("hotel", &format!("{collection}/{id}")).await;
        let missing = "00000000-0000-7000-8000-000000000000";
        let missing = house.get("hotel", &format!("{collection}/{missing}")).await;
        assert_eq!((other.status, &other.body), (404, &missing.body), "{collection}");
        let listed = house.get("hotel", collection).await;
        let of_grocer = |item: &&Value| item["id"] == json!(id);
        let items = listed.body["items"].as_array().unwrap();
        assert_eq!(items.iter().find(of_grocer), None, "{collection}");
    }
    for path in ["/v1/orders", "/v1/account-balances", "/v1/invoices", "/v1/payments"] {
        let asked = house.get("hotel", &format!("{path}?company={grocer}")).await;
        assert_eq!(asked.status, 404, "{path}");
    }
    // A drafted offer is the seller's business.
    let draft = json!({
        "company": grocer, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [{ "sku": "RICE", "quantity": "1" }],
    });
    let draft = created(house.post("sales", "/v1/offers", &draft).await);
    house.settled().await;
    assert_eq!(house.get("sales", &format!("/v1/offers/{draft}")).await.status, 200);
    assert_eq!(house.get("grocer", &format!("/v1/offers/{draft}")).await.status, 404);
    let stamp = stamp(house, &offer).await;
    let accepted = house.post("grocer", &format!("/v1/offers/{draft}/accept"), &stamp).await;
    assert_eq!(accepted.status, 404);
}
