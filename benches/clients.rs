//! Clients that deposit into accounts of their own, as fast as they are answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Failure;

pub(crate) const WARM_UP: Duration = Duration::from_secs(2);
pub(crate) const MEASURE: Duration = Duration::from_secs(5);

/// Deposits a second: `deposit` makes one into an account, and says whether it was done.
pub(crate) async fn rate<F>(
    clients: usize,
    deposit: impl Fn(Uuid) -> F + Clone + Send + 'static,
) -> Result<f64, Failure>
where
    F: Future<Output = Result<bool, Failure>> + Send,
{
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    for _ in 0..clients {
        let (deposit, done) = (deposit.clone(), done.clone());
        tasks.spawn(async move {
            // A fresh account after a hundred deposits: some peers load the whole stream for every
            // command, and nobody's history should grow without bound here.
            loop {
                let account = Uuid::now_v7();
                for _ in 0..100 {
                    if deposit(account).await? {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
    }
    wait(&mut tasks, WARM_UP).await?;
    let (before, started) = (done.load(Ordering::Relaxed), Instant::now());
    wait(&mut tasks, MEASURE).await?;
    let rate = (done.load(Ordering::Relaxed) - before) as f64 / started.elapsed().as_secs_f64();
    tasks.shutdown().await;
    Ok(rate)
}

/// Clients end only when one fails.
async fn wait(tasks: &mut JoinSet<Result<(), Failure>>, time: Duration) -> Result<(), Failure> {
    tokio::select! {
        ended = tasks.join_next() => ended.map_or(Ok(()), |ended| ended?),
        () = tokio::time::sleep(time) => Ok(()),
    }
}
