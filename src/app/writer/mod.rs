//! The one writer of a ledger: takes what waits in its bounded queue, decides it, seals it, makes it durable in one transaction,
//! and only then answers. While one batch is made durable the next is decided.
//!
//! A crash before the transaction ends leaves nothing of a batch and nobody was told of it; a crash after it leaves the whole batch,
//! and whoever was not told finds it again by its key. A failed commit throws away everything that was decided on top of it: the
//! writer forgets its caches and reads them again.

mod known;
mod rows;
mod shared;
mod stats;

use super::folder::{self, OpenError, Opened, WriteLock};
use super::public_text;
use crate::clock::Clock;
use crate::domain::command::{Command, Order};
use crate::domain::decide::{self, Context, Stop};
use crate::domain::donation::Donation;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Role;
use crate::domain::working_set::{Area, Need, WorkingSet};
use crate::ledger::chain::Head;
use crate::ledger::entry::Entry;
use crate::ledger::line::{Inflow, Line};
use crate::ledger::posting::CashRule;
use crate::store::{Batch, EntryRow, RunRow, Store, StoreError, VaultRow};
use crate::values::{Amount, Day, Hash, LineName, Span, StaffId, Timestamp, Zone};
use crate::vault::names::Names;
use crate::vault::{Fresh, Keyed, Place, VaultKey};
use known::Known;
pub(super) use rows::{know_subject, posted, span_rows, subject_row};
use shared::Turn;
pub use stats::Stats;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

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

/// An error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
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
    writer.check_keys().await?;
    let (jobs, queue) = mpsc::channel(QUEUE_MAX);
    let (durable, signed, stats) = (Arc::clone(&writer.shown), Arc::clone(&writer.shown_signed), writer.stats.clone());
    tokio::spawn(async move {
        writer.run(queue).await;
        drop(lock);
    });
    Ok(Handle { jobs, durable, signed, stats })
}

/// Entries of the batch in hand, and what must be answered when it is durable.
#[derive(Default)]
struct Decided {
    batch: Batch,
    /// Starts of runs that are new, changed or gone, with their line's place in the book.
    touched: BTreeSet<(usize, u64)>,
    subjects: BTreeSet<(Area, String)>,
    answers: Vec<Waiting>,
}

/// What the writer waited for.
enum Came {
    Job(Job),
    /// The batch under way has ended.
    Settled,
    /// For a while nothing came, or the turn of this node has ended: time for what other nodes do.
    Nothing,
    /// Nobody can ask any more.
    Closed,
}

/// What becomes of a batch that stands on entries which are not there.
enum Lost {
    /// It is decided anew.
    Again,
    /// Its callers are told.
    Failed(WriteError),
}

struct InFlight {
    commit: JoinHandle<Result<(), StoreError>>,
    pending: Pending,
}

/// A batch that is being made durable, and who waits for it.
struct Pending {
    /// Whether the ledger was held while it was decided.
    held: bool,
    /// Count of its entries.
    entries: u32,
    began: Duration,
    answers: Vec<Waiting>,
    size: u64,
    root: Hash,
    /// Leaf hash of its last entry.
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
    durable: (u64, Hash),
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
            durable: (0, Hash::ZERO),
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

    const fn vault(&self) -> &VaultKey {
        &self.opened.keys.vault
    }

    /// Forgets what was not made durable, and all caches, and reads the head again.
    async fn reload(&mut self) -> Result<(), WriteError> {
        self.stale = true;
        let row = self.opened.folder.find(self.store(), Some(&self.opened.row.slug.clone())).await?;
        let frontier = folder::frontier(&row)?;
        self.signed = self.opened.folder.signed(&self.opened.keys)?.map_or(0, |checkpoint| checkpoint.size);
        self.shown_signed.store(self.signed, Ordering::Release);
        // What was acknowledged stays: a database that lies behind it is an older copy, and gets no second history.
        let signed = self.signed.max(self.durable.0);
        if row.size < signed {
            let path = self.opened.folder.path().into();
            return Err(OpenError::Behind { found: row.size, signed, path }.into());
        }
        if let Some(known) = &mut self.known {
            known.cut(self.durable.0);
        }
        self.head = Head { last: row.last, at: folder::last_at(&row), frontier };
        self.opened.row = row;
        self.set = WorkingSet::default();
        self.names = None;
        let ledger_id = self.ledger_id();
        self.load_lines().await?;
        self.load_roles().await?;
        self.latest_person = self.store().latest_person(ledger_id).await?;
        if self.known.is_some() {
            self.load_known().await?;
        }
        self.mark_durable(self.head.size(), self.head.frontier.root());
        self.fetch(&Need::Subject(Area::Organisation, String::new())).await?;
        if let Ok(Some(organisation)) = self.set.organisation() {
            self.zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
        }
        self.stale = false;
        Ok(())
    }

    /// Refuses keys of another ledger: they would sign what nobody believes, and know no key and no reference again.
    async fn check_keys(&self) -> Result<(), WriteError> {
        let other = |what| OpenError::OtherKeys { path: self.opened.folder.path().join("keys"), what };
        if let Ok(Some(organisation)) = self.set.organisation()
            && organisation.vkey != self.opened.keys.log.verifier().to_string()
        {
            return Err(other("*.key").into());
        }
        let page = self.store().log(self.ledger_id(), 0, 100).await?;
        let mut shut = false;
        for stored in page.rows() {
            let stored = stored?;
            let Some(sealed) = stored.sealed.filter(|sealed| !sealed.wrapped.is_empty()) else { continue };
            let seq = u64::try_from(stored.seq).unwrap_or_default();
            let place = Place { person: sealed.person, seq, hashes: stored.hashes };
            // One that opens is enough: another may be damaged, which `verify` names.
            if self.vault().open(&place, sealed.sealed, sealed.wrapped).is_ok() {
                return Ok(());
            }
            shut = true;
        }
        if shut { Err(other("*.vault").into()) } else { Ok(()) }
    }

    async fn load_lines(&mut self) -> Result<(), WriteError> {
        self.line_ids = BTreeMap::new();
        for (id, name) in self.store().lines(self.ledger_id()).await? {
            let name = LineName::parse(&name).ok_or(StoreError::Damaged { table: "line", what: name })?;
            self.line_ids.insert(name, id);
        }
        Ok(())
    }

    async fn load_roles(&mut self) -> Result<(), WriteError> {
        let rows = self.store().roles(self.ledger_id()).await?;
        self.roles_read = self.clock.elapsed();
        self.roles = BTreeMap::new();
        for (staff, role) in rows {
            if let (Ok(staff), Ok(role)) = (StaffId::parse(&staff), Role::parse(&role)) {
                self.roles.entry(staff).or_default().insert(role);
            }
        }
        Ok(())
    }

    async fn run(&mut self, mut queue: mpsc::Receiver<Job>) {
        let mut in_flight: Option<InFlight> = None;
        let mut finishing = Vec::new();
        loop {
            // Where nothing waits, the batch under way comes first, so that its callers are answered at once.
            let first = match self.job_or_settled(&mut queue, &mut in_flight).await {
                Came::Job(first) => first,
                Came::Settled => continue,
                Came::Nothing => {
                    self.end_turn(&mut in_flight).await;
                    self.follow_others().await;
                    continue;
                }
                Came::Closed => break,
            };
            let held = match &first {
                Job::Post(..) => self.take_turn(&mut in_flight).await,
                Job::Find(..) | Job::Finish(_) | Job::Roles(_) => Ok(None),
            };
            let held = match held {
                Ok(held) => held,
                Err(error) => {
                    first.fail(error);
                    continue;
                }
            };
            self.lost = None;
            let mut decided = Decided::default();
            let mut next = Some(first);
            let mut commands = 0;
            while let Some(job) = next.take() {
                match job {
                    Job::Finish(reply) => finishing.push(reply),
                    Job::Roles(reply) => {
                        let _ = reply.send(self.load_roles().await);
                    }
                    Job::Find(lookup, reply) => {
                        let _ = reply.send(self.find(&lookup, &mut in_flight).await);
                    }
                    Job::Post(submissions, reply) => {
                        commands += submissions.len();
                        self.decide_all(submissions, reply, &mut decided, &mut in_flight).await;
                    }
                }
                if finishing.is_empty() {
                    next = self.next_of_batch(commands, &mut queue, &mut in_flight).await;
                }
            }
            self.wait_for(&mut in_flight).await;
            match self.lost.take() {
                // What was decided on top of it is in the caches.
                Some(Lost::Again) => self.decide_again(decided.answers),
                Some(Lost::Failed(error)) => {
                    self.stale = true;
                    answer(decided.answers, Some(error));
                }
                None if decided.batch.entries.is_empty() => {
                    let outdated = if held.is_some() { Ok(false) } else { self.is_outdated(&decided.answers).await };
                    match outdated {
                        Ok(false) => answer(decided.answers, None),
                        Ok(true) => {
                            self.turn.lost();
                            self.decide_again(decided.answers);
                        }
                        Err(error) => answer(decided.answers, Some(error.into())),
                    }
                }
                None => {
                    let (batch, pending) = self.pack(decided, held.is_some());
                    let store = self.opened.store.clone();
                    match held {
                        _ if self.rehearsed.is_some() => self.settle(pending, Ok(())).await,
                        Some(held) => {
                            let done = held.commit(batch).await;
                            self.settle(pending, done).await;
                        }
                        None => {
                            let commit = tokio::spawn(async move { store.commit(batch).await });
                            in_flight = Some(InFlight { commit, pending });
                            // A task that was just spawned waits on this thread; let it start before the next batch keeps the thread
                            // busy.
                            tokio::task::yield_now().await;
                        }
                    }
                }
            }
            if self.stale {
                // What cannot be read now is read before anything more is decided.
                let _ = self.reload().await;
            }
            if self.set.rows() > self.memory && self.rehearsed.is_none() {
                // What is durable can be read again; what is not must stay.
                self.wait_for(&mut in_flight).await;
                self.set = WorkingSet::default();
            }
            if !finishing.is_empty() {
                self.wait_for(&mut in_flight).await;
                let result = self.checkpoint().await;
                // What cannot be settled now is settled when the file is opened next.
                let _ = self.store().settle().await;
                for reply in finishing.drain(..) {
                    let _ = reply.send(result.clone());
                }
            }
        }
        self.wait_for(&mut in_flight).await;
        self.end_turn(&mut in_flight).await;
        let _ = self.checkpoint().await;
    }

    /// The next job of a batch that holds so many commands. While the store is busy the batch may grow, and waits for more: it cannot be
    /// written before. An idle store does not wait.
    async fn next_of_batch(
        &mut self,
        commands: usize,
        queue: &mut mpsc::Receiver<Job>,
        in_flight: &mut Option<InFlight>,
    ) -> Option<Job> {
        let busy = in_flight.as_ref().filter(|flight| !flight.commit.is_finished());
        if commands >= if busy.is_some() { QUEUE_MAX } else { BATCH_MIN } {
            return None;
        }
        if busy.is_none() {
            return self.job_soon(queue).await;
        }
        match self.job_or_settled(queue, in_flight).await {
            Came::Job(job) => Some(job),
            Came::Settled | Came::Nothing | Came::Closed => None,
        }
    }

    /// A job that waits already; where commits are slow also one that comes in a moment, for which it is worth waiting.
    async fn job_soon(&mut self, queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
        let end = (self.commit_time >= LINGER * 4).then(|| self.clock.elapsed() + LINGER);
        loop {
            let job = self.again.pop_front().or_else(|| queue.try_recv().ok());
            if job.is_some() || end.is_none_or(|end| self.clock.elapsed() >= end) {
                return job;
            }
            // A timer's ticks are longer than this.
            tokio::task::yield_now().await;
        }
    }

    /// Waits for a job, or for the end of the batch under way, which is then settled.
    async fn job_or_settled(&mut self, queue: &mut mpsc::Receiver<Job>, in_flight: &mut Option<InFlight>) -> Came {
        if let Some(job) = self.again.pop_front() {
            return Came::Job(job);
        }
        let job = match in_flight {
            None if self.is_shared() => {
                let rest = self.turn.end().map_or(IDLE, |end| end.saturating_sub(self.clock.elapsed()));
                match tokio::time::timeout(rest, queue.recv()).await {
                    Err(_nothing) => return Came::Nothing,
                    Ok(job) => job,
                }
            }
            None => queue.recv().await,
            Some(flight) => tokio::select! {
                biased;
                job = queue.recv() => job,
                done = &mut flight.commit => {
                    let flight = in_flight.take().expect("it is the one that was waited for");
                    self.settle(flight.pending, ended(done)).await;
                    return Came::Settled;
                }
            },
        };
        job.map_or(Came::Closed, Came::Job)
    }

    async fn wait_for(&mut self, in_flight: &mut Option<InFlight>) {
        if let Some(mut flight) = in_flight.take() {
            let done = (&mut flight.commit).await;
            self.settle(flight.pending, ended(done)).await;
        }
    }

    /// A commit has ended: answer those who wait, and sign a checkpoint where it is time.
    async fn settle(&mut self, pending: Pending, done: Result<(), StoreError>) {
        match done {
            Ok(()) => {
                let took = self.clock.elapsed() - pending.began;
                self.commit_time = (self.commit_time * 7 + took) / 8;
                self.stats.commits.observe(took.as_secs_f64());
                self.stats.batches.observe(f64::from(pending.entries));
                self.unproven = false;
                self.mark_durable(pending.size, pending.root);
                answer(pending.answers, None);
                if self.clock.elapsed() >= self.last_checkpoint + CHECKPOINT_EVERY {
                    // A checkpoint that fails now is tried again after the next batch, and at the end.
                    let _ = self.checkpoint().await;
                }
            }
            Err(StoreError::HeadMoved) if self.is_shared() && !pending.held => {
                self.turn.lost();
                self.stats.overtaken.inc();
                self.decide_again(pending.answers);
                let _ = self.reload().await;
                self.lost = Some(Lost::Again);
            }
            Err(error) => self.settle_failed(pending, error).await,
        }
    }

    /// A commit has failed. Its answer may have been lost on the way, though, so the log is asked.
    async fn settle_failed(&mut self, pending: Pending, error: StoreError) {
        self.stats.failed.inc();
        let error = Arc::new(error);
        // Nobody holds the ledger any more when this node does: what was under way has ended, one way or the other.
        let written = match self.store().hold(self.ledger_id(), pending.size, 0).await {
            Ok(_held) => self.is_written(pending.size, pending.last).await,
            Err(error) => Err(error),
        };
        let _ = self.reload().await;
        let told = match written {
            Ok(true) => None,
            Ok(false) => Some(WriteError::Store(error)),
            Err(_) => Some(WriteError::Unsure(error)),
        };
        self.lost = Some(told.clone().map_or(Lost::Again, Lost::Failed));
        answer(pending.answers, told);
    }

    /// Has jobs decided once more, from what is in the log then.
    fn decide_again(&mut self, answers: Vec<Waiting>) {
        self.stale = true;
        self.again.extend(answers.into_iter().map(Waiting::again));
    }

    fn mark_durable(&mut self, size: u64, root: Hash) {
        self.durable = (size, root);
        self.shown.store(size, Ordering::Release);
    }

    /// Signs the durable head, unless it is signed already.
    async fn checkpoint(&mut self) -> Result<(), WriteError> {
        let (size, root) = self.durable;
        if size <= self.signed || self.rehearsed.is_some() {
            return Ok(());
        }
        let note = self.opened.folder.sign(&self.opened.keys, size, root)?;
        self.store().put_checkpoint(self.ledger_id(), size, &note).await?;
        self.signed = size;
        self.shown_signed.store(size, Ordering::Release);
        self.last_checkpoint = self.clock.elapsed();
        Ok(())
    }

    async fn decide_all(
        &mut self,
        submissions: Vec<Submission>,
        reply: oneshot::Sender<Answer>,
        decided: &mut Decided,
        in_flight: &mut Option<InFlight>,
    ) {
        if self.stale
            && let Err(error) = self.reload().await
        {
            let _ = reply.send(Err(error));
            return;
        }
        if self.clock.elapsed() >= self.roles_read + ROLES_FRESH {
            // Another process may have given or taken some; where they cannot be read, those that are known hold.
            let _ = self.load_roles().await;
        }
        let jump = self.clock.jump_seconds();
        if jump.abs() > JUMP_MAX_SECONDS && self.trust == ClockTrust::Checked {
            let _ = reply.send(Err(WriteError::ClockJumped { seconds: jump }));
            return;
        }
        let mut results = Vec::with_capacity(submissions.len());
        for submission in &submissions {
            match self.decide_one(submission, decided, in_flight).await {
                Ok(result) => {
                    if let Err(refusal) = &result {
                        self.stats.refused(refusal.code());
                    }
                    results.push(result);
                }
                Err(error) => {
                    // What was decided in memory for this batch can no longer be trusted: drop the whole batch.
                    let _ = reply.send(Err(error.clone()));
                    answer(std::mem::take(decided).answers, Some(error));
                    self.wait_for(in_flight).await;
                    let _ = self.reload().await;
                    return;
                }
            }
        }
        decided.answers.push(Waiting { submissions, reply, results });
    }

    async fn decide_one(
        &mut self,
        submission: &Submission,
        decided: &mut Decided,
        in_flight: &mut Option<InFlight>,
    ) -> Result<Result<Accepted, Refusal>, WriteError> {
        // Who may not do this learns nothing of what was done before.
        if let Err(refusal) =
            self.context(&submission.command.by, |context| decide::authorise(context, &submission.command.order))
        {
            return Ok(Err(refusal));
        }
        let key = submission
            .key
            .as_ref()
            .map(|(key, payload)| (self.vault().keyed(Keyed::Key, key), self.vault().keyed(Keyed::Payload, payload)));
        let reference = submission.reference.as_ref().map(|text| self.vault().keyed(Keyed::Reference, text));
        if (key.is_some() || reference.is_some()) && self.known.is_none() {
            self.wait_for(in_flight).await;
            self.load_known().await?;
        }
        if let Some(known) = &self.known {
            if let Some((seq, count, payload)) = key.and_then(|(key, _)| known.of_key(key)) {
                let same = key.is_some_and(|(_, ours)| ours == payload);
                let accepted = Accepted { seq, count, repeated: true };
                return Ok(if same { Ok(accepted) } else { Err(Refusal::KeyReused { seq }) });
            }
            let stands = reference.and_then(|reference| known.of_reference(reference));
            if let Some((seq, payload)) = stands {
                let same = key.is_some_and(|(_, ours)| ours == payload);
                if let Some(refusal) = self.repeats(seq, same, submission, decided, in_flight).await? {
                    return Ok(Err(refusal));
                }
            }
        }
        let texts = public_text::texts(&submission.command.order);
        if !texts.is_empty() {
            if self.names.is_none() && public_text::may_name(&submission.command.order) {
                self.wait_for(in_flight).await;
                self.names = Some(public_text::names(self.store(), self.ledger_id(), self.vault()).await?);
            }
            if let Err(refusal) = public_text::scan(&texts, self.names.as_ref()) {
                return Ok(Err(refusal));
            }
        }
        let drafts = loop {
            match self.try_decide(&submission.command) {
                Ok(drafts) => break drafts,
                Err(Stop::Refused(refusal)) => return Ok(Err(refusal)),
                Err(Stop::Needs(need)) => {
                    self.wait_for(in_flight).await;
                    self.fetch(&need).await?;
                }
            }
        };
        let now = self.clock.now();
        let entries: Vec<Entry<'static>> = drafts
            .into_iter()
            .map(|draft| draft.into_entry(&self.opened.row.origin, now, &submission.command.by))
            .collect();
        // Everything that posting and projecting touches is fetched before anything changes.
        for entry in &entries {
            self.prepare(entry, in_flight).await?;
            if let Err(refusal) = decide::has_room(&self.set, entry) {
                return Ok(Err(refusal));
            }
        }
        let order_hash = submission.order.as_ref().map_or(0, |text| self.vault().keyed(Keyed::Order, text));
        let first = self.head.size();
        let count = u64::try_from(entries.len()).expect("a command is a few entries");
        let (key_hash, payload_hash) = key.unwrap_or_default();
        for (place, entry) in entries.into_iter().enumerate() {
            let beside = EntryRow {
                seq: 0,
                leaf: Hash::ZERO,
                key_hash,
                payload_hash,
                reference_hash: if place == 0 { reference.unwrap_or(0) } else { 0 },
                order_hash: if place == 0 { order_hash } else { 0 },
                bytes: Vec::new(),
            };
            match self.post(entry, beside, decided) {
                Ok(()) => {}
                // The first entry of a command has changed nothing yet, so it is only refused.
                Err(Fail::Refused(refusal)) if place == 0 => return Ok(Err(*refusal)),
                Err(Fail::Refused(refusal)) => return Err(WriteError::Fault(refusal.to_string())),
                Err(Fail::Fault(error)) => return Err(error),
            }
        }
        if let Some(secret) = &submission.secret {
            if let (Some(names), Some(name)) = (&mut self.names, &secret.name) {
                names.insert(name);
            }
            self.latest_person += 1;
            let hashes = [key_hash, payload_hash, reference.unwrap_or(0), order_hash];
            let place = Place { person: self.latest_person, seq: first, hashes };
            let (sealed, wrapped) = self.vault().seal(&secret.fresh, &place, &secret.record);
            decided.batch.vault.push(VaultRow { seq: first, person: self.latest_person, sealed, wrapped });
        }
        decided.batch.codes.extend_from_slice(&submission.codes);
        Ok(Ok(Accepted { seq: first, count, repeated: false }))
    }

    /// Why a gift is refused whose reference stands at an entry already, with the same words or with others.
    async fn repeats(
        &mut self,
        seq: u64,
        same: bool,
        submission: &Submission,
        decided: &Decided,
        in_flight: &mut Option<InFlight>,
    ) -> Result<Option<Refusal>, WriteError> {
        if let Some(by) = self.reversal_of(seq, in_flight).await? {
            return Ok((!submission.anew).then_some(Refusal::ReferenceReversed { seq, by }));
        }
        let earlier = if same { None } else { self.gross_of(seq, decided, in_flight).await? };
        Ok(Some(match (earlier, &submission.command.order) {
            (Some(earlier), Order::ReceiveDonation(order)) if order.gross != earlier => {
                Refusal::ReferenceDiffers { seq, earlier }
            }
            _ => Refusal::ReferenceRepeated { seq },
        }))
    }

    /// The entry that took one back.
    async fn reversal_of(&mut self, seq: u64, in_flight: &mut Option<InFlight>) -> Result<Option<u64>, WriteError> {
        let id = seq.to_string();
        if !self.is_known(Area::Reversal, &id) {
            self.wait_for(in_flight).await;
            self.fetch(&Need::Subject(Area::Reversal, id.clone())).await?;
        }
        Ok(self.set.reversals.get(&id).and_then(Option::as_ref).map(|reversal| reversal.by))
    }

    /// The amount of a gift, which may still be on its way to the disk.
    async fn gross_of(
        &mut self,
        seq: u64,
        decided: &Decided,
        in_flight: &mut Option<InFlight>,
    ) -> Result<Option<Amount>, WriteError> {
        let bytes = match decided.batch.entries.iter().find(|entry| entry.seq == seq) {
            Some(entry) => Some(entry.bytes.clone()),
            None => {
                self.wait_for(in_flight).await;
                self.entry(seq).await?
            }
        };
        let entry = bytes.as_deref().and_then(|bytes| Entry::parse(bytes).ok());
        let gift = entry.as_ref().and_then(|entry| Donation::from_entry(entry).ok().flatten());
        Ok(gift.map(|gift| gift.gross))
    }

    fn try_decide(&self, command: &Command) -> Result<Vec<decide::Draft>, Stop> {
        self.context(&command.by, |context| decide::decide(&self.set, context, command))
    }

    /// Judges as somebody, today.
    fn context<T>(&self, by: &StaffId, judge: impl FnOnce(&Context<'_>) -> T) -> T {
        let none = BTreeSet::new();
        let today: Day = self.head.at.map_or(self.clock.now(), |at| at.max(self.clock.now())).day(&self.zone);
        judge(&Context { by, roles: self.roles.get(by).unwrap_or(&none), today })
    }

    /// Fetches the states that an entry will change and the lines that it posts to.
    async fn prepare(&mut self, entry: &Entry<'_>, in_flight: &mut Option<InFlight>) -> Result<(), WriteError> {
        for (area, id) in decide::touches(entry) {
            if !id.is_empty() && !self.is_known(area, &id) {
                self.wait_for(in_flight).await;
                self.fetch(&Need::Subject(area, id)).await?;
            }
        }
        Ok(())
    }

    fn is_known(&self, area: Area, id: &str) -> bool {
        match area {
            Area::Organisation => self.set.organisation.contains_key(id),
            Area::Account => self.set.accounts.contains_key(id),
            Area::Fund => self.set.funds.contains_key(id),
            Area::Campaign => self.set.campaigns.contains_key(id),
            Area::Case => self.set.cases.contains_key(id),
            Area::Disbursement => self.set.disbursements.contains_key(id),
            Area::Report => self.set.reports.contains_key(id),
            Area::Reversal => self.set.reversals.contains_key(id),
        }
    }

    /// Applies an entry to the book, seals it and notes what must be written.
    fn post(&mut self, mut entry: Entry<'static>, beside: EntryRow, decided: &mut Decided) -> Result<(), Fail> {
        let seq = self.head.size();
        if decided.batch.entries.is_empty() {
            decided.batch.last_before = self.head.last;
        }
        self.set
            .book
            .apply(seq, &entry.post, &entry.cash, CashRule::Judged)
            .map_err(|broken| Fail::Refused(Box::new(Refusal::Posting(broken))))?;
        decided.touched.extend(self.set.book.touched());
        let sealed = self.head.seal(&mut entry);
        let sealed = sealed.map_err(|error| Fail::Fault(WriteError::Fault(error.to_string())))?;
        let lines = self.lines_of(&entry, &mut decided.batch);
        let mut lines = lines.into_iter();
        decided.batch.spans.extend(span_rows(&entry, |_| lines.next().expect("one line a post")));
        let changed = decide::project(&mut self.set, &entry)
            .map_err(|error| Fail::Fault(WriteError::Fault(format!("{}: {error}", entry.kind))))?;
        if entry.kind == "ledger.opened"
            && let Ok(Some(organisation)) = self.set.organisation()
        {
            self.zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
        }
        decided.subjects.extend(changed);
        let row = EntryRow { seq, leaf: sealed.leaf, bytes: sealed.bytes, ..beside };
        if let Some(known) = &mut self.known {
            known.note(&row.keys());
        }
        decided.batch.entries.push(row);
        Ok(())
    }

    /// Numbers of the lines of an entry's posts; those that money flows into are known to exist from now on.
    fn lines_of(&mut self, entry: &Entry<'_>, batch: &mut Batch) -> Vec<i64> {
        let mut ids = Vec::with_capacity(entry.post.len());
        for post in &entry.post {
            let name = LineName::parse(&post.line).expect("the book has accepted this line");
            ids.push(self.line_id(&name, batch));
            if post.op == "in" && self.set.lines.get(&name) != Some(&true) {
                self.set.lines.insert(name, true);
            }
        }
        ids
    }

    /// Number of a line; a new one gets the next, in order of first use.
    fn line_id(&mut self, name: &LineName, batch: &mut Batch) -> i64 {
        if let Some(id) = self.line_ids.get(name) {
            return *id;
        }
        let id = i64::try_from(self.line_ids.len()).expect("few lines");
        self.line_ids.insert(name.clone(), id);
        batch.lines.push((id, name.to_string()));
        id
    }

    /// What is to be written of a decided batch, and who waits for it.
    fn pack(&mut self, mut decided: Decided, held: bool) -> (Batch, Pending) {
        // Entries are fetched for the command that names them, not kept.
        self.set.entries.clear();
        let size = self.head.size();
        let (root, last, began) = (self.head.frontier.root(), self.head.last, self.clock.elapsed());
        let entries = u32::try_from(decided.batch.entries.len()).expect("a batch is small");
        let pending = Pending { held, entries, began, answers: decided.answers, size, root, last };
        if let Some(rehearsed) = &mut self.rehearsed {
            rehearsed.extend(decided.batch.entries.into_iter().map(|entry| entry.bytes));
            return (Batch::default(), pending);
        }
        for (place, from) in &decided.touched {
            let line = &self.set.book.lines()[*place];
            let line_id = self.line_ids[line.name()];
            match line.run_at(*from) {
                Some(run) => decided.batch.runs.push(RunRow {
                    line_id,
                    span: Span { from: *from, to: run.to },
                    state: run.state,
                }),
                None => decided.batch.gone.push((line_id, *from)),
            }
        }
        for (area, id) in &decided.subjects {
            decided.batch.subjects.extend(subject_row(&self.set, *area, id));
        }
        let entries = u64::try_from(decided.batch.entries.len()).expect("a batch is small");
        decided.batch.ledger_id = self.ledger_id();
        decided.batch.size_before = size - entries;
        decided.batch.last = self.head.last;
        decided.batch.at_millis = self.head.at.map_or(-1, Timestamp::millis);
        decided.batch.peaks = self.head.frontier.peaks().to_vec();
        (decided.batch, pending)
    }

    async fn find(&mut self, lookup: &Lookup, in_flight: &mut Option<InFlight>) -> Result<Vec<u64>, WriteError> {
        if self.known.is_none() || self.is_shared() {
            self.wait_for(in_flight).await;
            self.load_known().await?;
        }
        let known = self.known.as_ref().expect("it has just been loaded");
        Ok(match lookup {
            Lookup::Key(key) => {
                known.of_key(self.vault().keyed(Keyed::Key, key)).map(|(seq, ..)| seq).into_iter().collect()
            }
            Lookup::Order(text) => known.of_order(self.vault().keyed(Keyed::Order, text)),
            Lookup::Reference(text) => {
                let found = known.of_reference(self.vault().keyed(Keyed::Reference, text));
                found.map(|(seq, _)| seq).into_iter().collect()
            }
        })
    }

    /// Reads what stands beside entries that are not known yet.
    async fn load_known(&mut self) -> Result<(), WriteError> {
        const PAGE: u32 = 20_000;
        let mut known = self.known.take().unwrap_or_default();
        loop {
            let page = self.store().keys(self.ledger_id(), known.size(), PAGE).await?;
            if page.is_empty() {
                break;
            }
            page.iter().for_each(|row| known.note(row));
        }
        self.known = Some(known);
        Ok(())
    }

    /// Fetches one row into the working set.
    async fn fetch(&mut self, need: &Need) -> Result<(), WriteError> {
        self.unproven = true;
        let ledger_id = self.ledger_id();
        match need {
            Need::Subject(area, id) => {
                let doc = self.store().subject(ledger_id, area.as_str(), id).await?;
                know_subject(&mut self.set, *area, id, doc.as_deref())?;
            }
            Need::Line(name) => self.fetch_line(name).await?,
            Need::Entry(seq) => {
                let bytes = self.entry(*seq).await?;
                if let Some(bytes) = &bytes {
                    self.know_money_of(*seq, bytes).await?;
                }
                self.set.entries.insert(*seq, bytes);
            }
        }
        Ok(())
    }

    /// An entry's bytes: of the store, or of the rehearsal.
    async fn entry(&self, seq: u64) -> Result<Option<Vec<u8>>, WriteError> {
        let since = seq.checked_sub(self.opened.row.size).and_then(|since| usize::try_from(since).ok());
        match self.rehearsed.as_ref().zip(since).and_then(|(entries, since)| entries.get(since)) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None => Ok(self.store().entry(self.ledger_id(), seq).await?),
        }
    }

    async fn fetch_line(&mut self, name: &LineName) -> Result<(), WriteError> {
        if self.set.lines.contains_key(name) {
            return Ok(());
        }
        let Some(line_id) = self.line_ids.get(name).copied() else {
            self.set.lines.insert(name.clone(), false);
            return Ok(());
        };
        let runs = self.store().runs(self.ledger_id(), line_id).await?;
        let line = Line::from_rows(name.clone(), runs.into_iter().map(|run| (run.span, run.state)));
        let line =
            line.ok_or_else(|| StoreError::Damaged { table: "run", what: format!("the runs of {name} leave a gap") })?;
        self.set.book.know_line(line);
        self.set.lines.insert(name.clone(), true);
        Ok(())
    }

    /// Makes an entry's inflows known, and where it is a transfer, its map: what a reversal or refund is judged against.
    async fn know_money_of(&mut self, seq: u64, bytes: &[u8]) -> Result<(), WriteError> {
        let entry =
            Entry::parse(bytes).map_err(|error| StoreError::Damaged { table: "entry", what: error.to_string() })?;
        let (mut outs, mut ins) = (Vec::new(), Vec::new());
        for row in posted(&entry) {
            let (op, name, span) = row?;
            self.fetch_line(&name).await?;
            match op {
                "in" => ins.push((name, span)),
                "out" => outs.push((name, span)),
                _ => {}
            }
        }
        for (name, span) in &ins {
            self.set.book.know_inflow(&name.to_string(), Inflow { span: *span, seq });
        }
        outs.retain(|(name, _)| !ins.iter().any(|(inflow, _)| inflow == name));
        if !ins.is_empty() && !outs.is_empty() {
            self.set.book.know_transfer(seq, &outs, &ins);
        }
        Ok(())
    }
}

enum Fail {
    Refused(Box<Refusal>),
    Fault(WriteError),
}

impl Job {
    /// Tells whoever asked why nothing comes of it.
    fn fail(self, error: WriteError) {
        // A caller that has gone away does not need its answer.
        match self {
            Self::Post(_, reply) => drop(reply.send(Err(error))),
            Self::Find(_, reply) => drop(reply.send(Err(error))),
            Self::Finish(reply) | Self::Roles(reply) => drop(reply.send(Err(error))),
        }
    }
}

/// How a commit ended.
fn ended(done: Result<Result<(), StoreError>, tokio::task::JoinError>) -> Result<(), StoreError> {
    done.unwrap_or_else(|error| Err(StoreError::Ended { what: error.to_string() }))
}

fn answer(answers: Vec<Waiting>, error: Option<WriteError>) {
    for Waiting { reply, results, .. } in answers {
        // A caller that has gone away does not need its answer.
        let _ = reply.send(error.clone().map_or(Ok(results), Err));
    }
}
