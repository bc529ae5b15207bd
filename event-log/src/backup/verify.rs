//! Checks a backup without a server.

use std::path::Path;

use super::{
    EVENTS, Error, Manifest,
    folder::{read_file, read_manifest},
    rows::Order,
};

/// What a sound backup holds.
#[derive(Debug, Clone)]
pub struct Sound {
    /// Its manifest.
    pub manifest: Manifest,
    /// How many streams its events form.
    pub streams: usize,
    /// The digest of the whole: kept elsewhere, it shows whether this is still the backup that was
    /// made.
    pub sha256: String,
}

/// Reads a backup whole: every digest and count, positions without a gap, and every stream's
/// versions. Takes some memory for every stream. Blocks the thread.
pub fn verify(folder: &Path) -> Result<Sound, Error> {
    let (manifest, sha256) = read_manifest(folder)?;
    let mut order = Order::of_all();
    for file in &manifest.files {
        let is_history = file.table == EVENTS;
        let row = |row: super::rows::Row<'_>| if is_history { order.follow(row) } else { Ok(()) };
        read_file(folder, file, row, |_| Ok(()))?;
    }
    if order.position() != manifest.last.as_i64() {
        return Err(Error::Manifest(format!("its events end at {}", order.position())));
    }
    Ok(Sound { streams: order.streams(), manifest, sha256 })
}
