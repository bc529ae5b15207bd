//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kontor::{import, log, policies, projections, serve, token, up, white_list, with_servers};

/// The engine of a B2B store: from offer to booked payment, as recorded events.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process, on private servers unless URLs are given.
    Up(up::Arguments),
    /// Serve on an existing PostgreSQL and NATS.
    Serve(serve::Arguments),
    /// Import foreign data through the ordinary commands.
    Import(import::Arguments),
    /// Inspect, verify, export and restore the event log.
    Log(log::Arguments),
    /// Show the progress of read models, and rebuild them.
    Projections(projections::Arguments),
    /// Show the progress of policies and their refused reactions, and retry those.
    Policies(policies::Arguments),
    /// Create, list and revoke API keys.
    Token(token::Arguments),
    /// Load the VAT white list, and look up accounts.
    WhiteList(white_list::Arguments),
    /// Run a command with private PostgreSQL and NATS servers.
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
