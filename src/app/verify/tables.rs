//! The tables that are derived from entries, held against the replay of the entries.

use super::PAGE;
use crate::app::rebuild::Replay;
use crate::app::writer::span_rows;
use crate::ledger::entry::Entry;
use crate::ledger::verify::FirstBad;
use crate::store::{SpanNumbers, Store, StoreError};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// Posts read in one go.
const SPANS: u32 = 4_000;

/// Compares lines, posts, runs and states with the replay.
pub(super) async fn fault(
    store: &Store,
    ledger_id: i64,
    replay: &Replay,
    drawn: &RandomState,
    (expected, found): (SpanSum, Result<SpanSum, StoreError>),
) -> Result<Option<FirstBad>, StoreError> {
    let bad = |seq: u64, reason: String| Ok(Some(FirstBad { seq, reason }));
    let size = replay.verifier.head().size();
    let last = size.saturating_sub(1);
    let (early, strays, states) = store.strays(ledger_id, size).await?;
    if early > 0 {
        return bad(0, "a row stands before it in the table of entries".into());
    }
    if store.lines(ledger_id).await? != replay.line_rows() {
        return bad(last, "the table of lines is not what the entries say".into());
    }
    let found = match found {
        Ok(found) => found,
        Err(error @ StoreError::Damaged { .. }) => return bad(last, error.to_string()),
        Err(error) => return Err(error),
    };
    if found != expected {
        let seq = first_differing_span(store, ledger_id, replay, drawn).await?;
        return bad(seq, "its posts stand otherwise in the table of spans: that table was changed".into());
    }
    for (line_id, name) in replay.line_rows() {
        let line = replay.verifier.book().line(&name).expect("the row was made from the book");
        let stored = store.runs(ledger_id, line_id).await?;
        let expected = Replay::run_rows(line_id, line);
        if stored != expected {
            let differing = stored
                .iter()
                .find(|row| !expected.contains(row))
                .or_else(|| expected.iter().find(|row| !stored.contains(row)));
            let by = differing.and_then(|row| u64::try_from(row.numbers().1).ok()).unwrap_or(last);
            return bad(
                by.min(last),
                format!("the runs of line {name} are not what the entries say: that table was changed"),
            );
        }
    }
    let expected = replay.subject_rows();
    let mut areas: Vec<&str> = expected.iter().map(|row| row.area).collect();
    areas.dedup();
    for area in areas {
        let stored = store.subjects(ledger_id, area).await?;
        let wanted: Vec<(String, Vec<u8>)> =
            expected.iter().filter(|row| row.area == area).map(|row| (row.id.clone(), row.doc.clone())).collect();
        if stored != wanted {
            return bad(
                last,
                format!("the stored state of a {area} is not what the entries say: that table was changed"),
            );
        }
    }
    if strays > 0 {
        return bad(last, "the database holds rows that no entry has written".into());
    }
    if i64::try_from(expected.len()) != Ok(states) {
        return bad(last, "the table of states holds rows that no entry has written".into());
    }
    Ok(None)
}

/// Walks over the table of posts.
pub(super) async fn each_post(
    store: &Store,
    ledger_id: i64,
    mut seen: impl FnMut(&SpanNumbers),
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = store.spans(ledger_id, after, SPANS).await?;
        if page.is_empty() {
            return Ok(());
        }
        for row in page.rows() {
            let row = row?;
            seen(&row);
            after = Some(row);
        }
    }
}

/// The lowest entry of which a post is missing, added or changed in the table. Slow, and asked for only when something differs.
async fn first_differing_span(
    store: &Store,
    ledger_id: i64,
    replay: &Replay,
    drawn: &RandomState,
) -> Result<u64, StoreError> {
    let mut by_entry: BTreeMap<i64, SpanSum> = BTreeMap::new();
    each_post(store, ledger_id, |row| {
        let [_, _, _, seq, ..] = *row;
        by_entry.entry(seq).or_default().add(drawn, row);
    })
    .await?;
    let size = replay.verifier.head().size();
    let mut from = 0;
    while from < size {
        for stored in store.entries(ledger_id, from, PAGE).await? {
            let mut expected = SpanSum::default();
            if let Ok(entry) = Entry::parse(&stored.bytes) {
                let rows = span_rows(&entry, |name| replay.line_id(name).unwrap_or(-1));
                rows.iter().for_each(|row| expected.add(drawn, &row.numbers()));
            }
            if i64::try_from(from).ok().and_then(|from| by_entry.get(&from)).copied().unwrap_or_default() != expected {
                return Ok(from);
            }
            from += 1;
        }
    }
    Ok(size.saturating_sub(1))
}

/// A sum over rows that does not depend on their order: equal sums mean equal rows, since nobody can prepare rows for keys that are
/// drawn anew in each run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SpanSum {
    count: u64,
    sum: u64,
}

impl SpanSum {
    pub(super) fn add(&mut self, drawn: &RandomState, row: &SpanNumbers) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(drawn.hash_one(row));
    }
}
