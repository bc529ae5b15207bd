//! Standing orders over HTTP: started, announced, placed, skipped, changed, paused and ended.
//!
//! The instance runs at today's date; the days to come are those of a timer with a clock that the
//! test sets.

use std::time::Instant;

use command_service::{Services, timers};
use event_log::{EventLog, LogConfig};
use jiff::{ToSpan, civil::Date};
use projections::Views;
use serde_json::{Value, json};
use service_kit::{access::Access, clock::Clock, postgres};

use crate::{
    instance::{Answer, Instance},
    journeys::{Shop, asked, created, done, refused, today},
};

const PATH: &str = "/v1/standing-orders";

/// The timer of standing orders, on any day.
struct Days {
    log: EventLog,
    views: Views,
    access: Access,
}

impl Days {
    async fn of(instance: &Instance) -> Self {
        let url = instance.run_file()["database_url"].as_str().unwrap().to_owned();
        let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
        let pool = |name| postgres::pool(&url, name, 2).unwrap();
        let views = Views::open(pool("test views"), log.clone()).await.unwrap();
        Self { log, views, access: Access::new(pool("test access")) }
    }

    /// What happens on a day; to how many standing orders.
    async fn come(&self, instance: &Instance, day: Date) -> usize {
        instance.settled_in(PATH).await;
        let clock = Clock::fixed(format!("{day}T12:00:00Z").parse().unwrap());
        let (log, views, access) = (self.log.clone(), self.views.clone(), self.access.clone());
        let services = Services { log, views, access, clock };
        let failing = timers::Failing::new("standing_orders");
        let happened = timers::run_standing_orders(&services, &failing).await.unwrap();
        instance.settled().await;
        happened
    }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A day so many days after today.
fn later(days: i64) -> Date {
    today().checked_add(days.days()).unwrap()
}

/// Ten coffees every seven days from a day on.
fn weekly(from: Date) -> Value {
    json!({
        "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "10" }],
        "schedule": { "starts_on": from, "recurrence": { "kind": "every_days", "days": 7 },
            "non_working_days": "keep" },
        "unavailable_lines": "leave_out",
    })
}

/// The dates of a schedule that is JSON.
async fn preview(instance: &Instance, schedule: &str, more: &str) -> Answer {
    let url = reqwest::Url::parse_with_params("http://kontor", [("schedule", schedule)]).unwrap();
    let query = url.query().unwrap();
    instance.get("grocer", &format!("{PATH}/dates?{query}{more}")).await
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

async fn start(instance: &Instance, role: &str, body: &Value) -> String {
    created(instance.post(role, PATH, body).await)
}

async fn shown(instance: &Instance, role: &str, id: &str) -> Value {
    let head = instance.settled().await;
    instance.get(role, &format!("{PATH}/{id}?wait_for={head}")).await.body
}

/// The dates that were dealt with, oldest first, and what came of them.
fn runs(standing_order: &Value) -> Vec<(String, String)> {
    let runs = standing_order["runs"].as_array().unwrap().iter().rev();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    runs.map(|run| (text(&run["date"]), text(&run["outcome"]))).collect()
}

fn dealt(date: Date, outcome: &str) -> (String, String) {
    (date.to_string(), outcome.to_owned())
}

fn days_of(upcoming: &Value, count: usize) -> Vec<&str> {
    let days = upcoming.as_array().unwrap().iter().take(count);
    days.map(|one| one["on"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn christmas_and_new_year_move_its_orders() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    // In 2098, Christmas Day, New Year's Day and Epiphany's eve are around Thursdays.
    let schedule = json!({ "starts_on": "2098-12-01", "non_working_days": "forward",
        "recurrence": { "kind": "weekdays", "days": ["thursday"] } });
    let text = serde_json::to_string(&schedule).unwrap();
    let preview = preview(instance, &text, "&count=6").await;
    let expected =
        ["2098-12-04", "2098-12-11", "2098-12-18", "2098-12-29", "2099-01-02", "2099-01-08"];
    assert_eq!(preview.body["dates"], json!(expected), "{preview:?}");
    let body = json!({
        "name": "Kawa do biura", "currency": "PLN", "schedule": schedule,
        "lines": [{ "sku": "COFFEE", "quantity": "10" }, { "sku": "RICE", "quantity": "3" }],
        "destination": { "cost_centre": "MPK-1" }, "reference": "ZS/{date}/{number}",
        "unavailable_lines": "leave_out", "notice_days": 3,
    });
    let id = start(instance, "grocer", &body).await;
    let before = shown(instance, "grocer", &id).await;
    assert_eq!(days_of(&before["upcoming"], 6), expected);
    assert_eq!(before["next"]["notice_on"], "2098-12-01");

    let days = Days::of(instance).await;
    assert_eq!(days.come(instance, day("2098-11-30")).await, 0);
    assert_eq!(days.come(instance, day("2098-12-01")).await, 1, "it is announced");
    assert_eq!(days.come(instance, day("2098-12-02")).await, 0, "once");
    let announced = shown(instance, "grocer", &id).await;
    assert_eq!(announced["next"], json!({ "date": "2098-12-04", "on": "2098-12-04" }));
    let mut placed = Vec::new();
    for date in ["2098-12-04", "2098-12-11", "2098-12-18", "2098-12-29", "2099-01-02"] {
        for _ in 0..2 {
            days.come(instance, day(date)).await;
        }
        placed.push(date);
    }
    for quiet in ["2098-12-24", "2098-12-25", "2099-01-01"] {
        assert_eq!(days.come(instance, day(quiet)).await, 0, "{quiet}");
    }
    let orders = instance.all_whole("grocer", "/v1/orders").await;
    let references: Vec<&str> =
        orders.iter().rev().map(|order| order["reference"].as_str().unwrap()).collect();
    assert_eq!(
        references,
        [
            "ZS/2098-12-04/1",
            "ZS/2098-12-11/2",
            "ZS/2098-12-18/3",
            "ZS/2098-12-29/4",
            "ZS/2099-01-02/5"
        ]
    );
    let first = orders.last().unwrap();
    assert_eq!(
        first["source"],
        json!({ "kind": "standing_order", "standing_order": id, "date": "2098-12-04" })
    );
    assert_eq!(first["destination"], json!({ "cost_centre": "MPK-1" }));
    assert_eq!((&first["placed_on"], &first["status"]), (&json!("2098-12-04"), &json!("placed")));
    let after = shown(instance, "sales", &id).await;
    assert_eq!(after["orders"], 5);
    let expected: Vec<_> = placed.iter().map(|date| dealt(day(date), "placed")).collect();
    assert_eq!(runs(&after), expected);
    // The order and its record are one append.
    let of = |path: String| async move { instance.get("admin", &path).await.body["items"].clone() };
    let order = first["id"].as_str().unwrap();
    let placing = of(format!("/v1/history/{order}")).await;
    let recording = of(format!("/v1/history/{id}")).await;
    let command = &placing[0]["command_id"];
    let recorded = recording.as_array().unwrap().iter();
    let recorded = recorded.filter(|event| event["command_id"] == *command);
    let types: Vec<_> = recorded.map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["standing_order.run_placed"], "{placing} {recording}");
}

#[tokio::test]
async fn after_an_outage_the_newest_date_is_placed_once() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let first = later(3);
    let id = start(instance, "grocer", &weekly(first)).await;
    let days = Days::of(instance).await;
    let back = later(20);
    assert_eq!(days.come(instance, back).await, 1);
    assert_eq!(days.come(instance, back).await, 0);
    let after = shown(instance, "grocer", &id).await;
    let expected = [dealt(first, "missed"), dealt(later(10), "missed"), dealt(later(17), "placed")];
    assert_eq!(runs(&after), expected);
    let orders = instance.all_whole("grocer", "/v1/orders").await;
    let placed: Vec<_> = orders.iter().map(|order| &order["placed_on"]).collect();
    assert_eq!(placed, [&json!(back)]);
    assert_eq!(after["next"]["on"], json!(later(24)));
}

#[tokio::test]
async fn dates_are_skipped_moved_changed_and_restored() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let id = start(instance, "grocer", &weekly(later(7))).await;
    let path = |what: &str| format!("{PATH}/{id}/{what}");
    let on = |days: i64| json!({ "date": later(days) });
    let skip = async |days| instance.post("grocer", &path("skip"), &on(days)).await;
    done(skip(7).await);
    done(skip(7).await);
    done(skip(14).await);
    refused(&skip(8).await, 422, "standing_order.no_such_date");
    refused(&skip(-7).await, 409, "standing_order.date_passed");
    refused(&skip(7 * 200).await, 422, "standing_order.too_far_ahead");
    done(instance.post("grocer", &path("restore"), &on(14)).await);
    let change = async |body: Value| instance.post("grocer", &path("change-date"), &body).await;
    let moved = |days: i64, to: i64| json!({ "date": later(days), "on": later(to) });
    done(change(moved(14, 16)).await);
    done(change(moved(14, 16)).await);
    refused(&change(moved(14, 21)).await, 422, "standing_order.passes_another");
    refused(&change(moved(14, -1)).await, 422, "standing_order.day_passed");
    refused(&change(on(14)).await, 422, "standing_order.nothing_changed");
    let lines = json!([{ "sku": "RICE", "quantity": "4" }, { "sku": "RICE", "quantity": "1" }]);
    done(change(json!({ "date": later(21), "lines": lines })).await);
    let unknown = json!([{ "sku": "TEA", "quantity": "4" }]);
    let unknown = change(json!({ "date": later(28), "lines": unknown })).await;
    refused(&unknown, 422, "lines.invalid");
    let priced = json!([{ "sku": "RICE", "quantity": "4", "unit_price": "0.01" }]);
    let priced = change(json!({ "date": later(28), "lines": priced })).await;
    refused(&priced, 422, "lines.invalid");

    let seen = shown(instance, "grocer", &id).await;
    let expected = [later(16), later(21), later(28)].map(|day| day.to_string());
    assert_eq!(days_of(&seen["upcoming"], 3), expected);
    let days = Days::of(instance).await;
    assert_eq!(days.come(instance, later(7)).await, 0, "it is skipped");
    assert_eq!(days.come(instance, later(14)).await, 0, "it is moved");
    assert_eq!(days.come(instance, later(16)).await, 1);
    assert_eq!(days.come(instance, later(21)).await, 1);
    assert_eq!(days.come(instance, later(28)).await, 1);
    let orders = instance.all_whole("grocer", "/v1/orders").await;
    let skus: Vec<Vec<&str>> = orders
        .iter()
        .rev()
        .map(|order| {
            let lines = order["lines"].as_array().unwrap().iter();
            lines.map(|line| line["sku"].as_str().unwrap()).collect()
        })
        .collect();
    assert_eq!(skus, [vec!["COFFEE"], vec!["RICE", "RICE"], vec!["COFFEE"]]);
    let seen = shown(instance, "grocer", &id).await;
    assert_eq!(seen["dates"], json!({}), "what was changed of dates that are over is forgotten");
}

#[tokio::test]
async fn a_pause_places_nothing_and_an_end_is_final() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let id = start(instance, "grocer", &weekly(later(7))).await;
    let say = async |role: &str, what: &str| {
        let body = if what == "resume" { json!({}) } else { json!({ "reason": "Remont" }) };
        instance.post(role, &format!("{PATH}/{id}/{what}"), &body).await
    };
    done(say("grocer", "pause").await);
    done(say("sales", "pause").await);
    let paused = shown(instance, "grocer", &id).await;
    assert_eq!((&paused["status"], &paused["reason"]), (&json!("paused"), &json!("Remont")));
    assert_eq!((&paused["next"], &paused["upcoming"]), (&Value::Null, &json!([])));
    let days = Days::of(instance).await;
    assert_eq!(days.come(instance, later(7)).await, 0);
    done(say("grocer", "resume").await);
    assert_eq!(shown(instance, "grocer", &id).await["next"]["on"], json!(later(7)));
    done(say("grocer", "end").await);
    done(say("grocer", "end").await);
    refused(&say("grocer", "resume").await, 409, "standing_order.ended");
    assert_eq!(days.come(instance, later(7)).await, 0);
    let ended = shown(instance, "grocer", &id).await;
    assert_eq!((&ended["status"], &ended["ended_by"]), (&json!("ended"), &json!("command")));
    // By its schedule.
    let mut twice = weekly(later(7));
    twice["schedule"]["ends"] = json!({ "kind": "after_orders", "count": 2 });
    let id = start(instance, "grocer", &twice).await;
    assert_eq!(shown(instance, "grocer", &id).await["upcoming"].as_array().unwrap().len(), 2);
    for days_later in [7, 14, 21] {
        days.come(instance, later(days_later)).await;
    }
    let ended = shown(instance, "grocer", &id).await;
    assert_eq!((&ended["status"], &ended["ended_by"]), (&json!("ended"), &json!("schedule")));
    assert_eq!(runs(&ended).len(), 2);
    let all = instance.get("sales", &format!("{PATH}?status=ended")).await.body;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_had_is_reported_and_blocks_nothing() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let lines = json!([{ "sku": "COFFEE", "quantity": "10" }, { "sku": "RICE", "quantity": "5" }]);
    let both = with(weekly(later(7)), "lines", lines);
    let rest = start(instance, "grocer", &both).await;
    let nothing = with(both, "unavailable_lines", json!("place_nothing"));
    let nothing = start(instance, "grocer", &nothing).await;
    let products = instance.all("admin", "/v1/products").await;
    let rice = products.iter().find(|product| product["sku"] == "RICE").unwrap();
    let withdraw = format!("/v1/products/{}/withdraw", rice["id"].as_str().unwrap());
    done(instance.post("admin", &withdraw, &json!({})).await);
    let days = Days::of(instance).await;
    assert_eq!(days.come(instance, later(7)).await, 2);
    let rest_seen = shown(instance, "grocer", &rest).await;
    let run = &rest_seen["runs"][0];
    assert_eq!((&run["outcome"], &run["left_out"][0]["line"]), (&json!("placed"), &json!(2)));
    assert_eq!(run["left_out"][0]["sku"], "RICE");
    assert_eq!(run["left_out"][0]["reason"]["code"], "product.not_published", "{run}");
    let order = format!("/v1/orders/{}", run["order"].as_str().unwrap());
    let order = instance.get("grocer", &order).await;
    assert_eq!(order.body["lines"].as_array().unwrap().len(), 1);
    let nothing_seen = shown(instance, "grocer", &nothing).await;
    let run = &nothing_seen["runs"][0];
    assert_eq!((&run["outcome"], run.get("order")), (&json!("failed"), None));
    assert_eq!(run["reasons"][0]["code"], "standing_order.lines_unavailable");
    assert_eq!(run["left_out"][0]["sku"], "RICE");
    // Who must not buy gets a reason too, and goes on when it may buy again.
    let company = |what: &str| format!("/v1/companies/{grocer}/{what}");
    done(
        instance.post("accounting", &company("suspend"), &json!({ "reason": "Zaległości" })).await,
    );
    assert_eq!(days.come(instance, later(14)).await, 2);
    let seen = shown(instance, "grocer", &rest).await;
    assert_eq!(seen["runs"][0]["reasons"][0]["code"], "company.suspended", "{seen}");
    let anew = instance.post("grocer", PATH, &weekly(later(7))).await;
    refused(&anew, 409, "company.suspended");
    done(instance.post("accounting", &company("reinstate"), &json!({})).await);
    assert_eq!(days.come(instance, later(21)).await, 2);
    let outcomes: Vec<String> =
        runs(&shown(instance, "grocer", &rest).await).into_iter().map(|run| run.1).collect();
    assert_eq!(outcomes, ["placed", "failed", "placed"]);
}

#[tokio::test]
async fn limits_and_approvals_are_those_of_whoever_orders() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    let ewa = shop.instance.engage("Ewa", "purchaser", Some(&grocer)).await;
    shop.instance.engage("Anna", "approver", Some(&grocer)).await;
    shop.instance.engage("Jan", "purchaser", Some(&grocer)).await;
    let instance = &shop.instance;
    let limit = json!({ "per": "order", "limit": { "amount": "50.00", "currency": "PLN" } });
    done(instance.post("admin", &format!("/v1/employees/{ewa}/limits"), &limit).await);
    let id = start(instance, "Jan", &weekly(later(7))).await;
    let days = Days::of(instance).await;
    assert_eq!(days.come(instance, later(7)).await, 1);
    // Whoever changes what is ordered orders it.
    let lines = json!([{ "sku": "COFFEE", "quantity": "11" }]);
    let change = json!({ "date": later(14), "lines": lines });
    done(instance.post("Ewa", &format!("{PATH}/{id}/change-date"), &change).await);
    assert_eq!(days.come(instance, later(14)).await, 1);
    let orders = instance.all_whole("Ewa", "/v1/orders").await;
    let statuses: Vec<_> = orders.iter().map(|order| order["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["awaiting_approval", "placed"]);
    let order = orders[0]["id"].as_str().unwrap();
    let step = asked(instance, "Anna", order).await;
    done(instance.post("Anna", &format!("/v1/orders/{order}/approve"), &step).await);
    done(instance.post("Ewa", &format!("{PATH}/{id}/change"), &weekly(later(7))).await);
    assert_eq!(shown(instance, "Ewa", &id).await["placed_by"], json!(ewa));
    // Who has left the company orders nothing.
    done(instance.post("admin", &format!("/v1/employees/{ewa}/leave"), &json!({})).await);
    assert_eq!(days.come(instance, later(21)).await, 1);
    let seen = shown(instance, "Jan", &id).await;
    assert_eq!(seen["runs"][0]["outcome"], "failed", "{seen}");
}

#[tokio::test]
async fn only_the_seller_fixes_prices() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let until = later(10);
    let fixed = with(weekly(later(7)), "prices_fixed_until", json!(until));
    refused(&instance.post("grocer", PATH, &fixed).await, 422, "standing_order.seller_only");
    let mine = with(weekly(later(7)), "placed_by", json!(uuid::Uuid::nil()));
    refused(&instance.post("grocer", PATH, &mine).await, 422, "standing_order.seller_only");
    let priced = json!([{ "sku": "COFFEE", "quantity": "10", "unit_price": "8.00" },
        { "sku": "RICE", "quantity": "1" }]);
    let fixed = with(with(fixed, "lines", priced.clone()), "company", json!(grocer));
    let undated = with(with(weekly(later(7)), "lines", priced), "company", json!(grocer));
    refused(&instance.post("sales", PATH, &undated).await, 422, "standing_order.fixed_prices");
    let past = with(fixed.clone(), "prices_fixed_until", json!(later(-1)));
    refused(&instance.post("sales", PATH, &past).await, 422, "standing_order.day_passed");
    refused(
        &instance.post("sales", PATH, &weekly(later(7))).await,
        422,
        "standing_order.incomplete",
    );
    let id = start(instance, "sales", &fixed).await;
    // A buyer who takes other quantities takes them at today's prices.
    let other = json!([{ "sku": "COFFEE", "quantity": "10" }, { "sku": "RICE", "quantity": "2" }]);
    let change = with(weekly(later(7)), "lines", other);
    done(instance.post("grocer", &format!("{PATH}/{id}/change"), &change).await);
    let seen = shown(instance, "grocer", &id).await;
    let prices: Vec<_> = seen["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.get("unit_price").and_then(Value::as_str))
        .collect();
    assert_eq!(prices, [Some("8.00"), None]);
    let days = Days::of(instance).await;
    for days_later in [7, 14] {
        assert_eq!(days.come(instance, later(days_later)).await, 1);
    }
    let orders = instance.all_whole("grocer", "/v1/orders").await;
    let prices: Vec<_> = orders
        .iter()
        .rev()
        .map(|order| order["lines"][0]["unit_price"].as_str().unwrap())
        .collect();
    assert_eq!(prices, ["8.00", "10.00"], "the day is over for the second");
}

#[tokio::test]
async fn a_standing_order_repeats_an_order() {
    let shop = Shop::open().await;
    let Shop { instance, hotel, .. } = &shop;
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "COFFEE", "quantity": "2" },
        { "sku": "COFFEE", "quantity": "3" }], "destination": { "cost_centre": "MPK-7" } });
    let order = created(instance.post("grocer", "/v1/orders", &order).await);
    let mut from = weekly(later(7));
    from["from"] = json!({ "kind": "order", "order": order });
    from.as_object_mut().unwrap().remove("currency");
    from.as_object_mut().unwrap().remove("lines");
    let id = start(instance, "grocer", &from).await;
    let seen = shown(instance, "grocer", &id).await;
    assert_eq!(seen["lines"].as_array().unwrap().len(), 2);
    assert_eq!(seen["destination"], json!({ "cost_centre": "MPK-7" }));
    // One that has ended too.
    done(instance.post("grocer", &format!("/v1/orders/{order}/cancel"), &json!({})).await);
    start(instance, "grocer", &from).await;
    refused(&instance.post("hotel", PATH, &from).await, 422, "body.names_nothing");
    let missing = with(from.clone(), "from", json!({ "kind": "order", "order": hotel }));
    refused(&instance.post("grocer", PATH, &missing).await, 422, "body.names_nothing");
}

#[tokio::test]
async fn another_company_sees_and_changes_nothing() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, hotel } = &shop;
    let body = weekly(later(7));
    let id = start(instance, "grocer", &body).await;
    instance.settled().await;
    let missing = uuid::Uuid::now_v7().to_string();
    for id in [&id, &missing] {
        assert_eq!(instance.get("hotel", &format!("{PATH}/{id}")).await.status, 404);
        let on = json!({ "date": later(7) });
        for (what, body) in [
            ("change", body.clone()),
            ("skip", on.clone()),
            ("restore", on),
            ("change-date", json!({ "date": later(7), "on": later(8) })),
            ("pause", json!({})),
            ("resume", json!({})),
            ("end", json!({})),
        ] {
            let answer = instance.post("hotel", &format!("{PATH}/{id}/{what}"), &body).await;
            assert_eq!(answer.status, 404, "{what}: {answer:?}");
        }
    }
    assert!(instance.all("hotel", PATH).await.is_empty());
    assert_eq!(instance.get("hotel", &format!("{PATH}?company={grocer}")).await.status, 404);
    let theirs = with(body.clone(), "company", json!(hotel));
    assert_eq!(instance.post("grocer", PATH, &theirs).await.status, 404);
    // The same request again is the same standing order.
    let first = instance.post_with_key("grocer", PATH, "so-1", &body).await;
    let again = instance.post_with_key("grocer", PATH, "so-1", &body).await;
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(instance.all("grocer", PATH).await.len(), 2);
}

#[tokio::test]
async fn refuses_schedules_that_nobody_can_follow() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let recurring = |recurrence: Value| {
        let mut body = weekly(later(7));
        body["schedule"]["recurrence"] = recurrence;
        body
    };
    let rule = |rule: &str| recurring(json!({ "kind": "rrule", "rule": rule }));
    for (body, status, code) in [
        (rule("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"), 422, "standing_order.no_dates"),
        (rule("FREQ=DAILY;COUNT=3"), 422, "body.invalid"),
        (rule("FREQ=SECONDLY"), 422, "body.invalid"),
        (rule("FREQ=MONTHLY;BYMONTHDAY=-128"), 422, "body.invalid"),
        (recurring(json!({ "kind": "every_days", "days": 0 })), 422, "standing_order.schedule"),
        (recurring(json!({ "kind": "weekdays", "days": [] })), 422, "standing_order.schedule"),
        (recurring(json!({ "kind": "month_days", "days": [32] })), 422, "standing_order.schedule"),
        (weekly(day("9999-12-31")), 422, "standing_order.schedule"),
        (with(weekly(later(7)), "notice_days", json!(61)), 422, "standing_order.notice_days"),
        (with(weekly(later(7)), "lines", json!([])), 422, "standing_order.line_count"),
        (with(weekly(later(7)), "reference", json!("{week}")), 422, "body.invalid"),
    ] {
        let answer = instance.post("grocer", PATH, &body).await;
        assert_eq!(answer.body["code"], code, "{body}: {answer:?}");
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let preview = async |schedule: &str, more: &str| preview(instance, schedule, more).await;
    refused(&preview("{}", "").await, 400, "query.invalid");
    let valid = serde_json::to_string(&weekly(later(7))["schedule"]).unwrap();
    refused(&preview(&valid, "&count=0").await, 400, "query.invalid");
    refused(&preview(&valid, "&count=61").await, 400, "query.invalid");
    let last = preview(&valid, "&after=9999-12-31").await;
    assert_eq!(last.body["dates"], json!([]), "{last:?}");
}

/// Many are due at once: all are placed, in the time that one timer has.
#[tokio::test]
async fn many_are_placed_in_one_round() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    for _ in 0..60 {
        start(instance, "grocer", &weekly(later(7))).await;
    }
    let days = Days::of(instance).await;
    let started = Instant::now();
    assert_eq!(days.come(instance, later(7)).await, 60);
    println!("60 orders placed in {:?}", started.elapsed());
    assert_eq!(days.come(instance, later(7)).await, 0);
    assert_eq!(instance.all("grocer", "/v1/orders").await.len(), 60);
}
