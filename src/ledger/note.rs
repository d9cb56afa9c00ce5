//! Signed notes. C2SP `signed-note`, version 1.0.0.
//!
//! ```text
//! mingzhang.example/wuzhong-love
//! 33
//! ilxbIx34Ky/SXrG+j++0xLLKcB/hS3c950k+vj3mRWs=
//!
//! — mingzhang.example/wuzhong-love VxDpCK+Cd7u+0FMo…
//! ```
//! A text that ends in a newline, an empty line, then one line a signature: em dash, key name, base64 of key id (4 bytes) and signature.

use crate::values::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;

/// Largest note that is read, in bytes.
pub const BYTES_MAX: usize = 1_000_000;
/// Most signature lines that are read.
pub const SIGNATURES_MAX: usize = 100;

/// What a key signs, as its type byte says. C2SP `signed-note` (0x01) and `tlog-cosignature` (0x04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A log's key: signs the text of the note.
    Log,
    /// A witness's key: signs the text with a time before it.
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A public key by its name: `name+keyid+base64(type ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

/// Why a text is not a verifier key or not a note, or why no signature holds.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum NoteError {
    /// The key line is not `name+keyid+base64`, its id does not fit, or its type is not known.
    #[error("this is not a verifier key: {0}")]
    Key(&'static str),
    /// The note's form is broken.
    #[error("this is not a signed note: {0}")]
    Form(&'static str),
    /// No signature by the wanted key.
    #[error("the note is not signed by {name} with the key {key}")]
    NotSigned {
        /// The key's name.
        name: String,
        /// Its id.
        key: String,
    },
    /// A signature by the wanted key does not hold.
    #[error("the signature by {0} does not hold: the text or the signature was changed")]
    Signature(String),
}

/// A signature line: who, with which key, and the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// Name of the key.
    pub name: String,
    /// First four bytes of the key's hash.
    pub key_id: [u8; 4],
    /// What follows the key id.
    pub signature: Vec<u8>,
}

/// A note whose form was checked, its signatures not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text, with its last newline.
    pub text: String,
    /// The signature lines in order.
    pub signatures: Vec<SignatureLine>,
}

/// First four bytes of `SHA-256(name ‖ "\n" ‖ type ‖ key)`.
fn key_id(name: &str, kind: KeyKind, key: &[u8; 32]) -> [u8; 4] {
    let [a, b, c, d, ..] = Hash::of(&[name.as_bytes(), b"\n", &[kind.byte()], key]).0;
    [a, b, c, d]
}

/// A number as C2SP's texts write it: no sign, no zeroes before it.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| digits)
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
}

impl VerifierKey {
    /// The public half of a signing key.
    pub fn of(name: &str, kind: KeyKind, key: &SigningKey) -> Self {
        Self { name: name.into(), kind, key: key.verifying_key() }
    }

    /// Reads `name+keyid+base64(type ‖ key)`; refused where the id does not belong to the key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key("it must be name+keyid+key"));
        };
        if !is_key_name(name) {
            return Err(NoteError::Key("its name is empty or has a space or a plus sign"));
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Key("its key is not base64"))?;
        let kind = match bytes.first() {
            Some(0x01) => KeyKind::Log,
            Some(0x04) => KeyKind::Witness,
            _ => return Err(NoteError::Key("its type is not known")),
        };
        let key: [u8; 32] =
            bytes.get(1..).and_then(|key| key.try_into().ok()).ok_or(NoteError::Key("its key has not 32 bytes"))?;
        let lower = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !lower || hex::decode(id).ok().as_deref() != Some(key_id(name, kind, &key).as_slice()) {
            return Err(NoteError::Key("its id does not belong to this name and key"));
        }
        let key = VerifyingKey::from_bytes(&key).map_err(|_| NoteError::Key("its key is not a point of the curve"))?;
        Ok(Self { name: name.into(), kind, key })
    }

    /// Name of the key: the log's origin, or the witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// First four bytes of the key's hash.
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.kind, self.key.as_bytes())
    }

    /// The signature lines of a note that were made by this key's name and id.
    pub(super) fn lines<'n>(&self, note: &'n Note) -> impl Iterator<Item = &'n SignatureLine> {
        let (name, id) = (self.name.clone(), self.id());
        note.signatures.iter().filter(move |line| line.name == name && line.key_id == id)
    }

    pub(super) fn has_not_signed(&self) -> NoteError {
        NoteError::NotSigned { name: self.name.clone(), key: hex::encode(self.id()) }
    }

    /// True where these 64 bytes sign the message. Small-order keys and malleable signatures are refused.
    pub(super) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(bytes))
    }
}

impl Note {
    /// Reads a note. Signatures by unknown keys are kept; whether one holds is for [`Note::verify`] to say.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > BYTES_MAX {
            return Err(NoteError::Form("it is longer than a million bytes"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Form("it is not UTF-8"))?;
        if whole.chars().any(|c| c.is_ascii_control() && c != '\n') {
            return Err(NoteError::Form("it holds a control character"));
        }
        let end = whole.rfind("\n\n").ok_or(NoteError::Form("the empty line before the signatures is missing"))?;
        let (text, rest) = (&whole[..=end], &whole[end + 2..]);
        let rest =
            rest.strip_suffix('\n').ok_or(NoteError::Form("it does not end in a newline after its signatures"))?;
        let signatures = rest.split('\n').map(SignatureLine::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Form("it has more than 100 signatures"));
        }
        Ok(Self { text: text.into(), signatures })
    }

    /// Signs a text, which ends in a newline, as a log does.
    pub fn sign(text: String, name: &str, key: &SigningKey) -> Self {
        let mut note = Self { text, signatures: Vec::new() };
        note.add_signature(name, key);
        note
    }

    /// Signs it with another key of the log as well.
    pub fn add_signature(&mut self, name: &str, key: &SigningKey) {
        self.signatures.push(SignatureLine {
            name: name.into(),
            key_id: VerifierKey::of(name, KeyKind::Log, key).id(),
            signature: key.sign(self.text.as_bytes()).to_bytes().to_vec(),
        });
    }

    /// Checks that a log's key signed the text. A line with the key's name and id that does not hold refuses the note.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let mut lines = key.lines(self).peekable();
        if key.kind() != KeyKind::Log || lines.peek().is_none() {
            return Err(key.has_not_signed());
        }
        for line in lines {
            if !key.holds(self.text.as_bytes(), &line.signature) {
                return Err(NoteError::Signature(key.name.clone()));
            }
        }
        Ok(())
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, encoded) = line
            .strip_prefix("— ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteError::Form("a signature line must be an em dash, a name and base64"))?;
        if !is_key_name(name) {
            return Err(NoteError::Form("a signature's name is empty or has a space or a plus sign"));
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Form("a signature is not base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((id, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.into(), key_id: *id, signature: signature.to_vec() })
            }
            _ => Err(NoteError::Form("a signature is too short")),
        }
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
