//! The longest and the oddest that events can say, through every read model: whatever the domain lets
//! into history fits the tables and their indexes.

use std::collections::BTreeMap;

use projections::{Projection, rebuild, views};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{runner::names, stored::Event, trade::Instance};

/// Characters at the limits: four bytes, folded to many letters, joined to the one before, from right to
/// left, and words that never end.
const CHARACTERS: [&str; 6] = ["𝔘", "\u{fdfa}", "한", "e\u{301}", "ש", "f0"];

/// Those whose tables have text in a key, or words; what others show is compared elsewhere.
const KEYED_BY_TEXT: [Projection; 4] = [
    views::catalogue::catalogue::PROJECTION,
    views::parties::companies::PROJECTION,
    views::sales::orders::PROJECTION,
    views::catalogue::product_codes::PROJECTION,
];

/// In how many languages something long is said: enough for more than a tsvector holds.
const MANY: usize = 30;

/// As many of a character as fit in `most`, with spaces so that words differ, or without.
fn filled(character: &str, most: usize, spaced: bool) -> String {
    let mut text = String::new();
    let mut count = 0;
    for number in 0.. {
        let next = if spaced { format!("{character}{number} ") } else { character.to_owned() };
        count += next.chars().count();
        if count > most {
            return text.trim().to_owned();
        }
        text += &next;
    }
    unreachable!("it returns when the text is full")
}

/// Languages, as many as a product may speak.
fn languages(of: impl Fn(usize) -> String) -> BTreeMap<String, String> {
    let code = |number: usize| format!("a{}", char::from(b'a' + u8::try_from(number).unwrap()));
    let second = |number: usize| format!("b{}", char::from(b'a' + u8::try_from(number).unwrap()));
    let codes = (0..26).map(code).chain((0..4).map(second));
    codes.enumerate().map(|(number, language)| (language, of(number))).collect()
}

fn product(character: &str, spaced: bool) -> Vec<Event> {
    let fill = |most| filled(character, most, spaced);
    let name = fill(200);
    let drafted = Event::of("product", "drafted");
    let sku = fill(64);
    let description = json!({ "sku": sku, "name": name, "unit": "piece", "vat_rate": "23" });
    let drafted =
        drafted.clone().saying(json!({ "id": drafted.stream_id, "description": description }));
    let attribute = |number: usize| {
        let value = json!({ "kind": "text", "value": filled(character, 200, spaced) });
        (format!("{number}"), value)
    };
    let attributes: serde_json::Map<String, Value> = (0..100).map(attribute).collect();
    // Words that differ are what fills a tsvector; one long word does not get longer in many languages.
    let long = if spaced { MANY } else { 1 };
    let texts = languages(|number| match number {
        number if number < long => filled(&format!("{number}{character}"), 10_000, spaced),
        _ => filled(character, 100, spaced),
    });
    let said = [
        ("renamed", json!({ "name": name, "translations": languages(|_| fill(200)) })),
        ("described", json!({ "texts": texts })),
        ("characterized", json!({ "brand": name, "family": fill(100), "attributes": attributes })),
        ("published", json!({})),
    ];
    following(drafted, said)
}

/// One event, and others in its stream.
fn following<const N: usize>(first: Event, said: [(&'static str, Value); N]) -> Vec<Event> {
    let mut events = vec![first];
    for (name, payload) in said {
        let next = events[events.len() - 1].then(name, payload);
        events.push(next);
    }
    events
}

fn others(character: &str) -> Vec<Event> {
    let fill = |most| filled(character, most, false);
    let group = json!({ "kind": "group", "group": fill(64) });
    let mut company = Event::sample("company", "registered");
    company.payload["profile"]["reference"] = json!(fill(100));
    company.payload["profile"]["name"] = json!(fill(200));
    let mut joined = Event::sample("company", "group_joined").payload;
    joined["group"] = json!(fill(64));
    let mut code = Event::sample("product_code", "assigned");
    code.payload["code"] = json!(fill(100));
    let mut agreement = Event::sample("price_agreement", "drafted");
    agreement.payload["header"]["audience"] = group.clone();
    agreement.payload["header"]["name"] = json!(fill(200));
    let mut discount = Event::sample("discount", "offered");
    discount.payload["audience"] = group.clone();
    let mut rule = Event::sample("assortment", "allowed");
    rule.payload["audience"] = group;
    let mut payment = Event::sample("payment", "booked");
    payment.payload["booking"]["title"] = json!(fill(1_000));
    let mut order = Event::sample("order", "placed");
    order.payload["terms"]["reference"] = json!(fill(100));
    let mut message = Event::sample("conversation", "message_sent");
    message.payload["text"] = json!(fill(4_000));
    let mut events = following(company, [("group_joined", joined)]);
    events.extend([code, agreement, discount, rule, payment, order, message]);
    events
}

/// Older builds let a shipment name a line twice.
fn line_named_twice() -> Vec<Event> {
    let mut left = Event::sample("order", "part_shipped").payload;
    left["items"] = json!([{ "line": 1, "quantity": "1" }, { "line": 1, "quantity": "2" }]);
    let confirmed = ("confirmed", json!({}));
    following(Event::sample("order", "placed"), [confirmed, ("part_shipped", left)])
}

#[tokio::test]
async fn whatever_history_may_say_fits_every_read_model() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    let mut events = line_named_twice();
    for character in CHARACTERS {
        events.extend(product(character, false));
        events.extend(others(character));
    }
    // Each of these says something else in each language: more words than a tsvector holds.
    events.extend(product("한", true));
    for event in &events {
        event.append(&instance).await;
    }
    let head = instance.log.head().await.unwrap();
    // Millions of words take longer than a query waits.
    let mut times = 0;
    while let Err(behind) = views.wait(&names(), head).await {
        times += 1;
        assert!(times < 30, "{behind}");
    }
    assert_eq!(views.set_aside(&names(), None), [], "set aside");
    for projection in KEYED_BY_TEXT {
        assert_eq!(rebuild::compare(&views, projection).await.unwrap(), [], "{}", projection.name);
    }
    rebuild::rebuild(&views, views::catalogue::catalogue::PROJECTION).await.unwrap();
    assert_eq!(views.set_aside(&names(), None), [], "set aside by a rebuild");
    let shipped = "SELECT sum(quantity)::text FROM view.order_shipments";
    let shipped: String = instance.client.query_one(shipped, &[]).await.unwrap().get(0);
    assert_eq!(shipped, "3", "what was named twice is added up");
    let published = "SELECT count(*) FROM view.catalogue WHERE status = 'published'";
    let published: i64 = instance.client.query_one(published, &[]).await.unwrap().get(0);
    assert_eq!(published, 1 + i64::try_from(CHARACTERS.len()).unwrap());
    cancel.cancel();
}
