//! What an import could not accept: line number, reason and the line itself, as CSV.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// A line of the input that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Its place in the file; the header is line 1.
    pub line: u64,
    /// The document it belongs to, as far as that could be read.
    pub document: String,
    /// Why it was refused.
    pub reason: String,
    /// Its fields as they stood.
    pub fields: Vec<String>,
}

/// Where the rejects of an input go by default: beside it.
pub fn default_path(input: &Path) -> PathBuf {
    let mut name = input.file_name().unwrap_or_default().to_owned();
    name.push(".rejects.csv");
    input.with_file_name(name)
}

/// Writes all rejects in line order, replacing an earlier run's file in one step. The same input
/// gives the same file.
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
