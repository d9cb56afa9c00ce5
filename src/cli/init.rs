//! `init`: a new ledger, its keys, its first user.

use super::session::{Failure, Session};
use crate::app::folder::{OpenError, Opened};
use crate::app::public_text;
use crate::app::writer::{self, Submission};
use crate::domain::command::{OpenLedger, Order};
use crate::store::Store;
use crate::values::{Origin, StaffId};
use serde_json::json;

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
        });
        let results = handle.post(vec![Submission::bare(&user, order)]).await?;
        handle.finish().await?;
        Ok((results.into_iter().next().expect("one answer for one command")?, user))
    }
}
