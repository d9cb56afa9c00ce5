//! A log verified by whoever has only what is public of it: an export, a folder of tiles, the address of a server. Nothing is asked of
//! the one who keeps it but the bytes; every entry is read, chained, posted and added up again.

mod following;
mod log;

pub use log::{Log, OutsideError};

use super::asked::{Asked, Witnessed};
use crate::ledger::checkpoint::{Checkpoint, VerifiedCheckpoint};
use crate::ledger::merkle::{self, NodeReader, consistency_proof, verify_consistency};
use crate::ledger::note::VerifierKey;
use crate::ledger::policy::Policy;
use crate::ledger::posting::Book;
use crate::ledger::tile::{self, Content, Missing, Tile, Tiles, WIDTH};
use crate::ledger::verify::FirstBad;
use crate::ledger::witness::AddCheckpoint;
use crate::values::Hash;
use following::{Earlier, Fault, Following};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Witnesses have so long to see a checkpoint.
const WITNESSED_WITHIN: Duration = Duration::from_secs(10);
/// What the reader's own checkpoint is called.
const SINCE: &str = "the earlier checkpoint";

/// What was found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The log's key, as it signs now.
    pub vkey: VerifierKey,
    /// The key that was begun with: another may have taken its place.
    pub begun_with: VerifierKey,
    /// The newest checkpoint, as it was read.
    pub note: String,
    /// The key is known only from the log itself.
    pub key_from_log: bool,
    /// Entries that hold.
    pub entries: u64,
    /// Root over them.
    pub root: Hash,
    /// The first that does not, or where else it does not hold.
    pub first_bad: Option<FirstBad>,
    /// What is bad is an entry; else it is the checkpoint, a key, a tile, a witness's word, or what the reader has asked with.
    pub is_of_entry: bool,
    /// Who has seen it.
    pub witnessed: Witnessed,
    /// The size of the earlier checkpoint that the log still begins with.
    pub since: Option<u64>,
    /// What the log says of its lines, replayed.
    pub book: Book,
}

/// Verifies a log from what is public of it.
pub async fn verify(log: Log, asked: &Asked, mut progress: impl FnMut(u64, u64)) -> Result<Verdict, OutsideError> {
    let log = Arc::new(log);
    let first = Arc::clone(&log);
    let (note, own_key) = blocking(move || Ok((first.must_read("checkpoint")?, first.own_key()))).await?;
    let named = asked.key_of(String::from_utf8_lossy(&note).lines().next().unwrap_or_default());
    let key_from_log = named.is_none();
    let vkey = match named {
        Some(vkey) => vkey.clone(),
        None => own_key?,
    };
    let (of_key, begun_with) = (Arc::clone(&log), vkey.clone());
    let newest = blocking(move || of_key.key_after(begun_with)).await?;
    let mut verdict = Verdict {
        note: String::from_utf8_lossy(&note).into_owned(),
        key_from_log,
        entries: 0,
        root: Hash::ZERO,
        first_bad: None,
        is_of_entry: false,
        witnessed: Witnessed::default(),
        since: None,
        book: Book::default(),
        begun_with: vkey.clone(),
        vkey,
    };
    match newest {
        Ok(newest) => verdict.vkey = newest,
        Err(error) => return Ok(verdict.bad(0, format!("a change of its key does not hold: {error}"))),
    }
    let signed = match VerifiedCheckpoint::open(&note, &verdict.vkey) {
        Ok(signed) => signed,
        Err(error) => return Ok(verdict.bad(0, format!("the checkpoint does not hold: {error}"))),
    };
    let size = signed.checkpoint().size;
    let mut earlier: BTreeMap<u64, Vec<Earlier>> = BTreeMap::new();
    let at_hand = Arc::clone(&log);
    let at_hand = blocking(move || at_hand.checkpoints()).await?;
    let kept = asked.since.iter().map(|note| (SINCE, note.clone()));
    for (what, note) in kept.chain(at_hand.into_iter().map(|note| ("an earlier checkpoint", note))) {
        match Checkpoint::of_note(&note) {
            Ok(checkpoint) => earlier.entry(checkpoint.size).or_default().push(Earlier { what, checkpoint, note }),
            Err(error) => return Ok(verdict.bad(0, format!("{what} does not hold: {error}"))),
        }
    }
    let since = earlier.values().flatten().find(|earlier| earlier.what == SINCE);
    verdict.since = since.map(|since| since.checkpoint.size);
    let follow = Following::new(Arc::clone(&log), size, verdict.vkey.clone(), earlier);
    let (followed, fault) = follow.all(&mut progress).await?;
    verdict.entries = followed.verifier.head().size();
    verdict.root = followed.verifier.head().frontier.root();
    verdict.book = followed.verifier.book().clone();
    if let Some(Fault { seq, reason, is_of_entry }) = fault {
        verdict.is_of_entry = is_of_entry;
        return Ok(verdict.bad(seq, reason));
    }
    if verdict.root != signed.checkpoint().root {
        return Ok(verdict
            .bad(0, format!("the first {size} entries are not those that were signed: the history was replaced")));
    }
    let in_force = followed.key_at(size).clone();
    if in_force != verdict.vkey {
        let other = format!("its checkpoint is signed with another key than the entries name: {in_force}");
        return Ok(verdict.bad(size.saturating_sub(1), other));
    }
    if let Some((what, error)) = followed.unopened() {
        return Ok(verdict.bad(0, format!("{what} does not hold: {error}")));
    }
    if let Some(since) = verdict.since.filter(|since| *since > size) {
        return Ok(verdict.bad(size, format!("it is missing: a checkpoint over {since} entries was signed")));
    }
    let signed = cosigned_soon(&log, signed, asked, &verdict.vkey).await?;
    verdict.note = signed.note().to_string();
    verdict.witnessed = asked.witnessed(&signed, followed.opened.iter());
    match verdict.witnessed.fault.clone() {
        Some(fault) => Ok(verdict.bad(size.saturating_sub(1), fault)),
        None => Ok(verdict),
    }
}

impl Verdict {
    fn bad(mut self, seq: u64, reason: String) -> Self {
        self.first_bad = Some(FirstBad { seq, reason });
        self
    }
}

/// The same checkpoint once witnesses have seen it: on a server that is in use they do so some moments after it was signed.
async fn cosigned_soon(
    log: &Arc<Log>,
    signed: VerifiedCheckpoint,
    asked: &Asked,
    vkey: &VerifierKey,
) -> Result<VerifiedCheckpoint, OutsideError> {
    let asks = asked.policy.as_ref().is_some_and(Policy::asks_for_witnesses) && matches!(**log, Log::Address { .. });
    let mut newest = signed;
    for _ in 0..WITNESSED_WITHIN.as_secs() {
        if !asks || asked.is_witnessed(&newest) {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (log, name) = (Arc::clone(log), format!("checkpoints/{}", newest.checkpoint().size));
        let again = blocking(move || log.read(&name)).await?;
        let again = again.and_then(|note| VerifiedCheckpoint::open(&note, vkey).ok());
        newest = again.filter(|again| again.checkpoint() == newest.checkpoint()).unwrap_or(newest);
    }
    Ok(newest)
}

/// What proves that a log has split: the root of its own first `old` entries, where it is another than what it once signed, and its
/// newest checkpoint with the proof that it goes on from that root. `None` where its tiles do not lead there.
pub async fn proof_of_fork(
    log: &Log,
    verdict: &Verdict,
    once: &Checkpoint,
) -> Result<Option<(Hash, AddCheckpoint)>, OutsideError> {
    let Ok(newest) = VerifiedCheckpoint::open(verdict.note.as_bytes(), &verdict.vkey) else { return Ok(None) };
    let (log, old) = (log.unkept(), once.size);
    let Checkpoint { size, root: newest_root, .. } = *newest.checkpoint();
    if old == 0 || old > size {
        return Ok(None);
    }
    let ask =
        |nodes: &dyn NodeReader<Error = Missing>| Ok((merkle::root(nodes, old)?, consistency_proof(nodes, old, size)?));
    let mut tiles = Tiles::default();
    for (level, index) in tile::needed(ask) {
        let width = Content::Hashes(level).count(size).saturating_sub(index * WIDTH).min(WIDTH);
        let (log, tile) = (log.clone(), Tile { content: Content::Hashes(level), index, width });
        let found = if width == 0 { None } else { blocking(move || log.tile(tile)).await? };
        let Some(hashes) = found.as_deref().and_then(tile::hashes_of) else { return Ok(None) };
        tiles.put(level, index, hashes);
    }
    let Ok((root, Some(path))) = ask(&tiles) else { return Ok(None) };
    let proves = root != once.root && verify_consistency(old, size, root, newest_root, &path);
    Ok(proves.then(|| (root, AddCheckpoint { old, path, note: verdict.note.clone() })))
}

/// Does what would keep a core waiting elsewhere.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OutsideError> + Send + 'static,
) -> Result<T, OutsideError> {
    tokio::task::spawn_blocking(work).await?
}
