//! What waits for whom: each side sees its own turn and the other's, and nothing of what the other
//! side keeps to itself.

use jiff::ToSpan;
use serde_json::{Value, json};

use crate::{
    instance::Instance,
    journeys::{accept, asked, created, done, refused, today},
    sales::negotiations::Table,
};

/// What waits, as somebody sees it.
async fn items(instance: &Instance, who: &str, query: &str) -> Vec<Value> {
    let head = instance.settled().await;
    instance.all(who, &format!("/v1/inbox?wait_for={head}&{query}")).await
}

/// The same in short: what it is, whose turn it is, and what only this side knows.
async fn inbox(instance: &Instance, who: &str, query: &str) -> Vec<String> {
    let short = |item: &Value| {
        let word = |name: &str| item[name].as_str().unwrap();
        let mut text = format!("{} {}", word("kind"), word("turn"));
        for inner in ["awaiting_approval", "being_written"] {
            if item[inner] == true {
                text = format!("{text} {inner}");
            }
        }
        text
    };
    items(instance, who, query).await.iter().map(short).collect()
}

#[track_caller]
fn is(found: &[String], wanted: &[&str]) {
    assert_eq!(found, wanted);
}

impl Table {
    /// What waits for Ewa's company and for the other side, then the same for Tomasz.
    async fn check(&self, [to_ewa, ewa_waits, to_tomasz, tomasz_waits]: [&[&str]; 4]) {
        let instance = self.instance();
        is(&inbox(instance, "Ewa", "waiting=me").await, to_ewa);
        is(&inbox(instance, "Ewa", "waiting=them").await, ewa_waits);
        is(&inbox(instance, "Tomasz", "waiting=me").await, to_tomasz);
        is(&inbox(instance, "Tomasz", "waiting=them").await, tomasz_waits);
        is(&inbox(instance, "hotel", "").await, &[]);
    }
}

#[tokio::test]
async fn a_turn_goes_to_and_fro_and_superiors_are_one_sides_business() {
    let table = Table::laid().await;
    let instance = table.instance();
    table.check([&["offer buyer"], &[], &[], &["offer buyer"]]).await;
    let offer = items(instance, "Tomasz", "").await.remove(0);
    assert_eq!((&offer["id"], &offer["revision"]), (&json!(table.offer), &json!(1)));
    assert_eq!(
        (&offer["company"], &offer["until"]),
        (&json!(table.shop.grocer), &json!("2099-12-31"))
    );
    assert_eq!(offer["seen_at"], Value::Null);
    let view = format!("/v1/offers/{}/view", table.offer);
    done(instance.post("Ewa", &view, &json!({ "revision": 1 })).await);
    assert!(items(instance, "Tomasz", "").await[0]["seen_at"].is_string());

    // Ewa opens a negotiation about more than she may order alone: Anna must agree first.
    let say = json!({ "lines": [{ "line": 1, "unit_price": "8.50" }], "answer_by": "2099-02-01" });
    let negotiation = table.open("Ewa", say).await;
    let asking = "negotiation buyer awaiting_approval";
    table.check([&[asking], &[], &[], &["negotiation buyer"]]).await;
    let unheard = items(instance, "Tomasz", "").await.remove(0);
    assert_eq!((&unheard["id"], &unheard["offer"]), (&json!(negotiation), &json!(table.offer)));
    assert_eq!((&unheard["rounds"], &unheard["until"]), (&json!(0), &json!("2099-12-31")));
    done(table.answer("Anna", &negotiation, "approve").await);
    table.check([&[], &["negotiation seller"], &["negotiation seller"], &[]]).await;
    let heard = items(instance, "Tomasz", "").await.remove(0);
    assert_eq!((&heard["rounds"], &heard["until"]), (&json!(1), &json!("2099-02-01")));

    // So must Maria, and Ewa sees nothing of that.
    let before = items(instance, "Ewa", "").await;
    let say = json!({ "lines": [{ "line": 1, "unit_price": "9.00" }] });
    let second = json!({ "round": 2, "say": say });
    done(table.act("Tomasz", &negotiation, "propose", second.clone()).await);
    let asking = "negotiation seller awaiting_approval";
    table.check([&[], &["negotiation seller"], &[asking], &[]]).await;
    assert_eq!(items(instance, "Ewa", "").await, before);
    let mut no = asked(instance, "Maria", &negotiation).await;
    no["reason"] = json!("Za tanio");
    done(table.act("Maria", &negotiation, "disapprove", no).await);
    table.check([&[], &["negotiation seller"], &["negotiation seller"], &[]]).await;
    done(table.act("Tomasz", &negotiation, "propose", second).await);
    done(table.answer("Maria", &negotiation, "approve").await);
    table.check([&["negotiation buyer"], &[], &[], &["negotiation buyer"]]).await;

    // When they stop, the offer waits as it stands; when they go on, it does not.
    done(table.act("Ewa", &negotiation, "break-off", json!({})).await);
    table.check([&["offer buyer"], &[], &[], &["offer buyer"]]).await;
    done(table.act("Tomasz", &negotiation, "resume", json!({})).await);
    table.check([&["negotiation buyer"], &[], &[], &["negotiation buyer"]]).await;
    done(accept(instance, "Jan", &table.offer).await);
    table.check([&[], &[], &[], &[]]).await;
    let compared = instance.run(&["projections", "compare", "all"]);
    assert!(compared.lines().all(|line| line.trim_end().ends_with("equal")), "{compared}");
}

#[tokio::test]
async fn a_company_sees_nothing_of_what_is_being_written() {
    let table = Table::laid().await;
    let instance = table.instance();
    let path = |what: &str| format!("/v1/offers/{}/{what}", table.offer);
    let before = items(instance, "Ewa", "").await;
    // The next revision, 20 percent off: Maria must agree.
    let next = json!({
        "company": table.shop.grocer, "valid_until": "2099-06-30",
        "lines": [{ "sku": "COFFEE", "quantity": "100", "unit_price": "8.00" }],
    });
    done(instance.post("Tomasz", &path("draft"), &next).await);
    let both = "offer buyer being_written";
    table.check([&["offer buyer"], &[], &[both], &[both]]).await;
    done(instance.post("Tomasz", &path("send"), &json!({})).await);
    let asking = "offer buyer awaiting_approval being_written";
    table.check([&["offer buyer"], &[], &[asking], &[asking]]).await;
    assert_eq!(items(instance, "Ewa", "").await, before);
    let read = asked(instance, "Maria", &table.offer).await;
    done(instance.post("Maria", &path("approve"), &read).await);
    table.check([&["offer buyer"], &[], &[both], &[both]]).await;
    assert_eq!(items(instance, "Ewa", "").await, before);
    done(instance.post("Tomasz", &path("send"), &json!({})).await);
    table.check([&["offer buyer"], &[], &[], &["offer buyer"]]).await;
    let shown = items(instance, "Ewa", "").await.remove(0);
    assert_eq!((&shown["revision"], &shown["until"]), (&json!(2), &json!("2099-06-30")));
    let longer = json!({ "valid_until": "2100-06-30" });
    done(instance.post("Tomasz", &path("extend"), &longer).await);
    assert_eq!(items(instance, "Ewa", "").await[0]["until"], "2100-06-30");
    done(instance.post("Ewa", &path("reject"), &json!({})).await);
    table.check([&[], &[], &[], &[]]).await;

    // What was never sent is nobody's business but the seller's.
    let draft = created(instance.post("Tomasz", "/v1/offers", &next).await);
    let written = "offer seller being_written";
    table.check([&[], &[], &[written], &[]]).await;
    let withdraw = format!("/v1/offers/{draft}/withdraw");
    done(instance.post("Tomasz", &withdraw, &json!({})).await);
    table.check([&[], &[], &[], &[]]).await;
}

#[tokio::test]
async fn what_ends_soon_and_what_is_ones_own() {
    let table = Table::laid().await;
    let instance = table.instance();
    let in_days = |days: i64| {
        let day = today();
        day.saturating_add(days.days()).to_string()
    };
    // An offer of the seller's own initiative, and a request that nobody looks after.
    let offer = json!({
        "company": table.shop.grocer, "valid_until": in_days(20),
        "lines": [{ "sku": "RICE", "quantity": "10" }],
    });
    let soon = created(instance.post("Maria", "/v1/offers", &offer).await);
    done(instance.post("Maria", &format!("/v1/offers/{soon}/send"), &json!({})).await);
    let request = json!({ "currency": "PLN", "answer_by": in_days(10),
        "lines": [{ "sku": "RICE", "quantity": "50" }] });
    let request = created(instance.post("Jan", "/v1/quotation-requests", &request).await);
    let ids = async |who: &str, query: &str| {
        let items = items(instance, who, query).await;
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // What has waited longest comes first.
    let all = [table.offer.as_str(), &soon, &request];
    assert_eq!(ids("Ewa", "").await, all);
    assert_eq!(ids("Tomasz", "").await, all);
    assert_eq!(ids("Ewa", "about_to_expire=25").await, all[1..]);
    assert_eq!(ids("Ewa", "about_to_expire=15").await, all[2..]);
    assert_eq!(ids("Ewa", "about_to_expire=15&waiting=me").await, all[..0]);
    assert_eq!(ids("Ewa", "about_to_expire=5").await, all[..0]);
    assert_eq!(ids("Ewa", "kind=offer").await, all[..2]);
    assert_eq!(ids("Tomasz", &format!("company={}", table.shop.hotel)).await, all[..0]);

    // Ewa has asked for the first, Jan for the last; Tomasz looks after the first.
    for (who, own) in [("Ewa", &all[..1]), ("Jan", &all[2..]), ("Tomasz", &all[..1])] {
        assert_eq!(ids(who, "mine=true").await, own, "{who}");
    }
    let take = format!("/v1/quotation-requests/{request}/take");
    done(instance.post("Tomasz", &take, &json!({})).await);
    assert_eq!(ids("Tomasz", "mine=true&waiting=me").await, all[2..]);
    let decline = format!("/v1/quotation-requests/{request}/decline");
    done(instance.post("Tomasz", &decline, &json!({ "reason": "Brak" })).await);
    assert_eq!(ids("Ewa", "").await, all[..2]);
    // Jan speaks about the first one.
    let say = json!({ "lines": [{ "line": 1, "unit_price": "9.40" }] });
    let negotiation = table.open("Jan", say).await;
    for who in ["Jan", "Tomasz", "Ewa"] {
        assert_eq!(ids(who, "mine=true").await, [negotiation.as_str()], "{who}");
    }

    let page = instance.get("Ewa", "/v1/inbox?limit=1").await.body;
    let next = format!("/v1/inbox?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    let last = instance.get("Ewa", &next).await.body;
    let shown = [&page, &last].map(|page| page["items"][0]["id"].as_str().unwrap().to_owned());
    assert_eq!(shown, [soon, negotiation]);
    assert_eq!(last["next_cursor"], Value::Null);
    for (who, query, status, code) in [
        ("sales", "mine=true", 422, "inbox.needs_employee"),
        ("Ewa", "about_to_expire=367", 400, "query.invalid"),
        ("hotel", &format!("company={}", table.shop.grocer), 404, "not_found"),
    ] {
        let answer = instance.get(who, &format!("/v1/inbox?{query}")).await;
        refused(&answer, status, code);
    }
}
