//! `verify`: re-reads and re-hashes every stored byte that is derived from entries or named by a hash; says which entry is the
//! first bad one and why; repairs nothing.

mod known;
mod tables;

use super::asked::{Asked, Witnessed};
use super::folder::{Folder, OpenError, root_at, slug_of};
use super::keys::{Keys, open_checkpoint};
use super::opened::Opened;
use super::publish::{self, PublishError};
use super::rebuild::Replay;
use crate::domain::disclosure::Published;
use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::commitment;
use crate::ledger::entry::{Entry, EntryError};
use crate::ledger::note::{Note, SignatureLine};
use crate::ledger::tile::{Content, Edge, LEVELS, WIDTH};
use crate::ledger::verify::{FirstBad, read};
use crate::store::{LedgerRow, LogPage, LogRow, Store, StoreError};
use crate::values::{Hash, Origin};
use crate::vault::{Place, VaultKey};
use std::collections::VecDeque;
use std::hash::RandomState;
use std::sync::Arc;
use tokio::task::{JoinError, JoinSet};

/// What `verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Entries that hold.
    pub entries: u64,
    /// Root over them.
    pub root: Hash,
    /// The first that does not.
    pub first_bad: Option<FirstBad>,
    /// Sealed records that were opened and agree with their commitment.
    pub opened: u64,
    /// Sealed records whose key is not here: it was erased, or is kept apart.
    pub shut: u64,
    /// Why the keys could not be read, so that the signed head and sealed records were not looked at.
    pub without_keys: Option<String>,
    /// Who has seen it.
    pub witnessed: Witnessed,
    /// The size of the earlier checkpoint that the log still begins with.
    pub since: Option<u64>,
}

/// Sealed records that were opened, and that are shut.
#[derive(Clone, Copy)]
struct Records {
    opened: u64,
    shut: u64,
}

/// Entries read in one go.
const PAGE: u32 = 1_000;
/// Pages that are read ahead for each core, and tiles that are looked at meanwhile.
const AHEAD: u64 = 4;
const TILES: usize = 32;

/// Verifies a ledger of a data folder, also one that other commands refuse.
pub async fn verify(folder: &Folder, slug: Option<&str>, progress: impl FnMut(u64, u64)) -> Result<Verdict, OpenError> {
    verify_as_asked(folder, slug, &Asked::default(), progress).await
}

/// The same, with what a reader asks beside.
pub async fn verify_as_asked(
    folder: &Folder,
    slug: Option<&str>,
    asked: &Asked,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verdict, OpenError> {
    let store = Store::open_for_reading(folder.place()).await?;
    let (row, damage) = match folder.find(&store, slug).await {
        Ok(row) => (row, None),
        // Nothing is damaged: it has not been said what to look at.
        Err(error @ (OpenError::WhichLedger { .. } | OpenError::Unfinished { .. })) => return Err(error),
        Err(error) => match row_from_entries(&store, slug).await? {
            Some(row) => (row, Some(super::writer::chain(&error))),
            None => return Err(error),
        },
    };
    let keys = match Origin::parse(&row.origin) {
        Ok(origin) => folder.keys(&origin).map_err(|error| super::writer::chain(&error)),
        Err(error) => Err(error.to_string()),
    };
    let (keys, without_keys) = match keys {
        Ok(keys) => (Some(keys), None),
        Err(why) => (None, Some(why)),
    };
    let signed = match &keys {
        None => Ok(None),
        Some(keys) => folder.signed(keys).map(|signed| signed.map(|signed| signed.checkpoint().clone())),
    };
    let verdict = match check(&store, &row, keys.as_ref(), &mut progress).await {
        Err(error @ StoreError::Damaged { .. }) => Verdict::of(0, Hash::ZERO).or_bad(0, error.to_string()),
        checked => checked?,
    };
    let verdict = match signed {
        Ok(signed) => against_signed(&store, &row, verdict, signed).await?,
        Err(error) => {
            let end = verdict.entries;
            verdict.or_bad(end, super::writer::chain(&error))
        }
    };
    let verdict = match damage {
        None => verdict,
        Some(damage) => {
            let last = verdict.entries.saturating_sub(1);
            verdict.or_bad(last, format!("the ledger's own row is damaged or missing: {damage}"))
        }
    };
    let verdict =
        if verdict.first_bad.is_none() { known::held_against(&store, &row, verdict, asked).await? } else { verdict };
    let verdict = match keys {
        Some(keys) if verdict.first_bad.is_none() => {
            let opened = Opened { folder: folder.clone(), store: store.clone(), row, keys };
            match published_fault(&opened).await? {
                None => verdict,
                Some(FirstBad { seq, reason }) => verdict.or_bad(seq, reason),
            }
        }
        Some(_) | None => verdict,
    };
    store.close().await;
    Ok(Verdict { without_keys, ..verdict })
}

impl Verdict {
    /// So many entries that hold, and nothing looked at beside.
    fn of(entries: u64, root: Hash) -> Self {
        let (first_bad, without_keys, since) = (None, None, None);
        Self { entries, root, first_bad, opened: 0, shut: 0, without_keys, witnessed: Witnessed::default(), since }
    }

    fn or_bad(mut self, seq: u64, reason: String) -> Self {
        self.first_bad = self.first_bad.or(Some(FirstBad { seq, reason }));
        self
    }
}

/// Where the row of the ledger cannot be read, the entries themselves still say whose they are.
async fn row_from_entries(store: &Store, slug: Option<&str>) -> Result<Option<LedgerRow>, StoreError> {
    for ledger_id in 1..=64 {
        let Some(first) = store.entries(ledger_id, 0, 1).await?.into_iter().next() else {
            continue;
        };
        let Ok(entry) = Entry::parse(&first.bytes) else {
            continue;
        };
        let origin = entry.ledger.to_string();
        let found = slug_of(&origin).to_owned();
        if slug.is_none_or(|slug| slug == found) {
            return Ok(Some(LedgerRow {
                ledger_id,
                slug: found,
                origin,
                size: u64::MAX,
                last: Hash::ZERO,
                at_millis: None,
                peaks: Vec::new(),
            }));
        }
    }
    Ok(None)
}

async fn against_signed(
    store: &Store,
    row: &LedgerRow,
    verdict: Verdict,
    signed: Option<Checkpoint>,
) -> Result<Verdict, StoreError> {
    let Some(signed) = signed else {
        return Ok(verdict);
    };
    if verdict.first_bad.is_some() {
        return Ok(verdict);
    }
    if verdict.entries < signed.size {
        let (end, size) = (verdict.entries, signed.size);
        return Ok(verdict.or_bad(end, format!("it is missing: {size} entries were signed, the log ends here")));
    }
    let root =
        if verdict.entries == signed.size { verdict.root } else { root_at(store, row.ledger_id, signed.size).await? };
    if root == signed.root {
        return Ok(verdict);
    }
    Ok(verdict.or_bad(
        0,
        format!("the first {} entries are not those that were signed: the history was replaced", signed.size),
    ))
}

/// The first report whose published totals and data are not what the entries below its size add up to.
async fn published_fault(opened: &Opened) -> Result<Option<FirstBad>, StoreError> {
    let mut reports = opened.states("report", Published::from_object).await?;
    reports.sort_by_key(|report| report.seq);
    for report in reports {
        let bytes = opened.store.entry(opened.row.ledger_id, report.seq).await?.unwrap_or_default();
        let numbered = Some((report.number.clone(), report.version));
        let made = publish::at_size(opened, report.case.as_str(), report.size, numbered).await;
        let holds = match (made, Entry::parse(&bytes)) {
            (Ok(made), Ok(entry)) => made.is_stated_by(&entry),
            (Err(PublishError::Store(error)), _) => return Err(error),
            (Err(_), _) | (_, Err(_)) => false,
        };
        if !holds {
            return Ok(Some(FirstBad { seq: report.seq, reason: TOTALS.into() }));
        }
    }
    Ok(None)
}

/// What is wrong with a report whose totals are others than those of the entries.
pub(super) const TOTALS: &str = "the totals that it publishes are not what the entries add up to";

const TILE_CHANGED: &str =
    "its tile in the table of tiles holds other hashes than the log; `mingzhang rebuild` makes it again";

/// The fold over all entries, and the comparison with everything derived from them.
pub async fn check(
    store: &Store,
    row: &LedgerRow,
    keys: Option<&Keys>,
    progress: &mut impl FnMut(u64, u64),
) -> Result<Verdict, StoreError> {
    let mut replay = Replay::new(&row.origin);
    let drawn = RandomState::new();
    let mut spans = tables::SpanSum::default();
    let mut edge = Edge::default();
    let mut records = Records { opened: 0, shut: 0 };
    let verdict = |replay: &Replay, Records { opened, shut }: Records, first_bad: Option<FirstBad>| Verdict {
        first_bad,
        opened,
        shut,
        ..Verdict::of(replay.verifier.head().size(), replay.verifier.head().frontier.root())
    };
    let mut roots = store.checkpoints(row.ledger_id).await?.into_iter().peekable();
    let mut cosigned = store.all_cosignatures(row.ledger_id).await?.into_iter().peekable();
    let mut signed = 0;
    let ledger_id = row.ledger_id;
    let vault = keys.map(|keys| Arc::new(keys.vault.clone()));
    let fetch = |from: u64| {
        let (store, vault) = (store.clone(), vault.clone());
        tokio::spawn(async move {
            let page = store.log(ledger_id, from, PAGE).await?;
            let looked = tokio::task::spawn_blocking(move || look(&page, vault.as_deref()));
            Ok::<_, StoreError>(looked.await?)
        })
    };
    // The table of posts is summed up meanwhile: a sum asks for no order.
    let mut posted = JoinSet::new();
    posted.spawn({
        let (store, drawn) = (store.clone(), drawn.clone());
        async move {
            let mut found = tables::SpanSum::default();
            tables::each_post(&store, ledger_id, |row| found.add(&drawn, row)).await.map(|()| found)
        }
    });
    // While one page is followed, the next are read and looked at on the other cores.
    let ahead = u64::try_from(cores()).unwrap_or(1) * AHEAD;
    let mut tiles: JoinSet<Result<Option<FirstBad>, StoreError>> = JoinSet::new();
    let mut pages: VecDeque<_> = (0..ahead).map(|page| fetch(page * u64::from(PAGE))).collect();
    let mut from = ahead * u64::from(PAGE);
    while let Some(read) = pages.pop_front() {
        let page = read.await??;
        if page.is_empty() {
            break;
        }
        pages.push_back(fetch(from));
        from += u64::from(PAGE);
        for looked in page {
            let seq = replay.verifier.head().size();
            let bad = |reason: String| Some(FirstBad { seq, reason });
            let looked = match looked {
                Ok(looked) => looked,
                Err(error) => return Ok(verdict(&replay, records, bad(error.to_string()))),
            };
            if i64::try_from(seq) != Ok(looked.seq) {
                let reason = format!("it is missing: the next stored entry is {}", looked.seq);
                return Ok(verdict(&replay, records, bad(reason)));
            }
            let (entry, leaf) = match looked.entry {
                Ok(read) => read,
                Err(error) => return Ok(verdict(&replay, records, bad(error.to_string()))),
            };
            let followed =
                replay.follow(&entry, leaf, |rows| rows.iter().for_each(|row| spans.add(&drawn, &row.numbers())));
            if let Err(first_bad) = followed {
                return Ok(verdict(&replay, records, Some(first_bad)));
            }
            if !looked.has_its_leaf {
                let reason = "its stored leaf hash is not that of its bytes".into();
                return Ok(verdict(&replay, records, bad(reason)));
            }
            for (level, hashes) in (0..).zip(edge.push(leaf)) {
                // Tiles are filled behind the log: what is not there is computed when it is asked for. Nobody waits for one.
                let store = store.clone();
                tiles.spawn(async move {
                    let kept = store.tile(ledger_id, level, seq >> (8 * (level + 1))).await?;
                    let differs = kept.is_some_and(|kept| !hashes.starts_with(&kept));
                    Ok(differs.then(|| FirstBad { seq, reason: TILE_CHANGED.into() }))
                });
            }
            match looked.record {
                Record::None => {}
                Record::Opened => records.opened += 1,
                Record::Shut => records.shut += 1,
                Record::Bad(reason) => return Ok(verdict(&replay, records, bad(reason))),
            }
            while let Some((size, note)) = roots.next_if(|(size, _)| *size == seq + 1) {
                if let Some(reason) = checkpoint_fault(&note, signed, &replay) {
                    return Ok(verdict(&replay, records, bad(reason)));
                }
                signed = size;
                while let Some((_, witness, seconds, line)) = cosigned.next_if(|(cosigned, ..)| *cosigned == size) {
                    if !is_cosignature(&note, &line, &witness, seconds) {
                        let reason = format!(
                            "the kept cosignature by {witness} over the {size} entries that end here was changed"
                        );
                        return Ok(verdict(&replay, records, bad(reason)));
                    }
                }
            }
        }
        if let Some(first_bad) = first_found(&mut tiles, TILES).await? {
            return Ok(verdict(&replay, records, Some(first_bad)));
        }
        progress(replay.verifier.head().size(), row.size);
    }
    if let Some(first_bad) = first_found(&mut tiles, 0).await? {
        return Ok(verdict(&replay, records, Some(first_bad)));
    }
    let size = replay.verifier.head().size();
    let end = |seq: u64, reason: String| Some(FirstBad { seq, reason });
    if let Some((signed, _)) = roots.next() {
        return Ok(verdict(
            &replay,
            records,
            end(size, format!("it is missing: a checkpoint over {signed} entries was signed")),
        ));
    }
    if let Some((cosigned, witness, ..)) = cosigned.next() {
        let reason =
            format!("a cosignature by {witness} over {cosigned} entries is kept without the checkpoint that it is of");
        return Ok(verdict(&replay, records, end(size.saturating_sub(1), reason)));
    }
    if row.size != u64::MAX && row.size > size {
        return Ok(verdict(
            &replay,
            records,
            end(size, format!("it is missing: the ledger's row counts {} entries", row.size)),
        ));
    }
    if row.size < size {
        let reason = format!("it lies behind the end: the ledger's row counts {} entries", row.size);
        return Ok(verdict(&replay, records, end(row.size, reason)));
    }
    let head_differs = row.size != u64::MAX
        && (row.last != replay.verifier.head().last
            || row.peaks != replay.verifier.head().frontier.peaks()
            || row.at_millis != replay.verifier.head().at.map(crate::values::Timestamp::millis));
    if head_differs {
        let reason = "the ledger's row does not say where the log ends".into();
        return Ok(verdict(&replay, records, end(size.saturating_sub(1), reason)));
    }
    let last = size.saturating_sub(1);
    let in_force = replay.set().organisation().ok().flatten().map(|organisation| organisation.key_at(size));
    if in_force.zip(keys).is_some_and(|(in_force, keys)| keys.of(in_force).is_none()) {
        let reason = "the key in the folder of keys is not the one that the entries name".into();
        return Ok(verdict(&replay, records, end(last, reason)));
    }
    if edge_differs(store, ledger_id, size, &edge).await? {
        return Ok(verdict(&replay, records, end(last, TILE_CHANGED.into())));
    }
    let posted = posted.join_next().await.expect("one was spawned")?;
    let fault = match tables::fault(store, row.ledger_id, &replay, &drawn, (spans, posted)).await {
        Err(error @ StoreError::Damaged { .. }) => end(last, error.to_string()),
        found => found?,
    };
    let fault = match (fault, keys) {
        (None, Some(keys)) => code_fault(store, ledger_id, keys).await?.and_then(|reason| end(last, reason)),
        (fault, _) => fault,
    };
    let named = slug_of(&row.origin);
    let fault = if row.slug == named {
        fault
    } else {
        fault.or_else(|| end(0, format!("the ledger's row calls it {}, its origin {named}", row.slug)))
    };
    Ok(verdict(&replay, records, fault))
}

/// Whether the rightmost tile that is kept of some level is other than the log's, or of a longer one.
async fn edge_differs(store: &Store, ledger_id: i64, size: u64, edge: &Edge) -> Result<bool, StoreError> {
    for level in 0..LEVELS {
        let Some(kept) = store.latest_tile(ledger_id, level).await? else { continue };
        let count = Content::Hashes(level).count(size);
        let place = usize::try_from(level).expect("few levels");
        let differs = match kept.place.cmp(&(count / WIDTH)) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => !edge.tiles().get(place).is_some_and(|tile| tile.starts_with(&kept.hashes)),
            std::cmp::Ordering::Greater => true,
        };
        if differs {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Waits until so many at most are still being looked at; the first that is found.
pub(super) async fn first_found<F, E>(looking: &mut JoinSet<Result<Option<F>, E>>, most: usize) -> Result<Option<F>, E>
where
    F: 'static,
    E: From<JoinError> + 'static,
{
    while looking.len() > most {
        let Some(looked) = looking.join_next().await else { break };
        if let Some(found) = looked?? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What is wrong with a code or token: each is bound to what it opens.
async fn code_fault(store: &Store, ledger_id: i64, keys: &Keys) -> Result<Option<String>, StoreError> {
    let codes = store.codes(ledger_id).await?;
    let is_bad =
        |(purpose, hash, row): &&(String, Hash, String)| keys.vault.code_subject(purpose, *hash, row).is_none();
    let bad = codes.iter().find(is_bad);
    Ok(bad.map(|(purpose, ..)| format!("what a code ({purpose}) opens was changed in the table of codes")))
}

/// How many cores there are for this program.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A stored row as it was looked at by itself.
struct Looked {
    /// The number it is stored under.
    seq: i64,
    entry: Result<(Entry<'static>, Hash), EntryError>,
    /// The stored leaf hash is that of the bytes.
    has_its_leaf: bool,
    record: Record,
}

/// The sealed record behind an entry.
enum Record {
    /// There is none, or no key to look at it with.
    None,
    /// That of a gift; it is what the gift commits to.
    Opened,
    /// Its key is not here.
    Shut,
    /// What is wrong with it.
    Bad(String),
}

fn look(page: &LogPage, vault: Option<&VaultKey>) -> Vec<Result<Looked, StoreError>> {
    let looked = |stored: LogRow<'_>| {
        let entry = read(stored.bytes).map(|(entry, leaf)| (entry.into_owned(), leaf));
        let has_its_leaf = entry.as_ref().is_ok_and(|(_, leaf)| stored.leaf == leaf.0);
        let record = match (&entry, vault) {
            (Ok((entry, _)), Some(vault)) => record_of(vault, entry, &stored),
            _ => Record::None,
        };
        Looked { seq: stored.seq, entry, has_its_leaf, record }
    };
    let mut rows = Vec::with_capacity(usize::try_from(PAGE).unwrap_or(0));
    rows.extend(page.rows().map(|stored| stored.map(looked)));
    rows
}

/// Opens the record behind an entry. A gift has one; what is there opens in its place, beside its own keyed hashes.
fn record_of(vault: &VaultKey, entry: &Entry<'_>, stored: &LogRow<'_>) -> Record {
    let is_gift = entry.kind == "donation.received";
    let Some(sealed) = stored.sealed else {
        return if is_gift { Record::Bad("its sealed record is missing from the vault".into()) } else { Record::None };
    };
    if sealed.wrapped.is_empty() {
        return Record::Shut;
    }
    let place = Place { person: sealed.person, seq: entry.seq, hashes: stored.hashes };
    let donor = entry.body.get("donor").and_then(|donor| donor.as_text()).and_then(Hash::from_hex);
    match vault.open(&place, sealed.sealed, sealed.wrapped) {
        Err(error) => Record::Bad(error.to_string()),
        Ok((salt, record)) if is_gift && donor != Some(commitment::person_bytes(&salt, &record)) => {
            Record::Bad("the record in the vault is not the one it commits to".into())
        }
        Ok(_) if is_gift => Record::Opened,
        Ok(_) => Record::None,
    }
}

/// Whether a kept line is one by the witness, of the time that is kept beside it. That it holds shows whoever has the witness's key.
fn is_cosignature(checkpoint: &str, line: &str, witness: &str, seconds: u64) -> bool {
    let (Ok(alone), Ok(signed)) =
        (Note::parse(checkpoint.as_bytes()), Note::parse(format!("{checkpoint}{line}").as_bytes()))
    else {
        return false;
    };
    let added = signed.signatures.get(alone.signatures.len()..).unwrap_or_default();
    let is_of = |line: &SignatureLine| line.name == witness && line.signature.starts_with(&seconds.to_be_bytes());
    signed.text == alone.text
        && !added.is_empty()
        && added.iter().all(|line| line.name == witness)
        && added.iter().any(is_of)
}

/// What is wrong with the checkpoint that was signed at the size that the replay has reached; `before` is the size of the last one.
fn checkpoint_fault(note: &str, before: u64, replay: &Replay) -> Option<String> {
    let (head, organisation) = (replay.verifier.head(), replay.set().organisation().ok().flatten());
    let checked = || -> Result<Checkpoint, CheckpointError> {
        match organisation {
            Some(organisation) => {
                let opened = open_checkpoint(organisation, note.as_bytes(), before, head.size())?;
                Ok(opened.checkpoint().clone())
            }
            None => Checkpoint::of_note(note.as_bytes()),
        }
    };
    match checked() {
        Err(error) => Some(format!("the stored checkpoint that ends here is bad: {error}")),
        Ok(checkpoint) if checkpoint.size != head.size() || checkpoint.root != head.frontier.root() => {
            Some("the checkpoint that was signed here has another root: the history was replaced".into())
        }
        Ok(_) => None,
    }
}
