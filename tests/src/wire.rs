//! A proxy between Kontor and PostgreSQL that breaks connections at chosen moments.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, watch},
};

/// What happens to the next transaction that comes to its end, or to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The connection is lost before `COMMIT` reaches PostgreSQL.
    BeforeCommit,
    /// The connection is lost when half of `COMMIT` has reached PostgreSQL.
    WithinCommit,
    /// `COMMIT` reaches PostgreSQL, and the connection is lost at once: the answer may have been
    /// on its way or not.
    AfterCommit,
    /// The answer to `COMMIT` is lost together with the connection: it is durable.
    Answer,
    /// The rows of a COPY and all that follows them stay on the way until [`Wire::let_go`], as if
    /// the process had been stopped just then; nobody closes the connection.
    Rows,
}

impl Break {
    /// The ways to lose a commit.
    pub const CUTS: [Self; 4] =
        [Self::BeforeCommit, Self::WithinCommit, Self::AfterCommit, Self::Answer];
}

/// A proxy for PostgreSQL.
pub struct Wire {
    /// The server's URL by way of this wire.
    pub url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    armed: watch::Sender<Option<Break>>,
    let_go: Notify,
}

/// A simple query, as drivers end a transaction.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
/// The tag of a completed commit.
const COMMITTED: &[u8] = b"COMMIT\0";
/// With which the rows of a binary COPY begin.
const ROWS: &[u8] = b"PGCOPY\n\xff\r\n\0";

impl Wire {
    /// A wire to the server of a URL that names host and port.
    pub async fn to(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let [tokio_postgres::config::Host::Tcp(host)] = config.get_hosts() else {
            panic!("the server of the tests listens on one TCP port")
        };
        let server = format!("{host}:{}", config.get_ports().first().copied().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap().to_string();
        let through = url.replace(&server, &here);
        assert_ne!(through, url, "the URL names host and port");
        let state = Arc::new(State::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, state) = (server.clone(), shared.clone());
                tokio::spawn(async move {
                    // While the server is away, the wire is dead.
                    if let Ok(server) = TcpStream::connect(server).await {
                        forward(client, server, &state).await;
                    }
                });
            }
        });
        Self { url: through, state }
    }

    /// The next transaction on any connection will break.
    pub fn arm(&self, how: Break) {
        self.state.armed.send_replace(Some(how));
    }

    /// Whether it has.
    pub fn has_broken(&self) -> bool {
        self.state.armed.borrow().is_none()
    }

    /// Waits until it has.
    pub async fn until_broken(&self) {
        self.state.armed.subscribe().wait_for(Option::is_none).await.unwrap();
    }

    /// Lets go of rows that were held.
    pub fn let_go(&self) {
        self.state.let_go.notify_waiters();
    }
}

impl State {
    /// Breaks, if it is to break like this.
    fn breaks(&self, like_this: impl Fn(Break) -> bool) -> Option<Break> {
        let mut broken = None;
        self.armed.send_if_modified(|armed| {
            broken = armed.take_if(|how| like_this(*how));
            broken.is_some()
        });
        broken
    }
}

/// Both directions, until either ends; then both are closed.
async fn forward(client: TcpStream, server: TcpStream, state: &State) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let stopped = watch::Sender::new(false);
    tokio::select! {
        () = to_postgres(from_client, to_server, state, &stopped) => {}
        () = from_postgres(from_server, to_client, state, &stopped) => {}
    }
}

/// A mark that falls on the seam of two reads is not seen: the next one will be.
async fn to_postgres(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &State,
    stopped: &watch::Sender<bool>,
) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let bytes = &bytes[..count];
        let cuts = |how| !matches!(how, Break::Answer | Break::Rows);
        if let Some(at) = find(bytes, COMMIT)
            && let Some(how) = state.breaks(cuts)
        {
            let passes = match how {
                Break::BeforeCommit => at,
                Break::WithinCommit => at + COMMIT.len() / 2,
                _ => at + COMMIT.len(),
            };
            let _ = to.write_all(&bytes[..passes]).await;
            return;
        }
        let held = state.let_go.notified();
        if find(bytes, ROWS).is_some() && state.breaks(|how| how == Break::Rows).is_some() {
            stopped.send_replace(true);
            held.await;
            stopped.send_replace(false);
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// A stopped process hears nothing either, not even that the connection is closed.
async fn from_postgres(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &State,
    stopped: &watch::Sender<bool>,
) {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut bytes).await;
        let _ = stopped.subscribe().wait_for(|stopped| !stopped).await;
        let Ok(count @ 1..) = read else { return };
        let bytes = &bytes[..count];
        let committed = find(bytes, COMMITTED).is_some();
        if committed && state.breaks(|how| how == Break::Answer).is_some() {
            return;
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
