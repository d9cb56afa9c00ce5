//! `init`: a new ledger, its keys, its first user.

use super::session::{Failure, Session};
use super::trouble_zh;
use crate::app::folder::{Folder, OpenError};
use crate::app::opened::Opened;
use crate::app::public_text;
use crate::app::writer::{self, Submission};
use crate::domain::command::{OpenLedger, Order};
use crate::domain::organisation::Predecessor;
use crate::ledger::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint};
use crate::ledger::note::VerifierKey;
use crate::store::Store;
use crate::values::{Origin, StaffId};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Open a new ledger with its keys and its first user
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// Origin of the log, as charity.example/love; its last part names the ledger
    #[arg(long)]
    pub origin: Origin,
    /// Name of the organisation in Chinese
    #[arg(long)]
    pub name_zh: String,
    /// Name of the organisation in English
    #[arg(long)]
    pub name_en: String,
    /// Unified social credit code, 18 characters
    #[arg(long)]
    pub uscc: Option<String>,
    /// The last checkpoint of a ledger that cannot be had back, as keys/SLUG.signed: this one goes on from it
    #[arg(long, value_name = "FILE")]
    pub continues: Option<PathBuf>,
    /// Public key of that ledger, as in log.vkey; that of its keys in the data folder where not given
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse, requires = "continues")]
    pub continues_vkey: Option<VerifierKey>,
    /// Time zone that days are counted in
    #[arg(long, default_value = "Asia/Shanghai")]
    pub time_zone: String,
    /// Name of the first user, who becomes admin and clerk
    #[arg(long, default_value = "admin")]
    pub user: String,
}

impl Init {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (accepted, user) = self.open(session).await?;
        let object = json!({
            "entry": accepted.seq, "entries": accepted.count, "repeated": accepted.repeated,
            "origin": self.origin.as_str(), "user": user.as_str(),
        });
        session.told(
            &object,
            format!(
                "账本已开立：{}。第一个用户 {user}（管理员、经办）。密钥在 {}，请另存一份。",
                self.name_zh,
                session.folder.path().join("keys").display()
            ),
            format!(
                "The ledger of {} is open. First user {user} (admin, clerk). The keys are in {}: keep a copy elsewhere",
                self.name_en,
                session.folder.path().join("keys").display()
            ),
        );
        Ok(())
    }

    /// Makes the ledger; the demo does the same.
    pub(super) async fn open(&self, session: &Session) -> Result<(writer::Accepted, StaffId), Failure> {
        let folder = &session.folder;
        // Before anything is made: a ledger whose first entry is refused would be half a ledger.
        public_text::scan(&[("name_zh", &self.name_zh), ("name_en", &self.name_en)], None)?;
        if let Some(uscc) = self.uscc.as_deref().filter(|uscc| !crate::domain::organisation::is_uscc(uscc)) {
            return Err(Failure::input(
                format!("--uscc：“{uscc}”不是统一社会信用代码（18 位，最后一位是校验码）。请核对。"),
                format!(
                    "--uscc: “{uscc}” is not a unified social credit code (18 characters, the last one checks the others)"
                ),
            ));
        }
        crate::values::Zone::parse(&self.time_zone).map_err(|error| {
            Failure::input(
                format!("--time-zone：没有时区“{}”，请写成 Asia/Shanghai。", self.time_zone),
                format!("--time-zone: {error}"),
            )
        })?;
        let continues = self.continues.as_ref().map(|path| self.predecessor(path, folder)).transpose()?;
        folder.make()?;
        let lock = folder.lock().await?;
        let store = Store::create(folder.place()).await?;
        let slug = self.origin.slug();
        if store.ledgers().await?.iter().any(|row| row.slug == slug) {
            return Err(OpenError::LedgerExists { slug: slug.into() }.into());
        }
        // A crash between keys and row leaves keys that belong to no ledger; they are used when `init` runs again.
        let keys = match folder.keys(&self.origin) {
            Ok(keys) => keys,
            Err(_) => folder.make_keys(&self.origin, &mut session.entropy.borrow_mut())?,
        };
        // With these keys a log has been signed: a new one would be its second history.
        if let Some(signed) = folder.signed(&keys)? {
            return Err(OpenError::Behind {
                found: 0,
                signed: signed.checkpoint().size,
                path: folder.signed_file(slug),
            }
            .into());
        }
        let vkey = keys.log.verifier().to_string();
        store.create_ledger(self.origin.as_str(), slug).await?;
        let row = folder.find(&store, Some(slug)).await?;
        let user = StaffId::parse(&session.entropy.borrow_mut().id("u_", 6)).expect("random ids follow the grammar");
        store.put_staff(row.ledger_id, user.as_str(), &self.user).await?;
        for role in ["admin", "clerk"] {
            store.put_role(row.ledger_id, user.as_str(), role).await?;
        }
        let opened = Opened { folder: folder.clone(), store, row, keys };
        let handle = writer::start(opened, lock, session.clock, session.trust).await?;
        let order = Order::OpenLedger(OpenLedger {
            name_zh: crate::values::text::nfc(&self.name_zh),
            name_en: crate::values::text::nfc(&self.name_en),
            uscc: self.uscc.clone(),
            time_zone: self.time_zone.clone(),
            vkey,
            continues,
        });
        let results = handle.post(vec![Submission::bare(&user, order)]).await?;
        handle.finish().await?;
        Ok((results.into_iter().next().expect("one answer for one command")?, user))
    }

    /// The ledger that this one goes on from, as its own key has signed it.
    fn predecessor(&self, path: &Path, folder: &Folder) -> Result<Predecessor, Failure> {
        let file = path.display();
        let note = fs::read(path)
            .map_err(|error| Failure::input(trouble_zh::file(path, &error), format!("{file}: {error}")))?;
        let none = |error: CheckpointError| {
            Failure::input(
                format!("--continues：{file} 不是检查点，或不是用这把公钥签名的。"),
                format!("--continues: {file}: {error}"),
            )
        };
        let said = Checkpoint::of_note(&note).map_err(none)?;
        let origin = Origin::parse(&said.origin).map_err(|error| {
            Failure::input(
                format!("--continues：{file} 里的账本名 {} 不合规则。", said.origin),
                format!("--continues: {file}: {error}"),
            )
        })?;
        if origin == self.origin {
            return Err(Failure::input(
                format!("--continues：{origin} 不能接续自己，请给新账本另取名（--origin）。"),
                format!("--continues: {origin} cannot go on from itself; give the new ledger another --origin"),
            ));
        }
        let key = match &self.continues_vkey {
            Some(key) => key.clone(),
            None => folder.keys(&origin)?.log.verifier(),
        };
        let signed = VerifiedCheckpoint::open(&note, &key).map_err(none)?;
        let Checkpoint { size, root, .. } = signed.checkpoint().clone();
        Ok(Predecessor { origin, size, root })
    }
}
