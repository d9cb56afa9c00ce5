//! The one writer of a ledger: takes what waits in its bounded queue, decides it, seals it, makes it durable in one transaction,
//! and only then answers. While one batch is made durable the next is decided.
//!
//! A crash before the transaction ends leaves nothing of a batch and nobody was told of it; a crash after it leaves the whole batch,
//! and whoever was not told finds it again by its key. A failed commit throws away everything that was decided on top of it: the
//! writer forgets its caches and reads them again.

use super::folder::{self, OpenError, Opened, WriteLock};
use super::public_text;
use crate::clock::Clock;
use crate::domain::command::{Command, Order};
use crate::domain::correction::Reversal;
use crate::domain::decide::{self, Context, Stop};
use crate::domain::disclosure::Published;
use crate::domain::donation::Donation;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Role;
use crate::domain::working_set::{Area, Need, WorkingSet};
use crate::domain::{
    campaign::Campaign, case::Case, disbursement::Disbursement, fund::Account, fund::Fund, organisation::Organisation,
};
use crate::ledger::canonical::Value;
use crate::ledger::chain::Head;
use crate::ledger::entry::Entry;
use crate::ledger::line::{Inflow, Line};
use crate::ledger::posting::CashRule;
use crate::store::{Batch, EntryRow, RunRow, SpanRow, Store, StoreError, SubjectRow, VaultRow};
use crate::values::{Amount, Day, Hash, LineName, Span, StaffId, Timestamp, Zone};
use crate::vault::names::Names;
use crate::vault::{Fresh, Keyed, Place, VaultKey};
use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Commands that wait at most.
pub const QUEUE_MAX: usize = 4096;
/// Commands that are worth a commit of their own.
const BATCH_MIN: usize = 1_000;
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
        Self { command, key: None, reference: None, order: None, secret: None, codes: Vec::new() }
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

/// A caller, and what it will be told when the batch is durable.
type Waiting = (oneshot::Sender<Answer>, Vec<Result<Accepted, Refusal>>);

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
    let (jobs, queue) = mpsc::channel(QUEUE_MAX);
    let durable = Arc::clone(&writer.shown);
    tokio::spawn(async move {
        writer.run(queue).await;
        drop(lock);
    });
    Ok(Handle { jobs, durable })
}

/// Entries of the batch in hand, and what must be answered when it is durable.
#[derive(Default)]
struct Decided {
    batch: Batch,
    /// Starts of runs that are new, changed or gone, with their line's place in the book.
    touched: BTreeSet<(usize, u64)>,
    subjects: BTreeSet<(Area, String)>,
    answers: Vec<Waiting>,
    root: Hash,
}

/// What the writer waited for.
enum Came {
    Job(Job),
    /// The batch under way has ended.
    Settled,
    /// Nobody can ask any more.
    Closed,
}

struct InFlight {
    commit: JoinHandle<Result<(), StoreError>>,
    answers: Vec<Waiting>,
    size: u64,
    root: Hash,
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
    /// Keys and references to their entries; filled at first use.
    known: Option<Known>,
    /// Names of donors; read at the first command with public text.
    names: Option<Names>,
    latest_person: u64,
    durable: (u64, Hash),
    /// The same size, for those who hold a handle.
    shown: Arc<AtomicU64>,
    signed: u64,
    last_checkpoint: Duration,
    /// Why a batch did not become durable while the next was being decided, which then stands on entries that are not there.
    lost: Option<WriteError>,
}

/// A map by keyed hashes, which are uniform already and nobody can choose: they need no second hashing.
#[expect(clippy::disallowed_types, reason = "it is asked and added to, never walked through: it shows no order")]
type ByHash<T> = std::collections::HashMap<i64, T, BuildHasherDefault<AsItIs>>;

#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_i64(&mut self, hash: i64) {
        self.0 = hash.cast_unsigned();
    }
}

#[derive(Default)]
struct Known {
    keys: ByHash<(u64, u64, i64)>,
    references: ByHash<(u64, i64)>,
    orders: ByHash<u64>,
    /// Gifts of an order number and amount after the first: two accounts may use one number.
    more_of_order: BTreeMap<i64, Vec<u64>>,
}

impl Known {
    fn has_order(&mut self, hash: i64, seq: u64) {
        match self.orders.entry(hash) {
            Slot::Vacant(place) => drop(place.insert(seq)),
            Slot::Occupied(_) => self.more_of_order.entry(hash).or_default().push(seq),
        }
    }
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
            known: None,
            names: None,
            latest_person: 0,
            durable: (0, Hash::ZERO),
            shown: Arc::default(),
            signed: 0,
            last_checkpoint: Duration::ZERO,
            lost: None,
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

    /// Forgets everything and reads the head again.
    async fn reload(&mut self) -> Result<(), WriteError> {
        let row = self.opened.folder.find(self.store(), Some(&self.opened.row.slug.clone())).await?;
        let frontier = folder::frontier(&row)?;
        self.head = Head { last: row.last, at: folder::last_at(&row), frontier };
        self.opened.row = row;
        self.set = WorkingSet::default();
        self.known = None;
        self.names = None;
        let ledger_id = self.ledger_id();
        self.line_ids = BTreeMap::new();
        for (id, name) in self.store().lines(ledger_id).await? {
            let name = LineName::parse(&name).ok_or(StoreError::Damaged { table: "line", what: name })?;
            self.line_ids.insert(name, id);
        }
        self.load_roles().await?;
        self.latest_person = self.store().latest_person(ledger_id).await?;
        self.signed = self.opened.folder.signed(&self.opened.keys)?.map_or(0, |checkpoint| checkpoint.size);
        self.durable = (self.head.size(), self.head.frontier.root());
        self.shown.store(self.head.size(), Ordering::Release);
        self.fetch(&Need::Subject(Area::Organisation, String::new())).await?;
        if let Ok(Some(organisation)) = self.set.organisation() {
            self.zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
        }
        Ok(())
    }

    async fn load_roles(&mut self) -> Result<(), WriteError> {
        let rows = self.store().roles(self.ledger_id()).await?;
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
                Came::Closed => break,
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
            if let Some(error) = self.lost.take() {
                answer(std::mem::take(&mut decided).answers, Some(error));
                let _ = self.reload().await;
            }
            if decided.batch.entries.is_empty() {
                answer(decided.answers, None);
            } else {
                in_flight = Some(self.begin_commit(decided));
                // A task that was just spawned waits on this thread; let it start before the next batch keeps the thread busy.
                tokio::task::yield_now().await;
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
            return queue.try_recv().ok();
        }
        match self.job_or_settled(queue, in_flight).await {
            Came::Job(job) => Some(job),
            Came::Settled | Came::Closed => None,
        }
    }

    /// Waits for a job, or for the end of the batch under way, which is then settled.
    async fn job_or_settled(&mut self, queue: &mut mpsc::Receiver<Job>, in_flight: &mut Option<InFlight>) -> Came {
        let job = match in_flight {
            None => queue.recv().await,
            Some(flight) => tokio::select! {
                biased;
                job = queue.recv() => job,
                done = &mut flight.commit => {
                    let flight = in_flight.take().expect("it is the one that was waited for");
                    self.settle(flight, done).await;
                    return Came::Settled;
                }
            },
        };
        job.map_or(Came::Closed, Came::Job)
    }

    async fn wait_for(&mut self, in_flight: &mut Option<InFlight>) {
        if let Some(mut flight) = in_flight.take() {
            let done = (&mut flight.commit).await;
            self.settle(flight, done).await;
        }
    }

    /// A commit has ended: answer those who wait, and sign a checkpoint where it is time.
    async fn settle(&mut self, flight: InFlight, done: Result<Result<(), StoreError>, tokio::task::JoinError>) {
        let result = match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(WriteError::from(error)),
            Err(error) => Err(WriteError::Fault(error.to_string())),
        };
        match result {
            Ok(()) => {
                self.durable = (flight.size, flight.root);
                self.shown.store(flight.size, Ordering::Release);
                answer(flight.answers, None);
                if self.clock.elapsed() >= self.last_checkpoint + CHECKPOINT_EVERY {
                    // A checkpoint that fails now is tried again after the next batch, and at the end.
                    let _ = self.checkpoint().await;
                }
            }
            Err(error) => {
                answer(flight.answers, Some(error.clone()));
                self.lost = Some(error);
                let _ = self.reload().await;
            }
        }
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
        let jump = self.clock.jump_seconds();
        if jump.abs() > JUMP_MAX_SECONDS && self.trust == ClockTrust::Checked {
            let _ = reply.send(Err(WriteError::ClockJumped { seconds: jump }));
            return;
        }
        let mut results = Vec::with_capacity(submissions.len());
        for mut submission in submissions {
            match self.decide_one(&mut submission, decided, in_flight).await {
                Ok(result) => results.push(result),
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
        decided.answers.push((reply, results));
    }

    async fn decide_one(
        &mut self,
        submission: &mut Submission,
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
            if let Some((seq, count, payload)) = key.and_then(|(key, _)| known.keys.get(&key)).copied() {
                let same = key.is_some_and(|(_, ours)| ours == payload);
                let accepted = Accepted { seq, count, repeated: true };
                return Ok(if same { Ok(accepted) } else { Err(Refusal::KeyReused { seq }) });
            }
            if let Some((seq, payload)) = reference.and_then(|reference| known.references.get(&reference)).copied() {
                let same = key.is_some_and(|(_, ours)| ours == payload);
                let earlier = if same { None } else { self.gross_of(seq, decided, in_flight).await? };
                let refusal = match (earlier, &submission.command.order) {
                    (Some(earlier), Order::ReceiveDonation(order)) if order.gross != earlier => {
                        Refusal::ReferenceDiffers { seq, earlier }
                    }
                    _ => Refusal::ReferenceRepeated { seq },
                };
                return Ok(Err(refusal));
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
        if let Some(known) = &mut self.known {
            if let Some((key, payload)) = key {
                known.keys.insert(key, (first, count, payload));
            }
            if let Some(reference) = reference {
                known.references.insert(reference, (first, payload_hash));
            }
            if order_hash != 0 {
                known.has_order(order_hash, first);
            }
        }
        if let Some(secret) = submission.secret.take() {
            if let (Some(names), Some(name)) = (&mut self.names, &secret.name) {
                names.insert(name);
            }
            self.latest_person += 1;
            let hashes = [key_hash, payload_hash, reference.unwrap_or(0), order_hash];
            let place = Place { person: self.latest_person, seq: first, hashes };
            let (sealed, wrapped) = self.vault().seal(&secret.fresh, &place, &secret.record);
            decided.batch.vault.push(VaultRow { seq: first, person: self.latest_person, sealed, wrapped });
        }
        decided.batch.codes.append(&mut submission.codes);
        Ok(Ok(Accepted { seq: first, count, repeated: false }))
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
        decided.batch.entries.push(EntryRow { seq, leaf: sealed.leaf, bytes: sealed.bytes, ..beside });
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

    fn begin_commit(&mut self, mut decided: Decided) -> InFlight {
        // Entries are fetched for the command that names them, not kept.
        self.set.entries.clear();
        let size = self.head.size();
        decided.root = self.head.frontier.root();
        if let Some(rehearsed) = &mut self.rehearsed {
            rehearsed.extend(decided.batch.entries.into_iter().map(|entry| entry.bytes));
            let commit = tokio::spawn(async { Ok(()) });
            return InFlight { commit, answers: decided.answers, size, root: decided.root };
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
        let (store, batch) = (self.opened.store.clone(), decided.batch);
        let commit = tokio::spawn(async move { store.commit(batch).await });
        InFlight { commit, answers: decided.answers, size, root: decided.root }
    }

    async fn find(&mut self, lookup: &Lookup, in_flight: &mut Option<InFlight>) -> Result<Vec<u64>, WriteError> {
        if self.known.is_none() {
            self.wait_for(in_flight).await;
            self.load_known().await?;
        }
        let known = self.known.as_ref().expect("it has just been loaded");
        let (first, more) = match lookup {
            Lookup::Key(key) => (known.keys.get(&self.vault().keyed(Keyed::Key, key)).map(|(seq, ..)| *seq), None),
            Lookup::Order(text) => {
                let hash = self.vault().keyed(Keyed::Order, text);
                (known.orders.get(&hash).copied(), known.more_of_order.get(&hash))
            }
            Lookup::Reference(text) => {
                (known.references.get(&self.vault().keyed(Keyed::Reference, text)).map(|(seq, _)| *seq), None)
            }
        };
        Ok(first.into_iter().chain(more.into_iter().flatten().copied()).collect())
    }

    async fn load_known(&mut self) -> Result<(), WriteError> {
        const PAGE: u32 = 20_000;
        let mut known = Known::default();
        let (mut from, ledger_id) = (0, self.ledger_id());
        loop {
            let page = self.store().keys(ledger_id, from, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            for row in page {
                if row.key_hash != 0 {
                    // All entries of one command carry its key: the first is its answer.
                    known.keys.entry(row.key_hash).and_modify(|(_, count, _)| *count += 1).or_insert((
                        row.seq,
                        1,
                        row.payload_hash,
                    ));
                }
                if row.order_hash != 0 {
                    known.has_order(row.order_hash, row.seq);
                }
                if row.reference_hash != 0 {
                    known.references.insert(row.reference_hash, (row.seq, row.payload_hash));
                }
            }
        }
        self.known = Some(known);
        Ok(())
    }

    /// Fetches one row into the working set.
    async fn fetch(&mut self, need: &Need) -> Result<(), WriteError> {
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

fn answer(answers: Vec<Waiting>, error: Option<WriteError>) {
    for (reply, results) in answers {
        // A caller that has gone away does not need its answer.
        let _ = reply.send(error.clone().map_or(Ok(results), Err));
    }
}

/// The posts of an entry that is in the log: op, line, positions.
pub(super) fn posted<'e>(entry: &'e Entry<'_>) -> impl Iterator<Item = Result<(&'e str, LineName, Span), StoreError>> {
    entry.post.iter().map(|post| {
        let damaged = || StoreError::Damaged { table: "entry", what: format!("a post of entry {}", entry.seq) };
        let name = LineName::parse(&post.line).ok_or_else(damaged)?;
        let (from, to) = (u64::try_from(post.from), u64::try_from(post.to));
        let span = from.ok().zip(to.ok()).and_then(|(from, to)| Span::new(from, to)).ok_or_else(damaged)?;
        Ok((post.op.as_ref(), name, span))
    })
}

/// The rows of an entry's posts.
pub(super) fn span_rows(entry: &Entry<'_>, mut line_id: impl FnMut(&str) -> i64) -> Vec<SpanRow> {
    let mut rows = Vec::with_capacity(entry.post.len());
    for (place, post) in (0..).zip(&entry.post) {
        let (from, to) = (u64::try_from(post.from), u64::try_from(post.to));
        let span =
            from.ok().zip(to.ok()).and_then(|(from, to)| Span::new(from, to)).expect("the book has accepted this post");
        let op = match post.op.as_ref() {
            "in" => 0,
            "hold" => 1,
            "out" => 2,
            "free" => 3,
            _ => 4,
        };
        rows.push(SpanRow {
            line_id: line_id(&post.line),
            op,
            span,
            seq: entry.seq,
            place,
            of_seq: post.of.unwrap_or(-1),
        });
    }
    rows
}

/// The row of a thing's current state.
pub(super) fn subject_row(set: &WorkingSet, area: Area, id: &str) -> Option<SubjectRow> {
    let object = match area {
        Area::Organisation => set.organisation.get(id)?.as_ref()?.to_object(),
        Area::Account => set.accounts.get(id)?.as_ref()?.to_object(),
        Area::Fund => set.funds.get(id)?.as_ref()?.to_object(),
        Area::Campaign => set.campaigns.get(id)?.as_ref()?.to_object(),
        Area::Case => set.cases.get(id)?.as_ref()?.to_object(),
        Area::Disbursement => set.disbursements.get(id)?.as_ref()?.to_object(),
        Area::Report => set.reports.get(id)?.as_ref()?.to_object(),
        Area::Reversal => set.reversals.get(id)?.as_ref()?.to_object(),
    };
    let doc = object.to_bytes().expect("a state holds only what entries hold");
    Some(SubjectRow { area: area.as_str(), id: id.into(), doc })
}

/// Puts a stored state, or its absence, into the working set.
pub(super) fn know_subject(set: &mut WorkingSet, area: Area, id: &str, doc: Option<&[u8]>) -> Result<(), StoreError> {
    let damaged = |what: String| StoreError::Damaged { table: "subject", what };
    let value = doc.map(Value::parse).transpose().map_err(|error| damaged(error.to_string()))?;
    let object = value.as_ref().and_then(Value::as_object);
    let id = id.to_owned();
    macro_rules! know {
        ($field:ident, $type:ty) => {{
            let state = object.map(<$type>::from_object).transpose().map_err(|error| damaged(error.to_string()))?;
            set.$field.insert(id, state);
        }};
    }
    match area {
        Area::Organisation => know!(organisation, Organisation),
        Area::Account => know!(accounts, Account),
        Area::Fund => know!(funds, Fund),
        Area::Campaign => know!(campaigns, Campaign),
        Area::Case => know!(cases, Case),
        Area::Disbursement => know!(disbursements, Disbursement),
        Area::Report => know!(reports, Published),
        Area::Reversal => know!(reversals, Reversal),
    }
    Ok(())
}
