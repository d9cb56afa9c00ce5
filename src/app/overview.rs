//! What stands on the first pages: every line with its totals, and the stored states of things.

use super::opened::Opened;
use crate::domain::body::Body;
use crate::domain::fund::Fund;
use crate::ledger::entry::Entry;
use crate::ledger::line::{Line, Totals};
use crate::store::{SpanNumbers, StoreError};
use crate::values::{Amount, LineName};
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

    /// Every line as it stood at a tree size, from its posts alone: one pass over all of them, some seconds for a million.
    pub async fn line_totals_at(&self, size: u64) -> Result<Vec<LineTotals>, StoreError> {
        const PAGE: u32 = 5_000;
        let (mut tallies, mut after) = (BTreeMap::<i64, Tally>::new(), None);
        loop {
            let page = self.store.spans(self.row.ledger_id, after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page.rows() {
                let row = row?;
                after = Some(row);
                let [line, .., seq, _, _, _] = row;
                if u64::try_from(seq).is_ok_and(|seq| seq < size) {
                    tallies.entry(line).or_default().post(row);
                }
            }
        }
        let mut found = Vec::new();
        for (line_id, text) in self.store.lines(self.row.ledger_id).await? {
            let damaged = |what: String| StoreError::Damaged { table: "line", what };
            let Some(tally) = tallies.get(&line_id) else { continue };
            let name = LineName::parse(&text).ok_or_else(|| damaged(text.clone()))?;
            let arrived = |seq: i64| tallies.iter().any(|(other, tally)| *other != line_id && tally.has_in(seq));
            let line =
                tally.totals(name, arrived).ok_or_else(|| damaged(format!("the posts of {text} do not add up")))?;
            found.push(line);
        }
        Ok(found)
    }
}

/// What the posts of one line come to, taken in the order of their key: all ins, then holds, outs, frees and voids.
#[derive(Default)]
struct Tally {
    /// Entries that brought money in, ascending.
    ins: Vec<i64>,
    /// What each entry held.
    holds: BTreeMap<i64, Vec<(i64, i64)>>,
    /// What entries spent, and what of that came free again: the entry that spent it, and how much.
    outs: Vec<(i64, i64)>,
    freed: Vec<(i64, i64)>,
    free: i64,
    held: i64,
    spent: i64,
    void: i64,
}

impl Tally {
    fn post(&mut self, [_, op, from, seq, _, to, of]: SpanNumbers) {
        let length = to - from;
        match op {
            0 => {
                self.free += length;
                self.ins.push(seq);
            }
            1 => {
                self.free -= length;
                self.held += length;
                self.holds.entry(seq).or_default().push((from, to));
            }
            2 => {
                *(if of < 0 { &mut self.free } else { &mut self.held }) -= length;
                self.spent += length;
                self.outs.push((seq, length));
            }
            3 => {
                let was_held =
                    self.holds.get(&of).is_some_and(|held| held.iter().any(|(start, end)| *start < to && from < *end));
                if was_held {
                    self.held -= length;
                } else {
                    self.spent -= length;
                    self.freed.push((of, length));
                }
                self.free += length;
            }
            _ => {
                self.free -= length;
                self.void += length;
            }
        }
    }

    fn has_in(&self, seq: i64) -> bool {
        self.ins.binary_search(&seq).is_ok()
    }

    /// A transfer spends what it did not bring in, and brings it into another line.
    fn totals(&self, name: LineName, arrived: impl Fn(i64) -> bool) -> Option<LineTotals> {
        let moved = |rows: &[(i64, i64)]| -> i64 {
            rows.iter().filter(|(seq, _)| !self.has_in(*seq) && arrived(*seq)).map(|(_, length)| length).sum()
        };
        let count = |n: i64| u64::try_from(n).ok();
        let (free, held, spent, void) = (count(self.free)?, count(self.held)?, count(self.spent)?, count(self.void)?);
        let moved_on = count(moved(&self.outs) - moved(&self.freed))?;
        Some(LineTotals { name, totals: Totals { free, held, spent, void }, moved_on })
    }
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
