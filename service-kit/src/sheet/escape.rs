//! Escaping of CSV cells that a spreadsheet would treat as a formula.
//!
//! A spreadsheet evaluates CSV cells that begin with `=`, `+`, `-` or `@`. An export prefixes them
//! with an apostrophe, an import removes exactly that one, so texts are unchanged after export and
//! import. Numbers are not escaped.

use std::borrow::Cow;

/// The text of a CSV cell for a value.
pub(super) fn done(text: &str) -> Cow<'_, str> {
    let bare = text.trim_start_matches('\'');
    if begins_formula(bare) { format!("'{text}").into() } else { text.into() }
}

/// The value of a CSV cell.
pub(super) fn undone(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if begins_formula(text.trim_start_matches('\'')) => text,
        Some(_) | None => cell,
    }
}

fn begins_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}
