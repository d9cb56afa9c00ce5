//! A monitor: follows a log from outside, keeps what it has signed, and says when it shows another history, breaks a rule, or publishes
//! totals that its own entries do not add up to. What is found is kept with the signatures, for others to see.

use super::asked::Asked;
use super::folder::replace;
use super::outside::{self, Log, OutsideError, Verdict};
use crate::ledger::canonical::{Object, Value};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::note::VerifierKey;
use crate::ledger::policy::Policy;
use crate::ledger::posting::Book;
use crate::values::Hash;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What a look at a log has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The log.
    pub origin: String,
    /// Entries that it has.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// It was looked at before.
    pub is_known: bool,
    /// Its totals were published, and compared.
    pub is_totalled: bool,
    /// What is wrong, with the file that proves it.
    pub found: Vec<(String, PathBuf)>,
    /// Evidence of earlier looks.
    pub kept: Vec<PathBuf>,
}

/// Looks at a log once. Its key is that of the policy, or the one that it had when it was first seen.
pub async fn look(url: &str, folder: &Path, policy: Option<&Policy>) -> Result<Seen, OutsideError> {
    let own = folder.join(Hash::of(&[url.trim_end_matches('/').as_bytes()]).short());
    let made = |path: &Path| {
        let path = path.to_owned();
        move |source| OutsideError::File { path, source }
    };
    fs::create_dir_all(own.join("checkpoints")).map_err(made(&own))?;
    let log = Log::at(url, Some(own.join("log")))?;
    let pinned = own.join("log.vkey");
    let vkey = match fs::read_to_string(&pinned) {
        Ok(text) => VerifierKey::parse(text.trim())
            .map_err(|error| OutsideError::Key { place: format!("{}/", own.display()), error })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let first = log.clone();
            let key = outside::blocking(move || first.own_key()).await?;
            replace(&pinned, format!("{key}\n"), &mut OpenOptions::new()).map_err(made(&pinned))?;
            key
        }
        Err(source) => return Err(OutsideError::File { path: pinned, source }),
    };
    let (since, kept) = (last_kept(&own), kept_evidence(&own));
    let asked = Asked { vkey: policy.is_none().then_some(vkey), policy: policy.cloned(), since: since.clone() };
    let verdict = outside::verify(log.clone(), &asked, |_, _| ()).await?;
    let (mut found, mut is_totalled) = (Vec::new(), false);
    if let Some(bad) = &verdict.first_bad {
        let what = if verdict.is_of_entry { format!("entry {}: {}", bad.seq, bad.reason) } else { bad.reason.clone() };
        let text = history(url, &what, &log, &verdict, since.as_deref()).await?;
        found.push((what, evidence(&own, "history", &text)?));
        // What was fetched on the way may be what is bad: the next look asks anew for everything.
        let _ = fs::remove_dir_all(own.join("log"));
    } else {
        let path = own.join("checkpoints").join(verdict.entries.to_string());
        replace(&path, &verdict.note, &mut OpenOptions::new()).map_err(made(&path))?;
        if let Some(differing) = differing_totals(&log, url, &verdict, &own).await? {
            is_totalled = true;
            found.extend(differing);
        }
    }
    let (origin, is_known) = (verdict.vkey.name().to_owned(), since.is_some());
    Ok(Seen { origin, size: verdict.entries, root: verdict.root, is_known, is_totalled, found, kept })
}

/// The newest checkpoint that was kept.
fn last_kept(own: &Path) -> Option<Vec<u8>> {
    let files = fs::read_dir(own.join("checkpoints")).ok()?.flatten();
    let sizes = files.filter_map(|file| file.file_name().to_str()?.parse::<u64>().ok());
    fs::read(own.join("checkpoints").join(sizes.max()?.to_string())).ok()
}

/// What was kept of earlier looks.
fn kept_evidence(own: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(own).into_iter().flatten().flatten().map(|file| file.path());
    let mut kept: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "evidence")).collect();
    kept.sort();
    kept
}

/// What shows that a log does not hold: both signed notes, and where it has split, what proves that they are of two histories.
async fn history(
    url: &str,
    what: &str,
    log: &Log,
    verdict: &Verdict,
    since: Option<&[u8]>,
) -> Result<String, OutsideError> {
    let earlier = since.map(String::from_utf8_lossy).unwrap_or_default();
    let once = Checkpoint::of_note(earlier.as_bytes()).ok();
    let fork = match &once {
        Some(once) => outside::proof_of_fork(log, verdict, once).await?,
        None => None,
    };
    Ok(match fork {
        Some((root, newest)) => format!(
            "{url}\n{what}\n\n{earlier}\n\nThe root of the first {} entries of what it signs now is {}:\n\n{}",
            newest.old,
            root.to_base64(),
            newest.to_text()
        ),
        None => format!("{url}\n{what}\n\n{earlier}\n\n{}", verdict.note),
    })
}

/// Writes down what was found, with what proves it.
fn evidence(own: &Path, what: &str, text: &str) -> Result<PathBuf, OutsideError> {
    let path = own.join(format!("{what}-{}.evidence", Hash::of(&[text.as_bytes()]).short()));
    replace(&path, text, &mut OpenOptions::new())
        .map_err(|source| OutsideError::File { path: path.clone(), source })?;
    Ok(path)
}

/// Compares what the server publishes of its lines with what its entries add up to; `None` where it publishes nothing of the kind, as a
/// folder of files.
async fn differing_totals(
    log: &Log,
    url: &str,
    verdict: &Verdict,
    own: &Path,
) -> Result<Option<Option<(String, PathBuf)>>, OutsideError> {
    let Some((server, _)) = url.split_once("/log/").filter(|_| matches!(log, Log::Address { .. })) else {
        return Ok(None);
    };
    let path = format!("{server}/api/v1/totals?at={}", verdict.entries);
    let reader = log.clone();
    let Some(bytes) = outside::blocking(move || reader.fetch(&path)).await? else { return Ok(None) };
    // Servers of this kind write it in the canonical form; another form is none that can be compared.
    let told = Value::parse(&bytes).ok();
    let rows = told.as_ref().and_then(Value::as_object).and_then(|told| told.get("lines")?.as_array()).unwrap_or(&[]);
    let rows: Vec<&Object<'_>> = rows.iter().filter_map(Value::as_object).collect();
    let ours = totals(&verdict.book);
    let differs = ours.iter().find_map(|(line, numbers)| {
        let row = rows.iter().find(|row| row.get("line").and_then(Value::as_text) == Some(line.as_str()));
        let told = |name: &str| u64::try_from(row?.get(name)?.as_integer()?).ok();
        let mut numbers = ["end", "free", "held", "spent", "void"].into_iter().zip(*numbers);
        let (name, number) = numbers.find(|(name, number)| told(name) != Some(*number))?;
        let told = told(name).map_or_else(|| "not told".to_owned(), |told| told.to_string());
        Some(format!("the published totals of {line} are not what its entries add up to: {name} is {told} there, {number} by the entries"))
    });
    let added = rows.len() != ours.len();
    let what = match differs {
        Some(what) => what,
        None if added => "the published totals are of other lines than the entries have".to_owned(),
        None => return Ok(Some(None)),
    };
    let text = format!("{url}\n{what}\n\n{}\n\n{}", String::from_utf8_lossy(&bytes), verdict.note);
    Ok(Some(Some((what, evidence(own, "totals", &text)?))))
}

/// End, free, held, spent, void of each line.
fn totals(book: &Book) -> Vec<(String, [u64; 5])> {
    let line = |line: &crate::ledger::line::Line| {
        let totals = line.totals();
        (line.name().to_string(), [totals.end(), totals.free, totals.held, totals.spent, totals.void])
    };
    book.lines().iter().map(line).collect()
}
