//! Checkpoints: origin, size and root of a log, signed. C2SP `tlog-checkpoint`.
//!
//! ```text
//! mingzhang.example/wuzhong-love
//! 33
//! ilxbIx34Ky/SXrG+j++0xLLKcB/hS3c950k+vj3mRWs=
//! ```

use super::note::{Note, NoteError, VerifierKey, decimal};
use crate::values::{Hash, Origin};
use ed25519_dalek::SigningKey;

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: String,
    /// Count of leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// A checkpoint whose log signature was verified; only [`VerifiedCheckpoint::open`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// Why a note is not a checkpoint of the wanted log.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum CheckpointError {
    /// The note's form or signature.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not origin, size and root.
    #[error("this is not a checkpoint: {0}")]
    Form(&'static str),
    /// Signed by the key, but of another log.
    #[error("the checkpoint is of the log {0}, not of the one asked for")]
    OtherOrigin(String),
}

impl Checkpoint {
    /// Reads the text of a note: three lines at least; lines after the third are extensions, which we neither write nor interpret.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines =
            text.strip_suffix('\n').ok_or(CheckpointError::Form("the last line has no newline"))?.split('\n');
        let origin =
            lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError::Form("the origin is missing"))?;
        let size = lines.next().ok_or(CheckpointError::Form("the size is missing"))?;
        let number = decimal(size);
        let root = lines.next().and_then(Hash::from_base64);
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Form("an extension line is empty"));
        }
        Ok(Self {
            origin: origin.into(),
            size: number.ok_or(CheckpointError::Form("the size is not a plain number"))?,
            root: root.ok_or(CheckpointError::Form("the root is not base64 of 32 bytes"))?,
        })
    }

    /// What a note says; nothing about it is verified.
    pub fn of_note(note: &[u8]) -> Result<Self, CheckpointError> {
        Self::parse(&Note::parse(note)?.text)
    }

    /// The text that is signed.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Signs it as its log.
    pub fn sign(&self, key: &SigningKey) -> Note {
        Note::sign(self.to_text(), &self.origin, key)
    }
}

impl VerifiedCheckpoint {
    /// Reads a signed checkpoint of the log that `key` belongs to, and verifies the signature.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        note.verify(key)?;
        let checkpoint = Checkpoint::parse(&note.text)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::OtherOrigin(checkpoint.origin));
        }
        Ok(Self { checkpoint, note })
    }

    /// The same for a log with several keys, of which one must have signed. A signature that does not hold refuses the note.
    pub fn open_any(note: &[u8], keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let opened = keys.iter().map(|key| Self::open(note, key));
        let is_other = |error: &CheckpointError| matches!(error, CheckpointError::Note(NoteError::NotSigned { .. }));
        let opened = opened.reduce(|before, next| if before.as_ref().is_err_and(is_other) { next } else { before });
        opened.unwrap_or_else(|| Err(NoteError::NotSigned { name: "anybody".into(), key: "none".into() }.into()))
    }

    /// What it says.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with all its signatures.
    pub const fn note(&self) -> &Note {
        &self.note
    }
}

/// The signing key of a log, with the name it signs under.
pub struct LogKey {
    /// Origin of the log.
    pub origin: Origin,
    /// The Ed25519 key.
    pub key: SigningKey,
}

impl LogKey {
    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::of(self.origin.as_str(), super::note::KeyKind::Log, &self.key)
    }

    /// A signed checkpoint of this log.
    pub fn checkpoint(&self, size: u64, root: Hash) -> Note {
        Checkpoint { origin: self.origin.as_str().into(), size, root }.sign(&self.key)
    }

    /// Whether this is the secret half of a key.
    pub fn is_of(&self, vkey: &str) -> bool {
        self.verifier().to_string() == vkey
    }
}
