//! The one writer of a ledger: takes what waits in its bounded queue, decides it, seals it, makes it durable in one transaction,
//! and only then answers. While one batch is made durable the next is decided.
//!
//! A crash before the transaction ends leaves nothing of a batch and nobody was told of it; a crash after it leaves the whole batch,
//! and whoever was not told finds it again by its key. A failed commit throws away everything that was decided on top of it: the
//! writer forgets its caches and reads them again.

mod caches;
mod cycle;
mod deciding;
mod known;
mod rows;
mod shared;
mod stats;

use super::folder::{self, OpenError, WriteLock};
use super::opened::Opened;
use super::public_text;
use crate::clock::Clock;
use crate::domain::command::{Command, Order};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Role;
use crate::domain::working_set::WorkingSet;
use crate::ledger::chain::Head;
use crate::store::{Store, StoreError};
use crate::values::{Hash, LineName, StaffId, Timestamp, Zone};
use crate::vault::names::Names;
use crate::vault::{Fresh, VaultKey};
use cycle::Lost;
use known::Known;
pub(super) use rows::{know_subject, posted, span_rows, subject_row};
use shared::Turn;
pub use stats::Stats;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Commands that wait at most.
pub const QUEUE_MAX: usize = 4096;
/// Commands that are worth a commit of their own.
const BATCH_MIN: usize = 1_000;
/// Waiting so long for more commands is worth it where a commit takes four times as long.
const LINGER: Duration = Duration::from_micros(300);
/// A node that has nothing to do looks this often what others have written, so as never to be far behind.
const IDLE: Duration = Duration::from_millis(250);
/// Roles that another process may have changed are read again after this.
const ROLES_FRESH: Duration = Duration::from_secs(1);
/// Checkpoints while the writer runs: at most one in this time.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// The clock may run ahead of the last entry by this much when posting starts.
const GAP_MAX_DAYS: i64 = 90;
/// The wall clock may move against the monotonic one by this much.
const JUMP_MAX_SECONDS: i64 = 600;

/// A command with what stands beside its entry, not in it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What is asked.
    pub command: Command,
    /// Idempotency key, and what the command says, so that the same key for something else is noticed.
    pub key: Option<(String, String)>,
    /// External reference: the channel's own number.
    pub reference: Option<String>,
    /// Somebody has looked: it may have the reference of a gift that was taken back.
    pub anew: bool,
    /// What the donor can find the gift by: order number and amount, see [`order_text`].
    pub order: Option<String>,
    /// Record and random bytes for the vault.
    pub secret: Option<Secret>,
    /// Codes to keep, by purpose, hash and subject.
    pub codes: Vec<(&'static str, Hash, String)>,
}

impl Submission {
    /// An order with nothing beside it.
    pub fn bare(by: &StaffId, order: Order) -> Self {
        let command = Command { by: by.clone(), order };
        Self { command, key: None, reference: None, anew: false, order: None, secret: None, codes: Vec::new() }
    }
}

/// What the vault keeps for an entry.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Salt and keys.
    pub fresh: Fresh,
    /// The canonical bytes behind the commitment.
    pub record: Vec<u8>,
    /// The name in it, if there is one: public text must not hold it.
    pub name: Option<String>,
}

/// What became of an accepted command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its first entry.
    pub seq: u64,
    /// Count of its entries.
    pub count: u64,
    /// Its key was known: this is the first answer once more.
    pub repeated: bool,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error, Clone)]
pub enum WriteError {
    /// More is waiting than the writer takes.
    #[error("too much is waiting to be written; try again in a moment")]
    Full,
    /// The database failed; everybody whose command was in the batch is told.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The database failed while a batch was being made durable, and it could not be asked since whether it is.
    #[error(
        "the database failed before it said whether this was written; send the same again, with the same key or order number"
    )]
    Unsure(#[source] Arc<StoreError>),
    /// A file beside the database failed.
    #[error(transparent)]
    File(Arc<OpenError>),
    /// The clock cannot be trusted.
    #[error(
        "the clock says {now}, the last entry was posted at {last}: that is {days} days. Check the clock; if it is right, run this again with --accept-clock"
    )]
    Clock {
        /// The clock.
        now: Timestamp,
        /// The last entry.
        last: Timestamp,
        /// Days between.
        days: i64,
    },
    /// The clock jumped while the program ran.
    #[error(
        "the clock jumped by {seconds} seconds while this program ran; nothing more is posted. Check the clock and start again"
    )]
    ClockJumped {
        /// How far.
        seconds: i64,
    },
    /// An entry that was decided breaks a rule: our bug; nothing of it was written.
    #[error("an entry could not be posted, which is a fault of this program: {0}. Nothing was written")]
    Fault(String),
    /// The writer has ended.
    #[error("the writer has ended")]
    Ended,
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<OpenError> for WriteError {
    fn from(error: OpenError) -> Self {
        Self::File(Arc::new(error))
    }
}

/// An error with its causes, on one line; a cause whose words were said already is not said again.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Whether an operator vouches for a clock that looks wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrust {
    /// A jump stops posting.
    Checked,
    /// The operator has looked.
    Accepted,
}

/// What a donor finds a gift by.
pub fn order_text(order_no: &str, amount: crate::values::Amount) -> String {
    format!("{}\u{0}{}\u{0}{}", order_no.trim(), amount.minor(), amount.unit())
}

/// What a gift is known by where it came from: the account or channel, and the number there. The same gift by another way has it too.
pub fn reference_text(place: impl std::fmt::Display, number: &str) -> String {
    format!("{place}\u{0}{}", number.trim())
}

type Answer = Result<Vec<Result<Accepted, Refusal>>, WriteError>;

/// A caller, what it asked, and what it will be told when the batch is durable.
struct Waiting {
    submissions: Vec<Submission>,
    reply: oneshot::Sender<Answer>,
    results: Vec<Result<Accepted, Refusal>>,
}

impl Waiting {
    /// The same job once more.
    fn again(self) -> Job {
        Job::Post(self.submissions, self.reply)
    }
}

/// What a key or a reference stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// An idempotency key.
    Key(String),
    /// An external reference.
    Reference(String),
    /// An order number with its amount, see [`order_text`].
    Order(String),
}

enum Job {
    Find(Lookup, oneshot::Sender<Result<Vec<u64>, WriteError>>),
    Post(Vec<Submission>, oneshot::Sender<Answer>),
    Finish(oneshot::Sender<Result<(), WriteError>>),
    Roles(oneshot::Sender<Result<(), WriteError>>),
}

/// The way to the writer.
#[derive(Clone, Debug)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    durable: Arc<AtomicU64>,
    signed: Arc<AtomicU64>,
    stats: Stats,
}

impl Handle {
    /// Posts commands in order. Each is accepted or refused by itself; answered when all that was accepted is durable.
    pub async fn post(&self, submissions: Vec<Submission>) -> Answer {
        self.begin(submissions).await?.await.map_err(|_| WriteError::Ended)?
    }

    /// Puts commands into the queue and gives back the answer to wait for, so that more can be sent meanwhile.
    pub async fn begin(&self, submissions: Vec<Submission>) -> Result<oneshot::Receiver<Answer>, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Post(submissions, reply)).await.map_err(|_| WriteError::Ended)?;
        Ok(answer)
    }

    /// The same for one who does not wait for room in the queue.
    pub async fn post_now(&self, submissions: Vec<Submission>) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(Job::Post(submissions, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Full,
            mpsc::error::TrySendError::Closed(_) => WriteError::Ended,
        })?;
        answer.await.map_err(|_| WriteError::Ended)?
    }

    /// The entries that a key, a reference or an order number stands for, oldest first.
    pub async fn find(&self, lookup: Lookup) -> Result<Vec<u64>, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Find(lookup, reply)).await.map_err(|_| WriteError::Ended)?;
        answer.await.map_err(|_| WriteError::Ended)?
    }

    /// Reads the roles again, after somebody changed them; commands that are queued from now on are judged by them.
    pub async fn roles_changed(&self) -> Result<(), WriteError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Roles(reply)).await.map_err(|_| WriteError::Ended)?;
        answer.await.map_err(|_| WriteError::Ended)?
    }

    /// How many entries are durable: whoever reads sees at least these.
    pub fn size(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> u64 {
        u64::try_from(self.jobs.max_capacity() - self.jobs.capacity()).unwrap_or(u64::MAX)
    }

    /// How many may.
    pub fn waiting_max(&self) -> u64 {
        u64::try_from(self.jobs.max_capacity()).unwrap_or(u64::MAX)
    }

    /// How many durable entries lie beyond the last checkpoint that this writer signed.
    pub fn unsigned(&self) -> u64 {
        self.size().saturating_sub(self.signed.load(Ordering::Acquire))
    }

    /// What has been counted.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether the writer still takes commands.
    pub fn is_open(&self) -> bool {
        !self.jobs.is_closed()
    }

    /// Waits for what is queued, and signs a checkpoint at the head.
    pub async fn finish(&self) -> Result<(), WriteError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Finish(reply)).await.map_err(|_| WriteError::Ended)?;
        answer.await.map_err(|_| WriteError::Ended)?
    }
}

/// Rows of runs, inflows, states and entries that the writer keeps in memory, some fifty bytes each.
pub const MEMORY_MAX: usize = 2_000_000;

/// Starts the writer of an opened ledger.
pub async fn start(opened: Opened, lock: WriteLock, clock: Clock, trust: ClockTrust) -> Result<Handle, WriteError> {
    start_with_memory(opened, lock, clock, trust, MEMORY_MAX).await
}

/// Starts it with another memory than [`MEMORY_MAX`] rows.
pub async fn start_with_memory(
    opened: Opened,
    lock: WriteLock,
    clock: Clock,
    trust: ClockTrust,
    memory: usize,
) -> Result<Handle, WriteError> {
    launch(opened, Some(lock), clock, trust, memory, None).await
}

/// Starts a writer that judges and answers as the other one does, and writes nothing: what it was given ends with it.
///
/// Beside a writer that runs there is no lock to be had, and none is needed.
pub async fn rehearse(
    opened: Opened,
    lock: Option<WriteLock>,
    clock: Clock,
    trust: ClockTrust,
) -> Result<Handle, WriteError> {
    launch(opened, lock, clock, trust, MEMORY_MAX, Some(Vec::new())).await
}

async fn launch(
    opened: Opened,
    lock: Option<WriteLock>,
    clock: Clock,
    trust: ClockTrust,
    memory: usize,
    rehearsed: Option<Vec<Vec<u8>>>,
) -> Result<Handle, WriteError> {
    if let (Some(last), ClockTrust::Checked) = (folder::last_at(&opened.row), trust) {
        let now = clock.now();
        let days = (now.millis() - last.millis()) / 86_400_000;
        if days > GAP_MAX_DAYS {
            return Err(WriteError::Clock { now, last, days });
        }
    }
    let mut writer = Writer::new(opened, clock, trust, memory)?;
    writer.rehearsed = rehearsed;
    writer.reload().await?;
    writer.check_vault_key().await?;
    let (jobs, queue) = mpsc::channel(QUEUE_MAX);
    let (durable, signed, stats) = (Arc::clone(&writer.shown), Arc::clone(&writer.shown_signed), writer.stats.clone());
    tokio::spawn(async move {
        writer.run(queue).await;
        drop(lock);
    });
    Ok(Handle { jobs, durable, signed, stats })
}

/// The head as far as it is known to be durable.
#[derive(Clone, Copy, Debug)]
struct Durable {
    size: u64,
    root: Hash,
    /// Leaf hash of the last entry: it stands for all before it.
    last: Hash,
}

struct Writer {
    opened: Opened,
    clock: Clock,
    trust: ClockTrust,
    memory: usize,
    /// Where nothing is written: the entries since the start, which a later command may name.
    rehearsed: Option<Vec<Vec<u8>>>,
    zone: Zone,
    head: Head,
    set: WorkingSet,
    line_ids: BTreeMap<LineName, i64>,
    roles: BTreeMap<StaffId, BTreeSet<Role>>,
    roles_read: Duration,
    /// Keys and references to their entries; filled at first use.
    known: Option<Known>,
    /// Names of donors; read at the first command with public text.
    names: Option<Names>,
    latest_person: u64,
    durable: Durable,
    /// The same size, for those who hold a handle.
    shown: Arc<AtomicU64>,
    signed: u64,
    /// The same, for those who hold a handle.
    shown_signed: Arc<AtomicU64>,
    stats: Stats,
    last_checkpoint: Duration,
    /// Whose turn it is, where other nodes may write too.
    turn: Turn,
    /// The caches could not be read after something failed.
    stale: bool,
    /// Something was fetched since the last commit: where others write, it may be of a later head than this node's.
    unproven: bool,
    /// Jobs that are decided anew, because another node was faster.
    again: VecDeque<Job>,
    /// What becomes of a batch that was being decided when the one before it did not become durable as it was.
    lost: Option<Lost>,
    /// How long commits take, on average.
    commit_time: Duration,
}

impl Writer {
    fn new(opened: Opened, clock: Clock, trust: ClockTrust, memory: usize) -> Result<Self, WriteError> {
        Ok(Self {
            opened,
            clock,
            trust,
            memory,
            rehearsed: None,
            zone: Zone::shanghai(),
            head: Head::default(),
            set: WorkingSet::default(),
            line_ids: BTreeMap::new(),
            roles: BTreeMap::new(),
            roles_read: Duration::ZERO,
            known: None,
            names: None,
            latest_person: 0,
            durable: Durable { size: 0, root: Hash::ZERO, last: Hash::ZERO },
            shown: Arc::default(),
            signed: 0,
            shown_signed: Arc::default(),
            stats: Stats::default(),
            last_checkpoint: Duration::ZERO,
            turn: Turn::default(),
            stale: false,
            unproven: false,
            again: VecDeque::new(),
            lost: None,
            commit_time: Duration::ZERO,
        })
    }

    const fn store(&self) -> &Store {
        &self.opened.store
    }

    const fn ledger_id(&self) -> i64 {
        self.opened.row.ledger_id
    }

    /// The head with all that was decided.
    fn end(&self) -> Durable {
        Durable { size: self.head.size(), root: self.head.frontier.root(), last: self.head.last }
    }

    const fn vault(&self) -> &VaultKey {
        &self.opened.keys.vault
    }
}
