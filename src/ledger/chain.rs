//! Leaf hash and `prev`: one hash per entry, so that chain and tree cannot disagree.

use super::entry::{Entry, EntryWriteError};
use super::merkle::Frontier;
use crate::values::{Hash, Timestamp};

/// Leaf hash of an entry: `SHA-256(0x00 ‖ bytes)`. RFC 6962 §2.1.
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Hash::of(&[&[0x00], bytes])
}

/// Where the log ends: what the next entry must follow.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// Peaks of the tree over all entries; its size is the next `seq`.
    pub frontier: Frontier,
    /// Leaf hash of the last entry; zeros for an empty log.
    pub last: Hash,
    /// `at` of the last entry.
    pub at: Option<Timestamp>,
}

/// An entry with its final bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Sealed {
    /// Index in the log.
    pub seq: u64,
    /// The bytes that are stored and hashed.
    pub bytes: Vec<u8>,
    /// Their leaf hash.
    pub leaf: Hash,
}

impl Head {
    /// Count of entries.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Gives the entry its place: sets `seq` and `prev`, lifts `at` to that of the entry before where the clock went back, writes
    /// the bytes and moves the head. On an error the head has not moved.
    pub fn seal(&mut self, entry: &mut Entry<'_>) -> Result<Sealed, EntryWriteError> {
        entry.seq = self.size();
        entry.prev = self.last;
        entry.at = self.at.map_or(entry.at, |before| before.max(entry.at));
        let bytes = entry.to_bytes()?;
        let leaf = leaf_hash(&bytes);
        self.advance(leaf, entry.at);
        Ok(Sealed { seq: entry.seq, bytes, leaf })
    }

    /// Moves the head past an entry that is known to follow it.
    pub fn advance(&mut self, leaf: Hash, at: Timestamp) {
        self.frontier.push(leaf);
        self.last = leaf;
        self.at = Some(at);
    }
}
