//! What stands on the first pages: every line with its totals, and the stored states of things.

use super::folder::Opened;
use crate::domain::body::{BadBody, Body};
use crate::domain::fund::Fund;
use crate::ledger::canonical::{Object, Value};
use crate::ledger::entry::Entry;
use crate::ledger::line::{Line, Totals};
use crate::store::{LedgerRow, StoreError};
use crate::values::{Amount, LineName};

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

    /// Every line with its totals, and the tree size that all of them are of. Read anew where an entry came in between; `None` where
    /// entries come faster than lines can be read.
    pub async fn totals_at_one_size(&self) -> Result<Option<(u64, Vec<LineTotals>)>, StoreError> {
        const TRIES: usize = 20;
        for _ in 0..TRIES {
            let before = self.head().await?.size;
            let totals = self.line_totals().await?;
            if self.head().await?.size == before {
                return Ok(Some((before, totals)));
            }
        }
        Ok(None)
    }

    /// Every line with its totals, in the order of first use.
    pub async fn line_totals(&self) -> Result<Vec<LineTotals>, StoreError> {
        let funds = self.states("fund", Fund::from_object).await?;
        let mut found = Vec::new();
        for (line_id, text) in self.store.lines(self.row.ledger_id).await? {
            let damaged = |what: String| StoreError::Damaged { table: "line", what };
            let name = LineName::parse(&text).ok_or_else(|| damaged(text.clone()))?;
            let runs = self.store.runs(self.row.ledger_id, line_id).await?;
            let line = Line::from_rows(name.clone(), runs.into_iter().map(|run| (run.span, run.state)));
            let line = line.ok_or_else(|| damaged(format!("the runs of {text} leave a gap")))?;
            let fund = funds.iter().find(|fund| fund.fund == name.fund);
            let moved_on = fund.and_then(|fund| u64::try_from(fund.moved.of(name.unit)).ok()).unwrap_or(0);
            found.push(LineTotals { name, totals: line.totals(), moved_on });
        }
        Ok(found)
    }
}

fn state<T>(doc: &[u8], read: impl FnOnce(&Object<'_>) -> Result<T, BadBody>) -> Result<T, StoreError> {
    let damaged = |what: String| StoreError::Damaged { table: "subject", what };
    let value = Value::parse(doc).map_err(|error| damaged(error.to_string()))?;
    let object = value.as_object().ok_or_else(|| damaged("a state is an object".into()))?;
    read(object).map_err(|error| damaged(error.to_string()))
}

/// The amount that an entry states, or that it moved: the sum of its first kind of post.
pub fn moved_by(entry: &Entry<'_>) -> Option<Amount> {
    if let Ok(amount) = Body(&entry.body).amount("amount") {
        return Some(amount);
    }
    let first = entry.post.first()?;
    let unit = LineName::parse(&first.line)?.unit;
    let same = entry.post.iter().filter(|post| post.op == first.op);
    Amount::new(same.map(|post| post.to - post.from).sum(), unit).ok()
}
