//! `donation`: gifts.

use super::account::{shown, text};
use super::fund::{amount, minor};
use super::report::say_files;
use super::session::{Failure, Session};
use super::trouble_zh;
use crate::app::folder::{replace, secret};
use crate::domain::vocabulary::{FeeOnRefund, ReasonClass, Source};
use crate::values::amount::format_minor;
use crate::values::{AccountId, Day, FundId, Unit};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Gifts
#[derive(Debug, clap::Subcommand)]
pub(super) enum Donation {
    /// Record a gift
    Receive {
        /// Into this fund
        #[arg(long)]
        fund: FundId,
        /// What the donor gave, before any fee
        #[arg(long)]
        amount: String,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// What the channel kept of it
        #[arg(long)]
        fee: Option<String>,
        /// platform, enterprise, village_cash, members, wechat, alipay, bank, individual or other
        #[arg(long, default_value = "individual")]
        source: Source,
        /// To this account; the only one of the fund where not given
        #[arg(long)]
        account: Option<AccountId>,
        /// What only this donor has: the channel's order number, or the number of the paper slip
        #[arg(long)]
        order_no: String,
        /// The gift was taken back and is recorded anew under its order number
        #[arg(long)]
        anew: bool,
        /// Name, kept in the vault only
        #[arg(long)]
        name: Option<String>,
        /// Contact, kept in the vault only
        #[arg(long)]
        contact: Option<String>,
        /// Givers behind it, for a cash box
        #[arg(long)]
        gift_count: Option<u64>,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// Give a gift back to its donor, or part of what is unspent of it
    Refund {
        /// The entry of the gift
        seq: u64,
        /// How much; all of it where not given
        #[arg(long)]
        amount: Option<String>,
        /// Currency
        #[arg(long, default_value = "CNY")]
        unit: Unit,
        /// What becomes of the channel's fee: returned or kept
        #[arg(long, default_value = "returned")]
        fee: FeeOnRefund,
        /// Why
        #[arg(long, default_value = "donor_request")]
        reason: ReasonClass,
        /// Day of the fact
        #[arg(long)]
        on: Option<Day>,
    },
    /// List the newest gifts
    List {
        /// Only of this fund
        #[arg(long)]
        fund: Option<FundId>,
        /// Only of this day
        #[arg(long)]
        on: Option<Day>,
        /// How many
        #[arg(long, default_value_t = 20, value_name = "COUNT")]
        last: usize,
    },
    /// Make the donor's receipt code of a gift; shown once
    Code {
        /// The entry of the gift
        seq: u64,
    },
    /// Issue the certificate of a gift, once, and write its files: a page that proves itself, a PDF, the data
    Receipt {
        /// The entry of the gift
        seq: u64,
        /// Folder for the files; receipts in the data folder, or here where a server is asked
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

impl Donation {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Receive {
                fund,
                amount: given,
                unit,
                fee,
                source,
                account,
                order_no,
                anew,
                name,
                contact,
                gift_count,
                on,
            } => {
                let gross = amount(&given, unit, "--amount")?;
                let body = json!({
                    "fund": fund.as_str(), "account": shown(account), "amount": gross.minor(), "unit": unit.as_str(),
                    "fee": minor(fee, unit, "--fee")?, "source": source.as_str(), "order_no": order_no, "anew": anew, "name": name,
                    "contact": contact, "gift_count": gift_count, "on": shown(on),
                });
                let answer = session.send("/donations", body).await?;
                session.told(
                    &answer,
                    format!("捐赠 {gross} 已记入基金 {fund}"),
                    format!("A gift of {gross} is recorded for fund {fund}"),
                );
            }
            Self::Refund { seq, amount: given, unit, fee, reason, on } => {
                let body = json!({
                    "amount": minor(given, unit, "--amount")?, "unit": unit.as_str(), "fee": fee.as_str(),
                    "reason": reason.as_str(), "on": shown(on),
                });
                let answer = session.send(format!("/donations/{seq}/refund"), body).await?;
                let amount = session.amount_of(&answer).await?;
                let kept = match fee {
                    FeeOnRefund::Kept => (
                        "；渠道不退的手续费由基金其余可用款承担",
                        "; the fee that the channel keeps is paid out of the fund's other free money",
                    ),
                    FeeOnRefund::Returned => ("", ""),
                };
                session.told(
                    &answer,
                    format!("捐赠 {seq} 已退还捐赠人 {amount}{}", kept.0),
                    format!("{amount} of gift {seq} go back to the donor{}", kept.1),
                );
            }
            Self::List { fund, on, last } => {
                let gifts = newest(session, fund, on, last).await?;
                let rows: Vec<Vec<String>> = gifts
                    .iter()
                    .map(|gift| {
                        let unit: Unit = text(gift, "unit").parse().unwrap_or(Unit::CNY);
                        let amount = format!("{} {unit}", format_minor(gift["amount"].as_i64().unwrap_or(0), unit));
                        let seq = gift["seq"].to_string();
                        vec![seq, text(gift, "on"), text(gift, "fund"), text(gift, "source"), amount]
                    })
                    .collect();
                let heads = session.out.pick(
                    [("记录", true), ("日期", false), ("基金", false), ("来源", false), ("金额", true)],
                    [("entry", true), ("day", false), ("fund", false), ("source", false), ("amount", true)],
                );
                session.out.table(&heads, &rows);
                session.out.object(&json!({"donations": gifts}));
            }
            Self::Code { seq } => {
                let answer = session.send(format!("/donations/{seq}/code"), json!({})).await?;
                let code = text(&answer, "code");
                session.out.say(
                    format!("捐赠 {seq} 的查询码（只显示这一次）：{code}\n查询：mingzhang trace --code {code}"),
                    format!("Receipt code of gift {seq} (shown this once): {code}\nLook it up: mingzhang trace --code {code}"),
                );
                session.out.object(&answer);
            }
            Self::Receipt { seq, out } => receipt(session, seq, out.as_deref()).await?,
        }
        Ok(())
    }
}

/// Issues a certificate and writes its files.
async fn receipt(session: &Session, seq: u64, out: Option<&Path>) -> Result<(), Failure> {
    let own = session.folder.path().join("receipts");
    let out = out.unwrap_or(if session.server.is_some() { Path::new("receipts") } else { &own });
    let mut answer = session.send(format!("/donations/{seq}/receipt"), json!({})).await?;
    let failed =
        |error: std::io::Error| Failure::input(trouble_zh::file(out, &error), format!("{}: {error}", out.display()));
    std::fs::create_dir_all(out).map_err(failed)?;
    for file in answer["files"].as_array_mut().into_iter().flatten() {
        let path = out.join(text(file, "name"));
        let bytes = session.download(&text(file, "path")).await?;
        // Names of donors stand in it.
        replace(&path, &bytes, &mut secret()).map_err(failed)?;
        file["path"] = path.display().to_string().into();
    }
    let number = text(&answer, "receipt");
    if answer["repeated"] == true {
        session.out.say(
            format!("捐赠 {seq} 的凭证 {number} 此前已开具，文件重新生成："),
            format!("Certificate {number} of gift {seq} was issued before; its files:"),
        );
    } else {
        session.out.say(
            format!("捐赠 {seq} 的凭证 {number} 已开具（记录 {}）：", answer["entry"]),
            format!("Certificate {number} of gift {seq} is issued (entry {}):", answer["entry"]),
        );
    }
    say_files(session, &answer);
    session.out.object(&answer);
    Ok(())
}

/// The newest gifts that are wanted, newest first.
async fn newest(session: &Session, fund: Option<FundId>, on: Option<Day>, last: usize) -> Result<Vec<Value>, Failure> {
    const PAGE: usize = 1_000;
    let (mut gifts, mut before) = (Vec::new(), None);
    while gifts.len() < last {
        let mut path = format!("/donations?limit={}", (last - gifts.len()).min(PAGE));
        for (name, value) in [("fund", shown(fund.as_ref())), ("on", shown(on)), ("before", shown(before))] {
            path.extend(value.map(|value| format!("&{name}={value}")));
        }
        let mut page = session.get(path).await?;
        gifts.extend(page["donations"].as_array_mut().map(std::mem::take).unwrap_or_default());
        before = page["next"].as_u64();
        if before.is_none() {
            break;
        }
    }
    Ok(gifts)
}
