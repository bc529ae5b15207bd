//! Writes a sheet into a file.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::{Cell, Format, escape};

/// Why a sheet could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// As CSV.
    #[error("the sheet cannot be written as CSV")]
    Csv(#[from] csv::Error),
    /// As XLSX.
    #[error("the sheet cannot be written as XLSX")]
    Xlsx(#[from] XlsxError),
}

/// A file with a header and rows; it can be read again as it stands.
pub fn write(
    header: &[&str],
    rows: impl Iterator<Item = Vec<Cell>>,
    format: Format,
) -> Result<Vec<u8>, WriteError> {
    match format {
        Format::Csv => write_csv(header, rows),
        Format::Xlsx => write_xlsx(header, rows),
    }
}

fn write_csv(
    header: &[&str],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<Vec<u8>, WriteError> {
    // Without a byte order mark, spreadsheets take it for Windows-1250.
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.into_iter().map(|cell| match cell {
            Cell::Blank => String::new(),
            Cell::Text(text) => escape::done(&text).into_owned(),
            Cell::Number(number) => number.to_string(),
        }))?;
    }
    Ok(writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?)
}

fn write_xlsx(
    header: &[&str],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<Vec<u8>, WriteError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in (0..).zip(header) {
        sheet.write_string(0, column, *name)?;
    }
    for (number, row) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            match cell {
                Cell::Blank => {}
                Cell::Text(text) => {
                    sheet.write_string(number, column, text)?;
                }
                Cell::Number(value) => {
                    sheet.write(number, column, value)?;
                }
            }
        }
    }
    Ok(workbook.save_to_buffer()?)
}
