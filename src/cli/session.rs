//! One run of the command line against one data folder: who acts, how commands are posted, how trouble is told.

use super::out::Out;
use super::trouble_zh;
use crate::app::folder::{Folder, OpenError, Opened};
use crate::app::writer::{self, Accepted, ClockTrust, Handle, Submission, WriteError};
use crate::clock::Clock;
use crate::config::Lang;
use crate::domain::body::Body;
use crate::domain::command::Order;
use crate::domain::refusal::Refusal;
use crate::entropy::Entropy;
use crate::ledger::entry::Entry;
use crate::store::StoreError;
use crate::values::LineName;
use crate::values::amount::format_minor;
use crate::values::{Day, Hash, StaffId, Zone};
use std::cell::RefCell;

/// Why a command failed; each kind has its exit code.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// `verify` found a bad entry; it has been told already.
    #[error("")]
    NotOk,
    /// A rule says no. Nothing was posted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger cannot be opened or its files fail.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing fails.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What was given cannot be used: which argument or file, and what to do.
    #[error("{zh}")]
    Input {
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
}

impl Failure {
    /// An input error in both languages.
    pub(super) fn input(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Input { zh: zh.into(), en: en.into() }
    }

    /// Exit code: 1 not ok, 3 refused by a rule, 4 the store or a file failed, 5 bad input. (2 is a wrong command line.)
    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::NotOk => 1,
            Self::Refused(_) => 3,
            Self::Open(_) | Self::Store(_) | Self::Write(_) => 4,
            Self::Input { .. } => 5,
        }
    }

    /// The text for a person.
    pub(super) fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::NotOk, _) => String::new(),
            (Self::Refused(refusal), Lang::Zh) => refusal.zh(),
            (Self::Input { zh, .. }, Lang::Zh) => zh.clone(),
            (Self::Input { en, .. }, Lang::En) => en.clone(),
            (Self::Open(error), Lang::Zh) => trouble_zh::open(error),
            (Self::Store(error), Lang::Zh) => trouble_zh::store(error),
            (Self::Write(error), Lang::Zh) => trouble_zh::write(error),
            (Self::Refused(_) | Self::Open(_) | Self::Store(_) | Self::Write(_), Lang::En) => writer::chain(self),
        }
    }

    /// The object for a machine.
    pub(super) fn object(&self, lang: Lang) -> serde_json::Value {
        let (code, path) = match self {
            Self::NotOk => ("not_ok", String::new()),
            Self::Refused(refusal) => (refusal.code(), refusal.path()),
            Self::Open(_) | Self::Store(_) | Self::Write(_) => ("store", String::new()),
            Self::Input { .. } => ("input", String::new()),
        };
        serde_json::json!({"error": {"code": code, "path": path, "text": self.text(lang)}})
    }
}

/// What every subcommand works with.
pub(super) struct Session {
    /// How it speaks.
    pub out: Out,
    /// The data folder.
    pub folder: Folder,
    /// The ledger asked for.
    pub ledger: Option<String>,
    /// Whom it acts as, where said.
    pub acting: Option<String>,
    /// Idempotency key, where given.
    pub key: Option<String>,
    /// The operator vouches for the clock.
    pub trust: ClockTrust,
    /// The clock.
    pub clock: Clock,
    /// Random bytes.
    pub entropy: RefCell<Entropy>,
}

/// A ledger open for posting.
pub(super) struct Posting {
    /// The way to the writer.
    pub handle: Handle,
    /// Who acts.
    pub by: StaffId,
}

impl Session {
    /// Opens the ledger for reading.
    pub(super) async fn open(&self) -> Result<Opened, Failure> {
        Ok(self.folder.open(self.ledger.as_deref()).await?)
    }

    /// The ledger's time zone.
    pub(super) async fn zone(&self, opened: &Opened) -> Result<Zone, Failure> {
        let doc = opened.store.subject(opened.row.ledger_id, "organisation", "").await?;
        let value = doc.as_deref().and_then(|doc| crate::ledger::canonical::Value::parse(doc).ok());
        let name = value.as_ref().and_then(|value| value.as_object()).and_then(|object| object.get("time_zone"));
        Ok(name.and_then(|name| name.as_text()).and_then(|name| Zone::parse(name).ok()).unwrap_or_else(Zone::shanghai))
    }

    /// The day given, or today in the ledger's time zone.
    pub(super) async fn day(&self, on: Option<Day>) -> Result<Day, Failure> {
        match on {
            Some(on) => Ok(on),
            None => {
                let opened = self.open().await?;
                let zone = self.zone(&opened).await?;
                opened.store.close().await;
                let at =
                    crate::app::folder::last_at(&opened.row).map_or(self.clock.now(), |at| at.max(self.clock.now()));
                Ok(at.day(&zone))
            }
        }
    }

    /// Who acts: the user named by `--as` (id or name), else the first one admitted.
    pub(super) async fn user(&self, opened: &Opened) -> Result<StaffId, Failure> {
        let staff = opened.store.staff(opened.row.ledger_id).await?;
        let found = match &self.acting {
            None => staff.first(),
            Some(wanted) => staff.iter().find(|(id, name)| id == wanted || name == wanted),
        };
        let Some((id, _)) = found else {
            let wanted = self.acting.clone().unwrap_or_default();
            return Err(Failure::input(
                format!("没有用户“{wanted}”。用 mingzhang user list 查看已有用户。"),
                format!("there is no user “{wanted}”; see `mingzhang user list`"),
            ));
        };
        StaffId::parse(id).map_err(|error| StoreError::Damaged { table: "staff", what: error.to_string() }.into())
    }

    /// Opens the ledger for posting.
    pub(super) async fn begin(&self) -> Result<Posting, Failure> {
        let lock = self.folder.lock().await?;
        let opened = self.open().await?;
        let by = self.user(&opened).await?;
        let handle = writer::start(opened, lock, self.clock, self.trust).await?;
        Ok(Posting { handle, by })
    }

    /// Opens the ledger for a rehearsal of posting, which writes nothing.
    pub(super) async fn rehearse(&self) -> Result<Posting, Failure> {
        let lock = self.folder.lock().await?;
        let opened = self.open().await?;
        let by = self.user(&opened).await?;
        let handle = writer::rehearse(opened, lock, self.clock, self.trust).await?;
        Ok(Posting { handle, by })
    }

    /// Posts one order and ends with a checkpoint. `payload` says what was asked, for the idempotency key.
    pub(super) async fn post(&self, order: Order, payload: &str) -> Result<Accepted, Failure> {
        self.post_with(order, payload, |submission| submission).await
    }

    /// Posts one order with something beside it.
    pub(super) async fn post_with(
        &self,
        order: Order,
        payload: &str,
        beside: impl FnOnce(Submission) -> Submission,
    ) -> Result<Accepted, Failure> {
        let posting = self.begin().await?;
        let key = self.key.clone().map(|key| (key, payload.to_owned()));
        let submission = Submission { key, ..Submission::bare(&posting.by, order) };
        let results = posting.handle.post(vec![beside(submission)]).await?;
        posting.handle.finish().await?;
        Ok(results.into_iter().next().expect("one answer for one command")?)
    }

    /// Tells what was posted: a sentence, or `{entry, entries, repeated, …}`.
    pub(super) fn told(&self, accepted: Accepted, zh: impl AsRef<str>, en: impl AsRef<str>, more: serde_json::Value) {
        let last = accepted.seq + accepted.count - 1;
        if accepted.repeated {
            self.out.say(
                format!("此前已入账，记录 {last}，没有重复入账。"),
                format!("Posted before, as entry {last}; nothing was added."),
            );
        } else {
            self.out.say(format!("{}（记录 {last}）", zh.as_ref()), format!("{} (entry {last})", en.as_ref()));
        }
        let mut object = serde_json::json!({"entry": last, "entries": accepted.count, "repeated": accepted.repeated});
        if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
            object.extend(more.clone());
        }
        self.out.object(&object);
    }

    /// The amount that an entry states, or that it moved; empty where it moved none.
    pub(super) async fn amount_of(&self, seq: u64) -> Result<String, Failure> {
        let opened = self.open().await?;
        let bytes = opened.store.entry(opened.row.ledger_id, seq).await?;
        opened.store.close().await;
        let Some(entry) = bytes.as_deref().and_then(|bytes| Entry::parse(bytes).ok()) else { return Ok(String::new()) };
        if let Ok(amount) = Body(&entry.body).amount("amount") {
            return Ok(amount.to_string());
        }
        let of_line = |line: &str| LineName::parse(line).map(|name| name.unit);
        let Some(unit) = entry.post.first().and_then(|post| of_line(&post.line)) else { return Ok(String::new()) };
        let op = entry.post.first().map(|post| post.op.clone()).unwrap_or_default();
        let moved = entry.post.iter().filter(|post| post.op == op).map(|post| post.to - post.from).sum();
        Ok(format!("{} {unit}", format_minor(moved, unit)))
    }

    /// A random id with a prefix.
    pub(super) fn id(&self, prefix: &str) -> String {
        self.entropy.borrow_mut().id(prefix, 6)
    }

    /// Makes the receipt code of a gift, to be shown once, and closes the store.
    pub(super) async fn receipt_code(&self, opened: &Opened, seq: u64) -> Result<String, Failure> {
        let (code, hash) = self.code(opened);
        opened.store.put_code(opened.row.ledger_id, "receipt", hash, &seq.to_string()).await?;
        opened.store.close().await;
        Ok(code)
    }

    /// A code to be shown once, and its hash.
    pub(super) fn code(&self, opened: &Opened) -> (String, Hash) {
        let code = self.entropy.borrow_mut().code();
        let hash = opened.keys.vault.code_hash(&code);
        (code, hash)
    }
}
