//! What was published.

use super::body::{BadBody, Body};
use crate::ledger::canonical::Object;
use crate::values::Hash;

/// A published report, as its entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Number of the report.
    pub number: String,
    /// Version, from 1.
    pub version: u64,
    /// The tree size that it was made at.
    pub size: u64,
    /// SHA-256 of its canonical data.
    pub data: Hash,
}

impl Published {
    /// From the body of `report.published`.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        let data = body.optional_text("data").and_then(Hash::from_hex);
        Ok(Self {
            number: body.text("report")?.into(),
            version: body.count("version")?,
            size: body.count("size")?,
            data: data.ok_or(BadBody { member: "data".into() })?,
        })
    }
}
