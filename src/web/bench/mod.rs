//! How fast the service answers over HTTP, with the client on the same cores: against an empty route of the same server, and against
//! the same route where every request is a transaction of its own.

mod load;
mod server;

pub use server::{NAMES as SERVER_NAMES, run as run_on_server};

use super::limit::Limiter;
use super::site::{Shared, Site};
use crate::app::bench::{BenchError, Books, Figure, Pace, ROUNDS};
use crate::app::folder::Folder;
use crate::app::token::{self, Scope};
use crate::app::writer::{ClockTrust, Handle};
use crate::clock::Clock;
use crate::values::Timestamp;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::routing::{get, post};
use load::{Asked, Bulks, answer, load};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

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

/// What the clients show, and the code of the gift whose page they ask for.
const TOKEN: &str = "mz-bench";
const CODE: &str = "0000-0000-0000-0000-0000-0000-0000";

/// A ledger that is being served, until this is dropped.
struct Serving {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    /// On a free port, without the limits that a single client would meet.
    async fn start(folder: &Folder, writer: Handle, clock: Clock, fixed: &Fixed) -> Result<Self, BenchError> {
        let opened = folder.open(None).await?;
        let mut site = Site::open(opened, clock, ClockTrust::Checked).await?.with_writer(writer);
        site.lookups = Limiter::new(u32::MAX, Duration::from_secs(60));
        site.calls = Limiter::new(u32::MAX, Duration::from_secs(60));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let app = super::router_with(Arc::new(site), beside(Arc::clone(fixed)));
        let task = tokio::spawn(super::listen::serve(listener, app, std::future::pending()));
        Ok(Self { address, task })
    }
}

/// Makes the token and the code that the clients show.
async fn admit(folder: &Folder, books: &Books, clock: Clock) -> Result<(), BenchError> {
    let opened = folder.open(None).await?;
    let until = Timestamp::from_millis(clock.now().millis() + 86_400_000);
    token::keep(&opened, TOKEN, books.maker(), Scope::All, until.unwrap_or(clock.now())).await?;
    let hash = opened.keys.vault.code_hash(CODE);
    Ok(crate::app::code::keep(&opened, "receipt", hash, "100").await?)
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Measures what was asked for, in a folder of its own.
pub async fn run(path: &Path, only: Option<&str>, clock: Clock, say: impl Fn(&str)) -> Result<Vec<Figure>, BenchError> {
    let wants = |name: &str| only.is_none_or(|only| only == name || name.starts_with(&format!("{only}_")));
    if !NAMES.iter().any(|name| wants(name)) {
        return Ok(Vec::new());
    }
    let folder = Folder::new(path.join("http"));
    let mut books = Books::make(&folder, clock).await?;
    let fixed: Fixed = Arc::default();
    admit(&folder, &books, clock).await?;
    let serving = Serving::start(&folder, books.handle(), clock, &fixed).await?;
    let address = serving.address;

    let mut figures = Vec::new();
    let number = Arc::new(AtomicU64::new(0));
    let bulks = Bulks { address, clock, token: TOKEN, number: Arc::clone(&number) };
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
        let (org, gift) = ("/zh".to_owned(), format!("/zh/gift/{CODE}"));
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
        let round = |route: &'static str| {
            load(address, clock, CONNECTIONS, Asked::Gifts { route, token: TOKEN, number: Arc::clone(&number) })
        };
        let (mut ours, mut echo, mut naive) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            echo.push(round("/bench/echo").await?);
            ours.push(round("/api/v1/donations").await?);
            naive.push(round("/bench/naive").await?);
        }
        figures.push(Figure::rates("http_single_64", "gifts/s", &ours, &echo));
        figures.push(Figure::rates("http_single_64_vs_naive", "gifts/s", &ours, &naive));
    }
    drop(serving);
    books.close().await?;
    figures.retain(|figure| wants(figure.name));
    Ok(figures)
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
        plain.push(load(address, clock, CONNECTIONS, Asked::Page("/bench/static".into())).await?);
        ours.push(load(address, clock, CONNECTIONS, Asked::Page(path.into())).await?);
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
