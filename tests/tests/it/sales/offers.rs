//! Offers: source documents, approvals by discount, and what stays unchanged after an agreement.

use serde_json::{Value, json};

use crate::{
    instance::Instance,
    journeys::{Shop, asked, created, done, refused, stamp},
};

async fn send(instance: &Instance, offer: &str) {
    done(instance.post("sales", &format!("/v1/offers/{offer}/send"), &json!({})).await);
}

async fn shown(instance: &Instance, who: &str, offer: &str) -> Value {
    let head = instance.settled().await;
    instance.get(who, &format!("/v1/offers/{offer}?wait_for={head}")).await.body
}

fn copy(of: &str, more: &Value) -> Value {
    let mut draft =
        json!({ "from": { "kind": "offer", "offer": of }, "valid_until": "2099-12-31" });
    draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    draft
}

#[tokio::test]
async fn a_copy_is_of_what_was_sent_last() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let draft = json!({
        "company": shop.grocer, "valid_until": "2099-12-31", "message": "Tylko dla Państwa",
        "payment_term": { "kind": "net", "days": 60 },
        "lines": [{ "sku": "COFFEE", "quantity": "10", "unit_price": "9.00" }],
    });
    let offer = created(instance.post("sales", "/v1/offers", &draft).await);
    // At once, without waiting for any read model.
    let first = created(instance.post("sales", "/v1/offers", &copy(&offer, &json!({}))).await);
    send(instance, &offer).await;
    let mut late = draft.clone();
    late["lines"][0]["deliver_on"] = json!("2020-01-01");
    let late = instance.post("sales", "/v1/offers", &late).await;
    assert_eq!(late.body["errors"][0]["pointer"], "/lines/0/deliver_on", "{late:?}");
    let mut dearer = draft.clone();
    dearer["lines"][0]["unit_price"] = json!("9.70");
    done(instance.post("sales", &format!("/v1/offers/{offer}/draft"), &dearer).await);
    send(instance, &offer).await;
    let second = created(instance.post("sales", "/v1/offers", &copy(&offer, &json!({}))).await);
    let to_hotel = copy(&offer, &json!({ "company": shop.hotel }));
    let third = created(instance.post("sales", "/v1/offers", &to_hotel).await);
    let price = async |offer: &str| {
        shown(instance, "sales", offer).await["lines"][0]["unit_price"].as_str().unwrap().to_owned()
    };
    assert_eq!((price(&first).await, price(&second).await), ("9.00".into(), "9.70".into()));
    let of_grocer = shown(instance, "sales", &second).await;
    assert_eq!(of_grocer["message"], "Tylko dla Państwa");
    let of_hotel = shown(instance, "sales", &third).await;
    assert_eq!(of_hotel["message"], Value::Null);
    assert_eq!(of_hotel["payment_term"], json!({ "kind": "net", "days": 30 }));
}

#[tokio::test]
async fn prices_stay_in_their_currency() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let offer = shop.sent_offer().await;
    let template = json!({ "name": "Na początek", "currency": "PLN", "valid_days": 30,
        "lines": [{ "sku": "RICE", "quantity": "10", "unit_price": "1.50" }] });
    let template = created(instance.post("sales", "/v1/offer-templates", &template).await);
    for from in [
        json!({ "kind": "offer", "offer": offer }),
        json!({ "kind": "template", "template": template }),
    ] {
        let euros = json!({ "from": from, "company": shop.grocer, "currency": "EUR",
            "valid_until": "2099-12-31" });
        let answer = instance.post("sales", "/v1/offers", &euros).await;
        refused(&answer, 422, "offer.other_currency");
        assert_eq!(answer.body["errors"][0]["pointer"], "/currency");
    }
    let own = copy(
        &offer,
        &json!({ "currency": "EUR",
        "lines": [{ "sku": "COFFEE", "quantity": "1", "unit_price": "2.10" }] }),
    );
    created(instance.post("sales", "/v1/offers", &own).await);
}

#[tokio::test]
async fn superiors_stand_behind_all_that_can_be_ordered() {
    let mut shop = Shop::open().await;
    shop.instance.engage("Tomasz", "sales", None).await;
    shop.instance.engage("Maria", "sales_manager", None).await;
    let instance = &shop.instance;
    let rules = json!({ "rules": [{ "name": "Ponad 5000",
        "when": { "above": [{ "amount": "5000.00", "currency": "PLN" }] },
        "steps": [{ "by": { "kind": "role", "role": "sales_manager" } }] }] });
    done(instance.post("admin", "/v1/approval-rules", &rules).await);
    instance.settled().await;
    let offer = async |line: Value| {
        let draft = json!({ "company": shop.grocer, "valid_until": "2099-12-31",
            "lines": [line, { "sku": "RICE", "quantity": "1",
                "choice": { "kind": "alternative", "to": 1 } }] });
        let offer = created(instance.post("Tomasz", "/v1/offers", &draft).await);
        done(instance.post("Tomasz", &format!("/v1/offers/{offer}/send"), &json!({})).await);
        (shown(instance, "sales", &offer).await["status"].clone(), offer)
    };
    let line = |at_most: &str| {
        json!({ "sku": "COFFEE", "quantity": "1", "at_most": at_most,
            "breaks": [{ "at_least": "100", "unit_price": "10.00" }] })
    };
    let (status, small) = offer(line("500")).await;
    assert_eq!(status, "open");
    let many = json!([{ "line": 1, "quantity": "501" }]);
    let mut body = stamp(instance, &small).await;
    body["lines"] = many;
    let accept = format!("/v1/offers/{small}/accept");
    refused(&instance.post("grocer", &accept, &body).await, 422, "offer.quantity_not_offered");
    assert_eq!(offer(line("501")).await.0, "awaiting_approval");
    let mut endless = line("501");
    endless.as_object_mut().unwrap().remove("at_most");
    let draft = json!({ "company": shop.grocer, "valid_until": "2099-12-31", "lines": [endless] });
    let answer = instance.post("Tomasz", "/v1/offers", &draft).await;
    refused(&answer, 422, "offer.largest_quantity_needed");
    // An alternative that grows while it is talked about counts like what it stands for.
    let say = json!({ "lines": [{ "line": 2, "quantity": "10000", "unit_price": "1.99" }],
        "agree": [1], "agree_to_conditions": true });
    let opening = json!({ "revision": 1, "say": say });
    let negotiate = format!("/v1/offers/{small}/negotiate");
    let negotiation = created(instance.post("grocer", &negotiate, &opening).await);
    let agree = format!("/v1/negotiations/{negotiation}/agree");
    done(instance.post("Tomasz", &agree, &json!({ "round": 2 })).await);
    let read = asked(instance, "Maria", &negotiation).await;
    done(instance.post("Maria", &format!("/v1/negotiations/{negotiation}/approve"), &read).await);
    assert_eq!(shown(instance, "grocer", &small).await["revision"], 2);
}

#[tokio::test]
async fn what_both_agreed_on_stays() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let draft = json!({ "company": shop.grocer, "valid_until": "2099-12-31", "divisible": true,
        "lines": [
            { "sku": "COURSE", "quantity": "1", "unit_cost": "100.00" },
            { "sku": "COFFEE", "quantity": "10", "unit_cost": "7.00" },
            { "sku": "RICE", "quantity": "10", "choice": { "kind": "optional" } },
        ] });
    let offer = created(instance.post("sales", "/v1/offers", &draft).await);
    send(instance, &offer).await;
    // The course is dropped, and coffee takes its number.
    let say = json!({ "drop": [1], "agree": [2, 3], "agree_to_conditions": true });
    let opening = json!({ "revision": 1, "say": say });
    let negotiate = format!("/v1/offers/{offer}/negotiate");
    let negotiation = created(instance.post("grocer", &negotiate, &opening).await);
    let agree = format!("/v1/negotiations/{negotiation}/agree");
    done(instance.post("sales", &agree, &json!({ "round": 2 })).await);
    let agreed = shown(instance, "sales", &offer).await;
    assert_eq!(agreed["revision"], 2);
    assert_eq!(agreed["margin"]["cost"]["amount"], "70.00", "{agreed}");
    // Neither side alone makes another revision of it.
    let anew = instance.post("sales", &format!("/v1/offers/{offer}/draft"), &draft).await;
    refused(&anew, 409, "offer.agreed_on");

    let accept = format!("/v1/offers/{offer}/accept");
    let mut taken = stamp(instance, &offer).await;
    taken["lines"] = json!([{ "line": 1 }]);
    done(instance.post("grocer", &accept, &taken).await);
    done(instance.post("grocer", &accept, &taken).await);
    let mut more = taken.clone();
    more["lines"] = json!([{ "line": 1 }, { "line": 2 }]);
    refused(&instance.post("grocer", &accept, &more).await, 409, "offer.already_accepted");
    let mut elsewhere = taken.clone();
    elsewhere["destination"] = json!({ "cost_centre": "Kuchnia" });
    refused(&instance.post("grocer", &accept, &elsewhere).await, 409, "offer.already_accepted");
    // Only what was taken becomes a contract.
    let contract = format!("/v1/offers/{offer}/contract");
    let contract =
        created(instance.post("sales_manager", &contract, &json!({ "name": "Kawa" })).await);
    let head = instance.settled().await;
    let prices = format!("/v1/price-agreements/{contract}/prices?wait_for={head}");
    let prices = instance.all("sales_manager", &prices).await;
    assert_eq!(prices.len(), 1, "{prices:?}");
}
