//! Cosignatures: a witness signs that it saw one consistent history up to a checkpoint, and when. C2SP `tlog-cosignature` v1.
//!
//! Signed message: `cosignature/v1\ntime <seconds>\n` and the text of the checkpoint; the signature bytes are the time as 8 bytes,
//! big-endian, and the Ed25519 signature.

use super::note::{KeyKind, Note, NoteError, SignatureLine, VerifierKey};
use ed25519_dalek::{Signer, SigningKey};

/// The end of the year 9999: a later time is none.
const TIME_MAX: u64 = 253_402_300_799;

fn message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// The witness's signature line over a checkpoint's text; `time` in seconds since 1970.
pub fn cosign(text: &str, time: u64, name: &str, key: &SigningKey) -> SignatureLine {
    let mut signature = time.to_be_bytes().to_vec();
    signature.extend_from_slice(&key.sign(&message(time, text)).to_bytes());
    SignatureLine { name: name.into(), key_id: VerifierKey::of(name, KeyKind::Witness, key).id(), signature }
}

/// Those who cosigned a note, by the names that they are called here, and when. A line that does not hold refuses the note.
pub fn seen<'k>(
    note: &Note,
    witnesses: impl IntoIterator<Item = (&'k str, &'k VerifierKey)>,
) -> Result<Vec<(String, u64)>, NoteError> {
    let mut seen = Vec::new();
    for (name, key) in witnesses {
        match verify(note, key) {
            Ok(time) => seen.push((name.to_owned(), time)),
            Err(NoteError::NotSigned { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(seen)
}

/// When the witness cosigned this note, in seconds since 1970. A line by its key that does not hold refuses the note.
pub fn verify(note: &Note, witness: &VerifierKey) -> Result<u64, NoteError> {
    let mut seen = None;
    if witness.kind() != KeyKind::Witness {
        return Err(witness.has_not_signed());
    }
    for line in witness.lines(note) {
        let refused = || NoteError::Signature(witness.name().into());
        let (time, signature) = line.signature.split_first_chunk::<8>().ok_or_else(refused)?;
        let time = u64::from_be_bytes(*time);
        if time > TIME_MAX || !witness.holds(&message(time, &note.text), signature) {
            return Err(refused());
        }
        seen = seen.max(Some(time));
    }
    seen.ok_or_else(|| witness.has_not_signed())
}
