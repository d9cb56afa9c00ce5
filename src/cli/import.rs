//! `import`: a statement of gifts into a fund.

use super::account::{shown, text};
use super::session::{Failure, Session};
use super::trouble_zh;
use super::verify::progress_bar;
use crate::app::import::{self, Import, ImportFailure, Mode};
use crate::app::writer::chain;
use crate::entropy::Entropy;
use crate::exchange::import::{FormatName, Mapping, Options};
use crate::values::amount::format_minor;
use crate::values::{AccountId, Day, FundId, Unit};
use crate::web::api::document;
use serde_json::Value;
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
        if session.server.is_some() {
            return self.by_server(session).await;
        }
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
        let beside = self.file.parent().unwrap_or(&self.file).to_owned();
        let order = Import {
            path: self.file.clone(),
            fund: self.fund.clone(),
            account: self.account,
            options: Options { format: self.format, mapping, default_day: self.on, file_name },
            mode: if self.dry_run { Mode::DryRun } else { Mode::Post },
            hand_back: vec![beside, session.folder.path().join("imports")],
        };
        let known = session.list("funds").await?;
        if !known.iter().any(|fund| fund["fund"] == self.fund.as_str()) {
            return Err(crate::domain::refusal::Refusal::Unknown { what: "fund", name: self.fund.to_string() }.into());
        }
        session.end().await;
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
        tell(session, &document::imported(&imported, size, self.dry_run));
        Ok(())
    }

    /// Sends the statement to the server, and puts what it hands back beside the statement.
    async fn by_server(self, session: &Session) -> Result<(), Failure> {
        let failed = |path: &Path, error: &io::Error| {
            Failure::input(trouble_zh::file(path, error), format!("{}: {error}", path.display()))
        };
        let bytes = std::fs::read(&self.file).map_err(|error| failed(&self.file, &error))?;
        let mapping = self.mapping.as_deref().map(|path| read_small(path).map_err(|error| failed(path, &error)));
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let asked = [
            ("name", Some(name)),
            ("fund", Some(self.fund.to_string())),
            ("account", shown(self.account)),
            ("format", shown(self.format)),
            ("on", shown(self.on)),
            ("mapping", mapping.transpose()?),
            ("dry_run", Some(self.dry_run.to_string())),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(asked.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        let sent = session.upload(format!("/imports?{}", query.finish()), bytes).await;
        if let Err(Failure::Told { code, zh, en, .. }) = &sent
            && code == "statement"
        {
            let path = self.file.display();
            return Err(Failure::input(format!("{path}：{zh}"), format!("{path}: {en}")));
        }
        let mut imported = sent?;
        for file in imported["files"].as_array_mut().into_iter().flatten() {
            let source = file.as_str().unwrap_or_default().to_owned();
            let path = self.file.with_file_name(source.rsplit('/').next().unwrap_or_default());
            let bytes = session.download(&source).await?;
            std::fs::write(&path, bytes).map_err(|error| failed(&path, &error))?;
            *file = path.display().to_string().into();
        }
        tell(session, &imported);
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

fn tell(session: &Session, imported: &Value) {
    let out = &session.out;
    if out.json {
        return out.object(imported);
    }
    let count = |member: &str| imported[member].as_u64().unwrap_or(0);
    let both = |value: &Value| out.say(text(value, "zh"), text(value, "en"));
    let list = |member: &str| imported[member].as_array().into_iter().flatten();
    let (format, account) = (text(imported, "format"), text(imported, "account"));
    out.say(
        format!("格式：{}（{format}），账户 {account}", text(imported, "format_zh")),
        format!("Format {format}, account {account}"),
    );
    for notice in list("notices") {
        out.say(format!("注意：{}", text(notice, "zh")), format!("Note: {}", text(notice, "en")));
    }
    let rows: Vec<Vec<String>> = [
        (out.pick("捐赠", "gifts"), count("accepted")),
        (out.pick("重复", "duplicates"), count("duplicates")),
        (out.pick("退款，已办理", "refunds, posted"), count("refunds_posted")),
        (out.pick("退款，未办理", "refunds, handed back"), count("refunds") - count("refunds_posted")),
        (out.pick("不是捐赠", "no gifts"), count("other")),
        (out.pick("其余未入账，已交还", "other rows, handed back"), count("rejected")),
        (out.pick("合计行数", "rows"), count("rows")),
    ]
    .iter()
    .map(|(what, count)| vec![(*what).to_owned(), count.to_string()])
    .collect();
    out.table(&[("", false), (out.pick("行数", "rows"), true)], &rows);
    let verb =
        if imported["dry_run"] == true { ("如果入账：", "Would be posted:") } else { ("已入账", "Posted:") };
    for (unit, total) in imported["totals"].as_object().into_iter().flatten() {
        let figure = format_minor(total.as_i64().unwrap_or(0), unit.parse().unwrap_or(Unit::CNY));
        out.say(
            format!("{} {} 笔，合计 {figure} {unit}", verb.0, count("accepted")),
            format!("{} {} gifts, {figure} {unit}", verb.1, count("accepted")),
        );
    }
    for twin in list("twins") {
        let (line, seq) = (&twin["line"], &twin["seq"]);
        if twin["in_file"] == true && imported["dry_run"] == true {
            out.say(
                format!("第 {line} 行重复：与本文件前面的一行是同一笔"),
                format!("Line {line} is a duplicate of an earlier line of this file"),
            );
        } else {
            out.say(format!("第 {line} 行重复：已在记录 {seq}"), format!("Line {line} is a duplicate of entry {seq}"));
        }
    }
    for other in list("others") {
        let (line, said) = (&other["line"], &other["said"]);
        out.say(
            format!("第 {line} 行不是捐赠：{}", text(said, "zh")),
            format!("Line {line} is no gift: {}", text(said, "en")),
        );
    }
    list("complaints").for_each(both);
    list("controls").for_each(|control| both(&control["said"]));
    for file in list("files") {
        let file = file.as_str().unwrap_or_default();
        out.say(format!("明细：{file}"), format!("Rows: {file}"));
    }
}
