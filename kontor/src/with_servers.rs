//! `kontor servers -- CMD`: starts private servers, runs a command, and stops them.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::servers::{Directory, Durability, Servers};

/// Arguments of `kontor servers`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Lose nothing on power loss, and export `KONTOR_DATABASE_URL` and `KONTOR_NATS_URL`
    /// too: for benchmarks. Without it they do not wait for the disk, and their data is in memory if there is room.
    #[arg(long)]
    durable: bool,
    /// Keep the data in this directory instead of a temporary one.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The command to run, with its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Starts the servers, runs the command with their addresses in its environment, stops the servers
/// and returns the command's exit code.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // Handled from here on, so that a signal during the start removes the temporary directory.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;

    let (directory, temporary) = match &arguments.dir {
        Some(dir) => (Directory::open(dir)?, None),
        None if arguments.durable => (Directory::throw_away_on_disk()?, None),
        None => {
            let directory = Directory::throw_away()?;
            let temporary = directory.path().join("tmp");
            std::fs::create_dir(&temporary)?;
            (directory, Some(temporary))
        }
    };
    let durability = if arguments.durable { Durability::Durable } else { Durability::ThrowAway };
    let servers = tokio::select! {
        servers = Servers::start(directory, durability) => servers?,
        _ = interrupt.recv() => return Ok(ExitCode::from(130)),
        _ = terminate.recv() => return Ok(ExitCode::from(143)),
        _ = hang_up.recv() => return Ok(ExitCode::from(129)),
    };

    let (program, rest) = arguments.command.split_first().context("no command given")?;
    let mut command = Command::new(program);
    command
        .args(rest)
        .env("KONTOR_TEST_DATABASE_URL", servers.database_url())
        .env("KONTOR_TEST_NATS_URL", servers.nats_url())
        .env("KONTOR_TEST_NATS_SERVER", servers.nats_program())
        .env("KONTOR_TEST_PG_BIN", servers.postgres_programs());
    if let Some(temporary) = temporary {
        // It is removed with the directory, with everything that the command leaves there.
        command.env("TMPDIR", temporary);
    }
    if arguments.durable {
        command
            .env("KONTOR_DATABASE_URL", servers.database_url())
            .env("KONTOR_NATS_URL", servers.nats_url());
    }
    let mut child = command.spawn().with_context(|| format!("cannot run `{program}`"))?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
    let status = loop {
        let forward = tokio::select! {
            status = child.wait() => break status?,
            // The terminal sent Ctrl-C to the command too; we wait for it to end.
            _ = interrupt.recv() => None,
            _ = terminate.recv() => Some(Signal::SIGTERM),
            _ = hang_up.recv() => Some(Signal::SIGHUP),
        };
        if let (Some(pid), Some(signal)) = (pid, forward) {
            let _ = kill(pid, signal);
        }
    };
    servers.stop();
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
