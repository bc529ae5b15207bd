//! Imports and exports of sheets: changes, errors, and the round trip.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    instance::{Answer, Instance},
    journeys::refused,
};

const CSV: &str = "text/csv; charset=utf-8";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

const COMPANIES: &str = "\
Reference;Tax_ID;Name;Payment_term;Parent_reference;Group;Street;Postal_code;City;Country;Bank_account;Credit_limit;Credit_currency
N-1;526-025-02-74;Sieć Nadmorska S.A.;net 30 early 2/10;;hotels;Długa 1;80-001;Gdańsk;PL;61 1090 1014 0000 0712 1981 2874;50000,00;PLN
N-2;PL1111111111;Hotel Gdynia;eom 10;N-1;;;;;;;;

N-3;DE123456789;Strandhaus GmbH;14;;;Am Meer 2;18055;Rostock;DE;;;
";

impl Instance {
    async fn import(&self, what: &str, options: &str, file: impl Into<reqwest::Body>) -> Answer {
        self.send("sales", &format!("/v1/imports/{what}?{options}"), CSV, file).await
    }
}

#[track_caller]
fn counts(answer: &Answer) -> [u64; 4] {
    assert_eq!(answer.status, 200, "{answer:?}");
    ["rows", "changed", "unchanged", "refused"].map(|name| answer.body[name].as_u64().unwrap())
}

#[tokio::test]
async fn companies_come_and_go_as_a_sheet() {
    let instance = Instance::start().await;
    let bad = COMPANIES.replace("DE123456789", "DE");
    let bad = bad.replace("61 1090", "62 1090").replace("net 30", "nett 30");

    // One bad row, and nothing is recorded; each cell to blame is named with its row.
    let answer = instance.import("companies", "", bad.clone()).await;
    refused(&answer, 422, "import.rows_refused");
    let pointers: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    let cells = ["/rows/2/payment_term", "/rows/2/bank_account", "/rows/3", "/rows/5/tax_id"];
    assert_eq!(pointers, cells, "N-2 needs N-1");
    assert_eq!(instance.all("admin", "/v1/companies").await.len(), 0);

    // A dry run says the same of every row and records nothing either.
    let answer = instance.import("companies", "dry_run=true", COMPANIES).await;
    assert_eq!(counts(&answer), [3, 3, 0, 0]);
    assert_eq!(answer.body["position"], Value::Null);
    let answer = instance.import("companies", "dry_run=true&mode=skip_bad", bad.clone()).await;
    assert_eq!(counts(&answer), [3, 0, 0, 3]);
    let error = &answer.body["errors"][1];
    assert_eq!(
        (&error["row"], &error["column"], &error["value"], &error["code"]),
        (
            &json!(2),
            &json!("bank_account"),
            &json!("62 1090 1014 0000 0712 1981 2874"),
            &json!("import.cell_invalid")
        )
    );
    assert_eq!(instance.all("admin", "/v1/companies").await.len(), 0);

    // The good rows without the bad one, then the rest; what is so already is left as it is.
    let one_bad = COMPANIES.replace("DE123456789", "DE");
    let answer = instance.import("companies", "mode=skip_bad", one_bad).await;
    assert_eq!(counts(&answer), [3, 2, 0, 1]);
    let answer = instance.import("companies", "", COMPANIES).await;
    assert_eq!(counts(&answer), [3, 1, 2, 0]);
    let head = instance.settled().await;
    let shown =
        instance.get("sales", &format!("/v1/companies?reference=N-2&wait_for={head}")).await.body;
    let hotel = &shown["items"][0];
    assert_eq!(hotel["payment_term"], json!({ "kind": "end_of_month", "days": 10 }));
    let parent =
        instance.get("sales", "/v1/companies?reference=N-1").await.body["items"][0].clone();
    assert_eq!(hotel["parent"], parent["id"]);
    assert_eq!(parent["group"], "hotels");
    assert_eq!(parent["billing_address"]["city"], "Gdańsk");
    assert_eq!(parent["credit_limits"]["PLN"]["amount"], "50000.00");

    // What goes out says what is so.
    for (format, media_type) in [("csv", CSV), ("xlsx", XLSX)] {
        let file = instance.file("sales", &format!("/v1/exports/companies?format={format}")).await;
        let answer = instance.send("sales", "/v1/imports/companies", media_type, file).await;
        assert_eq!(counts(&answer), [3, 0, 3, 0], "{format}");
    }
    let changed = COMPANIES.replace("Hotel Gdynia", "Hotel Gdynia Plaża");
    assert_eq!(counts(&instance.import("companies", "", changed).await), [3, 1, 2, 0]);
}

#[tokio::test]
async fn an_import_is_done_once_under_its_key() {
    let instance = Instance::start().await;
    let send = |file: String| {
        instance.send_with_key("sales", "/v1/imports/companies", "monday", CSV, file)
    };
    let first = send(COMPANIES.to_owned()).await;
    assert_eq!(counts(&first), [3, 3, 0, 0]);
    let again = send(COMPANIES.to_owned()).await;
    assert_eq!((again.status, &again.body["repeated"]), (200, &json!(true)));
    assert_eq!(again.body["position"], first.body["position"]);
    let other = send(COMPANIES.replace("DE123456789", "DE2")).await;
    refused(&other, 422, "idempotency_key.reused");
}

#[tokio::test]
async fn what_is_no_sheet_of_its_kind_is_refused() {
    let instance = Instance::start().await;
    for (file, status, code) in [
        ("", 422, "sheet.no_header"),
        ("tax_id,name,colour\n", 422, "import.column_unknown"),
        ("name\nHotel\n", 422, "import.column_missing"),
        ("name,name\n", 422, "sheet.column_twice"),
        ("tax_id,name\n1,2,3\n", 422, "sheet.uneven"),
        ("tax_id,name\n1,\"Hotel\n", 422, "sheet.quote"),
        ("tax_id,name\n\"5,26E+09\",Hotel\n", 422, "sheet.doubtful"),
    ] {
        refused(&instance.import("companies", "", file).await, status, code);
    }
    refused(
        &instance.import("companies", "mode=some", "tax_id,name\n").await,
        400,
        "query.invalid",
    );
    let path = "/v1/imports/companies";
    let json = instance.send("sales", path, "application/json", "{}").await;
    refused(&json, 415, "body.not_a_sheet");
    refused(&instance.send("sales", path, XLSX, "no zip").await, 422, "sheet.malformed");
    let large = "x".repeat((32 << 20) + 1);
    refused(&instance.import("companies", "", large).await, 413, "body.too_large");
}

/// A sheet of products that are published with a price: seven events a row.
fn products(count: usize) -> String {
    let rows =
        (0..count).map(|number| format!("S-{number},Screw {number},piece,23,1.25,PLN,published\n"));
    let header = "sku,name,unit,vat_rate,price,currency,status\n".to_owned();
    std::iter::once(header).chain(rows).collect()
}

/// Every other command waits for an append, so none may be as long as an import.
#[tokio::test]
async fn a_large_import_is_recorded_in_slices_with_one_outcome() {
    const ROWS: u64 = 1_000;
    let instance = Instance::start().await;
    let send = |file: String| {
        instance.send_with_key("admin", "/v1/imports/products", "catalogue", CSV, file)
    };
    // One bad row far down keeps all others out.
    let file = products(1_000);
    let bad = format!("{file}S-X,Screw,piece,24,1.25,PLN,published\n");
    refused(
        &instance.send("admin", "/v1/imports/products", CSV, bad).await,
        422,
        "import.rows_refused",
    );
    assert_eq!(instance.all("admin", "/v1/events?aggregate=product").await.len(), 0);

    let answer = send(file.clone()).await;
    assert_eq!(counts(&answer), [ROWS, ROWS, 0, 0]);
    let shown = instance.settled().await;
    assert_eq!(answer.body["position"], shown, "the last of its events");
    let database = instance.database().await;
    let most = "SELECT max(count) FROM (
        SELECT count(*) FROM log.events GROUP BY command_id) AS commands";
    let most: i64 = database.query_one(most, &[]).await.unwrap().get(0);
    assert!(most <= 7 * 100, "{most} events were appended at once");

    let again = send(file.clone()).await;
    assert_eq!((again.status, &again.body["repeated"]), (200, &json!(true)));
    assert_eq!(again.body["position"], answer.body["position"]);
    refused(&send(products(999)).await, 422, "idempotency_key.reused");
    let unchanged = instance.send("admin", "/v1/imports/products", CSV, file).await;
    assert_eq!(counts(&unchanged), [ROWS, 0, ROWS, 0]);
    assert_eq!(instance.settled().await, shown);
}

/// The process is killed while it records: what is recorded stays, and is not recorded again.
#[tokio::test]
async fn an_import_goes_on_where_a_crash_has_cut_it_short() {
    const ROWS: u64 = 3_000;
    let mut instance = Instance::start().await;
    let file = products(3_000);
    let url = format!("{}/v1/imports/products?mode=skip_bad", instance.address().url());
    let request = reqwest::Client::new().post(url).bearer_auth(instance.key("admin"));
    let request = request.header("Idempotency-Key", "cut").header("Content-Type", CSV);
    let cut = tokio::spawn(request.body(file.clone()).send());
    let head = instance.head().await.unwrap();
    instance.wait_for_head(head + 1).await;
    instance.kill_and_restart().await;
    assert!(cut.await.unwrap().is_err(), "it was cut short");

    let path = "/v1/imports/products?mode=skip_bad";
    let answer = instance.send_with_key("admin", path, "cut", CSV, file).await;
    let [rows, changed, unchanged, refused] = counts(&answer);
    assert_eq!((rows, unchanged, refused), (ROWS, 0, 0), "{answer:?}");
    let before = answer.body["recorded_before"].as_u64().unwrap();
    assert!(before > 0 && changed > 0 && before + changed == ROWS, "{answer:?}");
    let drafted = instance.all("admin", "/v1/events?type=product.drafted").await;
    assert_eq!(drafted.len() as u64, ROWS);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let instance = Instance::start().await;
    let url = instance.address().url();
    let mut stream = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await;
    let stream = stream.as_mut().unwrap();
    let head = format!(
        "POST /v1/imports/products HTTP/1.1\r\nhost: k\r\nauthorization: Bearer {}\r\n\
         content-type: {CSV}\r\ncontent-length: 40000000\r\nexpect: 100-continue\r\n\r\n",
        instance.key("admin")
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

/// One key has one import at a time; the other one waits and then gets Retry-After.
#[tokio::test]
async fn a_key_has_one_import_at_a_time() {
    let instance = Instance::start().await;
    let url = instance.address().url();
    let mut first = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await;
    let first = first.as_mut().unwrap();
    let head = format!(
        "POST /v1/imports/products HTTP/1.1\r\nhost: k\r\nauthorization: Bearer {}\r\n\
         content-type: {CSV}\r\ncontent-length: 100\r\n\r\nsku",
        instance.key("admin")
    );
    first.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let second = instance.send("admin", "/v1/imports/products", CSV, products(1)).await;
    refused(&second, 429, "import.too_many");
    let other = instance.send("sales_manager", "/v1/imports/products", CSV, products(1)).await;
    assert_eq!(counts(&other), [1, 1, 0, 0]);
}
