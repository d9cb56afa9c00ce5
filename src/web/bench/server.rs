//! The same on a PostgreSQL server: against `pgbench` on the same server, against one transaction a request, and with a second node.

use super::load::{Asked, Bulks, load};
use super::{CODE, Fixed, Serving, TOKEN, admit, pages};
use crate::app::bench::{BenchError, Books, Figure, Pace, ROUNDS, ledgers_rounds};
use crate::app::folder::Folder;
use crate::app::writer::{self, ClockTrust};
use crate::clock::Clock;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Names of what is measured here.
pub const NAMES: [&str; 10] = [
    "pg_http_single_64",
    "pg_http_single_256",
    "pg_vs_naive_16",
    "pg_bulk",
    "pg_two_nodes",
    "pg_100_ledgers_two_nodes",
    "pg_page_org",
    "pg_page_gift",
    "pg_trace_span",
    "pg_trace_100k",
];

/// Gifts in the ledger whose pages and traces are measured.
const GROWN: u64 = 100_000;

/// Measures what was asked for, in an empty database and a folder of its own.
pub async fn run(
    folder: &Folder,
    only: Option<&str>,
    clock: Clock,
    say: impl Fn(&str),
) -> Result<Vec<Figure>, BenchError> {
    let wants = |name: &str| only.is_none_or(|only| only == name);
    let mut books = Books::make(folder, clock).await?;
    admit(folder, &books, clock).await?;
    let fixed: Fixed = Arc::default();
    let serving = Serving::start(folder, books.handle(), clock, &fixed).await?;
    let number = Arc::new(AtomicU64::new(0));
    let gifts = |route: &'static str| Asked::Gifts { route, token: TOKEN, number: Arc::clone(&number) };
    let mut figures = Vec::new();
    if wants("pg_http_single_64") || wants("pg_http_single_256") {
        let url = folder.place().url().ok_or_else(|| BenchError::Wrong("there is no server".into()))?;
        let pgbench = Pgbench::prepare(url).await?;
        let (mut few, mut many, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            say(&format!("pgbench and single gifts, round {round}"));
            theirs.push(pgbench.round().await?);
            few.push(load(serving.address, clock, 64, gifts("/api/v1/donations")).await?);
            many.push(load(serving.address, clock, 256, gifts("/api/v1/donations")).await?);
        }
        figures.push(Figure::rates("pg_http_single_64", "gifts/s", &few, &theirs));
        figures.push(Figure::rates("pg_http_single_256", "gifts/s", &many, &theirs));
    }
    if wants("pg_vs_naive_16") {
        let (mut ours, mut naive) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(load(serving.address, clock, 16, gifts("/api/v1/donations")).await?);
            naive.push(load(serving.address, clock, 16, gifts("/bench/naive")).await?);
        }
        figures.push(Figure::rates("pg_vs_naive_16", "gifts/s", &ours, &naive));
    }
    if wants("pg_bulk") {
        say("bulks");
        let bulks = Bulks { address: serving.address, clock, token: TOKEN, number: Arc::clone(&number) };
        let (ours, ceiling) = bulks.rounds(&mut books).await?;
        figures.push(Figure::rates("pg_bulk", "gifts/s", &ours, &ceiling));
    }
    if wants("pg_two_nodes") {
        say("two nodes");
        let other = second_node(folder)?;
        let lock = other.lock().await?;
        let writer = writer::start(other.open(None).await?, lock, clock, ClockTrust::Checked).await?;
        let second = Serving::start(&other, writer, clock, &fixed).await?;
        let (mut both, mut one) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            // The one gets used to being alone again before it is measured.
            load(serving.address, clock, 64, gifts("/api/v1/donations")).await?;
            one.push(load(serving.address, clock, 64, gifts("/api/v1/donations")).await?);
            let (here, there) = tokio::join!(
                load(serving.address, clock, 64, gifts("/api/v1/donations")),
                load(second.address, clock, 64, gifts("/api/v1/donations"))
            );
            let (here, there) = (here?, there?);
            both.push(Pace { count: here.count + there.count, time: here.time.max(there.time) });
        }
        figures.push(Figure::rates("pg_two_nodes", "gifts/s", &both, &one));
    }
    if wants("pg_100_ledgers_two_nodes") {
        say("a hundred ledgers");
        let (two, one) = ledgers_rounds(folder, clock).await?;
        figures.push(Figure::rates("pg_100_ledgers_two_nodes", "gifts/s", &two, &one));
    }
    if ["pg_page_org", "pg_page_gift", "pg_trace_span", "pg_trace_100k"].iter().any(|name| wants(name)) {
        say("growing the ledger to 100,000 entries");
        books.grow(GROWN).await?;
        let org = pages(serving.address, clock, "/zh", &fixed).await?;
        let gift = pages(serving.address, clock, &format!("/zh/gift/{CODE}"), &fixed).await?;
        figures.push(Figure::rates("pg_page_org", "pages/s", &org.0, &org.1));
        figures.push(Figure::rates("pg_page_gift", "pages/s", &gift.0, &gift.1));
        let traces = books.trace_rounds().await?;
        figures.push(Figure::times("pg_trace_span", "ns", &traces.span, &traces.key));
        figures.push(Figure::times("pg_trace_100k", "ns", &traces.whole, &traces.key));
    }
    drop(serving);
    books.close().await?;
    figures.retain(|figure| wants(figure.name));
    Ok(figures)
}

/// A folder of its own with a copy of the keys, on the same database.
fn second_node(folder: &Folder) -> Result<Folder, BenchError> {
    let other = folder.elsewhere(folder.path().join("second"));
    other.make()?;
    for file in std::fs::read_dir(folder.path().join("keys"))? {
        let file = file?;
        std::fs::copy(file.path(), other.path().join("keys").join(file.file_name()))?;
    }
    Ok(other)
}

/// PostgreSQL's own measure: its simple update with sixteen clients.
struct Pgbench {
    program: PathBuf,
    url: String,
}

impl Pgbench {
    const SECONDS: u64 = 3;

    async fn prepare(url: String) -> Result<Self, BenchError> {
        let pgbench = Self { program: program(), url };
        pgbench.run(&["-i", "-q", "-s", "20"]).await?;
        Ok(pgbench)
    }

    async fn round(&self) -> Result<Pace, BenchError> {
        let seconds = Self::SECONDS.to_string();
        let told = self.run(&["-n", "-N", "-M", "simple", "-c", "16", "-j", "2", "-T", &seconds]).await?;
        let rate = told.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate: Option<u64> = rate.and_then(|rate| rate.split('.').next()?.parse().ok());
        let rate = rate.ok_or_else(|| BenchError::Wrong("pgbench does not say how fast it was".into()))?;
        Ok(Pace { count: rate * Self::SECONDS, time: Duration::from_secs(Self::SECONDS) })
    }

    async fn run(&self, arguments: &[&str]) -> Result<String, BenchError> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg(&self.url);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.map_err(|error| BenchError::Wrong(error.to_string()))??;
        if !output.status.success() {
            return Err(BenchError::Wrong(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr))));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The newest that is installed, or the one on the path.
fn program() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin/pgbench")).filter(|path| path.is_file()).max();
    found.unwrap_or_else(|| Path::new("pgbench").to_owned())
}
