//! History cannot be changed, not even by its owner, and the services' role can only add to it.

use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::{
    account::{append, deposit, remembered},
    server::{connect, fresh_log},
};

const CHANGES: [&str; 6] = [
    "UPDATE log.events SET payload = '{}'",
    "DELETE FROM log.events",
    "TRUNCATE log.events",
    "UPDATE log.commands SET version = 7",
    "DELETE FROM log.commands",
    "TRUNCATE log.commands",
];

#[tokio::test]
async fn nobody_changes_history() {
    let (database, log) = fresh_log().await;
    let command = remembered(Uuid::now_v7(), 1);
    log.append(append(command, vec![deposit(Uuid::now_v7(), 0)], vec![])).await.unwrap();

    for role in ["origin", "replica"] {
        let set = format!("SET session_replication_role = {role}");
        database.owner.batch_execute(&set).await.unwrap();
        for change in CHANGES.iter().chain(&["DELETE FROM log.head", "TRUNCATE log.head"]) {
            let refused = database.owner.batch_execute(change).await.unwrap_err();
            assert_eq!(refused.code().unwrap().code(), "KN003", "{change} as {role}");
        }
    }

    let runtime = connect(&database.url).await;
    runtime.batch_execute("SET ROLE kontor_runtime").await.unwrap();
    let forbidden = ["DELETE FROM log.head", "DROP TABLE log.events", "DROP SCHEMA log CASCADE"];
    for change in CHANGES.iter().chain(&forbidden) {
        let refused = runtime.batch_execute(change).await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{change}");
    }
    for trick in [
        "ALTER TABLE log.events DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON log.events",
        "CREATE OR REPLACE FUNCTION log.refuse() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
    ] {
        assert!(runtime.batch_execute(trick).await.is_err(), "{trick}");
    }
    assert_eq!(log.verify().await.unwrap().findings, Vec::<String>::new());
    assert_eq!(database.number("SELECT count(*) FROM log.events").await, 1);
}
