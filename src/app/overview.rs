//! What stands on the first pages: every line with its totals, and the stored states of things.

use super::folder::Opened;
use crate::domain::body::BadBody;
use crate::ledger::canonical::{Object, Value};
use crate::ledger::entry::Entry;
use crate::ledger::line::{Line, State, Totals};
use crate::store::{LedgerRow, StoreError};
use crate::values::{LineName, Span};
use std::collections::BTreeMap;

/// A line and what became of its positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTotals {
    /// The line.
    pub name: LineName,
    /// Free, held, spent, void; they add up to its end.
    pub totals: Totals,
    /// Of what is spent, what went to other funds.
    pub moved_on: u64,
}

impl Opened {
    /// The head as it is now; the one that was opened may have been passed since.
    pub async fn head(&self) -> Result<LedgerRow, StoreError> {
        let found = self.store.ledgers().await?.into_iter().find(|row| row.ledger_id == self.row.ledger_id);
        found.ok_or_else(|| StoreError::Damaged { table: "ledger", what: "its row is gone".into() })
    }

    /// The stored state of a thing.
    pub async fn state<T>(
        &self,
        area: &str,
        id: &str,
        read: impl FnOnce(&Object<'_>) -> Result<T, BadBody>,
    ) -> Result<Option<T>, StoreError> {
        let Some(doc) = self.store.subject(self.row.ledger_id, area, id).await? else { return Ok(None) };
        state(&doc, read).map(Some)
    }

    /// The stored states of an area, by id.
    pub async fn states<T>(
        &self,
        area: &str,
        read: impl Fn(&Object<'_>) -> Result<T, BadBody>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.store.subjects(self.row.ledger_id, area).await?;
        rows.iter().map(|(_, doc)| state(doc, &read)).collect()
    }

    /// Every line with its totals, in the order of first use.
    pub async fn line_totals(&self) -> Result<Vec<LineTotals>, StoreError> {
        let mut found = Vec::new();
        for (line_id, text) in self.store.lines(self.row.ledger_id).await? {
            let damaged = |what: String| StoreError::Damaged { table: "line", what };
            let name = LineName::parse(&text).ok_or_else(|| damaged(text.clone()))?;
            let runs = self.store.runs(self.row.ledger_id, line_id).await?;
            let line = Line::from_rows(name.clone(), runs.into_iter().map(|run| (run.span, run.state)));
            let line = line.ok_or_else(|| damaged(format!("the runs of {text} leave a gap")))?;
            let moved_on = self.moved_on(&line).await?;
            found.push(LineTotals { name, totals: line.totals(), moved_on });
        }
        Ok(found)
    }

    /// How much of a line's spent money went to other funds.
    async fn moved_on(&self, line: &Line) -> Result<u64, StoreError> {
        let mut by_entry: BTreeMap<u64, u64> = BTreeMap::new();
        // What a fee line spends never moves on.
        if line.name().fund.as_str().ends_with(".fee") {
            return Ok(0);
        }
        for (span, state) in line.runs_in(Span { from: 0, to: line.end().max(1) }) {
            if let State::Spent { by } = state {
                *by_entry.entry(by).or_default() += span.length();
            }
        }
        let mut moved = 0;
        for (seq, length) in by_entry {
            let bytes = self.store.entry(self.row.ledger_id, seq).await?;
            let entry = bytes.as_deref().and_then(|bytes| Entry::parse(bytes).ok());
            if entry.is_some_and(|entry| entry.kind == "fund.transferred") {
                moved += length;
            }
        }
        Ok(moved)
    }
}

fn state<T>(doc: &[u8], read: impl FnOnce(&Object<'_>) -> Result<T, BadBody>) -> Result<T, StoreError> {
    let damaged = |what: String| StoreError::Damaged { table: "subject", what };
    let value = Value::parse(doc).map_err(|error| damaged(error.to_string()))?;
    let object = value.as_object().ok_or_else(|| damaged("a state is an object".into()))?;
    read(object).map_err(|error| damaged(error.to_string()))
}
