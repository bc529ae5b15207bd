//! `kontor import`: imports foreign data through the commands of the HTTP API.

pub mod api;
pub mod country;
pub mod document;
pub mod online_retail;
pub mod rejects;

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use domain::Currency;

use self::{
    api::Api,
    online_retail::{OnlineRetail, Summary},
};
use crate::instance::{Instance, Start};

/// Arguments of `kontor import`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    source: Source,
}

/// What can be imported.
#[derive(Debug, Subcommand)]
enum Source {
    /// The UCI Online Retail export, as CSV or gzipped CSV.
    OnlineRetail(OnlineRetailArguments),
}

#[derive(Debug, clap::Args)]
struct OnlineRetailArguments {
    /// The export.
    file: PathBuf,
    /// The currency of its prices.
    #[arg(long, default_value = "GBP")]
    currency: Currency,
    /// The file for refused lines; beside the export when not given.
    #[arg(long)]
    rejects: Option<PathBuf>,
    /// A running Kontor; without it, the one of `--dir` is used, and started when it is not
    /// running.
    #[arg(long, requires = "key")]
    url: Option<String>,
    /// An admin's API key for it.
    #[arg(long, env = "KONTOR_API_KEY", hide_env_values = true)]
    key: Option<String>,
    #[command(flatten)]
    instance: Start,
}

/// Imports, and prints a summary.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Source::OnlineRetail(arguments) = arguments.source;
    let OnlineRetailArguments { file, currency, rejects, url, key, instance } = arguments;
    let rejects = rejects.unwrap_or_else(|| rejects::default_path(&file));
    let import = OnlineRetail { file, currency, rejects };
    let instance = match (url, key) {
        (Some(url), Some(key)) => Instance::elsewhere(url, key),
        _ => Instance::running_or_started(&instance).await?,
    };
    let api = Api::new(instance.url(), instance.admin_key())?;
    let summary = online_retail::run(&api, &import).await;
    instance.stop().await;
    print(&summary?, &import);
    Ok(ExitCode::SUCCESS)
}

fn print(summary: &Summary, import: &OnlineRetail) {
    let Summary { documents, imported, lines, refused, commands, took, position } = summary;
    let seconds = took.as_secs_f64();
    println!("documents  {imported} of {documents} imported");
    println!("lines      {} of {lines} imported", *lines - *refused as u64);
    println!("refused    {refused} lines, listed in {}", import.rejects.display());
    #[allow(clippy::cast_precision_loss, reason = "the rate is only printed")]
    let rate = *commands as f64 / seconds;
    println!("commands   {commands} in {seconds:.1} s, {rate:.0} per second");
    println!("position   {position}");
}
