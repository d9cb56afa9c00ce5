//! The entries of a log followed one after the other, and all that was signed over them held against them.

use super::blocking;
use super::log::{Log, OutsideError, lines};
use crate::app::rebuild::AMOUNT;
use crate::app::verify::{TOTALS, first_found};
use crate::domain::terms::{self, Published};
use crate::ledger::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint};
use crate::ledger::entry::Entry;
use crate::ledger::note::VerifierKey;
use crate::ledger::rotation;
use crate::ledger::tile::{self, Content, Edge, Tile, WIDTH};
use crate::ledger::verify::{Verifier, read};
use crate::values::Hash;
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Bundles that are fetched at once.
const AT_ONCE: usize = 16;

/// An entry that was read on some core, or why there is none.
type ReadEntry = Result<(Entry<'static>, Hash), String>;

/// A checkpoint of before; which key must have signed it, the entries say.
pub(super) struct Earlier {
    pub what: &'static str,
    pub checkpoint: Checkpoint,
    pub note: Vec<u8>,
}

/// Where a log does not hold, and why.
pub(super) struct Fault {
    pub seq: u64,
    pub reason: String,
    pub is_of_entry: bool,
}

impl Fault {
    /// An entry is bad.
    const fn entry(seq: u64, reason: String) -> Self {
        Self { seq, reason, is_of_entry: true }
    }

    /// Something else is.
    const fn log(seq: u64, reason: String) -> Self {
        Self { seq, reason, is_of_entry: false }
    }
}

/// A log that is being followed.
pub(super) struct Following {
    log: Arc<Log>,
    size: u64,
    pub verifier: Verifier,
    edge: Edge,
    /// Checkpoints that were signed before, by their size.
    earlier: BTreeMap<u64, Vec<Earlier>>,
    /// Those of them that hold.
    pub opened: Vec<VerifiedCheckpoint>,
    /// The key that signs now.
    vkey: VerifierKey,
    /// Totals that the entries publish.
    published: Published,
    /// Keys that the entries name, each with the smallest size that it signs.
    keys: Vec<(u64, VerifierKey)>,
    /// Tiles that are being held against the entries.
    tiles: JoinSet<Result<Option<Fault>, OutsideError>>,
}

impl Following {
    /// Before its first entry; `earlier` are checkpoints of before, by their size.
    pub(super) fn new(log: Arc<Log>, size: u64, vkey: VerifierKey, earlier: BTreeMap<u64, Vec<Earlier>>) -> Self {
        Self {
            verifier: Verifier::new(vkey.name()),
            edge: Edge::default(),
            opened: Vec::new(),
            published: Published::default(),
            keys: Vec::new(),
            tiles: JoinSet::new(),
            log,
            size,
            earlier,
            vkey,
        }
    }

    /// Follows all entries; where something is bad it stops there.
    pub(super) async fn all(
        mut self,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(Self, Option<Fault>), OutsideError> {
        let pages = self.pages();
        let mut pages = std::pin::pin!(pages);
        while let Some(page) = pages.next().await {
            for entry in page? {
                if let Err(fault) = self.follow(entry) {
                    return Ok((self, Some(fault)));
                }
            }
            if let Some(fault) = first_found(&mut self.tiles, AT_ONCE).await? {
                return Ok((self, Some(fault)));
            }
            progress(self.verifier.head().size(), self.size);
        }
        let end = self.verifier.head().size();
        if end < self.size {
            let reason = format!("it is missing: {} entries were signed", self.size);
            return Ok((self, Some(Fault::entry(end, reason))));
        }
        for (level, hashes) in (0..).zip(self.edge.tiles().to_vec()) {
            let width = u64::try_from(hashes.len()).expect("a tile is short");
            let index = Content::Hashes(level).count(self.size) / WIDTH;
            if width > 0 {
                self.hold_tile(end.saturating_sub(1), Tile { content: Content::Hashes(level), index, width }, hashes);
            }
        }
        let fault = first_found(&mut self.tiles, 0).await?;
        Ok((self, fault))
    }

    /// The key that the entries name for a size; the log's, where they name none.
    pub(super) fn key_at(&self, size: u64) -> &VerifierKey {
        self.keys.iter().rev().find(|(from, _)| *from <= size).map_or(&self.vkey, |(_, key)| key)
    }

    /// Opens a checkpoint of before with the key that the entries name.
    fn open(&self, earlier: &Earlier) -> Result<VerifiedCheckpoint, CheckpointError> {
        VerifiedCheckpoint::open(&earlier.note, self.key_at(earlier.checkpoint.size))
    }

    /// The first checkpoint of before that lies beyond the log and does not hold.
    pub(super) fn unopened(&self) -> Option<(&'static str, CheckpointError)> {
        let beyond = self.earlier.values().flatten();
        beyond.into_iter().find_map(|earlier| Some((earlier.what, self.open(earlier).err()?)))
    }

    /// All entries in order, read on all cores.
    fn pages(&self) -> stream::BoxStream<'static, Result<Vec<ReadEntry>, OutsideError>> {
        let log = Arc::clone(&self.log);
        match &*self.log {
            Log::Export(folder) => {
                let path = folder.join("entries.jsonl");
                let lines = lines(path);
                let parse = |lines: Result<Vec<Vec<u8>>, OutsideError>| {
                    blocking(move || Ok(lines?.iter().map(|line| owned(line)).collect()))
                };
                stream::iter(lines).map(parse).buffered(AT_ONCE).boxed()
            }
            Log::Tiles(_) | Log::Address { .. } => {
                // As many as are said to be there, asked for one after the other: nobody waits for those that are not.
                let tiles = Content::Entries.tiles(self.size);
                let fetch = move |tile: Tile| {
                    let log = Arc::clone(&log);
                    blocking(move || {
                        let width = usize::try_from(tile.width).expect("256 at most");
                        let bytes = log.tile(tile)?;
                        let entries = bytes.as_deref().and_then(tile::entries_of);
                        let entries = entries.map(|entries| entries.into_iter().take(width).collect::<Vec<_>>());
                        let whole = entries.filter(|entries| u64::try_from(entries.len()) == Ok(tile.width));
                        let none = || vec![Err(format!("{tile} is missing, or does not hold {} entries", tile.width))];
                        Ok(whole.map_or_else(none, |entries| entries.into_iter().map(owned).collect()))
                    })
                };
                stream::iter(tiles).map(fetch).buffered(AT_ONCE).boxed()
            }
        }
    }

    /// Follows one entry.
    fn follow(&mut self, entry: ReadEntry) -> Result<(), Fault> {
        let seq = self.verifier.head().size();
        let bad = |reason| Fault::entry(seq, reason);
        if seq == self.size {
            return Err(bad(format!("it lies behind the end: {} entries were signed", self.size)));
        }
        let (entry, leaf) = entry.map_err(bad)?;
        self.verifier.follow(&entry, leaf).map_err(|first_bad| bad(first_bad.reason))?;
        if !terms::says_what_it_brings(&entry) {
            return Err(bad(AMOUNT.into()));
        }
        match self.published.follow(&entry, leaf) {
            Ok(true) => {}
            Ok(false) => return Err(bad(TOTALS.into())),
            Err(error) => return Err(bad(format!("{}: {error}", entry.kind))),
        }
        for (level, hashes) in (0..).zip(self.edge.push(leaf)) {
            let tile = Tile { content: Content::Hashes(level), index: seq >> (8 * (level + 1)), width: WIDTH };
            self.hold_tile(seq, tile, hashes);
        }
        self.keys.extend(key_named_by(&entry));
        for earlier in self.earlier.remove(&(seq + 1)).unwrap_or_default() {
            self.pass(seq, &earlier)?;
        }
        Ok(())
    }

    /// Holds a checkpoint of before against the entries, where they are as many as it is of.
    fn pass(&mut self, seq: u64, earlier: &Earlier) -> Result<(), Fault> {
        let opened = self.open(earlier);
        let opened = opened.map_err(|error| Fault::log(seq, format!("{} does not hold: {error}", earlier.what)))?;
        if earlier.checkpoint.root != self.verifier.head().frontier.root() {
            let reason = "the checkpoint that was signed here has another root: the history was replaced".into();
            return Err(Fault::log(seq, reason));
        }
        self.opened.push(opened);
        Ok(())
    }

    /// Begins to hold a tile against the hashes that the entries have. An export has none.
    fn hold_tile(&mut self, seq: u64, tile: Tile, hashes: Vec<Hash>) {
        let log = Arc::clone(&self.log);
        if matches!(*log, Log::Export(_)) {
            return;
        }
        self.tiles.spawn(blocking(move || {
            let is_same = log.tile(tile)?.is_some_and(|found| found.starts_with(&tile::hashes_to_bytes(&hashes)));
            let differs = || Fault::log(seq, format!("{tile} is missing, or holds other hashes than the entries have"));
            Ok((!is_same).then(differs))
        }));
    }
}

/// The key that an entry names, with the smallest size that it signs.
fn key_named_by(entry: &Entry<'_>) -> Option<(u64, VerifierKey)> {
    let (from, member) = match entry.kind.as_ref() {
        "ledger.opened" if entry.seq == 0 => (0, "vkey"),
        rotation::KIND => (entry.seq + 1, "new_vkey"),
        _ => return None,
    };
    Some((from, VerifierKey::parse(entry.body.get(member)?.as_text()?).ok()?))
}

fn owned(bytes: &[u8]) -> ReadEntry {
    read(bytes).map(|(entry, leaf)| (entry.into_owned(), leaf)).map_err(|error| error.to_string())
}
