//! What a witness is asked and what it judges by. C2SP `tlog-witness`, `add-checkpoint`.
//!
//! ```text
//! old 20
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//! …one line a hash of the consistency proof, at most 63
//!
//! mingzhang.example/love
//! 33
//! …the signed checkpoint
//! ```

use super::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint};
use super::merkle::verify_consistency;
use super::note::{VerifierKey, decimal};
use crate::values::Hash;
use std::fmt::Write as _;

/// Longest request that is read, in bytes.
pub const BYTES_MAX: usize = 100_000;
/// Most lines of a consistency proof.
const PATH_MAX: usize = 63;

/// A checkpoint that is to be cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness has cosigned last, as the log believes.
    pub old: u64,
    /// What proves that the tree of that size is the beginning of this one.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

/// Why a checkpoint is not cosigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCosigned {
    /// The form is broken, or the old size is larger than the new one.
    #[error("this is no request of tlog-witness: {0}")]
    Form(&'static str),
    /// The witness does not know the log.
    #[error("this witness does not know the log {0}")]
    UnknownLog(String),
    /// No signature holds that was made by a key which the witness knows.
    #[error("the checkpoint is not signed by the log's key: {0}")]
    NotSigned(CheckpointError),
    /// The witness has cosigned another size last.
    #[error("this witness has cosigned {0} entries last")]
    OtherSize(u64),
    /// It has cosigned another root over as many entries.
    #[error("this witness has cosigned another root over {0} entries: the log shows two histories")]
    OtherRoot(u64),
    /// The proof does not lead from the old tree to the new one.
    #[error("the consistency proof does not hold: the log may show two histories")]
    Inconsistent,
}

impl NotCosigned {
    /// The status that it is answered with.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Form(_) => 400,
            Self::NotSigned(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::OtherSize(_) | Self::OtherRoot(_) => 409,
            Self::Inconsistent => 422,
        }
    }

    /// Whether it may be evidence that the log shows two histories: what was signed is kept.
    pub const fn is_evidence(&self) -> bool {
        matches!(self, Self::OtherRoot(_) | Self::Inconsistent)
    }
}

impl AddCheckpoint {
    /// Reads a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotCosigned> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotCosigned::Form("it is not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(NotCosigned::Form("the empty line is missing"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal);
        let old = old.ok_or(NotCosigned::Form("the first line must be old and a plain number"))?;
        let path: Option<Vec<Hash>> = lines.map(Hash::from_base64).collect();
        let path = path.ok_or(NotCosigned::Form("a line of the proof is not base64 of 32 bytes"))?;
        if path.len() > PATH_MAX {
            return Err(NotCosigned::Form("the proof has more than 63 lines"));
        }
        Ok(Self { old, path, note: note.into() })
    }

    /// The request as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.path {
            writeln!(text, "{}", hash.to_base64()).expect("writing to a String cannot fail");
        }
        format!("{text}\n{}", self.note)
    }

    /// The origin that the checkpoint says, believed by nobody yet.
    pub fn origin(&self) -> &str {
        self.note.split('\n').next().unwrap_or_default()
    }

    /// Judges the request: by the log's keys, of which one must have signed, and by the checkpoint that was cosigned last.
    pub fn judge(&self, log: &[VerifierKey], latest: Option<&Checkpoint>) -> Result<VerifiedCheckpoint, NotCosigned> {
        if log.is_empty() {
            return Err(NotCosigned::UnknownLog(self.origin().into()));
        }
        let opened = VerifiedCheckpoint::open_any(self.note.as_bytes(), log).map_err(NotCosigned::NotSigned)?;
        let Checkpoint { size, root, .. } = opened.checkpoint();
        if self.old > *size {
            return Err(NotCosigned::Form("the old size is larger than the new one"));
        }
        let known = latest.map_or(0, |latest| latest.size);
        if self.old != known {
            return Err(NotCosigned::OtherSize(known));
        }
        match latest {
            Some(latest) if latest.size == *size && latest.root != *root => Err(NotCosigned::OtherRoot(*size)),
            Some(latest) if latest.size > 0 => {
                let holds = verify_consistency(latest.size, *size, latest.root, *root, &self.path);
                if holds { Ok(opened) } else { Err(NotCosigned::Inconsistent) }
            }
            // From nothing everything follows, and needs no proof.
            Some(_) | None if self.path.is_empty() => Ok(opened),
            Some(_) | None => Err(NotCosigned::Inconsistent),
        }
    }
}
