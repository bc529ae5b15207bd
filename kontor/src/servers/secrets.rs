//! The servers' passwords: made once per directory, readable by its owner only.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::Error;

/// Passwords of the servers' one user each, in hexadecimal so that URLs need no escapes.
#[derive(Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) postgres: String,
    pub(super) nats: String,
}

impl Secrets {
    pub(super) fn load_or_create(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("secrets.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| Error::Damaged { path, reason: error.to_string() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secrets = Self { postgres: password(), nats: password() };
                let text = serde_json::json!(secrets).to_string();
                write_private(&path, &text)?;
                Ok(secrets)
            }
            Err(error) => Err(Error::file("read", path)(error)),
        }
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    // A leftover could be readable by others: `mode` holds for new files only.
    let _ = fs::remove_file(&new);
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path))
        .map_err(Error::file("write", path))
}

/// 192 random bits.
fn password() -> String {
    let mut bytes = [0_u8; 24];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
