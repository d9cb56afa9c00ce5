//! A receipt that proves itself: a gift with every entry that touched it, each with its proof of inclusion, and what opens the
//! donor's commitment. One canonical object:
//!
//! ```text
//! {"entries":[{"entry":"{\"at\":…}","proof":"c2sp.org/tlog-proof@v1\nindex 5\n…"},…],"format":"mingzhang-receipt/v1","record":"{…}",
//!  "rotations":[…],"salt":"6465…","totals":[…],"vkey":"mingzhang.example/love+5710e908+AQOh…","witnesses":["witness.example/w1+20324abe+BCms…"]}
//! ```
//!
//! `entries` ascend; the first is the gift. All proofs lead to one checkpoint. What is proved: these entries stand in the signed log,
//! the record is the one that the gift commits to, and the gift's money went from post to post as shown. What only the whole log can
//! prove is that no later entry is left out; `verify` does.

use super::canonical::{NotCanonical, NotWritable, Object, Value};
use super::chain::leaf_hash;
use super::checkpoint::{Checkpoint, VerifiedCheckpoint};
use super::claim::{Claim, NotInside};
use super::commitment::{self, Salt};
use super::cosignature;
use super::entry::{Entry, EntryError};
use super::follow::{self, Follow, FollowError};
use super::note::{Note, NoteError, VerifierKey};
use super::proof::{Proof, ProofError};
use super::rotation::{self, RotationError};
use super::sum_tree::{Item, Total};
use crate::values::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The value of `format`.
pub const FORMAT: &str = "mingzhang-receipt/v1";
/// Where a page holds a receipt, in base64.
pub const IN_PAGE: &str = "<script type=\"application/octet-stream\" id=\"receipt\">";
/// Largest receipt that is read, in bytes.
pub const BYTES_MAX: usize = 64_000_000;
/// The name of the term that gifts are items of.
pub const RECEIPTS: &str = "receipts";
/// Most entries of a receipt.
pub const ENTRIES_MAX: usize = 2_000;

/// A receipt as it is read: nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The log's key, as the receipt has it.
    pub vkey: VerifierKey,
    /// Keys of witnesses, as the receipt has them.
    pub witnesses: Vec<VerifierKey>,
    /// Entries with their proofs, ascending; the first is the gift.
    pub entries: Vec<(Vec<u8>, String)>,
    /// What leads from each earlier key of the log to the next, up to `vkey`.
    pub rotations: Vec<String>,
    /// Published totals that the gift is inside.
    pub totals: Vec<Claim>,
    /// The donor's record, in canonical bytes.
    pub record: Vec<u8>,
    /// Its salt.
    pub salt: Salt,
}

/// What a receipt has proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Proven<'r> {
    /// The tree that the log signed.
    pub checkpoint: Checkpoint,
    /// The signed note, with all its signatures.
    pub note: Note,
    /// The entries, ascending; the first is the gift.
    pub entries: Vec<Entry<'r>>,
    /// What became of the gift, in the words of [`Follow::fates`].
    pub fates: Vec<super::follow::Fate>,
    /// The published totals that the gift is inside: the entry that has published it, the name of the term, the total.
    pub totals: Vec<(u64, String, Total)>,
    /// Witnesses of the receipt's own list that cosigned, and when, in seconds since 1970.
    pub seen: Vec<(String, u64)>,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The form is broken.
    #[error("this is not a receipt: {0}")]
    Form(&'static str),
    /// It is not canonical JSON.
    #[error("this is not a receipt: {0}")]
    NotCanonical(#[from] NotCanonical),
    /// A key in it is none.
    #[error(transparent)]
    Key(#[from] NoteError),
    /// It is signed with another key of a log of that name.
    #[error(
        "the receipt is signed with {found}, and nothing in it leads there from {wanted}: it may be from before a change of the key, or somebody else's"
    )]
    OtherKey {
        /// The key in the receipt.
        found: String,
        /// The one asked for.
        wanted: String,
    },
    /// A change of the log's key does not hold.
    #[error("a change of its key does not hold: {0}")]
    Rotation(#[from] RotationError),
    /// It is of another log than the one asked for.
    #[error("the receipt is of {found}, not of {wanted}")]
    OtherLog {
        /// The key in the receipt.
        found: String,
        /// The one asked for.
        wanted: String,
    },
    /// An entry cannot be read.
    #[error("the entry in place {place} was changed: {error}")]
    Entry {
        /// Its place in the receipt.
        place: usize,
        /// Why.
        error: EntryError,
    },
    /// An entry is not in the signed tree.
    #[error("entry {seq} is not proved: {error}")]
    Proof {
        /// The entry.
        seq: u64,
        /// Why.
        error: ProofError,
    },
    /// An entry says that it stands elsewhere, or is of another ledger.
    #[error("entry {0} is not the one that its proof is of")]
    Misplaced(u64),
    /// An entry is of another gift.
    #[error("entry {0} has nothing to do with this gift")]
    Unrelated(u64),
    /// The gift says another amount than it brings in.
    #[error("the gift says another amount than it brings in")]
    Amount,
    /// Not all proofs lead to one tree.
    #[error("the proofs are of different checkpoints")]
    Checkpoints,
    /// The record is not the one that the gift commits to.
    #[error("the gift does not commit to this record: it is another donor's gift, or the record was changed")]
    Commitment,
    /// The record says something else than the entry.
    #[error("the record says another {0} than the entry of the gift")]
    Record(&'static str),
    /// The gift is not inside a total.
    #[error("the gift is not inside the total of entry {report}: {error}")]
    Total {
        /// The entry that has published it.
        report: u64,
        /// Why.
        error: NotInside,
    },
    /// A claim about a total has another form.
    #[error(transparent)]
    Claim(#[from] NotInside),
    /// The money does not go from post to post.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

impl Receipt {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotWritable> {
        let text = |bytes: &[u8]| Value::text(String::from_utf8_lossy(bytes).into_owned());
        let entry = |(bytes, proof): &(Vec<u8>, String)| {
            Value::Object(Object::new().with("entry", text(bytes)).text("proof", proof.clone()))
        };
        Object::new()
            .text("format", FORMAT)
            .text("vkey", self.vkey.to_string())
            .with("witnesses", Value::Array(self.witnesses.iter().map(|key| Value::text(key.to_string())).collect()))
            .with("entries", Value::Array(self.entries.iter().map(entry).collect()))
            .with("record", text(&self.record))
            .with("rotations", Value::Array(self.rotations.iter().map(|proof| Value::text(proof.clone())).collect()))
            .text("salt", hex::encode(self.salt))
            .with("totals", Value::Array(self.totals.iter().map(Claim::to_value).collect()))
            .to_bytes()
    }

    /// Reads a receipt from its file: the canonical object itself, or the page that holds it.
    pub fn of_file(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.starts_with(b"{") {
            return Self::parse(bytes);
        }
        let page = std::str::from_utf8(bytes).map_err(|_| ReceiptError::Form("it is no text"))?;
        let data = page.split_once(IN_PAGE).and_then(|(_, rest)| rest.split_once("</script>"));
        let (data, _) = data.ok_or(ReceiptError::Form("the page holds none"))?;
        let bytes =
            STANDARD.decode(data.trim()).map_err(|_| ReceiptError::Form("what the page holds is not base64"))?;
        Self::parse(&bytes)
    }

    /// Reads a receipt; what it says is checked by [`Receipt::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > BYTES_MAX {
            return Err(ReceiptError::Form("it is larger than any receipt can be"));
        }
        let Value::Object(members) = Value::parse(bytes)? else {
            return Err(ReceiptError::Form("it is no object"));
        };
        let known = ["entries", "format", "record", "rotations", "salt", "totals", "vkey", "witnesses"];
        if !members.iter().map(|(key, _)| key).eq(known) {
            return Err(ReceiptError::Form("a member is missing or unknown"));
        }
        let text = |name: &str| {
            let text = members.get(name).and_then(Value::as_text);
            text.ok_or(ReceiptError::Form("a member is no text"))
        };
        if text("format")? != FORMAT {
            return Err(ReceiptError::Form("its format is not known"));
        }
        let array = |name: &str| {
            let array = members.get(name).and_then(Value::as_array);
            array.ok_or(ReceiptError::Form("a member is no list"))
        };
        let entry = |value: &Value<'_>| match value {
            Value::Object(entry) if entry.iter().count() == 2 => {
                let text = |name: &str| entry.get(name).and_then(Value::as_text).map(str::to_owned);
                text("entry").map(String::into_bytes).zip(text("proof"))
            }
            Value::Object(_) | Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Array(_) => None,
        };
        let entries: Option<Vec<_>> = array("entries")?.iter().map(entry).collect();
        let entries = entries.ok_or(ReceiptError::Form("an entry has not exactly entry and proof"))?;
        if entries.is_empty() || entries.len() > ENTRIES_MAX {
            return Err(ReceiptError::Form("it has no entry, or more than 2,000"));
        }
        let witness = |value: &Value<'_>| {
            let text = value.as_text().ok_or(ReceiptError::Form("a witness is no text"))?;
            Ok(VerifierKey::parse(text)?)
        };
        let rotation = |value: &Value<'_>| {
            value.as_text().map(str::to_owned).ok_or(ReceiptError::Form("a change of keys is no text"))
        };
        let rotations = array("rotations")?.iter().map(rotation).collect::<Result<Vec<_>, _>>()?;
        if rotations.len() > rotation::MAX {
            return Err(ReceiptError::Form("it has more than 1,000 changes of keys"));
        }
        let salt = Hash::from_hex(text("salt")?).ok_or(ReceiptError::Form("the salt has not 64 hex digits"))?;
        Ok(Self {
            vkey: VerifierKey::parse(text("vkey")?)?,
            witnesses: array("witnesses")?.iter().map(witness).collect::<Result<_, ReceiptError>>()?,
            entries,
            rotations,
            totals: array("totals")?.iter().map(Claim::from_value).collect::<Result<_, _>>()?,
            record: text("record")?.as_bytes().to_vec(),
            salt: salt.0,
        })
    }

    /// Checks everything in it, against the key of the log that it should be of.
    pub fn verify(&self, log: &VerifierKey) -> Result<Proven<'_>, ReceiptError> {
        let (found, wanted) = (self.vkey.to_string(), log.to_string());
        if self.vkey.name() != log.name() {
            return Err(ReceiptError::OtherLog { found, wanted });
        }
        if self.vkey != rotation::newest(&self.rotations, log.clone())? {
            return Err(ReceiptError::OtherKey { found, wanted });
        }
        let log = &self.vkey;
        let mut signed: Option<(String, VerifiedCheckpoint)> = None;
        let mut entries = Vec::with_capacity(self.entries.len());
        for (place, (bytes, proof)) in self.entries.iter().enumerate() {
            let entry = Entry::parse(bytes).map_err(|error| ReceiptError::Entry { place, error })?;
            let seq = entry.seq;
            let unproved = |error| ReceiptError::Proof { seq, error };
            let proof = Proof::parse(proof.as_bytes()).map_err(unproved)?;
            if proof.index != seq || entry.ledger != log.name() {
                return Err(ReceiptError::Misplaced(seq));
            }
            let (text, opened) = match &signed {
                Some(signed) => signed,
                None => {
                    let opened = VerifiedCheckpoint::open(proof.checkpoint.as_bytes(), log);
                    let opened = opened.map_err(|error| unproved(error.into()))?;
                    signed.insert((proof.checkpoint.clone(), opened))
                }
            };
            if proof.checkpoint != *text {
                return Err(ReceiptError::Checkpoints);
            }
            proof.leads_to(leaf_hash(bytes), opened.checkpoint()).map_err(unproved)?;
            entries.push(entry);
        }
        let (_, opened) = signed.ok_or(ReceiptError::Form("it has no entry"))?;
        let gift = entries.first().ok_or(ReceiptError::Form("it has no entry"))?;
        self.check_record(gift)?;
        let mut follow = Follow::begin(gift)?;
        for entry in &entries[1..] {
            let touches = follow.step(entry)?;
            let named = entry.body.get("donation").and_then(Value::as_integer).and_then(|seq| u64::try_from(seq).ok());
            let is_claimed = self.totals.iter().any(|claim| claim.report == entry.seq);
            if !touches && !is_claimed && named != Some(gift.seq) {
                return Err(ReceiptError::Unrelated(entry.seq));
            }
        }
        let totals = self.check_totals(&entries)?;
        let seen = cosignature::seen(opened.note(), self.witnesses.iter().map(|key| (key.name(), key)))?;
        let (checkpoint, note) = (opened.checkpoint().clone(), opened.note().clone());
        Ok(Proven { checkpoint, note, totals, fates: follow.fates(), entries, seen })
    }

    /// The gift, with all of it, is an item of each total.
    fn check_totals(&self, entries: &[Entry<'_>]) -> Result<Vec<(u64, String, Total)>, ReceiptError> {
        let gift = Item {
            item: leaf_hash(&self.entries[0].0),
            amount: follow::amount(&entries[0]).ok_or(ReceiptError::Amount)?,
        };
        let mut totals = Vec::new();
        for claim in &self.totals {
            let refused = |error| ReceiptError::Total { report: claim.report, error };
            let published = entries.iter().find(|entry| entry.seq == claim.report);
            let published = published.ok_or_else(|| refused(NotInside::NoTerm))?;
            if claim.item != gift {
                return Err(refused(NotInside::Outside));
            }
            if claim.term != RECEIPTS {
                return Err(refused(NotInside::NoTerm));
            }
            totals.push((claim.report, claim.term.clone(), claim.verify(published).map_err(refused)?));
        }
        Ok(totals)
    }

    /// The record is what the gift commits to, and says of it what the entry says.
    fn check_record(&self, gift: &Entry<'_>) -> Result<(), ReceiptError> {
        let donor = gift.body.get("donor").and_then(Value::as_text).and_then(Hash::from_hex);
        if donor != Some(commitment::person_bytes(&self.salt, &self.record)) {
            return Err(ReceiptError::Commitment);
        }
        let Value::Object(record) = Value::parse(&self.record)? else {
            return Err(ReceiptError::Record("form"));
        };
        if record.get("ledger").and_then(Value::as_text) != Some(&gift.ledger) {
            return Err(ReceiptError::Record("ledger"));
        }
        follow::amount(gift).ok_or(ReceiptError::Amount)?;
        let differs = ["amount", "unit", "on"].into_iter().find(|name| record.get(name) != gift.body.get(name));
        differs.map_or(Ok(()), |name| Err(ReceiptError::Record(name)))
    }
}
