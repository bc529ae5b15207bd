//! Bounded contexts: each depends only on those before it, in the domain and in the use cases;
//! files of the domain have no cyclic imports; use cases and queries do not depend on HTTP; all
//! crates have the same context folders.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::tidy::{root, sources};

/// In the order in which they depend on each other. `messaging` stands beside the others: nobody
/// depends on it.
pub(crate) const CONTEXTS: [&str; 9] = [
    "kernel",
    "parties",
    "catalogue",
    "pricing",
    "sales",
    "inventory",
    "fulfilment",
    "billing",
    "messaging",
];

/// What stands above all contexts.
const ABOVE: [&str; 4] = ["history", "policies", "fixtures", "lib"];

/// The folders of the command service that have one for each context, and what stands above the
/// contexts there: it concerns the platform itself.
const COMMAND_SERVICE: [(&str, &[&str]); 4] = [
    ("app", &[]),
    ("http", &["access", "imports", "policies"]),
    ("imports", &["cells"]),
    ("policies", &[]),
];

/// What calls use cases: they know nothing of it.
const CALLERS: [&str; 4] = ["http", "imports", "policies", "timers"];

/// Modules of `service_kit` with extractors and answers of axum.
const EXTRACTORS: [&str; 3] = ["input", "upload", "download"];

/// A module of a context, such as `sales::offer`; an aggregate's folder is one module.
type Module = (String, String);

/// Which module of its context a name belongs to, as the context's file says.
struct Names {
    modules: BTreeSet<Module>,
    of_context: BTreeMap<(String, String), String>,
}

impl Names {
    fn read() -> Self {
        let mut names = Self { modules: BTreeSet::new(), of_context: BTreeMap::new() };
        for context in CONTEXTS {
            let path = root().join(format!("domain/src/{context}.rs"));
            for statement in fs::read_to_string(path).unwrap().split(';') {
                let is_code = |line: &&str| !line.trim_start().starts_with("//");
                let statement = statement.lines().filter(is_code);
                let statement = statement.collect::<Vec<_>>().join(" ");
                if let Some((_, module)) = statement.split_once("mod ") {
                    names.modules.insert((context.to_owned(), module.trim().to_owned()));
                } else if let Some((_, tree)) = statement.split_once("use ") {
                    for path in leaves(tree.trim()) {
                        let name = path.last().unwrap().clone();
                        names.of_context.insert((context.to_owned(), name), path[0].clone());
                    }
                }
            }
        }
        names
    }

    /// The module that a path below the crate leads to.
    fn module(&self, path: &[String]) -> Option<Module> {
        let (context, name) = (path.first()?.clone(), path.get(1)?.clone());
        let module = (context.clone(), name.clone());
        if self.modules.contains(&module) {
            return Some(module);
        }
        let of = self.of_context.get(&(context.clone(), name))?;
        Some((context, of.clone()))
    }
}

/// The paths of a tree of imports, without what they are renamed to.
fn leaves(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((prefix, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        return vec![path.split("::").map(|segment| segment.trim().to_owned()).collect()];
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let prefix: Vec<String> = prefix
        .split("::")
        .filter(|segment| !segment.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let (mut depth, mut begin, mut parts) = (0_usize, 0, Vec::new());
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[begin..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(leaves).map(|leaf| prefix.iter().cloned().chain(leaf).collect()).collect()
}

/// Every path below the crate that a file names, in imports and elsewhere.
fn named(source: &str) -> Vec<Vec<String>> {
    named_below("crate", source)
}

/// Every path below a crate that a file names.
fn named_below(root: &str, source: &str) -> Vec<Vec<String>> {
    let root = format!("{root}::");
    let mut found = Vec::new();
    for (at, _) in source.match_indices(&root) {
        let before = source[..at].chars().next_back();
        if before.is_some_and(|character| character.is_alphanumeric() || "_$:".contains(character))
        {
            continue;
        }
        let rest = &source[at + root.len()..];
        let is_import = source[..at].ends_with("use ");
        let end = if is_import {
            rest.find(';')
        } else {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        };
        found.extend(leaves(&rest[..end.unwrap_or(rest.len())]));
    }
    found
}

fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "tests" || name == "properties")
}

/// What each module names, tests left out.
fn graph(names: &Names) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut graph: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    let home = root().join("domain/src");
    for (path, source) in sources("domain/src") {
        let inner = path.strip_prefix(&home).unwrap().with_extension("");
        let mut parts = inner.iter().map(|part| part.to_str().unwrap().to_owned());
        let (Some(context), Some(module)) = (parts.next(), parts.next()) else { continue };
        if is_test(&path) || ABOVE.contains(&context.as_str()) {
            continue;
        }
        let product = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let own = (context, module);
        for path in named(product) {
            let at = path.first().map_or("", String::as_str);
            assert!(
                CONTEXTS.contains(&at) || at == "fixtures",
                "{own:?} names crate::{} without its context",
                path.join("::")
            );
            let Some(module) = names.module(&path).filter(|module| *module != own) else {
                continue;
            };
            graph.entry(own.clone()).or_default().insert(module);
        }
    }
    graph
}

#[test]
fn every_file_of_the_domain_stands_in_a_context() {
    for entry in fs::read_dir(root().join("domain/src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_known = CONTEXTS.contains(&name.as_str()) || ABOVE.contains(&name.as_str());
        assert!(is_known, "{} stands in no context", path.display());
    }
}

/// An event of an aggregate that is missing from the `events!` of its context could be stored, but
/// not read back.
#[test]
fn every_aggregate_is_in_the_events_of_its_context() {
    let kind = |line: &str| line.strip_prefix("aggregate!(")?.split('"').nth(1).map(str::to_owned);
    let sources = sources("domain/src");
    let declared: BTreeSet<String> =
        sources.iter().flat_map(|(_, source)| source.lines().filter_map(kind)).collect();
    let read: BTreeSet<String> = domain::history::aggregates().map(str::to_owned).collect();
    assert_eq!(declared, read);
}

/// What concerns the whole platform stands beside the contexts.
#[test]
fn every_read_model_and_every_query_stands_in_a_context() {
    for (folder, platform) in [
        ("projections/src/views", &[][..]),
        ("query-service/src/app", &["events", "exports"]),
        ("query-service/src/http", &["events", "exports", "live"]),
    ] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_known = CONTEXTS.contains(&name) || platform.contains(&name);
            assert!(is_known, "{} stands in no context", path.display());
        }
    }
}

/// So that a front end without HTTP gets the same answers.
#[test]
fn questions_know_nothing_of_http() {
    let top = root().join("query-service/src/app.rs");
    let source = fs::read_to_string(&top).unwrap();
    let mut all = sources("query-service/src/app");
    assert!(all.len() > 30, "there are more questions");
    all.push((top, source));
    for (path, source) in all {
        let found = ["axum", "aide::", "input::", "download::"];
        let found = found.into_iter().find(|name| source.contains(name));
        assert_eq!(found, None, "{}", path.display());
        let names_http = named(&source).iter().any(|path| path[0] == "http");
        assert!(!names_http, "{} names crate::http", path.display());
    }
}

/// HTTP refuses a role before it reads a query; other front ends have nothing but this.
#[test]
fn every_question_checks_the_role_of_who_asks() {
    let mut checked = 0;
    for (path, source) in sources("query-service/src/app") {
        for question in source.split("\npub async fn ").skip(1) {
            let name = question.split('(').next().unwrap();
            let body = question.split("\n}\n").next().unwrap();
            assert!(body.contains("asker.require"), "{}: {name}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked} questions");
}

#[test]
fn a_context_depends_on_those_before_it_only() {
    let place = |context: &str| CONTEXTS.iter().position(|one| *one == context).unwrap();
    for (module, used) in graph(&Names::read()) {
        for other in used {
            assert!(place(&other.0) <= place(&module.0), "{module:?} depends on {other:?}");
        }
    }
}

#[test]
fn no_modules_of_the_domain_import_each_other() {
    let mut graph = graph(&Names::read());
    assert!(graph.len() > 40, "the domain has more modules that import others");
    // What depends on nothing that is left cannot be part of a circle.
    loop {
        let left: BTreeSet<Module> = graph.keys().cloned().collect();
        let before = graph.len();
        graph.retain(|_, used| used.iter().any(|module| left.contains(module)));
        if graph.len() == before {
            break;
        }
    }
    assert!(graph.is_empty(), "these import each other, or what does: {:?}", graph.keys());
}

#[test]
fn every_file_of_the_command_service_stands_in_a_context_or_above_all() {
    for (folder, above) in COMMAND_SERVICE {
        for entry in fs::read_dir(root().join("command-service/src").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_known = CONTEXTS.contains(&name) || above.contains(&name);
            assert!(is_known, "{} stands in no context", path.display());
        }
    }
}

/// A web portal can call them as HTTP handlers do.
#[test]
fn use_cases_know_nothing_of_who_calls_them_nor_of_axum() {
    let services = root().join("command-service/src/app.rs");
    let mut files = sources("command-service/src/app");
    files.push((services.clone(), fs::read_to_string(services).unwrap()));
    assert!(files.len() > 50, "there are more files with use cases");
    for (path, source) in files {
        let first = |root| named_below(root, &source).into_iter().map(|mut path| path.remove(0));
        for name in first("crate") {
            assert!(!CALLERS.contains(&name.as_str()), "{} names crate::{name}", path.display());
        }
        for name in first("service_kit") {
            let is_extractor = EXTRACTORS.contains(&name.as_str());
            assert!(!is_extractor, "{} names service_kit::{name}", path.display());
        }
        for named in named_below("axum", &source) {
            assert_eq!(named, ["http", "StatusCode"], "{} names more of axum", path.display());
        }
        assert!(!source.contains("aide::"), "{} names aide", path.display());
    }
}

/// They read the request, say who may ask, and answer; what is decided is decided in `app`.
#[test]
fn handlers_of_contexts_decide_nothing() {
    for context in CONTEXTS {
        let folder = root().join("command-service/src/http").join(context);
        for (path, source) in folder.exists().then(|| sources(&folder)).into_iter().flatten() {
            for decides in ["event_log::", "services.log", ".execute(", "crate::failure"] {
                assert!(!source.contains(decides), "{} has {decides}", path.display());
            }
        }
    }
}

#[test]
fn use_cases_of_a_context_depend_on_those_before_it_only() {
    let place = |context: &str| CONTEXTS.iter().position(|one| *one == context).unwrap();
    for context in CONTEXTS {
        let folder = root().join("command-service/src/app").join(context);
        for (path, source) in folder.exists().then(|| sources(&folder)).into_iter().flatten() {
            for named in named(&source).into_iter().filter(|named| named[0] == "app") {
                // What all use cases share stands in `app` itself.
                let Some(other) = named.get(1).filter(|name| CONTEXTS.contains(&name.as_str()))
                else {
                    continue;
                };
                assert!(place(other) <= place(context), "{} names app::{other}", path.display());
            }
        }
    }
}

#[test]
fn paths_are_read_from_imports_and_elsewhere() {
    let source = "use crate::{\n    kernel::{Money, ids::{OfferId, OrderId as Id}},\n    sales::offer,\n};\nlet x = \
                  crate::billing::Invoice::default();\n$crate::not::this();";
    let found: Vec<String> = named(source).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "kernel::Money",
            "kernel::ids::OfferId",
            "kernel::ids::OrderId",
            "sales::offer",
            "billing::Invoice::default"
        ]
    );
}
