//! `kontor white-list`: the VAT white list of the tax administration.

use std::{fs::File, path::PathBuf, process::ExitCode};

use anyhow::Context;
use command_service::app::parties::white_list;
use domain::{Iban, Nip, white_list::Listed};
use service_kit::postgres;

use crate::location::Location;

/// Arguments of `kontor white-list`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    location: Location,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Load the flat file of a day (unpacked) as the new list.
    Load {
        /// The JSON file, such as `20261124.json`.
        file: PathBuf,
    },
    /// Print whether an account is listed for a taxpayer; exits with 1 if it is not.
    Check {
        /// The taxpayer.
        nip: Nip,
        /// The account, as IBAN or NRB.
        account: Iban,
    },
}

/// Executes the subcommand.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let pool = postgres::pool(&arguments.location.database_url()?, "kontor white list", 1)?;
    let mut client = pool.get().await.context("cannot reach PostgreSQL")?;
    match arguments.command {
        Command::Load { file } => {
            let opened =
                File::open(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let loaded = white_list::load(&mut client, opened).await?;
            println!("the white list of {} has {} digests", loaded.day, loaded.digests);
        }
        Command::Check { nip, account } => {
            let nrb = account.nrb().context("the white list has Polish accounts only")?;
            let found = white_list::look_up(&mut client, &nip, nrb).await?;
            let (day, listed) = found.context("no white list was loaded")?;
            let says = match listed {
                Some(Listed::Active) => "listed, for an active taxpayer",
                Some(Listed::Exempt) => "listed, for a taxpayer exempt from VAT",
                None => "not listed",
            };
            println!("{account} on {day}: {says}");
            return Ok(if listed.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}
