//! The secret keys of a ledger, what is signed with them, and how one takes the place of another: it is prepared beside the one that
//! signs, an entry names it, the next checkpoint is signed by both, and only then it is put in the other's place.

use super::folder::{Folder, OpenError, file_error, replace, secret, take_place};
use crate::domain::organisation::Organisation;
use crate::entropy::Entropy;
use crate::ledger::checkpoint::{CheckpointError, LogKey, VerifiedCheckpoint};
use crate::ledger::note::VerifierKey;
use crate::store::StoreError;
use crate::values::{Hash, Origin};
use crate::vault::VaultKey;
use ed25519_dalek::SigningKey;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// The secret keys of a ledger.
pub struct Keys {
    /// Signs checkpoints.
    pub log: LogKey,
    /// Will sign them, or does already, and `log` once more with it.
    pub next: Option<LogKey>,
    /// Opens the vault.
    pub vault: VaultKey,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// The secret half of a key, if it is here.
    pub fn of(&self, vkey: &str) -> Option<&LogKey> {
        self.signing().find(|key| key.is_of(vkey))
    }

    fn signing(&self) -> impl Iterator<Item = &LogKey> {
        std::iter::once(&self.log).chain(&self.next)
    }

    /// Opens a checkpoint that one of the keys has signed.
    pub fn open(&self, note: &[u8]) -> Result<VerifiedCheckpoint, CheckpointError> {
        let keys: Vec<VerifierKey> = self.signing().map(LogKey::verifier).collect();
        VerifiedCheckpoint::open_any(note, &keys)
    }
}

impl Folder {
    /// Makes the keys of a new ledger; refused where a file of that name is there already.
    pub fn make_keys(&self, origin: &Origin, entropy: &mut Entropy) -> Result<Keys, OpenError> {
        let (seed, vault): ([u8; 32], [u8; 32]) = (entropy.bytes(), entropy.bytes());
        for (extension, bytes) in [("key", seed), ("vault", vault)] {
            write_secret(&self.key_file(origin.slug(), extension), &hex::encode(bytes))?;
        }
        let log = LogKey { origin: origin.clone(), key: SigningKey::from_bytes(&seed) };
        Ok(Keys { log, next: None, vault: VaultKey::new(vault) })
    }

    /// Reads the keys of a ledger.
    pub fn keys(&self, origin: &Origin) -> Result<Keys, OpenError> {
        let read = |extension| {
            let path = self.key_file(origin.slug(), extension);
            let text = fs::read_to_string(&path).map_err(file_error(&path, "read"))?;
            Hash::from_hex(text.trim()).map(|hash| hash.0).ok_or(OpenError::Key { path })
        };
        let log_key = |seed| LogKey { origin: origin.clone(), key: SigningKey::from_bytes(&seed) };
        let next = match read("next") {
            Ok(seed) => Some(log_key(seed)),
            Err(OpenError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Keys { log: log_key(read("key")?), next, vault: VaultKey::new(read("vault")?) })
    }

    /// The key that is to take the log key's place; made where none is prepared yet.
    pub fn prepare_key(&self, origin: &Origin, entropy: &mut Entropy) -> Result<LogKey, OpenError> {
        if let Some(next) = self.keys(origin)?.next {
            return Ok(next);
        }
        let seed: [u8; 32] = entropy.bytes();
        write_secret(&self.key_file(origin.slug(), "next"), &hex::encode(seed))?;
        Ok(LogKey { origin: origin.clone(), key: SigningKey::from_bytes(&seed) })
    }

    /// The last checkpoint that was signed; `None` before the first.
    pub fn signed(&self, keys: &Keys) -> Result<Option<VerifiedCheckpoint>, OpenError> {
        let path = self.signed_file(keys.log.origin.slug());
        let note = match fs::read(&path) {
            Ok(note) => note,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(file_error(&path, "read")(source)),
        };
        keys.open(&note).map(Some).map_err(|source| OpenError::Signed { path, source })
    }

    /// Signs a checkpoint with the key that is in force at its size: first into the file beside the key, made durable; only then may it
    /// be shown to anybody. A crash in between leaves a checkpoint that nobody has seen, which the next one supersedes.
    pub fn sign(&self, keys: &Keys, in_force: &str, size: u64, root: Hash) -> Result<String, OpenError> {
        let other = || OpenError::OtherKeys { path: self.path().join("keys"), what: "*.key" };
        let mut note = keys.of(in_force).ok_or_else(other)?.checkpoint(size, root);
        if !keys.log.is_of(in_force) {
            // The first that the new key signs: whoever knows the old one learns of the new one by it.
            note.add_signature(keys.log.origin.as_str(), &keys.log.key);
        }
        self.keep_signed(keys, &note.to_string())?;
        Ok(note.to_string())
    }

    /// Keeps a note as the last signed checkpoint.
    pub fn keep_signed(&self, keys: &Keys, note: &str) -> Result<(), OpenError> {
        let path = self.signed_file(keys.log.origin.slug());
        replace(&path, note, &mut OpenOptions::new()).map_err(file_error(&path, "written"))
    }

    /// Puts the new key in the old one's place, once a checkpoint signed by both is kept for everybody. The old one is gone then.
    pub fn retire_key(&self, keys: Keys) -> Result<Keys, OpenError> {
        let Some(next) = keys.next else { return Ok(keys) };
        let (fresh, path) = (self.key_file(next.origin.slug(), "next"), self.key_file(next.origin.slug(), "key"));
        take_place(&fresh, &path).map_err(file_error(&path, "written"))?;
        Ok(Keys { log: next, next: None, ..keys })
    }
}

fn write_secret(path: &Path, text: &str) -> Result<(), OpenError> {
    let write = || -> io::Result<()> {
        let mut file = secret().write(true).create_new(true).open(path)?;
        writeln!(file, "{text}")?;
        file.sync_all()
    };
    write().map_err(file_error(path, "written"))
}

/// The public key of a ledger at a size.
pub(super) fn vkey_at(organisation: &Organisation, size: u64) -> Result<VerifierKey, StoreError> {
    VerifierKey::parse(organisation.key_at(size))
        .map_err(|error| StoreError::Damaged { table: "subject", what: error.to_string() })
}

/// Opens a checkpoint of `size` entries that is signed as it must be: by the key in force, and by the one before it where no checkpoint
/// has covered the change yet; `before` is the size of the last one, 0 where there is none.
pub(super) fn open_checkpoint(
    organisation: &Organisation,
    note: &[u8],
    before: u64,
    size: u64,
) -> Result<VerifiedCheckpoint, CheckpointError> {
    let changed = organisation.keys().filter(|(from, _)| *from > before && *from <= size);
    for earlier in changed.map(|(from, _)| organisation.key_at(from - 1)) {
        drop(VerifiedCheckpoint::open(note, &VerifierKey::parse(earlier)?)?);
    }
    VerifiedCheckpoint::open(note, &VerifierKey::parse(organisation.key_at(size))?)
}
