//! `kontor policies`: progress of policies, and their refused reactions.

use std::process::ExitCode;

use anyhow::Context;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{import::api::Api, instance::Instance, location::Location};

/// Arguments of `kontor policies`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    location: Location,
    /// A running Kontor; without it, the one of `--dir` is used.
    #[arg(long, global = true, requires = "key")]
    url: Option<String>,
    /// An admin's API key for it.
    #[arg(long, global = true, env = "KONTOR_API_KEY", hide_env_values = true)]
    key: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Retry refused reactions, oldest first: the given ones, or all that are open.
    Retry {
        /// Ids of refusals, as `kontor policies` prints them.
        ids: Vec<Uuid>,
    },
}

#[derive(Debug, Deserialize)]
struct Progress {
    policy: String,
    position: u64,
    head: u64,
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Refusal>,
    #[serde(default)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    id: Uuid,
    policy: String,
    state: String,
    event: Cause,
    code: String,
    #[serde(default)]
    detail: Option<String>,
    attempts: u32,
    tried_at: String,
    #[serde(default)]
    done_at: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Cause {
    position: u64,
    #[serde(rename = "type", default)]
    event_type: Option<String>,
    #[serde(default)]
    aggregate_id: Option<Uuid>,
    #[serde(default)]
    company: Option<Uuid>,
}

/// Prints, or retries; the exit code is 1 if a retried reaction is refused again.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { location, url, key, command } = arguments;
    let instance = match (url, key) {
        (Some(url), Some(key)) => Instance::elsewhere(url, key),
        _ => Instance::running(&location)?,
    };
    let api = Api::new(instance.url(), instance.admin_key())?;
    match command {
        None => print(&api).await,
        Some(Command::Retry { ids }) => retry(&api, ids).await,
    }
}

async fn print(api: &Api) -> anyhow::Result<ExitCode> {
    let policies: Option<Vec<Progress>> = api.query("/v1/policies").await?;
    for Progress { policy, position, head } in policies.context("this Kontor has no policies")? {
        println!("{policy:<32} {position} of {head}");
    }
    let refusals = open(api).await?;
    if refusals.is_empty() {
        println!("no reaction is refused");
    }
    for refusal in &refusals {
        println!("{}", line(refusal));
    }
    Ok(ExitCode::SUCCESS)
}

async fn retry(api: &Api, ids: Vec<Uuid>) -> anyhow::Result<ExitCode> {
    let ids = if ids.is_empty() {
        open(api).await?.into_iter().map(|refusal| refusal.id).collect()
    } else {
        ids
    };
    if ids.is_empty() {
        println!("nothing to retry");
    }
    let mut is_any_open = false;
    for id in ids {
        let path = format!("/v1/policies/refusals/{id}/retry");
        match api.send::<Refusal>(&path, &Uuid::now_v7().to_string(), &json!({})).await? {
            Ok(refusal) => {
                is_any_open |= refusal.state != "done";
                println!("{}", line(&refusal));
            }
            Err(refused) => {
                is_any_open = true;
                println!("{id} {}", refused.reason());
            }
        }
    }
    Ok(if is_any_open { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// All open refusals, oldest first.
async fn open(api: &Api) -> anyhow::Result<Vec<Refusal>> {
    let mut refusals = Vec::new();
    let first = "/v1/policies/refusals?state=open&limit=200".to_owned();
    let mut path = first.clone();
    loop {
        let page: Option<Page> = api.query(&path).await?;
        let Page { items, next_cursor } = page.context("this Kontor keeps no refusals")?;
        refusals.extend(items);
        match next_cursor {
            Some(cursor) => path = format!("{first}&cursor={cursor}"),
            None => break,
        }
    }
    refusals.reverse();
    Ok(refusals)
}

fn line(refusal: &Refusal) -> String {
    let Refusal { id, policy, state, event, code, detail, attempts, tried_at, done_at } = refusal;
    let Cause { position, event_type, aggregate_id, company } = event;
    let what = match event_type {
        Some(event_type) => format!("{event_type} at {position}"),
        None => format!("the event at {position}"),
    };
    let of = aggregate_id.map(|id| format!(" of {id}")).unwrap_or_default();
    let company = company.map(|id| format!(", company {id}")).unwrap_or_default();
    let outcome = match (state.as_str(), done_at) {
        ("done", Some(done_at)) => format!("done at {done_at}"),
        ("done", None) => "done".to_owned(),
        _ => format!("refused: {code}: {}", detail.as_deref().unwrap_or_default()),
    };
    format!("{id} {policy}: {what}{of}{company}; attempt {attempts} at {tried_at} {outcome}")
}
