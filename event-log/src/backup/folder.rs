//! The folder of a backup: who works on it, its files, and how they appear in one step.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, BufReader, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use super::{
    Error, File, Manifest,
    manifest::hex,
    rows::{Row, Rows},
};

const MANIFEST: &str = "manifest.json";
const LOCK: &str = "lock";
/// What the names of files end with, once they are whole and before.
const WHOLE: &str = ".pgcopy.zst";
const PARTIAL: &str = ".partial";
/// Of zstd. Most of a row are ids, in which no level finds anything: this one is twice as fast as the
/// default, and the files are no larger.
const LEVEL: i32 = 1;
/// How much is read and compressed at once, in bytes.
pub(super) const BLOCK: usize = 1 << 20;

/// A folder that one export works on.
#[derive(Clone)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: std::sync::Arc<Flock<fs::File>>,
}

impl Folder {
    /// Makes the folder if it is missing, and keeps other exports out until it is dropped.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(Error::file("create", path))?;
        let ours = |name: &str| {
            [LOCK, MANIFEST].contains(&name) || name.ends_with(WHOLE) || name.ends_with(PARTIAL)
        };
        if names(path)?.iter().any(|name| !ours(name)) {
            return Err(Error::Occupied(path.to_owned()));
        }
        let lock = path.join(LOCK);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&lock);
        let file = file.map_err(Error::file("create", lock))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .map_err(|_| Error::InUse(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), _lock: std::sync::Arc::new(lock) })
    }

    /// What it holds; nothing when there is no manifest yet.
    pub(super) fn manifest(&self) -> Result<Option<Manifest>, Error> {
        match read_manifest(&self.path) {
            Ok((manifest, _)) => Ok(Some(manifest)),
            Err(Error::NoBackup(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Begins with the files of another backup, which share their disk space where they can.
    pub(super) fn adopt(&self, other: &Path) -> Result<Manifest, Error> {
        let (mut manifest, _) = read_manifest(other)?;
        manifest.files.retain(|file| file.span.is_some());
        for file in &manifest.files {
            let (from, to) = (other.join(&file.name), self.path.join(&file.name));
            let _ = fs::remove_file(&to);
            if fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to).map_err(Error::file("copy", from))?;
            }
        }
        Ok(manifest)
    }

    /// Begins a file.
    pub(super) fn create(&self, stem: &str) -> Result<Writing, Error> {
        let path = self.path.join(format!("{stem}{PARTIAL}"));
        let refused = |source| Error::File { action: "write", path: path.clone(), source };
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path);
        let digesting = Digesting::new(file.map_err(refused)?);
        let encoder = zstd::Encoder::new(digesting, LEVEL);
        Ok(Writing { encoder: encoder.map_err(refused)?, path, stem: stem.to_owned() })
    }

    /// Says in one step what the folder holds from now on, and removes what it no longer holds.
    /// Answers the digest of the whole.
    pub(super) fn seal(&self, manifest: &Manifest) -> Result<String, Error> {
        let (text, digest) = manifest.seal();
        let new = self.path.join(format!("{MANIFEST}{PARTIAL}"));
        let refused = |source| Error::File { action: "write", path: new.clone(), source };
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&new)
            .map_err(refused)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(refused)?;
        // The files must have their names before the manifest names them.
        self.sync()?;
        fs::rename(&new, self.path.join(MANIFEST)).map_err(refused)?;
        self.sync()?;
        let named = |name: &str| manifest.files.iter().any(|file| file.name == name);
        for name in names(&self.path)? {
            if name.ends_with(PARTIAL) || (name.ends_with(WHOLE) && !named(&name)) {
                let path = self.path.join(name);
                fs::remove_file(&path).map_err(Error::file("remove", path))?;
            }
        }
        Ok(digest)
    }

    fn sync(&self) -> Result<(), Error> {
        fs::File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::file("write", &self.path))
    }
}

/// A file on its way into a folder.
pub(super) struct Writing {
    encoder: zstd::Encoder<'static, Digesting<fs::File>>,
    path: PathBuf,
    stem: String,
}

impl Writing {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.encoder.write_all(bytes).map_err(Error::file("write", &self.path))
    }

    /// Makes the file durable and gives it its name, in which a part of its digest keeps files of
    /// other content from being overwritten. Answers name, size and digest.
    pub(super) fn finish(self) -> Result<(String, u64, String), Error> {
        let Self { encoder, path, stem } = self;
        let refused = |source| Error::File { action: "write", path: path.clone(), source };
        let Digesting { inner: file, digest, bytes } = encoder.finish().map_err(refused)?;
        file.sync_all().map_err(refused)?;
        let sha256 = hex(&digest.finalize());
        let name = format!("{stem}-{}{WHOLE}", &sha256[..8]);
        fs::rename(&path, path.with_file_name(&name)).map_err(refused)?;
        Ok((name, bytes, sha256))
    }
}

/// The manifest of the backup in a folder, with the digest of the whole.
pub(super) fn read_manifest(folder: &Path) -> Result<(Manifest, String), Error> {
    let path = folder.join(MANIFEST);
    match fs::read_to_string(&path) {
        Ok(text) => Manifest::open(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::NoBackup(folder.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Error::Manifest(error.to_string()))
        }
        Err(source) => Err(Error::File { action: "read", path, source }),
    }
}

/// Reads a file whole, and shows each row and each block of it. What it has shown counts only when
/// it succeeds: the digest is known at the end.
pub(super) fn read_file(
    folder: &Path,
    file: &File,
    mut row: impl FnMut(Row<'_>) -> Result<(), String>,
    mut block: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let damaged = |reason: String| Error::Damaged { file: file.name.clone(), reason };
    let path = folder.join(&file.name);
    let opened = fs::File::open(&path).map_err(|error| damaged(error.to_string()))?;
    let size = opened.metadata().map_err(Error::file("read", &path))?.len();
    if size != file.bytes {
        return Err(damaged(format!("it has {size} bytes instead of {}", file.bytes)));
    }
    let digesting = BufReader::with_capacity(BLOCK, Digesting::new(opened));
    let unreadable = |error: io::Error| damaged(error.to_string());
    let mut decoder = zstd::Decoder::with_buffer(digesting).map_err(unreadable)?;
    let (mut bytes, mut rows) = (vec![0; BLOCK], Rows::default());
    loop {
        let read = decoder.read(&mut bytes).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        rows.take(&bytes[..read], &mut row).map_err(damaged)?;
        block(&bytes[..read])?;
    }
    rows.ended().map_err(damaged)?;
    let Digesting { digest, bytes, .. } = decoder.finish().into_inner();
    if bytes != file.bytes || hex(&digest.finalize()) != file.sha256 {
        return Err(damaged("its digest is another".to_owned()));
    }
    if rows.count != file.rows {
        return Err(damaged(format!("it has {} rows instead of {}", rows.count, file.rows)));
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()
        .map_err(Error::file("read", folder))
}

/// Counts and digests what passes.
struct Digesting<F> {
    inner: F,
    digest: Sha256,
    bytes: u64,
}

impl<F> Digesting<F> {
    fn new(inner: F) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<F: Write> Write for Digesting<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.passed(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<F: Read> Read for Digesting<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.passed(&bytes[..read]);
        Ok(read)
    }
}
