//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kontor::{import, log, policies, projections, serve, token, up, white_list, with_servers};

/// The engine of a B2B store: from offer to booked payment, recorded once.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process, on private servers unless others are named.
    Up(up::Arguments),
    /// Serve on a PostgreSQL and a NATS that somebody else runs.
    Serve(serve::Arguments),
    /// Replay trade from elsewhere through the ordinary commands.
    Import(import::Arguments),
    /// Look at history and verify it.
    Log(log::Arguments),
    /// See how far the read models are, and rebuild them.
    Projections(projections::Arguments),
    /// See how far the policies are and what was refused, and try that again.
    Policies(policies::Arguments),
    /// Make, list and revoke API keys.
    Token(token::Arguments),
    /// Load the VAT white list, and look accounts up on it.
    WhiteList(white_list::Arguments),
    /// Run a command beside private PostgreSQL and NATS servers of its own.
    Servers(with_servers::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    service_kit::telemetry::log();
    let ended = match arguments.command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Import(arguments) => import::run(arguments).await,
        Command::Log(arguments) => log::run(arguments).await,
        Command::Projections(arguments) => projections::run(arguments).await,
        Command::Policies(arguments) => policies::run(arguments).await,
        Command::Token(arguments) => token::run(arguments).await,
        Command::WhiteList(arguments) => white_list::run(arguments).await,
        Command::Servers(arguments) => with_servers::run(arguments).await,
    };
    ended.unwrap_or_else(|error| {
        eprintln!("kontor: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
