//! `monitor`: follows logs from outside.

use super::session::{Failure, Session};
use super::verify::policy;
use crate::app::monitor::{Seen, look};
use crate::app::reason_zh::reason;
use crate::app::writer::chain;
use futures_util::future::join_all;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Follow logs from outside: keep their checkpoints, check history, posts and totals, and keep the evidence where one does not hold
#[derive(Debug, clap::Args)]
pub(super) struct Monitor {
    /// Addresses of logs, as https://…/log/NAME/
    #[arg(required = true)]
    urls: Vec<String>,
    /// Folder for what is kept: checkpoints, tiles, evidence
    #[arg(long, default_value = "mingzhang-monitor", value_name = "DIR")]
    dir: PathBuf,
    /// Keys and witnesses that you trust (C2SP tlog-policy); else the key that a log had when it was first seen
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Look every so many seconds; once where not given
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
}

impl Monitor {
    /// Runs it: once, or until it is told to stop.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let policy = self.policy.as_deref().map(policy).transpose()?;
        loop {
            let mut holds = true;
            // One that is slow keeps none of the others waiting.
            let looks = self.urls.iter().map(|url| look(url, &self.dir, policy.as_ref()));
            for (url, seen) in self.urls.iter().zip(join_all(looks).await) {
                match seen {
                    Ok(seen) => holds &= told(session, url, &seen),
                    // Away for a moment is no fault of a log; looked at once, it is one of the look.
                    Err(error) if self.every.is_some() => {
                        let what = chain(&error);
                        session.out.warn(format!("{url}：{what}"), format!("{url}: {what}"));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            match self.every {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None if holds => return Ok(()),
                None => return Err(Failure::NotOk),
            }
        }
    }
}

/// What was found, in Chinese; it may begin with the number of an entry.
fn reason_of(what: &str) -> String {
    match what.strip_prefix("entry ").and_then(|rest| rest.split_once(": ")) {
        Some((seq, why)) => format!("记录 {seq}：{}", reason(why)),
        None => reason(what),
    }
}

/// Tells what was seen of a log; whether it holds.
fn told(session: &Session, url: &str, seen: &Seen) -> bool {
    let Seen { origin, size, root, is_known, is_totalled, found, kept } = seen;
    if found.is_empty() {
        let before = if *is_known {
            ("接着以前看到的", "it goes on from what was seen before")
        } else {
            ("第一次看到", "seen for the first time")
        };
        let totals = if *is_totalled {
            ("，与公布的合计一致", ", and its totals are what they add up to")
        } else {
            ("；它没有公布合计", "; it publishes no totals to compare")
        };
        session.out.say(
            format!("✓ {origin}：{size} 条记录，根 {}…；{}{}。", root.short(), before.0, totals.0),
            format!("✓ {origin}: {size} entries, root {}…; {}{}", root.short(), before.1, totals.1),
        );
    }
    for file in kept {
        let file = file.display();
        session.out.warn(
            format!("注意：以前看到过不符，证据还在 {file}。"),
            format!("Note: it did not hold before; the evidence is still in {file}"),
        );
    }
    for (what, file) in found {
        let file = file.display();
        session.out.say(
            format!("✕ {origin}：{}。证据在 {file}。", reason_of(what)),
            format!("✕ {origin}: {what}. The evidence is in {file}"),
        );
    }
    let found: Vec<_> =
        found.iter().map(|(what, file)| json!({"what": what, "evidence": file.display().to_string()})).collect();
    session.out.object(&json!({
        "url": url, "origin": origin, "ok": found.is_empty(), "size": size, "root": root.to_hex(), "found": found,
        "kept": kept.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
    }));
    found.is_empty()
}
