//! What was published.

use super::body::{BadBody, Body, Optional};
use super::command::Correction;
use super::decide::{Context, Draft, Stop, require};
use super::field_rule::{FieldRule, TEXT_MAX};
use super::refusal::Refusal;
use super::working_set::WorkingSet;
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
    /// That another version has taken its place.
    pub corrected: Option<Corrected>,
}

/// A report that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The entry of the version that takes its place.
    pub by: u64,
    /// Why.
    pub note: String,
}

/// A report, and where it corrects another, that too.
pub(super) fn publish(
    set: &WorkingSet,
    context: &Context<'_>,
    body: &Object<'static>,
    corrects: Option<&Correction>,
) -> Result<Vec<Draft>, Stop> {
    let published = Draft::fact("report.published", body.clone());
    let Some(Correction { corrects, note }) = corrects else { return Ok(vec![published]) };
    let known = require(set.report(&corrects.to_string())?, "report", corrects)?;
    let name = || corrects.to_string();
    if known.corrected.is_some() {
        let state = "corrected already";
        return Err(Refusal::StepNotPossible { what: "report", name: name(), state, possible: &[] }.into());
    }
    if note.trim().is_empty() || note.chars().count() > TEXT_MAX {
        return Err(Refusal::Field { field: "note", rule: FieldRule::TextLength }.into());
    }
    let said = Object::new()
        .count("corrects", *corrects)
        .text("note", note.clone())
        .text("on", context.today.to_string())
        .text("report", known.number.clone())
        .count("version", known.version + 1);
    Ok(vec![published, Draft::fact("report.corrected", said)])
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
            corrected: None,
        })
    }

    /// From the stored state.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        let by = body.optional_count("corrected_by")?;
        let corrected = by.map(|by| Ok(Corrected { by, note: body.text("note")?.into() })).transpose()?;
        Ok(Self { corrected, ..Self::from_body(object, body.count("seq")?)? })
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
            .count_if("corrected_by", self.corrected.as_ref().map(|corrected| corrected.by))
            .text_if("note", self.corrected.as_ref().map(|corrected| corrected.note.clone()))
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
