//! Clients on the same machine: gifts one by one, gifts in bulks, pages.

use crate::app::bench::{BenchError, Books, Pace, ROUNDS};
use crate::clock::Clock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long a round asks.
const ROUND: Duration = Duration::from_millis(1_200);

/// Bulks of a thousand gifts over a few connections, as channels send what they have collected.
pub(super) struct Bulks {
    pub address: SocketAddr,
    pub clock: Clock,
    pub token: &'static str,
    pub number: Arc<AtomicU64>,
}

/// Connections that send bulks, and bulks of each in a round.
const BULK_CONNECTIONS: usize = 4;
const BULKS: usize = 6;

impl Bulks {
    /// Rounds of bulks, and of the same rows appended as fast as the database takes them.
    pub(super) async fn rounds(&self, books: &mut Books) -> Result<(Vec<Pace>, Vec<Pace>), BenchError> {
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

/// What the connections ask for.
#[derive(Clone)]
pub(super) enum Asked {
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

/// Connections that ask one after the other until the time is over.
pub(super) async fn load(
    address: SocketAddr,
    clock: Clock,
    connections: u64,
    asked: Asked,
) -> Result<Pace, BenchError> {
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
    for connection in 0..connections {
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
pub(super) async fn answer(stream: &mut TcpStream) -> Result<(u16, Vec<u8>), BenchError> {
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
