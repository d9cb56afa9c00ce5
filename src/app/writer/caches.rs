//! What the writer keeps in memory, read from the store: the head, the states and lines that were asked for, roles, keys and references.

use super::cycle::InFlight;
use super::{Lookup, WriteError, Writer, folder, know_subject, posted};
use crate::app::folder::OpenError;
use crate::domain::vocabulary::Role;
use crate::domain::working_set::{Area, Need, WorkingSet};
use crate::ledger::chain::Head;
use crate::ledger::entry::Entry;
use crate::ledger::line::{Inflow, Line};
use crate::store::StoreError;
use crate::values::{LineName, StaffId, Zone};
use crate::vault::{Keyed, Place};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

impl Writer {
    /// Forgets what was not made durable, and all caches, and reads the head again.
    pub(super) async fn reload(&mut self) -> Result<(), WriteError> {
        self.stale = true;
        let row = self.opened.folder.find(self.store(), Some(&self.opened.row.slug.clone())).await?;
        let frontier = folder::frontier(&row)?;
        let last = self.opened.folder.signed(&self.opened.keys)?;
        self.signed = last.as_ref().map_or(0, |last| last.checkpoint().size);
        self.shown_signed.store(self.signed, Ordering::Release);
        // What was acknowledged stays: a database that lies behind it is an older copy, and gets no second history.
        let signed = self.signed.max(self.durable.size);
        if row.size < signed {
            let path = self.opened.folder.signed_file(&self.opened.row.slug);
            return Err(OpenError::Behind { found: row.size, signed, path }.into());
        }
        // One that was put in its place since, and is as long, gets none either.
        if self.durable.size > 0 && !self.is_written(self.durable).await? {
            return Err(OpenError::OtherHistory { signed: self.durable.size }.into());
        }
        if let Some(last) = last.filter(|_| self.rehearsed.is_none())
            && self.store().checkpoint(self.ledger_id(), self.signed).await?.is_none()
        {
            // A crash came between the file and the database: what was signed is kept for everybody, the more so if two keys have signed.
            self.store().put_checkpoint(self.ledger_id(), self.signed, &last.note().to_string()).await?;
        }
        if let Some(known) = &mut self.known {
            known.cut(self.durable.size);
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
        self.mark_durable(self.end());
        self.fetch(&Need::Subject(Area::Organisation, String::new())).await?;
        if let Ok(Some(organisation)) = self.set.organisation() {
            self.zone = Zone::parse(&organisation.time_zone).unwrap_or_else(|_| Zone::shanghai());
        }
        self.key_at(self.head.size())?;
        self.stale = false;
        Ok(())
    }

    /// The public key that signs a tree of so many entries, whose secret half is here: another may have taken the place of the one that
    /// was read. Keys of another ledger would sign what nobody believes.
    pub(super) fn key_at(&mut self, size: u64) -> Result<String, OpenError> {
        let in_force = match self.set.organisation() {
            Ok(Some(organisation)) => organisation.key_at(size).to_owned(),
            // The first entry is still to come.
            Ok(None) | Err(_) => return Ok(self.opened.keys.log.verifier().to_string()),
        };
        if self.opened.keys.of(&in_force).is_none() {
            self.opened.keys = self.opened.folder.keys(&self.opened.keys.log.origin)?;
        }
        if self.opened.keys.of(&in_force).is_some() { Ok(in_force) } else { Err(self.other_keys("*.key")) }
    }

    /// The old key goes once a checkpoint that both have signed is kept.
    pub(super) fn retire_key(&mut self, in_force: &str) -> Result<(), OpenError> {
        if !self.opened.keys.log.is_of(in_force) {
            let keys = self.opened.folder.keys(&self.opened.keys.log.origin)?;
            self.opened.keys = self.opened.folder.retire_key(keys)?;
        }
        Ok(())
    }

    fn other_keys(&self, what: &'static str) -> OpenError {
        OpenError::OtherKeys { path: self.opened.folder.path().join("keys"), what }
    }

    /// Refuses the vault's key of another ledger: it would know no key and no reference again.
    pub(super) async fn check_vault_key(&self) -> Result<(), WriteError> {
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
        if shut { Err(self.other_keys("*.vault").into()) } else { Ok(()) }
    }

    pub(super) async fn load_lines(&mut self) -> Result<(), WriteError> {
        self.line_ids = BTreeMap::new();
        for (id, name) in self.store().lines(self.ledger_id()).await? {
            let name = LineName::parse(&name).ok_or(StoreError::Damaged { table: "line", what: name })?;
            self.line_ids.insert(name, id);
        }
        Ok(())
    }

    pub(super) async fn load_roles(&mut self) -> Result<(), WriteError> {
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

    pub(super) fn is_known(&self, area: Area, id: &str) -> bool {
        match area {
            Area::Organisation => self.set.organisation.contains_key(id),
            Area::Account => self.set.accounts.contains_key(id),
            Area::Fund => self.set.funds.contains_key(id),
            Area::Campaign => self.set.campaigns.contains_key(id),
            Area::Case => self.set.cases.contains_key(id),
            Area::Disbursement => self.set.disbursements.contains_key(id),
            Area::Report => self.set.reports.contains_key(id),
            Area::Reversal => self.set.reversals.contains_key(id),
            Area::Certificate => self.set.certificates.contains_key(id),
            Area::Series => self.set.series.contains_key(id),
        }
    }

    pub(super) async fn find(
        &mut self,
        lookup: &Lookup,
        in_flight: &mut Option<InFlight>,
    ) -> Result<Vec<u64>, WriteError> {
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
    pub(super) async fn load_known(&mut self) -> Result<(), WriteError> {
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
    pub(super) async fn fetch(&mut self, need: &Need) -> Result<(), WriteError> {
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
    pub(super) async fn entry(&self, seq: u64) -> Result<Option<Vec<u8>>, WriteError> {
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
