//! The invariants of ARCHITECTURE.md that are absences: each test looks for what must not be.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::contexts::CONTEXTS;

pub(crate) const CRATES: [&str; 8] = [
    "domain",
    "event-log",
    "projections",
    "command-service",
    "query-service",
    "service-kit",
    "schemas",
    "kontor",
];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every Rust file below a folder.
pub(crate) fn sources(folder: impl AsRef<Path>) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut unread = vec![root().join(folder)];
    while let Some(folder) = unread.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                unread.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                found.push((path, source));
            }
        }
    }
    found
}

/// What of a file is not its unit tests.
pub(crate) fn product(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap()
}

/// The names under `[dependencies]`.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = text(format!("{name}/Cargo.toml"));
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn check_knows_none_of(name: &str, forbidden: &[&str]) {
    for dependency in dependencies(name) {
        assert!(!forbidden.contains(&dependency.as_str()), "{name} knows {dependency}");
    }
}

#[test]
fn the_domain_does_no_io_and_reads_no_clock() {
    check_knows_none_of("domain", &["tokio", "axum", "tokio-postgres", "async-nats", "reqwest"]);
    for (path, source) in sources("domain/src") {
        for banned in ["now()", "now_v7()", "new_v4()", "std::fs", "std::net", "std::env"] {
            assert!(!product(&source).contains(banned), "{} has {banned}", path.display());
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    check_knows_none_of("domain", &CRATES);
    check_knows_none_of("service-kit", &CRATES);
    check_knows_none_of(
        "event-log",
        &["projections", "command-service", "query-service", "kontor"],
    );
    check_knows_none_of("projections", &["command-service", "query-service", "kontor"]);
    check_knows_none_of("command-service", &["query-service", "kontor"]);
    check_knows_none_of("query-service", &["command-service", "kontor"]);
}

#[test]
fn no_float_touches_money() {
    for name in ["domain", "projections", "command-service", "query-service"] {
        for (path, source) in sources(format!("{name}/src")) {
            for line in product(&source).lines().filter(|line| !line.contains("as f64")) {
                let float = line.contains("f64") || line.contains("f32");
                assert!(!float, "{}: {line}", path.display());
            }
        }
    }
}

/// `as f64` is for metrics: never in a file that speaks of money.
#[test]
fn metrics_are_the_only_floats() {
    for name in ["domain", "projections/src/views", "command-service/src/http", "query-service"] {
        for (path, source) in sources(name) {
            assert!(!product(&source).contains("as f64"), "{}", path.display());
        }
    }
}

#[test]
fn no_file_is_called_by_what_it_is_not() {
    for name in CRATES {
        for (path, _) in sources(format!("{name}/src")) {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            for empty_name in ["utils", "util", "common", "manager", "helpers", "misc"] {
                assert_ne!(stem, empty_name, "{}", path.display());
            }
        }
    }
}

/// The machine of a test may be in another zone than the seller, whose day has then begun or not.
#[test]
fn tests_take_the_day_of_the_seller() {
    let (machine, seller) = (concat!("Zoned::now()", ".date()"), "in_tz(\"Europe/Warsaw\")");
    for (path, source) in sources("tests/tests/it") {
        assert!(!source.contains(machine), "{}: it needs {seller}", path.display());
    }
}

#[test]
fn every_file_says_what_it_is() {
    for name in CRATES {
        for (path, source) in sources(format!("{name}/src")) {
            assert!(source.starts_with("//! "), "{} has no purpose line", path.display());
        }
    }
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    for name in ["event-log", "projections", "command-service", "service-kit"] {
        let mut numbers: Vec<u32> = fs::read_dir(root().join(name).join("migrations"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|file| file.split('_').next().unwrap().parse().unwrap())
            .collect();
        numbers.sort_unstable();
        let expected: Vec<u32> = (1..=numbers.len().try_into().unwrap()).collect();
        assert_eq!(numbers, expected, "{name}");
    }
}

/// Who knows one aggregate's files knows all.
#[test]
fn an_aggregate_has_the_same_name_everywhere() {
    for (aggregate, plural) in [
        ("company", "companies"),
        ("negotiation", "negotiations"),
        ("conversation", "conversations"),
        ("offer", "offers"),
        ("order", "orders"),
        ("cart", "carts"),
        ("order_list", "order_lists"),
        ("shipment", "shipments"),
        ("pick_list", "pick_lists"),
        ("payment", "payments"),
        ("goods_return", "goods_returns"),
        ("offer_template", "offer_templates"),
        ("quotation_request", "quotation_requests"),
        ("standing_order", "standing_orders"),
        ("territories", "territories"),
    ] {
        let is_in = |context: &&str| {
            let path = format!("domain/src/{context}/{aggregate}.rs");
            root().join(path).exists()
        };
        let found: Vec<&str> = CONTEXTS.into_iter().filter(is_in).collect();
        let [context] = found[..] else { panic!("{aggregate}.rs is in {found:?}") };
        for path in [
            format!("command-service/src/http/{context}/{plural}.rs"),
            format!("projections/src/views/{context}/{plural}.rs"),
            format!("query-service/src/app/{context}/{plural}.rs"),
            format!("query-service/src/http/{context}/{plural}.rs"),
        ] {
            assert!(root().join(&path).exists(), "{path} is missing");
        }
    }
}

/// Where a task is spawned outside the supervisor, how often, and why its end is noticed all the
/// same.
const SPAWNS: &[(&str, usize, &str)] = &[
    ("command-service/src/imports.rs", 1, "of one import, which ends also without its client"),
    ("event-log/src/backup/export.rs", 1, "a command's; joined, and its panic is passed on"),
    ("event-log/src/backup/import.rs", 1, "a command's; joined, and its panic is passed on"),
    ("event-log/src/snapshots.rs", 1, "ends with its log; catches and counts each panic"),
    ("event-log/src/writer.rs", 1, "ends with its log; catches and counts each panic"),
    ("event-log/src/writer/connection.rs", 1, "drives a connection; ends with it"),
    ("kontor/src/instance.rs", 1, "drives a connection; joined"),
    ("kontor/src/log/companions.rs", 1, "drives a connection of a command; ends with it"),
    ("kontor/src/serve.rs", 1, "drives a connection; joined"),
    ("kontor/src/servers/child.rs", 1, "the thread that restarts a server; joined on drop"),
    ("projections/src/wait.rs", 1, "while somebody waits; after a panic the next one starts it"),
    ("query-service/src/live/watcher.rs", 1, "of one live connection, which ends with it"),
    ("service-kit/src/connections.rs", 1, "of one connection, which ends with it"),
    ("service-kit/src/supervisor.rs", 1, "the supervisor itself"),
];

/// A task that serves the whole process runs under the supervisor, so that its end is seen.
#[test]
fn background_tasks_run_under_the_supervisor() {
    let is_simulated = |path: &Path| path.to_string_lossy().contains("/src/simulation");
    let mut found: Vec<(String, usize)> = Vec::new();
    for name in CRATES {
        for (path, source) in sources(format!("{name}/src")) {
            let spawns = product(&source)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .flat_map(|line| line.match_indices("spawn(").map(move |(at, _)| line.split_at(at)))
                // A child process is spawned without an argument.
                .filter(|(_, call)| !call.starts_with("spawn()"))
                .count();
            if spawns > 0 && !is_simulated(&path) {
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((path, spawns));
            }
        }
    }
    found.sort();
    let known: Vec<(String, usize)> =
        SPAWNS.iter().map(|(path, spawns, _)| ((*path).to_owned(), *spawns)).collect();
    assert_eq!(found, known, "use service_kit::supervisor, or say here why not");
}

/// Each policy of the domain is run by a file of the same name, in the folder of a context.
#[test]
fn every_policy_is_run() {
    let names = |folder: &str| {
        let mut names: Vec<String> = sources(folder)
            .into_iter()
            .map(|(path, _)| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|name| !CONTEXTS.contains(&name.as_str()))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("domain/src/policies"), names("command-service/src/policies"));
}

/// Files beyond the limit, and why.
const LONG: [(&str, &str); 5] = [
    ("domain/src/billing/invoice.rs", "one aggregate: state, commands, events, decide"),
    ("domain/src/sales/negotiation.rs", "one aggregate"),
    ("domain/src/sales/offer.rs", "one aggregate"),
    ("domain/src/sales/order.rs", "one aggregate"),
    ("domain/src/sales/standing_order.rs", "one aggregate"),
];

#[test]
fn no_file_is_too_long_to_be_read() {
    const MOST: usize = 500;
    let mut long: Vec<String> = Vec::new();
    for name in CRATES {
        for (path, source) in sources(format!("{name}/src")) {
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if !is_test && product(&source).lines().count() > MOST {
                long.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    long.sort();
    assert_eq!(long, LONG.map(|(path, _)| path), "split it, or say here why not");
}
