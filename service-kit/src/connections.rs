//! The HTTP listener: limits the number of connections, and closes idle and slow ones.

use std::{
    collections::HashMap,
    convert::Infallible,
    io::{self, IoSlice, Write},
    net::{IpAddr, Ipv6Addr},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    http::{Request, Response, header},
};
use hyper::{
    body::{Bytes, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use metrics::{counter, gauge};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};

/// The limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The time limit for the head of a request from its first byte on, and for the first request
    /// of a connection.
    pub head: Duration,
    /// The time limit of an idle connection.
    pub idle: Duration,
    /// The time limit for a client that reads nothing of its response.
    pub stalled: Duration,
    /// The time limit of a request until its response was read, except for live feeds.
    pub request: Duration,
    /// The most connections at once.
    pub connections: usize,
    /// The most connections per client address: an IPv4 address or the /64 of an IPv6 address.
    pub per_address: usize,
}

impl Default for Limits {
    /// One address may have half of all connections, since a reverse proxy is one address.
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            stalled: Duration::from_secs(30),
            request: Duration::from_mins(15),
            connections: 4_096,
            per_address: 2_048,
        }
    }
}

impl Limits {
    /// The interval of checks: a quarter of the shortest limit.
    fn pace(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.stalled).min(self.request);
        (shortest / 4).max(Duration::from_millis(10))
    }
}

/// The most bytes of a request's head, and of read-ahead of a body.
const BUFFER: usize = 64 << 10;
/// The pause after an error of accept, such as no free file descriptor.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is ready, then finishes the requests in progress.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let seats = Arc::new(Seats::default());
    let (stopping, to_stop) = watch::channel(false);
    // Every connection holds a sender: the receiver ends with the last of them.
    let (open, mut all_closed) = mpsc::channel::<Infallible>(1);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if of_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(seat) = seats.take(peer.ip(), &limits) else {
            turn_away(stream);
            continue;
        };
        let (router, to_stop, open) = (router.clone(), to_stop.clone(), open.clone());
        tokio::spawn(async move {
            attend(stream, router, limits, to_stop).await;
            drop((seat, open));
        });
    }
    drop((listener, open));
    let _ = stopping.send(true);
    while all_closed.recv().await.is_some() {}
}

/// Whether the error concerns only the connection that was to be accepted.
fn of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Answers that there are too many connections, if the client reads at once.
fn turn_away(stream: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
        retry-after: 5\r\ncontent-length: 0\r\n\r\n";
    counter!("kontor_http_connections_refused_total").increment(1);
    // The client is not waited for.
    let _ = stream.into_std().and_then(|mut stream| stream.write(FULL));
}

/// Serves one connection until it ends or exceeds a limit.
async fn attend(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut to_stop: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::begin());
    let io = TokioIo::new(Watched { stream, activity: activity.clone() });
    let service = TowerToHyperService::new(router);
    let observed = activity.clone();
    let answering = service_fn(move |request: Request<Incoming>| {
        observed.set(Phase::Answering { since: Instant::now(), endless: false });
        let (answer, activity) = (service.call(request), observed.clone());
        async move { answer.await.map(|response| taken(response, activity)) }
    });
    let mut connection =
        pin!(http1::Builder::new().max_buf_size(BUFFER).serve_connection(io, answering));
    let mut ticks = tokio::time::interval(limits.pace());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopped = false;
    loop {
        tokio::select! {
            // Errors of clients, such as a reset or invalid HTTP, are not logged.
            _ = connection.as_mut() => return,
            _ = ticks.tick() => {
                if activity.is_overdue(&limits, Instant::now()) {
                    counter!("kontor_http_connections_cut_total").increment(1);
                    return;
                }
            }
            _ = to_stop.changed(), if !stopped => {
                stopped = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A response body that records when it was written to the connection.
fn taken(response: Response<Body>, activity: Arc<Activity>) -> Response<Answer> {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")) {
        activity.set(Phase::Answering { since: Instant::now(), endless: true });
    }
    response.map(|body| Answer { body, activity })
}

struct Answer {
    body: Body,
    activity: Arc<Activity>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.activity.set(Phase::Idle { since: Instant::now() });
    }
}

/// The state of a connection, and since when.
struct Activity(Mutex<Doing>);

struct Doing {
    phase: Phase,
    /// Since when the client has read nothing.
    unread_since: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Phase {
    /// The head of a request is expected.
    Head { since: Instant },
    /// The next request is waited for.
    Idle { since: Instant },
    /// A request is answered; a live feed may go on for ever.
    Answering { since: Instant, endless: bool },
}

impl Activity {
    fn begin() -> Self {
        let phase = Phase::Head { since: Instant::now() };
        Self(Mutex::new(Doing { phase, unread_since: None }))
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, phase: Phase) {
        self.doing().phase = phase;
    }

    /// Bytes have come in.
    fn heard(&self) {
        let mut doing = self.doing();
        if matches!(doing.phase, Phase::Idle { .. }) {
            doing.phase = Phase::Head { since: Instant::now() };
        }
    }

    /// Bytes were to go out.
    fn written<T>(&self, result: &Poll<T>) {
        let mut doing = self.doing();
        match result {
            Poll::Ready(_) => doing.unread_since = None,
            Poll::Pending => {
                doing.unread_since.get_or_insert_with(Instant::now);
            }
        }
    }

    fn is_overdue(&self, limits: &Limits, now: Instant) -> bool {
        let doing = self.doing();
        let longer = |since: Instant, limit: Duration| now.duration_since(since) > limit;
        doing.unread_since.is_some_and(|since| longer(since, limits.stalled))
            || match doing.phase {
                Phase::Head { since } => longer(since, limits.head),
                Phase::Idle { since } => longer(since, limits.idle),
                Phase::Answering { since, endless } => !endless && longer(since, limits.request),
            }
    }
}

/// A stream that records its reads and writes.
struct Watched {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.heard();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.activity.written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.activity.written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The open connections by address.
#[derive(Default)]
struct Seats(Mutex<HashMap<IpAddr, usize>>);

/// The slot of a connection; dropping it frees the slot.
struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Seats {
    fn by_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, peer: IpAddr, limits: &Limits) -> Option<Seat> {
        let address = network(peer);
        let mut by_address = self.by_address();
        let taken: usize = by_address.values().sum();
        let of_address = by_address.get(&address).copied().unwrap_or(0);
        if taken >= limits.connections || of_address >= limits.per_address {
            return None;
        }
        by_address.insert(address, of_address + 1);
        gauge!("kontor_http_connections").increment(1.0);
        Some(Seat { seats: self.clone(), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut by_address = self.seats.by_address();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
        gauge!("kontor_http_connections").decrement(1.0);
    }
}

/// The unit of the limit per address: the /64 of an IPv6 address, because one client has all of it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);
    /// Long enough for a loaded machine; no test waits for its end.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn limits() -> Limits {
        let long = Duration::from_hours(1);
        Limits { head: long, idle: long, stalled: long, request: long, ..Limits::default() }
    }

    async fn start(limits: Limits) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let endless = || async {
            Body::from_stream(futures::stream::repeat_with(|| {
                Ok::<_, Infallible>(Bytes::from(vec![0; 64 << 10]))
            }))
        };
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/never", get(std::future::pending::<()>))
            .route("/body", post(async |body: Bytes| body))
            .route("/endless", get(endless));
        tokio::spawn(serve(listener, router, limits, std::future::pending()));
        address
    }

    /// Whether the server closes the connection after a client has sent these parts.
    async fn closes(limits: Limits, pieces: &[&str]) -> bool {
        let mut stream = TcpStream::connect(start(limits).await).await.unwrap();
        for piece in pieces {
            if stream.write_all(piece.as_bytes()).await.is_err() {
                return true;
            }
            tokio::time::sleep(SHORT / 4).await;
        }
        let mut rest = Vec::new();
        // A connection closed with unread bytes is reset.
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.is_ok()
    }

    #[tokio::test]
    async fn a_silent_connection_is_closed() {
        assert!(closes(Limits { head: SHORT, ..limits() }, &[]).await);
    }

    #[tokio::test]
    async fn a_head_that_comes_byte_by_byte_is_not_waited_for() {
        let slow = ["G"; 100];
        assert!(closes(Limits { head: SHORT, ..limits() }, &slow).await);
    }

    #[tokio::test]
    async fn a_connection_without_a_next_request_is_closed() {
        let once = ["GET / HTTP/1.1\r\nhost: k\r\n\r\n"];
        assert!(closes(Limits { idle: SHORT, ..limits() }, &once).await);
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let part = ["POST /body HTTP/1.1\r\nhost: k\r\ncontent-length: 9\r\n\r\n", "1"];
        assert!(closes(Limits { request: SHORT, ..limits() }, &part).await);
        let never = ["GET /never HTTP/1.1\r\nhost: k\r\n\r\n"];
        assert!(closes(Limits { request: SHORT, ..limits() }, &never).await);
    }

    /// The response never ends, so only a client that does not read is disconnected.
    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_not_kept() {
        let address = start(Limits { stalled: SHORT, ..limits() }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /endless HTTP/1.1\r\nhost: k\r\n\r\n").await.unwrap();
        tokio::time::sleep(SHORT * 4).await;
        let drained = async {
            let mut piece = vec![0; 1 << 20];
            while stream.read(&mut piece).await.is_ok_and(|count| count > 0) {}
        };
        tokio::time::timeout(PATIENCE, drained).await.unwrap();
    }

    #[tokio::test]
    async fn an_address_has_so_many_connections_and_no_more() {
        let address = start(Limits { per_address: 2, ..limits() }).await;
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(TcpStream::connect(address).await.unwrap());
        }
        let mut answer = String::new();
        let mut refused = TcpStream::connect(address).await.unwrap();
        refused.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        held.clear();
        // The slot is free when the server has seen the end.
        let again = async {
            loop {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let request = b"GET / HTTP/1.1\r\nhost: k\r\nconnection: close\r\n\r\n";
                let mut answer = String::new();
                if stream.write_all(request).await.is_ok()
                    && stream.read_to_string(&mut answer).await.is_ok()
                    && answer.starts_with("HTTP/1.1 200")
                {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, again).await.unwrap();
    }

    #[test]
    fn whoever_has_one_address_of_a_network_has_all_of_it() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
