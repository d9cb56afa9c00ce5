//! Replay: from entries to everything that is derived from them. `rebuild` writes it anew and says what differed.

use super::folder::{Folder, OpenError};
use super::writer::{span_rows, subject_row};
use crate::domain::decide::project;
use crate::domain::terms;
use crate::domain::working_set::{Area, WorkingSet};
use crate::ledger::entry::Entry;
use crate::ledger::line::Line;
use crate::ledger::verify::{FirstBad, Verifier, read};
use crate::store::{Projection, RunRow, SpanRow, Store, StoreError, SubjectRow};
use crate::values::Hash;

/// What is wrong with a gift that says another amount than its posts.
pub(super) const AMOUNT: &str = "the gift says another amount than it brings in";

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    /// Bytes, chain, tree, posts and cash.
    pub verifier: Verifier,
    set: WorkingSet,
}

impl Replay {
    /// Starts before entry 0 of the log with this origin.
    pub fn new(origin: &str) -> Self {
        Self { verifier: Verifier::new(origin), set: WorkingSet::default() }
    }

    /// Follows the next entry; `seen` is handed the rows of its posts.
    pub fn push(&mut self, bytes: &[u8], seen: impl FnOnce(&[SpanRow])) -> Result<Hash, FirstBad> {
        let seq = self.verifier.head().size();
        let (entry, leaf) = read(bytes).map_err(|error| FirstBad::unread(seq, &error))?;
        self.follow(&entry, leaf, seen)?;
        Ok(leaf)
    }

    /// The same for an entry that has been read already.
    pub fn follow(&mut self, entry: &Entry<'_>, leaf: Hash, seen: impl FnOnce(&[SpanRow])) -> Result<(), FirstBad> {
        let seq = self.verifier.head().size();
        self.verifier.follow(entry, leaf)?;
        if !terms::says_what_it_brings(entry) {
            return Err(FirstBad { seq, reason: AMOUNT.into() });
        }
        // Lines are numbered in order of first use, as the book keeps them.
        let rows = span_rows(entry, |name| self.line_id(name).expect("the book has accepted this line"));
        project(&mut self.set, entry).map_err(|error| FirstBad { seq, reason: format!("{}: {error}", entry.kind) })?;
        seen(&rows);
        Ok(())
    }

    /// Number of a line.
    pub fn line_id(&self, name: &str) -> Option<i64> {
        self.verifier.book().place(name).map(|place| i64::try_from(place).expect("few lines"))
    }

    /// States that the entries leave behind.
    pub const fn set(&self) -> &WorkingSet {
        &self.set
    }

    /// The rows of the table of lines.
    pub fn line_rows(&self) -> Vec<(i64, String)> {
        let lines = self.verifier.book().lines().iter();
        (0..).zip(lines).map(|(id, line)| (id, line.name().to_string())).collect()
    }

    /// The rows of a line's runs.
    pub fn run_rows(line_id: i64, line: &Line) -> Vec<RunRow> {
        line.runs().map(|(span, state)| RunRow { line_id, span, state }).collect()
    }

    /// The rows of all states, by area and id.
    pub fn subject_rows(&self) -> Vec<SubjectRow> {
        let set = &self.set;
        let mut rows = Vec::new();
        for (area, ids) in [
            (Area::Account, set.accounts.keys().collect::<Vec<_>>()),
            (Area::Campaign, set.campaigns.keys().collect()),
            (Area::Case, set.cases.keys().collect()),
            (Area::Disbursement, set.disbursements.keys().collect()),
            (Area::Fund, set.funds.keys().collect()),
            (Area::Organisation, set.organisation.keys().collect()),
            (Area::Report, set.reports.keys().collect()),
            (Area::Reversal, set.reversals.keys().collect()),
            (Area::Certificate, set.certificates.keys().collect()),
            (Area::Series, set.series.keys().collect()),
        ] {
            rows.extend(ids.into_iter().filter_map(|id| subject_row(set, area, id)));
        }
        rows
    }
}

/// What `rebuild` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Entries replayed.
    pub entries: u64,
    /// The stored projection was other than what the entries say.
    pub differed: Option<FirstBad>,
}

/// Replays all entries, compares with what is stored, and writes what the entries say. Entries are never touched.
pub async fn rebuild(folder: &Folder, slug: Option<&str>) -> Result<Result<Rebuilt, FirstBad>, OpenError> {
    let _lock = folder.lock().await?;
    let opened = folder.open(slug).await?;
    let row = &opened.row;
    let verdict = super::verify::check(&opened.store, row, None, &mut |_, _| ()).await?;
    let (mut replay, mut projection) = (Replay::new(&row.origin), Projection::default());
    if let Err(first_bad) = replay_all(&opened.store, row.ledger_id, &mut replay, &mut projection.spans).await? {
        return Ok(Err(first_bad));
    }
    projection.lines = replay.line_rows();
    for (line_id, line) in (0..).zip(replay.verifier.book().lines()) {
        projection.runs.extend(Replay::run_rows(line_id, line));
    }
    projection.subjects = replay.subject_rows();
    opened.store.replace_projection(row.ledger_id, &projection).await?;
    Ok(Ok(Rebuilt { entries: replay.verifier.head().size(), differed: verdict.first_bad }))
}

async fn replay_all(
    store: &Store,
    ledger_id: i64,
    replay: &mut Replay,
    spans: &mut Vec<SpanRow>,
) -> Result<Result<(), FirstBad>, StoreError> {
    loop {
        let page = store.entries(ledger_id, replay.verifier.head().size(), 2_000).await?;
        if page.is_empty() {
            return Ok(Ok(()));
        }
        for stored in page {
            if let Err(first_bad) = replay.push(&stored.bytes, |rows| spans.extend_from_slice(rows)) {
                return Ok(Err(first_bad));
            }
        }
    }
}
