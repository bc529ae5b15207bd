//! Conversations of the two sides about offers, orders and invoices, and live events.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::{
    instance::{Instance, eventually},
    journeys::{Shop, created, done, refused},
    sales::negotiations::Table,
};

/// The live events of one watcher.
pub(crate) struct Watch {
    frames: Arc<Mutex<Vec<Frame>>>,
    listening: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    id: u64,
    pub(crate) event: String,
    data: Value,
}

/// Asks to watch, from after a position on.
async fn ask_to_watch(instance: &Instance, name: &str, after: Option<&str>) -> reqwest::Response {
    let url = format!("{}/v1/live", instance.address().url());
    let mut request = reqwest::Client::new().get(url).bearer_auth(instance.key(name));
    if let Some(after) = after {
        request = request.header("Last-Event-ID", after);
    }
    request.send().await.unwrap()
}

impl Watch {
    pub(crate) async fn begin(instance: &Instance, name: &str, after: Option<u64>) -> Self {
        let after = after.map(|position| position.to_string());
        let mut answer = ask_to_watch(instance, name, after.as_deref()).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let frames: Arc<Mutex<Vec<Frame>>> = Arc::default();
        let listening = tokio::spawn({
            let frames = frames.clone();
            async move {
                let mut text = Vec::new();
                while let Ok(Some(chunk)) = answer.chunk().await {
                    text.extend_from_slice(&chunk);
                    while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                        let frame: Vec<u8> = text.drain(..end + 2).collect();
                        let frame = String::from_utf8(frame).unwrap();
                        frames.lock().unwrap().extend(Frame::of(&frame));
                    }
                }
            }
        });
        let watch = Self { frames, listening };
        eventually("the watcher is greeted", async || {
            watch.frames.lock().unwrap().first().cloned().filter(|frame| frame.event == "live")
        })
        .await;
        watch
    }

    /// The frames after the first one.
    fn frames(&self) -> Vec<Frame> {
        self.frames.lock().unwrap().iter().skip(1).cloned().collect()
    }

    /// Waits for a frame at a position or beyond; returns all frames.
    pub(crate) async fn frames_up_to(&self, position: u64) -> Vec<Frame> {
        eventually("the watcher receives frames", async || {
            let frames = self.frames();
            frames.last().is_some_and(|frame| frame.id >= position).then_some(frames)
        })
        .await
    }

    /// Waits for a frame about a document; returns all frames.
    async fn frames_up_to_document(&self, id: &Value) -> Vec<Frame> {
        eventually("the watcher receives a frame about the document", async || {
            let frames = self.frames();
            frames.iter().any(|frame| &frame.data["subject"]["id"] == id).then_some(frames)
        })
        .await
    }

    /// Waits until its connection ends.
    async fn ended(&self) {
        eventually("the connection ends", async || self.listening.is_finished().then_some(()))
            .await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Frame {
    /// A comment is no frame.
    fn of(text: &str) -> Option<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        Some(Self {
            id: field("id: ")?.parse().unwrap(),
            event: field("event: ")?.to_owned(),
            data: serde_json::from_str(field("data: ")?).unwrap(),
        })
    }
}

fn names(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(|frame| frame.event.as_str()).collect()
}

fn says(text: &str) -> Value {
    json!({ "text": text })
}

/// Writes something; says at which position.
async fn write(instance: &Instance, name: &str, path: &str, body: &Value) -> u64 {
    let answer = instance.post(name, path, body).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body["position"].as_u64().unwrap()
}

async fn read(instance: &Instance, name: &str, path: &str) -> Value {
    let answer = instance.get(name, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

fn texts(conversation: &Value) -> Vec<(&str, u64, &str)> {
    let items = conversation["items"].as_array().unwrap();
    let text = |item: &'_ Value, name| item[name].as_str().unwrap_or_default().to_owned();
    items
        .iter()
        .map(|item| {
            assert!(!text(item, "by").is_empty());
            (
                item["kind"].as_str().unwrap(),
                item["number"].as_u64().unwrap(),
                item["text"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn both_sides_write_and_see_what_was_read() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    let ewa = shop.instance.engage("Ewa", "approver", Some(&grocer)).await;
    let olga = shop.instance.engage("Olga", "sales", None).await;
    let instance = &shop.instance;
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    let offer = shop.sent_offer().await;
    let about_order = format!("/v1/conversations/orders/{order}");
    let about_offer = format!("/v1/conversations/offers/{offer}");

    // Nothing was said yet: the conversation is there, and empty.
    let head = instance.settled().await;
    let silent = read(instance, "grocer", &format!("{about_order}?wait_for={head}")).await;
    assert_eq!((&silent["messages"], &silent["items"]), (&json!(0), &json!([])));

    let photo = json!({ "name": "Zdjęcie", "url": "https://pliki.example.pl/1.jpg",
        "media_type": "image/jpeg", "size": 10 });
    let asked = json!({ "text": "Jedna paleta\nprzyjechała uszkodzona.", "attachments": [photo] });
    write(instance, "Ewa", &format!("{about_order}/messages"), &asked).await;
    write(instance, "grocer", &format!("{about_order}/messages"), &says("Co dalej?")).await;
    let position =
        write(instance, "Olga", &format!("{about_offer}/messages"), &says("Oferta do piątku."))
            .await;

    // Newest first, with what the asker has not read.
    let list = read(instance, "Olga", &format!("/v1/conversations?wait_for={position}")).await;
    let summary =
        |item: &Value| (item["subject"].clone(), item["messages"].clone(), item["unread"].clone());
    let items = list["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(summary).collect::<Vec<_>>(),
        [
            (json!({ "kind": "offer", "id": offer }), json!(1), json!(0)),
            (json!({ "kind": "order", "id": order }), json!(2), json!(2)),
        ]
    );
    assert_eq!(
        (&items[1]["last"]["text"], &items[1]["last"]["side"]),
        (&json!("Co dalej?"), &json!("buyer"))
    );
    let unread = read(instance, "Ewa", "/v1/conversations?unread=true").await;
    assert_eq!(unread["items"].as_array().unwrap().len(), 1);
    assert_eq!(unread["items"][0]["subject"]["kind"], "offer");
    let of_orders = read(instance, "Ewa", "/v1/conversations?kind=order").await;
    assert_eq!(of_orders["items"][0]["unread"], 0, "what her side wrote is not unread to her");
    let first = read(instance, "Olga", "/v1/conversations?limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second =
        read(instance, "Olga", &format!("/v1/conversations?limit=1&cursor={cursor}")).await;
    assert_eq!(second["items"][0]["subject"]["id"], json!(order));
    assert_eq!(second["next_cursor"], Value::Null);

    // Olga reads the first, then both; reading again says nothing new.
    let up_to = |number: u32| json!({ "up_to": number });
    write(instance, "Olga", &format!("{about_order}/read"), &up_to(1)).await;
    let both = instance.post("Olga", &format!("{about_order}/read"), &up_to(2)).await;
    let again = instance.post("Olga", &format!("{about_order}/read"), &up_to(1)).await;
    assert_eq!(both.body["version"], again.body["version"], "nothing was written");
    let position = write(instance, "sales", &format!("{about_order}/read"), &up_to(2)).await;
    let opening = read(instance, "Ewa", &format!("{about_order}?wait_for={position}")).await;
    assert_eq!(
        texts(&opening),
        [("message", 1, "Jedna paleta\nprzyjechała uszkodzona."), ("message", 2, "Co dalej?"),]
    );
    assert_eq!(opening["items"][0]["by"], json!(ewa));
    assert_eq!(opening["items"][0]["attachments"], json!([photo]));
    for item in opening["items"].as_array().unwrap() {
        let readers = item["read_by"].as_array().unwrap();
        assert_eq!((readers.len(), &readers[0]["by"]), (2, &json!(olga)));
        assert!(readers[0]["at"].as_str().unwrap() <= readers[1]["at"].as_str().unwrap());
        assert!(readers[0]["at"].as_str() >= item["recorded_at"].as_str());
    }
    let newest = read(instance, "Olga", &format!("{about_order}?order=desc&limit=1")).await;
    assert_eq!(texts(&newest), [("message", 2, "Co dalej?")]);
    assert_eq!(newest["unread"], 0);
    let cursor = newest["next_cursor"].as_str().unwrap();
    let older = format!("{about_order}?order=desc&limit=1&cursor={cursor}");
    assert_eq!(texts(&read(instance, "Olga", &older).await)[0].1, 1);

    // The same command twice says it once.
    let path = format!("{about_order}/messages");
    let once = instance.post_with_key("Olga", &path, "odp-1", &says("Wymienimy.")).await;
    let twice = instance.post_with_key("Olga", &path, "odp-1", &says("Wymienimy.")).await;
    assert_eq!((once.status, &once.body), (200, &twice.body));

    // Accounting takes part in conversations about invoices, the warehouse does not.
    let invoice = shop.dispatch(json!({ "order": order })).await;
    let about_invoice = format!("/v1/conversations/invoices/{}", invoice["id"].as_str().unwrap());
    write(instance, "accounting", &format!("{about_invoice}/messages"), &says("Termin minął."))
        .await;
    let refusal =
        instance.post("warehouse", &format!("{about_invoice}/messages"), &says("?")).await;
    refused(&refusal, 403, "role_not_allowed");
    let position =
        write(instance, "warehouse", &format!("{about_order}/messages"), &says("Wyjechało.")).await;
    let listed =
        read(instance, "warehouse", &format!("/v1/conversations?wait_for={position}")).await;
    let kinds: BTreeSet<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["subject"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["order"].into());
}

#[tokio::test]
async fn notes_stay_inside() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    shop.instance.make_key("erp of the grocer", "integrator", Some(&grocer)).await;
    let instance = &shop.instance;
    let offer = shop.sent_offer().await;
    let about = format!("/v1/conversations/offers/{offer}");
    let buyer = Watch::begin(instance, "grocer", None).await;
    let seller = Watch::begin(instance, "sales", None).await;

    let (messages, notes) = (format!("{about}/messages"), format!("{about}/notes"));
    let first = instance.post("sales", &messages, &says("Dzień dobry")).await;
    let sellers = instance.post("admin", &notes, &says("Poniżej 12 % nie schodzimy")).await;
    let buyers = instance.post("grocer", &notes, &says("Weźmiemy i tak")).await;
    let second = instance.post("grocer", &messages, &says("Dzień dobry")).await;
    assert_eq!(first.body["id"], second.body["id"]);
    assert_eq!((&first.body["version"], &second.body["version"]), (&json!(1), &json!(2)));
    assert_eq!((&sellers.body["version"], &buyers.body["version"]), (&json!(1), &json!(1)));

    // Each side sees its own, and numbers tell nothing of the other's.
    let position = second.body["position"].as_u64().unwrap();
    let of_sales =
        read(instance, "sales", &format!("{about}?notes=true&wait_for={position}")).await;
    let of_grocer = read(instance, "grocer", &format!("{about}?notes=true")).await;
    let both = [("message", 1, "Dzień dobry"), ("message", 2, "Dzień dobry")];
    let with = |note| vec![both[0], ("note", 1, note), both[1]];
    assert_eq!(texts(&of_sales), with("Poniżej 12 % nie schodzimy"));
    assert_eq!(texts(&of_grocer), with("Weźmiemy i tak"));
    for name in ["sales", "grocer"] {
        assert_eq!(
            texts(&read(instance, name, &about).await),
            both,
            "{name}: notes were not asked for"
        );
    }
    let frames = |frames: &[Frame]| {
        let texts = |frame: &Frame| {
            let said = if frame.event == "conversation.note_written" { "note" } else { "message" };
            frame.data[said]["text"].as_str().unwrap_or_default().to_owned()
        };
        frames.iter().map(texts).collect::<Vec<_>>()
    };
    let to_buyer = frames(&buyer.frames_up_to(position).await);
    let to_seller = frames(&seller.frames_up_to(position).await);
    assert_eq!(to_buyer, ["Dzień dobry", "Weźmiemy i tak", "Dzień dobry"]);
    assert_eq!(to_seller, ["Dzień dobry", "Poniżej 12 % nie schodzimy", "Dzień dobry"]);

    // In history the company finds its own notes, and no trace of the seller's.
    let history = instance.all("erp of the grocer", "/v1/events?aggregate=conversation").await;
    let seen: Vec<&str> =
        history.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    let sent = "conversation.message_sent";
    assert_eq!(seen, [sent, "conversation.note_written", sent]);
    assert_eq!(history[1]["payload"]["side"], "buyer");
    let stream = |answer: &crate::instance::Answer| answer.body["id"].as_str().unwrap().to_owned();
    let of = |id: &str| format!("/v1/history/{id}");
    let hidden = instance.get("erp of the grocer", &of(&stream(&sellers))).await;
    let missing =
        instance.get("erp of the grocer", &of("00000000-0000-7000-8000-000000000000")).await;
    assert_eq!((hidden.status, &hidden.body), (404, &missing.body));
    assert_eq!(instance.get("erp of the grocer", &of(&stream(&buyers))).await.status, 200);
    // Those who look behind the scenes see all of it.
    let whole = instance.all("auditor", "/v1/events?aggregate=conversation").await;
    assert_eq!(whole.len(), 4);

    // A draft is the seller's business: notes may be made, messages would tell of it.
    let draft = json!({ "company": grocer, "currency": "PLN", "valid_until": "2099-12-31",
        "lines": [{ "sku": "RICE", "quantity": "1" }] });
    let draft = created(instance.post("sales", "/v1/offers", &draft).await);
    let about = format!("/v1/conversations/offers/{draft}");
    done(instance.post("sales", &format!("{about}/notes"), &says("Czekamy na cennik")).await);
    let frames = instance.post("sales", &format!("{about}/messages"), &says("Już niedługo")).await;
    refused(&frames, 409, "offer.not_sent");
    instance.settled().await;
    let guesses = |name: &'static str| {
        let (about, says) = (about.clone(), says("?"));
        async move {
            [
                instance.get(name, &about).await,
                instance.post(name, &format!("{about}/messages"), &says).await,
                instance.post(name, &format!("{about}/notes"), &says).await,
                instance.post(name, &format!("{about}/read"), &json!({ "up_to": 1 })).await,
            ]
            .map(|answer| answer.status)
        }
    };
    assert_eq!(guesses("grocer").await, [404; 4]);
    done(instance.post("sales", &format!("/v1/offers/{draft}/withdraw"), &json!({})).await);
    instance.settled().await;
    assert_eq!(guesses("grocer").await, [404; 4]);
    let fence = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "1" }])).await;
    let about = format!("/v1/conversations/orders/{fence}/messages");
    let position = write(instance, "grocer", &about, &says("Koniec")).await;
    let about_draft = |frame: &Frame| frame.data["subject"]["id"] == json!(draft);
    assert!(!buyer.frames_up_to(position).await.iter().any(about_draft));
    let to_seller = seller.frames_up_to(position).await;
    let of_draft: Vec<Frame> = to_seller.into_iter().filter(about_draft).collect();
    assert_eq!(names(&of_draft), ["offer.drafted", "conversation.note_written", "offer.withdrawn"]);
}

/// Whoever may not read how the two came to agree does not learn that they negotiate either.
#[tokio::test]
async fn negotiation_events_reach_those_who_may_read_them() {
    let table = Table::laid().await;
    let instance = table.instance();
    let mut watches = Vec::new();
    for name in ["warehouse", "accounting", "sales", "Ewa"] {
        watches.push((name, Watch::begin(instance, name, None).await));
    }
    let negotiation =
        table.open("Ewa", json!({ "lines": [{ "line": 1, "unit_price": "9.40" }] })).await;
    // All of them receive that an order was placed, after that.
    let order = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    let placed = instance.post("grocer", "/v1/orders", &order).await;
    for (name, watch) in watches {
        let frames = watch.frames_up_to_document(&placed.body["id"]).await;
        let hears = frames.iter().any(|frame| frame.data["subject"]["id"] == json!(negotiation));
        let reads =
            instance.get(name, &format!("/v1/negotiations/{negotiation}")).await.status == 200;
        assert_eq!((hears, reads), (["sales", "Ewa"].contains(&name), hears), "{name}: {frames:?}");
    }
}

#[tokio::test]
async fn another_company_hears_nothing() {
    let shop = Shop::open().await;
    let Shop { instance, grocer, .. } = &shop;
    let watch = Watch::begin(instance, "hotel", None).await;
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    let invoice = shop.dispatch(json!({ "order": order })).await;
    let invoice = invoice["id"].as_str().unwrap();
    let offer = shop.sent_offer().await;
    for (kind, id) in [("orders", order.as_str()), ("invoices", invoice), ("offers", &offer)] {
        let about = format!("/v1/conversations/{kind}/{id}");
        write(instance, "grocer", &format!("{about}/messages"), &says("Pytanie")).await;
        write(instance, "grocer", &format!("{about}/notes"), &says("Notatka")).await;
        write(instance, "sales", &format!("{about}/messages"), &says("Odpowiedź")).await;
        write(instance, "grocer", &format!("{about}/read"), &json!({ "up_to": 2 })).await;
    }
    instance.settled().await;
    let missing = "00000000-0000-7000-8000-000000000000";
    for (kind, id) in [("orders", order.as_str()), ("invoices", invoice), ("offers", &offer)] {
        let (about, none) = (
            format!("/v1/conversations/{kind}/{id}"),
            format!("/v1/conversations/{kind}/{missing}"),
        );
        let (other, nothing) =
            (instance.get("hotel", &about).await, instance.get("hotel", &none).await);
        assert_eq!((other.status, &other.body), (404, &nothing.body), "{kind}");
        for (what, body) in
            [("messages", says("?")), ("notes", says("?")), ("read", json!({ "up_to": 1 }))]
        {
            let other = instance.post("hotel", &format!("{about}/{what}"), &body).await;
            let nothing = instance.post("hotel", &format!("{none}/{what}"), &body).await;
            assert_eq!((other.status, &other.body), (404, &nothing.body), "{kind}: {what}");
        }
    }
    assert_eq!(read(instance, "hotel", "/v1/conversations").await["items"], json!([]));
    let asked = instance.get("hotel", &format!("/v1/conversations?company={grocer}")).await;
    refused(&asked, 404, "not_found");

    // Its own order is the first event that it receives, from now on and from the beginning.
    let own = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    let own = instance.post("hotel", "/v1/orders", &own).await;
    let id = &own.body["id"];
    let frames = watch.frames_up_to_document(id).await;
    assert_eq!(names(&frames), ["order.placed"]);
    assert_eq!(frames[0].data["subject"], json!({ "kind": "order", "id": id }));
    let from_the_beginning = Watch::begin(instance, "hotel", Some(0)).await;
    assert_eq!(from_the_beginning.frames_up_to_document(id).await, frames);
}

#[tokio::test]
async fn watching_goes_on_where_it_was_lost_fault() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    let about = format!("/v1/conversations/orders/{order}");
    let head = shop.instance.settled().await;
    let mut frames: Vec<Vec<Frame>> = vec![vec![]; 2];
    let names = ["grocer", "sales"];
    let mut seen = [head; 2];
    let mut last = head;
    for round in 0..3 {
        let instance = &shop.instance;
        let mut watches = Vec::new();
        for (name, seen) in names.iter().zip(seen) {
            watches.push(Watch::begin(instance, name, Some(seen)).await);
        }
        for number in 0..5 {
            let text = says(&format!("{round}.{number}"));
            write(instance, "sales", &format!("{about}/messages"), &text).await;
            write(instance, "grocer", &format!("{about}/notes"), &text).await;
            write(instance, "sales", &format!("{about}/notes"), &text).await;
            last = write(instance, "grocer", &format!("{about}/messages"), &text).await;
        }
        for (index, watch) in watches.iter().enumerate() {
            let received = watch.frames_up_to(last).await;
            // After it received more than it will acknowledge.
            let kept = if round == 0 { received.len() / 2 } else { received.len() };
            seen[index] = received[kept - 1].id;
            frames[index].extend_from_slice(&received[..kept]);
        }
        // What is said while nobody listens is not lost.
        drop(watches);
        last = write(instance, "grocer", &format!("{about}/messages"), &says("Halo?")).await;
        shop.instance.kill_and_restart().await;
        // An instance that starts again remembers its own keys only.
        shop.instance.make_key("grocer", "purchaser", Some(&grocer)).await;
    }
    let instance = &shop.instance;
    for (index, name) in names.iter().enumerate() {
        let watch = Watch::begin(instance, name, Some(seen[index])).await;
        frames[index].extend(watch.frames_up_to(last).await);
    }

    // As history has it, event by event.
    let history = instance.all("auditor", "/v1/events?aggregate=conversation").await;
    for (frames, side) in frames.iter().zip(["buyer", "seller"]) {
        let expected: Vec<u64> = history
            .iter()
            .filter(|event| {
                event["event_type"] != "conversation.note_written"
                    || event["payload"]["side"] == side
            })
            .map(|event| event["position"].as_u64().unwrap())
            .collect();
        let frames: Vec<u64> = frames.iter().map(|frame| frame.id).collect();
        assert_eq!(frames, expected, "{side}");
    }
}

#[tokio::test]
async fn rubbish_is_refused() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let order = shop.confirmed_order(json!([{ "sku": "RICE", "quantity": "10" }])).await;
    let about = format!("/v1/conversations/orders/{order}");
    let url = |url: &str| json!({ "text": "Plik", "attachments": [{ "name": "a", "url": url }] });
    let file = json!({ "name": "a", "url": "https://example.pl/a" });
    for body in [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": " \n " }),
        json!({ "text": "a".repeat(4_001) }),
        json!({ "text": "a\tb" }),
        json!({ "text": "a\u{1b}[2J" }),
        json!({ "text": 7 }),
        json!({ "text": "Plik", "side": "seller" }),
        json!({ "text": "Plik", "attachments": vec![file; 21] }),
        url("http://example.pl/a"),
        url("https://jan:haslo@example.pl/a"),
        url("javascript:alert(1)"),
        json!({ "text": "Plik", "attachments": [{ "name": "a", "url": "https://example.pl/a", "sha256": "00" }] }),
    ] {
        for what in ["messages", "notes"] {
            let answer = instance.post("grocer", &format!("{about}/{what}"), &body).await;
            refused(&answer, 422, "body.invalid");
        }
    }
    let read = format!("{about}/read");
    refused(&instance.post("grocer", &read, &json!({ "up_to": -1 })).await, 422, "body.invalid");
    let unsaid = instance.post("grocer", &read, &json!({ "up_to": 1 })).await;
    refused(&unsaid, 409, "conversation.no_such_message");
    write(instance, "sales", &format!("{about}/messages"), &says("Tak?")).await;
    for number in [0, 2, 4_000_000_000_u32] {
        let unsaid = instance.post("grocer", &read, &json!({ "up_to": number })).await;
        refused(&unsaid, 409, "conversation.no_such_message");
    }
    for path in [
        "/v1/conversations/payments/00000000-0000-7000-8000-000000000000",
        "/v1/conversations/negotiations/00000000-0000-7000-8000-000000000000",
        "/v1/conversations/orders/seven",
    ] {
        assert_eq!(instance.get("grocer", path).await.status, 404, "{path}");
    }
    for path in ["/v1/conversations?kind=payment", "/v1/conversations?unread=maybe"] {
        refused(&instance.get("grocer", path).await, 400, "query.invalid");
    }
    for path in [&format!("{about}?order=up"), "/v1/live?since=now"] {
        refused(&instance.get("grocer", path).await, 400, "query.invalid");
    }
    refused(&instance.get("grocer", "/v1/live?from=soon").await, 400, "query.invalid");
    refused(&instance.get("grocer", "/v1/live?from=999999999").await, 400, "position.invalid");
    for after in ["soon", "-1", "999999999"] {
        let answer = ask_to_watch(instance, "grocer", Some(after)).await;
        assert_eq!(answer.status(), 400, "{after}");
    }
}

#[tokio::test]
async fn so_many_watch_and_only_with_a_key() {
    let mut shop = Shop::open().await;
    let grocer = shop.grocer.clone();
    let ewa = shop.instance.engage("Ewa", "purchaser", Some(&grocer)).await;
    let instance = &shop.instance;
    let watching = async || {
        let metrics = instance.text("/metrics").await;
        let line = metrics.lines().find_map(|line| line.strip_prefix("kontor_live_connections "));
        line.unwrap().parse::<u32>().unwrap()
    };
    let mut watches = Vec::new();
    for _ in 0..10 {
        watches.push(Watch::begin(instance, "grocer", None).await);
    }
    assert_eq!(watching().await, 10);
    let one_more = ask_to_watch(instance, "grocer", None).await;
    assert_eq!(one_more.status(), 429);
    assert!(one_more.headers().contains_key("retry-after"));
    let problem: Value = one_more.json().await.unwrap();
    assert_eq!(problem["code"], "live.too_many_of_key");
    // Others are not kept out, and who leaves makes room.
    let ewas = Watch::begin(instance, "Ewa", None).await;
    watches.clear();
    eventually("those who left are gone", async || (watching().await == 1).then_some(())).await;
    watches.push(Watch::begin(instance, "grocer", None).await);

    // A watcher whose key is revoked receives nothing more.
    done(instance.post("admin", &format!("/v1/employees/{ewa}/leave"), &json!({})).await);
    ewas.ended().await;
    assert!(!watches[0].listening.is_finished(), "the others go on");
    assert_eq!(ask_to_watch(instance, "Ewa", None).await.status(), 401);

    // An instance that is stopped does not wait for those who watch.
    let started = std::time::Instant::now();
    shop.instance.stop();
    assert!(started.elapsed() < std::time::Duration::from_secs(9), "{:?}", started.elapsed());
    watches[0].ended().await;
}
