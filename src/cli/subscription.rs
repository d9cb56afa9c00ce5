//! `subscription`: other programs that are told of entries.

use super::account::{list, text};
use super::session::{Failure, Session};
use serde_json::json;

/// Programs that are told of new entries by signed messages
#[derive(Debug, clap::Subcommand)]
pub(super) enum Subscription {
    /// Tell a program; the secret of its messages is shown once
    Add {
        /// Where to, as https://example.org/hook
        url: String,
        /// Kinds of entries, as donation.received,disbursement.paid; all where not given
        #[arg(long, value_delimiter = ',')]
        kinds: Vec<String>,
        /// Begin with this entry; with the next one where not given
        #[arg(long)]
        from: Option<u64>,
    },
    /// Tell it no more
    Remove {
        /// Its id
        id: String,
    },
    /// All subscriptions, and how far each has been told
    List,
}

impl Subscription {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let out = &session.out;
        match self {
            Self::Add { url, kinds, from } => {
                let body = json!({"url": url, "kinds": kinds, "from": from});
                let answer = session.send("/subscriptions", body).await?;
                let (id, secret) = (text(&answer, "subscription"), text(&answer, "secret"));
                out.say(
                    format!("订阅 {id} 已设立，服务运行时（mingzhang serve）推送到 {url}\n密钥（只显示这一次）：{secret}"),
                    format!(
                        "Subscription {id}: {url} is told while the ledger is served (mingzhang serve)\nSecret (shown this once): {secret}"
                    ),
                );
                out.object(&answer);
            }
            Self::Remove { id } => {
                let answer = session.send(format!("/subscriptions/{id}/remove"), json!({})).await?;
                out.say(format!("订阅 {id} 已结束。"), format!("Subscription {id} is ended"));
                out.object(&answer);
            }
            Self::List => {
                let answer = session.get("/subscriptions").await?;
                let rows: Vec<Vec<String>> = answer["subscriptions"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|known| {
                        vec![
                            text(known, "subscription"),
                            text(known, "url"),
                            list(known, "kinds"),
                            known["next"].to_string(),
                            known["failures"].to_string(),
                            text(known, "trouble"),
                        ]
                    })
                    .collect();
                let heads = out.pick(
                    [
                        ("订阅", false),
                        ("地址", false),
                        ("种类", false),
                        ("下一条", true),
                        ("连续失败", true),
                        ("原因", false),
                    ],
                    [
                        ("id", false),
                        ("address", false),
                        ("kinds", false),
                        ("next", true),
                        ("failures", true),
                        ("trouble", false),
                    ],
                );
                out.table(&heads, &rows);
                out.object(&answer);
            }
        }
        Ok(())
    }
}
