//! Writes a sheet row by row, so that it is never in memory as a whole.

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

/// The header of a CSV file.
pub fn csv_header(header: &[&str]) -> Result<Vec<u8>, WriteError> {
    // Without a byte order mark, spreadsheets would read it as Windows-1250.
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(header)?;
    Ok(writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?)
}

/// Further rows of a CSV file.
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

/// A workbook whose rows are written to the disk one by one.
pub struct Book {
    workbook: Workbook,
    next_row: u32,
}

impl Book {
    /// A workbook with a header.
    pub fn new(header: &[&str]) -> Result<Self, WriteError> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        for (column, name) in (0..).zip(header) {
            sheet.write_string(0, column, *name)?;
        }
        Ok(Self { workbook, next_row: 1 })
    }

    /// Appends rows.
    pub fn add(&mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<(), WriteError> {
        let sheet = self.workbook.worksheet_from_index(0)?;
        for row in rows {
            write_row(sheet, self.next_row, row)?;
            self.next_row += 1;
        }
        Ok(())
    }

    /// The file, from its beginning; it is deleted when it is closed.
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
