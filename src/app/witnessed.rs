//! Witnesses of this ledger: its checkpoints are shown to them, and what they sign is kept and shown to everybody.

use super::tree::Tree;
use crate::ledger::cosignature;
use crate::ledger::note::{Note, SignatureLine, VerifierKey};
use crate::ledger::policy::Witness;
use crate::ledger::witness::AddCheckpoint;
use crate::store::{Store, StoreError};
use std::collections::BTreeSet;
use std::io::Read as _;

/// Longest answer that is read.
const ANSWER_MAX: u64 = 100_000;

/// How a witness has seen the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub witness: String,
    /// The smallest size that it has cosigned, and when, in seconds since 1970.
    pub first: (u64, u64),
    /// The largest.
    pub last: (u64, u64),
}

/// Why a witness has not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum NotSeen {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not answer.
    #[error("it does not answer: {0}")]
    Away(String),
    /// It says no.
    #[error("it says {status}: {text}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        text: String,
    },
    /// It has seen more than is signed here: the database is an older copy, or another node is ahead.
    #[error("it has seen {0} entries, more than are signed here")]
    Ahead(u64),
    /// What it gave is no cosignature by its key.
    #[error("its answer is no cosignature by its key: {0}")]
    NoCosignature(String),
}

/// Since when each witness has seen the ledger.
pub async fn seen(store: &Store, ledger_id: i64) -> Result<Vec<Seen>, StoreError> {
    let rows = store.witnesses(ledger_id).await?;
    Ok(rows.into_iter().map(|(witness, first, last)| Seen { witness, first, last }).collect())
}

/// Sizes by which it can be seen since when witnesses have seen the ledger, smallest first: for each the first few that anybody has
/// cosigned from then on.
pub async fn telling_sizes(store: &Store, ledger_id: i64) -> Result<Vec<u64>, StoreError> {
    const OF_EACH: u32 = 10;
    let mut sizes = BTreeSet::new();
    for seen in seen(store, ledger_id).await? {
        sizes.extend(store.cosigned_sizes(ledger_id, seen.first.0, OF_EACH).await?);
    }
    Ok(sizes.into_iter().collect())
}

/// A checkpoint with what witnesses have signed of it.
pub async fn cosigned(store: &Store, ledger_id: i64, size: u64, note: String) -> Result<String, StoreError> {
    let lines = store.cosignatures(ledger_id, size).await?;
    Ok(lines.into_iter().fold(note, |note, (_, _, line)| note + &line))
}

/// Shows a witness a checkpoint; `old` is what it has seen last, as far as is known here. Gives the time of its signature, which is
/// kept.
pub async fn show(
    store: &Store,
    ledger_id: i64,
    (size, note): (u64, &str),
    witness: &Witness,
    agent: &ureq::Agent,
    mut old: u64,
) -> Result<u64, NotSeen> {
    let Some(url) = &witness.url else { return Err(NotSeen::Away("the policy gives it no address".into())) };
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    // What it has seen last is learnt from its first answer.
    for _ in 0..2 {
        let path = match old {
            _ if old == 0 || old == size => Vec::new(),
            _ => Tree::of(store, ledger_id, size).consistency(old).await?.ok_or(NotSeen::Ahead(old))?,
        };
        let request = AddCheckpoint { old, path, note: note.to_owned() }.to_text();
        let (agent, url) = (agent.clone(), url.clone());
        let asked = tokio::task::spawn_blocking(move || ask(&agent, &url, &request)).await;
        let (status, text) = asked.map_err(|error| NotSeen::Away(error.to_string()))??;
        match (status, text.trim().parse()) {
            (200, _) => return keep(store, ledger_id, (size, note), &witness.key, &text).await,
            (409, Ok(known)) if known != old => old = known,
            _ => return Err(NotSeen::Refused { status, text: text.trim().chars().take(200).collect() }),
        }
    }
    Err(NotSeen::Ahead(old))
}

fn ask(agent: &ureq::Agent, url: &str, request: &str) -> Result<(u16, String), NotSeen> {
    let away = |error: &dyn std::fmt::Display| NotSeen::Away(error.to_string());
    let answer = agent.post(url).send(request).map_err(|error| away(&error))?;
    let status = answer.status().as_u16();
    let mut text = String::new();
    let body = answer.into_body().into_reader().take(ANSWER_MAX).read_to_string(&mut text);
    body.map_err(|error| away(&error))?;
    Ok((status, text))
}

/// Keeps the lines that the witness's key has made; others are passed over.
async fn keep(
    store: &Store,
    ledger_id: i64,
    (size, note): (u64, &str),
    key: &VerifierKey,
    lines: &str,
) -> Result<u64, NotSeen> {
    let no = |error: &dyn std::fmt::Display| NotSeen::NoCosignature(error.to_string());
    let shown = Note::parse(note.as_bytes()).map_err(|error| no(&error))?;
    let signed = Note::parse(format!("{note}{lines}").as_bytes()).map_err(|error| no(&error))?;
    if signed.text != shown.text {
        return Err(no(&"it is of another text than the checkpoint that was shown"));
    }
    let seconds = cosignature::verify(&signed, key).map_err(|error| no(&error))?;
    let line: String =
        signed.signatures.iter().filter(|line| is_by(line, key)).map(|line| format!("{line}\n")).collect();
    store.put_cosignature(ledger_id, size, key.name(), seconds, &line).await?;
    Ok(seconds)
}

fn is_by(line: &SignatureLine, key: &VerifierKey) -> bool {
    line.name == key.name() && line.key_id == key.id()
}
