//! Backup of a running instance and restore into another; detection and repair of a log that was
//! restored to an earlier state.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_postgres::{Client, NoTls};

use crate::{
    faults::sound::check_history,
    instance::{Instance, binary, eventually},
    journeys::{Shop, accept, created, done},
};

const LISTS: [&str; 8] = [
    "account-balances",
    "companies",
    "invoices",
    "offers",
    "orders",
    "payments",
    "products",
    "shipments",
];

/// Tables that history or a migration gives back; every other one must be in a backup.
const DERIVED: [&str; 6] = [
    "access.migrations",
    "log.head",
    "log.migrations",
    "log.directory",
    "log.snapshots",
    "policy.migrations",
];

const TABLES: &str = "\
    SELECT table_schema || '.' || table_name FROM information_schema.tables
    WHERE table_schema IN ('log', 'access', 'policy') ORDER BY 1";

#[tokio::test]
async fn a_restored_instance_replaces_another() {
    let shop = Shop::open().await;
    let instance = &shop.instance;
    let folder = instance.directory().join("backup");
    let folder = folder.to_str().unwrap();

    let offer = shop.sent_offer().await;
    done(accept(instance, "grocer", &offer).await);
    instance.run(&["log", "export", folder]);
    let order = shop.confirmed_order(json!([{ "sku": "COFFEE", "quantity": "3" }])).await;
    let part = |quantity: &str| {
        json!({
            "order": order, "items": [{ "line": 1, "quantity": quantity }],
            "dispatched_on": "2026-03-20",
        })
    };
    let first = shop.dispatch(part("1")).await;
    let rice = json!({ "currency": "PLN", "lines": [{ "sku": "RICE", "quantity": "1" }] });
    let answered = instance.post_with_key("grocer", "/v1/orders", "once", &rice).await;
    let head = instance.settled().await;
    instance.run(&["log", "export", folder]);
    let verified = instance.run(&["log", "verify", "--backup", folder]);
    assert!(verified.starts_with(&format!("sound: events 1 to {head}, made ")), "{verified}");

    let mut other = Instance::start().await;
    let restored = other.run(&["log", "import", folder]);
    assert_eq!(restored.lines().nth(1), verified.lines().nth(1), "the same digest");
    other.show_keys_of(instance);
    assert_eq!(other.settled().await, head);
    for list in LISTS {
        let list = format!("/v1/{list}");
        assert_eq!(other.all("admin", &list).await, instance.all("admin", &list).await, "{list}");
    }
    check_history(&other).await;
    assert!(other.succeeds(&["log", "import", folder]).is_none(), "it is not empty any more");

    // What was asked is answered as before; what is new takes the next position and number.
    assert_eq!(other.post_with_key("grocer", "/v1/orders", "once", &rice).await, answered);
    assert_eq!(other.head().await, Some(head));
    let shipment = created(other.post("warehouse", "/v1/shipments", &part("2")).await);
    let second = eventually("the invoice is issued", async || {
        let invoices = other.all("accounting", "/v1/invoices").await;
        invoices.into_iter().find(|invoice| invoice["shipment"] == json!(shipment))
    })
    .await;
    assert_eq!(
        (&first["number"], &second["number"]),
        (&json!("FV/2026/03/0001"), &json!("FV/2026/03/0002"))
    );
    check_history(&other).await;
}

#[tokio::test]
async fn fault_an_instance_restored_to_an_earlier_state_refuses_commands_until_repaired() {
    let mut instance = Instance::start_with_servers().await;
    draft(&instance, "SKU-1").await;
    instance.stop();
    // Whose files they are matters to PostgreSQL.
    let mut copy = Command::new("cp");
    copy.args(["-a", "postgres", "earlier"]).current_dir(instance.directory());
    assert!(copy.status().unwrap().success());
    instance.start_again().await;
    draft(&instance, "SKU-2").await;
    let body = json!({ "sku": "SKU-3", "name": "3", "unit": "piece", "vat_rate": "23" });
    let lost = created(instance.post_with_key("admin", "/v1/products", "lost", &body).await);
    check_history(&instance).await;
    let head = instance.head().await;

    instance.stop();
    std::fs::remove_dir_all(instance.directory().join("postgres")).unwrap();
    std::fs::rename(instance.directory().join("earlier"), instance.directory().join("postgres"))
        .unwrap();
    instance.start_again().await;
    // From the very first command on.
    let refused = instance.post("admin", "/v1/products", &body).await;
    assert_eq!((refused.status, &refused.body["code"]), (503, &json!("log.behind_stream")));
    instance.wait_for_part("log", "degraded").await;
    assert!(instance.text("/metrics").await.contains("kontor_log_behind_stream 1"));
    assert_eq!(instance.all("admin", "/v1/products").await.len(), 1, "reads go on");

    instance.run(&["log", "recover"]);
    instance.wait_for_part("log", "ok").await;
    assert_eq!(instance.settled().await, head.unwrap());
    assert_eq!(instance.all("admin", "/v1/products").await.len(), 3);
    let product = instance.get("admin", &format!("/v1/products/{lost}")).await;
    assert_eq!(product.body["sku"], "SKU-3");
    // Its answer is lost, but it is not carried out again.
    let again = instance.post_with_key("admin", "/v1/products", "lost", &body).await;
    assert_eq!((again.status, &again.body["code"]), (422, &json!("idempotency_key.reused")));
    draft(&instance, "SKU-4").await;
    check_history(&instance).await;

    // The other way out: the log is right, the stream is built anew.
    assert!(instance.succeeds(&["log", "discard-stream"]).is_none(), "not without --yes");
    instance.run(&["log", "discard-stream", "--yes"]);
    check_history(&instance).await;
}

/// A start looks at the stream before it listens, however long NATS takes to show it.
#[tokio::test]
async fn the_first_command_waits_for_the_check_of_the_stream() {
    let instance = Instance::start_with_servers().await;
    draft(&instance, "SKU-1").await;
    check_history(&instance).await;
    let run = std::fs::read(instance.directory().join("run.json")).unwrap();
    let run: Value = serde_json::from_slice(&run).unwrap();
    let nats = delayed(run["nats_url"].as_str().unwrap()).await;

    // The same stream beside a log that knows nothing of it.
    let database = database("late").await;
    kontor::serve::migrate_all(&database).await.unwrap();
    let create = ["token", "create", "--role", "admin", "--name", "test", "--database-url"];
    let key = kontor(&[create.as_slice(), &[&database]].concat()).output().unwrap().stdout;
    let key = String::from_utf8(key).unwrap();
    let listen = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let arguments = ["--database-url", &database, "--nats-url", &nats, "--listen", &listen];
    let mut serve = kontor(&[["serve"].as_slice(), &arguments].concat()).spawn().unwrap();
    let client = reqwest::Client::new();
    let first = eventually("it listens", async || {
        let body = json!({ "sku": "SKU-2", "name": "2", "unit": "piece", "vat_rate": "23" });
        let request = client.post(format!("http://{listen}/v1/products")).json(&body);
        request.bearer_auth(key.trim()).send().await.ok()
    })
    .await;
    serve.kill().unwrap();
    serve.wait().unwrap();
    assert_eq!(first.status(), 503);
}

/// A NATS whose every word takes a while to arrive; its URL.
async fn delayed(url: &str) -> String {
    let (credentials, server) = url.rsplit_once('@').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let server = server.trim_end_matches('/').to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) =
                TcpStream::connect(&server).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 64 << 10];
                while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    if to_client.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("{credentials}@{here}")
}

#[tokio::test]
async fn every_table_is_backed_up_or_derived() {
    let shop = Shop::open().await;
    let (instance, run) = (&shop.instance, shop.instance.directory().join("run.json"));
    let folder = instance.directory().join("backup");
    instance.run(&["log", "export", folder.to_str().unwrap()]);
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let files = manifest["manifest"]["files"].as_array().unwrap();
    let mut tables: Vec<&str> = files.iter().map(|file| file["table"].as_str().unwrap()).collect();
    tables.extend(DERIVED);
    let run: Value = serde_json::from_slice(&std::fs::read(run).unwrap()).unwrap();
    let client = connect(run["database_url"].as_str().unwrap()).await;
    for row in client.query(TABLES, &[]).await.unwrap() {
        let table: String = row.get(0);
        assert!(tables.contains(&table.as_str()), "{table} is neither in a backup nor derived");
    }
    // Keys are in it: nobody but the owner may look.
    for file in std::fs::read_dir(&folder).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

/// Wherever an export is killed, what it leaves is a sound backup or none, and it can be run
/// again; wherever an import is killed, nothing is written.
#[tokio::test]
async fn fault_exports_and_imports_survive_kill_9() {
    let folder = tempfile::TempDir::new().unwrap();
    let backup = folder.path().join("backup");
    let (from, to) = (database("from").await, database("to").await);
    fill(&from, 260_000).await;
    let export = ["log", "export", backup.to_str().unwrap(), "--database-url", &from];
    let import = ["log", "import", backup.to_str().unwrap(), "--database-url", &to];

    let verify = ["log", "verify", "--backup", backup.to_str().unwrap()];
    let killed = kill_later(&export, async || {
        let Output { status, stderr, .. } = kontor(&verify).output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success() || stderr.contains("is no backup"), "{stderr}");
        // Whole files may have stayed: begin anew, as the first export does.
        if backup.exists() {
            std::fs::remove_dir_all(&backup).unwrap();
        }
    })
    .await;
    assert!(killed > 3, "it was killed {killed} times");
    assert!(kontor(&export).status().unwrap().success(), "it is continued");
    let mut names = std::fs::read_dir(&backup).unwrap().map(|file| file.unwrap().file_name());
    assert!(names.all(|name| !name.to_str().unwrap().ends_with(".partial")));

    let client = connect(&to).await;
    let killed = kill_later(&import, async || {
        eventually("PostgreSQL has noticed", async || {
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = \
                current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
            (number(&client, waiting).await == 0).then_some(())
        })
        .await;
        let exists = "SELECT (to_regclass('log.commands_position') IS NOT NULL)::int::bigint";
        if number(&client, exists).await == 1 {
            let head = number(&client, "SELECT position FROM log.head").await;
            assert!(head == 0 || head == 260_000, "all or nothing");
            for count in ["SELECT count(*) FROM log.events", "SELECT count(*) FROM log.commands"] {
                assert_eq!(number(&client, count).await, head);
            }
        }
    })
    .await;
    assert!(killed > 3, "it was killed {killed} times");
    let restored = kontor(&import).status().unwrap().success();
    assert!(!restored, "what was not killed has restored it, or was so after its commit");
    let digest = "SELECT bit_xor(hashtextextended(e::text, 0)) FROM log.events e";
    assert_eq!(number(&client, digest).await, number(&connect(&from).await, digest).await);
    assert_eq!(number(&client, "SELECT position FROM log.head").await, 260_000);
}

/// Kills a command later and later, until it is done before it is killed; `check`s after each.
async fn kill_later(arguments: &[&str], check: impl AsyncFn()) -> u32 {
    let mut killed = 0;
    let mut delay = Duration::from_millis(40);
    loop {
        let mut child =
            kontor(arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        // A moment to strike at, not a state to wait for.
        tokio::time::sleep(delay).await;
        delay = delay * 7 / 4;
        if child.try_wait().unwrap().is_some() {
            return killed;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        check().await;
    }
}

fn kontor(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments);
    command
}

/// A database of its own; its URL.
async fn database(name: &str) -> String {
    let server = std::env::var("KONTOR_TEST_DATABASE_URL").expect("run `make test`");
    // Each test has a process of its own.
    let name = format!("backup_{name}_{}", std::process::id());
    connect(&server).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// A long history, straight into its tables.
async fn fill(url: &str, events: i64) {
    kontor::serve::migrate_all(url).await.unwrap();
    let insert = format!(
        "INSERT INTO log.events SELECT n, gen_random_uuid(), 'account', gen_random_uuid(), 1,
             'account.noted', 1, NULL, 'key:test', gen_random_uuid(), gen_random_uuid(), NULL,
             now(), json_build_object('number', n, 'text', repeat('ż', 100))::text
         FROM generate_series(1, {events}) AS n;
         INSERT INTO log.commands SELECT command_id, sha256(uuid_send(command_id)), stream_id,
             version, position, recorded_at FROM log.events;
         UPDATE log.head SET position = {events};"
    );
    connect(url).await.batch_execute(&insert).await.unwrap();
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn draft(instance: &Instance, sku: &str) {
    let body = json!({ "sku": sku, "name": sku, "unit": "piece", "vat_rate": "23" });
    let product = instance.post("admin", "/v1/products", &body).await;
    assert_eq!(product.status, 201, "{product:?}");
}
