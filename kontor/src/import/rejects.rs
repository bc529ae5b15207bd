//! The lines that an import refused: line number, reason and original fields, as CSV.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// A refused line, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Its line number in the file; the header is line 1.
    pub line: u64,
    /// The document it belongs to, if it could be read.
    pub document: String,
    /// Why it was refused.
    pub reason: String,
    /// Its original fields.
    pub fields: Vec<String>,
}

/// The default file of rejects: beside the input.
pub fn default_path(input: &Path) -> PathBuf {
    let mut name = input.file_name().unwrap_or_default().to_owned();
    name.push(".rejects.csv");
    input.with_file_name(name)
}

/// Writes all rejects in line order, replacing the file of an earlier run atomically.
pub fn write(path: &Path, rejects: &mut [Reject]) -> io::Result<()> {
    rejects.sort();
    let unfinished = path.with_extension("csv.part");
    let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(File::create(&unfinished)?);
    csv.write_record(["line", "document", "reason", "fields"])?;
    for reject in rejects.iter() {
        csv.write_field(reject.line.to_string())?;
        csv.write_field(&reject.document)?;
        csv.write_field(&reject.reason)?;
        csv.write_record(&reject.fields)?;
    }
    csv.flush()?;
    csv.into_inner().map_err(csv::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(unfinished, path)
}
