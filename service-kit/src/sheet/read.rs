//! Reads a sheet from a file.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use calamine::{Data, DataRef, Reader, Xlsx};

use super::{Format, Row, Sheet, SheetError};

/// How much a workbook may unpack to, in bytes: a small file can hold a great deal of nothing.
const UNPACKED: u64 = 512 << 20;

/// Reads the sheet that a file holds.
pub fn read(file: &[u8], format: Format) -> Result<Sheet, SheetError> {
    match format {
        Format::Csv => read_csv(file),
        Format::Xlsx => read_xlsx(file),
    }
}

fn read_csv(file: &[u8]) -> Result<Sheet, SheetError> {
    let text = decoded(file).replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let (mut rows, mut record) = (Vec::new(), csv::StringRecord::new());
    while reader.read_record(&mut record).map_err(malformed)? {
        if rows.len() > Sheet::MOST_ROWS {
            return Err(SheetError::TooLarge);
        }
        let number = line_of(&record, reader.position(), &text);
        rows.push(Row { number, cells: record.iter().map(str::to_owned).collect() });
    }
    headed(rows)
}

/// The line on which a record begins, reckoned from where it has ended: its own position is that
/// of the blank lines before it.
fn line_of(record: &csv::StringRecord, end: &csv::Position, text: &str) -> u32 {
    let within: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
    let before = usize::try_from(end.byte()).unwrap_or(text.len()).wrapping_sub(1);
    let terminated = text.as_bytes().get(before) == Some(&b'\n');
    let lines = within + usize::from(terminated);
    u32::try_from(end.line()).unwrap_or(u32::MAX).saturating_sub(u32::try_from(lines).unwrap_or(0))
}

/// A byte order mark tells UTF-8 and UTF-16; what is no UTF-8 comes from a Polish Windows.
fn decoded(file: &[u8]) -> std::borrow::Cow<'_, str> {
    match encoding_rs::Encoding::for_bom(file) {
        Some((encoding, _)) => encoding.decode(file).0,
        None => match std::str::from_utf8(file) {
            Ok(text) => text.into(),
            Err(_) => encoding_rs::WINDOWS_1250.decode(file).0,
        },
    }
}

/// The separator that the first line has most of.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    // Of several that are as frequent the last is taken.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|delimiter| first.matches(char::from(*delimiter)).count())
        .unwrap_or(b',')
}

fn read_xlsx(file: &[u8]) -> Result<Sheet, SheetError> {
    unpacks_within_bounds(file)?;
    // The library reckons with the places of cells before it looks at them: rubbish makes it panic.
    let rows = std::panic::catch_unwind(|| rows_of(file))
        .map_err(|_| SheetError::Malformed("its cells have impossible places".to_owned()))??;
    headed(rows.into_iter().map(|(row, cells)| Row { number: row.saturating_add(1), cells }))
}

/// The rows that have something in them, by how many are above them. A cell by itself can stand
/// anywhere, so what would lie between is never made.
fn rows_of(file: &[u8]) -> Result<BTreeMap<u32, Vec<String>>, SheetError> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(file)).map_err(malformed)?;
    let names = workbook.sheet_names();
    let first = names.first().cloned();
    let first = first.ok_or_else(|| SheetError::Malformed("there is no sheet in it".to_owned()))?;
    let mut reader = workbook.worksheet_cells_reader(&first).map_err(malformed)?;
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut left = UNPACKED;
    while let Some(cell) = reader.next_cell().map_err(malformed)? {
        let (row, column) = cell.get_position();
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        let value = cell.get_value();
        if matches!(value, DataRef::Empty) {
            continue;
        }
        // Many cells may share one long text.
        let shared = match value {
            DataRef::SharedString(text) => text.len() as u64,
            _ => 0,
        };
        left = left.checked_sub(shared).ok_or(SheetError::TooLarge)?;
        let present = rows.len();
        let cells = rows.entry(row).or_default();
        if column >= Sheet::MOST_COLUMNS || present > 2 * Sheet::MOST_ROWS {
            return Err(SheetError::TooLarge);
        }
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        cells[column] = text(&Data::from(value.clone()));
    }
    Ok(rows)
}

fn unpacks_within_bounds(file: &[u8]) -> Result<(), SheetError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).map_err(malformed)?;
    let mut left = UNPACKED;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(malformed)?;
        // What an entry says of its own size need not be true.
        let mut bounded = entry.take(left + 1);
        let unpacked = std::io::copy(&mut bounded, &mut std::io::sink()).map_err(malformed)?;
        left = left.checked_sub(unpacked).ok_or(SheetError::TooLarge)?;
    }
    Ok(())
}

/// A number as it was typed: the shortest text that means the same.
fn text(cell: &Data) -> String {
    match cell {
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        other => other.to_string(),
    }
}

fn headed(rows: impl IntoIterator<Item = Row>) -> Result<Sheet, SheetError> {
    let mut rows = rows.into_iter();
    let header = rows.next().ok_or(SheetError::NoHeader)?;
    Sheet::of(&header.cells, rows)
}

fn malformed(error: impl std::fmt::Display) -> SheetError {
    SheetError::Malformed(error.to_string().chars().take(200).collect())
}
