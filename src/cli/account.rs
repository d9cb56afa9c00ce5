//! `account`: bank accounts, wallets, cash boxes.

use super::fund::amount;
use super::session::{Failure, Session};
use crate::values::amount::format_minor;
use crate::values::{AccountId, Day, FundId, Unit};
use serde_json::json;
use std::collections::BTreeMap;

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
    /// Record that cash went from one account to another, as from a payment channel to the bank
    Move {
        /// From here
        from: AccountId,
        /// To there
        to: AccountId,
        /// How much
        #[arg(long)]
        amount: String,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// All accounts and what is there by the books
    List,
}

impl Account {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Open { account, fund } => {
                let names = all(&fund);
                let answer = session.send("/accounts", json!({"account": account.as_str(), "funds": names})).await?;
                let names = names.join(", ");
                session.told(
                    &answer,
                    format!("账户 {account} 已对基金 {names} 开放"),
                    format!("Account {account} is open for {names}"),
                );
            }
            Self::Move { from, to, amount: given, unit, on } => {
                let amount = amount(&given, unit, "--amount")?;
                let body = json!({
                    "from": from.as_str(), "to": to.as_str(), "amount": amount.minor(), "unit": unit.as_str(), "on": shown(on),
                });
                let answer = session.send("/accounts/move", body).await?;
                session.told(
                    &answer,
                    format!("{amount} 已从账户 {from} 转到账户 {to}"),
                    format!("{amount} went from account {from} to account {to}"),
                );
                session.warn_overdrawn(from.as_str(), unit).await?;
            }
            Self::List => list_accounts(session).await?,
        }
        Ok(())
    }
}

async fn list_accounts(session: &Session) -> Result<(), Failure> {
    let accounts = session.list("accounts").await?;
    let mut rows = Vec::new();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for account in &accounts {
        let (name, funds) = (text(account, "account"), list(account, "funds"));
        let balances = balances(account);
        if balances.is_empty() {
            rows.push(vec![name.clone(), funds.clone(), format_minor(0, Unit::CNY), Unit::CNY.to_string()]);
        }
        for (unit, minor) in balances {
            *sums.entry(unit.to_string()).or_default() += minor;
            rows.push(vec![name.clone(), funds.clone(), format_minor(minor, unit), unit.to_string()]);
        }
    }
    for (unit, sum) in sums {
        let known = Unit::parse(&unit).map_err(|error| Failure::input(error.to_string(), error.to_string()))?;
        rows.push(vec![session.out.pick("合计", "total").into(), String::new(), format_minor(sum, known), unit]);
    }
    let heads = session.out.pick(
        [("账户", false), ("基金", false), ("账面余额", true), ("单位", false)],
        [("account", false), ("funds", false), ("balance", true), ("unit", false)],
    );
    session.out.table(&heads, &rows);
    session.out.object(&json!({"accounts": accounts}));
    Ok(())
}

/// What is at an account by the books, by unit.
fn balances(account: &serde_json::Value) -> Vec<(Unit, i64)> {
    let balances = account["balances"].as_object().into_iter().flatten();
    balances.filter_map(|(unit, minor)| Unit::parse(unit).ok().zip(minor.as_i64())).collect()
}

/// A value as the interface takes it; nothing where none was given.
pub(super) fn shown<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The words of a list, as the interface takes them.
pub(super) fn all<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
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
    /// Says so where more went out of an account than was recorded to come in.
    pub(super) async fn warn_overdrawn(&self, account: &str, unit: Unit) -> Result<(), Failure> {
        let accounts = self.list("accounts").await?;
        let known = accounts.iter().find(|known| text(known, "account") == account);
        let balance = known.and_then(|known| balances(known).into_iter().find(|(known, _)| *known == unit));
        if let Some((_, minor)) = balance.filter(|(_, minor)| *minor < 0) {
            let figure = format_minor(minor, unit);
            self.out.warn(
                format!(
                    "注意：账户 {account} 的账面余额是 {figure} {unit}。如果钱是从别的账户转过来付的，请用 mingzhang account move 补记。"
                ),
                format!(
                    "Note: by the books account {account} now stands at {figure} {unit}. If the money came there from another account, record that with `mingzhang account move`"
                ),
            );
        }
        Ok(())
    }
}
