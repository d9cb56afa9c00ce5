//! A witness: cosigns checkpoints of the logs it knows, as long as each is the beginning of the next. C2SP `tlog-witness`. Its store is
//! a folder: the key, the keys of the logs, and for each log the checkpoint that was cosigned last.

use super::{held, listen, log};
use crate::app::folder::{Folder, OpenError, WriteLock, replace, secret};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ledger::checkpoint::{Checkpoint, VerifiedCheckpoint};
use crate::ledger::cosignature;
use crate::ledger::note::{KeyKind, Note, NoteError, VerifierKey};
use crate::ledger::witness::{AddCheckpoint, BYTES_MAX, NotCosigned};
use crate::values::Hash;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as InPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// Why a witness cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum NoWitness {
    /// Its folder.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file of it.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of the list of logs, or a stored checkpoint, is none.
    #[error("{}: {error}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: String,
    },
}

/// A log that is known, with what was cosigned last.
#[derive(Default)]
struct Known {
    /// Its keys: another may have taken the place of the first.
    keys: Vec<VerifierKey>,
    /// What was cosigned last, with our signature.
    latest: Option<(Checkpoint, Note)>,
}

/// A witness with its store.
pub struct Witness {
    name: String,
    key: SigningKey,
    /// Where the keys of the logs are kept.
    list: PathBuf,
    folder: PathBuf,
    clock: Clock,
    /// Looked at and changed under the lock, written to the disk before it is let go: two requests cannot cross.
    logs: Mutex<BTreeMap<String, Known>>,
    #[expect(dead_code, reason = "one process is this witness as long as it is held")]
    lock: WriteLock,
}

impl Witness {
    /// Opens the store in a folder, making it where there is none; `fresh` are logs that it is to know from now on.
    pub async fn open(folder: &Path, name: String, fresh: &[VerifierKey], clock: Clock) -> Result<Self, NoWitness> {
        let checkpoints = folder.join("checkpoints");
        fs::create_dir_all(&checkpoints).map_err(file(&checkpoints))?;
        let lock = Folder::new(folder).lock().await?;
        let key = key(&folder.join("witness.key"))?;
        let list = folder.join("logs");
        let mut logs: BTreeMap<String, Known> = BTreeMap::new();
        for key in list_of(&list)?.iter().chain(fresh) {
            let known = logs.entry(key.name().to_owned()).or_default();
            if !known.keys.contains(key) {
                known.keys.push(key.clone());
            }
        }
        let own = VerifierKey::of(&name, KeyKind::Witness, &key);
        for (origin, known) in &mut logs {
            known.latest = latest(&checkpoints.join(hash_of(origin)), &known.keys, &own)?;
        }
        let witness = Self { name, key, list: list.clone(), folder: checkpoints, clock, logs: Mutex::default(), lock };
        witness.keep_list(&logs).map_err(file(&list))?;
        *held(&witness.logs) = logs;
        Ok(witness)
    }

    /// Keeps the keys of the logs, one a line.
    fn keep_list(&self, logs: &BTreeMap<String, Known>) -> io::Result<()> {
        let text: String = logs.values().flat_map(|known| &known.keys).map(|key| format!("{key}\n")).collect();
        replace(&self.list, &text, &mut OpenOptions::new())
    }

    /// Its public key.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::of(&self.name, KeyKind::Witness, &self.key)
    }

    /// The logs that it knows.
    pub fn logs(&self) -> Vec<String> {
        held(&self.logs).keys().cloned().collect()
    }

    /// Judges a checkpoint, keeps it durably, and only then gives the cosignature.
    fn add(&self, request: &AddCheckpoint) -> Result<Result<String, NotCosigned>, io::Error> {
        let mut logs = held(&self.logs);
        let known = logs.get(request.origin());
        let latest = known.and_then(|known| known.latest.as_ref()).map(|(checkpoint, _)| checkpoint);
        let opened = match request.judge(known.map_or(&[], |known| &known.keys), latest) {
            Ok(opened) => opened,
            Err(error) => {
                if error.is_evidence() {
                    self.keep_evidence(request, known.and_then(|known| known.latest.as_ref()))?;
                }
                return Ok(Err(error));
            }
        };
        let checkpoint = opened.checkpoint().clone();
        // The keys stand in the order in which they took each other's place: one that was followed by another signs nothing any more.
        let signers = known.map(|known| known.keys.as_slice()).unwrap_or_default();
        let newest = signers.iter().rposition(|key| opened.note().verify(key).is_ok()).unwrap_or(0);
        let seconds = u64::try_from(self.clock.now().millis() / 1000).unwrap_or_default();
        let line = cosignature::cosign(&opened.note().text, seconds, &self.name, &self.key);
        let mut note = opened.note().clone();
        note.signatures.push(line.clone());
        let path = self.folder.join(hash_of(&checkpoint.origin));
        replace(&path, note.to_string(), &mut OpenOptions::new())?;
        if let Some(known) = logs.get_mut(request.origin()) {
            known.latest = Some((checkpoint, note));
            known.keys.drain(..newest);
        }
        if newest > 0 {
            self.keep_list(&logs)?;
        }
        Ok(Ok(format!("{line}\n")))
    }

    /// Two histories of one log, each signed by it: the one that was cosigned, and this, with the proof that does not hold.
    fn keep_evidence(&self, request: &AddCheckpoint, latest: Option<&(Checkpoint, Note)>) -> io::Result<()> {
        let cosigned = latest.map(|(_, note)| note.to_string()).unwrap_or_default();
        let text = format!("{cosigned}\n{}", request.to_text());
        let name = format!("{}.{}.evidence", hash_of(request.origin()), Hash::of(&[text.as_bytes()]).short());
        replace(&self.folder.join(name), &text, &mut OpenOptions::new())
    }
}

fn hash_of(origin: &str) -> String {
    Hash::of(&[origin.as_bytes()]).to_hex()
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> NoWitness {
    let path = path.to_owned();
    move |source| NoWitness::File { path, source }
}

fn form(path: &Path, error: impl ToString) -> NoWitness {
    NoWitness::Form { path: path.into(), error: error.to_string() }
}

fn key(path: &Path) -> Result<SigningKey, NoWitness> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let seed = Hash::from_hex(text.trim()).ok_or_else(|| form(path, "a key has 64 hex digits"))?;
            Ok(SigningKey::from_bytes(&seed.0))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let seed: [u8; 32] = Entropy::new().bytes();
            replace(path, format!("{}\n", hex::encode(seed)), &mut secret()).map_err(file(path))?;
            Ok(SigningKey::from_bytes(&seed))
        }
        Err(error) => Err(file(path)(error)),
    }
}

/// The keys of the logs, one a line.
fn list_of(path: &Path) -> Result<Vec<VerifierKey>, NoWitness> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(file(path)(error)),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| VerifierKey::parse(line).map_err(|error| form(path, error))).collect()
}

/// What was cosigned last, which must be what this witness has signed.
fn latest(path: &Path, log: &[VerifierKey], own: &VerifierKey) -> Result<Option<(Checkpoint, Note)>, NoWitness> {
    let note = match fs::read(path) {
        Ok(note) => note,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file(path)(error)),
    };
    let opened = VerifiedCheckpoint::open_any(&note, log).map_err(|error| form(path, error))?;
    match cosignature::verify(opened.note(), own) {
        // Under another name, or with another key, the history is still the one that was seen.
        Ok(_) | Err(NoteError::NotSigned { .. }) => Ok(Some((opened.checkpoint().clone(), opened.note().clone()))),
        Err(error) => Err(form(path, error)),
    }
}

/// Serves a witness until `stop`.
pub async fn serve(witness: Witness, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
    let router = Router::new()
        .route("/", get(about))
        .route("/add-checkpoint", post(add))
        .route("/{hash}/checkpoint", get(checkpoint))
        .layer(DefaultBodyLimit::max(BYTES_MAX))
        .with_state(Arc::new(witness));
    listen::serve(listener, router, stop).await;
}

const TEXT: &str = "text/plain; charset=utf-8";

async fn add(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let added = AddCheckpoint::parse(&body).map(|request| (witness.add(&request), request));
    let refused = |error: NotCosigned| {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        match error {
            NotCosigned::OtherSize(size) | NotCosigned::OtherRoot(size) => {
                (status, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n")).into_response()
            }
            NotCosigned::Form(_)
            | NotCosigned::UnknownLog(_)
            | NotCosigned::NotSigned(_)
            | NotCosigned::Inconsistent => {
                (status, [(header::CONTENT_TYPE, TEXT)], format!("{error}\n")).into_response()
            }
        }
    };
    match added {
        Err(error) => refused(error),
        Ok((Ok(Ok(line)), _)) => ([(header::CONTENT_TYPE, TEXT)], line).into_response(),
        Ok((Ok(Err(error)), request)) => {
            log(&format!("{} {}: {error}", witness.clock.now(), request.origin().escape_debug()));
            refused(error)
        }
        Ok((Err(error), _)) => {
            log(&format!("{} the checkpoint could not be kept: {error}", witness.clock.now()));
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The checkpoint of a log that was cosigned last; the path names it by the hash of its origin.
async fn checkpoint(State(witness): State<Arc<Witness>>, InPath(hash): InPath<String>) -> Response {
    let logs = held(&witness.logs);
    let found = logs.iter().find(|(origin, _)| hash_of(origin) == hash).and_then(|(_, known)| known.latest.as_ref());
    match found {
        Some((_, note)) => ([(header::CONTENT_TYPE, TEXT)], note.to_string()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn about(State(witness): State<Arc<Witness>>) -> Response {
    let mut text = format!("{}\n", witness.verifier());
    for (origin, known) in &*held(&witness.logs) {
        let size = known.latest.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size);
        writeln!(text, "{} {origin} {size}", hash_of(origin)).expect("writing to a String cannot fail");
    }
    ([(header::CONTENT_TYPE, TEXT)], text).into_response()
}
