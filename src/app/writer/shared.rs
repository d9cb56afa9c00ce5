//! A ledger that several nodes write. A node that has been alone decides a batch first and commits it on the head that it was decided
//! on, in one round trip. Where another node was faster, nothing of the batch is there: it is decided anew, and from then on the ledger
//! is held while a batch is decided, until the node has been alone for a while.

use super::{Waiting, WriteError, Writer, posted};
use crate::app::folder::{self, OpenError};
use crate::domain::decide;
use crate::domain::working_set::{Area, WorkingSet};
use crate::ledger::chain::leaf_hash;
use crate::ledger::entry::Entry;
use crate::ledger::posting::{Book, CashRule};
use crate::store::{EntryKeys, Held, LogRow, StoreError};
use crate::values::{Hash, LineName};

/// After so many batches that met nobody else, a node takes it that it is alone again.
const ALONE: u32 = 32;

/// Entries read in one go.
const PAGE: u32 = 1_000;

/// How a node comes to write.
#[derive(Debug, Default)]
pub(super) struct Turn {
    contended: bool,
    alone: u32,
}

impl Turn {
    /// Whether the ledger is to be held while a batch is decided.
    pub(super) const fn is_held(&self) -> bool {
        self.contended
    }

    /// Another node was faster.
    pub(super) const fn lost(&mut self) {
        (self.contended, self.alone) = (true, 0);
    }

    const fn held(&mut self, moved: bool) {
        self.alone = if moved { 0 } else { self.alone + 1 };
        self.contended = self.alone < ALONE;
    }
}

impl Writer {
    /// Whether other nodes may write too.
    pub(super) const fn is_shared(&self) -> bool {
        self.opened.folder.place().is_shared() && self.rehearsed.is_none()
    }

    /// Holds the ledger, and reads what others have written since this node last looked.
    pub(super) async fn hold(&mut self) -> Result<Held, WriteError> {
        let held = self.store().hold(self.ledger_id(), self.head.size(), PAGE).await?;
        let moved = held.row().size != self.head.size() || held.row().last != self.head.last;
        self.turn.held(moved);
        if self.stale || (moved && self.catch_up(&held).await.is_err()) {
            self.reload().await?;
        }
        Ok(held)
    }

    /// Whether others have written what these answers do not know of. Only a refusal may be wrong for it: what was posted is posted on
    /// the head, and what a key stands for is so for good.
    pub(super) async fn is_outdated(&self, answers: &[Waiting]) -> Result<bool, StoreError> {
        let refused = || answers.iter().flat_map(|waiting| &waiting.results).any(Result::is_err);
        if !self.is_shared() || !refused() {
            return Ok(false);
        }
        Ok(self.opened.head().await?.last != self.head.last)
    }

    /// Whether the entry that a batch ends with is in the log.
    pub(super) async fn is_written(&self, size: u64, last: Hash) -> Result<bool, StoreError> {
        Ok(self.store().leaves(self.ledger_id(), size.saturating_sub(1), size).await?.first() == Some(&last))
    }

    /// Takes entries of others into head and caches, as if this node had posted them. All that is cached was fetched at this node's
    /// head, because nobody writes while the ledger is held; what is not cached is fetched when it is needed.
    async fn catch_up(&mut self, held: &Held) -> Result<(), WriteError> {
        let row = held.row();
        let behind =
            || OpenError::Behind { found: row.size, signed: self.durable.0, path: self.opened.folder.path().into() };
        if row.size < self.head.size() {
            return Err(behind().into());
        }
        self.set.entries.clear();
        self.names = None;
        let mut new_lines = false;
        for stored in held.page().rows() {
            new_lines |= self.follow(&stored?)?;
        }
        while self.head.size() < row.size {
            let page = self.store().log(self.ledger_id(), self.head.size(), PAGE).await?;
            if page.is_empty() {
                return Err(StoreError::Damaged { table: "entry", what: "the log ends before its head".into() }.into());
            }
            for stored in page.rows() {
                new_lines |= self.follow(&stored?)?;
            }
        }
        if self.head.last != row.last {
            return Err(OpenError::OtherHistory { signed: self.durable.0 }.into());
        }
        if new_lines {
            self.load_lines().await?;
        }
        self.opened.row = row.clone();
        self.mark_durable(self.head.size(), self.head.frontier.root());
        debug_assert!(folder::frontier(row).is_ok_and(|frontier| frontier == self.head.frontier));
        Ok(())
    }

    /// One entry of another node; whether it opened a line.
    fn follow(&mut self, stored: &LogRow<'_>) -> Result<bool, WriteError> {
        let damaged = |what: String| StoreError::Damaged { table: "entry", what };
        let entry = Entry::parse(stored.bytes).map_err(|error| damaged(error.to_string()))?;
        if entry.seq != self.head.size() || entry.prev != self.head.last {
            return Err(OpenError::OtherHistory { signed: self.head.size() }.into());
        }
        let lines = posted(&entry).map(|row| row.map(|(_, name, _)| name)).collect::<Result<Vec<LineName>, _>>()?;
        let is_known = lines.iter().all(|name| self.set.lines.get(name) == Some(&true));
        let applied = is_known && self.set.book.apply(entry.seq, &entry.post, &entry.cash, CashRule::Judged).is_ok();
        // A line of which part is not here would be wrong from now on, and so would a state.
        if !applied && lines.iter().any(|name| self.set.lines.contains_key(name)) {
            self.set.lines.clear();
            self.set.book = Book::default();
        }
        let accounts = entry.cash.iter().map(|row| (Area::Account, row.account.to_string()));
        let touched = decide::touches(&entry).into_iter().chain(accounts).filter(|(_, id)| !id.is_empty());
        let known: Vec<bool> = touched.map(|(area, id)| self.is_known(area, &id)).collect();
        let projected = known.iter().all(|known| *known) && decide::project(&mut self.set, &entry).is_ok();
        if !projected && known.contains(&true) {
            self.set = WorkingSet {
                lines: std::mem::take(&mut self.set.lines),
                book: std::mem::take(&mut self.set.book),
                organisation: std::mem::take(&mut self.set.organisation),
                ..WorkingSet::default()
            };
        }
        self.head.advance(leaf_hash(stored.bytes), entry.at);
        if let Some(known) = &mut self.known {
            let [key_hash, payload_hash, reference_hash, order_hash] = stored.hashes;
            known.note(&EntryKeys { seq: entry.seq, key_hash, payload_hash, reference_hash, order_hash });
        }
        let person = stored.sealed.map_or(0, |sealed| sealed.person);
        self.latest_person = self.latest_person.max(person);
        Ok(lines.iter().any(|name| !self.line_ids.contains_key(name)))
    }
}
