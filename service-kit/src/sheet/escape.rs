//! CSV cells that a spreadsheet would take for a formula.
//!
//! A spreadsheet that opens a CSV file calculates every cell that begins with `=`, `+`, `-` or `@`.
//! What is exported is marked by an apostrophe before it, what comes in loses exactly that one, so
//! a text is the same after going out and coming in. Numbers are not touched.

use std::borrow::Cow;

/// A text as a cell of a CSV file.
pub(super) fn done(text: &str) -> Cow<'_, str> {
    let bare = text.trim_start_matches('\'');
    if begins_formula(bare) { format!("'{text}").into() } else { text.into() }
}

/// The text that a cell of a CSV file stands for.
pub(super) fn undone(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if begins_formula(text.trim_start_matches('\'')) => text,
        Some(_) | None => cell,
    }
}

fn begins_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}
