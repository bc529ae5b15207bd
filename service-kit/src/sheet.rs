//! Sheets: tables with a header, as spreadsheets and other systems hand them over, CSV or XLSX.

mod escape;
mod read;
mod write;

use axum::http::StatusCode;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

pub use self::{
    read::{decoded, read, workbook_rows},
    write::{Book, WriteError, csv_header, csv_rows},
};
use crate::problem::{FieldError, Problem};

/// A table that came in. What its cells say is text, however the file kept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The names of the columns: trimmed, lower case.
    pub header: Vec<String>,
    /// The rows below it; blank ones are left out.
    pub rows: Vec<Row>,
}

/// A row of a [`Sheet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number as a spreadsheet shows it, the header being 1; of a CSV file, its line.
    pub number: u32,
    /// Its cells, trimmed; as many as the header has.
    pub cells: Vec<String>,
}

/// A row of a table whose first row is not known to be a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Its number as a spreadsheet shows it; of text, its line.
    pub number: u32,
    /// Its cells, trimmed.
    pub cells: Vec<String>,
    /// The cells of which it is not certain what they say, by their column, and why.
    pub doubts: Vec<(usize, &'static str)>,
}

/// What a cell holds that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Blank,
    /// Text; also codes and identifiers that are made of digits.
    Text(String),
    /// A number to reckon with.
    Number(Decimal),
}

impl Cell {
    /// Text, or nothing.
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Blank, |text| Self::Text(text.into()))
    }
}

/// How a sheet is kept in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SheetFormat")]
pub enum Format {
    /// Text with a separator: comma, semicolon or tab; UTF-8, UTF-16 or Windows-1250.
    #[default]
    Csv,
    /// A workbook of Excel; its first sheet.
    Xlsx,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Xlsx];

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// How names of such files end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// A cell of which it is not certain what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The number of its row.
    pub row: u32,
    /// The name of its column; in the header, what a spreadsheet calls it.
    pub column: String,
    /// Why.
    pub reason: &'static str,
}

/// A file that holds no sheet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// Not of its format.
    #[error("the file cannot be read: {0}")]
    Malformed(String),
    /// No header.
    #[error("the first row must name the columns")]
    NoHeader,
    /// Two columns of one name.
    #[error("the column {0} is there twice")]
    ColumnTwice(String),
    /// More than anybody looks through.
    #[error(
        "a sheet has at most {} rows, {} columns, {} cells and {} characters in a cell",
        Sheet::MOST_ROWS,
        Sheet::MOST_COLUMNS,
        Sheet::MOST_CELLS,
        Sheet::MOST_CHARACTERS
    )]
    TooLarge,
    /// Quotes that are not where RFC 4180 has them.
    #[error("row {row} {reason}")]
    Quote {
        /// Which row.
        row: u32,
        /// What is wrong.
        reason: &'static str,
    },
    /// Cells of which it is not certain what they say.
    #[error("some cells cannot be read without doubt; nothing was read")]
    Doubtful(Vec<Doubt>),
    /// A row that does not fit the header.
    #[error("row {row} has {cells} cells, the header has {columns}")]
    Uneven {
        /// Which row.
        row: u32,
        /// How many cells it has.
        cells: usize,
        /// How many the header has.
        columns: usize,
    },
}

impl Sheet {
    /// How many rows one may have.
    pub const MOST_ROWS: usize = 120_000;
    /// How many columns.
    pub const MOST_COLUMNS: usize = 200;
    /// How many cells, blank ones included.
    pub const MOST_CELLS: usize = 4_000_000;
    /// How many characters a cell.
    pub const MOST_CHARACTERS: usize = 10_000;

    /// Puts rows under a header, if they fit.
    fn of(header: &[String], rows: impl Iterator<Item = Row>) -> Result<Self, SheetError> {
        let header: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        if header.iter().all(String::is_empty) {
            return Err(SheetError::NoHeader);
        }
        if header.len() > Self::MOST_COLUMNS {
            return Err(SheetError::TooLarge);
        }
        for (index, name) in header.iter().enumerate() {
            if !name.is_empty() && header[..index].contains(name) {
                return Err(SheetError::ColumnTwice(name.clone()));
            }
        }
        let mut fitting = Vec::new();
        for Row { number, mut cells } in rows {
            for cell in &mut cells {
                *cell = cell.trim().to_owned();
            }
            if cells.iter().all(String::is_empty) {
                continue;
            }
            // Programs leave blank cells at the end out, or add some.
            while cells.len() > header.len() && cells.last().is_some_and(String::is_empty) {
                cells.pop();
            }
            if cells.len() > header.len() {
                let (cells, columns) = (cells.len(), header.len());
                return Err(SheetError::Uneven { row: number, cells, columns });
            }
            let long = |cell: &String| cell.chars().count() > Self::MOST_CHARACTERS;
            let many = (fitting.len() + 1) * header.len() > Self::MOST_CELLS;
            if many || fitting.len() == Self::MOST_ROWS || cells.iter().any(long) {
                return Err(SheetError::TooLarge);
            }
            cells.resize(header.len(), String::new());
            fitting.push(Row { number, cells });
        }
        Ok(Self { header, rows: fitting })
    }
}

impl From<SheetError> for Problem {
    fn from(error: SheetError) -> Self {
        let code = match &error {
            SheetError::Malformed(_) => "sheet.malformed",
            SheetError::NoHeader => "sheet.no_header",
            SheetError::ColumnTwice(_) => "sheet.column_twice",
            SheetError::TooLarge => "sheet.too_large",
            SheetError::Uneven { .. } => "sheet.uneven",
            SheetError::Quote { .. } => "sheet.quote",
            SheetError::Doubtful(_) => "sheet.doubtful",
        };
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code).detail(error.to_string());
        match error {
            SheetError::Doubtful(doubts) => doubts.into_iter().fold(problem, |problem, doubt| {
                let column = doubt.column.replace('~', "~0").replace('/', "~1");
                let pointer = format!("/rows/{}/{column}", doubt.row);
                problem.field(FieldError::at(pointer, doubt.reason))
            }),
            SheetError::Uneven { row, .. } | SheetError::Quote { row, .. } => {
                let detail = error.to_string();
                problem.field(FieldError::at(format!("/rows/{row}"), detail))
            }
            _ => problem,
        }
    }
}

#[cfg(test)]
mod tests;
