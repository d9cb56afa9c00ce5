//! Backups: the ledger as one file without the persons' keys, and those in a file of their own with a rotation of its own. A restored
//! ledger is held against the last checkpoint that is known.

use super::copy::{self, Beside, Copied, CopyError, Keys, PersonKeys};
use super::folder::{Folder, OpenError, UNFINISHED, origin_of, replace, root_at, secret};
use super::opened::Opened;
use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::note::NoteError;
use crate::store::{LedgerRow, Place, Store, StoreError};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The first line of a file of persons' keys.
const HEADING: &str = "mingzhang persons' keys v1";

/// Why there is no backup, or none was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Copying.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data folder.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file.
    #[error("{} could not be {doing}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// read, written
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file does not hold persons' keys of this ledger.
    #[error("{}, line {line}: no persons' keys of {origin}, or not all of them", path.display())]
    NoKeys {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The ledger.
        origin: String,
    },
    /// A checkpoint is none of this ledger.
    #[error("{} is no checkpoint that the key in keys/ has signed; where the key was changed since the backup, give a later one with --checkpoint", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CheckpointError,
    },
    /// There is no backup.
    #[error("there is no backup in {}: it would hold mingzhang.db", path.display())]
    NoBackup {
        /// The folder.
        path: PathBuf,
    },
    /// The backup holds another history than what was signed.
    #[error("the backup does not hold the history that was signed at {0} entries; nothing can be posted on it")]
    OtherHistory(u64),
    /// There is a ledger already.
    #[error("{place} holds this ledger already; restore it elsewhere, or move that one away first")]
    Exists {
        /// Where.
        place: Place,
    },
}

/// A ledger that was restored.
#[derive(Debug)]
pub struct Restored {
    /// What was copied.
    pub copied: Copied,
    /// The size of the last checkpoint that is known; nothing is posted before the ledger is as long again.
    pub signed: Option<u64>,
}

/// Backs a ledger up into a folder, which may hold an earlier backup of it, and the persons' keys into a file.
pub async fn backup(
    opened: &Opened,
    folder: &Path,
    keys: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<Copied, BackupError> {
    let file = |doing| move |source| BackupError::File { path: folder.to_owned(), doing, source };
    std::fs::create_dir_all(folder).map_err(file("made"))?;
    let row = opened.head().await?;
    let to = Store::create(&Place::Folder(folder.to_owned())).await?;
    let copied = copy::copy(&opened.store, &row, &to, None, Keys::Left, Beside::Renewed, progress).await?;
    to.settle().await?;
    to.close().await;
    let persons = copy::person_keys(&opened.store, row.ledger_id, copied.entries).await?;
    write_keys(keys, &row.origin, &persons).map_err(|source| BackupError::File {
        path: keys.to_owned(),
        doing: "written",
        source,
    })?;
    Ok(copied)
}

/// Restores a backup into a data folder, up to `until` entries where given. The keys of the ledger must be in the folder.
pub async fn restore(
    backup: &Path,
    slug: Option<&str>,
    folder: &Folder,
    keys: Option<&Path>,
    checkpoint: Option<&Path>,
    until: Option<u64>,
    progress: impl FnMut(u64, u64),
) -> Result<Restored, BackupError> {
    let source = Folder::new(backup);
    let from = match Store::open_for_reading(source.place()).await {
        Err(StoreError::Missing { .. }) => return Err(BackupError::NoBackup { path: backup.to_owned() }),
        from => from?,
    };
    let row = in_backup(&source, &from, slug).await?;
    folder.make()?;
    let own = folder.keys(&origin_of(&row)?)?;
    let _lock = folder.lock().await?;
    let to = Store::create(folder.place()).await?;
    if to.ledgers().await?.iter().any(|known| known.origin == row.origin && !known.slug.ends_with(UNFINISHED)) {
        return Err(BackupError::Exists { place: folder.place().clone() });
    }
    let persons = match keys {
        None => PersonKeys::new(),
        Some(path) => read_keys(path, &row.origin)?,
    };
    let mut notes: Vec<(PathBuf, String)> = Vec::new();
    for path in checkpoint.map(Path::to_owned).into_iter().chain(Some(folder.signed_file(own.log.origin.slug()))) {
        match std::fs::read_to_string(&path) {
            Ok(note) => notes.push((path, note)),
            // The one of the folder need not be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && Some(path.as_path()) != checkpoint => {}
            Err(source) => return Err(BackupError::File { path, doing: "read", source }),
        }
    }
    // The newest of the backup is known too.
    notes.extend(from.latest_checkpoint(row.ledger_id).await?.map(|(_, note)| (backup.to_owned(), note)));
    let mut known: Option<(Checkpoint, String)> = None;
    for (path, note) in notes {
        let opened = match own.open(note.as_bytes()) {
            // Signed with a key that another has taken the place of since: what is known from then binds the backup as well.
            Err(CheckpointError::Note(NoteError::NotSigned { .. })) if path == backup && known.is_some() => continue,
            opened => opened.map_err(|source| BackupError::Checkpoint { path, source })?,
        };
        let found = opened.checkpoint();
        // Before anything is written: a backup of another history is not restored at all.
        if found.size <= row.size && root_at(&from, row.ledger_id, found.size).await? != found.root {
            return Err(BackupError::OtherHistory(found.size));
        }
        if known.as_ref().is_none_or(|(known, _)| found.size > known.size) {
            known = Some((found.clone(), note));
        }
    }
    if let Some((_, note)) = &known {
        // Whoever opens what is restored is held to it.
        folder.keep_signed(&own, note)?;
    }
    let copied = copy::copy(&from, &row, &to, until, Keys::Back(persons), Beside::Renewed, progress).await?;
    to.settle().await?;
    let signed = known.map(|(known, _)| known.size).filter(|size| *size > copied.entries);
    Ok(Restored { copied, signed })
}

/// The ledger of a backup; one that is not whole only where it is asked for by its name.
async fn in_backup(source: &Folder, from: &Store, slug: Option<&str>) -> Result<LedgerRow, OpenError> {
    let half = from.ledgers().await?.into_iter().find(|row| Some(row.slug.as_str()) == slug);
    match half {
        Some(row) => Ok(row),
        None => source.find(from, slug).await,
    }
}

/// One line a key: the entry, and the wrapped key in hex; at the end their count, so that a part is not taken for the whole. Readable by the owner only.
fn write_keys(path: &Path, origin: &str, keys: &PersonKeys) -> io::Result<()> {
    let mut text = format!("{HEADING}\n{origin}\n");
    for (seq, wrapped) in keys {
        let _ = writeln!(text, "{seq} {}", hex::encode(wrapped));
    }
    let _ = writeln!(text, "end {}", keys.len());
    replace(path, &text, &mut secret())
}

fn read_keys(path: &Path, origin: &str) -> Result<PersonKeys, BackupError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| BackupError::File { path: path.to_owned(), doing: "read", source })?;
    let bad = |line| BackupError::NoKeys { path: path.to_owned(), line, origin: origin.to_owned() };
    let mut lines = text.lines();
    if lines.next() != Some(HEADING) || lines.next() != Some(origin) {
        return Err(bad(1));
    }
    let key = |(place, line): (usize, &str)| {
        let (seq, wrapped) = line.split_once(' ').ok_or_else(|| bad(place))?;
        Ok((seq.parse().map_err(|_| bad(place))?, hex::decode(wrapped).map_err(|_| bad(place))?))
    };
    let lines: Vec<&str> = lines.collect();
    let (last, lines) = lines.split_last().ok_or_else(|| bad(2))?;
    if last.strip_prefix("end ").and_then(|count| count.parse().ok()) != Some(lines.len()) {
        return Err(bad(lines.len() + 3));
    }
    (3..).zip(lines.iter().copied()).map(key).collect()
}
