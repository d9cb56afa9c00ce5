//! A ledger copied from one store to another: the same entries to the byte, with what stands beside them. Each entry is verified on its
//! way; what was copied before a failure stays, and the next run goes on behind it. Until it is whole the copy has a name of its own,
//! so that nobody opens half a ledger.

use super::folder::{UNFINISHED, frontier, slug_of};
use super::rebuild::Replay;
use crate::ledger::verify::FirstBad;
use crate::store::{Batch, EntryRow, LedgerRow, LogRow, Store, StoreError, VaultRow};
use crate::values::Hash;
use std::collections::{BTreeMap, BTreeSet};

/// Entries of one batch.
const PAGE: u32 = 1_000;

/// Persons' keys, wrapped with the vault's, by the entry whose record they open.
pub type PersonKeys = BTreeMap<u64, Vec<u8>>;

/// What becomes of the persons' keys.
#[derive(Debug)]
pub enum Keys {
    /// They are copied with the records.
    Stay,
    /// They are left behind: whoever keeps them apart can erase a record from all copies by erasing its key.
    Left,
    /// They were kept apart and are put back. A record whose key is not among them stays shut.
    Back(PersonKeys),
}

/// Whose users, roles and tokens a copy has that was whole before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Its own: it may have been in use since.
    Kept,
    /// Those of the source, each time.
    Renewed,
}

/// What was copied.
#[derive(Debug)]
pub struct Copied {
    /// Entries that are there now.
    pub entries: u64,
    /// Entries that were copied in this run.
    pub fresh: u64,
    /// All of them were there before.
    pub was_whole: bool,
    /// Root over all of them.
    pub root: Hash,
}

/// Why a copy is not whole.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two databases.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source does not hold.
    #[error("entry {} of the source is bad: {}", .0.seq, .0.reason)]
    Bad(FirstBad),
    /// Source and target are one.
    #[error("source and target are the same ledger; nothing was changed")]
    Same,
    /// The target holds another history of this ledger.
    #[error("the target holds another history from entry {0} on; nothing was changed there")]
    Differs(u64),
    /// The target has more entries of the same history.
    #[error(
        "the target is ahead: it has {target} entries of this history, and {size} were to be there; nothing was changed there"
    )]
    Ahead {
        /// How many the target has.
        target: u64,
        /// How many it was to have.
        size: u64,
    },
    /// The target holds another ledger of this name.
    #[error(
        "the target holds another ledger called {slug}: {origin}. Copy this one elsewhere; nothing was changed there"
    )]
    Taken {
        /// The name.
        slug: String,
        /// Whose it is there.
        origin: String,
    },
    /// Somebody else writes into the target.
    #[error(
        "somebody else is writing this ledger into the target: another copy, or a server. Let one of them finish, then run this again"
    )]
    Contended,
    /// Fewer entries are there than were asked for.
    #[error("the source has {size} entries, not {until}; nothing was copied")]
    Short {
        /// How many it has.
        size: u64,
        /// How many were asked for.
        until: u64,
    },
}

/// The persons' keys of a ledger up to a size.
pub async fn person_keys(store: &Store, ledger_id: i64, size: u64) -> Result<PersonKeys, StoreError> {
    let (mut keys, mut at) = (PersonKeys::new(), 0);
    while at < size {
        let page = store.log(ledger_id, at, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for stored in page.rows() {
            let stored = stored?;
            at = u64::try_from(stored.seq).unwrap_or(at) + 1;
            if let Some(sealed) = stored.sealed.filter(|_| at <= size) {
                keys.insert(at - 1, sealed.wrapped.to_vec());
            }
        }
    }
    Ok(keys)
}

/// Copies a ledger up to `until` entries, or all that it has at the start.
pub async fn copy(
    from: &Store,
    row: &LedgerRow,
    to: &Store,
    until: Option<u64>,
    keys: Keys,
    beside: Beside,
    mut progress: impl FnMut(u64, u64),
) -> Result<Copied, CopyError> {
    let size = until.unwrap_or(row.size);
    if size > row.size {
        return Err(CopyError::Short { size: row.size, until: size });
    }
    if from.is(to).await? {
        return Err(CopyError::Same);
    }
    let target = target(to, row).await?;
    let mut copying = Copying { from, row, to, target, replay: Replay::new(&row.origin), keys };
    copying.compare(size).await?;
    let before = copying.target.size;
    let unfinished = unfinished(&row.origin);
    let was_whole = before == size && copying.target.slug != unfinished;
    if !was_whole || beside == Beside::Renewed {
        to.rename_ledger(copying.target.ledger_id, &unfinished).await?;
        while copying.target.size < size {
            copying.page(size).await?;
            progress(copying.target.size, size);
        }
        copying.finish().await?;
    }
    copying.checkpoints().await?;
    let root = copying.replay.verifier.head().frontier.root();
    Ok(Copied { entries: size, fresh: size - before, was_whole, root })
}

/// The row of the ledger in the target; a new one has the name of a copy that is not whole.
async fn target(to: &Store, row: &LedgerRow) -> Result<LedgerRow, CopyError> {
    let ledgers = to.ledgers().await?;
    if let Some(known) = ledgers.iter().find(|known| known.origin == row.origin) {
        return Ok(known.clone());
    }
    let (slug, unfinished) = (slug_of(&row.origin), unfinished(&row.origin));
    if let Some(other) = ledgers.iter().find(|other| other.slug == slug || other.slug == unfinished) {
        return Err(CopyError::Taken { slug: slug.into(), origin: other.origin.clone() });
    }
    Ok(to.ledger(to.create_ledger(&row.origin, &unfinished).await?).await?)
}

/// What it is called as long as its copy is not whole. No origin has a dot there.
fn unfinished(origin: &str) -> String {
    format!("{}{UNFINISHED}", slug_of(origin))
}

struct Copying<'s> {
    from: &'s Store,
    row: &'s LedgerRow,
    to: &'s Store,
    target: LedgerRow,
    replay: Replay,
    keys: Keys,
}

impl Copying<'_> {
    /// Replays what the target has already, as the source has it.
    async fn compare(&mut self, size: u64) -> Result<(), CopyError> {
        let target = self.target.size;
        let end = target.min(size);
        while self.replay.verifier.head().size() < end {
            let at = self.replay.verifier.head().size();
            let page = self.from.entries(self.row.ledger_id, at, PAGE).await?;
            if page.is_empty() {
                return Err(CopyError::Differs(at));
            }
            for stored in page.iter().take(usize::try_from(end - at).unwrap_or(usize::MAX)) {
                self.replay.push(&stored.bytes, |_| ()).map_err(CopyError::Bad)?;
            }
        }
        let last = match end.checked_sub(1).filter(|_| target > size) {
            None => Some(self.target.last),
            Some(place) => self.to.leaves(self.target.ledger_id, place, end).await?.first().copied(),
        };
        if last != Some(self.replay.verifier.head().last) {
            return Err(CopyError::Differs(end));
        }
        // It is ahead; what it has in common with the source is left as it is.
        if target > size { Err(CopyError::Ahead { target, size }) } else { Ok(()) }
    }

    /// Copies the next entries.
    async fn page(&mut self, size: u64) -> Result<(), CopyError> {
        let at = self.target.size;
        let limit = PAGE.min(u32::try_from(size - at).unwrap_or(PAGE));
        let page = self.from.log(self.row.ledger_id, at, limit).await?;
        let lines = self.replay.verifier.book().lines().len();
        let mut batch = Batch {
            ledger_id: self.target.ledger_id,
            size_before: at,
            last_before: self.target.last,
            ..Batch::default()
        };
        for stored in page.rows() {
            let stored = stored?;
            let spans = &mut batch.spans;
            let leaf = self.replay.push(stored.bytes, |rows| spans.extend_from_slice(rows)).map_err(CopyError::Bad)?;
            if leaf.0.as_slice() != stored.leaf {
                let reason = "its stored hash is not that of its bytes".into();
                return Err(CopyError::Bad(FirstBad { seq: self.replay.verifier.head().size() - 1, reason }));
            }
            batch.entries.push(entry_row(&stored, leaf));
            batch.vault.extend(self.keys.pass(&stored));
        }
        if batch.entries.is_empty() {
            return Err(CopyError::Bad(FirstBad { seq: at, reason: "it is missing".into() }));
        }
        if self.replay.verifier.book().lines().len() > lines {
            batch.lines = self.replay.line_rows().split_off(lines);
        }
        self.write(batch).await
    }

    /// Writes a batch at the head of the replay.
    async fn write(&mut self, mut batch: Batch) -> Result<(), CopyError> {
        let head = self.replay.verifier.head();
        batch.last = head.last;
        batch.at_millis = head.at.map_or(-1, crate::values::Timestamp::millis);
        batch.peaks = head.frontier.peaks().to_vec();
        (self.target.size, self.target.last) = (head.size(), head.last);
        match self.to.commit(batch).await {
            Err(StoreError::HeadMoved) => Err(CopyError::Contended),
            done => Ok(done?),
        }
    }

    /// States, what stands beside the log, and the ledger's own name.
    async fn finish(&mut self) -> Result<(), CopyError> {
        let (source, id) = (self.row.ledger_id, self.target.ledger_id);
        let mut batch = Batch {
            ledger_id: id,
            size_before: self.target.size,
            last_before: self.target.last,
            subjects: self.replay.subject_rows(),
            ..Batch::default()
        };
        for (line_id, line) in (0..).zip(self.replay.verifier.book().lines()) {
            let runs = Replay::run_rows(line_id, line);
            let starts: BTreeSet<u64> = runs.iter().map(|run| run.span.from).collect();
            let known = self.to.runs(id, line_id).await?;
            let gone = known.iter().map(|run| run.span.from).filter(|from| !starts.contains(from));
            batch.gone.extend(gone.map(|from| (line_id, from)));
            batch.runs.extend(runs);
        }
        self.write(batch).await?;
        // What the target says of itself, once it is all there.
        if frontier(&self.to.ledger(id).await?)? != self.replay.verifier.head().frontier {
            return Err(CopyError::Differs(self.target.size));
        }
        self.beside(source, id).await?;
        Ok(self.to.rename_ledger(id, slug_of(&self.row.origin)).await?)
    }

    /// Checkpoints of what was copied.
    async fn checkpoints(&self) -> Result<(), StoreError> {
        for (size, note) in self.from.checkpoints(self.row.ledger_id).await? {
            if size <= self.target.size {
                self.to.put_checkpoint(self.target.ledger_id, size, &note).await?;
                for (witness, seconds, line) in self.from.cosignatures(self.row.ledger_id, size).await? {
                    self.to.put_cosignature(self.target.ledger_id, size, &witness, seconds, &line).await?;
                }
            }
        }
        Ok(())
    }

    /// Who may do what, and the hashes of codes and secrets: as the source has them now.
    async fn beside(&self, source: i64, id: i64) -> Result<(), StoreError> {
        // All is read before anything is removed.
        let (staff, roles) = (self.from.staff(source).await?, self.from.roles(source).await?);
        let (codes, channels) = (self.from.codes(source).await?, self.from.channels(source).await?);
        let subscriptions = self.from.subscriptions(source).await?;
        self.to.clear_beside(id).await?;
        for (staff, name) in staff {
            self.to.put_staff(id, &staff, &name).await?;
        }
        for (staff, role) in roles {
            self.to.put_role(id, &staff, &role).await?;
        }
        for (purpose, hash, subject) in codes {
            self.to.put_code(id, &purpose, hash, &subject).await?;
        }
        for channel in channels {
            self.to.put_channel(id, &channel).await?;
        }
        for subscription in subscriptions {
            self.to.put_subscription(id, &subscription).await?;
        }
        Ok(())
    }
}

fn entry_row(stored: &LogRow<'_>, leaf: Hash) -> EntryRow {
    let [key_hash, payload_hash, reference_hash, order_hash] = stored.hashes;
    let seq = u64::try_from(stored.seq).expect("the replay has counted it");
    EntryRow { seq, leaf, key_hash, payload_hash, reference_hash, order_hash, bytes: stored.bytes.to_vec() }
}

impl Keys {
    /// The sealed record of an entry as it is kept in the target.
    fn pass(&self, stored: &LogRow<'_>) -> Option<VaultRow> {
        let sealed = stored.sealed?;
        let seq = u64::try_from(stored.seq).expect("the replay has counted it");
        let wrapped = match self {
            Self::Stay => sealed.wrapped.to_vec(),
            Self::Left => Vec::new(),
            Self::Back(kept) => kept.get(&seq).cloned().unwrap_or_default(),
        };
        Some(VaultRow { seq, person: sealed.person, sealed: sealed.sealed.to_vec(), wrapped })
    }
}
