//! The pure fold over a whole log: bytes, chain, tree, posts, cash. It says which entry is the first bad one and why.

use super::chain::{Head, leaf_hash};
use super::entry::{Entry, EntryError};
use super::posting::{Book, CashRule};
use crate::values::Hash;

/// The first entry that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {reason}")]
pub struct FirstBad {
    /// Its place in the log.
    pub seq: u64,
    /// What is wrong, in words.
    pub reason: String,
}

/// What can be seen of an entry by itself: its members, and its leaf hash. The costly half of following it, which asks nothing of the
/// entries before, so that several cores may do it at once.
pub fn read(bytes: &[u8]) -> Result<(Entry<'_>, Hash), EntryError> {
    Ok((Entry::parse(bytes)?, leaf_hash(bytes)))
}

impl FirstBad {
    /// An entry that cannot be read.
    pub fn unread(seq: u64, error: &EntryError) -> Self {
        Self { seq, reason: error.to_string() }
    }
}

/// A log that was followed so far, without a fault.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    head: Head,
    book: Book,
    ledger: String,
}

impl Verifier {
    /// Starts before entry 0 of the log with this origin.
    pub fn new(ledger: &str) -> Self {
        Self { ledger: ledger.into(), ..Self::default() }
    }

    /// Follows the next entry. After an error the verifier stays where it was.
    pub fn push<'a>(&mut self, bytes: &'a [u8]) -> Result<(Entry<'a>, Hash), FirstBad> {
        let seq = self.head.size();
        let (entry, leaf) = read(bytes).map_err(|error| FirstBad::unread(seq, &error))?;
        self.follow(&entry, leaf)?;
        Ok((entry, leaf))
    }

    /// The same for an entry that has been read, see [`read`].
    pub fn follow(&mut self, entry: &Entry<'_>, leaf: Hash) -> Result<(), FirstBad> {
        let seq = self.head.size();
        let bad = |reason: String| FirstBad { seq, reason };
        if entry.ledger != self.ledger {
            return Err(bad(format!("it belongs to the ledger {}, not to {}", entry.ledger, self.ledger)));
        }
        if entry.seq != seq {
            return Err(bad(format!("its seq is {}; {seq} comes next", entry.seq)));
        }
        if entry.prev != self.head.last {
            return Err(bad("its prev is not the leaf hash of the entry before: one of the two was changed".into()));
        }
        if self.head.at.is_some_and(|before| entry.at < before) {
            return Err(bad("its time lies before that of the entry before".into()));
        }
        self.book
            .apply(seq, &entry.post, &entry.cash, CashRule::Judged)
            .map_err(|broken| bad(format!("it breaks a rule of posting at {broken}")))?;
        self.head.advance(leaf, entry.at);
        Ok(())
    }

    /// Where the log ends so far.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The state of all lines so far.
    pub const fn book(&self) -> &Book {
        &self.book
    }
}
