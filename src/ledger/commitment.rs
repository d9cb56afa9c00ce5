//! Salted hashes that name what must not be published: a donor's record, a file, a line about a person.

use super::canonical::{NotWritable, Object};
use crate::values::Hash;

/// 32 random bytes, fresh for each gift and each file.
pub type Salt = [u8; 32];

/// The donor's commitment: `SHA-256("mingzhang/person/v1" ‖ 0x00 ‖ salt[32] ‖ JCS(record))`.
pub fn person(salt: &Salt, record: &Object<'_>) -> Result<Hash, NotWritable> {
    Ok(person_bytes(salt, &record.to_bytes()?))
}

/// The same, over the canonical bytes of the record.
pub fn person_bytes(salt: &Salt, record: &[u8]) -> Hash {
    Hash::of(&[b"mingzhang/person/v1\x00", salt, record])
}

/// Names a file or a line about a person: `SHA-256("mingzhang/blob/v1" ‖ 0x00 ‖ salt[32] ‖ bytes)`.
pub fn blob(salt: &Salt, bytes: &[u8]) -> Hash {
    Hash::of(&[b"mingzhang/blob/v1\x00", salt, bytes])
}
