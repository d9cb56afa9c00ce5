//! Decides what is asked: first on what is in memory, with what is missing fetched; what was decided is the batch to be written.

use super::cycle::{InFlight, Pending, answer};
use super::{
    Accepted, Answer, ClockTrust, JUMP_MAX_SECONDS, ROLES_FRESH, Submission, Waiting, WriteError, Writer, public_text,
    span_rows, subject_row,
};
use crate::domain::command::{Command, Order};
use crate::domain::decide::{self, Context, Stop};
use crate::domain::donation::Donation;
use crate::domain::refusal::Refusal;
use crate::domain::working_set::{Area, Need};
use crate::ledger::entry::Entry;
use crate::ledger::posting::CashRule;
use crate::store::{Batch, EntryRow, RunRow, VaultRow};
use crate::values::{Amount, Day, Hash, LineName, Span, StaffId, Timestamp, Zone};
use crate::vault::{Keyed, Place};
use std::collections::BTreeSet;
use tokio::sync::oneshot;

/// Entries of the batch in hand, and what must be answered when it is durable.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) batch: Batch,
    /// Starts of runs that are new, changed or gone, with their line's place in the book.
    pub(super) touched: BTreeSet<(usize, u64)>,
    pub(super) subjects: BTreeSet<(Area, String)>,
    pub(super) answers: Vec<Waiting>,
}

enum Fail {
    Refused(Box<Refusal>),
    Fault(WriteError),
}

impl Writer {
    pub(super) async fn decide_all(
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
    pub(super) fn pack(&mut self, mut decided: Decided, held: bool) -> (Batch, Pending) {
        // Entries are fetched for the command that names them, not kept.
        self.set.entries.clear();
        let (end, began) = (self.end(), self.clock.elapsed());
        let entries = u32::try_from(decided.batch.entries.len()).expect("a batch is small");
        let pending = Pending { held, entries, began, answers: decided.answers, end };
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
        decided.batch.size_before = end.size - entries;
        decided.batch.last = end.last;
        decided.batch.at_millis = self.head.at.map_or(-1, Timestamp::millis);
        decided.batch.peaks = self.head.frontier.peaks().to_vec();
        (decided.batch, pending)
    }
}
