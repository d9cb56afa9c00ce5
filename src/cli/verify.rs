//! `verify`, `rebuild`, `export`.

use super::out::is_watched;
use super::session::{Failure, Session};
use super::trouble_zh;
use crate::app;
use crate::app::asked::{Asked, Witnessed};
use crate::app::outside::{self, OutsideError};
use crate::app::reason_zh::reason;
use crate::app::verify::Verdict;
use crate::app::writer::chain;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::line::State;
use crate::ledger::note::VerifierKey;
use crate::ledger::policy::Policy;
use crate::ledger::receipt::{self, Receipt, ReceiptError};
use crate::values::amount::format_minor;
use crate::values::{Timestamp, Zone};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Check every entry, and everything derived from them: of the data folder, or of what anybody can have
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Instead of the data folder: a folder of `export`, the address of a log (https://…/log/NAME/), or the file of a receipt
    place: Option<String>,
    /// The log's public key, where you have it from elsewhere; else its own log.vkey is taken, and said to be
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse)]
    vkey: Option<VerifierKey>,
    /// Keys and witnesses that you trust, in the form of C2SP tlog-policy
    #[arg(long, value_name = "FILE", conflicts_with = "vkey")]
    policy: Option<PathBuf>,
    /// An earlier checkpoint that you kept: the log must still begin with what it signed
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Keep what is fetched from an address in this folder: run again, it goes on where it stopped
    #[arg(long, value_name = "DIR", requires = "place")]
    keep: Option<PathBuf>,
}

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
        let asked = Asked {
            vkey: self.vkey.clone(),
            policy: self.policy.as_deref().map(policy).transpose()?,
            since: self.since.as_deref().map(checkpoint).transpose()?,
        };
        if let Some(place) = &self.place {
            if Path::new(place).join(crate::store::FILE_NAME).is_file() {
                return Err(Failure::input(
                    format!("{place} 是数据文件夹，请用 --data {place} 核对。"),
                    format!("{place} is a data folder: verify it with --data {place}"),
                ));
            }
            return if Path::new(place).is_file() {
                if asked.since.is_some() || self.keep.is_some() {
                    return Err(Failure::input(
                        "凭证只有一个检查点：--since 和 --keep 要对整个账本用（网址或导出的文件夹）。",
                        "a receipt has one checkpoint only: --since and --keep are for a log, by its address or its folder",
                    ));
                }
                receipt(session, Path::new(place), &asked)
            } else {
                log(session, place, self.keep, &asked).await
            };
        }
        let verdict = verify(session, &asked).await?;
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
                    format!("账本有问题：第一条有问题的记录是 {}。原因：{}。", bad.seq, reason(&bad.reason)),
                    format!("The ledger does not hold. The first bad entry is {}: {}", bad.seq, bad.reason),
                );
            }
        }
        tell_asked(session, &mut object, &asked, verdict.since.filter(|_| ok), &verdict.witnessed);
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
                format!("注意：读不到密钥（{why}），已签名的末尾和保密库里的记录没有核对。"),
                format!("Note: the keys could not be read ({why}); the signed end and sealed records were not checked"),
            );
        }
        session.out.always(&object);
        if ok { Ok(()) } else { Err(Failure::NotOk) }
    }
}

/// Reads a file, no further than anything that is verified can be long.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let longest = u64::try_from(receipt::BYTES_MAX).unwrap_or(u64::MAX) * 2;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(longest).read_to_end(&mut bytes));
    read.map(|_| bytes)
        .map_err(|error| Failure::input(trouble_zh::file(path, &error), format!("{}: {error}", path.display())))
}

/// A checkpoint that somebody kept; what it says is checked later.
fn checkpoint(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read(path)?;
    Checkpoint::of_note(&bytes).map(|_| bytes).map_err(|error| {
        let path = path.display();
        Failure::input(format!("{path} 不是检查点：{}。", reason(&error.to_string())), format!("{path}: {error}"))
    })
}

pub(super) fn policy(path: &Path) -> Result<Policy, Failure> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    Policy::parse(&text).map_err(|error| {
        let (path, line) = (path.display(), error.line);
        Failure::input(format!("{path} 第 {line} 行不是合格的见证策略：{}", error.what), format!("{path}, {error}"))
    })
}

/// A day of a time in seconds since 1970.
fn day(seconds: u64) -> String {
    Timestamp::from_seconds(seconds).map(|at| at.day(&Zone::shanghai()).to_string()).unwrap_or_default()
}

/// Verifies a log from what is public of it.
async fn log(session: &Session, place: &str, keep: Option<PathBuf>, asked: &Asked) -> Result<(), Failure> {
    let bar = progress_bar(0, "{bar:30} {pos}/{len}  {eta}");
    let told = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let kept = keep.as_ref().map(|folder| folder.display().to_string());
    let verdict = outside::verify(outside::Log::at(place, keep)?, asked, told).await;
    bar.finish_and_clear();
    let verdict = verdict?;
    let (entries, root) = (verdict.entries, verdict.root);
    let ok = verdict.first_bad.is_none();
    let mut object = json!({"ok": ok, "entries": entries, "root": root.to_hex(), "vkey": verdict.vkey.to_string()});
    match &verdict.first_bad {
        None => session.out.say(
            format!("账本完好：{entries} 条记录，根 {}…，签名是 {} 的。", root.short(), verdict.vkey.name()),
            format!("The log holds: {entries} entries, root {}…, signed by {}", root.short(), verdict.vkey.name()),
        ),
        Some(bad) => {
            object["first_bad"] = json!({"seq": bad.seq, "reason": bad.reason});
            let (seq, why) = (bad.seq, reason(&bad.reason));
            if verdict.is_of_entry {
                session.out.say(
                    format!("账本有问题：第一条有问题的记录是 {seq}。原因：{why}。"),
                    format!("The log does not hold. The first bad entry is {seq}: {}", bad.reason),
                );
            } else {
                session.out.say(format!("核对不通过：{why}。"), format!("It does not hold: {}", bad.reason));
            }
            if let Some(kept) = kept {
                session.out.warn(
                    format!("注意：取来的数据存在 {kept}；如果那里的文件坏了，请换一个文件夹（--keep）再核对一次。"),
                    format!("Note: what was fetched is kept in {kept}; if its files may be damaged, verify once more with another --keep"),
                );
            }
        }
    }
    if verdict.begun_with != verdict.vkey {
        object["begun_with"] = verdict.begun_with.to_string().into();
        session.out.say(
            format!("签名密钥更换过：从您给的公钥一步步接到现在的 {}，下次可用它。", verdict.vkey),
            format!("Its key has changed: from the one that you gave, change by change, to {}, which you may give next time", verdict.vkey),
        );
    }
    tell_asked(session, &mut object, asked, verdict.since.filter(|_| ok), &verdict.witnessed);
    if verdict.key_from_log {
        object["key_from_log"] = true.into();
        session.out.warn(
            format!("注意：公钥 {} 是账本自己给的，请与组织公布的比一比，下次用 --vkey 指明。", verdict.vkey),
            format!("Note: the key {} is the log's own word; compare it with the one that the charity publishes, and give it with --vkey", verdict.vkey),
        );
    }
    session.out.always(&object);
    if ok { Ok(()) } else { Err(Failure::NotOk) }
}

/// Tells what came of what was asked beside the entries.
fn tell_asked(session: &Session, object: &mut Value, asked: &Asked, since: Option<u64>, witnessed: &Witnessed) {
    if let Some(since) = since {
        object["since"] = since.into();
        session.out.say(
            format!("您保存的检查点（{since} 条）仍是它的开头，一条未改。"),
            format!("The checkpoint that you kept ({since} entries) is still its beginning"),
        );
    }
    let Some(policy) = &asked.policy else { return };
    let seen = witnessed.seen.iter().map(|(name, time)| format!("{name} {}", day(*time))).collect::<Vec<_>>();
    object["witnesses"] = witnessed.seen.iter().map(|(name, time)| json!({"name": name, "time": time})).collect();
    object["unwitnessed_before"] = witnessed.from.into();
    if !seen.is_empty() {
        let seen = seen.join(session.out.pick("、", ", "));
        let at = witnessed.at;
        session
            .out
            .say(format!("前 {at} 条的共签：{seen}。"), format!("The first {at} entries are cosigned by {seen}"));
    }
    match witnessed.from {
        Some(size) => session.out.say(format!("第 {size} 条以前没有见证。"), format!("Unwitnessed before size {size}")),
        None if policy.asks_for_witnesses() => {
            session.out.say("还没有足够的见证。", "Not witnessed as the policy asks")
        }
        None => {}
    }
}

/// What a file is that proves nothing by itself, and what to do with it.
fn no_receipt(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.starts_with(b"%PDF") {
        return Some((
            "PDF 本身证明不了什么。凭证请核对同时生成的 HTML 或 JSON 文件；报告请拖到组织网站的 /verify 页。",
            "a PDF proves nothing by itself. Of a certificate, verify the HTML or JSON file that came with it; drop a report on the charity's /verify page",
        ));
    }
    let is_proof = bytes.starts_with(b"c2sp.org/tlog-proof");
    is_proof.then_some((
        "证明只写了记录的位置，没有记录本身。请拖到组织网站的 /verify 页，或核对自证凭证。",
        "a proof names the place of an entry and does not hold the entry. Drop it on the charity's /verify page, or verify a receipt",
    ))
}

/// Verifies one receipt.
fn receipt(session: &Session, path: &Path, asked: &Asked) -> Result<(), Failure> {
    let bytes = read(path)?;
    let refused = |error: ReceiptError| {
        session.out.say(
            format!("✕ {} 核对不通过：{}。", path.display(), reason(&error.to_string())),
            format!("✕ {} does not hold: {error}", path.display()),
        );
        session.out.always(&json!({"ok": false, "reason": error.to_string()}));
        Failure::NotOk
    };
    if let Some((zh, en)) = no_receipt(&bytes) {
        return Err(Failure::input(format!("{}：{zh}", path.display()), format!("{}: {en}", path.display())));
    }
    let receipt = Receipt::of_file(&bytes).map_err(refused)?;
    let of_policy = asked.policy.as_ref().and_then(|policy| {
        let known = policy.logs.iter().find(|(key, _)| *key == receipt.vkey);
        known.or(policy.logs.first()).map(|(key, _)| key.clone())
    });
    let named = asked.vkey.clone().or(of_policy);
    let proven = receipt.verify(named.as_ref().unwrap_or(&receipt.vkey)).map_err(refused)?;
    let witnessed = match &asked.policy {
        None => Vec::new(),
        Some(policy) => {
            policy.cosigned(&proven.note).map_err(|error| Failure::input(error.to_string(), error.to_string()))?
        }
    };
    let is_met = asked.policy.as_ref().is_none_or(|policy| policy.is_met_by(&witnessed));
    let (size, gift) = (proven.checkpoint.size, proven.entries.first().map_or(0, |gift| gift.seq));
    session.out.say(
        format!(
            "✓ {} 核对通过：捐赠 {gift}，{} 条记录都在 {} 签名的 {size} 条之中。",
            path.display(),
            proven.entries.len(),
            receipt.vkey.name()
        ),
        format!(
            "✓ {} holds: gift {gift}, {} entries, all among the {size} that {} has signed",
            path.display(),
            proven.entries.len(),
            receipt.vkey.name()
        ),
    );
    let fates: Vec<_> = proven
        .fates
        .iter()
        .map(|fate| {
            let (state, by) = match fate.state {
                State::Free => ("free", None),
                State::Held { by } => ("held", Some(by)),
                State::Spent { by } => ("spent", Some(by)),
                State::Void { by } => ("void", Some(by)),
            };
            let amount = format!(
                "{} {}",
                format_minor(i64::try_from(fate.amount).unwrap_or(i64::MAX), fate.line.unit),
                fate.line.unit
            );
            let word = session.out.pick(
                match fate.state {
                    State::Free => "还没有用",
                    State::Held { .. } => "待支付",
                    State::Spent { .. } => "已支出",
                    State::Void { .. } => "已退还或冲销",
                },
                match fate.state {
                    State::Free => "not used yet",
                    State::Held { .. } => "waits to be paid",
                    State::Spent { .. } => "spent",
                    State::Void { .. } => "given or taken back",
                },
            );
            let of = by.map(|by| session.out.pick(format!("，记录 {by}"), format!(", entry {by}"))).unwrap_or_default();
            let line = format!("  {amount}  {word}{of}");
            session.out.say(&line, &line);
            json!({"state": state, "entry": by, "line": fate.line.to_string(), "amount": fate.amount})
        })
        .collect();
    let seen: Vec<String> = if asked.policy.is_some() { &witnessed } else { &proven.seen }
        .iter()
        .map(|(name, time)| format!("{name} {}", day(*time)))
        .collect();
    if !seen.is_empty() {
        let seen = seen.join(session.out.pick("、", ", "));
        session.out.say(format!("  共签的见证方：{seen}"), format!("  Cosigned by {seen}"));
    }
    if !is_met {
        session.out.say("✕ 见证方的共签不够。", "✕ It is cosigned by fewer witnesses than the policy asks for");
    }
    if named.is_none() {
        session.out.warn(
            format!("注意：公钥 {} 是凭证自带的，请与组织公布的比一比，下次用 --vkey 指明。", receipt.vkey),
            format!("Note: the key {} came with the receipt; compare it with the one that the charity publishes, and give it with --vkey", receipt.vkey),
        );
    }
    session.out.always(&json!({
        "ok": is_met, "donation": gift, "entries": proven.entries.len(), "size": size, "root": proven.checkpoint.root.to_hex(),
        "vkey": receipt.vkey.to_string(), "uses": fates, "witnesses": witnessed.iter().map(|(name, time)| json!({"name": name, "time": time})).collect::<Vec<_>>(),
    }));
    if is_met { Ok(()) } else { Err(Failure::NotOk) }
}

impl From<OutsideError> for Failure {
    fn from(error: OutsideError) -> Self {
        let text = chain(&error);
        let zh = match &error {
            OutsideError::File { path, source } => trouble_zh::file(path, source),
            OutsideError::Away { url, what } => {
                format!("{url} 没有回答（{what}）。请再运行一次；加上 --keep 会从中断处继续。")
            }
            OutsideError::NoLog(place) => format!(
                "{place} 里没有账本：应有 checkpoint，以及 tile 或 entries.jsonl。账本的网址以 /log/名称/ 结尾。"
            ),
            OutsideError::Key { place, error } => format!("{place}log.vkey 不是公钥（{error}）。"),
            OutsideError::Ended(what) => format!("程序内部的一步没有做完（{what}）。请再运行一次。"),
        };
        Self::input(zh, text)
    }
}

/// Verifies the ledger, with a bar.
pub(super) async fn verify(session: &Session, asked: &Asked) -> Result<Verdict, Failure> {
    let bar = progress_bar(0, "{bar:30} {pos}/{len}  {eta}");
    let verdict = app::verify::verify_as_asked(&session.folder, session.ledger.as_deref(), asked, |done, of| {
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
