//! What a long life changes: memory under load, and speed when the log is large.

use std::time::Duration;

use event_log::{EventLog, LogConfig};

use crate::{
    Failure,
    append::{ROUNDS, kontor},
    database::{fill, fresh},
    table::{Table, median, whole},
};

/// Memory under load: after a first while, it stays what it is. The cache is kept small, so that
/// it is full by then.
pub(crate) async fn memory(server: &str, table: &mut Table) -> Result<(), Failure> {
    let (mut client, url) = fresh(server).await?;
    EventLog::migrate(&mut client).await?;
    let config = LogConfig { cached_bytes: 16 << 20, ..LogConfig::new(url) };
    let log = EventLog::open(&config).await?;
    let load = tokio::spawn({
        let log = log.clone();
        async move {
            for _ in 0..4 {
                kontor(&log, 256).await?;
            }
            Ok::<_, Failure>(())
        }
    });
    tokio::time::sleep(Duration::from_secs(8)).await;
    let (before, events) = (resident()?, log.head().await?.0);
    load.await??;
    let (after, now) = (resident()?, log.head().await?.0);
    let grown = after - before;
    table.at_most(
        &format!("memory under load: growth over {} events", whole((now - events) as f64)),
        format!("{grown:.0} MiB (from {before:.0} MiB)"),
        grown,
        (32.0, "32 MiB"),
    );
    Ok(())
}

/// Speed at 10 million events, beside that at 100 thousand: both in turn, the middle one counts.
pub(crate) async fn size(server: &str, table: &mut Table) -> Result<(), Failure> {
    const SMALL: i64 = 100_000;
    const LARGE: i64 = 10_000_000;
    let large = filled(server, LARGE).await?;
    for clients in [64, 1_024] {
        let (mut small_rates, mut large_rates) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            small_rates.push(kontor(&filled(server, SMALL).await?, clients).await?);
            large_rates.push(kontor(&large, clients).await?);
        }
        let (small, large) = (median(small_rates), median(large_rates));
        table.at_least(
            &format!("append at 10 M events beside 100 k ({}/s), {clients} clients", whole(small)),
            format!("{}/s, {:.0} %", whole(large), 100.0 * large / small),
            large / small,
            (0.85, "85 %"),
        );
    }
    Ok(())
}

/// A log of so many events, with what filling leaves to be done behind it.
async fn filled(server: &str, events: i64) -> Result<EventLog, Failure> {
    let (mut owner, url) = fresh(server).await?;
    EventLog::migrate(&mut owner).await?;
    fill(&owner, 0, events).await?;
    owner.batch_execute("VACUUM ANALYZE").await?;
    owner.batch_execute("CHECKPOINT").await?;
    Ok(EventLog::open(&LogConfig::new(url)).await?)
}

/// Resident memory of this process, in MiB.
fn resident() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib / 1024.0)
}
