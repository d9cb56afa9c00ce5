//! `witness`: cosigns checkpoints of logs, as long as each is the beginning of the next.

use super::serve::{bind, stop};
use super::session::{Failure, Session};
use super::trouble_zh;
use crate::ledger::note::VerifierKey;
use crate::web::witness::{NoWitness, Witness as Serving, serve};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Be a witness of other logs: cosign their checkpoints as long as each is the beginning of the next (C2SP tlog-witness)
#[derive(Debug, clap::Args)]
pub(super) struct Witness {
    /// Folder of the witness: its key, the keys of the logs it follows, the last checkpoint of each
    dir: PathBuf,
    /// Name of the witness, a URL without its scheme, as witness.example/w1; it cannot be changed later
    #[arg(long)]
    name: String,
    /// Follow this log too, by its public key as in log.vkey; may be given several times and is remembered
    #[arg(long = "log", value_name = "VKEY", value_parser = VerifierKey::parse)]
    logs: Vec<VerifierKey>,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

impl Witness {
    /// Runs it, until it is told to stop.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        if self.name.is_empty() || self.name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control()) {
            return Err(Failure::input(
                "--name：见证方的名称不能为空，不能有空格或加号。",
                "--name: the name of a witness has no blank and no plus sign, and is not empty",
            ));
        }
        let witness = Serving::open(&self.dir, self.name, &self.logs, session.clock).await?;
        let listener = bind(self.listen).await?;
        let address = listener.local_addr().map_err(|error| Failure::input(error.to_string(), error.to_string()))?;
        let vkey = witness.verifier();
        session.out.say(
            format!("见证方已启动：http://{address}/，公钥 {vkey}（按 Ctrl+C 结束）"),
            format!("Witness at http://{address}/, public key {vkey} (Ctrl+C ends it)"),
        );
        session
            .out
            .object(&json!({"listening": address.to_string(), "vkey": vkey.to_string(), "logs": witness.logs()}));
        serve(witness, listener, stop()).await;
        Ok(())
    }
}

impl From<NoWitness> for Failure {
    fn from(error: NoWitness) -> Self {
        match error {
            NoWitness::Open(error) => error.into(),
            NoWitness::File { path, source } => {
                Self::input(trouble_zh::file(&path, &source), format!("{}: {source}", path.display()))
            }
            NoWitness::Form { path, error } => Self::input(
                format!("{} 不是它该有的内容（{error}）。", path.display()),
                format!("{}: {error}", path.display()),
            ),
        }
    }
}
