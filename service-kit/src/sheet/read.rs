//! Reads a sheet from a file.

mod encoding;
mod number_format;
mod package;
mod separated;
mod workbook;

use std::{borrow::Cow, collections::HashMap};

use super::{Doubt, Format, RawRow, Row, Sheet, SheetError};

/// Reads the sheet that a file holds.
pub fn read(file: &[u8], format: Format) -> Result<Sheet, SheetError> {
    match format {
        Format::Csv => separated::read(file)?.into_sheet(),
        Format::Xlsx => workbook::read(file)?.into_sheet(),
    }
}

/// The text of a file, in whichever encoding it is.
pub fn decoded(file: &[u8]) -> Cow<'_, str> {
    encoding::decoded(file)
}

/// The rows of the first sheet of a workbook, without blank ones.
pub fn workbook_rows(file: &[u8]) -> Result<Vec<RawRow>, SheetError> {
    Ok(workbook::read(file)?.into_rows())
}

/// The cells of a file while they are read, within the bounds of a sheet.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<Row>,
    doubts: Vec<(Permit, &'static str)>,
    cells: usize,
    bytes: usize,
}

/// Where a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Permit {
    /// The number of its row.
    row: u32,
    /// How many columns are before it.
    column: usize,
}

/// What the text of all cells may take up, in bytes: many cells may share one long text.
const MOST_TEXT: usize = 64 << 20;

/// The most unreadable cells that are listed.
const MOST_DOUBTS: usize = 100;

impl Table {
    /// Puts a cell where it stands; rows come in their order. What would lie between two cells of a
    /// row is blank.
    fn put(&mut self, Permit { row, column }: Permit, text: String) -> Result<(), SheetError> {
        if column >= Sheet::MOST_COLUMNS {
            return Err(SheetError::TooLarge);
        }
        if self.rows.last().is_none_or(|last| last.number != row) {
            // The header is a row too.
            if self.rows.len() > Sheet::MOST_ROWS {
                return Err(SheetError::TooLarge);
            }
            self.rows.push(Row { number: row, cells: Vec::new() });
        }
        let cells = &mut self.rows.last_mut().expect("a row was just put there").cells;
        let missing = (column + 1).saturating_sub(cells.len());
        self.cells += missing;
        self.bytes += text.len();
        if self.cells > Sheet::MOST_CELLS || self.bytes > MOST_TEXT {
            return Err(SheetError::TooLarge);
        }
        cells.resize(cells.len() + missing, String::new());
        cells[column] = text;
        Ok(())
    }

    /// Notes that a cell cannot be read, and why.
    fn doubt(&mut self, place: Permit, reason: &'static str) -> Result<(), SheetError> {
        if self.doubts.len() < MOST_DOUBTS {
            self.doubts.push((place, reason));
        }
        // It is there, so that its row is.
        self.put(place, "?".to_owned())
    }

    fn into_rows(self) -> Vec<RawRow> {
        let Self { rows, doubts, .. } = self;
        let mut of_rows: HashMap<u32, Vec<(usize, &'static str)>> = HashMap::new();
        for (Permit { row, column }, reason) in doubts {
            of_rows.entry(row).or_default().push((column, reason));
        }
        let row = |Row { number, cells }: Row| {
            let cells = cells.iter().map(|cell| cell.trim().to_owned()).collect();
            RawRow { number, cells, doubts: of_rows.remove(&number).unwrap_or_default() }
        };
        let rows: Vec<RawRow> = rows.into_iter().map(row).collect();
        rows.into_iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty())).collect()
    }

    fn into_sheet(self) -> Result<Sheet, SheetError> {
        let Self { rows, doubts, .. } = self;
        let mut rows = rows.into_iter();
        let header = rows.next().ok_or(SheetError::NoHeader)?;
        let doubts: Vec<Doubt> = doubts
            .into_iter()
            .filter_map(|(Permit { row, column }, reason)| {
                let name = header.cells.get(column).map_or("", |name| name.trim());
                // Nobody reads a column without a name.
                let is_header = row == header.number;
                let column = match name {
                    "" if !is_header => return None,
                    _ if is_header => letters(column),
                    name => name.to_lowercase().chars().take(100).collect(),
                };
                Some(Doubt { row, column, reason })
            })
            .collect();
        if !doubts.is_empty() {
            return Err(SheetError::Doubtful(doubts));
        }
        Sheet::of(&header.cells, rows)
    }
}

/// What a spreadsheet calls a column: A to Z, then AA.
fn letters(column: usize) -> String {
    let letter = |index: usize| char::from(b'A' + u8::try_from(index % 26).unwrap_or(0));
    match column / 26 {
        0 => letter(column).to_string(),
        more => format!("{}{}", letter(more - 1), letter(column)),
    }
}

/// Digits that a spreadsheet has put into scientific notation, as `5,90123E+12`: those that it left
/// out are lost.
fn lacks_digits(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.trim().split_once('E') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let is_mantissa = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => whole.len() == 1 && digits(whole) && digits(fraction),
        None => mantissa.len() == 1 && digits(mantissa),
    };
    let exponent = exponent.strip_prefix('+').or_else(|| exponent.strip_prefix('-'));
    is_mantissa && exponent.is_some_and(|digits_of| digits_of.len() >= 2 && digits(digits_of))
}

const LACKS_DIGITS: &str =
    "a number in scientific notation, which leaves digits out: format the column as text";

fn malformed(error: impl std::fmt::Display) -> SheetError {
    SheetError::Malformed(error.to_string().chars().take(200).collect())
}
