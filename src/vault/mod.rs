//! Personal data: sealed records behind commitments, keyed hashes of references, and the scan of public text.
//!
//! A record and its salt are sealed with a key of the person (ChaCha20-Poly1305, RFC 8439, nonce = entry number: one key seals one
//! entry once). That key is wrapped with the vault's key (XChaCha20-Poly1305, random nonce). Erasing a person removes both rows.

pub mod names;
pub mod scan;
pub mod webhook;

use crate::ledger::commitment::Salt;
use crate::values::Hash;
use crate::values::text::folded;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, XChaCha20Poly1305};
use webhook::Secret;

/// The vault's key: 32 random bytes in a file that only the owner may read.
#[derive(Clone)]
pub struct VaultKey([u8; 32]);

/// Random bytes that sealing a record uses up.
#[derive(Clone)]
pub struct Fresh {
    /// Of the commitment.
    pub salt: Salt,
    /// The person's key.
    pub person_key: [u8; 32],
    /// For wrapping it.
    pub nonce: [u8; 24],
}

/// What a sealed record is bound to beside its key: it opens only with exactly these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The person.
    pub person: u64,
    /// The entry.
    pub seq: u64,
    /// The keyed hashes that stand beside the entry: key, payload, reference, order.
    pub hashes: [i64; 4],
}

impl Place {
    fn bound(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        let numbers = self.hashes.iter().map(|hash| hash.to_be_bytes());
        for (to, from) in bytes.chunks_exact_mut(8).zip([self.person.to_be_bytes()].into_iter().chain(numbers)) {
            to.copy_from_slice(&from);
        }
        bytes
    }
}

/// The sealed bytes do not open: another key, another place, or changed bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("the sealed record does not open with this vault's key")]
pub struct DoesNotOpen;

/// What a keyed hash is of. Each has its own, so that a key and a reference of the same text differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// An idempotency key.
    Key,
    /// An external reference.
    Reference,
    /// A donor's order number with the exact amount.
    Order,
    /// What a command said.
    Payload,
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey")
    }
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fresh")
    }
}

impl VaultKey {
    /// From 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Seals salt and record for a place: the sealed bytes, and the person's key wrapped.
    pub fn seal(&self, fresh: &Fresh, place: &Place, record: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut plain = Vec::with_capacity(32 + record.len());
        plain.extend_from_slice(&fresh.salt);
        plain.extend_from_slice(record);
        let sealed = ChaCha20Poly1305::new(&fresh.person_key.into())
            .encrypt(&nonce_of(place.seq).into(), plain.as_slice())
            .expect("a record is far shorter than the cipher's limit");
        let wrapped = XChaCha20Poly1305::new(&self.0.into())
            .encrypt(&fresh.nonce.into(), Payload { msg: &fresh.person_key, aad: &place.bound() })
            .expect("a key is far shorter than the cipher's limit");
        (sealed, [fresh.nonce.as_slice(), &wrapped].concat())
    }

    /// Opens a sealed record: its salt and its bytes.
    pub fn open(&self, place: &Place, sealed: &[u8], wrapped: &[u8]) -> Result<(Salt, Vec<u8>), DoesNotOpen> {
        let (nonce, wrapped) = wrapped.split_first_chunk::<24>().ok_or(DoesNotOpen)?;
        let key = XChaCha20Poly1305::new(&self.0.into())
            .decrypt(&(*nonce).into(), Payload { msg: wrapped, aad: &place.bound() })
            .map_err(|_| DoesNotOpen)?;
        let key: [u8; 32] = key.try_into().map_err(|_| DoesNotOpen)?;
        let plain =
            ChaCha20Poly1305::new(&key.into()).decrypt(&nonce_of(place.seq).into(), sealed).map_err(|_| DoesNotOpen)?;
        let (salt, record) = plain.split_first_chunk::<32>().ok_or(DoesNotOpen)?;
        Ok((*salt, record.to_vec()))
    }

    /// A 64-bit hash of a text under this vault's key, never 0: whoever reads the database cannot try order numbers against it.
    pub fn keyed(&self, of: Keyed, text: &str) -> i64 {
        let label: &[u8] = match of {
            Keyed::Key => b"mingzhang/key/v1\x00",
            Keyed::Reference => b"mingzhang/reference/v1\x00",
            Keyed::Order => b"mingzhang/order/v1\x00",
            Keyed::Payload => b"mingzhang/payload/v1\x00",
        };
        let hash = Hash::of(&[label, &self.0, text.as_bytes()]);
        let (first, _) = hash.0.split_first_chunk::<8>().expect("32 bytes have 8");
        match i64::from_be_bytes(*first) {
            0 => 1,
            other => other,
        }
    }

    /// The secret of a webhook, derived from the random id that was given to it: it stands nowhere, and ends with that id.
    pub fn webhook_secret(&self, id: &str) -> Secret {
        Secret(Hash::of(&[b"mingzhang/webhook/v1\x00", &self.0, id.as_bytes()]).0)
    }

    /// The row of a code: what it opens, with a tag that only this key makes. One that was changed, or stands at another code, opens nothing.
    pub fn code_row(&self, purpose: &str, code_hash: Hash, subject: &str) -> String {
        format!("{subject} {}", self.code_tag(purpose, code_hash, subject))
    }

    /// What a row says that its code opens; `None` where the tag is not that of this code and subject.
    pub fn code_subject<'r>(&self, purpose: &str, code_hash: Hash, row: &'r str) -> Option<&'r str> {
        let (subject, tag) = row.rsplit_once(' ')?;
        (self.code_tag(purpose, code_hash, subject) == tag).then_some(subject)
    }

    fn code_tag(&self, purpose: &str, code_hash: Hash, subject: &str) -> String {
        let parts =
            [b"mingzhang/code-row/v1\x00", self.0.as_slice(), purpose.as_bytes(), &code_hash.0, subject.as_bytes()];
        Hash::of(&parts).to_hex()
    }

    /// Hash of a code that was shown once. Codes hold 128 random bits, so a plain hash would do; keyed, a stolen database helps nobody.
    /// Its letters and digits count, in whatever width and case they were typed.
    pub fn code_hash(&self, code: &str) -> Hash {
        let folded = folded(code).to_ascii_lowercase();
        let folded: String = folded.chars().filter(char::is_ascii_alphanumeric).collect();
        Hash::of(&[b"mingzhang/code/v1\x00", &self.0, folded.as_bytes()])
    }
}

fn nonce_of(seq: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&seq.to_be_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_opens_only_with_its_key_and_at_its_place() {
        let fresh = Fresh { salt: [1; 32], person_key: [2; 32], nonce: [3; 24] };
        let vault = VaultKey::new([4; 32]);
        let place = Place { person: 7, seq: 42, hashes: [1, 2, 3, 4] };
        let (sealed, wrapped) = vault.seal(&fresh, &place, b"{}");
        assert_eq!(vault.open(&place, &sealed, &wrapped), Ok(([1; 32], b"{}".to_vec())));
        assert_eq!(vault.open(&Place { person: 8, ..place }, &sealed, &wrapped), Err(DoesNotOpen));
        assert_eq!(vault.open(&Place { seq: 43, ..place }, &sealed, &wrapped), Err(DoesNotOpen));
        assert_eq!(vault.open(&Place { hashes: [1, 2, 0, 4], ..place }, &sealed, &wrapped), Err(DoesNotOpen));
        assert_eq!(VaultKey::new([5; 32]).open(&place, &sealed, &wrapped), Err(DoesNotOpen));
        let mut changed = sealed;
        changed[0] ^= 1;
        assert_eq!(vault.open(&place, &changed, &wrapped), Err(DoesNotOpen));
        assert_ne!(vault.keyed(Keyed::Key, "a"), vault.keyed(Keyed::Reference, "a"));
        assert_eq!(vault.code_hash("AB23-cd45"), vault.code_hash("ab23cd45"));
        assert_eq!(vault.code_hash("ＡＢ２３－ｃｄ４５"), vault.code_hash("ab23cd45"));
    }
}
