//! The organisation that keeps the ledger.

use super::body::{BadBody, Body, Optional};
use super::command::OpenLedger;
use super::decide::{Draft, Stop, require};
use super::field_rule::FieldRule;
use super::refusal::Refusal;
use super::working_set::WorkingSet;
use crate::ledger::canonical::{Object, Value};
use crate::ledger::note::VerifierKey;
use crate::ledger::rotation;
use crate::values::{Hash, Origin, Zone};

/// What entry 0 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Name in Chinese.
    pub name_zh: String,
    /// And in English.
    pub name_en: String,
    /// Unified social credit code.
    pub uscc: Option<String>,
    /// IANA name of the zone that days are counted in.
    pub time_zone: String,
    /// The log's public key, when it began.
    pub vkey: String,
    /// The keys that took its place, oldest first.
    pub rotations: Vec<Rotation>,
    /// The ledger that this one goes on from.
    pub continues: Option<Predecessor>,
}

/// A key that took the place of the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The entry that says so.
    pub seq: u64,
    /// The new key.
    pub vkey: String,
}

impl Rotation {
    fn from_value(value: &Value<'_>) -> Result<Self, BadBody> {
        let object = value.as_object().ok_or_else(|| BadBody { member: "rotations".into() })?;
        let body = Body(object);
        Ok(Self { seq: body.count("seq")?, vkey: body.text("vkey")?.into() })
    }

    fn to_object(&self) -> Object<'static> {
        Object::new().count("seq", self.seq).text("vkey", self.vkey.clone())
    }
}

/// A ledger that can no longer be written, because what was signed of it cannot be had back: as it was last signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Its log.
    pub origin: Origin,
    /// Count of its entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

impl Predecessor {
    fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        Ok(Self { origin: body.parsed("origin")?, size: body.count("size")?, root: body.hash("root")? })
    }

    fn to_object(&self) -> Object<'static> {
        let size = i64::try_from(self.size).expect("a log's size is far below 2^53");
        Object::new().text("origin", self.origin.to_string()).integer("size", size).text("root", self.root.to_hex())
    }
}

impl Organisation {
    /// From entry 0 or from the stored state, which has the later keys besides.
    pub fn from_object(object: &Object<'_>) -> Result<Self, BadBody> {
        let body = Body(object);
        let rotations = object.get("rotations").and_then(Value::as_array).unwrap_or_default();
        Ok(Self {
            name_zh: body.text("name_zh")?.into(),
            name_en: body.text("name_en")?.into(),
            uscc: body.optional_text("uscc").map(Into::into),
            time_zone: body.text("time_zone")?.into(),
            vkey: body.text("vkey")?.into(),
            rotations: rotations.iter().map(Rotation::from_value).collect::<Result<_, _>>()?,
            continues: body.optional_object("continues")?.map(Predecessor::from_object).transpose()?,
        })
    }

    /// The body of entry 0, and the stored state.
    pub fn to_object(&self) -> Object<'static> {
        let mut object = Object::new()
            .text("name_zh", self.name_zh.clone())
            .text("name_en", self.name_en.clone())
            .text_if("uscc", self.uscc.as_ref())
            .text("time_zone", self.time_zone.clone())
            .text("vkey", self.vkey.clone());
        if let Some(continues) = &self.continues {
            object.set("continues", Value::Object(continues.to_object()));
        }
        if !self.rotations.is_empty() {
            let rotations = self.rotations.iter().map(|rotation| Value::Object(rotation.to_object()));
            object.set("rotations", Value::Array(rotations.collect()));
        }
        object
    }

    /// The key that signs a tree of so many entries.
    pub fn key_at(&self, size: u64) -> &str {
        let newest = self.rotations.iter().rev().find(|rotation| rotation.seq < size);
        newest.map_or(self.vkey.as_str(), |rotation| rotation.vkey.as_str())
    }

    /// All keys, oldest first, each with the smallest size that it signs.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = (u64, &str)> {
        let later = self.rotations.iter().map(|rotation| (rotation.seq + 1, rotation.vkey.as_str()));
        std::iter::once((0, self.vkey.as_str())).chain(later)
    }
}

/// 18 characters of the unified social credit code with its check character. GB 32100-2015 §4.
pub fn is_uscc(text: &str) -> bool {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let digits: Option<Vec<usize>> = text.bytes().map(|b| ALPHABET.iter().position(|known| *known == b)).collect();
    let Some((check, body)) = digits.as_deref().and_then(<[usize]>::split_last) else {
        return false;
    };
    let sum: usize = body.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    body.len() == 17 && (31 - sum % 31) % 31 == *check
}

pub(super) fn open(set: &WorkingSet, order: &OpenLedger) -> Result<Vec<Draft>, Stop> {
    if set.organisation()?.is_some() {
        return Err(Refusal::LedgerIsOpen.into());
    }
    if Zone::parse(&order.time_zone).is_err() {
        let rule = FieldRule::NotTimeZone(order.time_zone.clone());
        return Err(Refusal::Field { field: "time_zone", rule }.into());
    }
    if let Some(uscc) = order.uscc.as_deref().filter(|uscc| !is_uscc(uscc)) {
        let rule = FieldRule::NotUscc(uscc.into());
        return Err(Refusal::Field { field: "uscc", rule }.into());
    }
    let organisation = Organisation {
        name_zh: order.name_zh.clone(),
        name_en: order.name_en.clone(),
        uscc: order.uscc.clone(),
        time_zone: order.time_zone.clone(),
        vkey: order.vkey.clone(),
        rotations: Vec::new(),
        continues: order.continues.clone(),
    };
    Ok(vec![Draft::fact("ledger.opened", organisation.to_object())])
}

/// Another key signs from now on. The next checkpoint is signed by both.
pub(super) fn rotate(set: &WorkingSet, vkey: &VerifierKey) -> Result<Vec<Draft>, Stop> {
    let known = require(set.organisation()?, "ledger", vkey.name())?;
    let text = vkey.to_string();
    let is_own = VerifierKey::parse(&known.vkey).is_ok_and(|first| first.name() == vkey.name());
    if !is_own || known.keys().any(|(_, known)| known == text) {
        return Err(Refusal::Field { field: "new_vkey", rule: FieldRule::NotNextKey(text) }.into());
    }
    Ok(vec![Draft::fact(rotation::KIND, Object::new().text("new_vkey", text))])
}

/// The organisation after it.
pub(super) fn rotated(known: Organisation, body: Body<'_, '_>, seq: u64) -> Result<Organisation, BadBody> {
    let mut rotations = known.rotations;
    rotations.push(Rotation { seq, vkey: body.text("new_vkey")?.into() });
    Ok(Organisation { rotations, ..known })
}
