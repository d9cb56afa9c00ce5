//! The writer's cycle: takes jobs, has them decided, makes the batch durable while the next is decided, answers, signs.

use super::deciding::Decided;
use super::{BATCH_MIN, CHECKPOINT_EVERY, Durable, IDLE, Job, LINGER, QUEUE_MAX, Waiting, WriteError, Writer};
use crate::domain::working_set::WorkingSet;
use crate::store::{Held, StoreError};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the writer waited for.
pub(super) enum Came {
    Job(Job),
    /// The batch under way has ended.
    Settled,
    /// For a while nothing came, or the turn of this node has ended: time for what other nodes do.
    Nothing,
    /// Nobody can ask any more.
    Closed,
}

/// What becomes of a batch that stands on entries which are not there.
pub(super) enum Lost {
    /// It is decided anew.
    Again,
    /// Its callers are told.
    Failed(WriteError),
}

pub(super) struct InFlight {
    pub(super) commit: JoinHandle<Result<(), StoreError>>,
    pub(super) pending: Pending,
}

/// A batch that is being made durable, and who waits for it.
pub(super) struct Pending {
    /// Whether the ledger was held while it was decided.
    pub(super) held: bool,
    /// Count of its entries.
    pub(super) entries: u32,
    pub(super) began: Duration,
    pub(super) answers: Vec<Waiting>,
    /// The head behind it.
    pub(super) end: Durable,
}

impl Writer {
    pub(super) async fn run(&mut self, mut queue: mpsc::Receiver<Job>) {
        let mut in_flight: Option<InFlight> = None;
        let mut finishing = Vec::new();
        loop {
            // Where nothing waits, the batch under way comes first, so that its callers are answered at once.
            let first = match self.job_or_settled(&mut queue, &mut in_flight).await {
                Came::Job(first) => first,
                Came::Settled => continue,
                Came::Nothing => {
                    self.end_turn(&mut in_flight).await;
                    self.look_at_others().await;
                    // What others have posted is signed here too: each node's own file guards it against an older copy.
                    self.checkpoint_when_due().await;
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
                    self.stats.failed.inc();
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
            self.conclude(decided, held, &mut in_flight).await;
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

    /// What becomes of a decided batch: it is written, where anything is to be written and what it stands on is there.
    async fn conclude(&mut self, decided: Decided, held: Option<Held>, in_flight: &mut Option<InFlight>) {
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
                        *in_flight = Some(InFlight { commit, pending });
                        // A task that was just spawned waits on this thread; let it start before the next batch keeps the thread
                        // busy.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
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
            None if self.is_shared() || self.is_unsigned() => {
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

    pub(super) async fn wait_for(&mut self, in_flight: &mut Option<InFlight>) {
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
                self.mark_durable(pending.end);
                answer(pending.answers, None);
                self.checkpoint_when_due().await;
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
        let written = match self.store().hold(self.ledger_id(), pending.end.size, 0).await {
            Ok(_held) => self.is_written(pending.end).await,
            Err(error) => Err(error),
        };
        let _ = self.reload().await;
        let told = match written {
            Ok(true) => None,
            Ok(false) if error.was_answered() => Some(WriteError::Store(error)),
            // What was sent may still be on its way to the server.
            Ok(false) | Err(_) => Some(WriteError::Unsure(error)),
        };
        self.lost = Some(told.clone().map_or(Lost::Again, Lost::Failed));
        answer(pending.answers, told);
    }

    /// Has jobs decided once more, from what is in the log then.
    fn decide_again(&mut self, answers: Vec<Waiting>) {
        self.stale = true;
        self.again.extend(answers.into_iter().map(Waiting::again));
    }

    pub(super) fn mark_durable(&mut self, durable: Durable) {
        self.durable = durable;
        self.shown.store(durable.size, Ordering::Release);
    }

    /// Whether something durable is not signed yet.
    const fn is_unsigned(&self) -> bool {
        self.durable.size > self.signed && self.rehearsed.is_none()
    }

    /// A checkpoint that fails now is tried again after the next batch or when nothing comes, and at the end.
    async fn checkpoint_when_due(&mut self) {
        if self.clock.elapsed() >= self.last_checkpoint + CHECKPOINT_EVERY {
            let _ = self.checkpoint().await;
        }
    }

    /// Signs the durable head, unless it is signed already.
    async fn checkpoint(&mut self) -> Result<(), WriteError> {
        let Durable { size, root, .. } = self.durable;
        if !self.is_unsigned() {
            return Ok(());
        }
        let in_force = self.key_at(size)?;
        let note = self.opened.folder.sign(&self.opened.keys, &in_force, size, root)?;
        self.store().put_checkpoint(self.ledger_id(), size, &note).await?;
        self.retire_key(&in_force)?;
        self.signed = size;
        self.shown_signed.store(size, Ordering::Release);
        self.last_checkpoint = self.clock.elapsed();
        self.stats.signed_at.set(self.clock.now().millis() / 1000);
        Ok(())
    }
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
    done?
}

pub(super) fn answer(answers: Vec<Waiting>, error: Option<WriteError>) {
    for Waiting { reply, results, .. } in answers {
        // A caller that has gone away does not need its answer.
        let _ = reply.send(error.clone().map_or(Ok(results), Err));
    }
}
