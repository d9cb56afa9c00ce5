//! `verify`, `rebuild`, `export`.

use super::out::is_watched;
use super::session::{Failure, Session};
use crate::app;
use crate::app::verify::Verdict;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

/// Check every entry, and everything derived from them
#[derive(Debug, clap::Args)]
pub(super) struct Verify {}

/// Replay all entries and write everything derived from them anew
#[derive(Debug, clap::Args)]
pub(super) struct Rebuild {}

/// Write the log as plain files that anybody can verify
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The folder to write into
    dir: PathBuf,
    /// As tiles, for any web server: the log as it was last signed; run again, it writes only what is new
    #[arg(long = "static")]
    tiles: bool,
}

/// A bar on the error channel, where a person watches.
pub(super) fn progress_bar(total: u64, template: &'static str) -> ProgressBar {
    if !is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).expect("the template is right");
    ProgressBar::new(total).with_style(style)
}

impl Verify {
    /// Runs it. The object of the verdict is always printed.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let verdict = verify(session).await?;
        let ok = verdict.first_bad.is_none();
        let mut object = serde_json::json!({"ok": ok, "entries": verdict.entries, "root": verdict.root.to_hex()});
        match &verdict.first_bad {
            None => session.out.say(
                format!(
                    "账本完好：{} 条记录，根 {}…，{} 笔捐赠的承诺与保险库一致。",
                    verdict.entries,
                    verdict.root.short(),
                    verdict.opened
                ),
                format!(
                    "The ledger holds: {} entries, root {}…, {} gifts agree with the vault",
                    verdict.entries,
                    verdict.root.short(),
                    verdict.opened
                ),
            ),
            Some(bad) => {
                object["first_bad"] = serde_json::json!({"seq": bad.seq, "reason": bad.reason});
                session.out.say(
                    format!("账本有问题：第一条有问题的记录是 {}。原因：{}", bad.seq, bad.reason),
                    format!("The ledger does not hold. The first bad entry is {}: {}", bad.seq, bad.reason),
                );
            }
        }
        if verdict.shut > 0 {
            object["shut"] = verdict.shut.into();
            session.out.warn(
                format!("注意：{} 条加密记录没有密钥，无法打开：已删除，或另行保管。", verdict.shut),
                format!("Note: {} sealed records have no key here: it was erased, or is kept apart", verdict.shut),
            );
        }
        if let Some(why) = &verdict.without_keys {
            object["without_keys"] = why.clone().into();
            session.out.warn(
                format!("注意：读不到密钥（{why}），签名和保密库里的记录没有核对。"),
                format!("Note: the keys could not be read ({why}); signatures and sealed records were not checked"),
            );
        }
        session.out.always(&object);
        if ok { Ok(()) } else { Err(Failure::NotOk) }
    }
}

/// Verifies the ledger, with a bar.
pub(super) async fn verify(session: &Session) -> Result<Verdict, Failure> {
    let bar = progress_bar(0, "{bar:30} {pos}/{len}  {eta}");
    let verdict = app::verify::verify(&session.folder, session.ledger.as_deref(), |done, of| {
        bar.set_length(if of == u64::MAX { done } else { of });
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    Ok(verdict)
}

impl Rebuild {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let done = app::rebuild::rebuild(&session.folder, session.ledger.as_deref()).await?;
        match done {
            Ok(rebuilt) => {
                let differed =
                    rebuilt.differed.as_ref().map(|bad| serde_json::json!({"seq": bad.seq, "reason": bad.reason}));
                let told = rebuilt.differed.map_or_else(
                    || session.out.pick("与原来一致".to_owned(), "it was as stored".to_owned()),
                    |bad| session.out.pick(format!("原来有差异：{bad}"), format!("it differed before: {bad}")),
                );
                session.out.say(
                    format!("已由 {} 条记录重建全部派生数据；{told}。", rebuilt.entries),
                    format!("Everything derived was written anew from {} entries; {told}", rebuilt.entries),
                );
                session.out.object(&serde_json::json!({"ok": true, "entries": rebuilt.entries, "differed": differed}));
                Ok(())
            }
            Err(bad) => {
                session.out.say(format!("不能重建：{bad}"), format!("It cannot be rebuilt: {bad}"));
                session
                    .out
                    .object(&serde_json::json!({"ok": false, "first_bad": {"seq": bad.seq, "reason": bad.reason}}));
                Err(Failure::NotOk)
            }
        }
    }
}

impl Export {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let slug = session.ledger.as_deref();
        let (exported, files) = if self.tiles {
            let bar = progress_bar(0, "{bar:40} {pos}/{len} {eta}");
            let exported = app::export::export_static(&session.folder, slug, &self.dir, |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            });
            let exported = exported.await;
            bar.finish_and_clear();
            (exported?, "tile, checkpoint, checkpoints, log.vkey")
        } else {
            let exported = app::export::export(&session.folder, slug, &self.dir).await?;
            (exported, "entries.jsonl, checkpoint, log.vkey")
        };
        session.out.say(
            format!("已导出 {} 条记录到 {}（{files}）。", exported.entries, exported.path.display()),
            format!("{} entries were written to {} ({files})", exported.entries, exported.path.display()),
        );
        session
            .out
            .object(&serde_json::json!({"entries": exported.entries, "path": exported.path.display().to_string()}));
        Ok(())
    }
}
