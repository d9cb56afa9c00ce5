//! A ledger that was opened: found, its keys read, its head held against what was signed.

use super::folder::{Folder, OpenError, frontier, origin_of, root_at};
use super::keys::{Keys, vkey_at};
use super::tree::Tree;
use crate::domain::body::BadBody;
use crate::domain::organisation::Organisation;
use crate::ledger::canonical::{Object, Value};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::VerifierKey;
use crate::ledger::proof::Proof;
use crate::store::{LedgerRow, Store, StoreError};
use std::path::Path;

/// A ledger that was found, its keys read and its head checked against what was signed.
#[derive(Debug)]
pub struct Opened {
    /// The folder.
    pub folder: Folder,
    /// The database.
    pub store: Store,
    /// The head.
    pub row: LedgerRow,
    /// The keys.
    pub keys: Keys,
}

impl Folder {
    /// Opens a ledger: refused where the database lies behind what was signed, or holds another history.
    pub async fn open(&self, slug: Option<&str>) -> Result<Opened, OpenError> {
        let store = Store::open(self.place()).await?;
        let row = self.find(&store, slug).await?;
        let keys = self.keys(&origin_of(&row)?)?;
        if let Some(signed) = self.signed(&keys)? {
            check_signed(&store, &row, signed.checkpoint(), &self.signed_file(keys.log.origin.slug())).await?;
        }
        Ok(Opened { folder: self.clone(), store, row, keys })
    }
}

async fn check_signed(store: &Store, row: &LedgerRow, signed: &Checkpoint, path: &Path) -> Result<(), OpenError> {
    if row.size < signed.size {
        return Err(OpenError::Behind { found: row.size, signed: signed.size, path: path.into() });
    }
    let root = if row.size == signed.size {
        frontier(row)?.root()
    } else {
        // A crash came between a commit and its checkpoint: the signed tree is a prefix, and is computed once.
        root_at(store, row.ledger_id, signed.size).await?
    };
    if root == signed.root { Ok(()) } else { Err(OpenError::OtherHistory { signed: signed.size }) }
}

impl Opened {
    /// The head as it is now; the one that was opened may have been passed since.
    pub async fn head(&self) -> Result<LedgerRow, StoreError> {
        self.store.ledger(self.row.ledger_id).await
    }

    /// The stored state of a thing.
    pub async fn state<T>(
        &self,
        area: &str,
        id: &str,
        read: impl FnOnce(&Object<'_>) -> Result<T, BadBody>,
    ) -> Result<Option<T>, StoreError> {
        let Some(doc) = self.store.subject(self.row.ledger_id, area, id).await? else { return Ok(None) };
        state(&doc, read).map(Some)
    }

    /// The stored states of an area, by id.
    pub async fn states<T>(
        &self,
        area: &str,
        read: impl Fn(&Object<'_>) -> Result<T, BadBody>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.store.subjects(self.row.ledger_id, area).await?;
        rows.iter().map(|(_, doc)| state(doc, &read)).collect()
    }

    /// Whose ledger it is, and which keys have signed it.
    pub async fn organisation(&self) -> Result<Organisation, StoreError> {
        organisation(&self.store, self.row.ledger_id).await
    }

    /// The public key that signs a tree of so many entries.
    pub async fn vkey_at(&self, size: u64) -> Result<VerifierKey, StoreError> {
        vkey_at(&self.organisation().await?, size)
    }

    /// What leads from each key to the one that took its place, oldest first; see [`crate::ledger::rotation`]. The last may be missing
    /// for the moment between an entry and the checkpoint that covers it.
    pub async fn rotations(&self) -> Result<Vec<String>, StoreError> {
        rotations(&self.store, self.row.ledger_id, &self.organisation().await?).await
    }
}

/// The same of a ledger that need not be opened.
pub(super) async fn rotations(
    store: &Store,
    ledger_id: i64,
    organisation: &Organisation,
) -> Result<Vec<String>, StoreError> {
    let mut proofs = Vec::new();
    for rotation in &organisation.rotations {
        let Some((size, checkpoint)) = store.next_checkpoint(ledger_id, rotation.seq).await? else { break };
        let path = Tree::of(store, ledger_id, size).inclusion(rotation.seq).await?.unwrap_or_default();
        let extra = Some(store.known_entry(ledger_id, rotation.seq).await?);
        proofs.push(Proof { extra, index: rotation.seq, path, checkpoint }.to_string());
    }
    Ok(proofs)
}

/// Whose ledger it is.
pub(super) async fn organisation(store: &Store, ledger_id: i64) -> Result<Organisation, StoreError> {
    let damaged = |what: String| StoreError::Damaged { table: "subject", what };
    let doc = store.subject(ledger_id, "organisation", "").await?;
    let doc = doc.ok_or_else(|| damaged("the organisation is missing".into()))?;
    state(&doc, Organisation::from_object)
}

fn state<T>(doc: &[u8], read: impl FnOnce(&Object<'_>) -> Result<T, BadBody>) -> Result<T, StoreError> {
    let damaged = |what: String| StoreError::Damaged { table: "subject", what };
    let value = Value::parse(doc).map_err(|error| damaged(error.to_string()))?;
    let object = value.as_object().ok_or_else(|| damaged("a state is an object".into()))?;
    read(object).map_err(|error| damaged(error.to_string()))
}
