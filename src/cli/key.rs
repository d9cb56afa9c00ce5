//! `key`: the keys that sign the log.

use super::account::text;
use super::session::{Failure, Session};
use serde_json::json;

/// The keys that sign the log
#[derive(Debug, clap::Subcommand)]
pub(super) enum Key {
    /// The public keys there have been, and the one that is prepared
    List,
    /// Make the key that is to sign next; publish its public half, and give it to witnesses, before it signs
    Prepare,
    /// Have the prepared key sign from now on: an entry says so, both keys sign the next checkpoint, then the old one is deleted
    Rotate,
}

impl Key {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let out = &session.out;
        match self {
            Self::List => {
                let answer = session.get("/keys").await?;
                let keys = answer["keys"].as_array().into_iter().flatten();
                let rows: Vec<Vec<String>> =
                    keys.map(|known| vec![known["from"].to_string(), text(known, "vkey")]).collect();
                let heads = out.pick([("签名自（条）", true), ("公钥", false)], [("from size", true), ("key", false)]);
                out.table(&heads, &rows);
                if let Some(next) = answer["next"].as_str() {
                    out.say(format!("已准备、还没有启用：{next}"), format!("Prepared, signs nothing yet: {next}"));
                }
                out.object(&answer);
            }
            Self::Prepare => {
                let answer = session.send("/keys/prepare", json!({})).await?;
                let next = text(&answer, "next");
                out.say(
                    format!("新密钥已准备好，还没有启用。请先公布它的公钥，并交给见证方；几台服务器共用账本的，把 keys 里的 .next 文件复制到每一台。然后运行 mingzhang key rotate。\n公钥：{next}"),
                    format!("The new key is ready and signs nothing yet. Publish its public half and give it to witnesses; where several nodes share the ledger, copy the .next file of the keys to each of them. Then run `mingzhang key rotate`.\nKey: {next}"),
                );
                out.object(&answer);
            }
            Self::Rotate => {
                let answer = session.send("/keys/rotate", json!({})).await?;
                let vkey = text(&answer, "vkey");
                session.told(
                    &answer,
                    format!("新密钥已启用：{vkey}。下一个检查点由新旧两把密钥共同签名，旧密钥随后删除。请另存一份新的 keys"),
                    format!("The new key signs from now on: {vkey}. Both keys sign the next checkpoint, then the old one is deleted. Keep a new copy of the keys"),
                );
            }
        }
        Ok(())
    }
}
