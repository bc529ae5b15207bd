//! `kontor token`: creates, lists and revokes API keys.

use std::process::ExitCode;

use anyhow::Context;
use service_kit::access::{Access, KeyRole, NewKey};
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
    /// Create a key and print it; it cannot be shown again.
    Create {
        /// The role, e.g. `sales` or `purchaser`.
        #[arg(long)]
        role: String,
        /// The company of a buyer.
        #[arg(long)]
        company: Option<Uuid>,
        /// A label.
        #[arg(long)]
        name: String,
    },
    /// List all keys, without their secrets.
    List,
    /// Revoke a key.
    Revoke {
        /// The key's id.
        id: Uuid,
    },
}

/// Executes the subcommand.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let pool = postgres::pool(&arguments.location.database_url()?, "kontor token", 1)?;
    let access = Access::new(pool);
    match arguments.command {
        Command::Create { role, company, name } => {
            let role: KeyRole = role.parse()?;
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
            revoked.then_some(()).with_context(|| format!("no key has the id {id}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
