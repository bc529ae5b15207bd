//! The cells of a row, by column name.

use std::{collections::HashMap, fmt::Display, str::FromStr};

use axum::http::StatusCode;
use service_kit::{
    problem::{FieldError, Problem},
    sheet::Row,
};

use super::RowError;

/// A column of an import.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its name in the header.
    pub(crate) name: &'static str,
    /// Whether it is required.
    pub(crate) is_needed: bool,
}

/// `columns![sku needed, name, …]`: the columns of an import, of which `needed` ones are required.
macro_rules! columns {
    ($($name:ident $($needed:ident)?),+ $(,)?) => {
        &[$($crate::imports::Column {
            name: stringify!($name),
            is_needed: columns!(@ $($needed)?),
        }),+]
    };
    (@ needed) => { true };
    (@) => { false };
}

pub(crate) use columns;

/// The index of each column in the sheet.
pub(super) type Places = HashMap<&'static str, usize>;

/// Finds the columns in a header. Unknown columns are refused, because they would be ignored
/// silently.
pub(super) fn find(header: &[String], columns: &'static [Column]) -> Result<Places, Problem> {
    let known = |name: &str| columns.iter().any(|column| column.name == name);
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    if let Some(unknown) = header.iter().find(|name| !name.is_empty() && !known(name)) {
        let shown: String = unknown.chars().take(100).collect();
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "import.column_unknown")
            .detail(format!("unknown column {shown:?}; known columns are {}", names.join(", "))));
    }
    let place = |column: &Column| header.iter().position(|name| name == column.name);
    if let Some(missing) = columns.iter().find(|column| column.is_needed && place(column).is_none())
    {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "import.column_missing")
            .detail(format!("the column {:?} is needed", missing.name)));
    }
    Ok(columns.iter().filter_map(|column| Some((column.name, place(column)?))).collect())
}

/// The cells of a row, with the errors found.
pub(crate) struct Cells<'a> {
    places: &'a Places,
    row: &'a Row,
    errors: Vec<RowError>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(places: &'a Places, row: &'a Row) -> Self {
        Self { places, row, errors: Vec::new() }
    }

    /// The text of a cell; `None` if it is blank or its column is missing.
    pub(crate) fn text(&self, column: &'static str) -> Option<&'a str> {
        let cell = &self.row.cells[*self.places.get(column)?];
        (!cell.is_empty()).then_some(cell.as_str())
    }

    /// The value of a cell, unless it is blank.
    pub(crate) fn given<T: FromStr<Err: Display>>(&mut self, column: &'static str) -> Option<T> {
        let parsed = self.text(column)?.parse();
        parsed.map_err(|error| self.refuse(column, "import.cell_invalid", error)).ok()
    }

    /// A number, unless blank; a decimal comma is accepted.
    pub(crate) fn number<T: FromStr<Err: Display>>(&mut self, column: &'static str) -> Option<T> {
        let parsed = self.decimal(column)?.parse();
        parsed.map_err(|error| self.refuse(column, "import.cell_invalid", error)).ok()
    }

    /// A percentage in hundredths, unless blank; a decimal comma and a percent sign are accepted.
    pub(crate) fn percent<T: FromStr<Err: Display>>(&mut self, column: &'static str) -> Option<T> {
        let decimal = self.decimal(column)?;
        let hundredths = decimal.strip_suffix('%').unwrap_or(&decimal).trim_end();
        let parsed = hundredths.parse();
        parsed.map_err(|error| self.refuse(column, "import.cell_invalid", error)).ok()
    }

    /// A number with a decimal comma, spelled with a decimal point.
    pub(crate) fn decimal(&self, column: &'static str) -> Option<String> {
        Some(self.text(column)?.replacen(',', ".", 1))
    }

    /// The value of a required cell.
    pub(crate) fn needed<T: FromStr<Err: Display>>(&mut self, column: &'static str) -> Option<T> {
        if self.text(column).is_none() {
            self.refuse(column, "import.cell_missing", "is needed");
        }
        self.given(column)
    }

    /// Records an error of a cell.
    pub(crate) fn refuse(&mut self, column: &'static str, code: &str, detail: impl Display) {
        let value = self.text(column).map(|text| text.chars().take(100).collect());
        self.errors.push(RowError {
            row: self.row.number,
            column: Some(column),
            value,
            code: code.to_owned(),
            detail: detail.to_string(),
        });
    }

    pub(super) fn into_errors(self) -> Vec<RowError> {
        self.errors
    }
}

impl RowError {
    /// A row that a rule refuses.
    pub(super) fn of(row: u32, problem: &Problem) -> Self {
        Self {
            row,
            column: None,
            value: None,
            code: problem.code().to_owned(),
            detail: problem.words().to_owned(),
        }
    }

    /// The same as a problem document.
    pub(super) fn field(&self) -> FieldError {
        let Self { row, column, value, code, detail } = self;
        let pointer = match column {
            Some(column) => format!("/rows/{row}/{column}"),
            None => format!("/rows/{row}"),
        };
        let said = value.as_ref().map(|value| format!("{value:?}: ")).unwrap_or_default();
        FieldError::at(pointer, format!("{said}{detail} ({code})"))
    }
}
