//! A ledger held against what its reader knows from elsewhere: a key, witnesses, an earlier checkpoint.

use super::Verdict;
use crate::app::asked::Asked;
use crate::app::folder::root_at;
use crate::app::keys::open_checkpoint;
use crate::app::opened;
use crate::ledger::checkpoint::{Checkpoint, VerifiedCheckpoint};
use crate::ledger::rotation;
use crate::store::{LedgerRow, Store, StoreError};
use std::collections::BTreeMap;

/// Holds a ledger, whose entries hold, against what its reader knows from elsewhere.
pub(super) async fn held_against(
    store: &Store,
    row: &LedgerRow,
    verdict: Verdict,
    asked: &Asked,
) -> Result<Verdict, StoreError> {
    let (ledger_id, end) = (row.ledger_id, verdict.entries.saturating_sub(1));
    let mut verdict = verdict;
    if asked.vkey.is_none() && asked.policy.is_none() && asked.since.is_none() {
        return Ok(verdict);
    }
    let organisation = opened::organisation(store, ledger_id).await?;
    let open = |note: &[u8], size: u64| open_checkpoint(&organisation, note, size, size);
    // One that was signed since lies beyond what was looked at.
    let mut checkpoints = store.checkpoints(ledger_id).await?;
    checkpoints.retain(|(size, _)| *size <= verdict.entries);
    let Some((newest_size, note)) = checkpoints.last() else {
        return Ok(verdict.or_bad(end, "nothing has been signed yet".into()));
    };
    if let Some(since) = &asked.since {
        let checkpoint = Checkpoint::of_note(since)
            .and_then(|said| open(since, said.size))
            .map(|opened| opened.checkpoint().clone());
        match checkpoint {
            Err(error) => return Ok(verdict.or_bad(0, format!("the earlier checkpoint does not hold: {error}"))),
            Ok(Checkpoint { size, .. }) if size > verdict.entries => {
                let (end, reason) =
                    (verdict.entries, format!("it is missing: a checkpoint over {size} entries was signed"));
                return Ok(verdict.or_bad(end, reason));
            }
            Ok(Checkpoint { size, root, .. }) if root_at(store, ledger_id, size).await? != root => {
                let reason =
                    format!("the first {size} entries are not those that were signed: the history was replaced");
                return Ok(verdict.or_bad(0, reason));
            }
            Ok(Checkpoint { size, .. }) => verdict.since = Some(size),
        }
    }
    if let Some(known) = asked.key_of(&row.origin) {
        let changes = opened::rotations(store, ledger_id, &organisation).await?;
        let newest = rotation::newest(changes, known.clone());
        let signed = newest.map_err(|error| format!("a change of its key does not hold: {error}")).and_then(|newest| {
            let signed = VerifiedCheckpoint::open(note.as_bytes(), &newest);
            signed.map_err(|error| format!("the checkpoint does not hold: {error}"))
        });
        if let Err(reason) = signed {
            return Ok(verdict.or_bad(0, reason));
        }
    }
    let mut cosignatures: BTreeMap<u64, String> = BTreeMap::new();
    for (size, _, _, line) in store.all_cosignatures(ledger_id).await? {
        cosignatures.entry(size).or_default().push_str(&line);
    }
    let newest = open(note.as_bytes(), *newest_size);
    let mut cosigned = Vec::new();
    for (size, note) in &checkpoints {
        let Some(lines) = cosignatures.get(size) else { continue };
        cosigned.extend(open(format!("{note}{lines}").as_bytes(), *size));
    }
    // Witnesses see a checkpoint some moments after it was signed: the newest that any of them has seen is looked at.
    match cosigned.pop().map_or(newest, Ok) {
        Ok(newest) => verdict.witnessed = asked.witnessed(&newest, cosigned.iter()),
        Err(error) => return Ok(verdict.or_bad(end, format!("the checkpoint does not hold: {error}"))),
    }
    match verdict.witnessed.fault.clone() {
        Some(fault) => Ok(verdict.or_bad(end, fault)),
        None => Ok(verdict),
    }
}
