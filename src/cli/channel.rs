//! `channel`: payment channels that post gifts by signed messages.

use super::account::text;
use super::session::{Failure, Session};
use crate::values::{AccountId, FundId, StaffId};
use serde_json::json;

/// Payment channels that post gifts by signed messages
#[derive(Debug, clap::Subcommand)]
pub(super) enum Channel {
    /// Admit a channel; its secret is shown once
    Add {
        /// Its name, as wechat; it stands in the channel's address
        name: StaffId,
        /// The fund of gifts that name none
        #[arg(long)]
        fund: FundId,
        /// The account that its gifts come to
        #[arg(long)]
        account: AccountId,
        /// Clerk who answers for its gifts; the one who admits it where not given
        #[arg(long)]
        user: Option<String>,
    },
    /// Remove a channel; what it sends from now on is not taken
    Remove {
        /// Its name
        name: StaffId,
    },
    /// All channels
    List,
}

impl Channel {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let out = &session.out;
        match self {
            Self::Add { name, fund, account, user } => {
                let body =
                    json!({"channel": name.as_str(), "fund": fund.as_str(), "account": account.as_str(), "user": user});
                let answer = session.send("/channels", body).await?;
                let (path, secret) = (text(&answer, "path"), text(&answer, "secret"));
                out.say(
                    format!("渠道 {name} 已登记。推送地址：{path}\n密钥（只显示这一次）：{secret}"),
                    format!("Channel {name} is admitted. It posts to {path}\nSecret (shown this once): {secret}"),
                );
                out.object(&answer);
            }
            Self::Remove { name } => {
                let answer = session.send(format!("/channels/{name}/remove"), json!({})).await?;
                out.say(format!("渠道 {name} 已移除。"), format!("Channel {name} is removed"));
                out.object(&answer);
            }
            Self::List => {
                let answer = session.get("/channels").await?;
                let rows: Vec<Vec<String>> = answer["channels"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|known| ["channel", "fund", "account", "user"].map(|member| text(known, member)).into())
                    .collect();
                let heads = out.pick(
                    [("渠道", false), ("基金", false), ("账户", false), ("代表", false)],
                    [("channel", false), ("fund", false), ("account", false), ("acts as", false)],
                );
                out.table(&heads, &rows);
                out.object(&answer);
            }
        }
        Ok(())
    }
}
