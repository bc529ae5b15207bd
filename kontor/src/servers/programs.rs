//! Finds the programs of the servers: in Debian's directories, on the search path, or in
//! `.kontor/bin`, which `scripts/provision` fills.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;

/// The oldest supported major version of PostgreSQL.
const OLDEST_POSTGRES: u32 = 15;

/// The programs of both servers.
#[derive(Debug, Clone)]
pub struct Programs {
    pub(super) nats_server: PathBuf,
    pub(super) postgres_bin: PathBuf,
}

impl Programs {
    /// Finds both; existing data in `directory` determines the major version of PostgreSQL.
    pub(super) fn find(directory: &Path) -> Result<Self, Error> {
        Ok(Self { nats_server: nats_server(directory)?, postgres_bin: postgres_bin(directory)? })
    }
}

fn nats_server(directory: &Path) -> Result<PathBuf, Error> {
    provisioned(directory, "nats-server")
        .or_else(|| on_path("nats-server"))
        .ok_or_else(|| Error::Missing { program: "nats-server 2.15".into() })
}

/// The newest PostgreSQL, or the one that wrote the existing data.
fn postgres_bin(directory: &Path) -> Result<PathBuf, Error> {
    let mut candidates: Vec<(u32, PathBuf)> = postgres_candidates(directory)
        .into_iter()
        .filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
        .filter_map(|bin| Some((major_of(&bin)?, bin)))
        .filter(|(major, _)| *major >= OLDEST_POSTGRES)
        .collect();
    // Stable sort: among equal versions the first place is used.
    candidates.sort_by_key(|(major, _)| std::cmp::Reverse(*major));

    let data = super::postgres::data_directory(directory)?;
    let wanted = fs::read_to_string(data.join("PG_VERSION")).ok();
    let wanted = wanted.and_then(|version| version.trim().parse::<u32>().ok());
    let installed = !candidates.is_empty();
    candidates
        .into_iter()
        .find(|(major, _)| wanted.is_none_or(|wanted| wanted == *major))
        .map(|(_, bin)| bin)
        .ok_or_else(|| match wanted {
            Some(major) if installed => Error::OtherMajor { data, major },
            _ => Error::Missing { program: format!("PostgreSQL {OLDEST_POSTGRES} or newer") },
        })
}

fn postgres_candidates(directory: &Path) -> Vec<PathBuf> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Some(bin) = std::env::var_os("KONTOR_POSTGRES_BIN") {
        candidates.push(bin.into());
    }
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        candidates.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    candidates
        .extend(on_path("postgres").and_then(|program| program.parent().map(Path::to_path_buf)));
    candidates.extend(provisioned(directory, "postgres/bin"));
    candidates
}

/// `postgres --version` prints "postgres (PostgreSQL) 15.14 (Debian ...)".
fn major_of(bin: &Path) -> Option<u32> {
    let output = std::process::Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().nth(2)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Searches `.kontor/bin` beside the data, and in the parents of the working directory and of the
/// binary, since tests run in subdirectories of the checkout.
fn provisioned(directory: &Path, name: &str) -> Option<PathBuf> {
    let working = std::env::current_dir().ok();
    let binary = std::env::current_exe().ok();
    let checkouts = [working, binary];
    let above = checkouts
        .iter()
        .flatten()
        .flat_map(|path| path.ancestors())
        .map(|ancestor| ancestor.join(".kontor/bin"));
    std::iter::once(directory.join("bin"))
        .chain(above)
        .map(|bin| bin.join(name))
        .find(|program| program.exists())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|bin| bin.join(name)).find(|program| program.is_file())
}
