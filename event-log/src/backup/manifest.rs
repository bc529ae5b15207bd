//! The manifest: what a backup holds, sealed with a digest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{EVENTS, Error};
use crate::Position;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of the folder and its files.
    pub format: u64,
    /// The version of Kontor that made it.
    pub kontor: String,
    /// When it was made or last continued.
    pub made_at: Timestamp,
    /// How many events there are.
    pub events: u64,
    /// The position of the first; 0 when there are none.
    pub first: Position,
    /// The position of the last; 0 when there are none.
    pub last: Position,
    /// The id of the last, by which a log is recognised.
    pub last_event: Option<Uuid>,
    /// The epoch of the log's head.
    pub epoch: i64,
    /// The files, events in the order of their positions.
    pub files: Vec<File>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name in the folder.
    pub name: String,
    /// Which table's rows it has.
    pub table: String,
    /// The positions after the first number and up to the second; of commands, those from the
    /// first number to before the second. Without it the file tells how things were at the end of
    /// the backup, and is replaced when that is continued.
    pub span: Option<(Position, Position)>,
    /// How many rows it has.
    pub rows: u64,
    /// How large it is.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// How it is written: the digest is of the very text of the manifest, and so of all files.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    sha256: String,
    #[serde(borrow)]
    manifest: &'a RawValue,
}

/// What every format has.
#[derive(Deserialize)]
struct AnyFormat {
    format: u64,
}

impl Manifest {
    /// The format of this build.
    pub const FORMAT: u64 = 1;

    /// Of a backup that holds nothing yet.
    pub(super) fn empty() -> Self {
        Self {
            format: Self::FORMAT,
            kontor: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: Timestamp::now(),
            events: 0,
            first: Position::START,
            last: Position::START,
            last_event: None,
            epoch: 0,
            files: Vec::new(),
        }
    }

    /// Its files of one table.
    pub(super) fn files_of(&self, table: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.table == table)
    }

    /// As text with its digest, which stands for the whole backup.
    pub(super) fn seal(&self) -> (String, String) {
        let text = serde_json::to_string_pretty(self).expect("it has no maps and no floats");
        let digest = hex(&Sha256::digest(&text));
        let text = format!("{{\"sha256\": \"{digest}\", \"manifest\": {text}}}\n");
        (text, digest)
    }

    /// The manifest that a text is, with its digest; refused when a byte of it has changed.
    pub(super) fn open(text: &str) -> Result<(Self, String), Error> {
        let damaged = |error: serde_json::Error| Error::Manifest(error.to_string());
        let Sealed { sha256, manifest } = serde_json::from_str(text).map_err(damaged)?;
        let manifest = manifest.get();
        let AnyFormat { format } = serde_json::from_str(manifest).map_err(damaged)?;
        if format != Self::FORMAT {
            return Err(Error::Format { found: format });
        }
        if hex(&Sha256::digest(manifest)) != sha256 {
            return Err(Error::Manifest("its digest is another".to_owned()));
        }
        let manifest: Self = serde_json::from_str(manifest).map_err(damaged)?;
        manifest.check().map_err(Error::Manifest)?;
        Ok((manifest, sha256))
    }

    /// Whether it agrees with itself.
    fn check(&self) -> Result<(), String> {
        let mut last = Position::START;
        for file in self.files_of(EVENTS) {
            let Some((after, up_to)) = file.span else {
                return Err(format!("{} does not say which positions it has", file.name));
            };
            if after != last || up_to <= after || file.rows != up_to.0 - after.0 {
                return Err(format!("{} does not follow position {last}", file.name));
            }
            last = up_to;
        }
        if last != self.last || self.events != last.0 || self.first != Position(last.0.min(1)) {
            return Err(format!("its files end at {last}, and it at {}", self.last));
        }
        for file in &self.files {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if file.name.starts_with('.') || !file.name.chars().all(plain) {
                return Err(format!("{:?} is no name of a file", file.name));
            }
        }
        Ok(())
    }
}

/// A digest in hexadecimal.
pub(super) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_as_it_was_sealed() {
        let manifest = Manifest::empty();
        let (text, digest) = manifest.seal();
        assert_eq!(Manifest::open(&text).unwrap(), (manifest, digest));
        let other = text.replace("\"epoch\": 0", "\"epoch\": 1");
        assert!(matches!(Manifest::open(&other), Err(Error::Manifest(_))));
        let newer = text.replace("\"format\": 1", "\"format\": 2");
        assert!(matches!(Manifest::open(&newer), Err(Error::Format { found: 2 })));
    }

    #[test]
    fn must_agree_with_itself() {
        let file = |name: &str, after: u64, up_to: u64, rows: u64| File {
            name: name.to_owned(),
            table: EVENTS.to_owned(),
            span: Some((Position(after), Position(up_to))),
            rows,
            bytes: 1,
            sha256: String::new(),
        };
        let check = |files: Vec<File>, last: u64| {
            let (first, last) = (Position(last.min(1)), Position(last));
            let manifest = Manifest { files, events: last.0, first, last, ..Manifest::empty() };
            manifest.check()
        };
        assert_eq!(check(vec![file("a", 0, 5, 5), file("b", 5, 6, 1)], 6), Ok(()));
        assert!(check(vec![file("a", 0, 5, 5), file("b", 6, 7, 1)], 7).is_err(), "a gap");
        assert!(check(vec![file("a", 0, 5, 4)], 5).is_err(), "a row is missing");
        assert!(check(vec![file("a", 0, 5, 5)], 6).is_err(), "its end is missing");
        assert!(check(vec![file("../a", 0, 5, 5)], 5).is_err(), "a file elsewhere");
    }
}
