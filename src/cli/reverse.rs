//! `reverse`: a new entry that posts the opposite of an old one.

use super::account::shown;
use super::session::{Failure, Session};
use crate::domain::vocabulary::ReasonClass;
use crate::values::Day;
use serde_json::json;

/// Take back a whole entry by a new one
#[derive(Debug, clap::Args)]
pub(super) struct Reverse {
    /// The entry
    seq: u64,
    /// Why: duplicate, wrong_amount, wrong_fund, other …
    #[arg(long, default_value = "other")]
    reason: ReasonClass,
    /// Day of the fact
    #[arg(long)]
    on: Option<Day>,
}

impl Reverse {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let body = json!({"reason": self.reason.as_str(), "on": shown(self.on)});
        let answer = session.send(format!("/entries/{}/reverse", self.seq), body).await?;
        let amount = session.amount_of(&answer).await?;
        session.told(
            &answer,
            format!("记录 {} 已冲销（{amount}），原记录保留", self.seq),
            format!("Entry {} is reversed ({amount}); the old one stays", self.seq),
        );
        Ok(())
    }
}
