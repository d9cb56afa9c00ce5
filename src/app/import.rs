//! `import`: a statement of gifts into a fund. Each row becomes a gift under a key made of the file and the row's number, so that an
//! import that was interrupted goes on where it stopped; and under the channel's own reference, so that another file with the same
//! gifts adds nothing. At the end the totals, compared with what the file itself states.

use super::gift::{Gift, fresh, submission};
use super::writer::{Accepted, Handle, Lookup, Secret, Submission, WriteError, reference_text};
use crate::domain::command::Order;
use crate::domain::field_rule::FieldRule;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{FeeOnRefund, ReasonClass, Source};
use crate::entropy::Entropy;
use crate::exchange::export::rejected::RejectedCsv;
use crate::exchange::import::{
    Control, FormatName, ImportError, Notice, Options, Other, OtherKind, Record, Reference, Refund, Rejected, Row,
    Statement,
};
use crate::ledger::canonical::{Object, Value};
use crate::values::{AccountId, FundId, Hash, StaffId, Unit};
use crate::vault::Fresh;
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

/// Gifts of one batch.
const BATCH: usize = 1_000;
/// Batches on their way to the writer.
const IN_FLIGHT: usize = 4;
/// Lines that are kept for telling; files hold all of them.
const TOLD_MAX: usize = 20;

/// What to import, and how.
#[derive(Debug)]
pub struct Import {
    /// The statement.
    pub path: PathBuf,
    /// Into this fund.
    pub fund: FundId,
    /// To this account; the one named after the format where absent.
    pub account: Option<AccountId>,
    /// How to read it.
    pub options: Options,
    /// Show what would be posted, and post nothing.
    pub mode: Mode,
    /// Where files with rows that are handed back go: the first of these folders that can be written.
    pub hand_back: Vec<PathBuf>,
}

/// Whether rows are handed back in files and the import is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Posted.
    Post,
    /// Shown only: the writer rehearses, so that the answer is the one that posting would give.
    DryRun,
}

/// What became of the rows of a statement.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What it was recognised as.
    pub format: FormatName,
    /// The account.
    pub account: AccountId,
    /// Data rows: the sum of the five below.
    pub rows: u64,
    /// Gifts that are in the ledger by this import.
    pub accepted: u64,
    /// Rows whose gift was there already.
    pub duplicates: u64,
    /// Rows that give money back.
    pub refunds: u64,
    /// Of these, posted.
    pub refunds_posted: u64,
    /// Rows that are no gift.
    pub other: u64,
    /// Rows that could not be read or were refused.
    pub rejected: u64,
    /// Sum of the accepted gifts, in minor units.
    pub total: (Unit, i64),
    /// Line of a duplicate and the entry of its twin; the first few.
    pub twins: Vec<(u64, u64)>,
    /// Line of a row that is no gift, and what it is; the first few.
    pub others: Vec<(u64, OtherKind)>,
    /// Sentences about rows that were handed back; the first few, Chinese and English.
    pub complaints: Vec<(String, String)>,
    /// What the file states, against what was read.
    pub controls: Vec<Control>,
    /// What the operator should know.
    pub notices: Vec<Notice>,
    /// Files with rows: handed back, duplicates, other.
    pub files: Vec<PathBuf>,
    /// The entry that records the import; absent in a dry run and where the file had been imported before.
    pub entry: Option<u64>,
}

/// Why an import ended early. What was accepted before stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailure {
    /// The statement cannot be read or written beside.
    #[error("{}: {doing} failed", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The statement is not what it should be.
    #[error("{}", path.display())]
    Statement {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: ImportError,
    },
    /// The account or the fund is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Writing failed.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The file's bytes as they are read, counted for the progress bar.
struct Counted {
    file: BufReader<File>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Rows on their way, with what is needed to tell what became of each, in the order of the file.
struct Sent {
    answer: oneshot::Receiver<Result<Vec<Result<Accepted, Refusal>>, WriteError>>,
    rows: Vec<Waiting>,
}

/// A row whose turn to be told has not come.
enum Waiting {
    /// A gift that the writer judges, with its minor units.
    Gift(Row, i64),
    Other(Other),
    Rejected(Rejected),
    /// A gift whose record cannot be written, and why.
    Unwritable(Row, String),
}

/// Digest of the file, and its salted hash: one pass over its bytes.
fn hash_file(path: &Path, salt: &[u8; 32]) -> io::Result<(Hash, Hash, u64)> {
    // A pipe or a device may never end, and cannot be read a second time.
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() && !meta.is_dir() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file"));
    }
    let mut file = File::open(path)?;
    let (mut plain, mut salted, mut size) = (Sha256::new(), Sha256::new(), 0);
    salted.update(b"mingzhang/blob/v1\x00");
    salted.update(salt);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok((Hash(plain.finalize().into()), Hash(salted.finalize().into()), size));
        };
        plain.update(bytes);
        salted.update(bytes);
        size += u64::try_from(count).unwrap_or(0);
    }
}

/// Imports a statement. `progress` is told bytes read, of how many, and rows done.
pub async fn import(
    order: Import,
    ledger: &str,
    by: &StaffId,
    handle: &Handle,
    entropy: &mut Entropy,
    mut progress: impl FnMut(u64, u64, u64),
) -> Result<Imported, ImportFailure> {
    let path = order.path.clone();
    let file_failed = |doing: &'static str| {
        let path = path.clone();
        move |source: io::Error| ImportFailure::File { path, doing, source }
    };
    let statement_failed = |source: ImportError| ImportFailure::Statement { path: path.clone(), source };
    let salt: [u8; 32] = entropy.bytes();
    let (digest, salted, size) = hash_file(&path, &salt).map_err(file_failed("reading it"))?;
    let read = Arc::new(AtomicU64::new(0));
    let file = File::open(&path).map_err(file_failed("reading it"))?;
    let input = Counted { file: BufReader::with_capacity(1 << 16, file), read: Arc::clone(&read) };
    let mut statement = Statement::open(input, order.options.clone()).map_err(statement_failed)?;
    let channel = statement.account().to_owned();
    let account = match &order.account {
        Some(account) => account.clone(),
        None => AccountId::parse(&channel)
            .map_err(|error| Refusal::Field { field: "account", rule: FieldRule::NotAccount(error.to_string()) })?,
    };
    let completed_key = format!("import-completed {digest}");
    let was_completed = !handle.find(Lookup::Key(completed_key.clone())).await?.is_empty();
    open_account(handle, by, &account, &order.fund).await?;
    let mut out = Outcome {
        imported: Imported {
            format: statement.format(),
            account: account.clone(),
            rows: 0,
            accepted: 0,
            duplicates: 0,
            refunds: 0,
            refunds_posted: 0,
            other: 0,
            rejected: 0,
            total: (statement.unit(), 0),
            twins: Vec::new(),
            others: Vec::new(),
            complaints: Vec::new(),
            controls: Vec::new(),
            notices: statement.notices().to_vec(),
            files: Vec::new(),
            entry: None,
        },
        headings: statement.headings().to_vec(),
        handed_back: HandBack::new(&path, "rejected", &order.hand_back),
        duplicates: HandBack::new(&path, "duplicates", &order.hand_back),
        others: HandBack::new(&path, "other", &order.hand_back),
        mode: order.mode,
        was_completed,
    };
    let source = match statement.source() {
        "unionpay" => Source::Bank,
        word => Source::parse(word).unwrap_or(Source::Other),
    };
    let mut refunds: Vec<Refund> = Vec::new();
    let (mut batch, mut rows): (Vec<Submission>, Vec<Waiting>) = (Vec::new(), Vec::new());
    let mut sent: VecDeque<Sent> = VecDeque::new();
    loop {
        let record = statement.next().transpose().map_err(statement_failed)?;
        let ended = record.is_none();
        match record {
            None => {}
            Some(Record::Gift(gift)) => {
                let reference = match &gift.reference {
                    Reference::Unique(id) | Reference::Composite(id) => Some(reference_text(&channel, id)),
                    Reference::None => None,
                };
                let key = format!("import {digest} {}", gift.row.number);
                let minor = gift.amount.minor();
                let told = Gift {
                    fund: order.fund.clone(),
                    account: account.clone(),
                    gross: gift.amount,
                    fee: gift.fee,
                    source,
                    gift_count: None,
                    on: gift.on,
                    order_no: gift.order_no,
                    name: gift.name,
                    contact: None,
                    memo: gift.memo,
                };
                match submission(ledger, by, told, fresh(entropy)) {
                    Ok(made) => {
                        let payload = format!("{minor} {}", gift.on);
                        batch.push(Submission { key: Some((key, payload)), reference, ..made });
                        rows.push(Waiting::Gift(gift.row, minor));
                    }
                    Err(error) => rows.push(Waiting::Unwritable(gift.row, error.to_string())),
                }
            }
            Some(Record::Refund(refund)) => refunds.push(refund),
            Some(Record::Other(other)) => rows.push(Waiting::Other(other)),
            Some(Record::Rejected(rejected)) => rows.push(Waiting::Rejected(rejected)),
        }
        if batch.len() == BATCH || rows.len() == 2 * BATCH || (ended && !rows.is_empty()) {
            let (batch, rows) = (std::mem::take(&mut batch), std::mem::take(&mut rows));
            sent.push_back(Sent { answer: handle.begin(batch).await?, rows });
        }
        while sent.len() > if ended { 0 } else { IN_FLIGHT } {
            let Sent { answer, rows } = sent.pop_front().expect("the queue is not empty");
            let mut results = answer.await.map_err(|_| WriteError::Ended)??.into_iter();
            for row in rows {
                match row {
                    Waiting::Gift(row, minor) => {
                        let result = results.next().expect("one answer for one gift");
                        out.settle(&row, minor, result)?;
                    }
                    Waiting::Other(other) => out.other(&other)?,
                    Waiting::Rejected(rejected) => {
                        out.reject(&rejected.row, &rejected.zh(), &rejected.to_string(), &rejected.field)?;
                    }
                    Waiting::Unwritable(row, why) => out.refuse(&row, &why, &why)?,
                }
            }
            progress(read.load(Ordering::Relaxed).min(size), size, out.imported.rows);
        }
        if ended {
            break;
        }
    }
    for refund in refunds {
        out.refund(handle, by, &channel, &digest, refund).await?;
    }
    out.imported.controls = statement.controls();
    let mut imported = out.finish()?;
    // A later run of the same file, with a better mapping, is an import of its own where it added something.
    let added = imported.accepted + imported.refunds_posted > 0;
    if order.mode == Mode::Post && (added || !was_completed) {
        let key = (!was_completed).then_some(completed_key);
        imported.entry = complete(handle, by, &imported, &order.fund, salted, key, salt, digest, entropy).await?;
    }
    Ok(imported)
}

/// Opens the account for the fund, unless it is.
async fn open_account(handle: &Handle, by: &StaffId, account: &AccountId, fund: &FundId) -> Result<(), ImportFailure> {
    let order = Order::OpenAccount { account: account.clone(), funds: vec![fund.clone()] };
    match handle.post(vec![Submission::bare(by, order)]).await?.into_iter().next() {
        Some(Err(Refusal::Exists { .. })) | Some(Ok(_)) | None => Ok(()),
        Some(Err(refusal)) => Err(refusal.into()),
    }
}

#[expect(clippy::too_many_arguments, reason = "each is a fact of the entry, and there is one caller")]
async fn complete(
    handle: &Handle,
    by: &StaffId,
    imported: &Imported,
    fund: &FundId,
    salted: Hash,
    key: Option<String>,
    salt: [u8; 32],
    digest: Hash,
    entropy: &mut Entropy,
) -> Result<Option<u64>, ImportFailure> {
    let count = |n: u64| Value::Integer(i64::try_from(n).expect("counts stay far below 2^53"));
    let (unit, total) = imported.total;
    let body = Object::new()
        .text("file", salted.to_hex())
        .text("format", imported.format.as_str())
        .text("account", imported.account.to_string())
        .text("fund", fund.to_string())
        .with("rows", count(imported.rows))
        .with("accepted", count(imported.accepted))
        .with("duplicates", count(imported.duplicates))
        .with("refunds", count(imported.refunds))
        .with("other", count(imported.other))
        .with("rejected", count(imported.rejected))
        .with("totals", Value::Object(Object::new().integer(unit.to_string(), total)));
    let record = Object::new().text("sha256", digest.to_hex()).to_bytes().expect("hex digits are canonical");
    let submission = Submission {
        key: key.map(|key| (key, digest.to_hex())),
        secret: Some(Secret { fresh: Fresh { salt, ..fresh(entropy) }, record, name: None }),
        ..Submission::bare(by, Order::CompleteImport(body))
    };
    match handle.post(vec![submission]).await?.into_iter().next() {
        Some(Ok(accepted)) if !accepted.repeated => Ok(Some(accepted.seq)),
        Some(Ok(_)) | None => Ok(None),
        Some(Err(refusal)) => Err(refusal.into()),
    }
}

/// A file with rows, made when the first row comes.
struct HandBack {
    name: String,
    folders: Vec<PathBuf>,
    open: Option<(PathBuf, RejectedCsv<BufWriter<File>>)>,
}

impl HandBack {
    fn new(statement: &Path, what: &str, folders: &[PathBuf]) -> Self {
        let name = statement.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { name: format!("{name}.{what}.csv"), folders: folders.to_owned(), open: None }
    }

    /// The file in the first folder that takes it.
    fn make(&self) -> (PathBuf, io::Result<File>) {
        let (last, before) = self.folders.split_last().expect("rows are handed back somewhere");
        let make = |folder: &PathBuf| {
            let path = folder.join(&self.name);
            let file = std::fs::create_dir_all(folder).and_then(|()| File::create(&path));
            (path, file)
        };
        before.iter().map(make).find(|(_, file)| file.is_ok()).unwrap_or_else(|| make(last))
    }

    fn row(&mut self, headings: &[String], row: &Row, zh: &str, en: &str, field: &str) -> Result<(), ImportFailure> {
        if self.open.is_none() {
            let (path, file) = self.make();
            let made = file.and_then(|file| RejectedCsv::new(BufWriter::new(file), headings));
            let csv = made.map_err(|source| ImportFailure::File { path: path.clone(), doing: "writing it", source })?;
            self.open = Some((path, csv));
        }
        let (path, csv) = self.open.as_mut().expect("it has just been opened");
        csv.row(row, zh, en, field).map_err(|source| ImportFailure::File {
            path: path.clone(),
            doing: "writing it",
            source,
        })
    }

    fn finish(self) -> Result<Option<PathBuf>, ImportFailure> {
        let Some((path, csv)) = self.open else { return Ok(None) };
        let written = csv.finish().and_then(|buffer| buffer.into_inner().map_err(|error| error.into_error()));
        written.map_err(|source| ImportFailure::File { path: path.clone(), doing: "writing it", source })?;
        Ok(Some(path))
    }
}

/// What became of the rows so far.
struct Outcome {
    imported: Imported,
    headings: Vec<String>,
    handed_back: HandBack,
    duplicates: HandBack,
    others: HandBack,
    mode: Mode,
    was_completed: bool,
}

impl Outcome {
    fn settle(&mut self, row: &Row, minor: i64, result: Result<Accepted, Refusal>) -> Result<(), ImportFailure> {
        match result {
            // The row of an import that was interrupted: its gift is there, and it is this import's.
            Ok(accepted) if !accepted.repeated || !self.was_completed => {
                self.accept(minor);
                Ok(())
            }
            Ok(accepted) => self.duplicate(row, accepted.seq),
            Err(
                Refusal::ReferenceRepeated { seq }
                | Refusal::ReferenceReversed { seq, .. }
                | Refusal::KeyReused { seq },
            ) => self.duplicate(row, seq),
            Err(refusal) => {
                let (zh, en) =
                    (format!("第 {} 行：{}", row.line, refusal.zh()), format!("Line {}: {refusal}", row.line));
                self.refuse(row, &zh, &en)
            }
        }
    }

    fn accept(&mut self, minor: i64) {
        self.imported.rows += 1;
        self.imported.accepted += 1;
        self.imported.total.1 += minor;
    }

    fn duplicate(&mut self, row: &Row, twin: u64) -> Result<(), ImportFailure> {
        self.imported.rows += 1;
        self.imported.duplicates += 1;
        if self.imported.twins.len() < TOLD_MAX {
            self.imported.twins.push((row.line, twin));
        }
        let (zh, en) = (format!("已入账，见记录 {twin}"), format!("recorded already, in entry {twin}"));
        self.write(Kind::Duplicate, row, &zh, &en, "")
    }

    fn refuse(&mut self, row: &Row, zh: &str, en: &str) -> Result<(), ImportFailure> {
        self.reject(row, zh, en, "")
    }

    fn reject(&mut self, row: &Row, zh: &str, en: &str, field: &str) -> Result<(), ImportFailure> {
        self.imported.rows += 1;
        self.imported.rejected += 1;
        self.complain(zh, en);
        self.write(Kind::HandedBack, row, zh, en, field)
    }

    fn complain(&mut self, zh: &str, en: &str) {
        if self.imported.complaints.len() < TOLD_MAX {
            self.imported.complaints.push((zh.into(), en.into()));
        }
    }

    fn other(&mut self, other: &Other) -> Result<(), ImportFailure> {
        self.imported.rows += 1;
        self.imported.other += 1;
        if self.imported.others.len() < TOLD_MAX {
            self.imported.others.push((other.row.line, other.why));
        }
        self.write(Kind::Other, &other.row, other.why.zh(), other.why.en(), "")
    }

    fn write(&mut self, kind: Kind, row: &Row, zh: &str, en: &str, field: &str) -> Result<(), ImportFailure> {
        if self.mode == Mode::DryRun {
            return Ok(());
        }
        let file = match kind {
            Kind::HandedBack => &mut self.handed_back,
            Kind::Duplicate => &mut self.duplicates,
            Kind::Other => &mut self.others,
        };
        file.row(&self.headings, row, zh, en, field)
    }

    /// A refund is posted where its gift is found by its order number and has that much unspent; else it is handed back.
    async fn refund(
        &mut self,
        handle: &Handle,
        by: &StaffId,
        channel: &str,
        digest: &Hash,
        refund: Refund,
    ) -> Result<(), ImportFailure> {
        self.imported.rows += 1;
        self.imported.refunds += 1;
        let found = match &refund.original {
            None => None,
            Some(original) => handle.find(Lookup::Reference(reference_text(channel, original))).await?.first().copied(),
        };
        let line = refund.row.line;
        let (zh, en) = match found {
            None => (
                format!("第 {line} 行是退款，但账本里没有对应的捐赠。请核对后用 mingzhang donation refund 办理。"),
                format!(
                    "Line {line} is a refund whose gift is not in the ledger. Check it, then use `mingzhang donation refund`."
                ),
            ),
            Some(donation) => {
                let order = Order::RefundDonation {
                    donation,
                    amount: Some(refund.amount),
                    fee: FeeOnRefund::Returned,
                    reason: ReasonClass::DonorRequest,
                    on: refund.on,
                };
                let key = Some((
                    format!("import {digest} {}", refund.row.number),
                    format!("{} {}", refund.amount, refund.on),
                ));
                match handle.post(vec![Submission { key, ..Submission::bare(by, order) }]).await?.into_iter().next() {
                    Some(Ok(accepted)) => {
                        self.imported.refunds_posted += u64::from(!accepted.repeated || !self.was_completed);
                        return Ok(());
                    }
                    None => return Ok(()),
                    Some(Err(refusal)) => {
                        (format!("第 {line} 行退款：{}", refusal.zh()), format!("Line {line} is a refund: {refusal}"))
                    }
                }
            }
        };
        self.complain(&zh, &en);
        self.write(Kind::HandedBack, &refund.row, &zh, &en, "")
    }

    fn finish(mut self) -> Result<Imported, ImportFailure> {
        for file in [self.handed_back, self.duplicates, self.others] {
            self.imported.files.extend(file.finish()?);
        }
        Ok(self.imported)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    HandedBack,
    Duplicate,
    Other,
}
