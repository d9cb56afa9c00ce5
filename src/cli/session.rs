//! One run of the command line against one data folder: who acts, how commands are posted, how trouble is told.

use super::out::Out;
use super::service::Service;
use super::trouble_zh;
use crate::app::folder::{Folder, OpenError};
use crate::app::opened::Opened;
use crate::app::overview::moved_by;
use crate::app::writer::{self, ClockTrust, Handle, WriteError};
use crate::clock::Clock;
use crate::config::{Lang, Settings};
use crate::domain::refusal::Refusal;
use crate::entropy::Entropy;
use crate::ledger::entry::Entry;
use crate::store::StoreError;
use crate::values::{Hash, StaffId};
use serde_json::Value;
use std::cell::RefCell;
use std::sync::Arc;
use tokio::sync::Mutex;

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
    /// What the interface refuses, in its words.
    #[error("{en}")]
    Told {
        /// Exit code.
        exit: u8,
        /// Stable word for the kind.
        code: String,
        /// The field that it is about.
        path: String,
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
    /// A server does not answer as it should.
    #[error("the server: {0}")]
    Server(String),
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
            Self::Open(_) | Self::Store(_) | Self::Write(_) | Self::Server(_) => 4,
            Self::Input { .. } => 5,
            Self::Told { exit, .. } => *exit,
        }
    }

    /// The text for a person.
    pub(super) fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::NotOk, _) => String::new(),
            (Self::Refused(refusal), Lang::Zh) => refusal.zh(),
            (Self::Input { zh, .. } | Self::Told { zh, .. }, Lang::Zh) => zh.clone(),
            (Self::Input { en, .. } | Self::Told { en, .. }, Lang::En) => en.clone(),
            (Self::Server(what), Lang::Zh) => format!("服务器没有正常回答：{what}。请核对地址，稍后再试。"),
            (Self::Server(what), Lang::En) => {
                format!("the server did not answer as it should: {what}. Check its address, and try again later")
            }
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
            Self::Server(_) => ("server", String::new()),
            Self::Told { code, path, .. } => (code.as_str(), path.clone()),
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
    /// The server that carries commands out, with a token for it.
    pub server: Option<(String, String)>,
    /// What the file of settings says.
    pub settings: Settings,
    /// Settings that stand on the command line.
    pub flags: Vec<(&'static str, String)>,
    /// Who carries commands out, once something has been asked.
    pub service: Mutex<Option<Arc<Service>>>,
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
        let handle = writer::rehearse(opened, Some(lock), self.clock, self.trust).await?;
        Ok(Posting { handle, by })
    }

    /// Tells what was posted: a sentence, or the answer as it came.
    pub(super) fn told(&self, answer: &Value, zh: impl AsRef<str>, en: impl AsRef<str>) {
        let entry = &answer["entry"];
        if answer["repeated"] == true {
            self.out.say(
                format!("此前已入账，记录 {entry}，没有重复入账。"),
                format!("Posted before, as entry {entry}; nothing was added."),
            );
        } else {
            self.out.say(format!("{}（记录 {entry}）", zh.as_ref()), format!("{} (entry {entry})", en.as_ref()));
        }
        self.out.object(answer);
    }

    /// The amount that the entry of an answer states, or that it moved; empty where it moved none.
    pub(super) async fn amount_of(&self, answer: &Value) -> Result<String, Failure> {
        let bytes = self.download(&format!("/entries/{}", answer["entry"])).await?;
        let Ok(entry) = Entry::parse(&bytes) else { return Ok(String::new()) };
        Ok(moved_by(&entry).map(|amount| amount.to_string()).unwrap_or_default())
    }

    /// What only works on a data folder says so where a server is asked.
    pub(super) fn only_here(&self, command: &str) -> Result<(), Failure> {
        match self.server {
            None => Ok(()),
            Some(_) => Err(Failure::input(
                format!("mingzhang {command} 只能在数据文件夹上运行，请去掉 --server。"),
                format!("`mingzhang {command}` works on a data folder only: leave out --server"),
            )),
        }
    }

    /// A code to be shown once, and its hash.
    pub(super) fn code(&self, opened: &Opened) -> (String, Hash) {
        let code = self.entropy.borrow_mut().code();
        let hash = opened.keys.vault.code_hash(&code);
        (code, hash)
    }
}
