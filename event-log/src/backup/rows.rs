//! Rows of PostgreSQL's binary COPY, however its bytes come.

use std::collections::HashMap;

/// What every file begins with: signature, flags, no extension.
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands in the place of a number of columns after the last row.
const TRAILER: i16 = -1;
/// More than any row has; a larger one is damage, and is not waited for.
const LARGEST: usize = 256 << 20;

/// Splits a file into rows.
#[derive(Default)]
pub(super) struct Rows {
    /// What is no whole row yet.
    pending: Vec<u8>,
    at: At,
    /// How many there were.
    pub(super) count: u64,
}

#[derive(Default, PartialEq)]
enum At {
    #[default]
    Header,
    Row,
    End,
}

/// A row: its columns one after the other, each after its length.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    bytes: &'a [u8],
}

impl Rows {
    /// Takes the next bytes, and shows each row that is whole with them.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Row<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        self.pending.extend_from_slice(bytes);
        let mut rest = self.pending.as_slice();
        if self.at == At::Header {
            let Some(header) = rest.first_chunk() else { return Ok(()) };
            if header != HEADER {
                return Err("it is not PostgreSQL's binary COPY".to_owned());
            }
            rest = &rest[HEADER.len()..];
            self.at = At::Row;
        }
        while self.at == At::Row {
            let Some(columns) = rest.first_chunk().map(|count| i16::from_be_bytes(*count)) else {
                break;
            };
            if columns == TRAILER {
                rest = &rest[2..];
                self.at = At::End;
                break;
            }
            let Some(length) = length(rest, columns)? else { break };
            each(Row { bytes: &rest[2..length] })?;
            self.count += 1;
            rest = &rest[length..];
        }
        if self.at == At::End && !rest.is_empty() {
            return Err("something follows its last row".to_owned());
        }
        let consumed = self.pending.len() - rest.len();
        self.pending.drain(..consumed);
        Ok(())
    }

    /// Whether the last row has come.
    pub(super) fn ended(&self) -> Result<(), String> {
        match self.at {
            At::End => Ok(()),
            At::Header | At::Row => Err("its end is missing".to_owned()),
        }
    }
}

impl<'a> Row<'a> {
    /// The bytes of a column, counted from 0; `None` when it is null or missing.
    fn column(&self, number: usize) -> Option<&'a [u8]> {
        let mut rest = self.bytes;
        for _ in 0..number {
            let length = i32::from_be_bytes(*rest.first_chunk()?);
            rest = &rest[4 + usize::try_from(length).unwrap_or(0)..];
        }
        let length = usize::try_from(i32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        rest.get(4..4 + length)
    }

    /// A column of as many bytes as the type has.
    pub(super) fn fixed<const N: usize>(&self, number: usize) -> Result<[u8; N], String> {
        let column = self.column(number).and_then(|bytes| bytes.try_into().ok());
        column.ok_or_else(|| format!("column {number} of a row is not of its type"))
    }

    /// A column that is a bigint.
    pub(super) fn number(&self, number: usize) -> Result<i64, String> {
        Ok(i64::from_be_bytes(self.fixed(number)?))
    }
}

/// How long the row is that the bytes begin with; `None` when some of it is missing.
fn length(bytes: &[u8], columns: i16) -> Result<Option<usize>, String> {
    let mut length = 2;
    for _ in 0..columns {
        let Some(column) = bytes.get(length..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let column = i32::from_be_bytes(*column);
        length += 4 + usize::try_from(column.max(0)).unwrap_or(0);
        if column < -1 || length > LARGEST {
            return Err(format!("a column has the length {column}"));
        }
    }
    Ok((length <= bytes.len()).then_some(length))
}

/// That events follow one another: positions without a gap, and versions where they are watched.
pub(super) struct Order {
    position: i64,
    versions: Option<HashMap<[u8; 16], i64>>,
}

impl Order {
    /// Of positions alone, from the one after `position` on.
    pub(super) fn of_positions(position: i64) -> Self {
        Self { position, versions: None }
    }

    /// Of all history, versions included, which takes some memory for every stream.
    pub(super) fn of_all() -> Self {
        Self { position: 0, versions: Some(HashMap::new()) }
    }

    /// Peeks at the next row of `log.events`.
    pub(super) fn follow(&mut self, row: Row<'_>) -> Result<(), String> {
        let position = row.number(0)?;
        if position != self.position + 1 {
            return Err(format!("position {position} follows {}", self.position));
        }
        self.position = position;
        let Some(versions) = &mut self.versions else { return Ok(()) };
        let (stream, version) = (row.fixed(3)?, row.number(4)?);
        let before = versions.insert(stream, version).unwrap_or(0);
        if version != before + 1 {
            let stream = uuid::Uuid::from_bytes(stream);
            return Err(format!("version {version} of stream {stream} follows {before}"));
        }
        Ok(())
    }

    /// The last position seen.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// How many streams there are, where versions are watched.
    pub(super) fn streams(&self) -> usize {
        self.versions.as_ref().map_or(0, HashMap::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows: one of a bigint and a null, one of a bigint and a text.
    fn file() -> Vec<u8> {
        let mut file = HEADER.to_vec();
        for (number, text) in [(7_i64, None), (8, Some("żółw"))] {
            file.extend(2_i16.to_be_bytes());
            file.extend(8_i32.to_be_bytes());
            file.extend(number.to_be_bytes());
            match text {
                None => file.extend((-1_i32).to_be_bytes()),
                Some(text) => {
                    file.extend(i32::try_from(text.len()).unwrap().to_be_bytes());
                    file.extend(text.as_bytes());
                }
            }
        }
        file.extend(TRAILER.to_be_bytes());
        file
    }

    fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<i64>, String> {
        let (mut rows, mut numbers) = (Rows::default(), Vec::new());
        for piece in pieces {
            rows.take(piece, |row| {
                numbers.push(row.number(0)?);
                Ok(())
            })?;
        }
        rows.ended()?;
        assert_eq!(rows.count, numbers.len() as u64);
        Ok(numbers)
    }

    #[test]
    fn come_in_pieces_of_any_size() {
        let file = file();
        for size in 1..=file.len() {
            assert_eq!(read(file.chunks(size)), Ok(vec![7, 8]), "pieces of {size}");
        }
    }

    #[test]
    fn must_be_there_to_the_last_byte_and_no_further() {
        let file = file();
        for length in 0..file.len() {
            assert!(read(std::iter::once(&file[..length])).is_err(), "cut at {length}");
        }
        let longer = [file.as_slice(), b"\0"].concat();
        assert!(read(std::iter::once(longer.as_slice())).is_err());
    }
}
