//! The services of one process: relay, read models, policies, timers and HTTP, over a log.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use command_service::{Services, app::parties::white_list, policies, timers};
use event_log::{
    EventLog, LogConfig,
    relay::{Relay, RelayConfig, RelayState},
};
use futures::FutureExt;
use projections::Views;
use query_service::{Letterhead, Live, Queries};
use service_kit::{
    access::{self, Access},
    browsers::Origins,
    clock::Clock,
    connections::{self, Limits},
    document,
    health::{Health, State},
    metric::Metric,
    migrations::migrate,
    postgres, server,
    supervisor::{self, Supervisor},
    telemetry::{self, Metrics},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::MissedTickBehavior,
};
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;

use crate::{api::ABOUT, letterhead, limits};

/// How long a start waits for PostgreSQL, which may be starting or recovering too.
const POSTGRES_START: Duration = Duration::from_mins(1);
/// How long a start waits for the comparison of the stream with the log. An unreachable NATS must
/// not delay commands longer.
const FIRST_COMPARISON: Duration = Duration::from_secs(3);

/// Arguments of `kontor serve`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// PostgreSQL's URL; the user owns the schemas or may create them.
    #[arg(long, env = "KONTOR_DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// NATS' URL, credentials included.
    #[arg(long, env = "KONTOR_NATS_URL", hide_env_values = true)]
    nats_url: String,
    /// Where to listen.
    #[arg(long, env = "KONTOR_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Name of the JetStream stream.
    #[arg(long, default_value = "kontor")]
    stream: String,
    /// A JSON file that says who the seller is, for the head of its documents.
    #[arg(long, env = "KONTOR_SELLER")]
    seller: Option<PathBuf>,
    #[command(flatten)]
    limits: limits::Connections,
    /// Origins whose pages may call the API, such as `https://shop.example.pl`, separated by commas;
    /// none when not given.
    #[arg(long, env = "KONTOR_CORS_ORIGINS", default_value = "")]
    cors_origins: Origins,
}

/// Serves until Ctrl-C or SIGTERM, on servers that somebody else runs. Keys are made with
/// `kontor token`.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let Arguments { database_url, nats_url, listen, stream, seller, limits, cors_origins } =
        arguments;
    let limits = limits.read();
    let letterhead = seller.map(|path| letterhead::read(&path)).transpose()?;
    let settings =
        Settings { database_url, nats_url, stream, listen, letterhead, limits, cors_origins };
    let running = tokio::select! {
        running = start(settings) => running?,
        _ = interrupt.recv() => return Ok(ExitCode::from(130)),
        _ = terminate.recv() => return Ok(ExitCode::from(143)),
    };
    tracing::info!(address = %running.address, "serving");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// What a process needs to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// PostgreSQL; the user owns the schemas.
    pub database_url: String,
    /// NATS, with credentials.
    pub nats_url: String,
    /// The stream that history travels on.
    pub stream: String,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The head of the seller's documents; there are none without it.
    pub letterhead: Option<Letterhead>,
    /// How much of it connections may take.
    pub limits: Limits,
    /// The origins whose pages may call the API.
    pub cors_origins: Origins,
}

/// A serving process.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The keys.
    pub access: Access,
    /// What runs its background tasks.
    pub supervisor: Supervisor,
    log: EventLog,
    cancel: CancellationToken,
    http: tokio::task::JoinHandle<()>,
    relay: tokio::task::JoinHandle<()>,
}

/// Waits until PostgreSQL accepts connections. An error that waiting does not resolve, such as a
/// wrong password, is returned at once.
async fn wait_for_postgres(database_url: &str, patience: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let Err(error) = tokio_postgres::connect(database_url, NoTls).await else { return Ok(()) };
        if !postgres::is_unavailable(&error) || Instant::now() >= deadline {
            return Err(error).context("cannot reach PostgreSQL");
        }
        tracing::warn!(error = &error as &dyn std::error::Error, "waiting for PostgreSQL");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Migrates all schemas. Several processes may do so at once.
pub async fn migrate_all(database_url: &str) -> anyhow::Result<()> {
    let (mut client, connection) =
        tokio_postgres::connect(database_url, NoTls).await.context("cannot reach PostgreSQL")?;
    let connection = tokio::spawn(connection);
    EventLog::migrate(&mut client).await?;
    migrate(&mut client, "access", access::MIGRATIONS).await?;
    migrate(&mut client, "policy", policies::MIGRATIONS).await?;
    migrate(&mut client, "reference", white_list::MIGRATIONS).await?;
    drop(client);
    connection.await??;
    Ok(())
}

/// Starts to serve; returns as soon as it listens.
pub async fn start(settings: Settings) -> anyhow::Result<Running> {
    let metrics = Metrics::collect(metrics())?;
    wait_for_postgres(&settings.database_url, POSTGRES_START).await?;
    migrate_all(&settings.database_url).await?;
    let log = EventLog::open(&LogConfig::new(&settings.database_url)).await?;
    let pool = postgres::pool(&settings.database_url, "kontor views", 24)?;
    let views = Views::open(pool, log.clone()).await?;
    let access = Access::new(postgres::pool(&settings.database_url, "kontor access", 2)?);
    let cancel = CancellationToken::new();
    let supervisor = Supervisor::new(cancel.clone());

    let relay = Arc::new(Relay::new(
        log.clone(),
        crate::nats::connect_lazily(&settings.nats_url).await?,
        RelayConfig::new(&settings.stream),
    ));
    let health = health(&log, &views, &relay, &supervisor);
    let publishing = supervisor.run_to_end("relay", {
        let (relay, cancel) = (relay.clone(), cancel.clone());
        move || {
            let (relay, cancel) = (relay.clone(), cancel.clone());
            async move { relay.run(cancel).await }
        }
    });

    relay.compared(FIRST_COMPARISON).await;

    supervisor.run("directory of the log", {
        let log = log.clone();
        move || {
            let log = log.clone();
            async move { log.keep_directory().await }
        }
    });

    views.follow(&supervisor);
    let clock = Clock::system(Clock::WARSAW)?;
    let services = Services {
        log: log.clone(),
        views: views.clone(),
        access: access.clone(),
        clock: clock.clone(),
    };
    watch_policies(&health, policies::start(&services, &supervisor).await?);
    watch_timers(&health, timers::start(&services, &supervisor));

    let catalogue_pool = postgres::steady_pool(&settings.database_url, "kontor catalogue", 4)?;
    let queries = Queries {
        views,
        catalogue_pool,
        memory: Arc::default(),
        log: log.clone(),
        access: access.clone(),
        live: Live::start(log.clone(), access.clone(), &supervisor).await?,
        clock,
        letterhead: settings.letterhead.map(Arc::new),
    };
    let routes = || command_service::router(services).merge(query_service::router(queries));
    let api = document::describe(routes, &ABOUT);
    let kept = metrics.clone();
    supervisor.run("metrics upkeep", move || keep_up(kept.clone()));
    let measured = log.clone();
    let router = server::serve(
        api,
        &["/v1/imports/", "/v1/exports/", "/v1/events"],
        settings.cors_origins,
        health,
        move || {
            measured.measure();
            metrics.render()
        },
    );
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    let address = listener.local_addr()?;
    let listener = listener.into_std()?;
    let (stop, limits) = (cancel.clone(), settings.limits);
    let http = supervisor.run_to_end("http", move || {
        let (listener, router, stop) = (listener.try_clone(), router.clone(), stop.clone());
        async move {
            if let Err(error) = answer(listener, router, limits, stop).await {
                tracing::error!(error = &error as &dyn std::error::Error, "HTTP is not served");
            }
        }
    });
    Ok(Running { address, access, supervisor, log, cancel, http, relay: publishing })
}

/// Answers requests until asked to stop, then finishes those under way.
async fn answer(
    listener: std::io::Result<std::net::TcpListener>,
    router: axum::Router,
    limits: Limits,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener?)?;
    connections::serve(listener, router, limits, stop.cancelled_owned()).await;
    Ok(())
}

impl Running {
    /// Stops taking requests, finishes those under way, and stops the rest.
    pub async fn stop(self) {
        self.cancel.cancel();
        let patience = Duration::from_secs(10);
        let _ = tokio::time::timeout(patience, self.http).await;
        let _ = tokio::time::timeout(patience, self.log.shutdown()).await;
        let _ = tokio::time::timeout(patience, self.relay).await;
    }
}

/// Sums up what was measured, so that it takes no memory when nobody asks for it.
async fn keep_up(metrics: Metrics) {
    let mut pause = tokio::time::interval(Duration::from_secs(5));
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pause.tick().await;
        let metrics = metrics.clone();
        if tokio::task::spawn_blocking(move || metrics.keep_up()).await.is_err() {
            tracing::error!("summing up metrics panicked");
        }
    }
}

/// Every metric that a process shows, beside those of the operating system.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    let log = event_log::metrics::METRICS;
    let views = projections::metrics::METRICS;
    let policies = command_service::metrics::METRICS;
    let live = query_service::metrics::METRICS;
    [log, views, policies, live, telemetry::METRICS, supervisor::METRICS].into_iter().flatten()
}

fn watch_policies(health: &Health, policies: Vec<(&'static str, policies::Waiting)>) {
    for (name, waiting) in policies {
        health.register(format!("policy {name}"), move || {
            let waits = waiting.borrow().clone();
            let state = waits.map_or(State::Ok, |detail| State::Degraded { detail });
            async move { state }.boxed()
        });
    }
}

fn watch_timers(
    health: &Health,
    timers: Vec<(&'static str, impl Fn() -> State + Send + Sync + 'static)>,
) {
    for (name, state) in timers {
        health.register(format!("timer {name}"), move || std::future::ready(state()).boxed());
    }
}

fn health(log: &EventLog, views: &Views, relay: &Arc<Relay>, supervisor: &Supervisor) -> Health {
    let health = Health::default();
    let tasks = supervisor.clone();
    health.register("background tasks", move || std::future::ready(tasks.state()).boxed());
    let history = log.clone();
    health.register("log", move || {
        let log = history.clone();
        async move {
            match log.head().await {
                Ok(_) => match log.suspended() {
                    None => State::Ok,
                    // Queries are still answered.
                    Some(reason) => State::Degraded { detail: format!("no commands: {reason}") },
                },
                Err(error) => State::Failed { detail: error.to_string() },
            }
        }
        .boxed()
    });
    let relay = relay.status();
    health.register("stream", move || {
        let state = relay.borrow().state.clone();
        // Commands and queries go on without NATS: history catches up.
        let state = match state {
            RelayState::Live | RelayState::CatchingUp => State::Ok,
            RelayState::Connecting => {
                State::Degraded { detail: "NATS does not answer; history waits".to_owned() }
            }
            RelayState::Halted { reason } => State::Degraded { detail: reason },
        };
        async move { state }.boxed()
    });
    for projection in projections::views::ALL {
        let Some(status) = views.status(projection.name) else { continue };
        health.register(format!("read model {}", projection.name), move || {
            let trouble = status.borrow().trouble();
            let state = trouble.map_or(State::Ok, |detail| State::Degraded { detail });
            async move { state }.boxed()
        });
    }
    health
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// An `ErrorResponse` with a severity, a code and a message.
    fn error_response(code: &str) -> Vec<u8> {
        let fields = format!("SFATAL\0VFATAL\0C{code}\0Mtest\0\0");
        let length = u32::try_from(fields.len() + 4).unwrap();
        [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()
    }

    /// A server that gives each answer to one connection; the URL to connect to it.
    async fn server(answers: Vec<Vec<u8>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://kontor@{}/kontor", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answer in answers {
                let (mut connection, _) = listener.accept().await.unwrap();
                let length = connection.read_u32().await.unwrap();
                let mut startup = vec![0; usize::try_from(length).unwrap() - 4];
                connection.read_exact(&mut startup).await.unwrap();
                connection.write_all(&answer).await.unwrap();
            }
        });
        url
    }

    #[tokio::test]
    async fn waits_while_postgres_starts_and_no_longer() {
        let ready = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I".to_vec();
        let patience = Duration::from_secs(30);
        let url = server(vec![error_response("57P03"), ready]).await;
        wait_for_postgres(&url, patience).await.unwrap();
        let url = server(vec![error_response("28P01")]).await;
        wait_for_postgres(&url, patience).await.unwrap_err();
        let url = server(vec![error_response("57P03")]).await;
        wait_for_postgres(&url, Duration::ZERO).await.unwrap_err();
    }
}
