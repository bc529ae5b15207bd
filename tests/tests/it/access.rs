//! Who may do what, for every route there is, and that companies do not see one another.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use service_kit::{
    access::{Allowed, Role},
    permissions::{
        Addresses, Approvals, Audit, Bookkeeping, BuyerApprovals, Buyers, CreditHolds, CreditTerms,
        Dispatch, EmployeeAdministration, InvoiceMessages, Leave, OfferMessages, OfferReaders,
        Operator, OrderMessages, Ordering, Pricing, ReadAccounts, ReadBackorders, ReadCarts,
        ReadCredit, ReadHistory, ReadNegotiations, ReadPeople, ReadPicking, ReadStock, ReadTrade,
        ReadWarehouses, ReturnCredits, ReturnDecisions, ReturnMessages, Sales,
        WarehouseAdministration,
    },
};

use crate::journeys::{Shop, created, stamp};

/// Every route with the roles that may use it.
const ROUTES: &[(&str, &str, &[Role])] = &[
    ("get", "/v1/account-balances", ReadAccounts::ROLES),
    ("get", "/v1/api-keys", EmployeeAdministration::ROLES),
    ("post", "/v1/api-keys", EmployeeAdministration::ROLES),
    ("get", "/v1/api-keys/{id}", Audit::ROLES),
    ("delete", "/v1/api-keys/{id}", EmployeeAdministration::ROLES),
    ("get", "/v1/approval-rules", Sales::ROLES),
    ("post", "/v1/approval-rules", Operator::ROLES),
    ("get", "/v1/approvals", ReadPeople::ROLES),
    ("get", "/v1/approvals/{id}", ReadPeople::ROLES),
    ("get", "/v1/assortments", Sales::ROLES),
    ("post", "/v1/assortments/allow", Pricing::ROLES),
    ("post", "/v1/assortments/deny", Pricing::ROLES),
    ("post", "/v1/assortments/lift", Pricing::ROLES),
    ("get", "/v1/bought-products", ReadAccounts::ROLES),
    ("get", "/v1/carts", ReadCarts::ROLES),
    ("post", "/v1/carts", Ordering::ROLES),
    ("get", "/v1/carts/{id}", ReadCarts::ROLES),
    ("post", "/v1/carts/{id}/clear", Ordering::ROLES),
    ("post", "/v1/carts/{id}/copy", Ordering::ROLES),
    ("post", "/v1/carts/{id}/discard", Ordering::ROLES),
    ("get", "/v1/carts/{id}/lines", ReadCarts::ROLES),
    ("post", "/v1/carts/{id}/lines", Ordering::ROLES),
    ("post", "/v1/carts/{id}/lines/change", Ordering::ROLES),
    ("post", "/v1/carts/{id}/lines/from", Ordering::ROLES),
    ("post", "/v1/carts/{id}/lines/remove", Ordering::ROLES),
    ("post", "/v1/carts/{id}/merge", Ordering::ROLES),
    ("post", "/v1/carts/{id}/order", Ordering::ROLES),
    ("post", "/v1/carts/{id}/order-list", Ordering::ROLES),
    ("post", "/v1/carts/{id}/quotation-request", Ordering::ROLES),
    ("post", "/v1/carts/{id}/rename", Ordering::ROLES),
    ("post", "/v1/carts/{id}/share", Ordering::ROLES),
    ("get", "/v1/carts/{id}/totals", ReadCarts::ROLES),
    ("post", "/v1/carts/{id}/unshare", Ordering::ROLES),
    ("get", "/v1/backorders", ReadBackorders::ROLES),
    ("get", "/v1/catalogue", ReadTrade::ROLES),
    ("get", "/v1/catalogue/counts", ReadTrade::ROLES),
    ("get", "/v1/categories", ReadTrade::ROLES),
    ("post", "/v1/categories", Pricing::ROLES),
    ("get", "/v1/categories/{id}", ReadTrade::ROLES),
    ("post", "/v1/categories/{id}/close", Pricing::ROLES),
    ("post", "/v1/categories/{id}/move", Pricing::ROLES),
    ("post", "/v1/categories/{id}/rename", Pricing::ROLES),
    ("get", "/v1/companies", ReadTrade::ROLES),
    ("post", "/v1/companies", Sales::ROLES),
    ("get", "/v1/companies/{id}", ReadTrade::ROLES),
    ("get", "/v1/companies/{id}/approval-rules", ReadPeople::ROLES),
    ("post", "/v1/companies/{id}/approval-rules", EmployeeAdministration::ROLES),
    ("post", "/v1/companies/{id}/approval-rules/inherit", EmployeeAdministration::ROLES),
    ("post", "/v1/companies/{id}/bank-accounts", Bookkeeping::ROLES),
    ("post", "/v1/companies/{id}/bank-accounts/check", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/bank-accounts/drop", Bookkeeping::ROLES),
    ("post", "/v1/companies/{id}/billing-address", Sales::ROLES),
    ("get", "/v1/companies/{id}/credit", ReadCredit::ROLES),
    ("post", "/v1/companies/{id}/credit-grace", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/credit-grace/lift", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/credit-limit", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/credit-limit/lift", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/delivery-addresses", Addresses::ROLES),
    ("post", "/v1/companies/{id}/delivery-addresses/drop", Addresses::ROLES),
    ("post", "/v1/companies/{id}/group", Sales::ROLES),
    ("post", "/v1/companies/{id}/minimum-order", Sales::ROLES),
    ("post", "/v1/companies/{id}/minimum-order/lift", Sales::ROLES),
    ("post", "/v1/companies/{id}/parent", Sales::ROLES),
    ("post", "/v1/companies/{id}/payment-term", Sales::ROLES),
    ("post", "/v1/companies/{id}/payment-term/inherit", Sales::ROLES),
    ("post", "/v1/companies/{id}/prepayment", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/prepayment/waive", CreditTerms::ROLES),
    ("get", "/v1/companies/{id}/product-codes", ReadTrade::ROLES),
    ("post", "/v1/companies/{id}/product-codes", Ordering::ROLES),
    ("post", "/v1/companies/{id}/product-codes/drop", Ordering::ROLES),
    ("post", "/v1/companies/{id}/reinstate", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/rename", Sales::ROLES),
    ("post", "/v1/companies/{id}/suspend", CreditTerms::ROLES),
    ("post", "/v1/companies/{id}/vat-number", Sales::ROLES),
    ("post", "/v1/companies/{id}/verify", Sales::ROLES),
    ("get", "/v1/conversations", OrderMessages::ROLES),
    ("get", "/v1/conversations/invoices/{id}", InvoiceMessages::ROLES),
    ("post", "/v1/conversations/invoices/{id}/messages", InvoiceMessages::ROLES),
    ("post", "/v1/conversations/invoices/{id}/notes", InvoiceMessages::ROLES),
    ("post", "/v1/conversations/invoices/{id}/read", InvoiceMessages::ROLES),
    ("get", "/v1/conversations/negotiations/{id}", OfferMessages::ROLES),
    ("post", "/v1/conversations/negotiations/{id}/messages", OfferMessages::ROLES),
    ("post", "/v1/conversations/negotiations/{id}/notes", OfferMessages::ROLES),
    ("post", "/v1/conversations/negotiations/{id}/read", OfferMessages::ROLES),
    ("get", "/v1/conversations/offers/{id}", OfferMessages::ROLES),
    ("post", "/v1/conversations/offers/{id}/messages", OfferMessages::ROLES),
    ("post", "/v1/conversations/offers/{id}/notes", OfferMessages::ROLES),
    ("post", "/v1/conversations/offers/{id}/read", OfferMessages::ROLES),
    ("get", "/v1/conversations/orders/{id}", OrderMessages::ROLES),
    ("post", "/v1/conversations/orders/{id}/messages", OrderMessages::ROLES),
    ("post", "/v1/conversations/orders/{id}/notes", OrderMessages::ROLES),
    ("post", "/v1/conversations/orders/{id}/read", OrderMessages::ROLES),
    ("get", "/v1/conversations/returns/{id}", ReturnMessages::ROLES),
    ("post", "/v1/conversations/returns/{id}/messages", ReturnMessages::ROLES),
    ("post", "/v1/conversations/returns/{id}/notes", ReturnMessages::ROLES),
    ("post", "/v1/conversations/returns/{id}/read", ReturnMessages::ROLES),
    ("post", "/v1/credit-notes", Bookkeeping::ROLES),
    ("get", "/v1/discounts", Sales::ROLES),
    ("post", "/v1/discounts/end", Pricing::ROLES),
    ("post", "/v1/discounts/offer", Pricing::ROLES),
    ("get", "/v1/employees", ReadPeople::ROLES),
    ("post", "/v1/employees", EmployeeAdministration::ROLES),
    ("get", "/v1/employees/{id}", ReadPeople::ROLES),
    ("post", "/v1/employees/{id}/discount-limit", EmployeeAdministration::ROLES),
    ("post", "/v1/employees/{id}/leave", EmployeeAdministration::ROLES),
    ("post", "/v1/employees/{id}/limits", EmployeeAdministration::ROLES),
    ("post", "/v1/employees/{id}/limits/lift", EmployeeAdministration::ROLES),
    ("post", "/v1/employees/{id}/profile", EmployeeAdministration::ROLES),
    ("post", "/v1/employees/{id}/role", EmployeeAdministration::ROLES),
    ("post", "/v1/employees/{id}/scope", EmployeeAdministration::ROLES),
    ("post", "/v1/employees/{id}/substitute", Leave::ROLES),
    ("post", "/v1/employees/{id}/substitute/dismiss", Leave::ROLES),
    ("get", "/v1/events", ReadHistory::ROLES),
    ("get", "/v1/exports/assortments", Sales::ROLES),
    ("get", "/v1/exports/companies", Sales::ROLES),
    ("get", "/v1/exports/prices", Sales::ROLES),
    ("get", "/v1/exports/products", Sales::ROLES),
    ("get", "/v1/history/{id}", ReadHistory::ROLES),
    ("get", "/v1/history/{id}/state", Audit::ROLES),
    ("post", "/v1/imports/assortments", Pricing::ROLES),
    ("post", "/v1/imports/companies", Sales::ROLES),
    ("post", "/v1/imports/prices", Pricing::ROLES),
    ("post", "/v1/imports/product-codes", Sales::ROLES),
    ("post", "/v1/imports/products", Pricing::ROLES),
    ("post", "/v1/imports/stock", Dispatch::ROLES),
    ("post", "/v1/imports/stock-feed", Dispatch::ROLES),
    ("get", "/v1/inbox", ReadPeople::ROLES),
    ("get", "/v1/invoices", ReadAccounts::ROLES),
    ("get", "/v1/invoices/{id}", ReadAccounts::ROLES),
    ("get", "/v1/late-orders", ReadTrade::ROLES),
    ("get", "/v1/negotiations", ReadNegotiations::ROLES),
    ("get", "/v1/negotiations/{id}", ReadNegotiations::ROLES),
    ("post", "/v1/negotiations/{id}/agree", Ordering::ROLES),
    ("post", "/v1/negotiations/{id}/approve", Approvals::ROLES),
    ("post", "/v1/negotiations/{id}/break-off", Ordering::ROLES),
    ("get", "/v1/negotiations/{id}/differences", ReadNegotiations::ROLES),
    ("post", "/v1/negotiations/{id}/disapprove", Approvals::ROLES),
    ("post", "/v1/negotiations/{id}/propose", Ordering::ROLES),
    ("post", "/v1/negotiations/{id}/reopen", Ordering::ROLES),
    ("post", "/v1/negotiations/{id}/resume", Ordering::ROLES),
    ("get", "/v1/live", ReadTrade::ROLES),
    ("get", "/v1/offer-statistics", Sales::ROLES),
    ("get", "/v1/offer-templates", Sales::ROLES),
    ("post", "/v1/offer-templates", Sales::ROLES),
    ("get", "/v1/offer-templates/{id}", Sales::ROLES),
    ("post", "/v1/offer-templates/{id}/drop", Sales::ROLES),
    ("post", "/v1/offer-templates/{id}/keep", Sales::ROLES),
    ("get", "/v1/offers", ReadTrade::ROLES),
    ("post", "/v1/offers", Sales::ROLES),
    ("get", "/v1/offers/{id}", ReadTrade::ROLES),
    ("post", "/v1/offers/{id}/accept", Buyers::ROLES),
    ("post", "/v1/offers/{id}/approve", Sales::ROLES),
    ("post", "/v1/offers/{id}/contract", Pricing::ROLES),
    ("post", "/v1/offers/{id}/disapprove", Sales::ROLES),
    ("post", "/v1/offers/{id}/draft", Sales::ROLES),
    ("post", "/v1/offers/{id}/extend", Sales::ROLES),
    ("post", "/v1/offers/{id}/negotiate", Ordering::ROLES),
    ("get", "/v1/offers/{id}/pdf", ReadTrade::ROLES),
    ("post", "/v1/offers/{id}/reject", Buyers::ROLES),
    ("get", "/v1/offers/{id}/revisions", ReadTrade::ROLES),
    ("post", "/v1/offers/{id}/send", Sales::ROLES),
    ("post", "/v1/offers/{id}/view", OfferReaders::ROLES),
    ("post", "/v1/offers/{id}/withdraw", Sales::ROLES),
    ("get", "/v1/order-lists", ReadCarts::ROLES),
    ("post", "/v1/order-lists", Ordering::ROLES),
    ("get", "/v1/order-lists/{id}", ReadCarts::ROLES),
    ("post", "/v1/order-lists/{id}/discard", Ordering::ROLES),
    ("get", "/v1/order-lists/{id}/lines", ReadCarts::ROLES),
    ("post", "/v1/order-lists/{id}/lines", Ordering::ROLES),
    ("post", "/v1/order-lists/{id}/lines/change", Ordering::ROLES),
    ("post", "/v1/order-lists/{id}/lines/remove", Ordering::ROLES),
    ("post", "/v1/order-lists/{id}/rename", Ordering::ROLES),
    ("post", "/v1/order-lists/{id}/share", Ordering::ROLES),
    ("post", "/v1/order-lists/{id}/unshare", Ordering::ROLES),
    ("get", "/v1/orders", ReadTrade::ROLES),
    ("post", "/v1/orders", Ordering::ROLES),
    ("get", "/v1/orders/{id}", ReadTrade::ROLES),
    ("post", "/v1/orders/{id}/approve", BuyerApprovals::ROLES),
    ("post", "/v1/orders/{id}/cancel", Ordering::ROLES),
    ("post", "/v1/orders/{id}/confirm", Sales::ROLES),
    ("post", "/v1/orders/{id}/promise", Sales::ROLES),
    ("post", "/v1/orders/{id}/refuse", BuyerApprovals::ROLES),
    ("get", "/v1/orders/{id}/timeline", ReadTrade::ROLES),
    ("post", "/v1/orders/{id}/refuse-credit-hold", CreditHolds::ROLES),
    ("post", "/v1/orders/{id}/release-credit-hold", CreditHolds::ROLES),
    ("get", "/v1/payments", ReadAccounts::ROLES),
    ("post", "/v1/payments", Bookkeeping::ROLES),
    ("get", "/v1/payments/{id}", ReadAccounts::ROLES),
    ("post", "/v1/payments/{id}/allocate", Bookkeeping::ROLES),
    ("get", "/v1/pick-lists", ReadPicking::ROLES),
    ("post", "/v1/pick-lists", Dispatch::ROLES),
    ("get", "/v1/pick-lists/{id}", ReadPicking::ROLES),
    ("post", "/v1/pick-lists/{id}/cancel", Dispatch::ROLES),
    ("post", "/v1/pick-lists/{id}/complete", Dispatch::ROLES),
    ("post", "/v1/pick-lists/{id}/pick", Dispatch::ROLES),
    ("get", "/v1/pick-queue", ReadPicking::ROLES),
    ("get", "/v1/policies", Operator::ROLES),
    ("get", "/v1/policies/refusals", Audit::ROLES),
    ("post", "/v1/policies/refusals/{id}/retry", Operator::ROLES),
    ("get", "/v1/price-agreements", Sales::ROLES),
    ("post", "/v1/price-agreements", Pricing::ROLES),
    ("get", "/v1/price-agreements/{id}", Sales::ROLES),
    ("post", "/v1/price-agreements/{id}/activate", Pricing::ROLES),
    ("post", "/v1/price-agreements/{id}/end", Pricing::ROLES),
    ("get", "/v1/price-agreements/{id}/prices", Sales::ROLES),
    ("post", "/v1/price-agreements/{id}/prices", Pricing::ROLES),
    ("post", "/v1/price-agreements/{id}/shorten", Pricing::ROLES),
    ("post", "/v1/price-agreements/{id}/prices/withdraw", Pricing::ROLES),
    ("get", "/v1/prices/explain", Sales::ROLES),
    ("get", "/v1/products", ReadTrade::ROLES),
    ("post", "/v1/products", Pricing::ROLES),
    ("get", "/v1/products/{id}", ReadTrade::ROLES),
    ("post", "/v1/products/{id}/categories", Pricing::ROLES),
    ("post", "/v1/products/{id}/character", Pricing::ROLES),
    ("post", "/v1/products/{id}/classification", Pricing::ROLES),
    ("post", "/v1/products/{id}/floor", Pricing::ROLES),
    ("post", "/v1/products/{id}/images", Pricing::ROLES),
    ("post", "/v1/products/{id}/packing", Pricing::ROLES),
    ("post", "/v1/products/{id}/parts", Pricing::ROLES),
    ("post", "/v1/products/{id}/price", Pricing::ROLES),
    ("post", "/v1/products/{id}/publish", Pricing::ROLES),
    ("post", "/v1/products/{id}/rename", Pricing::ROLES),
    ("post", "/v1/products/{id}/return-term", Pricing::ROLES),
    ("post", "/v1/products/{id}/substitutes", Pricing::ROLES),
    ("post", "/v1/products/{id}/texts", Pricing::ROLES),
    ("post", "/v1/products/{id}/vat-rate", Pricing::ROLES),
    ("post", "/v1/products/{id}/withdraw", Pricing::ROLES),
    ("get", "/v1/quotation-requests", ReadTrade::ROLES),
    ("post", "/v1/quotation-requests", Ordering::ROLES),
    ("get", "/v1/quotation-requests/{id}", ReadTrade::ROLES),
    ("post", "/v1/quotation-requests/{id}/assign", Pricing::ROLES),
    ("post", "/v1/quotation-requests/{id}/decline", Sales::ROLES),
    ("post", "/v1/quotation-requests/{id}/take", Sales::ROLES),
    ("post", "/v1/quotation-requests/{id}/withdraw", Buyers::ROLES),
    ("get", "/v1/returns", ReadTrade::ROLES),
    ("post", "/v1/returns", Ordering::ROLES),
    ("get", "/v1/returns/{id}", ReadTrade::ROLES),
    ("post", "/v1/returns/{id}/authorise", ReturnDecisions::ROLES),
    ("post", "/v1/returns/{id}/close", ReturnDecisions::ROLES),
    ("post", "/v1/returns/{id}/credit", ReturnCredits::ROLES),
    ("post", "/v1/returns/{id}/inspect", Dispatch::ROLES),
    ("post", "/v1/returns/{id}/receive", Dispatch::ROLES),
    ("post", "/v1/returns/{id}/refuse", ReturnDecisions::ROLES),
    ("post", "/v1/returns/{id}/replace", ReturnCredits::ROLES),
    ("post", "/v1/returns/{id}/send", Ordering::ROLES),
    ("post", "/v1/returns/{id}/withdraw", Ordering::ROLES),
    ("get", "/v1/shipments", ReadTrade::ROLES),
    ("post", "/v1/shipments", Dispatch::ROLES),
    ("get", "/v1/shipments/{id}", ReadTrade::ROLES),
    ("get", "/v1/standing-orders", ReadTrade::ROLES),
    ("post", "/v1/standing-orders", Ordering::ROLES),
    ("get", "/v1/standing-orders/dates", Ordering::ROLES),
    ("get", "/v1/standing-orders/{id}", ReadTrade::ROLES),
    ("post", "/v1/standing-orders/{id}/change", Ordering::ROLES),
    ("post", "/v1/standing-orders/{id}/change-date", Ordering::ROLES),
    ("post", "/v1/standing-orders/{id}/end", Ordering::ROLES),
    ("post", "/v1/standing-orders/{id}/pause", Ordering::ROLES),
    ("post", "/v1/standing-orders/{id}/restore", Ordering::ROLES),
    ("post", "/v1/standing-orders/{id}/resume", Ordering::ROLES),
    ("post", "/v1/standing-orders/{id}/skip", Ordering::ROLES),
    ("post", "/v1/shipments/{id}/cancel", Dispatch::ROLES),
    ("post", "/v1/shipments/{id}/deliver", Dispatch::ROLES),
    ("get", "/v1/shipments/{id}/despatch-advice", ReadTrade::ROLES),
    ("get", "/v1/shipments/{id}/despatch-advice/ubl", ReadTrade::ROLES),
    ("post", "/v1/shipments/{id}/dispatch", Dispatch::ROLES),
    ("post", "/v1/shipments/{id}/fail", Dispatch::ROLES),
    ("post", "/v1/shipments/{id}/pack", Dispatch::ROLES),
    ("post", "/v1/shipments/{id}/return-to-sender", Dispatch::ROLES),
    ("post", "/v1/shipments/prepare", Dispatch::ROLES),
    ("get", "/v1/stock", ReadStock::ROLES),
    ("post", "/v1/stock", Dispatch::ROLES),
    ("post", "/v1/stock/feed", Dispatch::ROLES),
    ("get", "/v1/stock/{id}", ReadWarehouses::ROLES),
    ("post", "/v1/stock/{id}/adjust", Dispatch::ROLES),
    ("post", "/v1/stock/{id}/cancel-expected", Dispatch::ROLES),
    ("post", "/v1/stock/{id}/count", Dispatch::ROLES),
    ("post", "/v1/stock/{id}/expect", Dispatch::ROLES),
    ("get", "/v1/stock/{id}/movements", ReadWarehouses::ROLES),
    ("post", "/v1/stock/{id}/receive", Dispatch::ROLES),
    ("post", "/v1/stock/{id}/settings", Dispatch::ROLES),
    ("post", "/v1/stock/{id}/take-back", Dispatch::ROLES),
    ("post", "/v1/stock/{id}/transfer", Dispatch::ROLES),
    ("get", "/v1/stock/{id}/warehouses", ReadWarehouses::ROLES),
    ("post", "/v1/stock/{id}/withdraw", Dispatch::ROLES),
    ("get", "/v1/territories", Sales::ROLES),
    ("post", "/v1/territories", Pricing::ROLES),
    ("get", "/v1/warehouses", ReadWarehouses::ROLES),
    ("post", "/v1/warehouses", WarehouseAdministration::ROLES),
    ("get", "/v1/warehouses/{id}", ReadWarehouses::ROLES),
    ("post", "/v1/warehouses/{id}/close", WarehouseAdministration::ROLES),
    ("post", "/v1/warehouses/{id}/rename", WarehouseAdministration::ROLES),
    ("post", "/v1/warehouses/{id}/reopen", WarehouseAdministration::ROLES),
];

#[tokio::test]
async fn every_route_is_open_to_its_roles_alone() {
    let mut shop = Shop::open().await;
    let document = shop.instance.get("admin", "/openapi.json").await.body;
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
    for role in Role::ALL {
        let company = role.is_buyer().then_some(&grocer);
        shop.instance.make_key(role.name(), role.name(), company).await;
    }
    for (method, path, roles) in ROUTES {
        let path = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
        for role in Role::ALL {
            let (allowed, role) = (roles.contains(&role), role.name());
            // An empty body is refused after the role, so nothing is done.
            let status = shop.instance.knock(role, method, &path).await;
            assert_eq!(status != 403, allowed, "{role}: {method} {path} answers {status}");
            assert_ne!(status, 401, "{role}: {method} {path}");
        }
        assert_eq!(shop.instance.knock("nobody", method, &path).await, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn a_key_is_made_once() {
    let shop = Shop::open().await;
    let body = json!({ "name": "erp", "role": "integrator" });
    let made = shop.instance.post_with_key("admin", "/v1/api-keys", "erp-1", &body).await;
    let again = shop.instance.post_with_key("admin", "/v1/api-keys", "erp-1", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("api_key.already_made")));
    let keys = shop.instance.get("admin", "/v1/api-keys").await.body;
    assert_eq!(keys.as_array().unwrap().iter().filter(|key| key["name"] == "erp").count(), 1);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing() {
    let mut shop = Shop::open().await;
    shop.instance.make_key("temp", "sales", None).await;
    assert_eq!(shop.instance.knock("temp", "get", "/v1/orders").await, 200);
    let keys = shop.instance.get("admin", "/v1/api-keys").await.body;
    let key = keys.as_array().unwrap().iter().find(|key| key["name"] == "temp").unwrap();
    let id = key["id"].as_str().unwrap();
    assert_eq!(shop.instance.knock("admin", "delete", &format!("/v1/api-keys/{id}")).await, 204);
    assert_eq!(shop.instance.knock("temp", "get", "/v1/orders").await, 401);
}

#[tokio::test]
async fn another_company_is_like_a_missing_one() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let offer = shop.sent_offer().await;
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    let shipment = invoice["shipment"].as_str().unwrap();
    let payment = json!({ "company": grocer, "method": "cash",
        "amount": { "amount": "1.00", "currency": "PLN" } });
    let payment = created(instance.post("accounting", "/v1/payments", &payment).await);
    let goods_return = json!({ "invoice": invoice["id"], "kind": "return",
        "lines": [{ "invoice_line": 1, "quantity": "1", "reason": "damaged" }] });
    let goods_return = created(instance.post("grocer", "/v1/returns", &goods_return).await);
    instance.settled().await;

    let invoice = invoice["id"].as_str().unwrap();
    let things = BTreeMap::from([
        ("/v1/companies", grocer.as_str()),
        ("/v1/offers", &offer),
        ("/v1/orders", &order),
        ("/v1/shipments", shipment),
        ("/v1/invoices", invoice),
        ("/v1/payments", &payment),
        ("/v1/returns", &goods_return),
    ]);
    for (collection, id) in things {
        let own = instance.get("grocer", &format!("{collection}/{id}")).await;
        assert_eq!(own.status, 200, "{collection}: {own:?}");
        let other = instance.get("hotel", &format!("{collection}/{id}")).await;
        let missing = "00000000-0000-7000-8000-000000000000";
        let missing = instance.get("hotel", &format!("{collection}/{missing}")).await;
        assert_eq!((other.status, &other.body), (404, &missing.body), "{collection}");
        let listed = instance.get("hotel", collection).await;
        let of_grocer = |item: &&Value| item["id"] == json!(id);
        let items = listed.body["items"].as_array().unwrap();
        assert_eq!(items.iter().find(of_grocer), None, "{collection}");
    }
    for path in
        ["/v1/orders", "/v1/account-balances", "/v1/invoices", "/v1/payments", "/v1/returns"]
    {
        let asked = instance.get("hotel", &format!("{path}?company={grocer}")).await;
        assert_eq!(asked.status, 404, "{path}");
    }
    // A drafted offer is the seller's business.
    let draft = json!({
        "company": grocer, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [{ "sku": "RICE", "quantity": "1" }],
    });
    let draft = created(instance.post("sales", "/v1/offers", &draft).await);
    instance.settled().await;
    assert_eq!(instance.get("sales", &format!("/v1/offers/{draft}")).await.status, 200);
    assert_eq!(instance.get("grocer", &format!("/v1/offers/{draft}")).await.status, 404);
    let stamp = stamp(instance, &offer).await;
    let accepted = instance.post("grocer", &format!("/v1/offers/{draft}/accept"), &stamp).await;
    assert_eq!(accepted.status, 404);
}
