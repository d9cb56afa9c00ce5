//! `account`: bank accounts, wallets, cash boxes.

use super::session::{Failure, Session};
use crate::domain::command::Order;
use crate::values::{AccountId, FundId};

/// Bank accounts, wallets, cash boxes
#[derive(Debug, clap::Subcommand)]
pub(super) enum Account {
    /// Open an account for one or more funds
    Open {
        /// Its name, as bank/icbc-1
        account: AccountId,
        /// The funds that it may feed, as a,b
        #[arg(long, value_delimiter = ',', required = true)]
        fund: Vec<FundId>,
    },
    /// All accounts
    List,
}

impl Account {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Open { account, fund } => {
                let payload = format!("{account} {fund:?}");
                let names = fund.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let accepted =
                    session.post(Order::OpenAccount { account: account.clone(), funds: fund }, &payload).await?;
                session.told(
                    accepted,
                    format!("账户 {account} 已对基金 {names} 开放"),
                    format!("Account {account} is open for {names}"),
                    serde_json::json!({"account": account.as_str()}),
                );
            }
            Self::List => {
                let accounts = session.objects("account").await?;
                let rows: Vec<Vec<String>> =
                    accounts.iter().map(|account| vec![text(account, "account"), list(account, "funds")]).collect();
                session.out.table(
                    &session.out.pick([("账户", false), ("基金", false)], [("account", false), ("funds", false)]),
                    &rows,
                );
                session.out.object(&serde_json::json!({"accounts": accounts}));
            }
        }
        Ok(())
    }
}

/// A text member of a stored state.
pub(super) fn text(object: &serde_json::Value, member: &str) -> String {
    object[member].as_str().unwrap_or_default().to_owned()
}

/// A list member of a stored state, on one line.
pub(super) fn list(object: &serde_json::Value, member: &str) -> String {
    let items = object[member].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item.as_str()).collect::<Vec<_>>().join(", ")
}

impl Session {
    /// All stored states of an area.
    pub(super) async fn objects(&self, area: &str) -> Result<Vec<serde_json::Value>, Failure> {
        let opened = self.open().await?;
        let rows = opened.store.subjects(opened.row.ledger_id, area).await?;
        opened.store.close().await;
        Ok(rows.into_iter().filter_map(|(_, doc)| serde_json::from_slice(&doc).ok()).collect())
    }

    /// The account given, or the only one that may feed the fund.
    pub(super) async fn account_for(&self, fund: &str, given: Option<AccountId>) -> Result<AccountId, Failure> {
        if let Some(account) = given {
            return Ok(account);
        }
        let accounts = self.objects("account").await?;
        let feeding: Vec<String> = accounts
            .iter()
            .filter(|account| account["funds"].as_array().is_some_and(|funds| funds.iter().any(|known| known == fund)))
            .map(|account| text(account, "account"))
            .collect();
        match feeding.as_slice() {
            [only] => AccountId::parse(only).map_err(|error| Failure::input(error.to_string(), error.to_string())),
            [] => Err(Failure::input(
                format!("基金 {fund} 还没有账户。先运行：mingzhang account open 账户名 --fund {fund}。"),
                format!("no account feeds fund {fund} yet: run `mingzhang account open NAME --fund {fund}` first"),
            )),
            several => Err(Failure::input(
                format!("基金 {fund} 有几个账户（{}），请用 --account 指明。", several.join("、")),
                format!("fund {fund} has several accounts ({}); say which with --account", several.join(", ")),
            )),
        }
    }
}
