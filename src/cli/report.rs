//! `report`: transparency reports as PDF.

use super::session::{Failure, Session};
use super::trouble_zh;
use crate::app::publish::{self, PublishError, PublishedFiles};
use crate::app::writer::chain;
use crate::values::CaseId;
use std::path::PathBuf;

/// Transparency reports
#[derive(Debug, clap::Subcommand)]
pub(super) enum Report {
    /// The report of a case, in Chinese and in English; publishes it
    Case {
        /// Which
        case: CaseId,
        /// Folder for the files; `reports` in the data folder where not given
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

impl Report {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let Self::Case { case, out } = self;
        let published = publish(session, case.as_str(), out).await?;
        session.out.say(
            if published.repeated {
                format!(
                    "报告 {} 此前已公布（记录 {}），内容没有变化，文件重新生成：",
                    published.number, published.entry
                )
            } else {
                format!("报告 {} 已公布（记录 {}）：", published.number, published.entry)
            },
            if published.repeated {
                format!(
                    "Report {} was published before (entry {}) and nothing has changed; its files:",
                    published.number, published.entry
                )
            } else {
                format!("Report {} is published (entry {}):", published.number, published.entry)
            },
        );
        for (path, _) in &published.files {
            session.out.say(format!("  {}", path.display()), format!("  {}", path.display()));
        }
        let files: Vec<_> = published
            .files
            .iter()
            .map(|(path, hash)| serde_json::json!({"path": path.display().to_string(), "sha256": hash.to_hex()}))
            .collect();
        session.out.object(&serde_json::json!({
            "files": files, "entry": published.entry, "number": published.number, "repeated": published.repeated,
        }));
        Ok(())
    }
}

/// Publishes; the demo does the same.
pub(super) async fn publish(session: &Session, case: &str, out: Option<PathBuf>) -> Result<PublishedFiles, Failure> {
    let out = out.unwrap_or_else(|| session.folder.path().join("reports"));
    // A report says that its figures can be proved: it is made of a ledger that holds, or not at all.
    if let Some(bad) = super::verify::verify(session).await?.first_bad {
        session.out.say(
            format!("报告没有生成：账本有问题，第一条有问题的记录是 {}。原因：{}", bad.seq, bad.reason),
            format!("No report was made: the ledger does not hold. The first bad entry is {}: {}", bad.seq, bad.reason),
        );
        session.out.object(&serde_json::json!({"ok": false, "first_bad": {"seq": bad.seq, "reason": bad.reason}}));
        return Err(Failure::NotOk);
    }
    let posting = session.begin().await?;
    let opened = session.open().await?;
    let published = publish::case(&opened, &posting.handle, &posting.by, case, &out).await;
    posting.handle.finish().await?;
    opened.store.close().await;
    published.map_err(|error| match error {
        PublishError::Refused(refusal) => refusal.into(),
        PublishError::Store(error) => error.into(),
        PublishError::Open(error) => error.into(),
        PublishError::Write(error) => error.into(),
        PublishError::File { ref path, ref source } => Failure::input(trouble_zh::file(path, source), chain(&error)),
        PublishError::Report(_) | PublishError::Checkpoint(_) => {
            Failure::input(format!("报告没有生成（{}）。没有发布。", chain(&error)), chain(&error))
        }
    })
}
