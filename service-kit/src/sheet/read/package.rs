//! The files in a workbook, unpacked as they are read and within bounds: a small file can hold a
//! great deal of nothing.

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

/// What all that is read of a workbook may unpack to, in bytes.
const MOST_UNPACKED: u64 = 256 << 20;
/// How long a tag, or a text between two, may be in bytes: the parser keeps one at a time.
const MOST_AT_ONCE: usize = 1 << 20;
/// How many files a workbook may have.
const MOST_FILES: usize = 4_096;

/// A workbook's files by name.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Names in lower case: writers differ.
    places: HashMap<String, usize>,
    left: u64,
}

impl<'a> Package<'a> {
    /// Reads the names of the files.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, SheetError> {
        // The library makes room for each before it can be asked how many there are.
        const ENTRY: &[u8] = b"PK\x01\x02";
        if file.windows(ENTRY.len()).filter(|bytes| *bytes == ENTRY).count() > MOST_FILES {
            return Err(SheetError::TooLarge);
        }
        let archive = ZipArchive::new(Cursor::new(file)).map_err(malformed)?;
        let name = |index| Some(archive.name_for_index(index)?.ok()?.to_lowercase());
        let places = (0..archive.len()).filter_map(|index| Some((name(index)?, index))).collect();
        Ok(Self { archive, places, left: MOST_UNPACKED })
    }

    /// Passes the XML of a file, event by event, to `read`, until that says that it has enough;
    /// answers whether there is such a file.
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

/// Whether the rest of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Yes.
    More,
    /// No.
    Enough,
}

/// An entry that ends with an error where it passes a bound. What it says of its own size need not
/// be true, so what comes out is counted.
struct Bounded<'a, R> {
    entry: R,
    left: &'a mut u64,
    /// How many bytes came since the last tag began.
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

/// What an attribute says.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, SheetError> {
    let Some(attribute) = tag.try_get_attribute(name).map_err(malformed)? else { return Ok(None) };
    Ok(Some(quick_xml::escape::unescape(&attribute.value).map_err(malformed)?.into_owned()))
}

/// Adds what an event says to a text.
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
