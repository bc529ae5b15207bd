//! Dashboards and alerts use existing metrics, and every metric has a description.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::{
    journeys::Shop,
    tidy::{CRATES, product, root, sources},
};

/// The metrics of our own that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(|character| !is_part(character))
        .filter(|word| word.starts_with("kontor_"))
        .map(|word| ["_bucket", "_count"].iter().fold(word, |word, end| word.trim_end_matches(end)))
        .map(str::to_owned)
        .collect()
}

/// Those that a source counts, sets or records.
fn recorded() -> BTreeSet<String> {
    let files = CRATES.iter().flat_map(|name| sources(format!("{name}/src")));
    files
        .flat_map(|(_, source)| {
            let source = product(&source).to_owned();
            let calls = ["counter!(", "gauge!(", "histogram!("];
            let after = calls.iter().flat_map(|call| source.split(call).skip(1));
            let names =
                after.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            names.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// The labels of each metric that a source counts, sets or records, as they are written there.
fn labels() -> BTreeSet<String> {
    let files = CRATES.iter().flat_map(|name| sources(format!("{name}/src")));
    files
        .flat_map(|(_, source)| {
            let calls = ["counter!(", "gauge!(", "histogram!("];
            let source = product(&source).to_owned();
            let after = calls.iter().flat_map(|call| source.split(call).skip(1));
            let labels = after.filter_map(|rest| {
                let call = rest.trim_start().strip_prefix('"')?.split([')', ';']).next()?;
                Some(call.split_once(',')?.1.split_whitespace().collect::<Vec<_>>().join(" "))
            });
            labels.collect::<Vec<_>>()
        })
        .collect()
}

/// Every value of a label is kept for ever, so none may come from a client. Whoever adds a label
/// says here where its values come from.
#[test]
fn labels_have_values_of_a_bounded_set() {
    let bounded = [
        // Names of constants in the program: policies, read models, timers, background tasks.
        r#""policy" => name"#,
        r#""policy" => self.policy.name"#,
        r#""projection" => projection"#,
        r#""task" => name.clone("#,
        r#""task" => name.to_owned("#,
        r#""timer" => self.timer"#,
        r#""timer" => timer"#,
        r#""policy" => *policy"#,
        // Two words in the source.
        r#""outcome" => outcome"#,
        // Methods of HTTP or `other`, patterns of routes, statuses: `telemetry::observe`.
        "&labels",
        "&labels[..2]",
    ];
    assert_eq!(labels(), bounded.map(str::to_owned).into());
}

fn known() -> BTreeSet<String> {
    kontor::serve::metrics().map(|metric| metric.name.to_owned()).collect()
}

#[tokio::test]
async fn every_metric_explains_itself() {
    let shop = Shop::open().await;
    let text = shop.instance.text("/metrics").await;
    let of = |mark: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(mark)?.split(' ').next());
        lines.filter(|name| name.starts_with("kontor_")).map(str::to_owned).collect()
    };
    let (explained, present) = (of("# HELP "), of("# TYPE "));
    assert_eq!(explained, present, "what is shown is explained");
    // Counters with labels come with their first value, which may have come or not.
    let missing: BTreeSet<String> = known().difference(&present).cloned().collect();
    let waiting = [
        "policy_failures_total",
        "policy_refusals_total",
        "snapshots_total",
        "task_panics_total",
        "task_restarts_total",
        "timer_failures_total",
    ];
    let waiting = BTreeSet::from(waiting.map(|name| format!("kontor_{name}")));
    assert!(missing.is_subset(&waiting), "{missing:?}");
    assert_eq!(recorded(), known(), "what is recorded is known, what is known is recorded");
}

#[test]
fn dashboard_and_alarms_show_what_is_measured() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana.json")).unwrap();
    let shown: BTreeSet<String> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default())
        .flat_map(|target| named(target["expr"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, known(), "the dashboard shows every metric, and no other");
    assert!(named(&read("deploy/alerts.yml")).is_subset(&known()));
    let mut documented = named(&read("docs/operations.md"));
    documented.remove("kontor_runtime");
    assert!(documented.is_subset(&known()), "{documented:?}");
}
