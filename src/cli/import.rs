//! `import`: a statement of gifts into a fund.

use super::session::{Failure, Session};
use super::trouble_zh;
use super::verify::progress_bar;
use crate::app::import::{self, Import, ImportFailure, Imported, Mode};
use crate::app::writer::chain;
use crate::entropy::Entropy;
use crate::exchange::import::{FormatName, Mapping, Options};
use crate::values::amount::format_minor;
use crate::values::{AccountId, Day, FundId};
use std::io;
use std::path::{Path, PathBuf};

/// Import a statement of gifts (CSV, CSV in gzip, XLSX)
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The statement
    file: PathBuf,
    /// Into this fund
    #[arg(long)]
    fund: FundId,
    /// To this account; the one named after the format where not given
    #[arg(long)]
    account: Option<AccountId>,
    /// wechat, wechat-merchant, alipay, alipay-merchant, vietcombank, agribank, vietinbank, hubei-redcross, wuhan-qrpos or wuhan-list; recognised where not given
    #[arg(long)]
    format: Option<FormatName>,
    /// How to read a file of no known format (see docs/import.md)
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Day of the gifts in a list that states none
    #[arg(long)]
    on: Option<Day>,
    /// Show the control totals and post nothing
    #[arg(long)]
    dry_run: bool,
}

impl ImportArgs {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mapping = match &self.mapping {
            None => None,
            Some(path) => {
                let text = read_small(path).map_err(|error| {
                    Failure::input(trouble_zh::file(path, &error), format!("{}: {error}", path.display()))
                })?;
                let mapping = Mapping::parse(&text).map_err(|error| {
                    Failure::input(
                        format!("{}：{}。", path.display(), error.zh()),
                        format!("{}: {}", path.display(), chain(&error)),
                    )
                })?;
                Some(mapping)
            }
        };
        let file_name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let order = Import {
            path: self.file.clone(),
            fund: self.fund.clone(),
            account: self.account,
            options: Options { format: self.format, mapping, default_day: self.on, file_name },
            mode: if self.dry_run { Mode::DryRun } else { Mode::Post },
            fallback: session.folder.path().join("imports"),
        };
        let known = session.objects("fund").await?;
        if !known.iter().any(|fund| fund["fund"] == self.fund.as_str()) {
            return Err(crate::domain::refusal::Refusal::Unknown { what: "fund", name: self.fund.to_string() }.into());
        }
        let opened = session.open().await?;
        let (origin, size) = (opened.row.origin.clone(), opened.row.size);
        opened.store.close().await;
        let posting = if self.dry_run { session.rehearse().await? } else { session.begin().await? };
        let bar = progress_bar(0, "{bar:30} {percent}%  {msg}  {eta}");
        let mut entropy = Entropy::new();
        let imported = import::import(order, &origin, &posting.by, &posting.handle, &mut entropy, |read, of, rows| {
            bar.set_length(of);
            bar.set_position(read);
            bar.set_message(rows.to_string());
        })
        .await;
        bar.finish_and_clear();
        // What was accepted before a failure stays, and is signed.
        let signed = posting.handle.finish().await;
        let imported = imported.map_err(failure)?;
        signed?;
        tell(session, &imported, self.dry_run.then_some(size));
        Ok(())
    }
}

/// A file of a person's own hand: no device, and never large.
fn read_small(path: &Path) -> io::Result<String> {
    const MAX: u64 = 1 << 20;
    let meta = std::fs::metadata(path)?;
    if !meta.is_dir() && (!meta.is_file() || meta.len() > MAX) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file of at most 1 MiB"));
    }
    std::fs::read_to_string(path)
}

fn failure(error: ImportFailure) -> Failure {
    match error {
        ImportFailure::Refused(refusal) => refusal.into(),
        ImportFailure::Write(error) => error.into(),
        ImportFailure::File { ref path, ref source, .. } => {
            Failure::input(trouble_zh::file(path, source), chain(&error))
        }
        ImportFailure::Statement { ref path, ref source } => {
            Failure::input(format!("{}：{}", path.display(), source.zh()), chain(&error))
        }
    }
}

/// `rehearsed_from` is the size of the ledger where nothing was posted.
fn tell(session: &Session, imported: &Imported, rehearsed_from: Option<u64>) {
    let out = &session.out;
    let dry_run = rehearsed_from.is_some();
    let (unit, total) = imported.total;
    let figure = format_minor(total, unit);
    out.say(
        format!("格式：{}（{}），账户 {}", imported.format.zh(), imported.format, imported.account),
        format!("Format {}, account {}", imported.format, imported.account),
    );
    for notice in &imported.notices {
        out.say(format!("注意：{}", notice.zh()), format!("Note: {notice}"));
    }
    let rows: Vec<Vec<String>> = [
        (out.pick("捐赠", "gifts"), imported.accepted),
        (out.pick("重复", "duplicates"), imported.duplicates),
        (out.pick("退款，已办理", "refunds, posted"), imported.refunds_posted),
        (out.pick("退款，未办理", "refunds, handed back"), imported.refunds - imported.refunds_posted),
        (out.pick("不是捐赠", "no gifts"), imported.other),
        (out.pick("其余未入账，已交还", "other rows, handed back"), imported.rejected),
        (out.pick("合计行数", "rows"), imported.rows),
    ]
    .iter()
    .map(|(what, count)| vec![(*what).to_owned(), count.to_string()])
    .collect();
    out.table(&[("", false), (out.pick("行数", "rows"), true)], &rows);
    let verb = if dry_run { ("如果入账：", "Would be posted:") } else { ("已入账", "Posted:") };
    out.say(
        format!("{} {} 笔，合计 {figure} {unit}", verb.0, imported.accepted),
        format!("{} {} gifts, {figure} {unit}", verb.1, imported.accepted),
    );
    for (line, twin) in &imported.twins {
        if rehearsed_from.is_some_and(|size| *twin >= size) {
            out.say(
                format!("第 {line} 行重复：与本文件前面的一行是同一笔"),
                format!("Line {line} is a duplicate of an earlier line of this file"),
            );
        } else {
            out.say(
                format!("第 {line} 行重复：已在记录 {twin}"),
                format!("Line {line} is a duplicate of entry {twin}"),
            );
        }
    }
    for (line, why) in &imported.others {
        out.say(format!("第 {line} 行不是捐赠：{}", why.zh()), format!("Line {line} is no gift: {}", why.en()));
    }
    for (zh, en) in &imported.complaints {
        out.say(zh, en);
    }
    for control in &imported.controls {
        out.say(control.zh(), control.to_string());
    }
    for file in &imported.files {
        out.say(format!("明细：{}", file.display()), format!("Rows: {}", file.display()));
    }
    let controls: Vec<serde_json::Value> = imported
        .controls
        .iter()
        .map(|control| {
            serde_json::json!({
                "what": format!("{:?}", control.what), "line": control.line, "stated": control.stated, "found": control.found,
                "unit": control.unit.map(|unit| unit.to_string()), "agrees": control.agrees,
            })
        })
        .collect();
    out.object(&serde_json::json!({
        "rows": imported.rows, "accepted": imported.accepted, "duplicates": imported.duplicates, "refunds": imported.refunds,
        "other": imported.other, "rejected": imported.rejected, "totals": {unit.to_string(): total},
        "refunds_posted": imported.refunds_posted, "format": imported.format.as_str(), "account": imported.account.as_str(),
        "twins": imported.twins.iter().map(|(line, seq)| serde_json::json!({"line": line, "seq": seq})).collect::<Vec<_>>(),
        "others": imported.others.iter().map(|(line, why)| serde_json::json!({"line": line, "why": why.code()})).collect::<Vec<_>>(),
        "complaints": imported.complaints.iter().map(|(zh, en)| out.pick(zh, en)).collect::<Vec<_>>(),
        "controls": controls, "files": imported.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "dry_run": dry_run, "entry": imported.entry,
    }));
}
