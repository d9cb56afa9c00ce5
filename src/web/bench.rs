//! How fast the service answers over HTTP, with the client on the same cores: against an empty route of the same server, and against
//! the same route where every request is a transaction of its own.

use super::limit::Limiter;
use super::site::{Shared, Site};
use crate::app::bench::{BenchError, Books, Figure, Pace, ROUNDS};
use crate::app::folder::Folder;
use crate::app::token::{self, Scope};
use crate::app::writer::ClockTrust;
use crate::clock::Clock;
use crate::values::Timestamp;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Names of what is measured here.
pub const NAMES: [&str; 8] = [
    "http_single_64",
    "http_single_64_vs_naive",
    "http_bulk",
    "http_bulk_flat",
    "page_org",
    "page_org_growth",
    "page_gift",
    "page_gift_growth",
];

/// Connections at once.
const CONNECTIONS: u64 = 64;
/// How long a round posts.
const ROUND: Duration = Duration::from_millis(1_200);

/// Measures what was asked for, in a folder of its own.
pub async fn run(path: &Path, only: Option<&str>, clock: Clock, say: impl Fn(&str)) -> Result<Vec<Figure>, BenchError> {
    let wants = |name: &str| only.is_none_or(|only| only == name || name.starts_with(&format!("{only}_")));
    if !NAMES.iter().any(|name| wants(name)) {
        return Ok(Vec::new());
    }
    let folder = Folder::new(path.join("http"));
    let mut books = Books::make(&folder, clock).await?;
    let token = "mz-bench";
    let opened = folder.open(None).await?;
    let until = Timestamp::from_millis(clock.now().millis() + 86_400_000);
    token::keep(&opened, token, books.maker(), Scope::All, until.unwrap_or(clock.now())).await?;
    let code = "0000-0000-0000-0000-0000-0000-0000";
    let hash = opened.keys.vault.code_hash(code);
    opened.store.put_code(opened.row.ledger_id, "receipt", hash, "100").await?;
    let mut site = Site::open(opened, clock, ClockTrust::Checked).await?.with_writer(books.handle());
    site.lookups = Limiter::new(u32::MAX, Duration::from_secs(60));
    site.calls = Limiter::new(u32::MAX, Duration::from_secs(60));
    let site: Shared = Arc::new(site);
    let fixed: Fixed = Arc::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = super::router_with(Arc::clone(&site), beside(Arc::clone(&fixed)));
    let server = tokio::spawn(super::listen::serve(listener, app, std::future::pending()));

    let mut figures = Vec::new();
    let number = Arc::new(AtomicU64::new(0));
    let bulks = Bulks { address, clock, token, number: Arc::clone(&number) };
    if wants("http_bulk") {
        books.grow(100_000).await?;
        let (early, _) = bulks.rounds(&mut books).await?;
        say("growing the served ledger to 1,000,000");
        books.grow(1_000_000).await?;
        let (late, ceiling) = bulks.rounds(&mut books).await?;
        figures.push(Figure::rates("http_bulk", "gifts/s", &late, &ceiling));
        figures.push(Figure::rates("http_bulk_flat", "gifts/s", &late, &early));
    }
    if wants("page_org") || wants("page_gift") {
        let (org, gift) = ("/zh".to_owned(), format!("/zh/gift/{code}"));
        books.grow(10_000).await?;
        let early = (pages(address, clock, &org, &fixed).await?, pages(address, clock, &gift, &fixed).await?);
        say("growing the served ledger to 1,000,000");
        books.grow(1_000_000).await?;
        let late = (pages(address, clock, &org, &fixed).await?, pages(address, clock, &gift, &fixed).await?);
        figures.push(Figure::rates("page_org", "pages/s", &late.0.0, &late.0.1));
        figures.push(Figure::times("page_org_growth", "ns", &late.0.0, &early.0.0));
        figures.push(Figure::rates("page_gift", "pages/s", &late.1.0, &late.1.1));
        figures.push(Figure::times("page_gift_growth", "ns", &late.1.0, &early.1.0));
    }
    if wants("http_single_64") || wants("http_single_64_vs_naive") {
        let round =
            |route: &'static str| load(address, clock, Asked::Gifts { route, token, number: Arc::clone(&number) });
        let (mut ours, mut echo, mut naive) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            echo.push(round("/bench/echo").await?);
            ours.push(round("/api/v1/donations").await?);
            naive.push(round("/bench/naive").await?);
        }
        figures.push(Figure::rates("http_single_64", "gifts/s", &ours, &echo));
        figures.push(Figure::rates("http_single_64_vs_naive", "gifts/s", &ours, &naive));
    }
    server.abort();
    drop(site);
    books.close().await?;
    figures.retain(|figure| wants(figure.name));
    Ok(figures)
}

/// Bulks of a thousand gifts over a few connections, as channels send what they have collected.
struct Bulks {
    address: SocketAddr,
    clock: Clock,
    token: &'static str,
    number: Arc<AtomicU64>,
}

/// Connections that send bulks, and bulks of each in a round.
const BULK_CONNECTIONS: usize = 4;
const BULKS: usize = 6;

impl Bulks {
    /// Rounds of bulks, and of the same rows appended as fast as the database takes them.
    async fn rounds(&self, books: &mut Books) -> Result<(Vec<Pace>, Vec<Pace>), BenchError> {
        books.fill_ceiling().await?;
        let (mut ours, mut ceiling) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let requests: Vec<Vec<String>> =
                (0..BULK_CONNECTIONS).map(|_| (0..BULKS).map(|_| self.request()).collect()).collect();
            let start = self.clock.elapsed();
            let mut clients = JoinSet::new();
            for requests in requests {
                let address = self.address;
                clients.spawn(async move {
                    let mut stream = TcpStream::connect(address).await?;
                    for request in requests {
                        stream.write_all(request.as_bytes()).await?;
                        let (status, body) = answer(&mut stream).await?;
                        if status != 200 || body.windows(7).any(|part| part == b"problem") {
                            return Err(BenchError::Wrong(format!("a bulk answered {status}")));
                        }
                    }
                    Ok::<(), BenchError>(())
                });
            }
            while let Some(done) = clients.join_next().await {
                done.map_err(|error| BenchError::Wrong(error.to_string()))??;
            }
            let count = u64::try_from(BULK_CONNECTIONS * BULKS * 1_000).expect("small");
            ours.push(Pace { count, time: self.clock.elapsed().saturating_sub(start) });
            ceiling.push(books.ceiling_round().await?);
        }
        Ok((ours, ceiling))
    }

    fn request(&self) -> String {
        let mut body = String::new();
        for _ in 0..1_000 {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let minor = 100 + number % 50_000;
            body.push_str(&format!(
                "{{\"fund\":\"f_bench\",\"amount\":{minor},\"order_no\":\"b{number}\",\"account\":\"wallet/wechat\",\"name\":\"张小明\",\"key\":\"b{number}\"}}\n"
            ));
        }
        let (token, length) = (self.token, body.len());
        format!(
            "POST /api/v1/donations/bulk HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }
}

/// The bytes of the static answer that a page is compared with.
type Fixed = Arc<std::sync::RwLock<Bytes>>;

/// Rounds of a page, and of a static answer of the same bytes.
async fn pages(
    address: SocketAddr,
    clock: Clock,
    path: &str,
    fixed: &Fixed,
) -> Result<(Vec<Pace>, Vec<Pace>), BenchError> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await?;
    let (status, body) = answer(&mut stream).await?;
    if status != 200 {
        return Err(BenchError::Wrong(format!("{path} answered {status}")));
    }
    *fixed.write().unwrap_or_else(std::sync::PoisonError::into_inner) = body.into();
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        plain.push(load(address, clock, Asked::Page("/bench/static".into())).await?);
        ours.push(load(address, clock, Asked::Page(path.into())).await?);
    }
    Ok((ours, plain))
}

/// The routes that ours is compared with, behind the same layers.
fn beside(fixed: Fixed) -> Router<Shared> {
    let alone: Arc<Mutex<()>> = Arc::default();
    let one_at_a_time = move |request: Request, next: Next| {
        let alone = Arc::clone(&alone);
        async move {
            let _turn = alone.lock().await;
            next.run(request).await
        }
    };
    let plain = move || {
        let bytes = fixed.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        async move { ([(CONTENT_TYPE, "text/html; charset=utf-8")], bytes) }
    };
    Router::new()
        .route("/bench/static", get(plain))
        .route("/bench/echo", post(|body: axum::Json<serde_json::Value>| async move { body }))
        .route("/bench/naive", super::api::one_gift().layer(axum::middleware::from_fn(one_at_a_time)))
}

/// What the connections ask for.
#[derive(Clone)]
enum Asked {
    /// A page.
    Page(Arc<str>),
    /// That gifts be recorded, each with a number of its own.
    Gifts { route: &'static str, token: &'static str, number: Arc<AtomicU64> },
}

impl Asked {
    fn request(&self, first: u64, done: u64) -> String {
        match self {
            Self::Page(path) => format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"),
            Self::Gifts { route, token, .. } => {
                let order_no = first + done;
                let minor = 100 + order_no % 50_000;
                let body = format!(
                    "{{\"fund\":\"f_bench\",\"amount\":{minor},\"order_no\":\"{order_no}\",\"account\":\"wallet/wechat\",\"name\":\"张小明\"}}"
                );
                let length = body.len();
                format!(
                    "POST {route} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nidempotency-key: {order_no}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
                )
            }
        }
    }
}

/// Sixty-four connections that ask one after the other until the time is over.
async fn load(address: SocketAddr, clock: Clock, asked: Asked) -> Result<Pace, BenchError> {
    let start = clock.elapsed();
    let client = |asked: Asked, first: u64| async move {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut done = 0;
        while clock.elapsed() < start + ROUND {
            stream.write_all(asked.request(first, done).as_bytes()).await?;
            let (status, _) = answer(&mut stream).await?;
            if status != 200 && status != 201 {
                return Err(BenchError::Wrong(format!("an answer of {status}")));
            }
            done += 1;
        }
        Ok::<u64, BenchError>(done)
    };
    let mut clients = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let first = match &asked {
            Asked::Page(_) => connection,
            Asked::Gifts { number, .. } => number.fetch_add(1_000_000, Ordering::Relaxed),
        };
        clients.spawn(client(asked.clone(), first));
    }
    let mut count = 0;
    while let Some(done) = clients.join_next().await {
        count += done.map_err(|error| BenchError::Wrong(error.to_string()))??;
    }
    Ok(Pace { count, time: clock.elapsed().saturating_sub(start) })
}

/// Reads one answer: its status and its body.
async fn answer(stream: &mut TcpStream) -> Result<(u16, Vec<u8>), BenchError> {
    let wrong = || BenchError::Wrong("an answer cannot be read".into());
    let mut seen = Vec::with_capacity(1024);
    let mut buffer = [0; 16 << 10];
    loop {
        let count = stream.read(&mut buffer).await?;
        seen.extend_from_slice(buffer.get(..count).filter(|bytes| !bytes.is_empty()).ok_or_else(wrong)?);
        let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(seen.get(..end).unwrap_or_default()).map_err(|_| wrong())?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).ok_or_else(wrong)?;
        if seen.len() >= end + 4 + length {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(wrong)?;
            return Ok((status, seen.split_off(end + 4)));
        }
    }
}
