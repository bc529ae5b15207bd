//! Deposits per second with UmaDB: one event a command, its own account a client. A command reads the
//! account's events and appends on the condition that there are no newer ones, as its documentation
//! shows.
//!
//! Arguments: program of the server, directory for its files, clients, seconds to warm up, seconds to
//! measure.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use tokio::{
    process::{Child, Command},
    task::JoinSet,
};
use umadb_client::UmaDbClient;
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, directory, clients, warm_up, measure] = arguments.as_slice() else {
        return Err("SERVER DIRECTORY CLIENTS WARM_UP MEASURE".into());
    };
    let (clients, warm_up, measure): (usize, u64, u64) =
        (clients.parse()?, warm_up.parse()?, measure.parse()?);
    let files = PathBuf::from(directory).join(Uuid::new_v4().to_string());
    let (mut server, url) = start(program, &files).await?;
    let done = Arc::new(AtomicU64::new(0));
    // One connection carries many requests; several spread the work of the client.
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(Arc::new(UmaDbClient::new(url.clone()).connect_async().await?));
    }
    let mut running = JoinSet::new();
    for number in 0..clients {
        running.spawn(deposits(stores[number % stores.len()].clone(), done.clone()));
    }
    let measured = async {
        tokio::time::sleep(Duration::from_secs(warm_up)).await;
        let before = done.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(measure)).await;
        (done.load(Ordering::Relaxed) - before) as f64 / measure as f64
    };
    let rate = tokio::select! {
        rate = measured => rate,
        Some(failed) = running.join_next() => return Err(failed?),
    };
    println!("{rate}");
    server.kill().await?;
    Ok(std::fs::remove_dir_all(files)?)
}

/// Deposits until one fails, a hundred an account.
async fn deposits(
    store: Arc<impl DcbEventStoreAsync + Send + Sync + 'static>,
    done: Arc<AtomicU64>,
) -> Failure {
    loop {
        let account = format!("account:{}", Uuid::new_v4());
        for _ in 0..100 {
            if let Err(error) = deposit(&*store, &account).await {
                return error;
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A server of its own, which ends with this process.
async fn start(program: &str, files: &Path) -> Result<(Child, String), Failure> {
    std::fs::create_dir_all(files)?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut server = Command::new(program);
    server.args(["--listen", &address, "--db-path"]).arg(files);
    let server = server.stdout(std::process::Stdio::null()).kill_on_drop(true).spawn()?;
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(&address).await.is_ok() {
            return Ok((server, format!("http://{address}")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the server does not listen".into())
}

async fn deposit(store: &(impl DcbEventStoreAsync + Sync), account: &str) -> Result<(), Failure> {
    let item = DcbQueryItem::new().types(["account.deposited"]).tags([account]);
    let boundary = DcbQuery::new().item(item);
    let mut events = store.read(Some(boundary.clone()), None, false, None, false).await?;
    let mut balance = 0;
    while let Some(event) = events.next().await {
        event?;
        balance += 1;
    }
    let after = events.head().await?;
    let event = DcbEvent::default()
        .event_type("account.deposited")
        .tags([account])
        .data(format!("{{\"amount\":1,\"balance\":{}}}", balance + 1).into_bytes())
        .uuid(Uuid::new_v4());
    store.append(vec![event], Some(DcbAppendCondition::new(boundary).after(after))).await?;
    Ok(())
}
