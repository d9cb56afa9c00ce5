//! A ledger that several nodes write. A node that has been alone decides a batch first and commits it on the head that it was decided
//! on, in one round trip. Where another node was faster, nothing of the batch is there: it is decided anew, and from then on the nodes
//! take turns, some hundredths of a second each, until one has been alone for a while. The first batch of a turn is decided with the
//! head locked, so that a node which knows of no turns is overtaken and learns of them.

use super::cycle::InFlight;
use super::{Durable, Waiting, WriteError, Writer, posted};
use crate::app::folder::OpenError;
use crate::domain::decide;
use crate::domain::working_set::{Area, WorkingSet};
use crate::ledger::chain::leaf_hash;
use crate::ledger::entry::Entry;
use crate::ledger::posting::{Book, CashRule};
use crate::ledger::rotation;
use crate::store::{EntryKeys, Held, LogPage, LogRow, StoreError, TurnTaken};
use crate::values::LineName;
use std::time::Duration;

/// After so many turns before which nobody else had written, a node takes it that it is alone again.
const ALONE: u32 = 8;

/// How long a turn is: handing over costs some milliseconds, in which nobody writes.
const TURN: Duration = Duration::from_millis(100);

/// A node that waits for its turn reads this often what the other has written.
const LOOK: Duration = Duration::from_millis(5);

/// Entries read in one go.
const PAGE: u32 = 1_000;

/// How a node comes to write.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Others write too, and turns are taken.
    contended: bool,
    /// Turns in a row before which nobody else had written.
    alone: u32,
    /// The turn that this node has, and when it ends.
    taken: Option<(TurnTaken, Duration)>,
}

impl Turn {
    /// Another node was faster.
    pub(super) const fn lost(&mut self) {
        (self.contended, self.alone) = (true, 0);
    }

    /// When the turn ends that this node has.
    pub(super) fn end(&self) -> Option<Duration> {
        self.taken.as_ref().map(|(_, end)| *end)
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

    /// Takes the turn where nodes contend and this one does not have it: gives the ledger, held for the first batch.
    pub(super) async fn take_turn(&mut self, in_flight: &mut Option<InFlight>) -> Result<Option<Held>, WriteError> {
        if !self.turn.contended || self.turn.end().is_some_and(|end| self.clock.elapsed() < end) {
            return Ok(None);
        }
        self.end_turn(in_flight).await;
        let before = self.head.size();
        // However far behind this node is: the others go on meanwhile.
        self.follow_others().await;
        let taken = self.wait_for_turn().await?;
        let held = self.hold().await?;
        self.turn.held(held.row().size != before);
        let end = self.clock.elapsed() + TURN;
        self.turn.taken = taken.filter(|_| self.turn.contended).map(|taken| (taken, end));
        Ok(Some(held))
    }

    /// Waits for the turn, and meanwhile reads what others write, so that little is left to read when they wait in their turn.
    async fn wait_for_turn(&mut self) -> Result<Option<TurnTaken>, StoreError> {
        let (store, ledger_id) = (self.store().clone(), self.ledger_id());
        let mut taken = std::pin::pin!(store.take_turn(ledger_id));
        loop {
            tokio::select! {
                biased;
                taken = &mut taken => return taken,
                () = tokio::time::sleep(LOOK) => {}
            }
            self.follow_others().await;
        }
    }

    /// Reads what others have written, where the caches are known to be as they were at this node's head. What fails here is read again,
    /// and told, when something is to be decided.
    pub(super) async fn follow_others(&mut self) {
        if self.is_shared() && !self.stale && !self.unproven && self.follow_log(u64::MAX).await.is_err() {
            self.stale = true;
        }
    }

    /// The same where there is time: caches that are not known to be as they were are read again.
    pub(super) async fn look_at_others(&mut self) {
        self.follow_others().await;
        if !self.is_shared() || !(self.unproven || self.stale) {
            return;
        }
        let moved = self.opened.head().await.is_ok_and(|head| head.last != self.head.last);
        if moved || self.stale {
            // What cannot be read now is read the next time.
            let _ = self.reload().await;
        }
    }

    /// Lets others go, when what is under way has ended.
    pub(super) async fn end_turn(&mut self, in_flight: &mut Option<InFlight>) {
        if self.turn.taken.is_none() {
            return;
        }
        self.wait_for(in_flight).await;
        if let Some((taken, _)) = self.turn.taken.take() {
            // A connection that fails is closed, and the turn ends with it.
            let _ = taken.end().await;
        }
    }

    /// Holds the ledger, and reads what others have written since this node last looked.
    async fn hold(&mut self) -> Result<Held, WriteError> {
        let held = self.store().hold(self.ledger_id(), self.head.size(), PAGE).await?;
        let moved = held.row().size != self.head.size() || held.row().last != self.head.last;
        if self.stale || (moved && (self.unproven || self.catch_up(&held).await.is_err())) {
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

    /// Whether the log holds the history up to a head.
    pub(super) async fn is_written(&self, Durable { size, last, .. }: Durable) -> Result<bool, StoreError> {
        Ok(self.store().leaves(self.ledger_id(), size.saturating_sub(1), size).await?.first() == Some(&last))
    }

    /// Takes entries of others into head and caches, as if this node had posted them. All that is cached is as it was at this
    /// node's head, as the last commit on it has proven; what is not cached is fetched when it is needed.
    async fn catch_up(&mut self, held: &Held) -> Result<(), WriteError> {
        let row = held.row();
        if row.size < self.head.size() {
            let path = self.opened.folder.signed_file(&self.opened.row.slug);
            return Err(OpenError::Behind { found: row.size, signed: self.durable.size, path }.into());
        }
        self.follow_page(held.page()).await?;
        self.follow_log(row.size).await?;
        if self.head.size() < row.size {
            return Err(StoreError::Damaged { table: "entry", what: "the log ends before its head".into() }.into());
        }
        if self.head.last != row.last {
            return Err(OpenError::OtherHistory { signed: self.durable.size }.into());
        }
        self.opened.row = row.clone();
        Ok(())
    }

    /// Follows the log to a size, or as far as it is.
    async fn follow_log(&mut self, size: u64) -> Result<(), WriteError> {
        while self.head.size() < size {
            let page = self.store().log(self.ledger_id(), self.head.size(), PAGE).await?;
            if page.is_empty() {
                break;
            }
            self.follow_page(&page).await?;
        }
        Ok(())
    }

    async fn follow_page(&mut self, page: &LogPage) -> Result<(), WriteError> {
        let mut new_lines = false;
        for stored in page.rows() {
            new_lines |= self.follow(&stored?)?;
        }
        if !page.is_empty() {
            self.set.entries.clear();
            self.names = None;
            self.mark_durable(self.end());
        }
        if new_lines { self.load_lines().await } else { Ok(()) }
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
        if entry.kind == rotation::KIND {
            self.key_at(self.head.size())?;
        }
        if let Some(known) = &mut self.known {
            let [key_hash, payload_hash, reference_hash, order_hash] = stored.hashes;
            known.note(&EntryKeys { seq: entry.seq, key_hash, payload_hash, reference_hash, order_hash });
        }
        let person = stored.sealed.map_or(0, |sealed| sealed.person);
        self.latest_person = self.latest_person.max(person);
        Ok(lines.iter().any(|name| !self.line_ids.contains_key(name)))
    }
}
