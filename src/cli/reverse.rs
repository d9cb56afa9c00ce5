//! `reverse`: a new entry that posts the opposite of an old one.

use super::session::{Failure, Session};
use crate::domain::command::Order;
use crate::domain::vocabulary::ReasonClass;
use crate::values::Day;

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
        let on = session.day(self.on).await?;
        let order = Order::Reverse { target: self.seq, reason: self.reason, on };
        let accepted = session.post(order, &format!("reverse {} {} {on}", self.seq, self.reason)).await?;
        let amount = session.amount_of(accepted.seq).await?;
        session.told(
            accepted,
            format!("记录 {} 已冲销（{amount}），原记录保留", self.seq),
            format!("Entry {} is reversed ({amount}); the old one stays", self.seq),
            serde_json::json!({"target": self.seq}),
        );
        Ok(())
    }
}
