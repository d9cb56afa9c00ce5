//! A log verified by whoever has only what is public of it: an export, a folder of tiles, the address of a server. Nothing is asked of
//! the one who keeps it but the bytes; every entry is read, chained, posted and added up again.

use super::asked::{Asked, Witnessed};
use super::client;
use super::folder::put_file;
use crate::ledger::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint};
use crate::ledger::entry::Entry;
use crate::ledger::note::{Note, NoteError, VerifierKey};
use crate::ledger::policy::Policy;
use crate::ledger::rotation;
use crate::ledger::tile::{self, Content, Edge, Tile, WIDTH};
use crate::ledger::verify::{FirstBad, Verifier, read};
use crate::values::Hash;
use futures_util::{StreamExt as _, stream};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bundles that are fetched at once.
const AT_ONCE: usize = 16;
/// An answer takes no longer.
const TIMEOUT: Duration = Duration::from_secs(60);
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
        "{0} holds no log: neither entries.jsonl nor checkpoint and tiles. The address of a log ends in /log/NAME/"
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
    /// The first that does not.
    pub first_bad: Option<FirstBad>,
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
            return Ok(Self::Address { base, keep, agent: client::agent(TIMEOUT) });
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
                let fetched = fetch(agent, &format!("{base}{name}"))?;
                if let (Some(path), Some(bytes)) = (keep.as_ref().map(|folder| folder.join(name)), &fetched) {
                    put_file(&path, bytes).map_err(|source| OutsideError::File { path, source })?;
                }
                Ok(fetched)
            }
        }
    }

    /// Another page of the same server; nothing where there is none, or where the log is no address.
    pub fn fetch(&self, url: &str) -> Result<Option<Vec<u8>>, OutsideError> {
        match self {
            Self::Address { agent, .. } => fetch(agent, url),
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

    /// What leads from each of its keys to the next.
    fn rotations(&self) -> Result<Vec<Vec<u8>>, OutsideError> {
        (0..ROTATIONS_MAX).map_while(|place| self.read(&format!("rotations/{place}")).transpose()).collect()
    }

    /// Earlier checkpoints that are at hand.
    fn checkpoints(&self) -> Vec<Vec<u8>> {
        let Self::Tiles(folder) = self else { return Vec::new() };
        let files = fs::read_dir(folder.join("checkpoints")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read(file.path()).ok()).collect()
    }
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, OutsideError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OutsideError::File { path: path.into(), source }),
    }
}

fn fetch(agent: &ureq::Agent, url: &str) -> Result<Option<Vec<u8>>, OutsideError> {
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
                match answer.into_body().into_reader().take(ANSWER_MAX + 1).read_to_end(&mut bytes) {
                    Ok(_) => return Ok(Some(bytes)),
                    Err(error) => trouble = error.to_string(),
                }
            }
            // Stores of files say so too where they have nothing.
            403 | 404 | 410 => return Ok(None),
            // Redirections were followed; what is asked for again may go better.
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
    let read = move || Ok((first.must_read("checkpoint")?, first.own_key(), first.rotations()?));
    let (note, own_key, rotations) = blocking(read).await?;
    let named = asked.key_of(String::from_utf8_lossy(&note).lines().next().unwrap_or_default());
    let key_from_log = named.is_none();
    let vkey = match named {
        Some(vkey) => vkey.clone(),
        None => own_key?,
    };
    let newest = rotations.iter().try_fold(vkey.clone(), |key, proof| rotation::after(proof, &key));
    let mut verdict = Verdict {
        note: String::from_utf8_lossy(&note).into_owned(),
        key_from_log,
        entries: 0,
        root: Hash::ZERO,
        first_bad: None,
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
    let mut earlier = Vec::new();
    let kept = asked.since.iter().map(|note| ("the earlier checkpoint", note.clone()));
    for (what, note) in kept.chain(log.checkpoints().into_iter().map(|note| ("an earlier checkpoint", note))) {
        match Note::parse(&note).map_err(CheckpointError::from).and_then(|note| Checkpoint::parse(&note.text)) {
            Ok(checkpoint) => earlier.push(Earlier { what, checkpoint, note }),
            Err(error) => return Ok(verdict.bad(0, format!("{what} does not hold: {error}"))),
        }
    }
    verdict.since = asked.since.as_ref().and(earlier.first()).map(|earlier| earlier.checkpoint.size);
    let mut roots: Vec<(u64, Hash)> =
        earlier.iter().map(|Earlier { checkpoint, .. }| (checkpoint.size, checkpoint.root)).collect();
    roots.sort_unstable();
    let follow = Following {
        log: Arc::clone(&log),
        size,
        verifier: Verifier::new(verdict.vkey.name()),
        edge: Edge::default(),
        roots,
        keys: Vec::new(),
    };
    let (Following { verifier, keys, .. }, first_bad) = follow.all(&mut progress).await?;
    verdict.entries = verifier.head().size();
    verdict.root = verifier.head().frontier.root();
    verdict.first_bad = first_bad;
    verdict.book = verifier.book().clone();
    if verdict.first_bad.is_some() {
        return Ok(verdict);
    }
    if verdict.root != signed.checkpoint().root {
        return Ok(verdict
            .bad(0, format!("the first {size} entries are not those that were signed: the history was replaced")));
    }
    let key_at = |size: u64| keys.iter().rev().find(|(from, _)| *from <= size).map_or(&verdict.vkey, |(_, key)| key);
    if *key_at(size) != verdict.vkey {
        let other = format!("its checkpoint is signed with another key than the entries name: {}", key_at(size));
        return Ok(verdict.bad(size.saturating_sub(1), other));
    }
    let mut opened = Vec::with_capacity(earlier.len());
    for Earlier { what, checkpoint, note } in &earlier {
        match VerifiedCheckpoint::open(note, key_at(checkpoint.size)) {
            Ok(earlier) => opened.push(earlier),
            Err(error) => return Ok(verdict.bad(0, format!("{what} does not hold: {error}"))),
        }
    }
    if let Some(since) = verdict.since.filter(|since| *since > size) {
        return Ok(verdict.bad(size, format!("it is missing: a checkpoint over {since} entries was signed")));
    }
    let signed = cosigned_soon(&log, signed, asked, &verdict.vkey).await?;
    verdict.note = signed.note().to_string();
    verdict.witnessed = asked.witnessed(&signed, opened.iter());
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

/// A checkpoint of before; which key must have signed it, the entries say.
struct Earlier {
    what: &'static str,
    checkpoint: Checkpoint,
    note: Vec<u8>,
}

/// A log that is being followed.
struct Following {
    log: Arc<Log>,
    size: u64,
    verifier: Verifier,
    edge: Edge,
    /// Roots that were signed, by their size.
    roots: Vec<(u64, Hash)>,
    /// Keys that the entries name, each with the smallest size that it signs.
    keys: Vec<(u64, VerifierKey)>,
}

impl Following {
    /// Follows all entries; where one is bad it stops there.
    async fn all(mut self, progress: &mut impl FnMut(u64, u64)) -> Result<(Self, Option<FirstBad>), OutsideError> {
        let pages = self.pages();
        let mut pages = std::pin::pin!(pages);
        while let Some(page) = pages.next().await {
            for entry in page? {
                let seq = self.verifier.head().size();
                if let Err(reason) = self.follow(entry).await? {
                    return Ok((self, Some(FirstBad { seq, reason })));
                }
            }
            progress(self.verifier.head().size(), self.size);
        }
        let end = self.verifier.head().size();
        if end < self.size {
            let reason = format!("it is missing: {} entries were signed", self.size);
            return Ok((self, Some(FirstBad { seq: end, reason })));
        }
        if let Some(reason) = self.differing_edge().await? {
            return Ok((self, Some(FirstBad { seq: end.saturating_sub(1), reason })));
        }
        Ok((self, None))
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
                let tiles: Vec<Tile> = Content::Entries.tiles(self.size).collect();
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

    /// Follows one entry; the reason where it does not hold.
    async fn follow(&mut self, entry: ReadEntry) -> Result<Result<(), String>, OutsideError> {
        let seq = self.verifier.head().size();
        if seq == self.size {
            return Ok(Err(format!("it lies behind the end: {} entries were signed", self.size)));
        }
        let (entry, leaf) = match entry {
            Ok(read) => read,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Err(FirstBad { reason, .. }) = self.verifier.follow(&entry, leaf) {
            return Ok(Err(reason));
        }
        for (level, hashes) in (0..).zip(self.edge.push(leaf)) {
            let tile = Tile { content: Content::Hashes(level), index: seq >> (8 * (level + 1)), width: WIDTH };
            if self.differs(tile, hashes).await? {
                return Ok(Err(format!("{tile} holds other hashes than the entries have")));
            }
        }
        self.keys.extend(key_named_by(&entry));
        let root = self.verifier.head().frontier.root();
        if self.roots.iter().any(|(size, signed)| *size == seq + 1 && *signed != root) {
            return Ok(Err("the checkpoint that was signed here has another root: the history was replaced".into()));
        }
        Ok(Ok(()))
    }

    /// What the tiles at the right edge hold that they must not.
    async fn differing_edge(&self) -> Result<Option<String>, OutsideError> {
        for (level, hashes) in (0..).zip(self.edge.tiles()) {
            let width = u64::try_from(hashes.len()).expect("a tile is short");
            let index = Content::Hashes(level).count(self.size) / WIDTH;
            let tile = Tile { content: Content::Hashes(level), index, width };
            if width > 0 && self.differs(tile, hashes.clone()).await? {
                return Ok(Some(format!("{tile} holds other hashes than the entries have")));
            }
        }
        Ok(None)
    }

    /// Whether a tile is not what the entries make it. An export has none.
    async fn differs(&self, tile: Tile, hashes: Vec<Hash>) -> Result<bool, OutsideError> {
        let log = Arc::clone(&self.log);
        if matches!(*log, Log::Export(_)) {
            return Ok(false);
        }
        let found = blocking(move || log.tile(tile)).await?;
        Ok(!found.is_some_and(|found| found.starts_with(&tile::hashes_to_bytes(&hashes))))
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
