//! SHA-256 values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt;

/// 32 bytes made by SHA-256; written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What stands for "nothing before": the `prev` of entry 0.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of the parts laid end to end.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// 64 lower-case hex digits; anything else is `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        let lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut bytes = [0; 32];
        (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(Self(bytes))
    }

    /// 64 lower-case hex digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Standard base64 with padding, as C2SP notes write hashes.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Standard base64 with padding, of exactly 32 bytes.
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).map(Self)
    }

    /// Reads 32 bytes of a column or file.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The first eight hex digits, for people.
    pub fn short(self) -> String {
        self.to_hex().chars().take(8).collect()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}
