//! The invariants that are checked after every fault.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::load::{Ledger, Load};
use crate::instance::{Instance, within};

/// How soon the stream must be the log after the last command.
pub(super) const QUIET: Duration = Duration::from_secs(30);

/// Commands whose outcome is not in the log exactly as it was acknowledged: one remembered
/// outcome, one append without a gap that ends at its position and has its version.
const NOT_ONCE: &str = "
    SELECT a.position
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS a(stream_id, version, position)
    LEFT JOIN log.commands c USING (stream_id, version, position)
    LEFT JOIN log.events e ON e.command_id = c.command_id
    GROUP BY a.stream_id, a.version, a.position
    HAVING count(DISTINCT c.command_id) <> 1
        OR max(e.position) <> a.position
        OR count(*) <> max(e.position) - min(e.position) + 1
        OR NOT bool_or(e.stream_id = a.stream_id AND e.version = a.version)";

/// Of the kinds that only clients cause.
const COUNTS: &str = "
    SELECT event_type, count(*) FROM log.events WHERE event_type = ANY($1) GROUP BY event_type";

const REFUSALS: &str = "SELECT policy, code, position FROM policy.refusals";

/// Ends the load, and checks that history is sound: every acknowledged command is in the log
/// exactly once and nothing else is; positions and versions have no gaps; the stream is the log
/// within 30 s; live read models equal rebuilt ones; numbers have no gaps; balances are right.
pub(crate) async fn check_sound(load: Load, instance: &Instance) {
    let ledger = load.finish().await;
    instance.settled().await;
    check_history(instance).await;
    check_commands(&ledger, instance).await;
    check_balances(&ledger, instance).await;
    check_numbers(&ledger, instance).await;
}

/// Positions and versions have no gap, message n is event n, and live read models equal rebuilt
/// ones.
pub(crate) async fn check_history(instance: &Instance) {
    within(QUIET, "log and stream are the same history", async || {
        instance.succeeds(&["log", "verify"])
    })
    .await;
    let compared = instance.run(&["projections", "compare", "all"]);
    for line in compared.lines() {
        assert!(line.trim_end().ends_with("equal"), "{compared}");
    }
}

pub(super) async fn check_commands(ledger: &Ledger, instance: &Instance) {
    let number = |answer: &Value, name: &str| answer[name].as_i64().unwrap();
    let answers = || ledger.commands.iter().map(|command| &command.answer);
    let ids: Vec<Uuid> =
        answers().map(|answer| answer["id"].as_str().unwrap().parse().unwrap()).collect();
    let versions: Vec<i64> = answers().map(|answer| number(answer, "version")).collect();
    let positions: Vec<i64> = answers().map(|answer| number(answer, "position")).collect();
    let database = instance.database().await;
    let rows = database.query(NOT_ONCE, &[&ids, &versions, &positions]).await.unwrap();
    let wrong: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(wrong, Vec::<i64>::new(), "acknowledged, but not exactly once in the log");

    let mut expected: HashMap<&str, i64> = HashMap::from([("product.drafted", 1)]);
    for command in &ledger.commands {
        *expected.entry(command.event).or_default() += 1;
    }
    let kinds: Vec<&str> = expected.keys().copied().collect();
    let rows = database.query(COUNTS, &[&kinds]).await.unwrap();
    let counted: HashMap<&str, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(counted, expected, "in the log, but never acknowledged");

    let refusals = database.query(REFUSALS, &[]).await.unwrap();
    assert!(refusals.is_empty(), "consequences were refused: {refusals:?}");
}

async fn check_balances(ledger: &Ledger, instance: &Instance) {
    let mut owed: BTreeMap<&str, Decimal> = BTreeMap::new();
    for command in &ledger.commands {
        *owed.entry(&ledger.customers[command.customer]).or_default() +=
            Decimal::from(command.owes);
    }
    let balances = instance.all("admin", "/v1/account-balances").await;
    for (customer, owed) in owed {
        let balance = balances.iter().find(|balance| balance["company"] == customer);
        let amount = |name: &str| -> Decimal {
            let amount = balance.map_or("0", |balance| balance[name]["amount"].as_str().unwrap());
            amount.parse().unwrap()
        };
        assert_eq!(amount("balance"), owed, "{customer}");
        assert_eq!(amount("open") - amount("unallocated"), owed, "{customer}");
    }
}

/// Every document has its number, and every number of a month its document.
async fn check_numbers(ledger: &Ledger, instance: &Instance) {
    let mut series: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for document in instance.all("admin", "/v1/invoices").await {
        let number = document["number"].as_str().unwrap();
        let (month, sequence) = number.rsplit_once('/').unwrap();
        series.entry(month.to_owned()).or_default().push(sequence.parse().unwrap());
    }
    for (month, sequences) in &mut series {
        sequences.sort_unstable();
        assert_eq!(*sequences, (1..=sequences.len()).collect::<Vec<_>>(), "{month}");
    }
    for (kind, event) in [("FV", "shipment.dispatched"), ("FK", "invoice.credit_note_issued")] {
        let documents = series.iter().filter(|(month, _)| month.starts_with(kind));
        let documents: usize = documents.map(|(_, sequences)| sequences.len()).sum();
        let caused = ledger.commands.iter().filter(|command| command.event == event).count();
        assert_eq!(documents, caused, "{kind}");
    }
}
