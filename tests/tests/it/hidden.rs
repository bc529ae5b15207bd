//! What one side deliberates shows nowhere to the other: not in what commands answer, not in its
//! history, not in an offer that was not sent.

use serde_json::{Value, json};

use crate::{
    house::Answer,
    journeys::{accept, created, refused},
    negotiations::Table,
};

/// Where history has got to: all that a command on an offer or on talks tells, beside what it is.
#[track_caller]
fn position(answer: &Answer) -> u64 {
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    let named: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(named, ["id", "position"], "{answer:?}");
    answer.body["position"].as_u64().unwrap()
}

/// Coffee of the list at 10.00; below 9.50, Maria must agree.
fn coffee(table: &Table, unit_price: &str) -> Value {
    json!({
        "company": table.shop.grocer, "valid_until": "2099-12-31",
        "lines": [{ "sku": "COFFEE", "quantity": "100", "unit_price": unit_price }],
    })
}

#[tokio::test]
async fn no_answer_counts_what_the_other_side_deliberates() {
    let table = Table::laid().await;
    let house = table.house();
    let ask = async |who: &str, what: &str, body: Value| {
        house.post(who, &format!("/v1/offers/{}/{what}", table.offer), &body).await
    };
    let viewed = json!({ "revision": 1 });
    let first = position(&ask("Ewa", "view", viewed.clone()).await);
    position(&ask("Tomasz", "draft", coffee(&table, "8.00")).await);
    let asked = position(&ask("Tomasz", "send", json!({})).await);
    // Somebody else trades meanwhile, and Ewa looks once more: that changes nothing.
    let others = table.shop.sent_offer().await;
    let end = house.settled().await;
    let again = position(&ask("Ewa", "view", viewed).await);
    assert!(first < asked && asked < end);
    assert_eq!(again, end, "the end of history, not of the offer's: {others}");

    let talks = {
        let say = json!({ "lines": [{ "line": 1, "unit_price": "9.40" }] });
        let opened = ask("Jan", "negotiate", json!({ "revision": 1, "say": say })).await;
        position(&opened);
        created(opened)
    };
    let tell = async |who: &str, what: &str, body: Value| table.tell(who, &talks, what, body).await;
    let lower = json!({ "round": 2, "say": { "lines": [{ "line": 1, "unit_price": "9.20" }] } });
    position(&tell("Tomasz", "propose", lower).await);
    refused(
        &tell("Jan", "reopen", json!({ "lines": [] })).await,
        422,
        "negotiation.nothing_to_reopen",
    );
    position(&table.answer("Maria", &talks, "approve").await);
    position(&tell("Jan", "break-off", json!({})).await);
    table.shop.sent_offer().await;
    let end = house.settled().await;
    assert_eq!(position(&tell("Jan", "break-off", json!({})).await), end);
    position(&tell("Jan", "resume", json!({})).await);
    let stale = tell("Jan", "propose", json!({ "round": 2, "say": { "agree": [2] } })).await;
    refused(&stale, 409, "negotiation.other_round");
    position(&tell("Jan", "agree", json!({ "round": 3 })).await);
    position(&ask("Tomasz", "extend", json!({ "valid_until": "2100-01-31" })).await);
    house.settled().await;
    position(&accept(house, "Jan", &table.offer).await);
}
