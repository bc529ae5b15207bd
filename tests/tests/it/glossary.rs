//! `docs/glossary.md` has every aggregate and every read model.

use std::fs;

use domain::history;
use projections::views;

use crate::tidy::root;

#[test]
fn the_glossary_has_every_aggregate_and_every_read_model() {
    let glossary = fs::read_to_string(root().join("docs/glossary.md")).unwrap();
    let has_row = |code: &str| {
        let cell = format!("`{code}`");
        glossary.lines().any(|line| line.starts_with('|') && line.contains(&cell))
    };
    for aggregate in history::aggregates() {
        assert!(has_row(&format!("{aggregate}.*")), "no row for the aggregate {aggregate}");
    }
    for projection in views::ALL {
        assert!(has_row(projection.name), "no row for the read model {}", projection.name);
    }
}
