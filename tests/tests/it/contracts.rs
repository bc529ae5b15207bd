//! The HTTP contract that is checked in is the one that is served.

use std::path::Path;

use crate::house::House;

/// `KONTOR_BLESS=1` writes it anew; what changed is then seen in review.
#[tokio::test]
async fn the_openapi_document_is_the_landed_one() {
    let house = House::start().await;
    let served = house.get("admin", "/openapi.json").await.body;
    assert_eq!(served["openapi"], "3.1.0");
    let text = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi.json");
    if std::env::var_os("KONTOR_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let landed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == landed, "schemas/openapi.json is not what is served: run with KONTOR_BLESS=1");
}
