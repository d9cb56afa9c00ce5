//! `bench`: how fast this program is, as ratios against a ceiling that is measured in the same run, interleaved, five rounds.

mod books;
mod figures;
mod ledgers;

pub use books::Books;
pub use figures::{Figure, Pace, Spread};
pub use ledgers::ledgers_rounds;

use super::folder::{Folder, OpenError};
use super::writer::WriteError;
use crate::clock::Clock;
use crate::store::StoreError;
use std::path::Path;

/// Rounds of each measurement; its figures are the least, the median and the greatest of them.
pub const ROUNDS: usize = 5;

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Opening.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A command of the bench was refused.
    #[error("a command of the bench was refused: {0}")]
    Refused(#[from] crate::domain::refusal::Refusal),
    /// Something did not come out as it must.
    #[error("{0}")]
    Wrong(String),
    /// Reading or writing a file of the bench.
    #[error("a file of the bench failed: {0}")]
    File(#[from] std::io::Error),
}

/// All names that can be measured, in order.
pub const NAMES: [&str; 12] = [
    "append_bulk",
    "append_bulk_flat",
    "verify_1m",
    "verify_1m_2",
    "verify_1m_2_vs_hash",
    "proof_1m",
    "trace_span",
    "trace_1m",
    "trace_1m_growth",
    "import_100k",
    "report_1p",
    "report_5000",
];

/// Measures what was asked for (all where nothing was), in a folder of its own, which is removed afterwards.
pub async fn run(
    path: &Path,
    only: Option<&str>,
    clock: Clock,
    mut say: impl FnMut(&str),
) -> Result<Vec<Figure>, BenchError> {
    let wants = |name: &str| only.is_none_or(|only| only == name || name.starts_with(&format!("{only}_")));
    let mut figures = Vec::new();
    if NAMES.iter().take(9).any(|name| wants(name)) {
        let folder = Folder::new(path.join("books"));
        let mut books = Books::make(&folder, clock).await?;
        say("growing a ledger to 100,000 entries");
        books.grow(100_000).await?;
        let trace_early = books.trace_rounds().await?;
        let append =
            if only.is_none_or(|only| only.starts_with("append")) { Some(books.append_rounds().await?) } else { None };
        say("growing it to 1,000,000");
        books.grow(1_000_000).await?;
        if let Some((early_ours, _)) = append {
            let (ours, ceiling) = books.append_rounds().await?;
            figures.push(Figure::rates("append_bulk", "gifts/s", &ours, &ceiling));
            figures.push(Figure::rates("append_bulk_flat", "gifts/s", &ours, &early_ours));
        }
        let late = books.trace_rounds().await?;
        figures.push(Figure::times("proof_1m", "ns", &late.proof, &late.key));
        figures.push(Figure::times("trace_span", "ns", &late.span, &late.key));
        figures.push(Figure::times("trace_1m", "ns", &late.whole, &late.key));
        figures.push(Figure::times("trace_1m_growth", "ns", &late.whole, &trace_early.whole));
        if wants("verify_1m") {
            say("verifying a million entries, five times");
            let (ours, ceiling) = books.verify_rounds().await?;
            figures.push(Figure::rates("verify_1m", "entries/s", &ours, &ceiling));
            say("verifying them on one core and on two, five times");
            match books.verify_on_cores().await? {
                Some((two, one)) => {
                    figures.push(Figure::rates("verify_1m_2", "entries/s", &two, &one));
                    figures.push(Figure::rates("verify_1m_2_vs_hash", "entries/s", &two, &ceiling));
                }
                None => say("not measured: taskset, or two cores"),
            }
        }
        books.close().await?;
    }
    if wants("import_100k") {
        say("importing 100,000 gifts, five times");
        let mut books = Books::make(&Folder::new(path.join("import")), clock).await?;
        let (ours, ceiling) = books.import_rounds().await?;
        figures.push(Figure::rates("import_100k", "gifts/s", &ours, &ceiling));
        books.close().await?;
    }
    for (name, payments, each) in [("report_1p", 1, 20), ("report_5000", 5_000, 1)] {
        if wants(name) {
            say(name);
            let mut books = Books::make(&Folder::new(path.join(name)), clock).await?;
            books.grow(1_000).await?;
            for batch in (0..payments).step_by(500) {
                books.pay(500.min(payments - batch), 2_000).await?;
            }
            let (ours, yardstick) = books.report_rounds(each).await?;
            figures.push(Figure::times(name, "cpu ns", &ours, &yardstick));
            books.close().await?;
        }
    }
    figures.retain(|figure| wants(figure.name));
    Ok(figures)
}
