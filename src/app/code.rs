//! Codes and tokens that were shown once: their keyed hash, and what each opens, bound to it.

use super::opened::Opened;
use crate::store::StoreError;
use crate::values::Hash;

/// Keeps a code by its hash.
pub async fn keep(opened: &Opened, purpose: &str, code_hash: Hash, subject: &str) -> Result<(), StoreError> {
    let row = opened.keys.vault.code_row(purpose, code_hash, subject);
    opened.store.put_code(opened.row.ledger_id, purpose, code_hash, &row).await
}

/// What a code opens.
pub async fn opens(opened: &Opened, purpose: &str, code_hash: Hash) -> Result<Option<String>, StoreError> {
    let Some(row) = opened.store.code(opened.row.ledger_id, purpose, code_hash).await? else { return Ok(None) };
    let subject = opened.keys.vault.code_subject(purpose, code_hash, &row);
    let changed = || StoreError::Damaged { table: "code", what: "a row was changed".into() };
    subject.map(|subject| Some(subject.to_owned())).ok_or_else(changed)
}
