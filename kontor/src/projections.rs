//! `kontor projections`: progress of read models, and rebuilds.

use std::process::ExitCode;

use anyhow::Context;
use event_log::{EventLog, LogConfig};
use projections::{
    Projection, SetAside, Views,
    rebuild::{self, Difference},
    views,
};
use service_kit::postgres;

use crate::location::Location;
use crate::progress::Step;

/// Arguments of `kontor projections`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    location: Location,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the progress of each read model, and the streams it has set aside.
    Status,
    /// Rebuild a read model from the log; the present one stays in use meanwhile.
    Rebuild {
        /// Its name, or `all`.
        name: String,
    },
    /// Rebuild a read model beside the live one and compare them row by row: prints `equal` and
    /// exits with 0 if there is no difference.
    Compare {
        /// Its name, or `all`.
        name: String,
    },
}

/// Executes the subcommand; a comparison that finds a difference exits with 1.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let database_url = arguments.location.database_url()?;
    let log = EventLog::open(&LogConfig::new(&database_url)).await?;
    let pool = postgres::pool(&database_url, "kontor projections", 4)?;
    // Opened without taking over read models of another build, which may be running.
    let views = Views::attach(pool, log.clone()).await?;
    match arguments.command {
        Command::Status => {
            println!("{:<20} {}", "log", log.head().await?);
            for (name, position) in views.checkpoints().await? {
                println!("{name:<20} {position}");
            }
            for projection in views::ALL {
                for SetAside { stream_type, stream_id, position, reason, .. } in
                    views.set_aside(&[projection.name], None)
                {
                    println!(
                        "{:<20} set aside from position {position} on: {stream_type} {stream_id}: \
                         {reason}",
                        projection.name
                    );
                }
            }
        }
        Command::Rebuild { name } => {
            for projection in named(&name)? {
                let step = Step::begin(&format!("rebuilding {}", projection.name));
                let reached = rebuild::rebuild(&views, projection).await?;
                step.done(&format!("rebuilt {} up to position {reached}", projection.name));
            }
        }
        Command::Compare { name } => {
            let mut equal = true;
            for projection in named(&name)? {
                let differences = rebuild::compare(&views, projection).await?;
                equal &= differences.is_empty();
                println!("{:<20} {}", projection.name, description(&differences));
            }
            if !equal {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The text of a comparison's result.
fn description(differences: &[Difference]) -> String {
    let each = differences.iter().map(|Difference { table, only_live, only_rebuilt }| {
        format!("{table} has {only_live} rows that are only live, {only_rebuilt} only rebuilt")
    });
    match differences {
        [] => "equal".to_owned(),
        _ => each.collect::<Vec<_>>().join("; "),
    }
}

fn named(name: &str) -> anyhow::Result<Vec<Projection>> {
    if name == "all" {
        return Ok(views::ALL.to_vec());
    }
    let known = views::ALL.map(|projection| projection.name).join(", ");
    let projection = views::named(name)
        .with_context(|| format!("there is no read model {name}; there are {known}"))?;
    Ok(vec![projection])
}
