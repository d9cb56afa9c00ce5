//! What was published.

use super::body::{BadBody, Body, Optional};
use crate::ledger::canonical::Object;
use crate::values::{CaseId, Hash};

/// A published report, as its entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Number of the report, without its version.
    pub number: String,
    /// Version, from 1.
    pub version: u64,
    /// The case that it is about.
    pub case: CaseId,
    /// The tree size that it was made at.
    pub size: u64,
    /// SHA-256 of its canonical data.
    pub data: Hash,
    /// The entry that says so.
    pub seq: u64,
}

impl Published {
    /// From the body of `report.published`.
    pub fn from_body(object: &Object<'_>, seq: u64) -> Result<Self, BadBody> {
        let body = Body(object);
        let data = body.optional_text("data").and_then(Hash::from_hex);
        Ok(Self {
            number: body.text("report")?.into(),
            version: body.count("version")?,
            case: body.parsed("case")?,
            size: body.count("size")?,
            data: data.ok_or(BadBody { member: "data".into() })?,
            seq,
        })
    }

    /// From the stored state.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        Self::from_body(object, Body(object).count("seq")?)
    }

    /// The stored state.
    pub fn to_object(&self) -> Object<'static> {
        Object::new()
            .text("report", self.number.clone())
            .count("version", self.version)
            .text("case", self.case.to_string())
            .count("size", self.size)
            .text("data", self.data.to_hex())
            .count("seq", self.seq)
    }

    /// Names of its files: in Chinese, in English, its data.
    pub fn file_names(&self) -> [String; 3] {
        Self::names_of(&format!("{}-v{}", self.number, self.version))
    }

    /// The same for a number with its version.
    pub fn names_of(full_number: &str) -> [String; 3] {
        [format!("{full_number}.zh.pdf"), format!("{full_number}.en.pdf"), format!("{full_number}.json")]
    }
}
