//! Rows as they are stored: plain, and never what goes over the wire.

use crate::ledger::line::State;
use crate::values::{Hash, Span};

/// Where a ledger's log ends, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Number in this store.
    pub ledger_id: i64,
    /// Origin of the log.
    pub origin: String,
    /// Last segment of the origin.
    pub slug: String,
    /// Count of entries.
    pub size: u64,
    /// Leaf hash of the last entry.
    pub last: Hash,
    /// `at` of the last entry in milliseconds.
    pub at_millis: Option<i64>,
    /// Peaks of the tree, largest first.
    pub peaks: Vec<Hash>,
}

/// An entry to be stored, with the keyed hashes beside it; 0 is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Place in the log.
    pub seq: u64,
    /// Leaf hash.
    pub leaf: Hash,
    /// Of the idempotency key.
    pub key_hash: i64,
    /// Of the command that the key was used for.
    pub payload_hash: i64,
    /// Of the external reference.
    pub reference_hash: i64,
    /// Of the donor's order number.
    pub order_hash: i64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl EntryRow {
    /// The keyed hashes beside it.
    pub const fn keys(&self) -> EntryKeys {
        EntryKeys {
            seq: self.seq,
            key_hash: self.key_hash,
            payload_hash: self.payload_hash,
            reference_hash: self.reference_hash,
            order_hash: self.order_hash,
        }
    }
}

/// An entry as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Place in the log.
    pub seq: i64,
    /// Leaf hash as stored.
    pub leaf: Vec<u8>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Keyed hashes beside an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryKeys {
    /// Place in the log.
    pub seq: u64,
    /// Of the idempotency key; 0 is none.
    pub key_hash: i64,
    /// Of the command that the key was used for.
    pub payload_hash: i64,
    /// Of the external reference; 0 is none.
    pub reference_hash: i64,
    /// Of the donor's order number with the amount; 0 is none.
    pub order_hash: i64,
}

/// A post as a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanRow {
    /// The line.
    pub line_id: i64,
    /// 0 in, 1 hold, 2 out, 3 free, 4 void.
    pub op: i64,
    /// The positions.
    pub span: Span,
    /// The entry.
    pub seq: u64,
    /// Place of the post in the entry.
    pub place: i64,
    /// The entry that it refers to; −1 is none.
    pub of_seq: i64,
}

/// The columns of a row of posts, in the order of its key: line, op, from, entry, place; then to, and the entry that it refers to.
pub type SpanNumbers = [i64; 7];

impl SpanRow {
    /// As it is stored.
    pub fn numbers(&self) -> SpanNumbers {
        let number = |n: u64| i64::try_from(n).expect("positions and sequence numbers stay below 2^53");
        let (from, to) = (number(self.span.from), number(self.span.to));
        [self.line_id, self.op, from, number(self.seq), self.place, to, self.of_seq]
    }
}

/// A maximal run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The line.
    pub line_id: i64,
    /// The positions.
    pub span: Span,
    /// State and owner.
    pub state: State,
}

/// An inflow of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflowRow {
    /// The positions.
    pub span: Span,
    /// The entry.
    pub seq: u64,
}

/// The state of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRow {
    /// What kind of thing.
    pub area: &'static str,
    /// Which.
    pub id: String,
    /// Canonical JSON.
    pub doc: Vec<u8>,
}

/// A node that serves a ledger, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Its id, drawn at its start.
    pub node_id: String,
    /// Version of the program.
    pub version: String,
    /// Digest of its rules.
    pub rules: String,
    /// Fingerprint of its keys.
    pub keys: String,
    /// When it last said so, in milliseconds of the server's clock.
    pub seen_at: i64,
}

/// Hashes of complete subtrees, see [`crate::ledger::tile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileRow {
    /// The hashes are of subtrees of 256 to the power of this leaves.
    pub level: u32,
    /// Its place in the level.
    pub place: u64,
    /// Up to 256 hashes.
    pub hashes: Vec<Hash>,
}

/// A sealed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultRow {
    /// The entry whose commitment it opens.
    pub seq: u64,
    /// Whose key sealed it.
    pub person: u64,
    /// Salt and record, sealed.
    pub sealed: Vec<u8>,
    /// The person's key, wrapped with the vault's.
    pub wrapped: Vec<u8>,
}

/// What one batch writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The ledger.
    pub ledger_id: i64,
    /// Entries before the batch.
    pub size_before: u64,
    /// New entries, in order.
    pub entries: Vec<EntryRow>,
    /// Their posts.
    pub spans: Vec<SpanRow>,
    /// Lines that are new.
    pub lines: Vec<(i64, String)>,
    /// Runs that are new or changed.
    pub runs: Vec<RunRow>,
    /// Runs that are gone: line and first position.
    pub gone: Vec<(i64, u64)>,
    /// States that are new or changed.
    pub subjects: Vec<SubjectRow>,
    /// Sealed records.
    pub vault: Vec<VaultRow>,
    /// Hashes of codes: purpose, hash, subject.
    pub codes: Vec<(&'static str, Hash, String)>,
    /// Leaf hash of the entry before the batch.
    pub last_before: Hash,
    /// Leaf hash of the last entry.
    pub last: Hash,
    /// Its `at`.
    pub at_millis: i64,
    /// Peaks of the tree after the batch.
    pub peaks: Vec<Hash>,
}

/// Everything that is derived from entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// Lines.
    pub lines: Vec<(i64, String)>,
    /// Posts.
    pub spans: Vec<SpanRow>,
    /// Runs.
    pub runs: Vec<RunRow>,
    /// States.
    pub subjects: Vec<SubjectRow>,
}

impl RunRow {
    /// Numbers of state and owner as they are stored: 0 free, 1 held, 2 spent, 3 void.
    pub fn numbers(&self) -> (i64, i64) {
        let by = |seq: u64| i64::try_from(seq).expect("sequence numbers stay below 2^53");
        match self.state {
            State::Free => (0, -1),
            State::Held { by: seq } => (1, by(seq)),
            State::Spent { by: seq } => (2, by(seq)),
            State::Void { by: seq } => (3, by(seq)),
        }
    }

    /// From stored numbers; `None` for numbers that are never stored.
    pub fn from_numbers(line_id: i64, from: i64, to: i64, state: i64, by: i64) -> Option<Self> {
        let span = Span::new(u64::try_from(from).ok()?, u64::try_from(to).ok()?)?;
        let owner = u64::try_from(by);
        let state_of = match (state, owner) {
            (0, Err(_)) => State::Free,
            (1, Ok(by)) => State::Held { by },
            (2, Ok(by)) => State::Spent { by },
            (3, Ok(by)) => State::Void { by },
            _ => return None,
        };
        Some(Self { line_id, span, state: state_of })
    }
}

/// A payment channel that posts gifts by signed messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRow {
    /// Its name, as it stands in its address.
    pub name: String,
    /// What its secret is derived from.
    pub secret_id: String,
    /// Whom it acts as.
    pub staff_id: String,
    /// The account that its gifts come to.
    pub account: String,
    /// The fund of gifts that name none.
    pub fund: String,
}

/// Somebody who is told of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// What its secret is derived from; its id.
    pub secret_id: String,
    /// Where to.
    pub url: String,
    /// Kinds of entries, with commas; all where empty.
    pub kinds: String,
    /// The first entry that it has not been told of.
    pub next_seq: u64,
    /// Tries in a row that failed.
    pub failures: u32,
    /// When to try again, in milliseconds of the epoch.
    pub try_at: i64,
    /// What the last failure was; empty after a success.
    pub trouble: String,
}
