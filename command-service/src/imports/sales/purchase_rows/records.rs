//! Splits text into records and cells. A cell may be quoted; a quote that is never closed, or that
//! has text behind it, is a letter like any other, so that no line swallows those after it.

use service_kit::sheet::RawRow;

/// What stands between cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// One letter.
    Letter(char),
    /// Two spaces or more.
    Gap,
    /// One space or more.
    Spaces,
}

/// In the order of trust.
pub(super) const SEPARATORS: [Separator; 6] = [
    Separator::Letter('\t'),
    Separator::Letter(';'),
    Separator::Letter('|'),
    Separator::Gap,
    Separator::Spaces,
    Separator::Letter(','),
];

impl Separator {
    /// Whether it stands in no code, quantity or name.
    pub(super) const fn is_clear(self) -> bool {
        matches!(self, Self::Letter('\t' | ';' | '|'))
    }

    /// Whether records that it has split do not show another separator: spaces after commas separate
    /// nothing.
    pub(super) fn fits(self, table: &[RawRow]) -> bool {
        match self {
            Self::Letter(_) => true,
            Self::Gap | Self::Spaces => {
                !table.iter().flat_map(|row| &row.cells).any(|cell| cell.ends_with(','))
            }
        }
    }
}

/// How long a quoted cell may be, in bytes; a longer one is not a quoted cell.
const MOST_QUOTED: usize = 10_000;

/// The records of a text; blank lines are none. The number of a record is that of its first line.
pub(super) fn split(text: &str, separator: Separator) -> Vec<RawRow> {
    let mut records = Vec::new();
    let (mut rest, mut line) = (text, 1_u32);
    while !rest.is_empty() {
        let number = line;
        let mut cells: Vec<String> = Vec::new();
        loop {
            rest = skip_spaces(rest, separator);
            let (cell, after) = cell(rest, separator);
            line = line.saturating_add(lines_in(&rest[..rest.len() - after.len()]));
            cells.push(cell);
            match next(after, separator) {
                Next::Cell(after) => rest = after,
                Next::Record(after) => {
                    if !after.is_empty() || after.len() < rest.len() {
                        line = line.saturating_add(1);
                    }
                    rest = after;
                    break;
                }
            }
        }
        if cells.iter().any(|cell| !cell.is_empty()) {
            records.push(RawRow { number, cells, doubts: Vec::new() });
        }
    }
    records
}

fn lines_in(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

fn is_space(letter: char) -> bool {
    letter.is_whitespace() && letter != '\n' && letter != '\r' && letter != '\t'
}

/// Spaces before a cell say nothing, unless they separate cells.
fn skip_spaces(rest: &str, separator: Separator) -> &str {
    match separator {
        Separator::Letter(_) => rest.trim_start_matches(is_space),
        Separator::Gap | Separator::Spaces => {
            rest.trim_start_matches(|letter| is_space(letter) || letter == '\t')
        }
    }
}

/// What comes after a cell.
enum Next<'a> {
    Cell(&'a str),
    Record(&'a str),
}

fn next(after: &str, separator: Separator) -> Next<'_> {
    for end in ["\r\n", "\n", "\r"] {
        if let Some(rest) = after.strip_prefix(end) {
            return Next::Record(rest);
        }
    }
    match separator {
        _ if after.is_empty() => Next::Record(after),
        Separator::Letter(letter) => Next::Cell(after.strip_prefix(letter).unwrap_or(after)),
        Separator::Gap | Separator::Spaces => {
            let rest = skip_spaces(after, separator);
            // Spaces at the end of a line begin no cell.
            match rest.chars().next() {
                None | Some('\n' | '\r') => next(rest, Separator::Letter('\0')),
                Some(_) => Next::Cell(rest),
            }
        }
    }
}

/// A cell and what comes after it.
fn cell(rest: &str, separator: Separator) -> (String, &str) {
    if let Some((cell, after)) = quoted(rest, separator) {
        return (cell.trim().to_owned(), after);
    }
    let end = match separator {
        Separator::Letter(separator) => rest.find([separator, '\n', '\r']),
        Separator::Spaces => rest.find(char::is_whitespace),
        Separator::Gap => gap(rest),
    };
    let (cell, after) = rest.split_at(end.unwrap_or(rest.len()));
    (cell.trim().to_owned(), after)
}

/// Where two spaces, a tab or the end of the line is.
fn gap(rest: &str) -> Option<usize> {
    let mut before = None;
    for (at, letter) in rest.char_indices() {
        match letter {
            '\n' | '\r' | '\t' => return Some(before.unwrap_or(at)),
            letter if is_space(letter) => match before {
                Some(first) => return Some(first),
                None => before = Some(at),
            },
            _ => before = None,
        }
    }
    None
}

/// What stands between quotes, if a cell ends behind the closing one; two in a row are one.
fn quoted(rest: &str, separator: Separator) -> Option<(String, &str)> {
    let mut inner = rest.strip_prefix('"')?;
    let mut cell = String::new();
    loop {
        let (before, after) = inner.split_once('"')?;
        cell.push_str(before);
        if cell.len() > MOST_QUOTED {
            return None;
        }
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                inner = more;
            }
            None => {
                let behind = after.trim_start_matches(is_space);
                let ends = match separator {
                    _ if behind.is_empty() || behind.starts_with(['\n', '\r']) => true,
                    Separator::Letter(letter) => behind.starts_with(letter),
                    Separator::Gap | Separator::Spaces => after.starts_with(char::is_whitespace),
                };
                // Spaces between the quote and the separator say nothing.
                let after = match separator {
                    Separator::Letter(_) => behind,
                    Separator::Gap | Separator::Spaces => after,
                };
                return ends.then(|| (cell.replace(['\r', '\n'], " "), after));
            }
        }
    }
}
