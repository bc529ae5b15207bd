//! Commands a second: ours, the peers', and raw COPY of the same rows.

use std::sync::Arc;

use cqrs_es::{CqrsFramework, EventStore};
use event_log::EventLog;

use crate::{
    Failure,
    account::{Account, Command},
    clients::{MEASURE, rate},
    database::{fresh, log},
    peers::{self, Peer},
    raw_copy,
    table::{Table, median, whole},
};

/// How often the ones that targets name are measured; the middle one counts.
pub(crate) const ROUNDS: usize = 3;

pub(crate) async fn measure(server: &str, table: &mut Table) -> Result<(), Failure> {
    let scripts = peers::scripts();
    for (clients, times) in [(64, (10.0, "10 ×")), (1_024, (20.0, "20 ×"))] {
        let (mut ours, mut postgres_es, mut copy) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            ours.push(kontor(&log(server).await?.1, clients).await?);
            postgres_es.push(theirs(server, clients).await?);
            copy.push(raw_copy::rows_per_second(&fresh(server).await?.0, clients, MEASURE).await?);
        }
        let spread = spread(&ours);
        let (ours, postgres_es, copy) = (median(ours), median(postgres_es), median(copy));
        table.beside(
            &format!("append, {clients} clients: Kontor"),
            format!("{}/s {spread}", whole(ours)),
        );
        table.at_least(
            &format!("— × postgres-es 0.5, {}/s", whole(postgres_es)),
            format!("{:.1} ×", ours / postgres_es),
            ours / postgres_es,
            times,
        );
        let what = format!("— of raw COPY of the same rows, {}/s", whole(copy));
        let share = format!("{:.0} %", 100.0 * ours / copy);
        if clients == 64 {
            table.beside(&what, share);
        } else {
            table.at_least(&what, share, ours / copy, (0.65, "65 %"));
        }
        // It needs PostgreSQL 16.
        let disintegrate = peers::disintegrate(server, clients).await.map_err(|e| e.to_string());
        beside(table, "disintegrate-postgres 4", ours, disintegrate);
        for Peer { name, run } in &scripts {
            beside(table, name, ours, run(&fresh(server).await?.1, clients));
        }
    }
    Ok(())
}

/// Commands through `CqrsFramework`, as postgres-es takes them.
pub(crate) async fn kontor(log: &EventLog, clients: usize) -> Result<f64, Failure> {
    deposits(CqrsFramework::new(log.store::<Account>(), vec![], ()), clients).await
}

async fn theirs(server: &str, clients: usize) -> Result<f64, Failure> {
    let (client, url) = fresh(server).await?;
    // The table of postgres-es's own db/init.sql.
    client
        .batch_execute(
            "CREATE TABLE events (
                 aggregate_type text NOT NULL, aggregate_id text NOT NULL,
                 sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
                 event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
                 PRIMARY KEY (aggregate_type, aggregate_id, sequence))",
        )
        .await?;
    let pool = postgres_es::default_postgress_pool(&url).await;
    deposits(postgres_es::postgres_cqrs::<Account>(pool, vec![], ()), clients).await
}

async fn deposits<S>(framework: CqrsFramework<Account, S>, clients: usize) -> Result<f64, Failure>
where
    S: EventStore<Account> + 'static,
    S::AC: Send,
{
    let framework = Arc::new(framework);
    rate(clients, move |account| {
        let framework = framework.clone();
        async move {
            let deposit = Command::Deposit { amount: 1 };
            framework.execute(&account.to_string(), deposit).await.map_err(|e| e.to_string())?;
            Ok(true)
        }
    })
    .await
}

fn beside(table: &mut Table, name: &str, ours: f64, theirs: Result<f64, String>) {
    match theirs {
        Ok(theirs) => {
            let what = format!("— × {name}, {}/s", whole(theirs));
            table.beside(&what, format!("{:.0} ×", ours / theirs));
        }
        Err(why) => table.beside(&format!("— × {name}"), format!("not available: {why}")),
    }
}

/// `(60,100 to 66,200)`.
fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::MAX, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("({} to {})", whole(least), whole(most))
}
