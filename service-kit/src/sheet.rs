//! Sheets: tables with a header row, as CSV or XLSX.

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

/// A table that was read. Its cells are text in every format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The column names: trimmed, lower case.
    pub header: Vec<String>,
    /// The rows, without blank ones.
    pub rows: Vec<Row>,
}

/// A row of a [`Sheet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The row number as a spreadsheet shows it, the header being 1; in a CSV file, the line
    /// number.
    pub number: u32,
    /// The trimmed cells; as many as the header has.
    pub cells: Vec<String>,
}

/// A row of a table whose first row is not known to be a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// The row number as shown by a spreadsheet program; in text, the line number.
    pub number: u32,
    /// The trimmed cells.
    pub cells: Vec<String>,
    /// The columns with an ambiguous cell, and why it is ambiguous.
    pub doubts: Vec<(usize, &'static str)>,
}

/// A cell to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Blank.
    Blank,
    /// Text, including codes that consist of digits.
    Text(String),
    /// A number.
    Number(Decimal),
}

impl Cell {
    /// Text, or blank.
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Blank, |text| Self::Text(text.into()))
    }
}

/// The file format of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SheetFormat")]
pub enum Format {
    /// Text with a separator: comma, semicolon or tab; UTF-8, UTF-16 or Windows-1250.
    #[default]
    Csv,
    /// An Excel workbook; its first sheet.
    Xlsx,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Xlsx];

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The file extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// A cell that cannot be read unambiguously.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Its row number.
    pub row: u32,
    /// Its column name; in the header, the spreadsheet's column letters.
    pub column: String,
    /// The reason.
    pub reason: &'static str,
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// The file does not have its format.
    #[error("the file cannot be read: {0}")]
    Malformed(String),
    /// There is no header.
    #[error("the first row must name the columns")]
    NoHeader,
    /// Two columns have the same name.
    #[error("the column {0} is duplicated")]
    ColumnTwice(String),
    /// A limit is exceeded.
    #[error(
        "a sheet has at most {} rows, {} columns, {} cells and {} characters in a cell",
        Sheet::MOST_ROWS,
        Sheet::MOST_COLUMNS,
        Sheet::MOST_CELLS,
        Sheet::MOST_CHARACTERS
    )]
    TooLarge,
    /// Quotes that RFC 4180 does not allow.
    #[error("row {row} {reason}")]
    Quote {
        /// The row.
        row: u32,
        /// The error.
        reason: &'static str,
    },
    /// Ambiguous cells.
    #[error("some cells are ambiguous; nothing was read")]
    Doubtful(Vec<Doubt>),
    /// A row with more cells than the header.
    #[error("row {row} has {cells} cells, the header has {columns}")]
    Uneven {
        /// The row.
        row: u32,
        /// Its number of cells.
        cells: usize,
        /// The number of cells of the header.
        columns: usize,
    },
}

impl Sheet {
    /// The maximum number of rows.
    pub const MOST_ROWS: usize = 120_000;
    /// The maximum number of columns.
    pub const MOST_COLUMNS: usize = 200;
    /// The maximum number of cells, including blank ones.
    pub const MOST_CELLS: usize = 4_000_000;
    /// The maximum number of characters of a cell.
    pub const MOST_CHARACTERS: usize = 10_000;

    /// Adds rows below a header, if they fit.
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
            // Programs omit or add blank cells at the end.
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
