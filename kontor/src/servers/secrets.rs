//! The servers' passwords: generated once per directory, readable by the owner only.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Error;

/// Passwords of the servers' users, in hexadecimal so that URLs need no escapes.
#[derive(Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) postgres: String,
    pub(super) nats: String,
    /// The password of the read-only user of NATS.
    pub(super) nats_reader: String,
}

impl Secrets {
    pub(super) fn load_or_create(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("secrets.json");
        match fs::read(&path) {
            Ok(text) => {
                let damaged = |error: serde_json::Error| Error::Damaged {
                    path: path.clone(),
                    reason: error.to_string(),
                };
                let mut kept: Map<String, Value> =
                    serde_json::from_slice(&text).map_err(damaged)?;
                // Files of earlier builds have one user of NATS only.
                let is_whole = kept.contains_key("nats_reader");
                if !is_whole {
                    kept.insert("nats_reader".to_owned(), password().into());
                }
                let secrets: Self = serde_json::from_value(kept.into()).map_err(damaged)?;
                if !is_whole {
                    secrets.write(&path)?;
                }
                Ok(secrets)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secrets =
                    Self { postgres: password(), nats: password(), nats_reader: password() };
                secrets.write(&path)?;
                Ok(secrets)
            }
            Err(error) => Err(Error::file("read", path)(error)),
        }
    }

    fn write(&self, path: &Path) -> Result<(), Error> {
        write_private(path, &serde_json::json!(self).to_string())
    }
}

/// Writes a file that only its owner can read, atomically.
pub fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    // An existing file could be readable by others, because `mode` applies only to new files.
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
