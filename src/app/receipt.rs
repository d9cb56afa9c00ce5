//! Receipts: the certificate of a gift, issued once, and the file that proves the gift and all that became of it.

use super::items::KnownItems;
use super::keys::vkey_at;
use super::opened::{self, Opened};
use super::trace;
use super::tree::Tree;
use super::witnessed::{self, cosigned};
use super::writer::{Handle, Submission, WriteError};
use crate::domain::case::Case;
use crate::domain::command::Order;
use crate::domain::disclosure::Published;
use crate::domain::donation::Donation;
use crate::domain::fund::Fund;
use crate::domain::receipt::Certificate;
use crate::domain::refusal::Refusal;
use crate::ledger::canonical::Value;
use crate::ledger::chain::leaf_hash;
use crate::ledger::claim::Claim;
use crate::ledger::follow::{Follow, FollowError};
use crate::ledger::policy::Witness;
use crate::ledger::proof::Proof;
use crate::ledger::receipt::{ENTRIES_MAX, Proven, RECEIPTS, Receipt, ReceiptError};
use crate::ledger::sum_tree;
use crate::report::model::receipt::ReceiptRow;
use crate::store::{Store, StoreError};
use crate::values::{LineName, Span, StaffId};
use crate::vault::Place;
use std::collections::BTreeMap;
use std::time::Duration;

/// A receipt waits so long for the checkpoint that covers it.
const SIGNED_WITHIN: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum NoReceipt {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Posting.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A rule says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The donor's record is not there, or its key is not.
    #[error("the donor's record of gift {0} cannot be opened: its key was erased, or is kept apart")]
    Shut(u64),
    /// More entries than fit into one file.
    #[error(
        "gift {0} was touched by more than {ENTRIES_MAX} entries: too many for one receipt. `mingzhang trace` shows them"
    )]
    TooMany(u64),
    /// No checkpoint covers it yet.
    #[error("the log has not been signed up to this receipt yet; try again in a moment")]
    Unsigned,
    /// What was put together does not hold: the ledger is damaged.
    #[error("the receipt does not hold: {0}. Run `mingzhang verify`")]
    Broken(#[from] ReceiptError),
}

impl From<FollowError> for NoReceipt {
    fn from(error: FollowError) -> Self {
        Self::Broken(error.into())
    }
}

/// The certificate of a gift: the one that was issued before, or a new one.
pub async fn certificate(opened: &Opened, handle: &Handle, by: &StaffId, gift: u64) -> Result<Certificate, NoReceipt> {
    if let Some(known) = issued(opened, gift).await? {
        return Ok(known);
    }
    let submission = Submission::bare(by, Order::IssueReceipt { donation: gift });
    let answer = handle.post_now(vec![submission]).await?.into_iter().next().expect("one answer for one command");
    match (answer, issued(opened, gift).await?) {
        // Somebody else may have asked for it at the same time.
        (_, Some(certificate)) => Ok(certificate),
        (Err(refusal), None) => Err(refusal.into()),
        (Ok(_), None) => Err(NoReceipt::Unsigned),
    }
}

/// The certificate of a gift, if there is one.
pub async fn issued(opened: &Opened, gift: u64) -> Result<Option<Certificate>, StoreError> {
    opened.state("certificate", &gift.to_string(), Certificate::from_object).await
}

/// Puts the receipt of a gift together, with all that became of it by the newest checkpoint. Before it is handed out it is checked as
/// its reader will check it, see [`Receipt::verify`].
pub async fn gather(
    opened: &Opened,
    known_items: &KnownItems,
    certificate: &Certificate,
    witnesses: &[Witness],
) -> Result<Receipt, NoReceipt> {
    let (store, ledger_id, gift) = (&opened.store, opened.row.ledger_id, certificate.donation);
    let (size, note) = signed_over(opened, certificate.seq, witnesses).await?;
    let mut entries = touching(store, ledger_id, gift, size).await?;
    entries.insert(certificate.seq, store.known_entry(ledger_id, certificate.seq).await?);
    if entries.len() > ENTRIES_MAX {
        return Err(NoReceipt::TooMany(gift));
    }
    let totals = totals(opened, known_items, gift, entries.get(&gift).map_or(&[], Vec::as_slice), size).await?;
    for claim in &totals {
        entries.insert(claim.report, store.known_entry(ledger_id, claim.report).await?);
    }
    let tree = Tree::of(store, ledger_id, size);
    let mut proven = Vec::with_capacity(entries.len());
    for (seq, bytes) in entries {
        let path = tree.inclusion(seq).await?.ok_or(NoReceipt::Unsigned)?;
        let proof = Proof { extra: None, index: seq, path, checkpoint: note.clone() };
        proven.push((bytes, proof.to_string()));
    }
    let (salt, record) = opening(opened, gift).await?;
    let organisation = opened.organisation().await?;
    let vkey = vkey_at(&organisation, size)?;
    let keys = witnesses.iter().map(|witness| witness.key.clone()).collect();
    // Those up to the key that has signed here.
    let before = organisation.rotations.iter().filter(|rotation| rotation.seq < size).count();
    let rotations = opened::rotations(store, ledger_id, &organisation).await?.into_iter().take(before).collect();
    Ok(Receipt { vkey, witnesses: keys, entries: proven, rotations, totals, record, salt })
}

/// The published totals that a gift is inside: of the newest report of each case that its fund was for.
async fn totals(
    opened: &Opened,
    known_items: &KnownItems,
    gift: u64,
    bytes: &[u8],
    size: u64,
) -> Result<Vec<Claim>, NoReceipt> {
    let damaged = |what: String| StoreError::Damaged { table: "report", what };
    let found = Donation::from_entry(&trace::parse(bytes)?).map_err(|error| damaged(error.to_string()))?;
    let Some(donation) = found else { return Ok(Vec::new()) };
    let mut newest: BTreeMap<String, Published> = BTreeMap::new();
    for report in opened.states("report", Published::from_object).await? {
        let case = opened.state("case", report.case.as_str(), Case::from_object).await?;
        let is_of_gift = case.is_some_and(|case| case.fund == donation.fund) && gift < report.size && report.seq < size;
        let known = newest.get(report.case.as_str()).map_or(0, |known| known.seq);
        if is_of_gift && report.seq > known {
            newest.insert(report.case.to_string(), report);
        }
    }
    let leaf = leaf_hash(bytes);
    let mut claims = Vec::new();
    for report in newest.into_values() {
        let terms = known_items.of(opened, &report).await.map_err(|error| damaged(error.to_string()))?;
        let items = terms.get(RECEIPTS).map_or(&[][..], |term| term.items.as_slice());
        let Some(index) = items.iter().position(|item| item.item == leaf) else { continue };
        let path = sum_tree::proof(items, index).map_err(|error| damaged(error.to_string()))?.unwrap_or_default();
        let count = |n: usize| u64::try_from(n).expect("memory ends before 2^64");
        let (index, item) = (count(index), items[index]);
        claims.push(Claim { report: report.seq, term: RECEIPTS.into(), index, count: count(items.len()), item, path });
    }
    Ok(claims)
}

/// The newest checkpoint that covers an entry, with what witnesses have signed of it. They are waited for a while, where there are any.
async fn signed_over(opened: &Opened, seq: u64, witnesses: &[Witness]) -> Result<(u64, String), NoReceipt> {
    let (store, ledger_id) = (&opened.store, opened.row.ledger_id);
    let mut found = None;
    for _ in 0..SIGNED_WITHIN.as_millis() / LOOK.as_millis() {
        let seen = witnessed::seen(store, ledger_id).await?;
        // The largest that all of them have seen, where it covers the entry.
        let witnessed = witnesses
            .iter()
            .map(|witness| seen.iter().find(|seen| seen.witness == witness.key.name()).map_or(0, |seen| seen.last.0));
        let common = witnessed.min().filter(|size| *size > seq);
        let newest = store.latest_checkpoint(ledger_id).await?.filter(|(size, _)| *size > seq);
        let best = match common {
            Some(size) => store.checkpoint(ledger_id, size).await?.map(|note| (size, note)),
            None => newest,
        };
        if let Some((size, note)) = best {
            found = Some((size, cosigned(store, ledger_id, size, note).await?));
        }
        if found.is_some() && (witnesses.is_empty() || common.is_some()) {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    found.ok_or(NoReceipt::Unsigned)
}

/// All entries below a size that touched a gift, wherever its money went, the gift's own among them.
async fn touching(store: &Store, ledger_id: i64, gift: u64, size: u64) -> Result<BTreeMap<u64, Vec<u8>>, NoReceipt> {
    let bytes = store.known_entry(ledger_id, gift).await?;
    let damaged = |what: String| StoreError::Damaged { table: "entry", what };
    let found = Donation::from_entry(&trace::parse(&bytes)?).map_err(|error| damaged(error.to_string()))?;
    let Some(donation) = found else {
        return Err(Refusal::NotThatKind { seq: gift, wanted: "gift", found: "it is none".into() }.into());
    };
    let lines: BTreeMap<String, i64> = store.lines(ledger_id).await?.into_iter().map(|(id, name)| (name, id)).collect();
    let mut open: Vec<(LineName, Span)> = donation.spans;
    let mut entries = BTreeMap::from([(gift, bytes)]);
    while let Some((line, span)) = open.pop() {
        let Some(line_id) = lines.get(&line.to_string()) else {
            return Err(damaged(format!("{line} is missing")).into());
        };
        let mut seqs: Vec<u64> =
            store.posts_until(ledger_id, *line_id, span, size).await?.into_iter().map(|(_, _, seq)| seq).collect();
        seqs.sort_unstable();
        seqs.dedup();
        for seq in seqs {
            if !entries.contains_key(&seq) {
                if entries.len() >= ENTRIES_MAX {
                    return Err(NoReceipt::TooMany(gift));
                }
                entries.insert(seq, store.known_entry(ledger_id, seq).await?);
            }
            if seq != gift {
                open.extend(Follow::moved_on(&trace::parse(&entries[&seq])?, &line, span)?);
            }
        }
    }
    Ok(entries)
}

/// What opens the donor's commitment.
async fn opening(opened: &Opened, gift: u64) -> Result<([u8; 32], Vec<u8>), NoReceipt> {
    let page = opened.store.log(opened.row.ledger_id, gift, 1).await?;
    let stored = page.rows().next().transpose()?.ok_or(NoReceipt::Shut(gift))?;
    let sealed = stored.sealed.ok_or(NoReceipt::Shut(gift))?;
    let place = Place { person: sealed.person, seq: gift, hashes: stored.hashes };
    opened.keys.vault.open(&place, sealed.sealed, sealed.wrapped).map_err(|_| NoReceipt::Shut(gift))
}

/// What the printed certificate states, as a receipt has proved it.
pub async fn row(
    opened: &Opened,
    certificate: &Certificate,
    receipt: &Receipt,
    proven: &Proven<'_>,
) -> Result<ReceiptRow, NoReceipt> {
    let damaged = |what: String| StoreError::Damaged { table: "entry", what };
    let organisation = opened.organisation().await?;
    let (gift, bytes) = proven.entries.first().zip(receipt.entries.first()).ok_or(NoReceipt::Unsigned)?;
    let donation = Donation::from_entry(gift).map_err(|error| damaged(error.to_string()))?;
    let donation = donation.ok_or_else(|| damaged("the gift is none".into()))?;
    let own = proven.entries.iter().find(|entry| entry.seq == certificate.seq).ok_or(NoReceipt::Unsigned)?;
    let fund = opened.state("fund", donation.fund.as_str(), Fund::from_object).await?;
    let staff = opened.store.staff(opened.row.ledger_id).await?;
    let handler =
        staff.into_iter().find(|(id, _)| *id == gift.by).map_or_else(|| gift.by.to_string(), |(_, name)| name);
    let record = Value::parse(&receipt.record).map_err(|error| damaged(error.to_string()))?;
    let said = |name: &str| record.as_object().and_then(|record| record.get(name)?.as_text()).map(str::to_owned);
    Ok(ReceiptRow {
        name_zh: organisation.name_zh,
        name_en: organisation.name_en,
        uscc: organisation.uscc,
        origin: opened.row.origin.clone(),
        number: certificate.number.clone(),
        on: certificate.on,
        at: own.at,
        donor: said("name"),
        amount: certificate.amount,
        gift_on: donation.on,
        fund: fund.map_or_else(
            || (donation.fund.to_string(), donation.fund.to_string()),
            |fund| (fund.name_zh, fund.name_en),
        ),
        order_no: said("order_no").unwrap_or_default(),
        handler,
        entries: (certificate.donation, certificate.seq),
        leaf: leaf_hash(&bytes.0),
        tree: (proven.checkpoint.size, proven.checkpoint.root),
        vkey: receipt.vkey.to_string(),
    })
}
