//! A log verified by whoever has only what is public of it: an export, a folder of tiles, the address of a server. Nothing is asked of
//! the one who keeps it but the bytes; every entry is read, chained, posted and added up again.

use super::asked::{Asked, Witnessed};
use super::client;
use super::folder::put_file;
use super::rebuild::AMOUNT;
use super::verify::TOTALS;
use crate::domain::terms::{self, Published};
use crate::ledger::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint};
use crate::ledger::entry::Entry;
use crate::ledger::merkle::{self, consistency_proof, verify_consistency};
use crate::ledger::note::{Note, NoteError, VerifierKey};
use crate::ledger::policy::Policy;
use crate::ledger::proof;
use crate::ledger::rotation::{self, RotationError};
use crate::ledger::tile::{self, Content, Edge, Missing, Tile, Tiles, WIDTH};
use crate::ledger::verify::{FirstBad, Verifier, read};
use crate::ledger::witness::AddCheckpoint;
use crate::values::Hash;
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Bundles that are fetched at once.
const AT_ONCE: usize = 16;
/// An answer takes no longer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Checkpoints that are asked for to learn since when witnesses have seen a log, at most.
const WITNESSED_MAX: usize = 100;
/// Witnesses have so long to see a checkpoint.
const WITNESSED_WITHIN: Duration = Duration::from_secs(10);
/// Times that an address is tried.
const TRIES: u32 = 4;
/// Largest answer that is read: a bundle of the longest entries.
const ANSWER_MAX: u64 = 256 * (65_535 + 2);
/// Changes of a log's key that are followed, at most.
const ROTATIONS_MAX: usize = 1_000;
/// Entries of an export that are handed over at once.
const LINES: usize = 512;

/// Where a log is.
#[derive(Clone, Debug)]
pub enum Log {
    /// A folder of `export`: `entries.jsonl`, `checkpoint`, `log.vkey`.
    Export(PathBuf),
    /// A folder of tiles, as `export --static` writes it.
    Tiles(PathBuf),
    /// An address under which the tiles are, with a folder that keeps what was fetched.
    Address {
        /// With a slash at its end.
        base: String,
        /// Where what was fetched is kept, so that the next run goes on.
        keep: Option<PathBuf>,
        /// The client.
        agent: ureq::Agent,
    },
}

/// Why a log cannot be looked at; it says nothing about whether it holds.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// A file.
    #[error("{} could not be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An address does not answer.
    #[error("{url} does not answer: {what}. Run the same again; with --keep it goes on where it stopped")]
    Away {
        /// Which.
        url: String,
        /// Why.
        what: String,
    },
    /// There is no log.
    #[error(
        "{0} holds no log: it would hold checkpoint with tiles, or with entries.jsonl. The address of a log ends in /log/NAME/"
    )]
    NoLog(String),
    /// The key file.
    #[error("{place}log.vkey: {error}")]
    Key {
        /// Where.
        place: String,
        /// Why.
        error: NoteError,
    },
    /// A task of this program ended.
    #[error("a task ended before its work was done: {0}")]
    Ended(String),
}

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
    pub book: crate::ledger::posting::Book,
}

/// An entry that was read on some core, or why there is none.
type ReadEntry = Result<(Entry<'static>, Hash), String>;

impl Log {
    /// The log at a path or an address.
    pub fn at(place: &str, keep: Option<PathBuf>) -> Result<Self, OutsideError> {
        if place.starts_with("http://") || place.starts_with("https://") {
            let base = format!("{}/", place.trim_end_matches('/'));
            return Ok(Self::Address { base, keep, agent: client::config(TIMEOUT).max_redirects(0).build().into() });
        }
        let path = PathBuf::from(place);
        if path.join("entries.jsonl").is_file() {
            Ok(Self::Export(path))
        } else if path.join("checkpoint").is_file() {
            Ok(Self::Tiles(path))
        } else {
            Err(OutsideError::NoLog(place.into()))
        }
    }

    /// A file of the log; nothing where it has none of this name.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, OutsideError> {
        match self {
            Self::Export(folder) | Self::Tiles(folder) => read_file(&folder.join(name)),
            Self::Address { base, keep, agent } => {
                // What a path holds never changes, but for the newest checkpoint and the key.
                let kept = keep.as_ref().map(|folder| folder.join(name)).filter(|_| name.starts_with("tile/"));
                if let Some(found) = kept.as_deref().map(read_file).transpose()?.flatten() {
                    return Ok(Some(found));
                }
                let fetched = fetch(agent, &format!("{base}{name}"), longest(name))?;
                // What is no tile, as the page of a café's network, is not kept as one.
                let is_whole = |bytes: &Vec<u8>| {
                    Tile::parse(name.trim_start_matches("tile/")).is_none_or(|tile| match tile.content {
                        Content::Hashes(_) => u64::try_from(bytes.len()) == Ok(tile.width * 32),
                        Content::Entries => {
                            let entries = tile::entries_of(bytes);
                            entries.is_some_and(|entries| u64::try_from(entries.len()) == Ok(tile.width))
                        }
                    })
                };
                let keepable = fetched.as_ref().filter(|bytes| is_whole(bytes));
                if let (Some(path), Some(bytes)) = (keep.as_ref().map(|folder| folder.join(name)), keepable) {
                    put_file(&path, bytes).map_err(|source| OutsideError::File { path, source })?;
                }
                Ok(fetched)
            }
        }
    }

    /// The same, asked anew for everything.
    fn unkept(&self) -> Self {
        match self {
            Self::Address { base, agent, .. } => Self::Address { base: base.clone(), keep: None, agent: agent.clone() },
            Self::Export(folder) => Self::Export(folder.clone()),
            Self::Tiles(folder) => Self::Tiles(folder.clone()),
        }
    }

    /// Another page of the same server; nothing where there is none, or where the log is no address.
    pub fn fetch(&self, url: &str) -> Result<Option<Vec<u8>>, OutsideError> {
        match self {
            Self::Address { agent, .. } => fetch(agent, url, ANSWER_MAX),
            Self::Export(_) | Self::Tiles(_) => Ok(None),
        }
    }

    /// A tile, or a longer one of its place: a log that has grown need not keep the shorter.
    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, OutsideError> {
        match self.read(&tile.to_string())? {
            None if tile.width < WIDTH => self.read(&Tile { width: WIDTH, ..tile }.to_string()),
            found => Ok(found),
        }
    }

    fn must_read(&self, name: &str) -> Result<Vec<u8>, OutsideError> {
        self.read(name)?.ok_or_else(|| OutsideError::NoLog(self.place()))
    }

    /// Where it is, for people; a slash at its end.
    pub fn place(&self) -> String {
        match self {
            Self::Export(folder) | Self::Tiles(folder) => format!("{}/", folder.display()),
            Self::Address { base, .. } => base.clone(),
        }
    }

    /// Its own word on its key.
    pub fn own_key(&self) -> Result<VerifierKey, OutsideError> {
        let text = self.must_read("log.vkey")?;
        let key = VerifierKey::parse(String::from_utf8_lossy(&text).trim());
        key.map_err(|error| OutsideError::Key { place: self.place(), error })
    }

    /// The key that signs now, from one that is known, change by change.
    fn key_after(&self, known: VerifierKey) -> Result<Result<VerifierKey, RotationError>, OutsideError> {
        let mut key = known;
        for place in 0..ROTATIONS_MAX {
            let Some(proof) = self.read(&format!("rotations/{place}"))? else { break };
            key = match rotation::after(&proof, &key) {
                Ok(key) => key,
                Err(error) => return Ok(Err(error)),
            };
        }
        Ok(Ok(key))
    }

    /// Earlier checkpoints that are at hand: all of a folder; of a server those by which it says that witnesses began to see it.
    fn checkpoints(&self) -> Result<Vec<Vec<u8>>, OutsideError> {
        let sizes: Vec<String> = match self {
            Self::Export(_) => Vec::new(),
            Self::Tiles(folder) => {
                let files = fs::read_dir(folder.join("checkpoints")).into_iter().flatten().flatten();
                files.filter_map(|file| file.file_name().into_string().ok()).collect()
            }
            Self::Address { .. } => {
                let told = self.read("witnessed")?.unwrap_or_default();
                let told = String::from_utf8_lossy(&told).into_owned();
                let sizes = told.lines().filter(|line| line.parse::<u64>().is_ok());
                sizes.take(WITNESSED_MAX).map(str::to_owned).collect()
            }
        };
        sizes.iter().filter_map(|size| self.read(&format!("checkpoints/{size}")).transpose()).collect()
    }
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, OutsideError> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(ANSWER_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OutsideError::File { path: path.into(), source }),
    }
}

/// Longest file of a name.
fn longest(name: &str) -> u64 {
    let notes = u64::try_from(proof::BYTES_MAX).unwrap_or(ANSWER_MAX);
    if name.starts_with("tile/") { ANSWER_MAX } else { notes }
}

fn fetch(agent: &ureq::Agent, url: &str, longest: u64) -> Result<Option<Vec<u8>>, OutsideError> {
    let mut trouble = String::new();
    for attempt in 0..TRIES {
        std::thread::sleep(Duration::from_millis(250) * (1 << attempt >> 1));
        let answer = match agent.get(url).call() {
            Ok(answer) => answer,
            Err(error) => {
                trouble = error.to_string();
                continue;
            }
        };
        let status = answer.status().as_u16();
        match status {
            200 => {
                let mut bytes = Vec::new();
                match answer.into_body().into_reader().take(longest + 1).read_to_end(&mut bytes) {
                    Ok(_) => return Ok(Some(bytes)),
                    Err(error) => trouble = error.to_string(),
                }
            }
            // Stores of files say so too where they have nothing.
            403 | 404 | 410 => return Ok(None),
            // What is asked for again may go better. A redirection is not followed: it may lead anywhere.
            429 | 500.. => trouble = format!("it says {status}"),
            _ => return Err(OutsideError::Away { url: url.into(), what: format!("it says {status}") }),
        }
    }
    Err(OutsideError::Away { url: url.into(), what: trouble })
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
        book: crate::ledger::posting::Book::default(),
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
        match Note::parse(&note).map_err(CheckpointError::from).and_then(|note| Checkpoint::parse(&note.text)) {
            Ok(checkpoint) => earlier.entry(checkpoint.size).or_default().push(Earlier { what, checkpoint, note }),
            Err(error) => return Ok(verdict.bad(0, format!("{what} does not hold: {error}"))),
        }
    }
    let since = earlier.values().flatten().find(|earlier| earlier.what == SINCE);
    verdict.since = since.map(|since| since.checkpoint.size);
    let follow = Following {
        log: Arc::clone(&log),
        size,
        verifier: Verifier::new(verdict.vkey.name()),
        edge: Edge::default(),
        earlier,
        opened: Vec::new(),
        published: Published::default(),
        vkey: verdict.vkey.clone(),
        keys: Vec::new(),
        tiles: JoinSet::new(),
    };
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
    let mut tiles = Tiles::default();
    let (root, path) = loop {
        let looked = merkle::root(&tiles, old).and_then(|root| Ok((root, consistency_proof(&tiles, old, size)?)));
        match looked {
            Ok((root, path)) => break (root, path.unwrap_or_default()),
            Err(Missing { level, index }) if !tiles.has(level, index) => {
                let width = Content::Hashes(level).count(size).saturating_sub(index * WIDTH).min(WIDTH);
                let (log, tile) = (log.clone(), Tile { content: Content::Hashes(level), index, width });
                let found = if width == 0 { None } else { blocking(move || log.tile(tile)).await? };
                let Some(hashes) = found.as_deref().and_then(tile::hashes_of) else { return Ok(None) };
                tiles.put(level, index, hashes);
            }
            Err(_) => return Ok(None),
        }
    };
    let proves = root != once.root && verify_consistency(old, size, root, newest_root, &path);
    Ok(proves.then(|| (root, AddCheckpoint { old, path, note: verdict.note.clone() })))
}

/// What the reader's own checkpoint is called.
const SINCE: &str = "the earlier checkpoint";

/// A checkpoint of before; which key must have signed it, the entries say.
struct Earlier {
    what: &'static str,
    checkpoint: Checkpoint,
    note: Vec<u8>,
}

/// Where a log does not hold, and why.
struct Fault {
    seq: u64,
    reason: String,
    is_of_entry: bool,
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
struct Following {
    log: Arc<Log>,
    size: u64,
    verifier: Verifier,
    edge: Edge,
    /// Checkpoints that were signed before, by their size.
    earlier: BTreeMap<u64, Vec<Earlier>>,
    /// Those of them that hold.
    opened: Vec<VerifiedCheckpoint>,
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
    /// Follows all entries; where something is bad it stops there.
    async fn all(mut self, progress: &mut impl FnMut(u64, u64)) -> Result<(Self, Option<Fault>), OutsideError> {
        let pages = self.pages();
        let mut pages = std::pin::pin!(pages);
        while let Some(page) = pages.next().await {
            for entry in page? {
                if let Err(fault) = self.follow(entry) {
                    return Ok((self, Some(fault)));
                }
            }
            if let Some(fault) = self.tiles_but(AT_ONCE).await? {
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
        let fault = self.tiles_but(0).await?;
        Ok((self, fault))
    }

    /// The key that the entries name for a size; the log's, where they name none.
    fn key_at(&self, size: u64) -> &VerifierKey {
        self.keys.iter().rev().find(|(from, _)| *from <= size).map_or(&self.vkey, |(_, key)| key)
    }

    /// Opens a checkpoint of before with the key that the entries name.
    fn open(&self, earlier: &Earlier) -> Result<VerifiedCheckpoint, CheckpointError> {
        VerifiedCheckpoint::open(&earlier.note, self.key_at(earlier.checkpoint.size))
    }

    /// The first checkpoint of before that lies beyond the log and does not hold.
    fn unopened(&self) -> Option<(&'static str, CheckpointError)> {
        let beyond = self.earlier.values().flatten();
        beyond.into_iter().find_map(|earlier| Some((earlier.what, self.open(earlier).err()?)))
    }

    /// Waits until so many tiles at most are being looked at; what is wrong with one.
    async fn tiles_but(&mut self, most: usize) -> Result<Option<Fault>, OutsideError> {
        while self.tiles.len() > most {
            let looked = self.tiles.join_next().await.transpose();
            let looked = looked.map_err(|error| OutsideError::Ended(error.to_string()))?;
            if let Some(fault) = looked.transpose()?.flatten() {
                return Ok(Some(fault));
            }
        }
        Ok(None)
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
        "key.rotated" => (entry.seq + 1, "new_vkey"),
        _ => return None,
    };
    Some((from, VerifierKey::parse(entry.body.get(member)?.as_text()?).ok()?))
}

fn owned(bytes: &[u8]) -> ReadEntry {
    read(bytes).map(|(entry, leaf)| (entry.into_owned(), leaf)).map_err(|error| error.to_string())
}

/// Lines of an export, many at once.
fn lines(path: PathBuf) -> impl Iterator<Item = Result<Vec<Vec<u8>>, OutsideError>> {
    let mut file: Option<BufReader<fs::File>> = None;
    let mut next = move || -> Result<Vec<Vec<u8>>, OutsideError> {
        let failed = |source| OutsideError::File { path: path.clone(), source };
        let reader = match &mut file {
            Some(reader) => reader,
            None => file.insert(BufReader::with_capacity(1 << 20, fs::File::open(&path).map_err(failed)?)),
        };
        let mut lines = Vec::with_capacity(LINES);
        while lines.len() < LINES {
            let mut line = Vec::new();
            // The line of an entry is short; a longer one is refused where it is read.
            if reader.by_ref().take(ANSWER_MAX).read_until(b'\n', &mut line).map_err(failed)? == 0 {
                break;
            }
            line.pop_if(|last| *last == b'\n');
            lines.push(line);
        }
        Ok(lines)
    };
    let mut ended = false;
    std::iter::from_fn(move || {
        let lines = (!ended).then(&mut next)?;
        ended = lines.as_ref().map_or(true, Vec::is_empty);
        lines.map(|lines| (!lines.is_empty()).then_some(lines)).transpose()
    })
}

/// Does what would keep a core waiting elsewhere.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OutsideError> + Send + 'static,
) -> Result<T, OutsideError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| OutsideError::Ended(error.to_string()))?
}
