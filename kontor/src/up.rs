//! `kontor up`: everything in one process, on private servers unless URLs are given.

use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::import::api::Api;
use crate::instance::{Instance, KEYS, Start};
use crate::progress::Step;
use crate::seed;

/// Arguments of `kontor up`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    instance: Start,
    /// Do not load the example data into a new Kontor.
    #[arg(long)]
    no_seed: bool,
}

/// Runs until Ctrl-C or SIGTERM, then stops everything in order.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let asked_to_stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tokio::pin!(asked_to_stop);

    let instance = tokio::select! {
        started = start(&arguments) => started?,
        () = &mut asked_to_stop => return Ok(ExitCode::SUCCESS),
    };
    print_tour(&instance);
    asked_to_stop.await;

    let step = Step::begin("stopping");
    instance.stop().await;
    step.done("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn start(arguments: &Arguments) -> anyhow::Result<Instance> {
    let mut instance = Instance::start(&arguments.instance).await?;
    if !arguments.no_seed && !instance.keys().contains_key(seed::BUYERS[0]) {
        let step = Step::begin("loading example data");
        let api = Api::new(instance.url(), instance.admin_key())?;
        let keys = seed::run(&api).await?;
        instance.remember_keys(seed::BUYERS.into_iter().zip(keys))?;
        step.done("loaded example data");
    }
    Ok(instance)
}

fn print_tour(instance: &Instance) {
    let url = instance.url();
    let directory = instance.directory().unwrap_or(Path::new(".kontor")).display();
    println!("\nKontor serves on {url}; its API is described at {url}/docs\n");
    println!("API keys are kept in {directory}/{KEYS}");
    if !instance.made().is_empty() {
        println!("These keys were created now, and are shown only once:");
    }
    let made = |(name, _): &(&String, &String)| instance.made().contains(*name);
    for (role, key) in instance.keys().iter().filter(made) {
        println!("  {role:<14} {key}");
    }
    if instance.has_private_servers() {
        println!(
            "\nEvents: nats_reader_url in {directory}/run.json is the URL of NATS for the read-only user"
        );
    }
    println!("\nTry:");
    println!("  key=$(sed 's/.*\"admin\":\"\\([^\"]*\\).*/\\1/' {directory}/{KEYS})");
    println!("  curl -H \"Authorization: Bearer $key\" '{url}/v1/products?limit=3'");
    println!("  curl -H \"Authorization: Bearer $key\" {url}/v1/account-balances");
    println!("  curl -H \"Authorization: Bearer $key\" '{url}/v1/events?limit=5'");
    println!("\nCtrl-C stops everything; the data stays.");
}
