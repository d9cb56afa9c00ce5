//! A proof of inclusion that fits into one file. C2SP `tlog-proof` v1.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 5
//! NaodyBX0tu7B5xqLBKbNfgubTzgkBOAWl64pW8NBqn0=
//! …one line a hash, lowest first
//!
//! mingzhang.example/wuzhong-love
//! 33
//! …the signed checkpoint
//! ```

use super::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint};
use super::merkle::verify_inclusion;
use super::note::{VerifierKey, decimal};
use crate::values::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// Most hashes that a path can have: a tree of 2^64 leaves.
const PATH_MAX: usize = 64;
/// Largest proof that is read, in bytes.
pub const BYTES_MAX: usize = 1_100_000;

/// Inclusion of one entry in a signed tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Data that the log attached to the leaf; we write none.
    pub extra: Option<Vec<u8>>,
    /// Place of the leaf.
    pub index: u64,
    /// Siblings, lowest first.
    pub path: Vec<Hash>,
    /// The signed checkpoint, as text.
    pub checkpoint: String,
}

/// Why a text is not a proof, or why it proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ProofError {
    /// The form is broken.
    #[error("this is not a proof of inclusion: {0}")]
    Form(&'static str),
    /// The checkpoint is not one of the wanted log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The path does not lead from this entry to the signed root.
    #[error("the entry is not in the signed tree at this place")]
    NotIncluded,
}

impl Proof {
    /// Reads a proof; its signature and path are checked by [`Proof::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > BYTES_MAX {
            return Err(ProofError::Form("it is larger than any proof can be"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ProofError::Form("it is not UTF-8"))?;
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(ProofError::Form("the empty line before the checkpoint is missing"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some("c2sp.org/tlog-proof@v1") {
            return Err(ProofError::Form("the first line must be c2sp.org/tlog-proof@v1"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            None => None,
            Some(line) => {
                Some(STANDARD.decode(&line["extra ".len()..]).map_err(|_| ProofError::Form("extra is not base64"))?)
            }
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(ProofError::Form("the index is missing or not a plain number"))?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == PATH_MAX {
                return Err(ProofError::Form("it has more than 64 hashes"));
            }
            path.push(Hash::from_base64(line).ok_or(ProofError::Form("a line is not base64 of 32 bytes"))?);
        }
        Ok(Self { extra, index, path, checkpoint: checkpoint.into() })
    }

    /// Checks that the entry with this leaf hash stands at `index` in a tree that the log signed.
    pub fn verify(&self, leaf: Hash, log: &VerifierKey) -> Result<VerifiedCheckpoint, ProofError> {
        let opened = VerifiedCheckpoint::open(self.checkpoint.as_bytes(), log)?;
        self.leads_to(leaf, opened.checkpoint())?;
        Ok(opened)
    }

    /// Checks the path alone, to a tree whose signature was checked before.
    pub fn leads_to(&self, leaf: Hash, tree: &Checkpoint) -> Result<(), ProofError> {
        let leads = verify_inclusion(leaf, self.index, tree.size, &self.path, tree.root);
        if leads { Ok(()) } else { Err(ProofError::NotIncluded) }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "c2sp.org/tlog-proof@v1")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
