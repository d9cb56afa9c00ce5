//! The data folder: the database, the keys beside it, and the last signed checkpoint of each ledger.
//!
//! ```text
//! mingzhang-data/
//!   mingzhang.db          the database, unless it is on a server
//!   keys/<slug>.key       Ed25519 seed of the log, 64 hex digits     (mode 0600)
//!   keys/<slug>.next      the key that takes its place, once one is prepared
//!   keys/<slug>.vault     key of the vault, 64 hex digits            (mode 0600)
//!   keys/<slug>.signed    the last signed checkpoint: a database that lies behind it is not written to
//!   lock                  held by the one process that writes
//! ```

use crate::ledger::checkpoint::CheckpointError;
use crate::ledger::merkle::Frontier;
use crate::store::{LedgerRow, Place, Store, StoreError};
use crate::values::{Hash, Origin, Timestamp};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the name of a ledger ends with whose copy is not whole.
pub(super) const UNFINISHED: &str = ".copying";

/// A data folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    place: Place,
}

/// The right to write into a folder; given up when dropped.
#[derive(Debug)]
#[must_use]
pub struct WriteLock(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the folder.
    #[error("{} could not be {doing}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// read, written …
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key file does not hold a key.
    #[error("{} does not hold a key: 64 hex digits are expected. Put the right file back from your copy of the keys", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The signed checkpoint does not belong to this key.
    #[error("{} is not the last signed checkpoint of this ledger: {source}", path.display())]
    Signed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// Several ledgers, none was named.
    #[error("this folder holds several ledgers ({slugs}); say which with --ledger")]
    WhichLedger {
        /// Their slugs.
        slugs: String,
    },
    /// The copy of a ledger that is not whole.
    #[error(
        "{slug} is a copy that was interrupted; run the same copy, backup or restore again, it goes on where it stopped"
    )]
    Unfinished {
        /// Its name.
        slug: String,
    },
    /// The named ledger is not here.
    #[error("there is no ledger {slug} here; there is: {slugs}")]
    NoSuchLedger {
        /// As given.
        slug: String,
        /// Their slugs.
        slugs: String,
    },
    /// The ledger exists already.
    #[error("the ledger {slug} exists already in this folder")]
    LedgerExists {
        /// Its slug.
        slug: String,
    },
    /// Another process writes.
    #[error("another mingzhang is writing in {}; wait until it is done, then run this again. If it is a server, let it do this: --server URL --token TOKEN", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The keys are those of another ledger, or of another node's mistake.
    #[error("the keys in {} are not those of this ledger ({what}); put the right ones back from your copy", path.display())]
    OtherKeys {
        /// The folder of the keys.
        path: PathBuf,
        /// Which does not fit.
        what: &'static str,
    },
    /// The database lies behind what was signed.
    #[error("the database ends at entry {found}, but {signed} entries have been signed: it is an older copy. Nothing is written, because a second history would be signed. Put the newest copy of the database back; where there is none, open a ledger that goes on from this one: mingzhang init --continues {}", path.display())]
    Behind {
        /// Entries found.
        found: u64,
        /// Entries signed.
        signed: u64,
        /// The file that says so.
        path: PathBuf,
    },
    /// The database holds another history than what was signed.
    #[error(
        "the database does not hold the history that was signed at {signed} entries: it is another one, or it was changed. Nothing is written. Keep it as evidence, and put the database back that the last signed checkpoint fits: another node's, or a backup"
    )]
    OtherHistory {
        /// Entries signed.
        signed: u64,
    },
}

impl Folder {
    /// The folder at a path, with its database in it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { place: Place::Folder(path.clone()), path }
    }

    /// The same with its database elsewhere.
    #[must_use]
    pub fn with_database(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// Another folder; on the same database, where that is on a server.
    #[must_use]
    pub fn elsewhere(&self, path: impl Into<PathBuf>) -> Self {
        match &self.place {
            Place::Folder(_) => Self::new(path),
            Place::Server(_) => Self::new(path).with_database(self.place.clone()),
        }
    }

    /// Where its database is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn key_file(&self, slug: &str, extension: &str) -> PathBuf {
        self.path.join("keys").join(format!("{slug}.{extension}"))
    }

    /// Where the last signed checkpoint of a ledger is.
    pub fn signed_file(&self, slug: &str) -> PathBuf {
        self.key_file(slug, "signed")
    }

    /// Makes folder and key folder, readable by the owner only.
    pub fn make(&self) -> Result<(), OpenError> {
        let keys = self.path.join("keys");
        fs::create_dir_all(&keys).map_err(file_error(&keys, "made"))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).map_err(file_error(&keys, "protected"))?;
        }
        Ok(())
    }

    /// Takes the right to write, waiting up to ten seconds for another process to finish.
    pub async fn lock(&self) -> Result<WriteLock, OpenError> {
        let path = self.path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(file_error(&path, "opened"))?;
        for _ in 0..200 {
            match file.try_lock() {
                Ok(()) => return Ok(WriteLock(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(TryLockError::Error(source)) => return Err(file_error(&path, "locked")(source)),
            }
        }
        Err(OpenError::Busy { path: self.path.clone() })
    }

    /// Finds the ledger `slug`, or the only one.
    pub async fn find(&self, store: &Store, slug: Option<&str>) -> Result<LedgerRow, OpenError> {
        let (unfinished, ledgers): (Vec<_>, Vec<_>) =
            store.ledgers().await?.into_iter().partition(|row| row.slug.ends_with(UNFINISHED));
        let halves = unfinished.iter().find(|row| slug.map_or(ledgers.is_empty(), |slug| slug == row.slug));
        if let Some(half) = halves {
            return Err(OpenError::Unfinished { slug: half.slug.clone() });
        }
        let slugs = || ledgers.iter().map(|row| row.slug.as_str()).collect::<Vec<_>>().join(", ");
        match (slug, ledgers.as_slice()) {
            (Some(slug), rows) => rows
                .iter()
                .find(|row| row.slug == slug)
                .cloned()
                .ok_or_else(|| OpenError::NoSuchLedger { slug: slug.into(), slugs: slugs() }),
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(StoreError::Missing { place: self.place.clone() }.into()),
            (None, _) => Err(OpenError::WhichLedger { slugs: slugs() }),
        }
    }
}

/// The origin of a stored ledger.
pub fn origin_of(row: &LedgerRow) -> Result<Origin, StoreError> {
    Origin::parse(&row.origin).map_err(|error| StoreError::Damaged { table: "ledger", what: error.to_string() })
}

/// What a ledger is called: the last part of its origin.
pub(super) fn slug_of(origin: &str) -> &str {
    origin.rsplit('/').next().unwrap_or(origin)
}

/// The peaks of a stored head.
pub fn frontier(row: &LedgerRow) -> Result<Frontier, StoreError> {
    Frontier::from_peaks(row.size, row.peaks.clone())
        .ok_or_else(|| StoreError::Damaged { table: "ledger", what: "its peaks do not fit its size".into() })
}

/// Root over the first `size` entries, from their stored leaf hashes.
pub async fn root_at(store: &Store, ledger_id: i64, size: u64) -> Result<Hash, StoreError> {
    let mut frontier = Frontier::default();
    while frontier.size() < size {
        let from = frontier.size();
        let leaves = store.leaves(ledger_id, from, size.min(from + 10_000)).await?;
        if leaves.is_empty() {
            return Err(StoreError::Damaged { table: "entry", what: format!("entry {from} is missing") });
        }
        leaves.into_iter().for_each(|leaf| frontier.push(leaf));
    }
    Ok(frontier.root())
}

/// The stored time of a head.
pub fn last_at(row: &LedgerRow) -> Option<Timestamp> {
    row.at_millis.and_then(Timestamp::from_millis)
}

pub(super) fn file_error(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| {
        if source.kind() == io::ErrorKind::StorageFull {
            return StoreError::DiskFull.into();
        }
        OpenError::File { path, doing, source }
    }
}

/// Puts bytes in the place of a file, as a whole and durably: a crash leaves the old one or the new.
pub fn replace(path: &Path, bytes: impl AsRef<[u8]>, options: &mut OpenOptions) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut file = options.write(true).create(true).truncate(true).open(&fresh)?;
    file.write_all(bytes.as_ref())?;
    file.sync_all()?;
    take_place(&fresh, path)
}

/// Puts a file in the place of another, durably.
pub(super) fn take_place(fresh: &Path, path: &Path) -> io::Result<()> {
    fs::rename(fresh, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Puts bytes in the place of a file whose folder may not be there yet, as a whole; not durably, for what can be had again.
pub(super) fn put_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes)?;
    fs::rename(&fresh, path)
}

/// Options of a file that only its owner may read.
pub fn secret() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}
