//! `kontor token`: makes, lists and revokes API keys.

use std::process::ExitCode;

use anyhow::Context;
use service_kit::access::{Access, NewKey, Role};
use service_kit::postgres;
use uuid::Uuid;

use crate::location::Location;

/// Arguments of `kontor token`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    location: Location,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key and print it; it cannot be shown again.
    Create {
        /// What it may do, e.g. `sales` or `purchaser`.
        #[arg(long)]
        role: String,
        /// The company of a buyer.
        #[arg(long)]
        company: Option<Uuid>,
        /// For whom or what it is.
        #[arg(long)]
        name: String,
    },
    /// List all keys, without their secrets.
    List,
    /// Take a key out of use.
    Revoke {
        /// The key's id.
        id: Uuid,
    },
}

/// Does what was asked.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let pool = postgres::pool(&arguments.location.database_url()?, "kontor token", 1)?;
    let access = Access::new(pool);
    match arguments.command {
        Command::Create { role, company, name } => {
            let role: Role = role.parse()?;
            let key = NewKey { name: &name, role, company, employee: None };
            let key = access.create(Uuid::now_v7(), key).await?;
            println!("{key}");
        }
        Command::List => {
            for key in access.list(None).await? {
                let company = key.company.map_or_else(|| "-".to_owned(), |id| id.to_string());
                let state = if key.revoked { "revoked" } else { "valid" };
                println!(
                    "{} {:<14} {company:<36} {state:<8} {}",
                    key.id,
                    key.role.name(),
                    key.name
                );
            }
        }
        Command::Revoke { id } => {
            let revoked = access.revoke(id, None).await?;
            revoked.then_some(()).with_context(|| format!("there is no key {id}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
