//! SHA-256 values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt;

/// 32 bytes made by SHA-256; written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

/// What a lower-case hex digit is worth; 255 is none.
const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => 255,
    }
}

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
        let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; 32];
        let mut seen = 0;
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let (high, low) = (nibble(pair[0]), nibble(pair[1]));
            seen |= high | low;
            *byte = (high << 4) | (low & 15);
        }
        (seen < 16).then_some(Self(bytes))
    }

    /// 64 lower-case hex digits.
    pub fn to_hex(self) -> String {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).expect("32 bytes are 64 digits");
        std::str::from_utf8(&digits).expect("digits are ASCII").to_owned()
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

#[cfg(test)]
mod tests {
    use super::Hash;

    #[test]
    fn only_lower_case_hex_of_32_bytes_is_a_hash() {
        let hash = Hash::of(&[b"mingzhang"]);
        let text = hash.to_hex();
        assert_eq!(Hash::from_hex(&text), Some(hash));
        for place in 0..64 {
            for digit in ["A", "F", "g", "`", "/", ":", " ", "\u{0}"] {
                let mut changed = text.clone();
                changed.replace_range(place..=place, digit);
                assert_eq!(Hash::from_hex(&changed), None, "{changed}");
            }
        }
        assert_eq!(Hash::from_hex(&text[1..]), None);
        assert_eq!(Hash::from_hex(&format!("{text}0")), None);
        assert_eq!(Hash::from_hex(&format!("{}é", &text[2..])), None);
    }
}
