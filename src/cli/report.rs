//! `report`: transparency reports as PDF.

use super::account::text;
use super::session::{Failure, Session};
use super::trouble_zh;
use crate::values::CaseId;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Transparency reports
#[derive(Debug, clap::Subcommand)]
pub(super) enum Report {
    /// All published reports
    List,
    /// The report of a case, in Chinese and in English; publishes it
    Case {
        /// Which
        case: CaseId,
        /// Folder for the files; `reports` in the data folder where not given
        #[arg(long)]
        out: Option<PathBuf>,
        /// The entry of a published report that was wrong: the new one takes its place as its next version
        #[arg(long, value_name = "ENTRY", requires = "note")]
        corrects: Option<u64>,
        /// What was wrong, for everybody to read
        #[arg(long, requires = "corrects")]
        note: Option<String>,
    },
}

impl Report {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (case, out, corrects, note) = match self {
            Self::List => return list(session).await,
            Self::Case { case, out, corrects, note } => (case, out, corrects, note),
        };
        let body = json!({"corrects": corrects, "note": note});
        let answer = publish(session, case.as_str(), out.as_deref(), body).await?;
        let (number, entry) = (text(&answer, "number"), &answer["entry"]);
        if answer["repeated"] == true {
            session.out.say(
                format!("报告 {number} 此前已公布（记录 {entry}），内容没有变化，文件重新生成："),
                format!("Report {number} was published before (entry {entry}) and nothing has changed; its files:"),
            );
        } else {
            session.out.say(
                format!("报告 {number} 已公布（记录 {entry}）："),
                format!("Report {number} is published (entry {entry}):"),
            );
        }
        say_files(session, &answer);
        session.out.object(&answer);
        Ok(())
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let reports = session.list("reports").await?;
    let newest = |known: &Value| {
        let same = reports.iter().filter(|other| other["report"] == known["report"]);
        same.map(|other| other["version"].as_u64()).max() == Some(known["version"].as_u64())
    };
    let state = |known: &Value| match known["corrected"]["note"].as_str() {
        Some(note) => session.out.pick(format!("已更正：{note}"), format!("corrected: {note}")),
        None if newest(known) => session.out.pick("现行", "current").to_owned(),
        None => session.out.pick("已有新版", "a newer version is out").to_owned(),
    };
    let row = |known: &Value| {
        let number = format!("{}-v{}", text(known, "report"), known["version"]);
        vec![known["seq"].to_string(), number, text(known, "case"), state(known)]
    };
    let rows: Vec<Vec<String>> = reports.iter().map(row).collect();
    let heads = session.out.pick(
        [("记录", true), ("报告", false), ("个案", false), ("状态", false)],
        [("entry", true), ("report", false), ("case", false), ("state", false)],
    );
    session.out.table(&heads, &rows);
    session.out.object(&json!({"reports": reports}));
    Ok(())
}

/// Says where the files are.
pub(super) fn say_files(session: &Session, answer: &Value) {
    for file in answer["files"].as_array().into_iter().flatten() {
        let line = format!("  {}", text(file, "path"));
        session.out.say(&line, &line);
    }
}

/// Publishes, and puts the files where they are wanted: into `reports` in the data folder, or, where a server was asked, here.
pub(super) async fn publish(session: &Session, case: &str, out: Option<&Path>, body: Value) -> Result<Value, Failure> {
    let mut answer = session.send(format!("/cases/{case}/reports"), body).await?;
    let own = session.folder.path().join("reports");
    let wanted = out.unwrap_or(if session.server.is_some() { Path::new("reports") } else { &own });
    let failed = |error: std::io::Error| {
        Failure::input(trouble_zh::file(wanted, &error), format!("{}: {error}", wanted.display()))
    };
    for file in answer["files"].as_array_mut().into_iter().flatten() {
        let path = wanted.join(text(file, "name"));
        if session.server.is_some() || wanted != own {
            let bytes = session.download(&text(file, "path")).await?;
            std::fs::create_dir_all(wanted).and_then(|()| std::fs::write(&path, bytes)).map_err(failed)?;
        }
        file["path"] = path.display().to_string().into();
    }
    Ok(answer)
}
