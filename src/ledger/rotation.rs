//! Another key of the same log, proved to whoever knows the one before: a proof of inclusion that holds the entry itself as `extra`.
//! The entry names the new key, and both keys have signed the checkpoint. C2SP `tlog-proof` v1.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra eyJhdCI6…            the entry: {"at":…,"body":{"new_vkey":"mingzhang.example/love+9ad8cb5d+AQ…"},…}
//! index 41
//! …one line a hash, lowest first
//!
//! mingzhang.example/love
//! 42
//! …the checkpoint, signed by both
//! ```

use super::canonical::Value;
use super::chain::leaf_hash;
use super::checkpoint::CheckpointError;
use super::entry::{Entry, EntryError};
use super::note::{NoteError, VerifierKey};
use super::proof::{Proof, ProofError};

/// The kind of the entry: the one kind that the log itself must know, for it says whose signature counts.
pub const KIND: &str = "key.rotated";

/// Most changes of a log's key.
pub const MAX: usize = 1_000;

/// Why a change of keys is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// The entry is not proved.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof does not hold the entry.
    #[error("the proof does not hold the entry itself")]
    NoEntry,
    /// The entry cannot be read.
    #[error("its entry was changed: {0}")]
    Entry(#[from] EntryError),
    /// The entry stands elsewhere, is of another log, or names no key of this one.
    #[error("its entry names no key of this log")]
    NoKey,
    /// The new key has not signed.
    #[error("the new key has not signed: {0}")]
    NotSigned(NoteError),
}

/// The key that signs after all these changes, from one that is known.
pub fn newest<P: AsRef<[u8]>>(
    proofs: impl IntoIterator<Item = P>,
    known: VerifierKey,
) -> Result<VerifierKey, RotationError> {
    proofs.into_iter().try_fold(known, |key, proof| after(proof.as_ref(), &key))
}

/// The key that signs after `key`, as a proof says; `key` itself where the proof is of an earlier change, that `key` had no part in or
/// came from.
pub fn after(proof: &[u8], key: &VerifierKey) -> Result<VerifierKey, RotationError> {
    let proof = Proof::parse(proof)?;
    let bytes = proof.extra.as_deref().ok_or(RotationError::NoEntry)?;
    let opened = match proof.verify(leaf_hash(bytes), key) {
        Ok(opened) => opened,
        Err(ProofError::Checkpoint(CheckpointError::Note(NoteError::NotSigned { .. }))) => return Ok(key.clone()),
        Err(error) => return Err(error.into()),
    };
    let entry = Entry::parse(bytes)?;
    let named = entry.body.get("new_vkey").and_then(Value::as_text).and_then(|text| VerifierKey::parse(text).ok());
    let is_here = entry.kind == KIND && entry.seq == proof.index && entry.ledger == key.name();
    let named = named.filter(|named| is_here && named.name() == key.name()).ok_or(RotationError::NoKey)?;
    opened.note().verify(&named).map_err(RotationError::NotSigned)?;
    Ok(named)
}
