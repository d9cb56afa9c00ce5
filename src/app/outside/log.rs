//! Where a log is, and its files, however they are had.

use crate::app::client;
use crate::app::folder::put_file;
use crate::ledger::note::{NoteError, VerifierKey};
use crate::ledger::proof;
use crate::ledger::rotation::{self, RotationError};
use crate::ledger::tile::{self, Content, Tile, WIDTH};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinError;

/// An answer takes no longer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Checkpoints that are asked for to learn since when witnesses have seen a log, at most.
const WITNESSED_MAX: usize = 100;
/// Times that an address is tried.
const TRIES: u32 = 4;
/// Largest answer that is read: a bundle of the longest entries.
const ANSWER_MAX: u64 = 256 * (65_535 + 2);
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

impl From<JoinError> for OutsideError {
    fn from(error: JoinError) -> Self {
        Self::Ended(error.to_string())
    }
}

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
    pub(super) fn unkept(&self) -> Self {
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
    pub(super) fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, OutsideError> {
        match self.read(&tile.to_string())? {
            None if tile.width < WIDTH => self.read(&Tile { width: WIDTH, ..tile }.to_string()),
            found => Ok(found),
        }
    }

    pub(super) fn must_read(&self, name: &str) -> Result<Vec<u8>, OutsideError> {
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
    pub(super) fn key_after(&self, known: VerifierKey) -> Result<Result<VerifierKey, RotationError>, OutsideError> {
        let mut key = known;
        // One by one: a log whose first does not hold is not asked for a thousand.
        for place in 0..rotation::MAX {
            let Some(proof) = self.read(&format!("rotations/{place}"))? else { break };
            key = match rotation::after(&proof, &key) {
                Ok(key) => key,
                Err(error) => return Ok(Err(error)),
            };
        }
        Ok(Ok(key))
    }

    /// Earlier checkpoints that are at hand: all of a folder; of a server those by which it says that witnesses began to see it.
    pub(super) fn checkpoints(&self) -> Result<Vec<Vec<u8>>, OutsideError> {
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

/// Lines of an export, many at once.
pub(super) fn lines(path: PathBuf) -> impl Iterator<Item = Result<Vec<Vec<u8>>, OutsideError>> {
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
