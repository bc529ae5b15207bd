//! A database of a test's own, with the query endpoints served on a loopback port.

use event_log::{Append, Envelope, EventLog, LogConfig, NewEvent, StreamWrite};
use projections::Views;
use query_service::{Live, Queries};
use serde_json::Value;
use service_kit::{
    access::{self, Access, KeyRole, NewKey},
    clock::Clock,
    migrations::migrate,
    postgres,
};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A service that answers queries.
pub(crate) struct Shop {
    pub(crate) queries: Queries,
    pub(crate) log: EventLog,
    access: Access,
    url: String,
    follow: CancellationToken,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let server = std::env::var("KONTOR_TEST_DATABASE_URL")
            .expect("run `make test`, which starts private servers");
        let name = format!("queries_{}", Uuid::now_v7().simple());
        connect(&server).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let database = format!("{base}/{name}");
        let mut client = connect(&database).await;
        EventLog::migrate(&mut client).await.unwrap();
        migrate(&mut client, "access", access::MIGRATIONS).await.unwrap();

        let log = EventLog::open(&LogConfig::new(&database)).await.unwrap();
        let pool = postgres::pool(&database, "test", 12).unwrap();
        let views = Views::open(pool.clone(), log.clone()).await.unwrap();
        let follow = CancellationToken::new();
        views.follow(&follow);
        let access = Access::new(pool);
        let clock = Clock::fixed("2026-11-23T12:00:00Z".parse().unwrap());
        let catalogue_pool = postgres::steady_pool(&database, "test", 4).unwrap();
        let (log, access) = (log.clone(), access.clone());
        let queries = Queries {
            views,
            catalogue_pool,
            memory: std::sync::Arc::default(),
            log: log.clone(),
            access: access.clone(),
            live: Live::start(log.clone(), access.clone(), &follow).await.unwrap(),
            clock,
            letterhead: None,
        };
        let router: axum::Router = query_service::router(queries.clone()).into();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { queries, log, access, url, follow }
    }

    /// The secret of a new key.
    pub(crate) async fn key(&self, role: KeyRole, company: Option<Uuid>) -> String {
        let key = NewKey { name: "test", role, company, employee: None };
        self.access.create(Uuid::now_v7(), key).await.unwrap()
    }

    /// What a request is answered: the status and the body.
    pub(crate) async fn get(&self, key: &str, path: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url)).bearer_auth(key);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A question whose answer is not read yet.
    pub(crate) async fn begin(&self, key: &str, path: &str) -> reqwest::Response {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url)).bearer_auth(key);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer
    }

    /// Records `count` events of a company in one stream; says which.
    pub(crate) async fn record(&self, company: Uuid, count: usize) -> Uuid {
        let id = Uuid::now_v7();
        let envelope = Envelope {
            command_id: id,
            remember: None,
            actor: "test".to_owned(),
            correlation_id: id,
            causation_id: None,
        };
        let event = NewEvent {
            event_type: "order.confirmed".into(),
            schema_version: 1,
            payload: r#"{"type":"confirmed"}"#.to_owned(),
        };
        let write = StreamWrite {
            stream_type: "order",
            stream_id: id,
            expected: 0,
            company_id: Some(company),
            events: vec![event; count],
        };
        let append = Append { envelope, writes: vec![write], reads: Vec::new(), answer: (id, 0) };
        self.log.append(append).await.unwrap();
        id
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.follow.cancel();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
