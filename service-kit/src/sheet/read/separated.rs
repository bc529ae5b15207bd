//! Reads CSV (RFC 4180). Misplaced quotes are refused, because a lenient reader would lose
//! characters or whole rows silently.

use super::{LACKS_DIGITS, Permit, SheetError, Table, encoding, lacks_digits};
use crate::sheet::escape;

const NOT_ENCODED: &str = "has a character that is not valid in the encoding of the file";

/// Reads a file with commas, semicolons or tabs.
pub(super) fn read(file: &[u8]) -> Result<Table, SheetError> {
    let text = encoding::decoded(file);
    let mut table = Table::default();
    let mut reader = Reader { rest: &text, line: 1, separator: separator(&text) };
    while !reader.rest.is_empty() {
        reader.record(&mut table)?;
    }
    Ok(table)
}

/// The most frequent separator in the first line.
fn separator(text: &str) -> char {
    let first = text.lines().next().unwrap_or_default();
    // Of equally frequent ones, the last is used.
    let separators = ['\t', ';', ','].into_iter();
    separators.max_by_key(|separator| first.matches(*separator).count()).unwrap_or(',')
}

struct Reader<'a> {
    rest: &'a str,
    /// The number of the line in which `rest` begins.
    line: u32,
    separator: char,
}

impl Reader<'_> {
    /// Reads a record; a blank line is none.
    fn record(&mut self, table: &mut Table) -> Result<(), SheetError> {
        let row = self.line;
        if self.ends_line() {
            return Ok(());
        }
        for column in 0.. {
            let text = self.cell(row)?;
            let place = Permit { row, column };
            match escape::undone(&text) {
                text if text.contains('\u{fffd}') => table.doubt(place, NOT_ENCODED)?,
                text if lacks_digits(text) => table.doubt(place, LACKS_DIGITS)?,
                text => table.put(place, text.to_owned())?,
            }
            if self.ends_line() {
                return Ok(());
            }
            // A cell ends at a separator or at the end of the line.
            self.rest = &self.rest[self.separator.len_utf8()..];
        }
        Ok(())
    }

    /// Skips the end of a line, if the rest begins with one or is empty.
    fn ends_line(&mut self) -> bool {
        let rest = ["\r\n", "\n", "\r"].iter().find_map(|end| self.rest.strip_prefix(end));
        if let Some(rest) = rest {
            self.rest = rest;
            self.line = self.line.saturating_add(1);
        }
        rest.is_some() || self.rest.is_empty()
    }

    fn cell(&mut self, row: u32) -> Result<String, SheetError> {
        if let Some(quoted) = self.rest.strip_prefix('"') {
            return self.quoted(quoted, row);
        }
        let is_end = |letter| letter == self.separator || letter == '\n' || letter == '\r';
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if text.contains('"') {
            return Err(SheetError::Quote { row, reason: "has a quote within an unquoted cell" });
        }
        self.rest = rest;
        Ok(text.to_owned())
    }

    /// The text between quotes; two quotes are one in the text.
    fn quoted<'a>(&mut self, mut quoted: &'a str, row: u32) -> Result<String, SheetError>
    where
        Self: 'a,
    {
        let mut text = String::new();
        loop {
            let (before, after) = quoted
                .split_once('"')
                .ok_or(SheetError::Quote { row, reason: "opens a quote that is never closed" })?;
            text.push_str(before);
            match after.strip_prefix('"') {
                Some(more) => {
                    text.push('"');
                    quoted = more;
                }
                None => {
                    let consumed = self.rest.len() - after.len();
                    self.rest = &self.rest[consumed..];
                    break;
                }
            }
        }
        if !self.rest.is_empty() && !self.rest.starts_with([self.separator, '\n', '\r']) {
            return Err(SheetError::Quote { row, reason: "has text after a closing quote" });
        }
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines = u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
        self.line = self.line.saturating_add(lines);
        Ok(text)
    }
}
