//! One stream that everybody needs, beside streams of their own and beside one row that everybody
//! updates.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use event_log::{Envelope, EventLog, WorkError};
use futures::FutureExt;
use uuid::Uuid;

use crate::{
    Failure,
    account::{Account, Command},
    append::ROUNDS,
    clients::rate,
    database::{connect, fresh, log},
    table::{Table, median, whole},
};

/// How many clients there are.
const CLIENTS: usize = 64;

pub(crate) async fn measure(server: &str, table: &mut Table) -> Result<(), Failure> {
    let (mut spread, mut one, mut row, mut waits) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        spread.push(deposits(&log(server).await?.1, None).await?.0);
        let (_client, contested) = log(server).await?;
        let stream = Uuid::now_v7();
        let (deposits, before) = deposits(&contested, Some(stream)).await?;
        one.push(deposits);
        waits.push(before);
        gapless(&contested, stream).await?;
        row.push(updates(server).await?);
    }
    let (spread, one, row) = (median(spread), median(one), median(row));
    let each = format!("commands, {CLIENTS} clients on {CLIENTS} streams: Kontor");
    table.beside(&each, format!("{}/s", whole(spread)));
    let share = one / spread;
    table.at_least(
        &format!("— on one stream, {}/s", whole(one)),
        format!("{:.0} %", 100.0 * share),
        share,
        (0.6, "60 %"),
    );
    table.at_least(
        &format!("— on one stream × UPDATE of one row, {}/s", whole(row)),
        format!("{:.1} ×", one / row),
        one / row,
        (1.0, "1 ×"),
    );
    let waits = median(waits);
    table.at_most(
        "— on one stream: commands that come before one's own, p99",
        whole(waits),
        waits,
        (CLIENTS as f64, "64"),
    );
    Ok(())
}

/// Deposits a second, each into a stream of the client's own or all into one, and the p99 of how
/// many deposits into the one come before one's own.
async fn deposits(log: &EventLog, one: Option<Uuid>) -> Result<(f64, f64), Failure> {
    let (served, waits) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::<f64>::new())));
    let (log, measured) = (log.clone(), waits.clone());
    let rate = rate(CLIENTS, move |account| {
        let (log, served, measured) = (log.clone(), served.clone(), measured.clone());
        async move {
            let Some(one) = one else { return deposit(&log, account).await.map(|_| true) };
            let before = served.load(Ordering::Relaxed);
            let version = deposit(&log, one).await?;
            served.fetch_max(version, Ordering::Relaxed);
            let waited = (version - before) as f64;
            measured.lock().map_err(|_| "a client panicked")?.push(waited);
            Ok(true)
        }
    })
    .await?;
    let mut waits = std::mem::take(&mut *waits.lock().map_err(|_| "a client panicked")?);
    waits.sort_by(f64::total_cmp);
    Ok((rate, waits.get(waits.len() * 99 / 100).copied().unwrap_or_default()))
}

/// Says the version of the account after it.
async fn deposit(log: &EventLog, account: Uuid) -> Result<u64, Failure> {
    let command_id = Uuid::now_v7();
    let envelope = Envelope {
        command_id,
        remember: None,
        actor: String::new(),
        correlation_id: command_id,
        causation_id: None,
    };
    let executed = log.execute(&envelope, |work| {
        let deposit = Command::Deposit { amount: 1 };
        async move {
            match work.decide::<Account>(account, deposit).await {
                Ok(()) => Ok(()),
                Err(WorkError::Log(error)) => Err(error),
                Err(WorkError::Refused(never)) => match never {},
            }
        }
        .boxed()
    });
    let executed = executed.await.map_err(|error| format!("{error:?}"))?;
    Ok(executed.outcome.version)
}

/// Numbers without a gap, and a balance that counts each of them.
async fn gapless(log: &EventLog, stream: Uuid) -> Result<(), Failure> {
    let findings = log.verify().await?.findings;
    let stored = log.read_stream(stream, 0, EventLog::PAGE).await?;
    let is_next = |(number, event): (u64, &event_log::RecordedEvent)| {
        event.version == number && event.payload.contains(&format!("\"balance\":{number}}}"))
    };
    if findings.is_empty() && (1..).zip(&stored).all(is_next) {
        Ok(())
    } else {
        Err(format!("the stream has gaps: {findings:?}").into())
    }
}

/// Updates a second of one row by as many clients, each with a connection of its own.
async fn updates(server: &str) -> Result<f64, Failure> {
    let (client, url) = fresh(server).await?;
    let create =
        "CREATE TABLE counter (id int PRIMARY KEY, n bigint); INSERT INTO counter VALUES (1, 0)";
    client.batch_execute(create).await?;
    let connections = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..CLIENTS {
        let client = connect(&url).await?;
        let update = client.prepare("UPDATE counter SET n = n + 1 WHERE id = 1").await?;
        connections.lock().map_err(|_| "a client panicked")?.push((client, update));
    }
    rate(CLIENTS, move |_| {
        let connections = connections.clone();
        async move {
            let free = connections.lock().map_err(|_| "a client panicked")?.pop();
            let (client, update) = free.ok_or("there are fewer connections than clients")?;
            client.execute(&update, &[]).await?;
            connections.lock().map_err(|_| "a client panicked")?.push((client, update));
            Ok(true)
        }
    })
    .await
}

/// What no table means anything without: how long the server takes to make a commit durable, and
/// what that allows clients who each wait for theirs.
pub(crate) async fn commit_latency(server: &str, table: &mut Table) -> Result<(), Failure> {
    let (client, _) = fresh(server).await?;
    client.batch_execute("CREATE TABLE written (n bigint)").await?;
    let insert = client.prepare("INSERT INTO written VALUES (1)").await?;
    let mut medians = [0.0; 2];
    for (median_of, durable) in medians.iter_mut().zip(["on", "off"]) {
        client.batch_execute(&format!("SET synchronous_commit TO {durable}")).await?;
        let (started, mut times) = (Instant::now(), Vec::new());
        while started.elapsed() < Duration::from_secs(2) {
            let asked = Instant::now();
            client.execute(&insert, &[]).await?;
            times.push(asked.elapsed().as_secs_f64());
        }
        *median_of = median(times);
    }
    let [durable, not_durable] = medians;
    let disk = (durable - not_durable).max(0.0);
    table.beside(
        "commit latency of the server: a transaction of one row, and of that the disk",
        format!("{:.2} ms, {:.2} ms", 1e3 * durable, 1e3 * disk),
    );
    for clients in [64.0, 1_024.0] {
        let bound = format!("— most commits of {clients} clients who wait for theirs");
        table.beside(&bound, format!("{}/s", whole(clients / durable)));
    }
    Ok(())
}
