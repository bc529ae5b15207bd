//! Writes a sheet, rows after rows, so that a long one is never in memory as a whole.

use std::{
    fs::File,
    io::{self, Seek},
};

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::{Cell, escape};

/// Why a sheet could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// As CSV.
    #[error("the sheet cannot be written as CSV")]
    Csv(#[from] csv::Error),
    /// As XLSX.
    #[error("the sheet cannot be written as XLSX")]
    Xlsx(#[from] XlsxError),
    /// To the disk.
    #[error("the sheet cannot be written to the disk")]
    Disk(#[from] io::Error),
}

/// The beginning of a CSV file: its header.
pub fn csv_header(header: &[&str]) -> Result<Vec<u8>, WriteError> {
    // Without a byte order mark, spreadsheets take it for Windows-1250.
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(header)?;
    Ok(writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?)
}

/// More rows of a CSV file.
pub fn csv_rows(rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<Vec<u8>, WriteError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(|cell| match cell {
            Cell::Blank => String::new(),
            Cell::Text(text) => escape::done(&text).into_owned(),
            Cell::Number(number) => number.to_string(),
        }))?;
    }
    Ok(writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?)
}

/// A workbook whose rows go to the disk as they come.
pub struct Book {
    workbook: Workbook,
    next_row: u32,
}

impl Book {
    /// One with a header.
    pub fn new(header: &[&str]) -> Result<Self, WriteError> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        for (column, name) in (0..).zip(header) {
            sheet.write_string(0, column, *name)?;
        }
        Ok(Self { workbook, next_row: 1 })
    }

    /// Adds rows below those that there are.
    pub fn add(&mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<(), WriteError> {
        let sheet = self.workbook.worksheet_from_index(0)?;
        for row in rows {
            write_row(sheet, self.next_row, row)?;
            self.next_row += 1;
        }
        Ok(())
    }

    /// The file, to be read from its beginning; it is gone when it is closed.
    pub fn finish(mut self) -> Result<File, WriteError> {
        let mut file = tempfile::tempfile()?;
        self.workbook.save_to_writer(&mut file)?;
        file.rewind()?;
        Ok(file)
    }
}

fn write_row(sheet: &mut Worksheet, number: u32, row: Vec<Cell>) -> Result<(), WriteError> {
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
    Ok(())
}
