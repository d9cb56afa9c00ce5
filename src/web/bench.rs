//! How fast the service answers over HTTP, with the client on the same cores: against an empty route of the same server, and against
//! the same route where every request is a transaction of its own.

use super::site::{Shared, Site};
use crate::app::bench::{BenchError, Books, Figure, Pace, ROUNDS};
use crate::app::folder::Folder;
use crate::app::token::{self, Scope};
use crate::clock::Clock;
use crate::domain::organisation::Organisation;
use crate::values::Timestamp;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Names of what is measured here.
pub const NAMES: [&str; 2] = ["http_single_64", "http_single_64_vs_naive"];

/// Connections at once.
const CONNECTIONS: u64 = 64;
/// How long a round posts.
const ROUND: Duration = Duration::from_millis(1_200);

/// Measures what was asked for, in a folder of its own.
pub async fn run(path: &Path, only: Option<&str>, clock: Clock) -> Result<Vec<Figure>, BenchError> {
    let wants = |name: &str| only.is_none_or(|only| only == name || name.starts_with(&format!("{only}_")));
    if !NAMES.iter().any(|name| wants(name)) {
        return Ok(Vec::new());
    }
    let folder = Folder::new(path.join("http"));
    let books = Books::make(&folder, clock).await?;
    let token = "mz-bench";
    let opened = folder.open(None).await?;
    let until = Timestamp::from_millis(clock.now().millis() + 86_400_000);
    token::keep(&opened, token, books.maker(), Scope::All, until.unwrap_or(clock.now())).await?;
    let organisation = opened.state("organisation", "", Organisation::from_object).await?;
    let organisation = organisation.ok_or_else(|| BenchError::Wrong("no organisation".into()))?;
    let site: Shared = Arc::new(Site::new(opened, books.handle(), organisation, clock));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = super::router_with(Arc::clone(&site), beside()).into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let number = AtomicU64::new(0);
    let round = |route: &'static str| load(address, clock, route, token, &number);
    let (mut ours, mut echo, mut naive) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        echo.push(round("/bench/echo").await?);
        ours.push(round("/api/v1/donations").await?);
        naive.push(round("/bench/naive").await?);
    }
    server.abort();
    drop(site);
    books.close().await?;
    let mut figures = vec![
        Figure::rates("http_single_64", "gifts/s", &ours, &echo),
        Figure::rates("http_single_64_vs_naive", "gifts/s", &ours, &naive),
    ];
    figures.retain(|figure| wants(figure.name));
    Ok(figures)
}

/// The routes that ours is compared with, behind the same layers.
fn beside() -> Router<Shared> {
    let alone: Arc<Mutex<()>> = Arc::default();
    Router::new().route("/bench/echo", post(|body: axum::Json<serde_json::Value>| async move { body })).route(
        "/bench/naive",
        post(move |site: axum::extract::State<Shared>, caller, headers: HeaderMap, body: Bytes| async move {
            let _turn = alone.lock().await;
            super::api::receive(site, caller, headers, body).await
        }),
    )
}

/// Sixty-four connections that post gifts one after the other until the time is over.
async fn load(
    address: SocketAddr,
    clock: Clock,
    route: &'static str,
    token: &'static str,
    number: &AtomicU64,
) -> Result<Pace, BenchError> {
    let start = clock.elapsed();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let first = number.fetch_add(1_000_000, Ordering::Relaxed);
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut done = 0;
            while clock.elapsed() < start + ROUND {
                let order_no = first + done;
                let body = format!(
                    "{{\"fund\":\"f_bench\",\"amount\":{},\"order_no\":\"{order_no}\",\"account\":\"wallet/wechat\",\"name\":\"张小明\"}}",
                    100 + order_no % 50_000
                );
                let request = format!(
                    "POST {route} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nidempotency-key: {order_no}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(request.as_bytes()).await?;
                let status = answer(&mut stream).await?;
                if status != 200 && status != 201 {
                    return Err(BenchError::Wrong(format!("{route} answered {status}")));
                }
                done += 1;
            }
            Ok::<u64, BenchError>(done)
        }));
    }
    let mut count = 0;
    for client in clients {
        count += client.await.map_err(|error| BenchError::Wrong(error.to_string()))??;
    }
    Ok(Pace { count, time: clock.elapsed().saturating_sub(start) })
}

/// Reads one answer with its body; its status.
async fn answer(stream: &mut TcpStream) -> Result<u16, BenchError> {
    let wrong = || BenchError::Wrong("an answer cannot be read".into());
    let mut seen = Vec::with_capacity(1024);
    let mut buffer = [0; 2048];
    loop {
        let count = stream.read(&mut buffer).await?;
        seen.extend_from_slice(buffer.get(..count).filter(|bytes| !bytes.is_empty()).ok_or_else(wrong)?);
        let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(seen.get(..end).unwrap_or_default()).map_err(|_| wrong())?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).ok_or_else(wrong)?;
        if seen.len() >= end + 4 + length {
            return head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(wrong);
        }
    }
}
