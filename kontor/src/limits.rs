//! Settings of what connections may take: how many there are, and how long they may be silent.

use std::{num::NonZeroU32, time::Duration};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use service_kit::connections::Limits;

/// Files that are no client's: databases, NATS, the program itself.
const OTHER_FILES: u64 = 256;
/// As many open files as are asked of the system at most.
const MOST_FILES: u64 = 65_536;

/// Limits of connections.
#[derive(Debug, Clone, clap::Args)]
pub struct Connections {
    /// How many HTTP connections are open at once.
    #[arg(long = "max-connections", env = "KONTOR_MAX_CONNECTIONS", default_value = "4096")]
    max_open: NonZeroU32,
    /// How many of them come from one address (an IPv6 network of 64 bits counts as one); the
    /// reverse proxy is one too.
    #[arg(long, env = "KONTOR_MAX_CONNECTIONS_PER_ADDRESS", default_value = "2048")]
    max_connections_per_address: NonZeroU32,
    /// Seconds within which a request's head must have come in.
    #[arg(long, env = "KONTOR_HEAD_TIMEOUT", default_value = "10")]
    head_timeout: NonZeroU32,
    /// Seconds for which a connection without a request stays open.
    #[arg(long, env = "KONTOR_IDLE_TIMEOUT", default_value = "75")]
    idle_timeout: NonZeroU32,
    /// Seconds for which a client may take nothing of its answer.
    #[arg(long, env = "KONTOR_STALL_TIMEOUT", default_value = "30")]
    stall_timeout: NonZeroU32,
}

impl Connections {
    /// The limits, with no more connections than the process may open files.
    pub fn read(&self) -> Limits {
        let seconds = |number: NonZeroU32| Duration::from_secs(number.get().into());
        let wanted = u64::from(self.max_open.get());
        let possible = open_files(wanted + OTHER_FILES).saturating_sub(OTHER_FILES).max(1);
        if possible < wanted {
            tracing::warn!(possible, wanted, "the system allows fewer open files than connections");
        }
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Limits {
            head: seconds(self.head_timeout),
            idle: seconds(self.idle_timeout),
            stalled: seconds(self.stall_timeout),
            connections: number(wanted.min(possible)),
            per_address: number(self.max_connections_per_address.get().into()),
            ..Limits::default()
        }
    }
}

/// How many files the process may have open, which is raised to what is wanted where it may be.
fn open_files(wanted: u64) -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    let raised = wanted.min(MOST_FILES).min(hard);
    if raised > soft && setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
        return raised;
    }
    soft
}
