//! `copy`, `backup`, `restore`: the same ledger in another place.

use super::session::{Failure, Session};
use super::trouble_zh;
use super::verify::progress_bar;
use crate::app::backup::{self, BackupError};
use crate::app::copy::{self, Beside, CopyError, Keys};
use crate::app::folder::{Folder, origin_of};
use crate::app::writer::chain;
use crate::store::{Place, Store};
use std::path::PathBuf;

const BAR: &str = "{bar:40} {pos}/{len} {eta}";

/// Copy the ledger to another data folder or database, entry by entry, each verified; run again, it goes on where it stopped
#[derive(Debug, clap::Args)]
pub(super) struct Copy {
    /// From this data folder or postgres://… URL; from that of --data and --database where not given
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// To this data folder or postgres://… URL
    #[arg(long, value_name = "PLACE")]
    to: String,
}

/// Back the ledger up while it is in use: one file without the keys of persons, and those in a file of their own
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// Folder for the backup; one that holds an earlier backup is brought up to date
    dir: PathBuf,
    /// File for the keys of persons, to be kept apart and not as long: whoever is erased is erased there too
    #[arg(long, value_name = "FILE")]
    person_keys: PathBuf,
}

/// Restore a backup into an empty data folder that holds the ledger's keys, and hold it against the last known checkpoint
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// Folder of the backup
    dir: PathBuf,
    /// File with the keys of persons; without it their records stay shut
    #[arg(long, value_name = "FILE")]
    person_keys: Option<PathBuf>,
    /// The last known checkpoint; keys/SLUG.signed of the data folder where not given
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Only the first so many entries
    #[arg(long, value_name = "COUNT")]
    entries: Option<u64>,
}

/// A place as it is given on the command line.
fn folder_at(text: &str, session: &Session) -> Result<Folder, Failure> {
    match text.parse::<Place>() {
        Ok(place) => Ok(Folder::new(session.folder.path()).with_database(place)),
        // It may hold a password, so it is not repeated.
        Err(error) if text.contains(":/") => Err(Failure::input(
            "数据库请写成 postgres://用户:密码@主机:端口/库名；要写文件夹，名称里不要有 :/。",
            error.to_string(),
        )),
        Err(_) => Ok(Folder::new(text)),
    }
}

impl Copy {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let from = self.from.as_ref().map_or_else(|| Ok(session.folder.clone()), |from| folder_at(from, session))?;
        let to = folder_at(&self.to, session)?;
        let source = Store::open_for_reading(from.place()).await?;
        let row = from.find(&source, session.ledger.as_deref()).await?;
        to.make()?;
        take_keys(&from, &to, &row.slug)?;
        // On a server the head row is the lock.
        let _lock = if to.place().is_shared() { None } else { Some(to.lock().await?) };
        let target = Store::create(to.place()).await?;
        let bar = progress_bar(row.size, BAR);
        let told = |done, _| bar.set_position(done);
        let copied = copy::copy(&source, &row, &target, None, Keys::Stay, Beside::Kept, told).await;
        bar.finish_and_clear();
        let copied = copied.map_err(BackupError::from)?;
        target.settle().await?;
        let (place, root) = (to.place(), copied.root.short());
        session.out.say(
            format!("已复制到 {place}：{} 条记录，其中本次 {} 条，根 {root}…。", copied.entries, copied.fresh),
            format!("Copied to {place}: {} entries, {} of them now, root {root}…", copied.entries, copied.fresh),
        );
        if copied.was_whole {
            session.out.say(
                "目标原已完整：那里的用户、角色和令牌保持不变。",
                "It was whole before: users, roles and tokens there stay as they are",
            );
        }
        let has_keys = to.keys(&origin_of(&row)?).is_ok();
        if !has_keys {
            let keys = to.path().join("keys");
            session.out.say(
                format!("{} 里没有这个账本的密钥：能核对，不能入账。请把密钥放进去。", keys.display()),
                format!("{} does not hold the keys of this ledger: the copy can be verified, but nothing can be posted on it. Put them there", keys.display()),
            );
        }
        session.out.object(&serde_json::json!({
            "entries": copied.entries, "fresh": copied.fresh, "root": copied.root.to_hex(), "to": place.to_string(),
            "keys": has_keys,
        }));
        Ok(())
    }
}

/// Copies key files that the other folder does not have.
fn take_keys(from: &Folder, to: &Folder, slug: &str) -> Result<(), Failure> {
    for extension in ["key", "next", "vault", "signed"] {
        let name = format!("keys/{slug}.{extension}");
        let (file, copy) = (from.path().join(&name), to.path().join(&name));
        if file.exists() && !copy.exists() {
            std::fs::copy(&file, &copy).map_err(|error| {
                Failure::input(trouble_zh::file(&copy, &error), format!("{}: {error}", copy.display()))
            })?;
        }
    }
    Ok(())
}

impl Backup {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let opened = session.open().await?;
        let bar = progress_bar(opened.row.size, BAR);
        let copied = backup::backup(&opened, &self.dir, &self.person_keys, |done, _| bar.set_position(done)).await;
        bar.finish_and_clear();
        let copied = copied?;
        let (dir, keys, root) = (self.dir.display(), self.person_keys.display(), copied.root.short());
        session.out.say(
            format!(
                "已备份到 {dir}：{} 条记录，其中本次 {} 条，根 {root}…。捐赠人的密钥在 {keys}，请与备份分开保管；账本的密钥（keys）请另存一份。",
                copied.entries, copied.fresh
            ),
            format!(
                "Backed up to {dir}: {} entries, {} of them now, root {root}…. The keys of persons are in {keys}: keep them apart from the backup, and the ledger's own keys in a third place",
                copied.entries, copied.fresh
            ),
        );
        session.out.object(&serde_json::json!({
            "entries": copied.entries, "fresh": copied.fresh, "root": copied.root.to_hex(), "dir": dir.to_string(),
            "person_keys": keys.to_string(),
        }));
        Ok(())
    }
}

impl Restore {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let bar = progress_bar(0, BAR);
        let restored = backup::restore(
            &self.dir,
            session.ledger.as_deref(),
            &session.folder,
            self.person_keys.as_deref(),
            self.checkpoint.as_deref(),
            self.entries,
            |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            },
        );
        let restored = restored.await;
        bar.finish_and_clear();
        let restored = restored?;
        let (entries, root) = (restored.copied.entries, restored.copied.root.short());
        session.out.say(
            format!("已恢复 {entries} 条记录，根 {root}…。请运行 mingzhang verify 核对。"),
            format!("Restored {entries} entries, root {root}…. Run `mingzhang verify` on it"),
        );
        if let Some(signed) = restored.signed {
            session.out.say(
                format!("已经签名到第 {signed} 条记录，恢复的账本较旧：补齐之前不能入账，以免签出第二份历史。请用 mingzhang copy 从较新的副本补齐。"),
                format!("{signed} entries have been signed, and this is older: nothing is posted before it has caught up, or a second history would be signed. Catch up with `mingzhang copy` from a newer copy"),
            );
        }
        session.out.object(&serde_json::json!({
            "entries": entries, "root": restored.copied.root.to_hex(), "behind": restored.signed,
        }));
        Ok(())
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let text = chain(&error);
        match error {
            BackupError::Store(error) => error.into(),
            BackupError::Open(error) => error.into(),
            BackupError::Copy(CopyError::Store(error)) => error.into(),
            BackupError::Copy(CopyError::Bad(bad)) => {
                Self::input(format!("源账本的记录 {} 有问题，没有继续：{}", bad.seq, bad.reason), text)
            }
            BackupError::Copy(CopyError::Same) => Self::input("来源和目标是同一个账本，没有改动。", text),
            BackupError::Copy(CopyError::Differs(seq)) => {
                Self::input(format!("目标从记录 {seq} 起是另一份历史，没有改动它。"), text)
            }
            BackupError::Copy(CopyError::Ahead { target, size }) => Self::input(
                format!("目标更新：同一份历史，它有 {target} 条记录，这里只有 {size} 条。没有改动它。"),
                text,
            ),
            BackupError::Copy(CopyError::Taken { slug, origin }) => {
                Self::input(format!("目标里已有另一个叫 {slug} 的账本：{origin}。没有改动它，请复制到别处。"), text)
            }
            BackupError::Copy(CopyError::Contended) => {
                Self::input("另有一次复制或一台服务器正在向目标写入这个账本。请等它完成，再运行一次。", text)
            }
            BackupError::Copy(CopyError::Short { size, until }) => {
                Self::input(format!("来源只有 {size} 条记录，没有 {until} 条。没有复制。"), text)
            }
            BackupError::File { path, source, .. } => Self::input(trouble_zh::file(&path, &source), text),
            BackupError::NoKeys { path, line, origin } => {
                Self::input(format!("{} 第 {line} 行：不是 {origin} 的捐赠人密钥，或不完整。", path.display()), text)
            }
            BackupError::Checkpoint { path, .. } => Self::input(
                format!(
                    "{} 不是 keys 里的密钥签过的检查点；备份以后更换过密钥的，请用 --checkpoint 给出更换以后的一个。",
                    path.display()
                ),
                text,
            ),
            BackupError::NoBackup { path } => {
                Self::input(format!("{} 里没有备份：备份里应有 mingzhang.db。", path.display()), text)
            }
            BackupError::OtherHistory(size) => {
                Self::input(format!("备份与签名到第 {size} 条记录的历史不符，没有恢复。"), text)
            }
            BackupError::Exists { place } => {
                Self::input(format!("{place} 里已经有这个账本。请恢复到别处，或先把它移开。"), text)
            }
        }
    }
}
