//! Use cases called without HTTP, as by another front end in the same process.

use command_service::{
    Services,
    app::parties::company::{self, Register, Rename},
    caller::Caller,
};
use domain::CompanyId;
use event_log::{EventLog, LogConfig};
use projections::Views;
use serde_json::json;
use service_kit::{
    access::{Access, KeyRole, Principal},
    clock::Clock,
    idempotency::IdempotencyKey,
    postgres,
    telemetry::Correlation,
};
use uuid::Uuid;

use crate::instance::Instance;

/// What a form of the portal would say of itself.
const DIGEST: [u8; 32] = [7; 32];

#[tokio::test]
async fn a_use_case_needs_a_principal_and_a_key_but_no_request() {
    let instance = Instance::start().await;
    let url = instance.run_file()["database_url"].as_str().unwrap().to_owned();
    let log = EventLog::open(&LogConfig::new(&url)).await.unwrap();
    let pool = |name| postgres::pool(&url, name, 2).unwrap();
    let views = Views::open(pool("test views"), log.clone()).await.unwrap();
    let (access, clock) = (Access::new(pool("test access")), Clock::system(Clock::WARSAW).unwrap());
    let services = Services { log, views, access, clock };
    let principal = |role, company| Principal { key: Uuid::nil(), role, company, employee: None };
    let caller = |principal: Principal, key: &str| {
        let key = IdempotencyKey(Some(key.to_owned()));
        Caller::new(principal, key, Correlation(Uuid::now_v7()))
    };

    let seller = || principal(KeyRole::Sales, None);
    let form = json!({
        "name": "Piekarnia Kłos",
        "tax_id": { "kind": "nip", "number": "5260250274" },
        "payment_term": { "kind": "net", "days": 14 },
    });
    let register = async || {
        let request: Register = serde_json::from_value(form.clone()).unwrap();
        company::register(&services, &caller(seller(), "form 1"), DIGEST, request).await.unwrap()
    };
    let registered = register().await;
    assert_eq!(register().await, registered, "once, however often the form is sent");
    let id = registered.stream_id;
    instance.settled().await;
    let shown = instance.get("admin", &format!("/v1/companies/{id}")).await.body;
    assert_eq!(shown["name"], "Piekarnia Kłos", "{shown}");

    // What another company may not know of does not exist for it.
    let stranger = caller(principal(KeyRole::CompanyAdmin, Some(Uuid::now_v7())), "form 2");
    let request = Rename { name: "Piekarnia Pod Kłosem".parse().unwrap() };
    let renamed = company::rename(&services, &stranger, DIGEST, CompanyId(id), request).await;
    assert_eq!(renamed.unwrap_err().code(), "not_found");
}
