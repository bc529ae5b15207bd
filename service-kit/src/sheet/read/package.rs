//! The files in a workbook, unpacked within limits, because a small file can unpack to a large one.

use std::{
    collections::HashMap,
    io::{self, BufReader, Cursor, Read},
};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{SheetError, malformed};

/// The maximum unpacked size of all files read, in bytes.
const MOST_UNPACKED: u64 = 256 << 20;
/// The maximum size in bytes of a tag, or of a text between two; the parser keeps one at a time.
const MOST_AT_ONCE: usize = 1 << 20;
/// The maximum number of files of a workbook.
const MOST_FILES: usize = 4_096;

/// A workbook's files by name.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Names in lower case, because their case differs between programs.
    places: HashMap<String, usize>,
    left: u64,
}

impl<'a> Package<'a> {
    /// Reads the names of the files.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, SheetError> {
        // The library allocates memory for each file before their number is known.
        const ENTRY: &[u8] = b"PK\x01\x02";
        if file.windows(ENTRY.len()).filter(|bytes| *bytes == ENTRY).count() > MOST_FILES {
            return Err(SheetError::TooLarge);
        }
        let archive = ZipArchive::new(Cursor::new(file)).map_err(malformed)?;
        let name = |index| Some(archive.name_for_index(index)?.ok()?.to_lowercase());
        let places = (0..archive.len()).filter_map(|index| Some((name(index)?, index))).collect();
        Ok(Self { archive, places, left: MOST_UNPACKED })
    }

    /// Passes the XML events of a file to `read`, until that returns that it has enough; returns
    /// whether the file exists.
    pub(super) fn read(
        &mut self,
        name: &str,
        mut read: impl FnMut(Event<'_>) -> Result<Next, SheetError>,
    ) -> Result<bool, SheetError> {
        let Some(index) = self.places.get(&name.to_lowercase()) else { return Ok(false) };
        let entry = self.archive.by_index(*index).map_err(malformed)?;
        let bounded = Bounded { entry, left: &mut self.left, run: 0, is_over: false };
        let mut reader = Reader::from_reader(BufReader::with_capacity(1 << 16, bounded));
        reader.config_mut().expand_empty_elements = true;
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let event = match reader.read_event_into(&mut buffer) {
                Ok(Event::Eof) => return Ok(true),
                Ok(event) => event,
                Err(_) if reader.get_ref().get_ref().is_over => return Err(SheetError::TooLarge),
                Err(error) => return Err(malformed(error)),
            };
            if read(event)? == Next::Enough {
                return Ok(true);
            }
        }
    }
}

/// Whether to continue reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Continue.
    More,
    /// Stop.
    Enough,
}

/// A reader that fails above a limit. The declared size may be false, so unpacked bytes are
/// counted.
struct Bounded<'a, R> {
    entry: R,
    left: &'a mut u64,
    /// The number of bytes since the last tag.
    run: usize,
    is_over: bool,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.entry.read(buffer)?;
        let bytes = &buffer[..length];
        let left = self.left.checked_sub(length as u64);
        self.is_over |= left.is_none();
        *self.left = left.unwrap_or(0);
        for part in bytes.split_inclusive(|byte| *byte == b'<') {
            self.run += part.len();
            self.is_over |= self.run > MOST_AT_ONCE;
            if part.ends_with(b"<") {
                self.run = 0;
            }
        }
        if self.is_over { Err(io::Error::other("too large")) } else { Ok(length) }
    }
}

/// The value of an attribute.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, SheetError> {
    let Some(attribute) = tag.try_get_attribute(name).map_err(malformed)? else { return Ok(None) };
    Ok(Some(quick_xml::escape::unescape(&attribute.value).map_err(malformed)?.into_owned()))
}

/// Adds the text of an event.
pub(super) fn add_text(event: &Event<'_>, text: &mut String) -> Result<(), SheetError> {
    match event {
        Event::Text(part) => text.push_str(&part.xml10_content()),
        Event::CData(part) => text.push_str(&part.xml10_content()),
        Event::GeneralRef(part) => {
            if let Some(letter) = part.resolve_char_ref().map_err(malformed)? {
                text.push(letter);
            } else {
                let known = quick_xml::escape::resolve_xml_entity(part);
                text.push_str(known.ok_or_else(|| malformed("an unknown entity"))?);
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_ends_at_its_bounds() {
        let read = |text: &str, mut left: u64| {
            let entry = text.as_bytes();
            let mut bounded = Bounded { entry, left: &mut left, run: 0, is_over: false };
            io::copy(&mut bounded, &mut io::sink()).is_ok()
        };
        assert!(read("<a>0123456789</a>", 17));
        assert!(!read("<a>0123456789</a>", 16));
        let long = "x".repeat(MOST_AT_ONCE);
        assert!(!read(&long.replace('x', "xx"), 1 << 30));
        assert!(read(&format!("<a>{}<b/>{}", &long[10..], &long[10..]), 1 << 30));
    }
}
