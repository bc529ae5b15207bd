//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kontor::with_servers;

/// The engine of a B2B store: from offer to booked payment, recorded once.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command beside private PostgreSQL and NATS servers of its own.
    Servers(with_servers::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    service_kit::telemetry::log();
    let ended = match arguments.command {
        Command::Servers(arguments) => with_servers::run(arguments).await,
    };
    ended.unwrap_or_else(|error| {
        eprintln!("kontor: {error:#}");
        ExitCode::FAILURE
    })
}
